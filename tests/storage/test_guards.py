"""Statements change a row only for whom it is, as it was shown and in its time: each is asked by itself."""

from collections.abc import Awaitable, Callable

import pytest

from bot.errors import Uncertain
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome
from storage.base import jobs, ledger, queue, steps
from storage.base.jobs import Job, State
from storage.database import rows
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState
from tests.reviewing.test_races import DIGEST, question
from tests.scenes.workbench import Bench, Receipt

NOW = 1_850_000_000.0
MIA, MAX = 11, 12


async def claim(bench: Bench, holder: str, *, until: float = NOW + 60) -> str:
    """A job that this worker runs; its id."""
    await bench.add(f"job of {holder}")
    async with bench.database.write() as db:
        job = await queue.claim(db, holder=holder, now=NOW, lease_until=until)
    assert job
    return job.id


async def begin_to_pay(bench: Bench, job_id: str, holder: str) -> bool:
    async with bench.database.write() as db:
        return await steps.begin(db, job_id=job_id, name="ordered", digest="", holder=holder, now=NOW)


async def state_of(bench: Bench, job_id: str) -> tuple[State, bool]:
    async with bench.database.read() as db:
        job = await jobs.find(db, job_id)
    assert job
    return job.state, job.holds_slot


async def test_only_the_worker_that_runs_a_job_begins_to_pay_for_it(bench: Bench) -> None:
    job_id = await claim(bench, "one")
    assert not await begin_to_pay(bench, job_id, "another")
    assert await begin_to_pay(bench, job_id, "one")
    assert not await begin_to_pay(bench, job_id, "one"), "once"


async def test_only_the_worker_that_runs_a_job_ends_it_and_frees_its_slot(bench: Bench) -> None:
    job_id = await claim(bench, "one")
    async with bench.database.write() as db:
        await queue.release_slot(db, job_id=job_id, holder="another")
        assert not await queue.end(db, job_id=job_id, holder="another", state=State.DONE, now=NOW, cost=0, error=None)
    assert await state_of(bench, job_id) == (State.RUNNING, True)


async def test_the_jobs_of_a_worker_that_lives_are_not_taken_up(bench: Bench) -> None:
    await claim(bench, "one", until=NOW + 60)
    async with bench.database.write() as db:
        assert not await queue.take_up(db, now=NOW, all_of_them=False)
        assert len(await queue.take_up(db, now=NOW + 61, all_of_them=False)) == 1


async def test_what_has_begun_to_pay_is_not_cancelled(bench: Bench) -> None:
    await bench.add("request", parked=True)
    for child in ("begun", "waiting"):
        await bench.add(child, parent="request")
    async with bench.database.write() as db:
        job = await queue.claim(db, holder="one", now=NOW, lease_until=NOW + 60)
        assert job
        await steps.begin(db, job_id=job.id, name="ordered", digest="", holder="one", now=NOW)
        await queue.put_back(db, job_id=job.id, holder="one", due_at=NOW, keep_slot=True)
        assert await queue.cancel_waiting(db, job_id="request", now=NOW) == 1
    assert await state_of(bench, job.id) == (State.WAITING, True)


async def test_what_a_job_has_cost_is_written_down_once_unless_nobody_knew_it(bench: Bench) -> None:
    job_id = await claim(bench, "one")
    await begin_to_pay(bench, job_id, "one")
    async with bench.database.write() as db:
        for amount in (None, 5, 7):
            await ledger.charge(db, job_id=job_id, amount=amount, now=NOW)
        lines = await rows(db, "SELECT amount FROM ledger WHERE entry = 'charge'", {})
    assert [line["amount"] for line in lines] == [5]


async def decide(bench: Bench, *, digest: str = DIGEST, by: int = MIA, now: float = NOW) -> Review | None:
    async with bench.database.write() as db:
        return await reviews.decide(db, "q1", state=ReviewState.APPROVED, digest=digest, by=by, reason=None, now=now)


@pytest.fixture
async def asked(bench: Bench) -> Review:
    async with bench.database.write() as db:
        await reviews.add(db, question("q1"))
        review = await reviews.find(db, "q1")
    assert review
    return review


async def test_a_question_is_decided_with_the_digest_that_it_has(bench: Bench, asked: Review) -> None:
    assert asked.digest == DIGEST
    assert await decide(bench, digest="f" * 64) is None
    assert await decide(bench)


async def test_a_question_is_decided_once(bench: Bench, asked: Review) -> None:
    assert asked.state is ReviewState.OPEN
    assert await decide(bench)
    assert await decide(bench, by=MAX) is None


async def test_a_question_is_decided_in_its_time(bench: Bench, asked: Review) -> None:
    assert await decide(bench, now=asked.expires_at + 1) is None
    assert await decide(bench, now=asked.expires_at)


async def test_a_question_that_is_claimed_is_decided_by_its_claimant(bench: Bench, asked: Review) -> None:
    async with bench.database.write() as db:
        assert await reviews.claim(db, asked.id, by=MIA, now=NOW, until=NOW + 60)
    assert await decide(bench, by=MAX) is None
    assert await decide(bench, by=MIA)


# A payment, as the worker makes it.


async def pay(bench: Bench, order: Callable[[], Awaitable[Receipt]]) -> Job:
    """A job whose one step is to pay, run to its end."""

    async def run(_job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, order, request=Receipt(number=0))
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.clock.turn(60)
    return await bench.job("a")


async def test_a_payment_that_a_death_has_cut_in_two_is_not_made_again(bench: Bench) -> None:
    orders: list[int] = []

    async def order() -> Receipt:
        orders.append(1)
        return Receipt(number=1)

    await bench.add("a")
    async with bench.database.write() as db:
        job = await queue.claim(db, holder="dead", now=bench.clock.now(), lease_until=NOW)
        assert job
        assert await steps.begin(db, job_id="a", name="ordered", digest="", holder="dead", now=bench.clock.now())
    assert (await pay(bench, order)).state is State.UNKNOWN
    assert not orders


async def test_a_payment_without_an_answer_keeps_its_mark(bench: Bench) -> None:
    async def order() -> Receipt:
        raise Uncertain("Nobody can tell.")

    assert (await pay(bench, order)).state is State.UNKNOWN
    async with bench.database.read() as db:
        step = await steps.find(db, job_id="a", name="ordered")
    assert step
    assert step.result is None
