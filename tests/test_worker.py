"""The job engine, with recipes of its own: real SQLite, turned clock."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import Broken, Refused, Unavailable, Uncertain
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome, Park, Recipe, Worker
from bot.providers.interface import Frozen
from storage import jobs, queue
from storage.database import Database, open_database
from storage.jobs import Job, State
from storage.queue import Lane, NewJob
from tests.clock import TurnedClock

LANES = [Lane("bfl", "bfl", 2, 2), Lane("bfl-max", "bfl", 1, 2), Lane("cards", "cards", 50, 50)]
Run = Callable[[Job, Journal], Awaitable[Outcome]]


class Receipt(Frozen):
    number: int


class Bench:
    """A worker on a real database whose recipe a test writes."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self.database = database
        self.clock = clock
        self.alarms: list[str] = []
        self.worker = self.new_worker()
        self.run: Run | None = None
        self.running: asyncio.Task[None] | None = None
        clock.tasks = lambda: [*([self.running] if self.running else []), *self.worker.tasks]

    def new_worker(self) -> Worker:
        async def alarm(sentence: str) -> None:
            self.alarms.append(sentence)

        async def recipe(job: Job, step: Journal) -> Outcome:
            assert self.run, "the test gives the recipe"
            return await self.run(job, step)

        return Worker(
            self.database,
            {"work": Recipe(recipe, patience=600)},
            clock=self.clock,
            lanes=LANES,
            holder="test",
            changed=lambda _: None,
            alarm=alarm,
        )

    async def start(self) -> list[str]:
        taken_up = await self.worker.start()
        self.running = asyncio.create_task(self.worker.run())
        return taken_up

    async def stop(self) -> None:
        await self.worker.drain()
        if self.running:
            await self.running

    async def add(
        self, name: str, *, owner: int = 1, lane: str = "bfl", parent: str | None = None, parked: bool = False
    ) -> None:
        new = NewJob(
            id=name,
            kind="work",
            guild_id=1,
            channel_id=1,
            owner_id=owner,
            request="{}",
            lane=lane,
            parent_id=parent,
            parked=parked,
        )
        async with self.database.write() as db:
            await queue.add(db, new, now=self.clock.now())
        self.worker.wake()
        if self.running:
            await self.clock.settle()

    async def job(self, name: str) -> Job:
        async with self.database.read() as db:
            found = await jobs.find(db, name)
        assert found
        return found


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncGenerator[Bench]:
    database = await open_database(tmp_path / "bot.db")
    made = Bench(database, TurnedClock())
    async with made.database.write() as db:
        await queue.set_lanes(db, LANES)
    yield made
    await made.stop()
    await database.close()


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
    ("error", "state", "cost", "told"),
    [
        (Refused("No."), State.FAILED, 0, False),
        (Uncertain("Maybe."), State.UNKNOWN, None, False),
        (Broken("The key is wrong."), State.FAILED, 0, True),
        (KeyError("a bug"), State.FAILED, 0, True),
    ],
)
async def test_an_error_is_treated_by_its_type(
    bench: Bench, error: Exception, state: State, cost: int | None, told: bool
) -> None:
    async def run(_job: Job, _step: Journal) -> Outcome:
        raise error

    bench.run = run
    await bench.start()
    await bench.add("a")
    failed = await bench.job("a")
    assert (failed.state, failed.cost_actual) == (state, cost)
    assert bool(bench.alarms) is told


async def test_what_failed_after_it_was_paid_for_has_an_unknown_price(bench: Bench) -> None:
    async def run(job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, lambda: _receipt(1), request=Receipt(number=1))
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
        await queue.add(db, _new("a"), now=bench.clock.now())
    bench.worker.wake()
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
        await queue.add(db, _new("a"), now=bench.clock.now())
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
        await queue.add(db, _new("a"), now=now)
        stale = await queue.claim(db, holder="frozen", now=now, lease_until=now + 60)
    assert stale
    bench.run = _done
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


async def test_fifty_jobs_of_one_member_cost_another_members_first_one_turn(bench: Bench) -> None:
    served: list[str] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        served.append(job.id)
        await bench.clock.sleep(10)
        return Outcome()

    bench.run = run
    for number in range(50):
        await bench.add(f"many-{number}", owner=1)
    await bench.add("one", owner=2)
    await bench.start()
    await bench.clock.turn(20)
    assert served.index("one") <= 2  # the two that took the two slots first, then the other member


async def test_members_are_served_in_turn(bench: Bench) -> None:
    served: list[int] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        served.append(job.owner_id)
        return Outcome()

    bench.run = run
    for owner in (1, 2, 3):
        for number in range(4):
            await bench.add(f"{owner}-{number}", owner=owner)
    await bench.start()
    await bench.clock.settle()
    assert served == [1, 2, 3] * 4


