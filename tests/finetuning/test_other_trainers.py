"""Trainings at Astria and at Vimmerse, from Start to the first picture, with what is peculiar to each."""

from typing import Any

import pytest

from bot.errors import Refused
from bot.providers.training import HasPacks, Pack
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.finetuning.drafts import Source
from standins.base.faults import Fault, answers, fails_after, loses_the_answer
from storage.finetuning.finetunes import FinetuneState
from tests.conftest import MakeCommunity
from tests.finetuning.test_living import origin
from tests.scenes.community import Community, text_of
from tests.scenes.kiln import draft, finetune, ledger_of, news, picture, pictures, spec, start, train_finetune, upload

HOUR = 3600.0


def source(community: Community) -> Source:
    return Source(community.ada.id, community.ada.id)


async def draw_picture(community: Community, finetune_id: str, prompt: str, **more: object) -> None:
    request = ImageRequest(prompt=prompt, model="", finetune=finetune_id).model_copy(update=more)
    job = await community.app.services.drawing.requests.accept(origin(community, community.ada.id), request)
    await community.pass_time(120)
    view = await community.view(job.id)
    assert view.images, view.pictures


async def test_astria_trains_and_draws_with_its_lora_and_nobody_elses(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    view = await train_finetune(community, spec("astria"))
    assert view.ref
    (tune,) = community.astria.tunes
    assert view.ref.remote_id == str(tune.id)
    assert view.finetune.expires_at

    await draw_picture(community, view.finetune.id, "by the sea <lora:666:2> --video 10")

    text = community.astria.prompts[-1].text
    assert text.startswith(f"<lora:{tune.id}:1> mycstm owl cat, by the sea")
    assert "666" not in text
    assert "--" not in text


async def test_a_tune_that_was_made_behind_a_504_is_found_by_its_title_and_not_made_twice(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    community.astria.faults.append(Fault("submit", fails_after(504), path="/tunes"))

    view = await train_finetune(community, spec("astria"))

    assert view.finetune.state is FinetuneState.READY
    assert len(community.astria.tunes) == 1
    entries = await ledger_of(community, f"{view.finetune.id}-1")
    assert entries == [("estimate", 1_500_000), ("charge", 1_500_000)]


async def test_astria_inspects_the_pictures_before_anything_is_paid(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria", "bfl"])
    assert community.astria
    view = await draft(community, spec("bfl"))

    assert all(inspection is not None for inspection in view.inspections)
    assert not community.astria.tunes


async def test_an_inspection_that_is_not_to_be_had_stands_in_nobodys_way(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    community.astria.faults.append(Fault("other", answers(500), times=50, path="/images/inspect"))
    community.astria.faults.append(Fault("submit", answers(500), times=50, path="/images/inspect"))

    view = await train_finetune(community, spec("astria"))

    assert view.finetune.state is FinetuneState.READY


async def test_a_tune_that_fails_may_have_been_charged_and_the_owner_is_told(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    view = await start(community, await draft(community, spec("astria")))
    community.astria.fail(community.astria.tunes[0], "Too few faces")

    await community.skip(HOUR)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.DRAFT
    assert "Too few faces" in text_of(community.cards[0])
    assert all(tune.deleted for tune in community.astria.tunes)
    assert await ledger_of(community, f"{view.finetune.id}-1") == [("estimate", 1_500_000), ("charge", None)]


async def test_vimmerse_makes_up_the_trigger_word_and_draws_with_it(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["vimmerse"])
    assert community.vimmerse
    view = await train_finetune(community, spec("vimmerse-flux"))
    assert view.ref
    assert view.ref.trigger.startswith("mycstm_")
    assert view.price is None
    assert await ledger_of(community, f"{view.finetune.id}-1") == [("estimate", 0), ("charge", None)]

    await draw_picture(community, view.finetune.id, "on a roof")

    order = community.vimmerse.assets[-1]
    assert order.args["prompt"].startswith(f"{view.ref.trigger}, on a roof")
    assert order.args["option"] == "FluxFinetuned"


async def test_a_kontext_finetune_learns_from_pairs_and_edits_a_picture(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["vimmerse"])
    odd = spec("vimmerse-kontext", subject="general", instruction="make it night")
    view = await draft(community, odd, uploads=pictures(3))
    with pytest.raises(Refused, match="pairs"):
        await start(community, view)

    await community.app.services.finetuning.drafts.add(
        view.finetune.id, [upload("four.jpg", picture(4))], source(community)
    )
    view = await finetune(community, view.finetune.id)
    view = await start(community, view)
    await community.skip(HOUR)
    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY

    with pytest.raises(Refused, match="needs an image"):
        await draw_picture(community, view.finetune.id, "")
    stored = await community.app.services.kit.files.store(picture(9))
    await draw_picture(community, view.finetune.id, "", inputs={"image_file": stored})


async def test_what_vimmerse_does_not_list_only_a_person_can_settle(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["vimmerse"])
    assert community.vimmerse
    community.vimmerse.faults.append(Fault("submit", loses_the_answer()))

    view = await start(community, await draft(community, spec("vimmerse-flux")))

    assert view.finetune.state is FinetuneState.UNKNOWN
    assert len(community.vimmerse.trainings) == 1
    (text,) = news(community)
    assert "may have been charged" in text


@pytest.mark.parametrize(("trainer", "soon"), [("bfl", 1190), ("astria", 270), ("vimmerse-flux", 1190)])
async def test_a_callback_has_it_announced_at_once(make_community: MakeCommunity, trainer: str, soon: int) -> None:
    provider = trainer.partition("-")[0]
    community = await make_community(trainers=[provider], callbacks=True, training_duration=1203.0)
    view = await start(community, await draft(community, spec(trainer)))
    await community.skip(soon, step=30)

    while True:
        assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.TRAINING
        if await community.services.deliver_callbacks():
            break
        await community.pass_time(1)

    await community.clock.settle()
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.READY


async def test_a_callback_that_is_lost_costs_a_minute_and_nothing_else(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"], callbacks=True, training_duration=1200.0)

    view = await train_finetune(community)

    assert view.finetune.state is FinetuneState.READY


async def test_a_pack_is_started_from_a_training_set_and_costs_no_more_than_was_said(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    (pack,) = [each for each in await packs(community) if each.id == "911"]
    balance = community.astria.balance_mc
    wanted = spec("astria", trigger="", pack=pack.id, pack_cost=pack.costs["cat"])
    view = await start(community, await draft(community, wanted))

    await community.skip(HOUR, step=60)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY
    assert len(view.samples) == 2
    assert view.price == 3_000_000 + pack.costs["cat"]
    assert (balance - community.astria.balance_mc) * 10 <= 3_000_000 + pack.costs["cat"]
    assert view.ref
    assert view.ref.trigger == f"{community.astria.tunes[0].token} cat"


@pytest.mark.parametrize(
    "given", [{"trigger": "mine"}, {"parameters": {"steps": 500}}, {"parameters": {"branch": "fast"}}]
)
async def test_what_a_pack_decides_is_not_asked_for(make_community: MakeCommunity, given: dict[str, Any]) -> None:
    community = await make_community(trainers=["astria"])

    with pytest.raises(Refused, match="A pack"):
        await draft(community, spec("astria", **{"trigger": "", "pack": "911"} | given))


async def packs(community: Community) -> list[Pack]:
    astria = community.app.services.kit.providers["astria"]
    assert isinstance(astria, HasPacks)
    return await astria.list_packs()


async def test_a_packs_picture_that_is_refused_once_is_fetched_again(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    assert community.astria
    (pack,) = [each for each in await packs(community) if each.id == "911"]
    wanted = spec("astria", trigger="", pack=pack.id, pack_cost=pack.costs["cat"])
    view = await start(community, await draft(community, wanted))
    community.astria.faults.append(Fault("sample", answers(403), times=3))
    for _ in range(60):
        await community.skip(60, step=20)
    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY
    assert len(view.samples) == 2
