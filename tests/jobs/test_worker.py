"""The job engine and its journal, with recipes of its own: real SQLite, turned clock."""

import asyncio
from typing import Any

import pytest

from bot.errors import Broken, Refused, Unavailable, Uncertain
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome
from storage.base import queue, steps
from storage.base.jobs import Job, State
from tests.scenes.workbench import LANES, Bench, Receipt, done, new_job, receipt


async def test_a_job_runs_and_ends_with_its_cost(bench: Bench) -> None:
    async def run(_job: Job, _step: Journal) -> Outcome:
        return Outcome(cost=60_000)

    bench.run = run
    await bench.start()
    await bench.add("a")
    done = await bench.job("a")
    assert (done.state, done.cost_actual, done.holds_slot) == (State.DONE, 60_000, False)


async def test_a_busy_service_is_left_alone_for_as_long_as_it_asked(bench: Bench) -> None:
    tries: list[float] = []

    async def run(_job: Job, _step: Journal) -> Outcome:
        tries.append(bench.clock.now())
        if len(tries) == 1:
            raise Unavailable("The service is busy.", retry_after=60)
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(59)
    assert len(tries) == 1
    assert (await bench.job("a")).error == "The service is busy."
    await bench.clock.turn(2)
    assert len(tries) == 2
    assert (await bench.job("a")).state is State.DONE


async def test_a_service_that_never_answers_is_given_up_in_the_end(bench: Bench) -> None:
    async def run(_job: Job, _step: Journal) -> Outcome:
        raise Unavailable("The service is down.")

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(599)
    assert (await bench.job("a")).state is State.WAITING
    await bench.clock.turn(200)
    given_up = await bench.job("a")
    assert (given_up.state, given_up.cost_actual, given_up.error) == (State.FAILED, 0, "The service is down.")


@pytest.mark.parametrize(
    ("error", "state", "cost", "alarmed"),
    [
        (Refused("No."), State.FAILED, 0, False),
        (Uncertain("Maybe."), State.UNKNOWN, None, False),
        (Broken("The key is wrong."), State.FAILED, 0, True),
        (KeyError("a bug"), State.FAILED, 0, True),
    ],
)
async def test_an_error_is_treated_by_its_type(
    bench: Bench, error: Exception, state: State, cost: int | None, alarmed: bool
) -> None:
    async def run(_job: Job, _step: Journal) -> Outcome:
        raise error

    bench.run = run
    await bench.start()
    await bench.add("a")
    failed = await bench.job("a")
    assert (failed.state, failed.cost_actual) == (state, cost)
    assert bool(bench.alarms) is alarmed


async def test_what_failed_after_it_was_paid_for_has_an_unknown_price(bench: Bench) -> None:
    async def run(job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, lambda: receipt(1), request=Receipt(number=1))
        raise Broken("The picture is gone.")

    bench.run = run
    await bench.start()
    await bench.add("a")
    assert (await bench.job("a")).cost_actual is None


async def test_a_finished_step_is_recalled_and_not_done_again(bench: Bench) -> None:
    done: list[str] = []

    async def work(name: str) -> Receipt:
        done.append(name)
        return Receipt(number=len(done))

    async def run(_job: Job, step: Journal) -> Outcome:
        first = await step("first", Receipt, lambda: work("first"))
        if len(done) == 1:
            raise Unavailable("Interrupted between the steps.")
        second = await step("second", Receipt, lambda: work("second"))
        assert (first.number, second.number) == (1, 3)
        return Outcome()

    async def stumble() -> None:
        done.append("stumbled")

    bench.run = run
    await bench.start()
    await bench.add("a")
    await stumble()
    await bench.clock.turn(10)
    assert done == ["first", "stumbled", "second"]
    assert (await bench.job("a")).state is State.DONE


