"""What a community allows its members: safety, models, numbers, money, places. Named before anything is accepted."""

import asyncio
from typing import Any

import discord
from simcord import ChannelHandle

from bot.errors import Refused
from bot.workflows.base.types import Origin
from bot.workflows.drawing.types import ImageRequest
from tests.scenes.community import Community, buttons_of, private, text_of

CENT = 10_000
DAY = 86_400.0
NEEDED = {
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}
"""By Discord's names in its API and in its settings. Where the bot cannot view a channel, nobody can ask it."""


async def assert_refused(community: Community, sentence: str, **options: Any) -> None:
    before = await community.counted("jobs")
    shown = len(community.cards)
    answer = private(await community.imagine(**options))
    assert sentence in answer
    assert community.env.errors
    assert len(community.cards) == shown
    assert await community.counted("jobs") == before


def adults_only(community: Community) -> ChannelHandle:
    channel = community.guild.create_text_channel("adults")
    text_channel = community.app.client.get_channel(channel.id)
    assert isinstance(text_channel, discord.TextChannel)
    text_channel.nsfw = True  # SimCord's channels have no such switch
    return channel


async def test_each_missing_permission_is_named_and_nothing_is_accepted(community: Community) -> None:
    commands: dict[str, dict[str, Any]] = {
        "imagine": {"prompt": "a cat"},
        "edit": {"instruction": "x", "of": "abc-1"},
        "show": {"job": "abc"},
    }
    for missing, name in NEEDED.items():
        lacking = discord.PermissionOverwrite(**{missing: False})
        closed = community.guild.create_text_channel(missing, overwrites={community.guild.default_role: lacking})
        for command, options in commands.items():
            assert private(await community.olga.slash(closed, command, **options)) == (
                f"The bot could not deliver here: it lacks “{name}” in this channel. "
                "Please ask someone who manages the server to allow it."
            )
        assert closed.history() == []
    assert community.env.errors
    assert await community.counted("jobs") == 0


async def test_a_button_in_a_place_that_was_closed_since_says_what_is_missing(community: Community) -> None:
    card = await community.drawn()
    studio = community.app.client.get_channel(community.studio.id)
    assert isinstance(studio, discord.TextChannel)
    await studio.set_permissions(studio.guild.default_role, attach_files=False)
    for label in ("Vary", "Again"):
        assert "“Attach Files”" in private(await community.ben.click(card, label=label))
    assert await community.counted("jobs") == 2


async def test_a_safety_tolerance_is_capped_by_the_community(community: Community) -> None:
    await assert_refused(
        community, "The highest safety tolerance in this server is 2; you asked for 3.", safety_tolerance=3
    )
    await community.decide(safety_cap=6)
    await assert_refused(
        community, "A safety tolerance above 3 is for age-restricted channels only.", safety_tolerance=4
    )
    await community.imagine(safety_tolerance=3)
    await community.ada.slash(adults_only(community), "imagine", prompt="a nude, after Rodin", safety_tolerance=6)
    await community.clock.settle()
    assert {task.body["safety_tolerance"] for task in community.bfl.tasks} == {3, 6}


async def test_the_form_is_no_way_around_the_cap(community: Community) -> None:
    opened = await community.imagine(model="flux-pro-1.1-ultra", advanced=True)
    answer = private(await community.ada.submit_modal(opened, {"safety_tolerance": "6"}))
    assert answer == "The highest safety tolerance in this server is 2; you asked for 6."
    assert await community.counted("jobs") == 0


async def test_who_names_no_safety_tolerance_gets_at_most_the_usual_one(community: Community) -> None:
    for cap in (0, 6):
        await community.decide(safety_cap=cap)
        await community.imagine()
    await community.clock.settle()
    assert {task.body["safety_tolerance"] for task in community.bfl.tasks} == {0, 2}


