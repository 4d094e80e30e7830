"""What Discord is told about the bot, and how a failed command is explained."""

from dataclasses import replace
from typing import Any, get_args

import discord
import pytest
from simcord import MemberActor, SetupError

from bot.discord.client import EXTENSIONS, Client
from bot.errors import Broken, Refused, Unavailable
from bot.workflows.drawing.types import ImageRequest
from cogs.community.admin import FIELDS, Clearable
from storage.community import communities
from storage.community.communities import Community as CommunitySettings
from tests.scenes.community import Community, buttons_of, private

EXTENSIONS_OF = "bot.discord.client.EXTENSIONS"


def payloads(client: Client) -> dict[str, dict[str, Any]]:
    return {command.name: command.to_dict(client.tree) for command in client.tree.get_commands()}


async def newest(community: Community) -> ImageRequest:
    """The request whose card is the newest message."""
    custom_id = buttons_of(community.cards[-1])["Cancel"]
    return (await community.view(custom_id.rpartition(":")[2])).request


async def test_the_bot_asks_for_the_guilds_intent_and_keeps_no_messages_or_members(community: Community) -> None:
    client = community.app.client
    assert client.intents == discord.Intents(guilds=True)
    assert len(client.cached_messages) == 0
    assert client.allowed_mentions
    assert not any((client.allowed_mentions.everyone, client.allowed_mentions.users, client.allowed_mentions.roles))


async def test_every_command_is_for_communities_only(community: Community) -> None:
    commands = payloads(community.app.client)
    assert sorted(commands) == [
        "Add to training set",
        "Edit this picture",
        "Register this picture",
        "Show details",
        "Verify this picture",
        "admin",
        "audit",
        "edit",
        "finetune",
        "history",
        "imagine",
        "register",
        "review",
        "settings",
        "show",
        "verify",
        "wallet",
    ]
    assert all(each["contexts"] == [0] and each["integration_types"] == [0] for each in commands.values())
    for name in ("admin", "audit"):
        assert commands[name]["default_member_permissions"] == discord.Permissions(manage_guild=True).value


