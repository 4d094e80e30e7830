"""The bot is killed at every step of a training: it is ordered once, paid once, told once, and lost never.

Works like tests/crash/drawing/test_crash_drawing.py, with a draft of two pictures in each world. What must be true
afterwards is in `tests/crash/finetuning/kiln_claims.py`.
"""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from standins.base.faults import Fault, Handler
from standins.discord import failing, held
from storage.finetuning.finetunes import FinetuneState
from tests.crash.finetuning.kiln_claims import (
    FULL,
    Claims,
    broken_by_add,
    broken_by_deletion,
    broken_by_removal,
    broken_by_start,
)
from tests.crash.finetuning.kiln_life import (
    ADD,
    DELETE,
    DISCARD,
    REMOVE,
    START,
    START_AGAIN,
    TRAINING_TIME,
    Kiln,
    Template,
    Wish,
    a_kiln,
    make_draft,
)
from tests.crash.lives import Zygote, a_zygote
from tests.crash.trials import IDLE, check_exit_codes, try_out

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 20260801
PRESSED = "before POST /api/v10/interactions/*/*/callback #1"
"""Moments before this one are of the bot's start, which tests/crash/drawing/test_crash_drawing.py has."""
NEWS = "before POST /api/v10/channels/*/messages #1"
"""The owner is about to be told by name."""

Trial = Callable[[Kiln], Awaitable[list[str]]]


class Pottery:
    """Makes worlds that begin with the same finetune."""

    def __init__(self, folder: Path, zygote: Zygote, draft: Template) -> None:
        self._folder = folder
        self._zygote = zygote
        self._numbers = count()
        self.draft = draft

    def kiln(self, wanted: Wish, template: Template | None = None) -> AbstractAsyncContextManager[Kiln]:
        return a_kiln(self._folder / str(next(self._numbers)), self._zygote, template or self.draft, wanted)

    async def moments(
        self, wanted: Wish, claims: Claims, template: Template | None = None
    ) -> tuple[list[str], Template]:
        """What happens where nobody disturbs, from the owner's press on, by name and in order; and how it ends."""
        async with self.kiln(wanted, template) as kiln:
            assert await kiln.lead() == 0
            assert not claims(kiln)
            reached = [each for each in kiln.reached() if not IDLE.search(each)]
            return reached[reached.index(PRESSED) :], Template(kiln.folder, kiln.epoch, tuple(kiln.posts))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pottery(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Pottery]:
    async with a_zygote() as zygote:
        folder = tmp_path_factory.mktemp("kiln")
        yield Pottery(folder, zygote, await make_draft(folder / "draft", zygote))


def kill_at(claims: Claims, *moments: str) -> Trial:
    """The bot is killed at each of these moments in turn, then left in peace."""

    async def trial(kiln: Kiln) -> list[str]:
        codes = [await kiln.lead(moment) for moment in moments]
        return [*check_exit_codes(codes, -signal.SIGKILL, 0), *check_exit_codes([await kiln.lead()], 0), *claims(kiln)]

    return trial


def stop_at(moment: str) -> Trial:
    """The bot is told to stop as an admin does, then started again."""

    async def trial(kiln: Kiln) -> list[str]:
        codes = [await kiln.lead(moment, number=signal.SIGTERM)]
        unsure = [f"{each} was left half paid" for each in kiln.half_paid]
        return [*check_exit_codes(codes, 0), *unsure, *check_exit_codes([await kiln.lead()], 0), *broken_by_start(kiln)]

    return trial


# Trained.


async def test_killed_at_any_moment_of_a_training(pottery: Pottery) -> None:
    moments, _ = await pottery.moments(START, broken_by_start)
    await try_out({moment: kill_at(broken_by_start, moment) for moment in moments}, lambda: pottery.kiln(START))


async def test_killed_twice_in_a_training(pottery: Pottery) -> None:
    moments, _ = await pottery.moments(START, broken_by_start)
    chance = random.Random(SEED)
    pairs = [(chance.choice(moments), chance.choice(moments)) for _ in range(5)]
    pairs.append(("before POST /v1/finetune #1", NEWS))
    trials = {" and ".join(pair): kill_at(broken_by_start, *pair) for pair in pairs}
    await try_out(trials, lambda: pottery.kiln(START))


async def test_stopped_in_a_training_it_leaves_nothing_unsure(pottery: Pottery) -> None:
    moments, _ = await pottery.moments(START, broken_by_start)
    chosen = [each for each in moments if "_pay" in each or "POST /v1" in each]
    trials = {each: stop_at(each) for each in {*chosen, *sample_moments(moments, 3)}}
    await try_out(trials, lambda: pottery.kiln(START))


