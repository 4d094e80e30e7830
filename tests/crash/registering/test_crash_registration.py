"""The bot is killed at every step of a registration, in fair and in foul weather: one token, one announcement, no lie.

Works like tests/crash/drawing/test_crash_drawing.py, with the draft of a registration in each world, a chain and a
pinning service that outlive the bot, a member who submits and a moderator who approves. What must be true afterwards
is in `tests/crash/registering/registry_claims.py`.
"""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from standins.base.faults import Fault, loses_the_answer, waits
from standins.discord.faults import lost_answer
from tests.crash.lives import Zygote, a_zygote
from tests.crash.registering.registry_claims import broken_by_registration, broken_by_withdrawal
from tests.crash.registering.registry_life import (
    APPROVE,
    BLOCK,
    FILES,
    RETRY,
    SUBMIT,
    WITHDRAW,
    Registry,
    Template,
    Wish,
    a_registry,
    make_draft,
)
from tests.crash.trials import IDLE, check_exit_codes, try_out
from tests.scenes.registry import fine

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 20261101
PRESSED = "before POST /api/v10/interactions/*/*/callback #1"
"""Moments before this one are of the bot's start, which tests/crash/drawing/test_crash_drawing.py has."""
PINNING, SIGNING = "before commit of RegistrationJob._move #1", "before commit of RegistrationJob._sign #1"
CONFIRMED = "after commit of RegistrationJob._move #4"
NODE = " POST / #"
"""What the node is asked has names of its own, by its methods."""
LEAVES_A_TRACE = (
    *("commit of Reg", "commit of Decisions", "commit of Journal", "commit of P", "commit of Attempts"),
    *("commit of Sender", "_end", "sendRawTransaction", "POST /v3/files", "POST /api/v10/channels"),
)
OTHERS = 3
"""Of the moments at which something is only asked, read or shown once more, so many of each part are sampled."""

Trial = Callable[[Registry], Awaitable[list[str]]]
Claims = Callable[[Registry], list[str]]
Weather = Callable[[Registry], Awaitable[None]]
"""What befalls the chain and the services, from the beginning of a trial to its end."""


class Office:
    """Makes worlds that begin with the same draft."""

    def __init__(self, folder: Path, zygote: Zygote, draft: Template) -> None:
        self._folder = folder
        self._zygote = zygote
        self._numbers = count()
        self._draft = draft
        self._moments: list[str] = []

    def world(
        self, wishes: Sequence[Wish] = (SUBMIT, APPROVE), *, confirmations: int = 1
    ) -> AbstractAsyncContextManager[Registry]:
        folder = self._folder / str(next(self._numbers))
        return a_registry(folder, self._zygote, self._draft, wishes, confirmations=confirmations)

    async def moments(self) -> list[str]:
        """What happens where nobody disturbs, from the member's press on, by name and in order."""
        if not self._moments:
            async with self.world() as world:
                assert await world.lead() == 0
                assert not broken_by_registration(world)
                reached = [each for each in world.reached() if not IDLE.search(each) and NODE not in each]
                self._moments = reached[reached.index(PRESSED) :]
        return self._moments

    async def kill_between(self, first: str, last: str | None) -> None:
        """A trial for each moment from `first` until `last` that leaves a trace, and for some of the others."""
        moments = await self.moments()
        part = moments[moments.index(first) : moments.index(last) if last else None]
        traces = [each for each in part if any(name in each for name in LEAVES_A_TRACE)]
        others = [each for each in part if each not in traces]
        await try_out({each: kill_at(each) for each in [*traces, *sample_moments(others, OTHERS)]}, self.world)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Office]:
    async with a_zygote() as zygote:
        folder = tmp_path_factory.mktemp("registry")
        yield Office(folder, zygote, await make_draft(folder / "draft", zygote))


def kill_at(*moments: str, weather: Weather | None = None, claims: Claims = broken_by_registration) -> Trial:
    """The bot is killed at each of these moments in turn, then left in peace."""

    async def trial(world: Registry) -> list[str]:
        async with under(weather, world):
            codes = [await world.lead(moment) for moment in moments]
            return [
                *check_exit_codes(codes, -signal.SIGKILL, 0),
                *check_exit_codes([await world.lead()], 0),
                *claims(world),
            ]

    return trial


def stop_at(moment: str) -> Trial:
    """The bot is told to stop as an admin does, then started again."""

    async def trial(world: Registry) -> list[str]:
        codes = [await world.lead(moment, number=signal.SIGTERM), await world.lead()]
        return [*check_exit_codes(codes, 0), *broken_by_registration(world)]

    return trial


# Killed.


async def test_killed_while_it_is_submitted_and_decided(office: Office) -> None:
    await office.kill_between(PRESSED, PINNING)


async def test_killed_while_it_is_pinned(office: Office) -> None:
    await office.kill_between(PINNING, SIGNING)


async def test_killed_while_it_is_signed_and_sent(office: Office) -> None:
    await office.kill_between(SIGNING, CONFIRMED)


async def test_killed_while_it_is_told_and_read_back(office: Office) -> None:
    await office.kill_between(CONFIRMED, None)


async def test_killed_twice_in_a_registration(office: Office) -> None:
    moments = await office.moments()
    chance = random.Random(SEED)
    pairs = [(chance.choice(moments), chance.choice(moments)) for _ in range(5)]
    pairs.append(("before eth_sendRawTransaction of a registration #1", "after commit of Attempts.send #1"))
    await try_out({" and ".join(pair): kill_at(*pair) for pair in pairs}, office.world)


