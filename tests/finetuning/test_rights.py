"""Consent taken back, and decisions that come while a training is under way: no picture is used against them."""

import pytest

from bot.errors import Refused
from bot.jobs.worker import backoff
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.finetuning.drafts import Source
from bot.workflows.finetuning.types import FinetuneView
from standins.base.faults import Fault, answers
from storage.base.jobs import State
from storage.finetuning.finetunes import FinetuneState, Visibility
from tests.conftest import MakeCommunity
from tests.finetuning.test_living import origin
from tests.scenes.community import Community, text_of
from tests.scenes.kiln import draft, finetune, ledger_of, picture, pictures, spec, start, train_finetune, upload

HOUR = 3600.0


async def shared_draft(community: Community) -> FinetuneView:
    """Five pictures of Ada's, and one of Ben's that she put in."""
    await community.decide(moderator_role_id=community.role.id, review_channel_id=community.review.id)
    view = await draft(community, uploads=pictures(5))
    given = Source(contributor_id=community.ben.id, added_by=community.ada.id)
    await community.app.services.finetuning.drafts.add(view.finetune.id, [upload("bens.jpg", picture(77))], given)
    await community.pass_time(5)
    return await finetune(community, view.finetune.id)


async def test_a_contributor_is_told_when_somebody_else_puts_their_pictures_in(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await shared_draft(community)

    text = text_of(community.cards[-1])

    assert text.startswith(f"<@{community.ben.id}> <@{community.ada.id}> has put pictures of yours")
    await community.ben.click(community.cards[-1], label="Withdraw my pictures")


async def test_from_a_draft_withdrawn_pictures_are_gone_at_once(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await shared_draft(community)

    await community.app.services.finetuning.finetunes.withdraw(view, by=community.ben.id)

    view = await finetune(community, view.finetune.id)
    assert view.contributors == (community.ada.id,)
    assert view.finetune.sheet
    assert view.finetune.frozen_at is None


async def test_a_training_that_has_not_left_goes_back_to_a_draft_without_them(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await community.decide(confirm_above=1)
    view = await start(community, await shared_draft(community))
    assert view.finetune.state is FinetuneState.ASKING

    await community.app.services.finetuning.finetunes.withdraw(view, by=community.ben.id)
    await community.pass_time(5)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.DRAFT
    assert len(view.pictures) == 5
    assert not community.bfl.tasks


async def test_a_failed_training_is_not_tried_again_with_withdrawn_pictures(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"], training_duration=1800.0)
    view = await start(community, await shared_draft(community))
    await community.app.services.finetuning.finetunes.withdraw(view, by=community.ben.id)
    community.bfl.end(community.bfl.tasks[0], "Error", after=600.0)

    await community.skip(HOUR)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.DRAFT
    assert (len(view.pictures), view.contributors) == (5, (community.ada.id,))
    assert view.finetune.frozen_at is None
    assert "Withdrawn" in text_of(community.review.history()[-1]) or view.review is None or view.review.state != "open"


async def test_what_is_denied_during_its_training_is_deleted_when_that_is_over(make_community: MakeCommunity) -> None:
    """A trainer deletes only what is finished."""
    community = await make_community(trainers=["bfl"], training_duration=1800.0)
    view = await start(community, await shared_draft(community))
    await community.app.services.finetuning.finetunes.withdraw(view, by=community.ben.id)
    await community.pass_time(5)
    form = await community.mia.click(community.review.history()[-1], label="Delete the finetune")
    await community.mia.submit_modal(form, {"reason": "He has taken it back."})
    await community.pass_time(5)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.DELETED

    await community.skip(HOUR)

    assert len(community.bfl.tasks) == 1
    assert not community.bfl.finetunes
    assert not community.files


async def test_it_stays_frozen_until_the_last_withdrawal_is_decided(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await shared_draft(community)
    view = await start(community, view)
    await community.skip(HOUR)
    finetunes = community.app.services.finetuning.finetunes
    await finetunes.withdraw(view, by=community.ben.id)
    await community.pass_time(5)
    await finetunes.withdraw(view, by=community.ada.id)
    await community.pass_time(5)
    first, second = community.review.history()[-2:]

    await community.mia.click(first, label="Keep the finetune")
    assert not (await finetune(community, view.finetune.id)).usable
    await community.mia.click(second, label="Keep the finetune")
    assert (await finetune(community, view.finetune.id)).usable


async def test_an_owner_who_moderates_does_not_decide_on_their_own_finetune(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await community.decide(moderator_role_id=community.role.id, review_channel_id=community.review.id)
    view = await draft(community, owner=community.mia.id)
    view = await start(community, view)
    await community.skip(HOUR)
    await community.app.services.finetuning.finetunes.withdraw(view, by=community.mia.id)
    await community.pass_time(5)

    await community.mia.click(community.review.history()[-1], label="Keep the finetune")

    assert not (await finetune(community, view.finetune.id)).usable


async def test_a_picture_that_waited_is_not_drawn_with_a_finetune_that_was_frozen_meanwhile(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community)
    await community.decide(confirm_above=1, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.app.services.finetuning.finetunes.share(view, by=community.ada.id, visibility=Visibility.COMMUNITY)
    request = ImageRequest(prompt="x", model="", finetune=view.finetune.id)
    job = await community.app.services.drawing.requests.accept(origin(community, community.ben.id), request)
    await community.pass_time(5)
    question = community.review.history()[-1]

    await community.app.services.finetuning.finetunes.withdraw(view, by=community.ada.id)
    await community.mia.click(question, label="Approve")
    await community.pass_time(60)

    assert len(community.bfl.tasks) == 1  # the training
    waited = await community.view(job.id)
    assert (waited.state, waited.cost) == (State.FAILED, 0)


async def test_a_paid_training_survives_a_start_without_its_trainer(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria", "bfl"])
    view = await start(community, await draft(community, spec("astria")))
    address = community.services.origins.pop("astria")

    await community.restart()
    await community.skip(HOUR)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.TRAINING
    community.services.origins["astria"] = address
    await community.restart()
    await community.skip(HOUR)

    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.READY
    assert await ledger_of(community, f"{view.finetune.id}-1") == [("estimate", 1_500_000), ("charge", 1_500_000)]


async def test_only_the_newest_try_can_be_settled_by_its_reference(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    community.bfl.faults.append(Fault("train", answers(504)))
    view = await start(community, await draft(community))
    await community.skip(26 * HOUR, step=1800)
    view = await start(community, await finetune(community, view.finetune.id))
    await community.skip(HOUR)
    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY

    with pytest.raises(Refused, match="newest training"):
        await community.app.services.finetuning.finetunes.charge_outcome(
            f"{view.finetune.id}-1", by=1, charged=None, reference="stale", refunded=None
        )

    assert (await finetune(community, view.finetune.id)).ref == view.ref


async def test_an_unknown_try_is_not_forgotten_when_the_next_one_is_stopped(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    community.bfl.faults.append(Fault("train", answers(504)))
    view = await start(community, await draft(community))
    await community.skip(26 * HOUR, step=1800)
    await community.decide(confirm_above=1)
    view = await start(community, await finetune(community, view.finetune.id))
    assert view.finetune.state is FinetuneState.ASKING

    await community.app.services.finetuning.starts.stop(view.finetune.id, by=community.ada.id)

    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.UNKNOWN


def test_a_job_may_be_looked_at_thousands_of_times() -> None:
    assert 90 <= backoff(5000) <= 160