async def test_what_is_unknown_is_told_by_name_though_its_card_says_it_already(pottery: Pottery) -> None:
    """The buttons of both are alike; and Discord takes the message only when the card has been edited."""
    async with pottery.kiln(START) as kiln:
        assert await kiln.lead("before POST /v1/finetune #1") == -signal.SIGKILL
        kiln.discord.faults.append(Fault("message.create", failing(503)))
        assert await kiln.lead() == 0
        assert not broken_by_start(kiln)


async def test_each_failure_is_told(pottery: Pottery) -> None:
    async with pottery.kiln(START) as kiln:

        async def fails(request: web.Request, handler: Handler) -> web.StreamResponse:
            answer = await handler(request)
            kiln.bfl.end(kiln.trainings[-1], "Error", after=TRAINING_TIME)
            return answer

        kiln.bfl.faults.append(Fault("train", fails, times=2))
        assert await kiln.lead(NEWS) == -signal.SIGKILL
        assert await kiln.lead() == 0
        kiln.wishes(START_AGAIN)
        assert await kiln.lead(NEWS) == -signal.SIGKILL
        assert await kiln.lead() == 0
        assert len(kiln.news) == 2
        assert kiln.bfl.credits == FULL
        assert [line["amount"] for line in kiln.tables.ledger if line["entry"] == "charge"] == [0, 0]


async def test_a_card_whose_last_edit_died_with_the_bot_is_edited_after_all(pottery: Pottery) -> None:
    async with pottery.kiln(START) as kiln:
        never = asyncio.Event()
        kiln.discord.faults.append(Fault("message.edit", held(never, before=True)))
        assert await kiln.lead("after commit of Worker._run_once finetune #1") == -signal.SIGKILL
        assert await kiln.lead() == 0
        complaints = broken_by_start(kiln)
        never.set()
        assert not complaints


# Put together.


async def test_killed_while_pictures_are_added(pottery: Pottery) -> None:
    """The set has all of them or none, and its card says so."""
    moments, _ = await pottery.moments(ADD, broken_by_add)
    kept = moments.index("before commit of TrainingDrafts.add #1")
    chosen = {*sample_moments(moments[:kept], 4), *sample_moments(moments[kept:], 4), *commits(moments[kept:])}
    await try_out({each: kill_at(broken_by_add, each) for each in chosen}, lambda: pottery.kiln(ADD))


async def test_killed_while_a_picture_is_removed(pottery: Pottery) -> None:
    moments, _ = await pottery.moments(REMOVE, broken_by_removal)
    kept = moments.index("before commit of TrainingDrafts.remove #1")
    chosen = {*sample_moments(moments[kept:], 4), *commits(moments[kept:])}
    await try_out({each: kill_at(broken_by_removal, each) for each in chosen}, lambda: pottery.kiln(REMOVE))


async def test_a_removal_that_was_not_committed_has_lost_no_file(pottery: Pottery) -> None:
    async with pottery.kiln(REMOVE) as kiln:
        assert await kiln.lead("before commit of TrainingDrafts.remove #1") == -signal.SIGKILL
        assert {picture["sha256"] for picture in kiln.tables.training_images} <= set(kiln.files)


async def test_pictures_that_were_being_taken_in_are_not_left_on_the_machine(pottery: Pottery) -> None:
    async with pottery.kiln(ADD) as kiln:
        assert await kiln.lead("after fsync #1") == -signal.SIGKILL
        assert await kiln.lead() == 0
        assert not kiln.temporary_files


async def test_what_a_start_had_packed_goes_with_the_draft(pottery: Pottery) -> None:
    """The bot died before any row named the archive, and its owner thinks better of it."""
    async with pottery.kiln(START) as kiln:
        assert await kiln.lead("before commit of TrainingStarts.start #1") == -signal.SIGKILL
        kiln.wishes(DISCARD)
        assert await kiln.lead() == 0
        assert kiln.finetune["state"] == FinetuneState.DELETED
        assert not kiln.files


# Deleted.


async def test_killed_while_a_finetune_is_deleted(pottery: Pottery) -> None:
    _, ready = await pottery.moments(START, broken_by_start)
    moments, _ = await pottery.moments(DELETE, broken_by_deletion, ready)
    deleted = moments.index("before commit of Finetunes.delete #1")
    chosen = [*sample_moments(moments[:deleted], 2), *sample_moments(moments[deleted:], 12)]
    trials = {each: kill_at(broken_by_deletion, each) for each in chosen}
    await try_out(trials, lambda: pottery.kiln(DELETE, ready))


def commits(moments: Sequence[str]) -> list[str]:
    return [each for each in moments if "commit of Trainings" in each or "commit of Sheets" in each]


def sample_moments(moments: Sequence[str], most: int) -> list[str]:
    return random.Random(SEED).sample(moments, min(most, len(moments)))
