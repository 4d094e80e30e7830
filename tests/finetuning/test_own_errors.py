"""An error of this bot ends no training at its trainer: only what the trainer says does."""

import pytest

from bot.workflows.finetuning.training_job import TrainingJob
from storage.base.jobs import State
from storage.database import change
from storage.finetuning.transitions import FinetuneState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.kiln import draft, finetune, spec, start


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    return await make_community(trainers=["astria"])


async def test_a_bug_while_a_training_is_looked_at_is_survived(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await start(community, await draft(community, spec("astria")))
    assert community.astria
    (tune,) = community.astria.tunes
    look, bugs = TrainingJob._look, [KeyError("odd")] * 5  # pyright: ignore[reportPrivateUsage]

    async def look_oddly(*arguments: object) -> object:
        if bugs:
            raise bugs.pop()
        return await look(*arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(TrainingJob, "_look", look_oddly)
    for _ in range(100):
        await community.skip(120, step=60)
        view = await finetune(community, view.finetune.id)
        if view.finetune.state is not FinetuneState.TRAINING:
            break

    assert not bugs
    assert view.finetune.state is FinetuneState.READY
    assert [each.id for each in community.astria.tunes] == [tune.id], "it is ordered once"
    assert not tune.deleted


async def test_a_training_that_failed_here_is_not_deleted_at_its_trainer(community: Community) -> None:
    view = await start(community, await draft(community, spec("astria")))
    assert community.astria
    assert view.training
    await community.pass_time(30)
    async with community.app.database.write() as db:
        await change(
            db,
            "UPDATE jobs SET state = 'failed', error = 'The bot made a mistake.', holds_slot = FALSE, "
            "lease_holder = NULL WHERE id = :id",
            {"id": view.training.id},
        )
    async with community.app.services.kit.work() as tx:
        await tx.wake(view.finetune.id)
    await community.pass_time(60)

    view = await finetune(community, view.finetune.id)
    assert view.training
    assert view.training.state is State.FAILED
    assert not any(tune.deleted for tune in community.astria.tunes)
    assert not [request for request in community.astria.requests if request.method == "DELETE"]