async def test_a_limit_of_a_lane_and_of_its_pool_is_never_exceeded(bench: Bench) -> None:
    at_work: set[str] = set()
    most = {"all": 0, "bfl-max": 0}

    async def run(job: Job, _step: Journal) -> Outcome:
        at_work.add(job.id)
        most["all"] = max(most["all"], len(at_work))
        most["bfl-max"] = max(most["bfl-max"], sum(each.startswith("max") for each in at_work))
        await bench.clock.sleep(5)
        at_work.discard(job.id)
        return Outcome()

    bench.run = run
    for number in range(6):
        await bench.add(f"max-{number}", owner=number, lane="bfl-max")
        await bench.add(f"other-{number}", owner=number)
    await bench.start()
    await bench.clock.turn(60)
    assert most == {"all": 2, "bfl-max": 1}
    async with bench.database.read() as db:
        assert await jobs.count_states(db) == {"done": 12}


async def test_a_full_lane_does_not_hold_up_the_lane_beside_it(bench: Bench) -> None:
    served: list[str] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        served.append(job.id)
        await bench.clock.sleep(100)
        return Outcome()

    bench.run = run
    for number in range(3):
        await bench.add(f"max-{number}", owner=number, lane="bfl-max")
    await bench.add("other", owner=9)
    await bench.start()
    await bench.clock.settle()
    assert sorted(served) == ["max-0", "other"]


async def test_a_lane_that_never_runs_dry_does_not_starve_a_lane_with_a_long_queue(bench: Bench) -> None:
    served: list[str] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        served.append(job.id)
        if job.id.startswith("other"):
            await bench.add(f"other-{len(served)}", owner=1000 + len(served))
        await bench.clock.sleep(1)
        return Outcome()

    async def unsettled_add(name: str, *, owner: int) -> None:
        async with bench.database.write() as db:
            await queue.add(db, _new(name, owner=owner), now=bench.clock.now())
        bench.worker.wake()

    bench.add = unsettled_add  # type: ignore[method-assign,assignment] - inside a job nothing can settle
    async with bench.database.write() as db:
        for number in range(8):
            await queue.add(db, _new(f"max-{number}", owner=1, lane="bfl-max"), now=bench.clock.now())
    await unsettled_add("other", owner=999)
    bench.run = run
    await bench.start()
    await bench.clock.turn(12)
    assert sum(each.startswith("max") for each in served) == 8


async def test_the_last_picture_wakes_its_request(bench: Bench) -> None:
    looks: list[list[State]] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        if job.parent_id:
            await bench.clock.sleep(10 * (job.owner_id + 1))
            return Outcome()
        async with bench.database.read() as db:
            children = await jobs.children(db, job.id)
        looks.append([child.state for child in children])
        if not all(child.state.ended for child in children):
            raise Park
        return Outcome()

    bench.run = run
    await bench.add("r", lane="cards", parked=True)
    await bench.add("r-1", owner=0, parent="r")
    await bench.add("r-2", owner=1, parent="r")
    await bench.start()
    await bench.clock.turn(30)
    assert looks == [[State.DONE, State.DONE]]
    assert (await bench.job("r")).state is State.DONE


async def test_a_wake_up_that_comes_while_the_job_runs_is_not_lost(bench: Bench) -> None:
    runs: list[int] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        runs.append(1)
        if len(runs) == 1:
            async with bench.database.write() as db:
                await queue.wake(db, job_id=job.id, now=bench.clock.now())
            raise Park
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    assert (await bench.job("a")).state is State.DONE
    assert len(runs) == 2


async def test_what_waits_can_be_called_back_and_what_was_ordered_cannot(bench: Bench) -> None:
    async def run(job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, lambda: _receipt(1), request=Receipt(number=1))
        await bench.clock.sleep(10)
        return Outcome(cost=1)

    bench.run = run
    await bench.add("r", lane="cards", parked=True)
    for number in range(4):
        await bench.add(f"r-{number}", parent="r")
    await bench.start()
    await bench.clock.settle()
    async with bench.database.write() as db:
        assert await queue.cancel_waiting(db, job_id="r", now=bench.clock.now()) == 2
    await bench.clock.turn(15)
    async with bench.database.read() as db:
        states = [child.state for child in await jobs.children(db, "r")]
    assert states == [State.DONE, State.DONE, State.CANCELLED, State.CANCELLED]


async def test_the_worker_survives_a_database_that_fails_for_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run = _done
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


async def test_a_slot_that_was_given_back_early_serves_the_next_job(bench: Bench) -> None:
    begun: list[str] = []

    async def run(job: Job, step: Journal) -> Outcome:
        begun.append(job.id)
        if job.id == "a":
            await step.release_slot()
        await bench.clock.sleep(50)
        return Outcome()

    bench.run = run
    await bench.start()
    for name in "abcd":
        await bench.add(name)
    assert begun == ["a", "b", "c"]


async def _done(_job: Job, _step: Journal) -> Outcome:
    return Outcome()


async def _receipt(number: int) -> Receipt:
    return Receipt(number=number)


def _new(name: str, *, owner: int = 1, lane: str = "bfl") -> NewJob:
    return NewJob(id=name, kind="work", guild_id=1, channel_id=1, owner_id=owner, request="{}", lane=lane)