async def test_what_was_made_for_adults_is_not_made_again_elsewhere(community: Community) -> None:
    await community.decide(safety_cap=6)
    adults = adults_only(community)
    await community.ada.slash(adults, "imagine", prompt="a statue", safety_tolerance=6)
    await community.pass_time(20)
    picture = buttons_of(adults.history()[-1])["Vary"].rpartition(":")[2]
    answer = private(await community.ada.slash(community.studio, "edit", instruction="nude", of=picture))
    assert "age-restricted" in answer
    assert community.env.errors


async def test_a_model_that_is_not_allowed_is_refused_with_those_that_are(community: Community) -> None:
    await community.decide(allowed_models=("flux-dev", "flux-2-pro"))
    await assert_refused(
        community,
        "FLUX.2 [max] is not allowed in this server. Allowed: FLUX.1 [dev], FLUX.2 [pro].",
        model="flux-2-max",
    )
    await community.imagine()
    await community.clock.settle()
    assert community.bfl.tasks[0].endpoint == "flux-dev", "where a member names none, an allowed one is taken"


async def test_a_member_has_so_many_pictures_at_once(community: Community) -> None:
    await community.decide(member_pictures=4)
    await community.imagine(count=3)
    await assert_refused(community, "You have 3 pictures under way, and 4 at once is the limit here.", count=2)
    await community.imagine(community.ben, count=4)
    await community.pass_time(20)
    await community.imagine(count=4)
    assert len(community.cards) == 3


async def test_a_member_has_so_many_pictures_a_day_and_failures_do_not_count(community: Community) -> None:
    await community.decide(member_daily=3)
    await community.imagine(prompt="a nude", count=3)
    await community.pass_time(20)
    await community.imagine(count=2)
    await community.pass_time(20)
    await assert_refused(community, "You have had 2 pictures in the last 24 hours; the limit here is 3.", count=2)
    await community.imagine(community.ben, count=3)
    await community.pass_time(20)
    assert "3 pictures" in text_of(community.cards[-1])

    await community.clock.leap(DAY)
    await community.imagine(count=3)
    await community.pass_time(20)
    assert f"3 pictures for <@{community.ada.id}>" in text_of(community.cards[-1])


async def test_a_community_spends_so_much_a_day_and_what_is_under_way_counts(community: Community) -> None:
    await community.decide(daily_budget=20 * CENT)
    await community.imagine(count=3)
    await assert_refused(
        community, "This server has spent its budget for 24 hours. Please try again later.", member=community.ben
    )
    await community.imagine(community.ben, model="flux-2-klein-4b")
    await community.pass_time(20)
    assert await community.counted("jobs") == 6


async def test_a_budget_counts_every_picture_that_is_asked_for(community: Community) -> None:
    await community.decide(daily_budget=20 * CENT)
    await assert_refused(community, "This server has spent its budget for 24 hours. Please try again later.", count=4)
    await community.imagine(count=3)
    await community.pass_time(20)
    assert community.ordered() == 3


async def test_many_at_once_do_not_slip_past_a_limit_together(community: Community) -> None:
    await community.decide(member_pictures=5)
    requests = community.app.services.drawing.requests

    async def ask(number: int) -> bool:
        origin = Origin(10**17 + number, community.ada.id, community.guild.id, community.studio.id, None, nsfw=False)
        try:
            await requests.accept(origin, ImageRequest(prompt="a cat", model="flux-dev"))
        except Refused:
            return False
        return True

    assert sum(await asyncio.gather(*map(ask, range(30)))) == 5


async def test_the_same_interaction_delivered_twice_is_one_request(community: Community) -> None:
    requests = community.app.services.drawing.requests
    origin = Origin(10**17, community.ada.id, community.guild.id, community.studio.id, None, nsfw=False)
    accepted = await asyncio.gather(
        *(requests.accept(origin, ImageRequest(prompt="a cat", model="flux-dev")) for _ in range(20))
    )
    assert len({job.id for job in accepted}) == 1
    await community.pass_time(20)
    assert community.ordered() == 1


