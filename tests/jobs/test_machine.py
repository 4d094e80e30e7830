"""Jobs on a machine that lacks something: nothing that is paid for is given up, and nothing is ordered without room."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

import storage.database
from bot.errors import Lacking, MachineTrouble, Refused, Unavailable
from bot.jobs import machine as machines
from bot.jobs.journal import LAST_TRIES, Journal
from bot.jobs.machine import QUIET, Machine
from bot.jobs.worker import Later, Outcome
from storage.base import steps
from storage.base.jobs import Job, State
from storage.database import open_database
from tests.scenes.clock import TurnedClock
from tests.scenes.disk import full_disk, held_database
from tests.scenes.workbench import Bench, Receipt, receipt

LONG = 700.0
"""Seconds: longer than the bench's recipe is patient."""


@pytest.fixture
async def hasty(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Bench]:
    """A bench whose database waits 20 ms for another program, where the bot's waits 10 s."""
    monkeypatch.setattr(storage.database, "BUSY", 20)
    await bench.database.close()
    bench.database = await open_database(bench.folder / "bot.db")
    bench.worker = bench.new_worker()
    yield bench
    await bench.stop()
    await bench.database.close()


def watched(bench: Bench, *, margin: int = 0) -> Machine:
    """The machine of the bench."""
    made = Machine(folder=bench.folder, margin=margin, clock=bench.clock, alarm=bench.alarm)
    bench.machine = made
    bench.worker = bench.new_worker()
    return made


class Orders:
    """A recipe that pays and then keeps something; `keep` is done after the payment."""

    def __init__(self, keep: Callable[[], None] = lambda: None, pay: Callable[[], None] = lambda: None) -> None:
        self.placed: list[str] = []
        self._keep = keep
        self._pay = pay

    async def run(self, job: Job, step: Journal) -> Outcome:
        async def order() -> Receipt:
            self.placed.append(job.id)
            self._pay()
            return Receipt(number=3)

        async def keep() -> Receipt:
            self._keep()
            return await receipt(1)

        paid = await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        await step("kept", Receipt, keep)
        return Outcome(cost=paid.number)


async def test_a_full_disk_after_the_payment_is_waited_for_however_long_it_takes(bench: Bench) -> None:
    watched(bench)
    full = [True]

    def keep() -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")

    orders = Orders(keep)
    bench.run = orders.run
    await bench.start()
    for name in ("a", "b"):
        await bench.add(name)
    await bench.clock.turn(LONG)
    waiting = await bench.job("a")
    assert (waiting.state, waiting.error) == (State.WAITING, "The disk of the bot's machine is full.")

    full.clear()
    await bench.clock.turn(60)

    ended = [await bench.job(name) for name in ("a", "b")]
    assert [(each.state, each.cost_actual) for each in ended] == [(State.DONE, 3)] * 2
    assert sorted(orders.placed) == ["a", "b"]
    assert len(bench.alarms) == 1, "not one for each job"
    assert str(bench.folder) in bench.alarms[0]
    assert "room on the disk" in bench.alarms[0]


async def test_a_program_that_holds_the_database_just_after_the_payment_loses_no_receipt(hasty: Bench) -> None:
    bench = hasty
    watched(bench)
    held = held_database(bench.folder / "bot.db")
    orders = Orders(pay=held.__enter__)
    bench.run = orders.run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(40)
    assert (await bench.job("a")).state is State.RUNNING

    held.__exit__(None, None, None)
    await bench.clock.turn(60)

    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual, orders.placed) == (State.DONE, 3, ["a"])
    assert len(bench.alarms) == 1


async def test_a_disk_that_is_full_just_after_the_payment_loses_no_receipt(bench: Bench) -> None:
    watched(bench)
    full = full_disk()
    orders = Orders(pay=full.__enter__)
    bench.run = orders.run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(LONG)

    full.__exit__(None, None, None)
    await bench.clock.turn(200)

    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual, orders.placed) == (State.DONE, 3, ["a"])


@pytest.mark.parametrize("refusal", [Refused("No."), Unavailable("Busy.")])
async def test_an_order_that_was_refused_while_the_database_was_held_was_not_paid_for(
    hasty: Bench, refusal: Exception
) -> None:
    bench = hasty
    watched(bench)
    held = held_database(bench.folder / "bot.db")
    refusals = [refusal]

    def refuse() -> None:
        if refusals:
            held.__enter__()
            raise refusals.pop()

    bench.run = Orders(pay=refuse).run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(20)
    held.__exit__(None, None, None)
    await bench.clock.turn(200)

    ended = await bench.job("a")
    expected = (State.FAILED, 0) if isinstance(refusal, Refused) else (State.DONE, 3)
    assert (ended.state, ended.cost_actual) == expected


async def test_trouble_before_the_request_leaves_is_no_unclear_payment(bench: Bench) -> None:
    watched(bench)
    failures = [MachineTrouble("Too many files.", lacking=Lacking.FILES)]

    def read_inputs() -> None:
        if failures:
            raise failures.pop()

    bench.run = Orders(pay=read_inputs).run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(60)
    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual) == (State.DONE, 3)


async def test_a_bug_after_the_payment_is_tried_again_and_told_once(bench: Bench) -> None:
    bugs: list[Exception] = [KeyError("one"), KeyError("two"), KeyError("three")]

    def keep() -> None:
        if bugs:
            raise bugs.pop()

    orders = Orders(keep)
    bench.run = orders.run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(100)
    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual, orders.placed) == (State.DONE, 3, ["a"])
    assert len(bench.alarms) == 1