async def test_a_paying_step_that_was_certainly_not_taken_is_tried_again(bench: Bench) -> None:
    answers: list[Exception | None] = [Unavailable("Busy."), None]

    async def order() -> Receipt:
        if error := answers.pop(0):
            raise error
        return Receipt(number=7)

    async def run(_job: Job, step: Journal) -> Outcome:
        receipt = await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        return Outcome(cost=receipt.number)

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(10)
    assert answers == []
    assert (await bench.job("a")).cost_actual == 7


@pytest.mark.parametrize("ending", [Uncertain("The answer was lost."), ValueError("a bug after the request left")])
async def test_a_paying_step_with_an_unclear_end_is_never_done_again(bench: Bench, ending: Exception) -> None:
    orders: list[int] = []

    async def order() -> Receipt:
        orders.append(1)
        raise ending

    async def run(_job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(60)
    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual, len(orders)) == (State.UNKNOWN, None, 1)


async def test_a_drain_waits_for_the_answer_of_a_request_that_has_left(bench: Bench) -> None:
    left, answered = asyncio.Event(), asyncio.Event()
    orders: list[int] = []

    async def order() -> Receipt:
        orders.append(1)
        left.set()
        await answered.wait()
        return Receipt(number=5)

    async def run(_job: Job, step: Journal) -> Outcome:
        receipt = await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        return Outcome(cost=receipt.number)

    bench.run = run
    await bench.worker.start()
    bench.running = asyncio.create_task(bench.worker.run())
    async with bench.database.write() as db:
        await queue.add(db, new_job("a"), now=bench.clock.now())
    bench.signals.wake()
    await left.wait()
    drain = asyncio.create_task(bench.worker.drain())
    await asyncio.sleep(0)
    assert not drain.done()
    answered.set()
    await drain
    await bench.running
    held = await bench.job("a")
    assert (held.state, held.holds_slot) == (State.WAITING, True)

    bench.worker = bench.new_worker()
    await bench.start()
    await bench.clock.settle()
    assert (await bench.job("a")).cost_actual == 5
    assert len(orders) == 1


async def test_the_jobs_of_a_dead_process_are_taken_up_at_the_next_start(bench: Bench) -> None:
    async with bench.database.write() as db:
        await queue.add(db, new_job("a"), now=bench.clock.now())
        claimed = await queue.claim(db, holder="dead", now=bench.clock.now(), lease_until=bench.clock.now() + 1e6)
    assert claimed

    async def run(_job: Job, _step: Journal) -> Outcome:
        return Outcome()

    bench.run = run
    assert await bench.start() == ["a"]
    await bench.clock.settle()
    assert (await bench.job("a")).state is State.DONE


async def test_a_silent_worker_loses_its_job_when_the_lease_ends_and_cannot_pay_for_it_afterwards(
    bench: Bench,
) -> None:
    now = bench.clock.now()
    async with bench.database.write() as db:
        await queue.add(db, new_job("a"), now=now)
        stale = await queue.claim(db, holder="frozen", now=now, lease_until=now + 60)
    assert stale
    bench.run = done
    async with bench.database.write() as db:
        await queue.set_lanes(db, LANES)
    bench.running = asyncio.create_task(bench.worker.run())
    await bench.clock.turn(59)
    assert (await bench.job("a")).state is State.RUNNING
    await bench.clock.turn(11)
    assert (await bench.job("a")).state is State.DONE

    orders: list[int] = []

    async def order() -> Receipt:
        orders.append(1)
        return Receipt(number=1)

    frozen = Journal(bench.database, bench.clock, stale, "frozen", released=lambda: None)
    with pytest.raises(Exception, match=r"^$"):
        await frozen.pay("ordered", Receipt, order, request=Receipt(number=0))
    assert orders == []


async def test_the_worker_survives_a_database_that_fails_for_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run = done
    failures = [OSError("disk")]

    async def claim(*args: object, **more: object) -> Job | None:
        if failures:
            raise failures.pop()
        return await real(*args, **more)  # type: ignore[arg-type]

    real = queue.claim
    monkeypatch.setattr(queue, "claim", claim)
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(6)
    assert (await bench.job("a")).state is State.DONE


