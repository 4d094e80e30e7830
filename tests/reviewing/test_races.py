"""Moderators who decide at the same moment: one decides, the others are told who and when; it is written down once."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.workflows.base.work import UnitOfWork
from bot.workflows.reviewing.types import Moderator, QuestionRules
from bot.workflows.reviewing.verbs import Decisions
from storage import database
from storage.base import notes
from storage.community.communities import Community, save
from storage.database import Database, rows
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState
from tests.scenes.workbench import Bench

GUILD, ROLE = 1, 7
DIGEST = "d" * 64


def question(name: str, *, kind: str = "register", by: int = 99) -> Review:
    return Review(
        id=name,
        kind=kind,
        state=ReviewState.OPEN,
        guild_id=GUILD,
        channel_id=5,
        message_id=6,
        requested_by=by,
        subject=name,
        digest=DIGEST,
        created_at=1_800_000_000.0,
        expires_at=1_900_000_000.0,
    )


def moderator(number: int) -> Moderator:
    return Moderator(number, frozenset({ROLE}), administrator=False, guild_id=GUILD)


async def carry_out(tx: UnitOfWork, review: Review) -> None:
    """What follows from a decision, in its transaction: here, how often it did and who decided."""
    before = await notes.find(tx.db, f"carried out {review.id}")
    await notes.save(tx.db, f"carried out {review.id}", f"{before or ''}{review.state} by {review.decided_by};")


@pytest.fixture
async def both(bench: Bench, tmp_path: Path) -> AsyncGenerator[list[Decisions]]:
    """Two queues on one file, each with connections of its own: nothing but the database keeps them apart."""
    engine = database._engine(tmp_path / "bot.db")  # pyright: ignore[reportPrivateUsage]
    async with bench.database.write() as db:
        await save(db, GUILD, Community(moderator_role_id=ROLE), by=1, now=1.0)
    second = Database(engine)
    yield [
        Decisions(bench.kit(each), rules={"register": QuestionRules(carry_out)}) for each in (bench.database, second)
    ]
    await second.close()


async def race(both: Sequence[Decisions], review_id: str, racers: Sequence[int]) -> list[str | None]:
    """What each is told; None who decided. The first of them denies, the others approve."""

    async def decide(who: int, decisions: Decisions) -> str | None:
        try:
            await decisions.decide(
                review_id, moderator(who), approve=who != racers[0], digest=DIGEST[:12], reason="Not this one."
            )
        except Refused as error:
            return str(error)
        return None

    return await asyncio.gather(*(decide(who, both[place % 2]) for place, who in enumerate(racers)))


@pytest.mark.parametrize(("races", "racers"), [(1000, 2), (60, 5)])
async def test_of_moderators_at_once_exactly_one_decides(
    bench: Bench, both: list[Decisions], races: int, racers: int, tmp_path: Path
) -> None:
    async with bench.database.write() as db:
        for number in range(races):
            await reviews.add(db, question(f"q{number}"))
    now = f"{bench.clock.now():.0f}"
    winners: set[int] = set()
    for number in range(races):
        order = [11 + (number + place) % racers for place in range(racers)]
        sentences = await race(both if number % 4 < 2 else both[::-1], f"q{number}", order)

        review = await both[0].find(f"q{number}")
        (winner,) = [who for who, sentence in zip(order, sentences, strict=True) if sentence is None]
        assert review.decided_by == winner
        assert review.state is (ReviewState.DENIED if winner == order[0] else ReviewState.APPROVED)
        late = {sentence for sentence in sentences if sentence is not None}
        assert late == {f"Already {review.state} by <@{winner}> <t:{now}:R>."}
        winners.add(winner)

    assert winners == set(range(11, 11 + racers)), "each of them wins now and then, or nobody raced"
    async with bench.database.read() as db:
        written = await rows(db, "SELECT subject, action, actor_id, seen FROM audit", {})
        carried = await notes.beginning_with(db, "carried out ")
    decided = {each.id: each for each in [await both[0].find(f"q{number}") for number in range(races)]}
    assert len(written) == len(carried) == races
    for entry in written:
        review = decided[entry["subject"]]
        assert (entry["action"], entry["actor_id"], entry["seen"]) == (
            f"register {review.state}",
            review.decided_by,
            DIGEST,
        )
        assert carried[f"carried out {review.id}"] == f"{review.state} by {review.decided_by};"
    with contextlib.closing(sqlite3.connect(tmp_path / "bot.db")) as file:
        assert audit.verify(file).faults == ()
