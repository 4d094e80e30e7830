"""Patience counts the time in which something was tried: neither an absence nor a step of the clock uses it up."""

from bot.errors import Unavailable
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome
from storage.base.jobs import Job, State
from tests.scenes.workbench import Bench


async def fail(_job: Job, _step: Journal) -> Outcome:
    raise Unavailable("Not now.")


async def test_a_job_is_tried_anew_after_an_absence(bench: Bench) -> None:
    bench.run = fail
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(10)
    await bench.stop()
    await bench.clock.leap(3600)
    bench.worker = bench.new_worker()
    await bench.start()
    await bench.clock.turn(300)
    assert (await bench.job("a")).state is State.WAITING
    await bench.clock.turn(600)
    assert (await bench.job("a")).state is State.FAILED


async def test_a_step_of_the_clock_is_no_patience_used_up(bench: Bench) -> None:
    bench.run = fail
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(10)
    bench.clock.step(3600)
    await bench.clock.turn(300)
    assert (await bench.job("a")).state is State.WAITING
