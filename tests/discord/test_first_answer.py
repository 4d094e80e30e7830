"""The first answer never waits for Discord's REST: whatever is pressed or typed, the answer leaves before any question.

Everything is about a thread that is archived, so the gateway's cache does not have it, and is asked for elsewhere.
"""

from collections.abc import Awaitable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest
import simcord
from discord import app_commands

import cogs
from bot.cards.base.layout import compose, row
from bot.discord.buttons import Answer, Interaction, Press, Subject, button
from cogs.base.finding import in_sight
from standins.chain.accounts import ADA, OLGA
from tests.conftest import MakeCommunity
from tests.finetuning.test_commands import archive, picture
from tests.scenes.community import Community, job_of, private, text_of

SLOW = "Discord's REST was asked before the first answer"


class Attic:
    """A community with a request, a draft of a finetune and a registration in a thread that is archived by now."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self.subjects: dict[str, list[str]] = {}
        self.drawn: discord.Message
        self.copy: discord.Message
        self.given: discord.Message

    async def furnish(self) -> None:
        community = self.community
        await community.decide(
            moderator_role_id=community.role.id, review_channel_id=community.review.id, wallet=OLGA.address
        )
        studio = community.app.client.get_channel(community.studio.id)
        assert isinstance(studio, discord.TextChannel)
        thread = await studio.create_thread(name="attic", type=discord.ChannelType.public_thread)
        (attic,) = community.studio.threads
        await community.ada.slash(attic, "imagine", prompt="a lighthouse", count=2)
        await community.pass_time(20)
        request_id = job_of(attic.history()[-1])
        await community.ada.slash(
            attic, "finetune create", name="Luna", kind="character", archive=archive(picture(1), picture(2))
        )
        luna = await community.app.services.finetuning.views.find_by_name(community.guild.id, "Luna")
        assert luna
        await community.ada.click(attic.history()[-1], label="Let others add")
        draft = await community.ada.slash(attic, "register", image=f"{request_id}-1")
        form = await community.ada.click(draft.response, label="Edit text")  # pyright: ignore[reportArgumentType]
        await community.ada.submit_modal(form, {"title": "A lighthouse"})
        await community.ada.click(draft.response, label="Submit")  # pyright: ignore[reportArgumentType]
        await community.pass_time(5)
        (asked,) = community.review.history()
        registration_id = job_of(asked)
        await community.ada.slash(community.studio, "show", job=request_id)
        self.copy = community.studio.history()[-1]
        await community.ada.slash(community.studio, "show", job=f"{request_id}-1")
        self.drawn = community.studio.history()[-1]
        self.given = await community.ben.send(community.studio, "look", attachments=[picture(7), picture(8)])
        await thread.edit(archived=True)
        assert community.app.client.get_channel(thread.id) is None
        self.subjects = {
            "image": [f"{request_id}-2"],
            "request": [request_id],
            "fin": [luna.finetune.id, f"{luna.finetune.id}:{luna.digest[:12]}"],
            "reg": [registration_id],
            "rev": [registration_id],
            "wal": [str(community.ada.id)],
        }

    def subjects_of(self, verb: str) -> list[str]:
        if verb in {"img:pick", "img:vary", "img:edit", "img:edited", "reg:begin"}:
            return self.subjects["image"]
        if verb.startswith("img:") or verb in {"reg:choose", "reg:chosen"}:
            return self.subjects["request"]
        return self.subjects[verb.partition(":")[0]]

    async def check(self, act: Awaitable[simcord.InteractionResult], what: str) -> simcord.InteractionResult:
        """Do it; it is answered, and the answer is the first that Discord hears of it."""
        asked = self.community.env.http_requests
        before = len(asked)
        result = await act
        await self.community.clock.settle()
        made = [f"{each.method} {each.path}" for each in asked[before:]]
        assert made, f"{what} was not answered"
        assert made[0].endswith("/callback"), f"{what}: {SLOW}: {made}"
        assert made[0].startswith("POST /interactions/"), f"{what}: {SLOW}: {made}"
        return result


@pytest.fixture
async def attic(make_community: MakeCommunity) -> Attic:
    made = Attic(await make_community(story={}, trainers=["bfl"]))
    await made.furnish()
    return made


async def test_no_press_waits_for_discord_before_its_first_answer(attic: Attic) -> None:
    community = attic.community
    for verb, press in sorted(community.app.client.presses.presses.items()):
        for subject in attic.subjects_of(verb):
            view = compose(row([button(verb, subject, "Go")])).view
            for member in (community.ben, community.mia, community.ada):
                message = await community.app.client.get_partial_messageable(community.studio.id).send(view=view)
                result = await attic.check(member.click(message, label="Go"), f"{verb} of {member.name}")
                assert press.answer is Answer.FORM or result.modal is None
    assert community.env.errors is not None  # most of these presses are refused


async def test_no_command_waits_for_discord_before_its_first_answer(attic: Attic) -> None:
    community = attic.community
    request_id, image_id = attic.subjects["request"][0], attic.subjects["image"][0]
    finetune_id, registration_id = attic.subjects["fin"][0], attic.subjects["reg"][0]
    image = ("owl.jpg", picture(9)[1])
    cases: dict[str, list[dict[str, Any]]] = {
        "imagine": [
            {"prompt": "an owl"},
            {"prompt": "an owl", "advanced": True},
            {"prompt": "an owl", "advanced": True, "finetune": "Luna"},
            {"prompt": "an owl", "finetune": finetune_id},
        ],
        "edit": [
            {"instruction": "at night", "of": image_id},
            {"instruction": "at night", "of": attic.copy.jump_url},
            {"instruction": "at night", "image": image, "model": "flux-kontext-pro"},
        ],
        "show": [{"job": request_id}, {"job": attic.copy.jump_url}, {"job": finetune_id}],
        "history": [{}],
        "register": [
            {"image": image_id},
            {"image": request_id},
            {"image": attic.copy.jump_url},
            {"image": attic.drawn.jump_url},
        ],
        "verify": [{"image": image}, {"link": attic.given.jump_url}, {"link": registration_id}],
        "review": [{}],
        "settings": [{}],
        "wallet link": [{"address": ADA.address}],
        "wallet show": [{}],
        "wallet unlink": [{}],
        "audit export": [{}],
        "audit show": [{"subject": registration_id}],
        "admin settings": [{}],
        "admin doctor": [{}],
        "admin settle": [{"job": image_id, "charged_usd": 0.0}],
        "admin drain": [{}],
        "finetune create": [
            {"name": "Sol", "kind": "style"},
            {"name": "Mars", "kind": "style", "links": attic.given.jump_url},
        ],
        "finetune list": [{}],
        "finetune show": [{"name": "Luna"}],
        "finetune rename": [{"name": "Luna", "description": "an owl"}],
        "finetune share": [{"name": "Luna"}],
        "finetune delete": [{"name": "Luna"}],
        "finetune withdraw": [{"name": "Luna"}],
        "finetune default": [{"name": "Luna", "strength": 1.0}],
        "finetune sweep": [{"name": "Luna", "prompt": "an owl"}],
    }
    menus: dict[str, list[discord.Message]] = {
        "Add to training set": [attic.given, attic.copy, attic.drawn],
        "Edit this picture": [attic.copy, attic.drawn],
        "Register this picture": [attic.copy, attic.drawn],
        "Show details": [attic.copy],
        "Verify this picture": [attic.given, attic.copy],
    }
    tree = community.app.client.tree
    assert {*cases, *menus} == {
        each.qualified_name
        for kind in (discord.AppCommandType.chat_input, discord.AppCommandType.message)
        for each in tree.walk_commands(type=kind)
        if not isinstance(each, app_commands.Group)
    }
    for name, options in cases.items():
        members = [community.olga] if name.startswith(("admin", "audit")) else [community.ben, community.ada]
        for each in options:
            for member in members:
                await attic.check(member.slash(community.studio, name, **each), f"/{name} {each} of {member.name}")
    for name, messages in menus.items():
        for message in messages:
            for member in (community.ben, community.mia, community.ada):
                await attic.check(member.context_menu(community.studio, name, message), f"“{name}” of {member.name}")
    assert community.env.errors is not None


async def test_a_link_that_only_discord_knows_is_answered_with_buttons_instead_of_a_form(attic: Attic) -> None:
    community = attic.community
    result = await community.ada.slash(community.studio, "register", image=attic.copy.jump_url)
    assert result.modal is None
    assert result.response
    assert result.response.ephemeral
    draft = await community.ada.click(result.response.message, label="Picture 2")
    assert draft.response
    assert draft.response.ephemeral


async def test_a_draft_that_only_discord_shows_is_asked_for_with_buttons(attic: Attic) -> None:
    """Luna's card is in a thread that the cache does not have: whether Ben sees it, REST alone knows."""
    community = attic.community
    result = await community.ben.context_menu(community.studio, "Add to training set", attic.given)
    assert result.modal is None
    assert result.response
    assert result.response.ephemeral
    assert "By adding to another member's training set you confirm" in text_of(result.response.message)
    added = await community.ben.click(result.response.message, label="Luna")
    assert private(added) == "Training set of “Luna”: Taken: 2 pictures."