async def test_an_admin_reads_and_changes_the_settings(community: Community) -> None:
    reply = private(
        await community.olga.slash(
            community.studio,
            "admin settings",
            moderator_role=community.role,
            review_channel=community.review,
            safety_cap=1,
            member_pictures=8,
            member_daily=100,
            daily_budget_usd=12.5,
            confirm_above_usd=0.25,
            allowed_models="flux-dev, flux-2-pro",
            default_model="flux-2-pro",
        )
    )
    assert reply == (
        "### This server\n"
        f"**Moderators:** <@&{community.role.id}> and administrators\n"
        f"**Approval requests:** <#{community.review.id}>\n"
        "**Most permissive safety tolerance:** 1\n"
        "**Pictures of one member at once:** 8\n"
        "**Pictures of one member in 24 hours:** 100\n"
        "**Budget for 24 hours:** $12.50, of which $0.00 is spent\n"
        "**A moderator is asked above:** $0.25\n"
        "**Models:** FLUX.1 \\[dev\\], FLUX.2 \\[pro\\]\n"
        "**Usual model:** FLUX.2 \\[pro\\]\n"
        "**Registrations of one member at once:** 5\n"
        "**The community's wallet:** none\n"
        "**Moderators decide on their own images:** no"
    )
    await community.imagine(count=2)
    await community.clock.settle()
    assert [task.endpoint for task in community.bfl.tasks] == ["flux-2-pro"] * 2
    assert [task.body["safety_tolerance"] for task in community.bfl.tasks] == [1, 1]

    for option in (
        "moderator_role",
        "review_channel",
        "member_daily",
        "daily_budget_usd",
        "confirm_above_usd",
        "allowed_models",
        "default_model",
    ):
        reply = private(await community.olga.slash(community.studio, "admin settings", clear=option))
    assert "**Moderators:** administrators only" in reply
    assert "**Budget for 24 hours:** no limit; $0.06 is spent" in reply
    assert "**A moderator is asked above:** never" in reply
    assert "**Models:** all" in reply


async def test_a_setting_that_makes_no_sense_changes_nothing(community: Community) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"allowed_models": "flux-dev, flux-9"}, "There is no such model."),
        ({"allowed_models": " , "}, "Name at least one model. “clear” allows all again."),
        ({"allowed_models": "flux-dev", "default_model": "flux-2-pro"}, "has to be one of the allowed models."),
        ({"default_model": "flux-pro-1.0-fill"}, "FLUX.1 Fill [pro] does not draw from words. Choose one from"),
    ]
    for options, sentence in cases:
        assert sentence in private(await community.olga.slash(community.studio, "admin settings", **options))
    assert len(community.env.errors) == len(cases)
    assert await community.counted("communities") == 0


async def test_everybody_cannot_be_made_a_moderator(community: Community) -> None:
    answer = private(
        await community.olga.slash(community.studio, "admin settings", moderator_role=community.guild.default_role)
    )
    assert answer == "Everybody has that role, so everybody would be a moderator. Choose another."
    assert community.env.errors


async def test_a_members_own_defaults_are_used_shown_and_forgotten(community: Community) -> None:
    reply = private(
        await community.ada.slash(
            community.studio,
            "settings",
            model="flux-kontext-max",
            aspect_ratio="3:2",
            count=2,
            output_format="webp",
            safety_tolerance=1,
            spoiler=True,
        )
    )
    assert reply == (
        "### Your defaults\n**Model:** FLUX.1 Kontext \\[max\\]\n**Aspect ratio:** 3:2\n**Pictures:** 2\n"
        "**File format:** webp\n**Safety tolerance:** 1\n**Spoiler:** yes"
    )
    await community.imagine()
    await community.imagine(community.ben)
    await community.clock.settle()
    *mine, other = sorted(community.bfl.tasks, key=lambda task: task.endpoint)
    assert [(task.endpoint, task.body["aspect_ratio"], task.format) for task in mine] == [
        ("flux-kontext-max", "3:2", "webp")
    ] * 2
    assert (other.endpoint, other.format) == ("flux-pro-1.1-ultra", "jpeg")
    reply = private(await community.ada.slash(community.studio, "settings", reset=True))
    assert reply.count("as usual here") == 6
