"""Moderators are reminded of what waits: in time, once, only as long as it waits, and whatever happens to the bot."""

from dataclasses import replace
from typing import Any

import discord
import pytest
from sqlalchemy.exc import OperationalError

from bot.workflows.base.types import REVIEW_LIFE
from bot.workflows.reviewing.reminders import Reminders
from bot.workflows.reviewing.types import Moderator
from bot.workflows.reviewing.verbs import CLAIM
from storage.base import notes
from storage.reviewing import reviews
from storage.reviewing.reviews import Review
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, private, text_of

HOUR = 3600.0
LOOK = 61.0
"""Seconds within which the bot looks again."""


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A community where every request is asked about."""
    community = await make_community()
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    return community


async def ask_moderators(community: Community, prompt: str = "a lighthouse") -> discord.Message:
    await community.imagine(prompt=prompt)
    await community.clock.settle()
    return community.review.history()[-1]


async def after(community: Community, seconds: float) -> None:
    """So much later, and the bot has looked."""
    await community.clock.leap(seconds)
    await community.pass_time(LOOK)


def reminders(community: Community) -> list[discord.Message]:
    return [message for message in community.review.history() if buttons_of(message).keys() == {"Review"}]


def read_mentions(community: Community, message: discord.Message) -> tuple[bool, set[int], set[int]]:
    """What Discord was told that the message may notify: everybody, users, roles. None would be all of them."""
    policy = community.env.backend.get_message(message.channel.id, message.id).allowed_mentions
    assert policy
    assert policy.users is not None
    assert policy.roles is not None
    return policy.everyone, set(policy.users), set(policy.roles)


async def test_the_first_reminder_comes_after_four_hours_and_notifies_nobody(community: Community) -> None:
    question = await ask_moderators(community)
    await after(community, 4 * HOUR - 2 * LOOK)
    assert reminders(community) == []
    await after(community, LOOK)
    (reminder,) = reminders(community)
    text = text_of(reminder)
    assert text.startswith("1 request waits for a moderator.\n")
    assert f"[Pictures]({question.jump_url}) of <@{community.ada.id}>" in text
    assert f"<@&{community.role.id}>" not in text
    assert read_mentions(community, reminder) == (False, set(), set())
    await after(community, 19 * HOUR)
    assert len(reminders(community)) == 1


async def test_the_second_calls_the_moderators_and_nobody_else_a_day_after_the_request(community: Community) -> None:
    await ask_moderators(community)
    await after(community, 4 * HOUR)
    await after(community, 20 * HOUR)
    _, second = reminders(community)
    assert text_of(second).startswith(f"<@&{community.role.id}>: 1 request waits for a moderator.")
    assert read_mentions(community, second) == (False, set(), {community.role.id})


async def test_without_a_moderators_role_nobody_is_called(community: Community) -> None:
    await community.decide(moderator_role_id=None)
    await ask_moderators(community)
    await after(community, 4 * HOUR)
    await after(community, 20 * HOUR)
    _, second = reminders(community)
    assert text_of(second).startswith("1 request waits for a moderator.")
    assert read_mentions(community, second) == (False, set(), set())


async def test_later_all_of_a_channel_share_one_line_a_day(community: Community) -> None:
    for hours in (0, 3, 2):
        await after(community, hours * HOUR)
        await ask_moderators(community)
    for _ in range(35):
        await after(community, HOUR)
    before = len(reminders(community))
    daily: list[str] = []
    for _ in range(48):
        await after(community, HOUR)
        daily += [text_of(each) for each in reminders(community)[before:]]
        before = len(reminders(community))
    assert len(daily) == 2
    assert all(text.startswith("3 requests still wait for a moderator, the oldest since <t:") for text in daily)
    assert read_mentions(community, reminders(community)[-1]) == (False, set(), set())


async def test_those_that_are_due_together_share_a_message(community: Community) -> None:
    for prompt in ("first", "second", "third"):
        await ask_moderators(community, prompt)
    await after(community, 4 * HOUR)
    (reminder,) = reminders(community)
    assert text_of(reminder).startswith("3 requests wait for a moderator.")
    assert text_of(reminder).count("[Pictures](") == 3


@pytest.mark.parametrize("how", ["approved", "withdrawn", "expired"])
async def test_what_is_decided_is_not_reminded_of_again(community: Community, how: str) -> None:
    question = await ask_moderators(community)
    await after(community, 4 * HOUR)
    match how:
        case "approved":
            await community.mia.click(question, label="Approve")
            await community.pass_time(30)
        case "withdrawn":
            await community.ada.click(community.card, label="Cancel")
            await community.pass_time(5)
        case _:
            await after(community, REVIEW_LIFE)
    count = len(reminders(community))
    for _ in range(3):
        await after(community, 24 * HOUR)
    assert len(reminders(community)) == count


async def test_while_a_moderator_holds_it_nobody_is_reminded(community: Community) -> None:
    question = await ask_moderators(community)
    await community.clock.leap(4 * HOUR - 2 * LOOK)
    await community.mia.click(question, label="Claim")
    await after(community, CLAIM - 3 * LOOK)
    assert reminders(community) == []
    await after(community, 3 * LOOK)
    assert len(reminders(community)) == 1


async def test_while_the_member_is_asked_nobody_is_reminded(community: Community) -> None:
    await ask_moderators(community)
    (review,) = await waiting(community)
    mia = Moderator(community.mia.id, frozenset({community.role.id}), administrator=False, guild_id=community.guild.id)
    await community.app.services.reviewing.decisions.ask(review.id, mia, "Which lighthouse?")
    await after(community, 6 * HOUR)
    assert reminders(community) == []
    await community.app.services.reviewing.decisions.answer(review.id, community.ada.id, "The one at Cape Hatteras.")
    await after(community, 0)
    assert len(reminders(community)) == 1


async def waiting(community: Community) -> list[Review]:
    async with community.app.database.read() as db:
        return await reviews.open_ones(db, community.guild.id, limit=10)


async def test_a_restart_loses_no_reminder_and_repeats_none(community: Community) -> None:
    await ask_moderators(community)
    await after(community, 4 * HOUR)
    await community.restart()
    await after(community, 0)
    assert len(reminders(community)) == 1
    await community.clock.leap(20 * HOUR - 3 * LOOK)
    await community.restart()
    assert len(reminders(community)) == 1
    await after(community, 3 * LOOK)
    assert len(reminders(community)) == 2


async def test_what_came_due_while_the_bot_was_away_is_said_once(community: Community) -> None:
    await ask_moderators(community)
    await community.stop()
    community.clock._now += 3 * 24 * HOUR  # pyright: ignore[reportPrivateUsage] - nobody of it is there to wake
    await community.begin_work()
    await after(community, 0)
    assert len(reminders(community)) == 1


async def test_a_crash_between_the_post_and_its_note_posts_nothing_twice(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask_moderators(community)
    crashes: list[Any] = []

    async def crash(*arguments: Any) -> None:
        crashes.append(arguments)
        raise OperationalError("COMMIT", {}, OSError("power cut"))

    with monkeypatch.context() as patched:
        patched.setattr(Reminders, "_done", crash)
        await after(community, 4 * HOUR)
    assert len(crashes) >= 1
    assert len(reminders(community)) == 1
    await community.restart()
    await after(community, 600)
    assert len(reminders(community)) == 1
    async with community.app.database.read() as db:
        assert await notes.beginning_with(db, "reminder ") == {}
    (review,) = await waiting(community)
    assert review.reminders == 1


async def test_a_crash_before_the_post_is_made_up_for(community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    await ask_moderators(community)

    async def crash(*_arguments: Any) -> None:
        raise OperationalError("BEGIN", {}, OSError("power cut"))

    with monkeypatch.context() as patched:
        patched.setattr(Reminders, "_post", crash)
        await after(community, 4 * HOUR)
    await community.restart()
    await after(community, 0)
    assert len(reminders(community)) == 1


async def test_what_was_decided_before_a_crash_was_made_up_for_is_not_reminded_of(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await ask_moderators(community)

    async def crash(*_arguments: Any) -> None:
        raise OperationalError("BEGIN", {}, OSError("power cut"))

    with monkeypatch.context() as patched:
        patched.setattr(Reminders, "_post", crash)
        await after(community, 4 * HOUR)
        await community.mia.click(question, label="Approve")
    await community.pass_time(120)
    assert reminders(community) == []
    async with community.app.database.read() as db:
        assert await notes.beginning_with(db, "reminder ") == {}


async def test_while_discord_does_not_answer_the_reminder_waits(community: Community) -> None:
    await ask_moderators(community)
    community.env.inject_error("POST", "/channels/*/messages", status=503, times=3)
    await after(community, 4 * HOUR)
    for _ in range(5):
        await after(community, 0)
    assert len(reminders(community)) == 1


async def test_where_the_review_channel_is_gone_the_reminder_stands_beside_the_card(community: Community) -> None:
    await community.decide(review_channel_id=None)
    await community.imagine()
    await community.clock.settle()
    await community.decide(review_channel_id=12345)
    await after(community, 4 * HOUR)
    assert text_of(community.cards[-1]).startswith("1 request waits for a moderator.")


async def test_where_nothing_can_be_posted_the_next_reminder_is_tried_in_its_time(community: Community) -> None:
    await ask_moderators(community)
    community.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await after(community, 4 * HOUR)
    (review,) = await waiting(community)
    assert review.reminders == 1


async def test_the_reminders_button_opens_the_queue_for_moderators_only(community: Community) -> None:
    question = await ask_moderators(community)
    await ask_moderators(community, "another one")
    await after(community, 4 * HOUR)
    (reminder,) = reminders(community)
    assert "Only this server's moderators" in private(await community.ben.click(reminder, label="Review"))
    await community.restart()
    opened = await community.mia.click(reminder, label="Review")
    assert opened.ephemeral
    assert opened.response
    assert "> a lighthouse" in text_of(opened.response.message)
    await community.mia.click(question, label="Approve")
    await community.pass_time(20)
    opened = await community.mia.click(reminder, label="Review")
    assert opened.response
    assert "> another one" in text_of(opened.response.message)


async def test_the_doctor_says_when_discord_would_not_notify_the_role(community: Community) -> None:
    client = community.app.client
    client.services = replace(client.services, admin_user_ids=frozenset({community.olga.id}))
    guild = client.get_guild(community.guild.id)
    assert guild
    role = guild.get_role(community.role.id)
    assert role
    warned = [private(await community.olga.slash(community.studio, "admin doctor"))]
    await role.edit(mentionable=True)
    warned.append(private(await community.olga.slash(community.studio, "admin doctor")))
    sentence = f"Reminders cannot notify <@&{community.role.id}>"
    granted = guild.me.guild_permissions.mention_everyone
    assert [sentence in text for text in warned] == [not granted, False]
