"""Two moderators who press at the same moment, over real sockets, through the whole bot."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from pydantic import AnyHttpUrl, SecretStr

from bot.app import App, assemble
from bot.cards.base.layout import compose, text
from bot.cards.reviewing.queue import walk_card
from bot.command_line.run import live
from bot.config import Settings
from bot.errors import Unavailable
from bot.workflows.reviewing.reminders import Reminder
from bot.workflows.reviewing.types import Standing, Step
from standins.base.faults import Fault
from standins.bfl import BflServer
from standins.discord import Interaction, LocalDiscord, Message, lost_answer, pointed_at
from standins.discord.state import READ_HISTORY, User
from storage.community import communities
from storage.community.communities import Community
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState
from tests.reviewing.test_races import question as asked

TOKEN = "a-token-for-a-local-discord"
PATIENCE = 20.0


@asynccontextmanager
async def alive(folder: Path, discord: LocalDiscord, bfl: str) -> AsyncGenerator[App]:
    """The bot as its process runs it, connected."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr(TOKEN),
        bfl_api_key=SecretStr("sandbox-key"),
        bfl_api_url=AnyHttpUrl(bfl),
        data_dir=folder,
    )
    stopping = asyncio.Event()
    async with assemble(settings, origins=[bfl]) as app:
        life = asyncio.create_task(live(app, stopping, 1.0))
        await discord.ready()
        try:
            yield app
        finally:
            stopping.set()
            await life


async def question(app: App, discord: LocalDiscord) -> tuple[Review, Message]:
    """A new request of the member's, and its card in the review channel."""
    before = len(discord.messages)
    command = await discord.slash(discord.member, discord.channel, "imagine", prompt="a cat", model="flux-dev")
    await command.answered
    await discord.until(lambda: len(discord.messages) == before + 2, "the question", timeout=PATIENCE)
    async with app.database.read() as db:
        (review,) = await reviews.open_ones(db, discord.guild.id, limit=2)
    return review, discord.messages[-1]


def read_replies(pressed: Interaction) -> list[str]:
    """What the presser alone was told."""
    return [message.content for message in pressed.followups]


@asynccontextmanager
async def two_moderators(folder: Path) -> AsyncGenerator[tuple[App, LocalDiscord, BflServer, tuple[User, User]]]:
    """A community where every request is asked about, with two moderators in it."""
    server = BflServer(duration=0.05, picture_size=64)
    async with LocalDiscord(token=TOKEN) as discord, TestServer(server.app()) as bfl:
        mia, max_ = discord.add_user("mia"), discord.add_user("max")
        role = discord.add_role("Moderator", mia, max_)
        with pointed_at(discord.origin):
            async with alive(folder, discord, str(bfl.make_url(""))) as app:
                async with app.database.write() as db:
                    settings = Community(moderator_role_id=role, confirm_above=0, member_pictures=200)
                    await communities.save(db, discord.guild.id, settings, by=1, now=1.0)
                yield app, discord, server, (mia, max_)


async def one_is_late(app: App, discord: LocalDiscord, review: Review, pressed: Sequence[Interaction]) -> Review:
    """Wait until one of them is told that it was too late, and whose the decision is; the decided question."""
    await discord.until(lambda: any(read_replies(each) for each in pressed), "the sentence", timeout=PATIENCE)
    decided = await app.services.reviewing.decisions.find(review.id)
    (late,) = [each for each in pressed if each.user.id != decided.decided_by]
    assert [len(read_replies(each)) for each in pressed] == [int(each is late) for each in pressed]
    assert re.fullmatch(rf"Already {decided.state} by <@{decided.decided_by}> <t:\d+:R>\.", read_replies(late)[0])
    async with app.database.read() as db:
        assert [each.action for each in await audit.about(db, review.id)] == [f"spend {decided.state}"]
    return decided


async def test_forty_races_of_two_moderators_are_forty_decisions_and_forty_sentences(tmp_path: Path) -> None:
    async with two_moderators(tmp_path) as (app, discord, bfl, (mia, max_)):
        winners: list[int | None] = []
        for number in range(40):
            review, card = await question(app, discord)
            approve = f"1:rev:ok:{review.id}:{review.digest[:12]}"
            both = [mia, max_] if number % 2 else [max_, mia]
            decided = await one_is_late(app, discord, review, [discord.send_press(who, card, approve) for who in both])
            assert decided.state is ReviewState.APPROVED
            winners.append(decided.decided_by)
        assert set(winners) == {mia.id, max_.id}
        await discord.until(lambda: len(bfl.tasks) == 40, "the pictures", timeout=PATIENCE)
    assert len(bfl.tasks) == 40


async def test_of_an_approval_and_a_denial_at_once_one_counts(tmp_path: Path) -> None:
    async with two_moderators(tmp_path) as (app, discord, bfl, (mia, max_)):
        approved = 0
        for number in range(12):
            review, card = await question(app, discord)
            subject = f"{review.id}:{review.digest[:12]}"
            form = await (await discord.press(max_, card, f"1:rev:deny:{subject}")).acknowledged
            approval = discord.press(mia, card, f"1:rev:ok:{subject}")
            denial = discord.submit_modal(form, {"reason": "No.", "keep": False})
            pressed = await asyncio.gather(*([denial, approval] if number % 2 else [approval, denial]))
            decided = await one_is_late(app, discord, review, pressed)
            assert decided.decided_by == (mia.id if decided.state is ReviewState.APPROVED else max_.id)
            approved += decided.state is ReviewState.APPROVED
        await discord.until(lambda: len(bfl.tasks) == approved, "the pictures", timeout=PATIENCE)
    assert len(bfl.tasks) == approved


@pytest.mark.parametrize("history", [True, False], ids=["found again", "by its nonce"])
async def test_a_reminder_whose_answer_was_lost_is_posted_once(tmp_path: Path, history: bool) -> None:
    async with two_moderators(tmp_path) as (app, discord, _, _):
        review, _ = await question(app, discord)
        if not history:
            discord.channel.app_permissions &= ~READ_HISTORY
        before = len(discord.messages)
        reminder = Reminder(discord.guild.id, discord.channel.id, review.id, 1, (review,), called=None)
        discord.faults.append(Fault("message.create", lost_answer(503)))
        with pytest.raises(Unavailable):
            await app.services.delivery.remind(reminder)
        await app.services.delivery.remind(reminder)
        await app.services.delivery.remind(reminder)
        assert len(discord.messages) == before + 1
        await app.services.delivery.remind(replace(reminder, number=2))
        assert len(discord.messages) == before + 2


def test_a_card_that_is_full_is_walked_without_the_words_that_its_buttons_say_too() -> None:
    review = asked("q1")
    card = walk_card(compose([text("x" * 3990)]), review, Step(1, 2, Standing("Nobody decides on that."), 0))
    assert card.view.content_length() == 3990
    card = walk_card(compose([text("x")]), review, Step(1, 2, Standing("Nobody decides."), 0))
    assert "cannot decide this one" in str(card.view.to_components())
