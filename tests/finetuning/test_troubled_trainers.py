"""A training is under way while its trainer is in trouble: in the end it is ready, and it was paid once."""

import pytest

from bot.errors import Unavailable
from bot.providers.interface import FinetuneRef
from standins.base.faults import Fault, Trouble, answers, hangs_up, html, loses_the_answer, malformed
from standins.base.serving import Standin
from storage.finetuning.finetunes import FinetuneState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.kiln import draft, finetune, news, spec, start, train_finetune

HOUR = 3600.0
FOR_EVER = 10**6
TRAINERS = {"bfl": "bfl", "astria": "astria", "vimmerse-flux": "vimmerse"}
"""Trainers with their providers."""
TROUBLES: dict[str, Trouble] = {
    "500": answers(500),
    "502": answers(502),
    "503": answers(503),
    "reset": hangs_up(),
    "answer lost": loses_the_answer(),
    "JSON cut": malformed(),
    "web page": html(),
}


def standin(community: Community, trainer: str) -> Standin:
    made: Standin = getattr(community, TRAINERS[trainer])
    return made


def count_paid(community: Community) -> int:
    """Trainings that any trainer was paid for."""
    return (
        len([task for task in community.bfl.tasks if "finetune_comment" in task.body])
        + len(community.astria.tunes if community.astria else [])
        + len(community.vimmerse.trainings if community.vimmerse else [])
    )


@pytest.mark.parametrize("trainer", TRAINERS)
async def test_a_trainer_that_is_gone_for_an_hour_loses_nothing(make_community: MakeCommunity, trainer: str) -> None:
    community = await make_community(trainers=[TRAINERS[trainer]])
    view = await start(community, await draft(community, spec(trainer)))
    standin(community, trainer).faults.append(Fault("*", hangs_up(), times=FOR_EVER))

    await community.skip(HOUR)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.TRAINING
    standin(community, trainer).faults.clear()
    await community.skip(HOUR)

    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.READY
    assert count_paid(community) == 1
    assert len(news(community)) == 1


@pytest.mark.parametrize("trainer", TRAINERS)
async def test_looks_at_a_training_that_fail_once_each_in_every_way_end_nothing(
    make_community: MakeCommunity, trainer: str
) -> None:
    community = await make_community(trainers=[TRAINERS[trainer]])
    view = await start(community, await draft(community, spec(trainer)))
    standin(community, trainer).faults += [Fault("poll", trouble) for trouble in TROUBLES.values()]

    await community.skip(2 * HOUR, step=90)

    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.READY
    assert not standin(community, trainer).faults, "all of them were met"
    assert count_paid(community) == 1


async def test_a_deleted_finetune_leaves_no_picture_here_while_its_trainer_does_not_answer(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community)
    assert community.files
    community.bfl.faults.append(Fault("*", hangs_up(), times=FOR_EVER))
    await community.app.services.finetuning.finetunes.delete(view, by=community.ada.id)
    await community.pass_time(60)
    assert not community.files
    assert community.bfl.finetunes

    community.bfl.faults.clear()
    await community.skip(2 * HOUR)
    assert not community.bfl.finetunes


async def test_a_failed_training_is_a_draft_again_while_its_trainer_deletes_nothing(
    make_community: MakeCommunity, monkeypatch: pytest.MonkeyPatch
) -> None:
    community = await make_community(trainers=["bfl"], training_duration=1800.0)
    provider, deleted = community.app.services.kit.providers["bfl"], list[FinetuneRef]()

    async def refuse(_ref: FinetuneRef) -> None:
        raise Unavailable("Black Forest Labs does not answer.")

    async def delete(ref: FinetuneRef) -> None:
        deleted.append(ref)

    monkeypatch.setattr(provider, "delete_finetune", refuse)
    view = await start(community, await draft(community))
    (task,) = community.bfl.tasks
    community.bfl.end(task, "Error", after=600.0)
    await community.skip(HOUR, step=120)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.DRAFT
    assert len(news(community)) == 1

    monkeypatch.setattr(provider, "delete_finetune", delete)
    await community.skip(2 * HOUR)
    assert len(deleted) == 1
