"""Somebody sets the machine's clock: nothing under way is lost, given up, or waits for the clock to catch up."""

import re

import pytest

from bot.errors import Unavailable
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome
from standins.base.faults import Fault, answers
from storage.base.jobs import Job, State
from storage.finetuning.finetunes import FinetuneState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, job_of, text_of
from tests.scenes.kiln import draft, finetune, spec, start
from tests.scenes.workbench import Bench, Receipt, done, receipt

HOUR, DAY = 3600.0, 86_400.0
steps = pytest.mark.parametrize("step", [-DAY, -HOUR, HOUR, DAY])


@steps
async def test_a_picture_that_is_being_drawn_comes_all_the_same(community: Community, step: float) -> None:
    await community.imagine()
    await community.pass_time(5)
    community.clock.step(step)
    await community.pass_time(15)
    assert community.card.attachments, text_of(community.card)
    view = await community.view(job_of(community.card))
    assert view.seconds == pytest.approx(10, abs=1)
    assert view.cost == 60_000


@steps
async def test_what_waits_in_the_queue_goes_on(make_community: MakeCommunity, step: float) -> None:
    community = await make_community(duration=20)
    community.bfl.faults.append(Fault("submit", answers(429, retry_after=30)))
    await community.imagine(count=2)
    await community.pass_time(5)
    community.clock.step(step)
    await community.pass_time(80)
    assert len(community.card.attachments) == 2


@steps
async def test_a_finished_picture_whose_file_is_refused_is_still_fetched(community: Community, step: float) -> None:
    community.bfl.faults.append(Fault("sample", answers(403), times=10_000))
    await community.imagine()
    await community.pass_time(60)
    community.clock.step(step)
    await community.pass_time(120)
    community.bfl.faults.clear()
    await community.pass_time(40)
    assert community.card.attachments


@steps
async def test_a_restart_at_another_time_goes_on_with_what_is_paid_for(community: Community, step: float) -> None:
    community.bfl.faults.append(Fault("poll", answers(403), times=10_000))
    await community.imagine()
    await community.pass_time(60)
    await community.stop()
    community.clock.step(step)
    await community.restart()
    community.bfl.faults.clear()
    await community.pass_time(40)
    assert community.card.attachments


@steps
async def test_a_training_and_the_search_for_a_lost_one_go_on(make_community: MakeCommunity, step: float) -> None:
    community = await make_community(trainers=["bfl"])
    view = await start(community, await draft(community, spec("bfl")))
    await community.skip(600, step=60)
    community.clock.step(step)
    community.bfl.faults.append(Fault("poll", answers(404), times=3))
    for _ in range(60):
        await community.skip(120, step=60)
    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY


@steps
async def test_a_forecast_is_right_after_the_clock_was_set(make_community: MakeCommunity, step: float) -> None:
    community = await make_community(duration=60)
    await community.imagine()
    await community.pass_time(2)
    community.clock.step(step)
    view = await community.newest()
    assert view.forecast
    assert view.forecast.likely
    assert view.forecast.likely - community.clock.now() == pytest.approx(8, abs=2)
    await community.pass_time(40)
    assert "Taking longer than usual." in text_of(community.card)


async def test_a_forecast_that_has_passed_is_taken_back_at_once(make_community: MakeCommunity) -> None:
    community = await make_community(duration=60)
    await community.imagine()
    await community.pass_time(5)
    assert "Usually <t:" in text_of(community.card)
    await community.pass_time(8)
    text = text_of(community.card)
    assert "Usually" not in text
    assert "Seldom more than <t:" in text
    await community.pass_time(8)
    assert "Taking longer than usual." in text_of(community.card)


@steps
async def test_patience_is_measured_in_time_that_has_passed(bench: Bench, step: float) -> None:
    tries: list[float] = []

    async def run(_job: Job, _step: Journal) -> Outcome:
        tries.append(bench.clock.monotonic())
        if len(tries) < 3:
            raise Unavailable("The service is down.")
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    bench.clock.step(step)
    await bench.clock.turn(60)
    assert (await bench.job("a")).state is State.DONE


@steps
async def test_leases_are_kept(bench: Bench, step: float) -> None:
    async def run(_job: Job, journal: Journal) -> Outcome:
        await bench.clock.sleep(300)
        return Outcome()

    bench.run = run
    await bench.start()
    await bench.add("a")
    bench.clock.step(step)
    await bench.clock.turn(310)
    assert (await bench.job("a")).state is State.DONE


async def test_what_lies_far_ahead_at_the_start_is_brought_forward(bench: Bench) -> None:
    async def run(_job: Job, step: Journal) -> Outcome:
        await step.pay("ordered", Receipt, lambda: receipt(1), request=Receipt(number=0))
        raise Unavailable("Busy.")

    bench.run = run
    await bench.start()
    await bench.add("a")
    await bench.stop()
    bench.clock.step(-DAY)
    bench.run = done
    bench.worker = bench.new_worker()
    await bench.start()
    await bench.clock.turn(1)
    assert (await bench.job("a")).state is State.DONE


async def test_a_card_far_back_in_the_queue_takes_its_forecast_back_too(make_community: MakeCommunity) -> None:
    community = await make_community(active_limit=1)
    await community.decide(member_pictures=40)
    community.bfl.faults.append(Fault("submit", answers(429, retry_after=600), times=10_000))
    for member in (community.ada, community.ben, community.mia) * 3:
        await community.imagine(member, count=4)
    await community.clock.settle()
    last = community.cards[-1]
    assert "sually <t:" in text_of(last)
    for _ in range(40):
        await community.pass_time(10)
    text = text_of(community.cards[-1])
    promised = [int(each) for each in re.findall(r"<t:(\d+):R>", text)]
    assert all(each > community.clock.now() for each in promised), text