async def test_discord_is_told_the_commands_only_when_they_have_changed(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    monkeypatch.setattr(discord.app_commands.CommandTree, "sync", _count(syncs))
    await community.restart()
    assert syncs == []

    monkeypatch.setattr(EXTENSIONS_OF, tuple(each for each in EXTENSIONS if each != "cogs.reviewing.commands"))
    await community.restart()
    assert syncs == [1]
    await community.restart()
    assert syncs == [1]


async def test_commands_that_discord_did_not_take_are_told_again_at_the_next_start(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EXTENSIONS_OF, tuple(each for each in EXTENSIONS if each != "cogs.reviewing.commands"))
    community.env.inject_error("PUT", "/applications/*/commands", status=400, times=1)
    await community.restart()
    syncs: list[int] = []
    monkeypatch.setattr(discord.app_commands.CommandTree, "sync", _count(syncs))
    await community.restart()
    assert syncs == [1]


def _count(syncs: list[int]) -> Any:
    async def sync(self: object) -> None:
        syncs.append(1)

    return sync


@pytest.mark.parametrize("error", [Refused("Not so."), Unavailable("Later."), Broken("Ouch.")])
async def test_a_failed_command_is_explained_to_the_one_who_typed_it(
    community: Community, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(community.app.services.drawing.requests, "accept", fail)

    result = await community.imagine()

    assert community.env.errors
    assert [(each.content, each.ephemeral) for each in result.followups] == [(str(error), True)]
    assert community.cards == []


async def test_a_bad_prompt_is_refused_with_one_private_message(community: Community) -> None:
    for prompt, sentence in (("  ", "the prompt is empty"), ("x" * 4001, "4,001 characters")):
        result = await community.imagine(prompt=prompt, model="flux-dev")
        assert result.ephemeral
        assert result.response
        assert sentence in result.response.content
    assert community.env.errors
    assert community.cards == []


async def test_a_channel_where_the_bot_could_not_deliver_is_named_before_anything_is_asked(
    community: Community,
) -> None:
    everybody = community.guild.default_role
    closed = community.guild.create_text_channel(
        "closed", overwrites={everybody: discord.PermissionOverwrite(attach_files=False)}
    )

    result = await community.ada.slash(closed, "imagine", prompt="a lighthouse")

    assert community.env.errors
    assert result.ephemeral
    assert result.response
    assert "“Attach Files”" in result.response.content
    assert closed.history() == []


async def test_only_those_who_manage_the_server_see_its_settings(community: Community) -> None:
    with pytest.raises(SetupError):
        await community.ada.slash(community.studio, "admin settings")
    result = await community.olga.slash(community.studio, "admin settings", moderator_role=community.role)
    assert result.response
    assert f"<@&{community.role.id}>" in result.response.content


async def test_who_does_not_manage_the_server_is_refused_even_where_discord_lets_the_command_through(
    community: Community,
) -> None:
    (admin,) = [each for each in await community.app.client.tree.fetch_commands() if each.name == "admin"]
    community.guild.set_command_permissions(admin, {community.ada: True})
    result = await community.ada.slash(community.studio, "admin settings", member_pictures=200)
    assert private(result) == "Only those who may manage this server can change its settings."
    assert community.env.errors
    assert await community.counted("communities") == 0


@pytest.mark.parametrize("command", ["admin doctor", "admin drain"])
async def test_the_state_of_the_bot_is_for_its_own_admins_alone(community: Community, command: str) -> None:
    result = await community.olga.slash(community.studio, command)
    assert private(result) == "Only the bot's own admins can do this (the setting ADMIN_USER_IDS)."
    assert community.env.errors
    assert not community.app.services.kit.signals.draining


def appoint(community: Community, member: MemberActor) -> None:
    """Make somebody an admin of the bot, as ADMIN_USER_IDS does at its start."""
    client = community.app.client
    client.services = replace(client.services, admin_user_ids=frozenset({member.id}))


async def test_the_doctor_says_what_is_wrong_and_what_the_requests_wait_for(community: Community) -> None:
    appoint(community, community.olga)
    await community.decide(confirm_above=0)
    await community.imagine()
    await community.clock.settle()
    reply = private(await community.olga.slash(community.studio, "admin doctor"))
    assert "- The database answers.\n- Requests: 1 waiting for pictures or a moderator\n" in reply
    assert "- bfl: $" in reply
    assert "- Here: the bot may do all that it needs." in reply


async def test_a_drained_bot_says_so_and_takes_nothing_new(community: Community) -> None:
    appoint(community, community.olga)
    reply = private(await community.olga.slash(community.studio, "admin drain"))
    assert reply.startswith("The bot is stopping. Nothing is being worked on.")
    assert community.app.services.kit.signals.draining
    assert private(await community.imagine()).startswith("The bot is about to restart")
    assert community.env.errors


@pytest.mark.parametrize(
    ("option", "chosen", "field"),
    [
        ("moderator_role", None, "moderator_role_id"),
        ("review_channel", None, "review_channel_id"),
        ("member_daily", 5, "member_daily"),
        ("daily_budget_usd", 5.0, "daily_budget"),
        ("confirm_above_usd", 0.0, "confirm_above"),
        ("allowed_models", "flux-dev, flux-2-pro", "allowed_models"),
        ("default_model", "flux-dev", "default_model"),
    ],
)
async def test_whatever_may_be_unset_can_be_cleared(
    community: Community, option: str, chosen: object, field: str
) -> None:
    places = {"moderator_role": community.role, "review_channel": community.review}
    options = {option: places.get(option, chosen)}
    before = (await community.olga.slash(community.studio, "admin settings")).response
    await community.olga.slash(community.studio, "admin settings", **options)
    async with community.app.database.read() as db:
        assert getattr(await communities.find(db, community.guild.id), field) is not None
    after = (await community.olga.slash(community.studio, "admin settings", clear=option)).response
    assert before
    assert after
    assert after.content == before.content


def test_everything_that_may_be_unset_is_offered_for_clearing() -> None:
    nullable = {name for name, field in CommunitySettings.model_fields.items() if field.default is None}
    assert {FIELDS.get(option, option) for option in get_args(Clearable)} == nullable


async def test_the_advanced_form_goes_on_after_a_restart(community: Community) -> None:
    opened = await community.imagine(model="flux-dev", advanced=True)
    assert opened.modal
    await community.restart()

    result = await community.ada.submit_modal(opened, {"steps": "12", "guidance": "2.5"})

    assert result.acknowledged
    request = await newest(community)
    assert request.parameters["steps"] == 12
    assert request.parameters["guidance"] == 2.5


async def test_a_form_of_somebody_else_is_not_accepted(community: Community) -> None:
    opened = await community.imagine(model="flux-dev", advanced=True)
    shown = opened._interaction  # pyright: ignore[reportPrivateUsage] - a form that somebody else sends is forged
    shown.user_id = community.ben.id
    result = await community.ben.submit_modal(opened, {"steps": "12"})
    assert private(result) == "This form was open for too long. Please type the command again."
    assert await community.counted("jobs") == 0

    opened = await community.imagine(model="flux-dev", advanced=True)
    await community.ada.submit_modal(opened, {"steps": "12"})
    assert (await newest(community)).prompt == "a lighthouse"


async def test_a_form_of_yesterday_is_not_accepted(community: Community) -> None:
    opened = await community.imagine(model="flux-dev", advanced=True)
    await community.pass_time(1801)
    result = await community.ada.submit_modal(opened, {"steps": "12"})
    assert [each.content for each in result.followups] == [
        "This form was open for too long. Please type the command again."
    ]


async def test_a_settings_default_is_used_and_never_in_the_way(community: Community) -> None:
    await community.ada.slash(community.studio, "settings", aspect_ratio="3:2", safety_tolerance=6, count=2)
    await community.imagine(model="flux-pro-1.1-ultra")
    request = await newest(community)
    assert (request.count, request.parameters["aspect_ratio"], request.parameters["safety_tolerance"]) == (2, "3:2", 2)
