"""A training from the press of Start to the day it is ready, with each trainer: paid once, told once, lost never."""

import pytest

from bot.errors import Refused
from standins.base.faults import Fault, answers, loses_the_answer
from standins.bfl.service import Quirks
from storage.base.jobs import State
from storage.finetuning.finetunes import FinetuneState
from tests.conftest import MakeCommunity
from tests.scenes.community import text_of
from tests.scenes.kiln import draft, finetune, ledger_of, news, picture, spec, start, train_finetune, upload

HOUR = 3600.0


async def test_a_training_is_ordered_once_and_its_owner_is_told_by_name_when_it_is_ready(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["bfl"], training_duration=40 * 60.0)
    view = await start(community, await draft(community))
    assert view.finetune.state is FinetuneState.TRAINING

    await community.skip(39 * 60, step=60)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.TRAINING
    await community.skip(3 * 60, step=60)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY
    assert view.ref
    assert (view.ref.region, view.ref.trigger) == ("us1", "mycstm owl")
    (text,) = news(community)
    assert text.startswith(f"<@{community.ada.id}>")
    assert "ready" in text
    assert sum(request.path == "/v1/finetune" for request in community.bfl.requests) == 1
    assert await ledger_of(community, f"{view.finetune.id}-1") == [("estimate", 4_000_000), ("charge", 4_000_000)]


async def test_only_what_was_chosen_is_sent(make_community: MakeCommunity) -> None:
    """A learning rate that is not named is the service's own, which depends on the type."""
    community = await make_community(trainers=["bfl"])
    chosen = {"finetune_type": "lora", "lora_rank": "16", "iterations": 120}

    await start(community, await draft(community, spec(parameters=chosen, region="eu1")))

    (task,) = community.bfl.tasks
    assert task.region == "eu1"
    body = task.body
    assert (body["finetune_type"], body["lora_rank"], body["iterations"]) == ("lora", 16, 120)
    assert body["learning_rate"] == 1e-4
    assert body["mode"] == "character"
    assert body["trigger_word"] == "mycstm owl"


async def test_a_training_that_is_not_found_after_its_end_is_ready(make_community: MakeCommunity) -> None:
    """BFL forgets the task of a finished finetune; its details are still there."""
    quirks = Quirks(training_appears_after=25.0, training_forgotten_after=0.0)
    community = await make_community(trainers=["bfl"], training_duration=1200.0, quirks=quirks)

    view = await train_finetune(community)

    assert view.finetune.state is FinetuneState.READY


async def test_a_passing_error_is_waited_out(make_community: MakeCommunity) -> None:
    community = await make_community(
        trainers=["bfl"], training_duration=1800.0, quirks=Quirks(training_errors=(300.0, 350.0))
    )

    view = await train_finetune(community)

    assert view.finetune.state is FinetuneState.READY


async def test_a_training_that_fails_for_good_goes_back_to_the_draft_and_costs_nothing(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["bfl"], training_duration=1800.0)
    view = await start(community, await draft(community))
    (task,) = community.bfl.tasks
    community.bfl.end(task, "Error", after=600.0)

    await community.skip(HOUR, step=120)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.DRAFT
    assert len(view.pictures) == 6
    assert "Nothing was charged" in text_of(community.cards[0])
    assert await ledger_of(community, f"{view.finetune.id}-1") == [("estimate", 4_000_000), ("charge", 0)]
    again = await start(community, view)
    assert len(again.tries) == 2


async def test_a_service_that_is_broken_for_hours_fails_nothing(make_community: MakeCommunity) -> None:
    community = await make_community(
        trainers=["bfl"], training_duration=1800.0, quirks=Quirks(training_crashes=(0.0, 5 * HOUR))
    )
    view = await start(community, await draft(community))

    await community.skip(4.9 * HOUR)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.TRAINING
    await community.skip(0.4 * HOUR)

    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.READY


async def test_a_server_that_trains_no_more_says_so_and_the_others_are_offered(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl", "astria"], era=2026)
    view = await start(community, await draft(community))

    assert view.finetune.state is FinetuneState.DRAFT
    assert view.tries[0].state is State.FAILED
    text = text_of(community.cards[0])
    assert "no longer" in text
    assert "Nothing was charged" in text
    assert "Use Astria instead" in text

    await community.app.services.finetuning.drafts.use_trainer(view.finetune.id, "astria", by=view.finetune.owner_id)
    assert (await finetune(community, view.finetune.id)).trainer.key == "astria"


async def test_a_lost_receipt_is_found_again_and_the_training_is_paid_once(make_community: MakeCommunity) -> None:
    """The answer never came; BFL lists a finetune only when it is done."""
    community = await make_community(trainers=["bfl"], training_duration=HOUR)
    community.bfl.faults.append(Fault("train", loses_the_answer()))
    view = await start(community, await draft(community))
    assert view.finetune.state is FinetuneState.TRAINING
    assert "looking for it" in (view.progress.inferred or "")

    await community.skip(1.2 * HOUR, step=120)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY
    assert len(community.bfl.tasks) == 1


async def test_what_cannot_be_found_in_a_day_is_unknown_and_is_not_ordered_again(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    community.bfl.faults.append(Fault("train", answers(504)))
    view = await start(community, await draft(community))

    await community.skip(25 * HOUR, step=1800)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.UNKNOWN
    assert await ledger_of(community, f"{view.finetune.id}-1") == [("estimate", 4_000_000), ("charge", None)]
    assert sum(request.path == "/v1/finetune" for request in community.bfl.requests) == 1
    assert "may have been charged" in text_of(community.cards[0])


async def test_pictures_that_are_turned_down_are_told_with_the_reason(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await start(community, await draft(community, spec(trigger="nude owl")))

    await community.skip(HOUR, step=120)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.DRAFT
    assert "moderation" in text_of(community.cards[0])


async def test_a_restart_in_the_middle_loses_nothing(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"], training_duration=2 * HOUR)
    view = await start(community, await draft(community))
    await community.skip(HOUR, step=120)

    await community.restart()
    await community.skip(1.1 * HOUR, step=120)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY
    assert len(community.bfl.tasks) == 1
    assert len(news(community)) == 1


async def test_nothing_is_started_but_what_the_card_showed(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    shown = await draft(community)
    await community.app.services.finetuning.drafts.caption(
        shown.finetune.id, {1: "an owl on a roof"}, by=community.ada.id
    )

    with pytest.raises(Refused, match="has changed since"):
        await start(community, shown)

    assert not community.bfl.tasks


async def test_a_set_with_too_few_pictures_is_not_started(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    view = await draft(community, spec("astria"), uploads=[upload("one.jpg", picture(1))])
    assert view.blocked

    with pytest.raises(Refused, match="at least 4"):
        await start(community, view)


async def test_a_training_above_the_limit_waits_for_a_moderator(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await community.decide(
        confirm_above=1_000_000, moderator_role_id=community.role.id, review_channel_id=community.review.id
    )

    view = await start(community, await draft(community))
    assert view.finetune.state is FinetuneState.ASKING
    assert not community.bfl.tasks
    question = community.review.history()[-1]
    await community.mia.click(question, label="Approve")
    await community.clock.settle()

    assert len(community.bfl.tasks) == 1
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.TRAINING
