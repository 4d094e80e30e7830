"""A worker ends every job, whatever its recipe ends with."""

import logging

import pytest

from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome
from storage.base import queue
from storage.base.jobs import Job, State
from tests.scenes.workbench import Bench


@pytest.mark.parametrize("cost", [10**304, 2**63, 10**13, -1])
async def test_a_cost_that_cannot_be_is_not_known(bench: Bench, cost: int) -> None:
    async def run(_job: Job, _step: Journal) -> Outcome:
        return Outcome(cost=cost)

    bench.run = run
    await bench.start()
    await bench.add("a")
    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual, ended.holds_slot) == (State.DONE, None, False)
    assert len(bench.alarms) == 1


async def test_what_cannot_be_stored_ends_as_unknown(bench: Bench) -> None:
    async def run(_job: Job, _step: Journal) -> Outcome:
        return Outcome(State.FAILED, 0, "half of a letter: \ud800")

    bench.run = run
    await bench.start()
    await bench.add("a")
    ended = await bench.job("a")
    assert (ended.state, ended.holds_slot) == (State.UNKNOWN, False)
    assert len(bench.alarms) == 1


async def test_a_job_that_cannot_be_written_back_for_an_hour_does_not_fill_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def end(*_: object, **__: object) -> bool:
        raise OSError("locked")

    async def run(_job: Job, _step: Journal) -> Outcome:
        return Outcome()

    monkeypatch.setattr(queue, "end", end)
    bench.run = run
    caplog.set_level(logging.INFO)
    await bench.start()
    for number in range(24):
        await bench.add(f"a{number}", owner=number)
    await bench.clock.turn(3600)
    written = sum(len(record.getMessage()) + (2_000 if record.exc_info else 0) for record in caplog.records)
    assert written < 300_000