async def test_stopped_in_a_registration_it_goes_on(office: Office) -> None:
    moments = await office.moments()
    named = [each for each in moments if "/v3/files #1" in each or "sendRaw" in each or "_sign" in each]
    await try_out({each: stop_at(each) for each in {*named, *sample_moments(moments, 4)}}, office.world)


# In foul weather.


async def blocks(world: Registry) -> None:
    """They come every two seconds or so, and not with each transaction."""
    while True:
        await asyncio.sleep(BLOCK)
        await world.chain.mine()


async def drop_transaction(world: Registry) -> None:
    """The pool loses the first transaction."""
    await waiting(world)
    await world.chain.drop(next(iter(world.chain.chain.pool)).hash)
    await blocks(world)


async def delay_transaction(world: Registry) -> None:
    """No block takes it for minutes: it is outbid by itself."""
    first = (await waiting(world))[0]
    await world.chain.set_next_block_base_fee(first * 2)
    await world.chain.mine()
    await asyncio.sleep(0.5)
    for _ in range(3):
        await world.chain.set_next_block_base_fee(first * 2)
        await world.chain.mine()
        await asyncio.sleep(0.5)
    await blocks(world)


async def replace_transaction(world: Registry) -> None:
    """Another transaction of the same key takes its place."""
    await waiting(world)
    await world.chain.replace(next(iter(world.chain.chain.pool)).hash)
    await blocks(world)


async def reorganise_chain(world: Registry) -> None:
    """Its block is gone from the chain, and the transaction with it."""
    await waiting(world)
    await world.chain.mine()
    await asyncio.sleep(BLOCK)
    await world.chain.reorg(1)
    await blocks(world)


async def revert_transaction(world: Registry) -> None:
    """The first transaction fails when it is mined."""
    await world.chain.revert_next()


async def lost_answers(world: Registry) -> None:
    """What was asked is done, and nobody is told."""
    world.chain.faults.append(Fault("eth_sendRawTransaction", loses_the_answer()))
    world.pinata.faults.append(Fault("upload", loses_the_answer(), times=2))
    world.discord.faults.append(Fault("message.create", lost_answer(), times=2))


async def waiting(world: Registry) -> list[int]:
    """What the transactions in the pool offer, once there is one."""
    while not (offers := [each.max_fee for each in world.chain.chain.pool]):  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.005)
    return offers


@asynccontextmanager
async def under(weather: Weather | None, world: Registry) -> AsyncGenerator[None]:
    if weather is None:
        yield
        return
    await world.chain.automine(weather in {revert_transaction, lost_answers})
    task = asyncio.ensure_future(weather(world))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    "weather", [drop_transaction, delay_transaction, replace_transaction, reorganise_chain, lost_answers]
)
async def test_killed_in_foul_weather(office: Office, weather: Weather) -> None:
    moments = await office.moments()
    late = [each for each in moments[moments.index(SIGNING) :] if "PATCH" not in each]
    sent = ("before eth_sendRawTransaction of a registration #1", "after commit of Attempts.send #1")
    names = [*sent, *sample_moments(late, 2)]
    trials = {name: kill_at(name, weather=weather) for name in names}
    trials["nobody is killed"] = kill_at(weather=weather)
    await try_out(trials, lambda: office.world(confirmations=3 if weather is reorganise_chain else 1))


async def test_killed_while_a_transaction_reverts_and_is_tried_again(office: Office) -> None:
    moments = await office.moments()
    late = [each for each in moments[moments.index(SIGNING) :] if "PATCH" not in each]
    failed = ["before commit of RegistrationJob._fail #1", "after commit of RegistrationJob._fail #1"]
    retried = ["before commit of Journal._finish failed 0 #1", "before commit of Registrations.retry #1"]
    trials = {name: kill_at(name, weather=revert_transaction) for name in [*failed, *retried, *sample_moments(late, 3)]}
    await try_out(trials, lambda: office.world((SUBMIT, APPROVE, RETRY)))


# Taken back.


async def test_killed_while_a_registration_is_withdrawn(office: Office) -> None:
    """Its member presses while the third file is being pinned."""
    moments = [
        "before commit of Registrations.withdraw #1",
        "after commit of Registrations.withdraw #1",
        "before DELETE /v3/files/public/* #1",
        "after DELETE /v3/files/public/* #2",
        "after commit of PinnedFiles.unpin #1",
        "before commit of PinnedFiles.unpin #3",
        "before commit of Worker._end register #1",
    ]
    trials = {moment: kill_at(moment, weather=slow_pins, claims=broken_by_withdrawal) for moment in moments}
    await try_out(trials, lambda: office.world((SUBMIT, APPROVE, WITHDRAW)))


async def slow_pins(world: Registry) -> None:
    """The third file is answered for only when the member has thought better of it."""

    async def withdrawn() -> None:
        while not (world.has(WITHDRAW) or (world.process and world.process.over)):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(BLOCK)

    world.pinata.faults += [Fault("upload", fine()) for _ in range(FILES - 1)]
    world.pinata.faults.append(Fault("upload", waits(withdrawn), times=20))


def sample_moments(moments: Sequence[str], most: int) -> list[str]:
    return random.Random(SEED).sample(moments, min(most, len(moments)))