async def test_a_form_opened_from_the_database_is_checked_again_when_it_is_sent(attic: Attic) -> None:
    """What REST alone knows is looked at then: here, that the thread's channel has become age-restricted."""
    community = attic.community
    card = attic.drawn
    opened = await community.ben.click(card, label="Edit")
    assert opened.modal
    studio = community.app.client.get_channel(community.studio.id)
    assert isinstance(studio, discord.TextChannel)
    studio.nsfw = True  # SimCord's channels have no such switch
    elsewhere = compose(row([button("img:edit", attic.subjects["image"][0], "Edit")])).view
    message = await community.app.client.get_partial_messageable(community.review.id).send(view=elsewhere)
    opened = await community.mia.click(message, label="Edit")
    assert opened.modal
    sent = await community.mia.submit_modal(opened, {"instruction": "at night", "model": ["flux-kontext-pro"]})
    assert private(sent) == "This was made in an age-restricted channel and can only be shown in one."
    assert community.env.errors is not None


async def test_no_suggestion_waits_for_discord(attic: Attic) -> None:
    community = attic.community
    for command in community.app.client.tree.walk_commands():
        if isinstance(command, app_commands.Group):
            continue
        member = community.olga if command.qualified_name.startswith(("admin", "audit")) else community.ben
        for option in command.parameters:
            if option.autocomplete:
                what = f"{option.name} of /{command.qualified_name}"
                before = len(community.env.http_requests)
                await member.autocomplete(community.studio, command.qualified_name, option.name, "")
                made = [each.path for each in community.env.http_requests[before:]]
                assert [path.rpartition("/")[2] for path in made] == ["callback"], what


