"""What is paid for is asked about for as long as it can be had, whatever one answer says."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.workflows.drawing.types import ImageRequest, RequestView
from standins.astria.service import Quirks as AstriaQuirks
from standins.base.faults import Fault, Trouble, answers, hangs_up, html, loses_the_answer, malformed, rewrites
from standins.base.serving import Standin
from standins.bfl import names_dead_link, names_seed
from storage.base import jobs, ledger
from storage.base.jobs import State
from storage.finetuning.finetunes import FinetuneState
from tests.conftest import MakeCommunity
from tests.drawing.test_failures import FOR_EVER, cost_of
from tests.finetuning.test_living import origin
from tests.scenes.community import Community, job_of, private, text_of
from tests.scenes.kiln import draft, finetune, spec, start, train_finetune

ODD = {
    "401": answers(401),
    "402": answers(402, {"detail": "Insufficient credits."}),
    "403": answers(403, {"detail": "Not authenticated"}),
    "404": answers(404),
    "400": answers(400, {"detail": "Bad request"}),
    "418": answers(418),
    "a list": answers(200, "[]", content_type="application/json"),
    "a number": answers(200, "7", content_type="application/json"),
    "another object": answers(200, {"id": [], "data": {"id": {}}}),
    "a page": html(),
    "cut": malformed(),
    "reset": hangs_up(),
    "a giant number": answers(200, f'{{"id": {"9" * 6000}}}', content_type="application/json"),
}
odd_answers = pytest.mark.parametrize("fault", ODD.values(), ids=ODD.keys())
some_odd_answers = pytest.mark.parametrize("kind", ["402", "403", "404", "a list", "a page"])
REFUSED = [ODD["401"], ODD["402"], ODD["403"]]


async def draw_with(community: Community, trainer: str) -> tuple[str, Callable[[], Awaitable[RequestView]]]:
    """A picture is asked for, with a finetune of that trainer; and how to see how far it is."""
    trained = await train_finetune(community, spec(trainer))
    request = ImageRequest(prompt="by the sea", model="", finetune=trained.finetune.id)
    job = await community.app.services.drawing.requests.accept(origin(community, community.ada.id), request)

    async def view() -> RequestView:
        return await community.view(job.id)

    return job.id, view


def standin(community: Community, trainer: str) -> Standin:
    server = community.astria if trainer == "astria" else community.vimmerse
    assert server
    return server


@odd_answers
async def test_one_odd_answer_to_a_look_ends_no_picture(
    community: Community, alarms: list[str], fault: Trouble
) -> None:
    community.bfl.faults.append(Fault("poll", fault))
    await community.imagine()
    await community.pass_time(40)
    assert community.card.attachments, text_of(community.card)
    assert community.ordered() == 1
    assert await cost_of(community) == 60_000
    if fault in REFUSED:
        (alarm,) = alarms
        assert "cannot be looked at" in alarm


@some_odd_answers
@pytest.mark.parametrize("trainer", ["astria", "vimmerse-flux"])
async def test_one_odd_answer_ends_no_picture_of_a_finetune_either(
    make_community: MakeCommunity, kind: str, trainer: str
) -> None:
    community = await make_community(trainers=[trainer.partition("-")[0]])
    _, view = await draw_with(community, trainer)
    standin(community, trainer).faults.append(Fault("poll", ODD[kind], times=2))
    await community.pass_time(150)
    assert (await view()).images


@some_odd_answers
@pytest.mark.parametrize("trainer", ["bfl", "astria", "vimmerse-flux"])
async def test_one_odd_answer_ends_no_training(make_community: MakeCommunity, kind: str, trainer: str) -> None:
    community = await make_community(trainers=[trainer.partition("-")[0]])
    started = await start(community, await draft(community, spec(trainer)))
    server = community.bfl if trainer == "bfl" else standin(community, trainer)
    server.faults.append(Fault("poll", ODD[kind], times=2))
    view = await finetune(community, started.finetune.id)
    for _ in range(60):
        if view.finetune.state is not FinetuneState.TRAINING:
            break
        await community.skip(240, step=120)
        view = await finetune(community, started.finetune.id)
    assert view.finetune.state is FinetuneState.READY, view.tries
    assert len(view.tries) == 1


async def test_a_key_that_is_refused_for_minutes_costs_no_picture_and_the_admin_is_told_once(
    make_community: MakeCommunity, alarms: list[str]
) -> None:
    community = await make_community(duration=240)
    community.bfl.faults.append(Fault("poll", answers(403), times=FOR_EVER))
    await community.imagine(count=4)
    await community.pass_time(400)
    assert "did not accept the key" in text_of(community.card)
    community.bfl.faults.clear()
    await community.pass_time(60)
    assert len(community.card.attachments) == 4
    (alarm,) = alarms
    assert "did not accept the key of this server's account" in alarm


async def test_an_admin_is_not_told_again_and_again_of_a_provider_that_answers_oddly_now_and_then(
    make_community: MakeCommunity, alarms: list[str]
) -> None:
    community = await make_community(duration=300)
    await community.imagine(count=4)
    await community.pass_time(60)
    for _ in range(60):
        community.bfl.faults.append(Fault("poll", ODD["a list"]))
        await community.pass_time(5)
    assert len(community.card.attachments) == 4
    assert len(alarms) == 1


async def test_a_picture_of_astrias_waits_for_its_key_for_days(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    _, view = await draw_with(community, "astria")
    server = standin(community, "astria")
    server.faults.append(Fault("poll", answers(401), times=FOR_EVER))
    await community.skip(5 * 86_400, step=1800)
    assert not (await view()).ended
    assert len([each for each in server.requests if each.kind == "poll"]) < 2_000
    server.faults.clear()
    await community.skip(3600, step=1800)
    assert (await view()).images


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
async def test_the_file_of_a_finished_picture_is_fetched_again_for_minutes(community: Community, status: int) -> None:
    community.bfl.faults.append(Fault("sample", answers(status), times=FOR_EVER))
    await community.imagine()
    await community.pass_time(8 * 60)
    assert not community.card.attachments
    community.bfl.faults.clear()
    await community.pass_time(40)
    assert community.card.attachments
    assert await cost_of(community) == 60_000


async def test_a_dead_link_makes_the_bot_ask_for_another(community: Community) -> None:
    community.bfl.faults.append(Fault("poll", names_dead_link(), times=FOR_EVER))
    await community.imagine()
    await community.pass_time(60)
    assert not community.card.attachments
    community.bfl.faults.clear()
    await community.pass_time(40)
    assert community.card.attachments


async def test_the_providers_last_word_ends_a_picture_at_once(community: Community) -> None:
    await community.imagine()
    await community.clock.settle()
    community.bfl.end(community.bfl.tasks[0], "Error")
    await community.pass_time(15)
    assert text_of(community.card).startswith("### It could not be drawn\n")


async def test_a_picture_outlives_a_restart_without_its_providers_key(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    _, view = await draw_with(community, "astria")
    await community.pass_time(3)
    origin_of, community.services.origins = community.services.origins, dict(community.services.origins)
    del community.services.origins["astria"]
    await community.restart()
    await community.skip(1800, step=300)
    assert not (await view()).ended
    community.services.origins = origin_of
    await community.restart()
    await community.pass_time(60)
    assert (await view()).images


@pytest.mark.parametrize("seed", [2**63, 2**64, 10**30, -1, -(2**63) - 1, 1.5, "7", [7], True])
async def test_a_seed_that_none_can_be_is_unknown_and_loses_no_picture(community: Community, seed: Any) -> None:
    community.bfl.faults.append(Fault("poll", names_seed(seed), times=FOR_EVER))
    card = await community.drawn(seed=5)
    view = await community.view(job_of(card))
    assert view.images[0].seed is None
    assert "seed unknown" in text_of(card)
    assert await cost_of(community) == 60_000


@pytest.mark.parametrize("cost", [1e300, 9e14, 1e16, float("inf"), 10**400])
@pytest.mark.parametrize("at", ["submit", "poll"])
async def test_a_cost_that_cannot_be_is_not_counted_and_the_admin_is_told(
    community: Community, alarms: list[str], cost: Any, at: str
) -> None:
    community.bfl.faults.append(Fault(at, rewrites(cost=cost), times=FOR_EVER))
    await community.imagine(count=4)
    await community.pass_time(40)
    assert len(community.card.attachments) == 4
    view = await community.view(job_of(community.card))
    assert (view.state, view.cost) == (State.DONE, 240_000)
    assert not any(picture.job.holds_slot for picture in view.pictures)
    assert len(alarms) == 4
    assert "which cannot be" in alarms[0]


@pytest.mark.parametrize("cost", [float("nan"), -1, -1e300, "6", [6], True])
async def test_a_cost_that_says_nothing_leaves_the_receipts(community: Community, cost: Any) -> None:
    community.bfl.faults.append(Fault("poll", rewrites(cost=cost), times=FOR_EVER))
    await community.drawn()
    assert await cost_of(community) == 60_000


@pytest.mark.parametrize(
    ("settled", "charged", "shown"), [(0, 0, "$0.00"), (3, 30_000, "$0.03"), (12, 120_000, "$0.12")]
)
async def test_what_the_provider_says_last_is_what_it_cost(
    community: Community, settled: float, charged: int, shown: str
) -> None:
    community.bfl.quirks.settled = settled
    card = await community.drawn()
    view = await community.view(job_of(card))
    assert view.cost == charged
    assert f"· {shown}\n" in text_of(card)
    async with community.app.database.read() as db:
        (entry,) = [each for each in await ledger.of_job(db, view.pictures[0].job.id) if each.entry == "charge"]
        assert entry.amount == charged
        assert await jobs.spent(db, guild_id=community.guild.id, since=0) == charged


async def test_a_moderated_picture_costs_what_its_last_answer_says(community: Community) -> None:
    community.bfl.quirks.settled = 3
    await community.imagine(prompt="a gory fight")
    await community.pass_time(30)
    text = text_of(community.card)
    assert text.startswith("### It could not be drawn\n")
    assert "It was charged ($0.03)." in text
    assert "lost" not in text
    assert await cost_of(community) == 30_000


async def test_the_time_under_a_picture_is_that_of_its_drawing_and_the_moderators_is_apart(
    community: Community,
) -> None:
    await community.decide(
        confirm_above=10_000, review_channel_id=community.review.id, moderator_role_id=community.role.id
    )
    await community.imagine()
    await community.pass_time(300)
    (question,) = [each for each in community.review.history() if each.author.bot]
    await community.mia.click(question, label="Approve")
    await community.pass_time(30)
    text = text_of(community.card)
    assert community.card.attachments
    assert "· 10 s · agreed to after 5 min 0 s · $0.06" in text


async def test_callbacks_do_not_make_the_bot_ask_astria_too_soon(make_community: MakeCommunity) -> None:
    community = await make_community(
        trainers=["astria"], callbacks=True, astria={"quirks": AstriaQuirks(polling_gap=2)}
    )
    id_, view = await draw_with(community, "astria")
    for _ in range(50):
        await community.pass_time(0.5)
        await community.app.services.kit.callbacks.hints.give(f"{id_}-1")
    assert (await view()).images, "one question too soon would have cost thirty seconds"


async def test_callbacks_do_not_make_the_bot_ask_for_a_training_too_soon(make_community: MakeCommunity) -> None:
    community = await make_community(
        trainers=["astria"], callbacks=True, astria={"quirks": AstriaQuirks(polling_gap=2)}
    )
    started = await start(community, await draft(community, spec("astria")))
    for _ in range(300):
        await community.pass_time(1)
        await community.app.services.kit.callbacks.hints.give(f"{started.finetune.id}-1")
    assert (await finetune(community, started.finetune.id)).finetune.state is FinetuneState.READY


async def test_a_prompt_that_a_form_would_cut_is_not_put_into_one(community: Community) -> None:
    prompt = "a lighthouse " * 400
    card = await community.drawn(prompt=prompt, model="flux-2-pro")
    refused = private(await community.ada.click(card, label="Edit prompt"))
    assert refused == (
        f"This prompt has {len(prompt.strip()):,} characters, and a form takes 4,000: it would be cut. "
        "Send it with `/imagine` instead, with your changes."
    )


@pytest.mark.parametrize("kind", ["402", "403", "404", "a list", "a page", "418"])
async def test_one_odd_answer_to_the_search_for_a_lost_receipt_ends_no_training(
    make_community: MakeCommunity, kind: str
) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    view = await draft(community, spec("astria"))
    community.astria.faults.append(Fault("submit", loses_the_answer(), path="/tunes"))
    community.astria.faults.append(Fault("other", ODD[kind], path="/tunes", times=2))
    view = await start(community, view)
    for _ in range(20):
        await community.skip(240, step=120)
    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY, view.tries
    assert len(community.astria.tunes) == 1
