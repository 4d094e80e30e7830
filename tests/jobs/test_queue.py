"""Whose turn it is: fairness between members, the limits of lanes, waking and cancelling."""

from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome, Park
from storage.base import jobs, queue
from storage.base.jobs import Job, State
from tests.scenes.workbench import Bench, Receipt, new_job, receipt


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
            await queue.add(db, new_job(name, owner=owner), now=bench.clock.now())
        bench.signals.wake()

    bench.add = unsettled_add  # type: ignore[method-assign,assignment] - inside a job nothing can settle
    async with bench.database.write() as db:
        for number in range(8):
            await queue.add(db, new_job(f"max-{number}", owner=1, lane="bfl-max"), now=bench.clock.now())
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
        await step.pay("ordered", Receipt, lambda: receipt(1), request=Receipt(number=1))
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


async def test_who_keeps_asking_gets_no_more_than_who_waits(bench: Bench) -> None:
    """Three members ask again as soon as theirs is done; a fourth has asked for four at once."""
    served: list[int] = []

    async def run(job: Job, _step: Journal) -> Outcome:
        served.append(job.owner_id)
        if job.owner_id != 4:
            async with bench.database.write() as db:
                await queue.add(db, new_job(f"{job.owner_id}-{len(served)}", owner=job.owner_id), now=bench.clock.now())
        await bench.clock.sleep(1)
        return Outcome()

    bench.run = run
    for owner in (1, 2, 3):
        await bench.add(f"first-{owner}", owner=owner)
    for number in range(4):
        await bench.add(f"four-{number}", owner=4)
    await bench.start()
    await bench.clock.turn(12)
    assert [owner == 4 for owner in served[:16]].count(True) == 4