async def test_that_a_channel_is_age_restricted_is_known_without_discord(community: Community) -> None:
    studio = community.app.client.get_channel(community.studio.id)
    assert isinstance(studio, discord.TextChannel)
    studio.nsfw = True  # SimCord's channels have no such switch
    thread = await studio.create_thread(name="attic", type=discord.ChannelType.public_thread)
    (attic,) = community.studio.threads
    await community.ada.slash(attic, "imagine", prompt="a nude, after Rodin")
    await community.pass_time(20)
    image_id = f"{job_of(attic.history()[-1])}-1"
    await thread.edit(archived=True)
    view = compose(row([button("img:edit", image_id, "Edit")])).view
    message = await community.app.client.get_partial_messageable(community.review.id).send(view=view)
    before = len(community.env.http_requests)

    result = await community.ben.click(message, label="Edit")

    assert result.modal is None
    assert private(result) == "This was made in an age-restricted channel and can only be shown in one."
    assert [each.method for each in community.env.http_requests[before:]] == ["POST"]
    assert community.env.errors is not None


# Where Discord took the first answer, and its own answer to that was lost.


async def test_a_lost_acknowledgement_opens_no_private_thread(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = community.app.client.get_channel(community.studio.id)
    assert isinstance(studio, discord.TextChannel)
    thread = await studio.create_thread(name="secret", type=discord.ChannelType.private_thread)
    posted = await thread.send("what only its members may read")
    await thread.edit(archived=True)
    defer, looks = discord.InteractionResponse[Any].defer, list[bool]()

    async def lose_answer(response: discord.InteractionResponse[Any], **options: Any) -> None:
        await defer(response, **options)
        refusal: Any = SimpleNamespace(status=400, reason="Bad Request")
        monkeypatch.setattr(response, "_response_type", None)
        raise discord.HTTPException(refusal, {"code": 40060, "message": "Already acknowledged."})

    async def look(interaction: Interaction, _: Subject) -> None:
        looks.append(await in_sight(interaction, posted.channel.id))

    community.app.client.presses.register("img:look", Press(look))
    view = compose(row([button("img:look", "x", "Look")])).view
    message = await community.app.client.get_partial_messageable(community.studio.id).send(view=view)
    monkeypatch.setattr(discord.InteractionResponse, "defer", lose_answer)
    await community.ben.click(message, label="Look")
    assert looks == [False]


def test_no_cog_asks_discord_py_whether_an_interaction_is_answered() -> None:
    """It does not know of an answer that Discord took while its own answer to that was lost: `answered_as` does."""
    folder = Path(cogs.__file__ or "").parent
    assert [path.name for path in folder.rglob("*.py") if "is_done()" in path.read_text()] == []