async def test_a_bug_after_the_payment_that_stays_leaves_the_outcome_unknown(bench: Bench) -> None:
    def keep() -> None:
        raise KeyError("for ever")

    orders = Orders(keep)
    bench.run = orders.run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(1000)
    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual, orders.placed) == (State.UNKNOWN, None, ["a"])


async def test_trouble_of_this_machine_uses_up_no_patience(bench: Bench) -> None:
    """What is outside is busy when the trouble is over, and gets as long as if there had been none."""
    watched(bench)
    failures: list[Exception] = [MachineTrouble("The disk is full.", lacking=Lacking.ROOM)]
    began = bench.clock.monotonic()

    def ask() -> None:
        if bench.clock.monotonic() < began + 2 * LONG:
            raise failures[0]
        if len(failures) < 4:
            failures.append(Unavailable("BFL is busy."))
            raise failures[-1]

    orders = Orders(pay=ask)
    bench.run = orders.run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(3 * LONG)
    ended = await bench.job("a")
    assert (ended.state, ended.error) == (State.DONE, None)


async def test_a_bug_of_a_request_whose_pictures_are_paid_for_is_tried_again(bench: Bench) -> None:
    bugs = [KeyError("one"), KeyError("two")]
    orders = Orders()

    async def run(job: Job, step: Journal) -> Outcome:
        if job.parent_id:
            return await orders.run(job, step)
        if bugs and "part" in orders.placed:
            raise bugs.pop()
        if "part" not in orders.placed:
            raise Later(5)
        return Outcome(State.DONE, 0)

    bench.run = run
    await bench.start()
    await bench.add("whole")
    await bench.add("part", parent="whole")
    await bench.clock.turn(200)
    assert (await bench.job("whole")).state is State.DONE
    assert len(bench.alarms) == 1


async def test_nothing_is_ordered_below_the_margin_and_all_of_it_when_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(bench, margin=200_000_000)
    free = [100_000_000]

    def look(_: Path) -> int:
        return free[0]

    monkeypatch.setattr(machines, "free_bytes", look)
    orders = Orders()
    bench.run = orders.run
    await bench.start()
    for name in ("a", "b", "c"):
        await bench.add(name)
    await bench.clock.turn(LONG)
    assert orders.placed == []
    waiting = await bench.job("a")
    assert waiting.state is State.WAITING
    assert waiting.error
    assert "100 MB are free, and 200 MB have to be" in waiting.error
    assert len(bench.alarms) == 1

    free[0] = 300_000_000
    await bench.clock.turn(300)
    assert sorted(orders.placed) == ["a", "b", "c"]


async def test_after_a_full_disk_nothing_is_ordered_before_it_takes_something_again(bench: Bench) -> None:
    """As with a quota, which the free space does not show."""
    machine = watched(bench)
    await machine.note(MachineTrouble("Full.", lacking=Lacking.ROOM))
    with full_disk(), pytest.raises(MachineTrouble, match="full"):
        await machine.check_room()
    await machine.check_room()


async def test_the_admin_is_told_again_of_a_trouble_that_had_ended(tmp_path: Path) -> None:
    clock, alarms = TurnedClock(), list[str]()

    async def alarm(sentence: str) -> None:
        alarms.append(sentence)

    machine = Machine(folder=tmp_path, margin=0, clock=clock, alarm=alarm)
    for _ in range(20):
        await machine.note(MachineTrouble("Full.", lacking=Lacking.ROOM))
        await clock.turn(QUIET / 10)
    assert len(alarms) == 1
    await machine.note(MachineTrouble("Held.", lacking=Lacking.DATABASE))
    assert len(alarms) == 2
    await clock.turn(QUIET)
    await machine.note(MachineTrouble("Full.", lacking=Lacking.ROOM))
    assert len(alarms) == 3


async def test_the_admin_is_told_once_discord_takes_it(tmp_path: Path) -> None:
    clock, takes, alarms = TurnedClock(), [False, False, True], list[str]()

    async def alarm(sentence: str) -> bool:
        alarms.append(sentence)
        return takes[len(alarms) - 1]

    machine = Machine(folder=tmp_path, margin=0, clock=clock, alarm=alarm)
    for _ in range(10):
        await machine.note(MachineTrouble("Full.", lacking=Lacking.ROOM))
    assert len(alarms) == 3


async def test_a_drain_on_a_full_disk_ends(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    watched(bench)
    full = full_disk()
    bench.run = Orders(pay=full.__enter__).run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(30)
    drain = asyncio.create_task(bench.worker.drain())
    for _ in range(20):
        await bench.clock.turn(LAST_TRIES / 5)
        await asyncio.sleep(0.01)
    await asyncio.wait_for(drain, 10)
    full.__exit__(None, None, None)
    assert '{"number":3}' in caplog.text, "the log is all that is left of the receipt"


async def test_a_drain_waits_for_a_receipt_that_can_be_written_in_time(bench: Bench) -> None:
    watched(bench)
    full = full_disk()
    bench.run = Orders(pay=full.__enter__).run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(30)
    drain = asyncio.create_task(bench.worker.drain())
    await asyncio.sleep(0.01)
    full.__exit__(None, None, None)
    for _ in range(20):
        await bench.clock.turn(LAST_TRIES / 5)
        await asyncio.sleep(0.01)
    await asyncio.wait_for(drain, 10)
    async with bench.database.read() as db:
        step = await steps.find(db, job_id="a", name="ordered")
    assert step
    assert step.result == '{"number":3}'


async def test_the_probe_leaves_nothing_on_the_disk(bench: Bench) -> None:
    machine = watched(bench)
    await machine.note(MachineTrouble("Full.", lacking=Lacking.ROOM))
    before = sorted(os.listdir(bench.folder))  # noqa: PTH208
    await machine.check_room()
    assert sorted(os.listdir(bench.folder)) == before  # noqa: PTH208