async def test_an_order_whose_receipt_cannot_be_written_may_have_been_charged(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    async def run(_job: Job, step: Journal) -> Outcome:
        monkeypatch.setattr(steps, "finish", full_disk)
        await step.pay("ordered", Receipt, lambda: receipt(1), request=Receipt(number=0))
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    ended = await bench.job("a")
    assert (ended.state, ended.cost_actual) == (State.UNKNOWN, None)


async def test_a_job_whose_end_cannot_be_written_is_run_again_soon(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    failures = [OSError("locked")]
    real = queue.end

    async def end(*args: Any, **more: Any) -> bool:
        if failures:
            raise failures.pop()
        return await real(*args, **more)

    async def run(_job: Job, _step: Journal) -> Outcome:
        runs.append(1)
        return Outcome()

    monkeypatch.setattr(queue, "end", end)
    bench.run = run
    await bench.start()
    await bench.add("a")
    assert (await bench.job("a")).state is State.RUNNING
    await bench.clock.turn(11)
    assert (await bench.job("a")).state is State.DONE
    assert len(runs) == 2


async def test_a_second_drain_waits_for_the_answer_as_the_first_does(bench: Bench) -> None:
    left, answered = asyncio.Event(), asyncio.Event()

    async def order() -> Receipt:
        left.set()
        await answered.wait()
        return Receipt(number=5)

    async def run(_job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        return Outcome()

    bench.run = run
    async with bench.database.write() as db:
        await queue.add(db, new_job("a"), now=bench.clock.now())
    await bench.worker.start()
    bench.running = asyncio.create_task(bench.worker.run())
    await left.wait()
    drains = [asyncio.create_task(bench.worker.drain()) for _ in range(2)]
    await asyncio.wait(drains, timeout=0.05)
    assert not any(drain.done() for drain in drains)
    answered.set()
    await asyncio.gather(*drains)
    async with bench.database.read() as db:
        step = await steps.find(db, job_id="a", name="ordered")
    assert step
    assert step.result == '{"number":5}'


async def test_what_is_paid_for_is_not_left_alone_for_longer_than_its_link_lives(bench: Bench) -> None:
    looks: list[float] = []

    async def run(_job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, lambda: receipt(1), request=Receipt(number=0))
        looks.append(bench.clock.now())
        if len(looks) == 1:
            raise Unavailable("Busy.", retry_after=1200)
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(31)
    assert len(looks) == 2


async def test_patience_with_what_is_paid_for_begins_when_it_was_ordered(bench: Bench) -> None:
    looks: list[float] = []
    ready = bench.clock.now() + 590

    async def order() -> Receipt:
        if bench.clock.now() < ready:
            raise Unavailable("Full.", retry_after=60)
        return Receipt(number=1)

    async def run(_job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        looks.append(bench.clock.now())
        if len(looks) == 1:
            raise Unavailable("One bad answer.")
        return Outcome(cost=7)

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(800)
    assert (await bench.job("a")).cost_actual == 7


async def test_a_request_does_not_end_before_its_pictures(bench: Bench) -> None:
    failures = [KeyError("a bug while asking")]
    looks: list[str] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        if job.parent_id is None:
            looks.append(job.id)
            if failures:
                raise failures.pop()
        return Outcome()

    bench.run = run
    await bench.add("r", lane="cards")
    await bench.add("r-1", parent="r", parked=True)
    await bench.start()
    await bench.clock.settle()
    assert (await bench.job("r")).state is State.PARKED
    async with bench.database.write() as db:
        await queue.wake(db, job_id="r-1", now=bench.clock.now())
    bench.signals.wake()
    await bench.clock.settle()
    assert (await bench.job("r")).state is State.DONE
    assert looks == ["r", "r"]
