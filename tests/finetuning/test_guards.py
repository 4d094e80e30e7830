"""What keeps a training from being started: somebody else, a limit of money, and a set that has changed."""

from collections.abc import Awaitable, Callable

import pytest

from bot.errors import Refused
from storage.database import change
from storage.finetuning.finetunes import FinetuneState, Visibility
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.kiln import draft, finetune, spec, start


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    return await make_community(trainers=["bfl", "vimmerse"])


async def test_a_training_without_a_price_is_asked_about_where_money_is_limited(community: Community) -> None:
    await community.decide(daily_budget=100_000_000)
    view = await start(community, await draft(community, spec("vimmerse-flux")))
    assert view.finetune.state is FinetuneState.ASKING
    assert community.vimmerse
    assert not community.vimmerse.trainings


async def test_a_training_beyond_the_budget_is_not_started(community: Community) -> None:
    await community.decide(daily_budget=1_000_000)
    view = await draft(community)
    with pytest.raises(Refused, match="budget"):
        await start(community, view)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.DRAFT


async def test_only_the_owner_starts_and_stops_a_training(community: Community) -> None:
    await community.decide(confirm_above=1)
    view, starts = await draft(community), community.app.services.finetuning.starts
    with pytest.raises(Refused, match="Only the owner"):
        await starts.start(view.finetune.id, by=community.ben.id, digest=view.digest)
    view = await start(community, view)
    with pytest.raises(Refused, match="Only the owner"):
        await starts.stop(view.finetune.id, by=community.ben.id)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.ASKING


async def test_a_set_that_changes_while_it_is_packed_is_not_started(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, starts = await draft(community), community.app.services.finetuning.starts
    pack: Callable[[object], Awaitable[str]] = getattr(starts, "_store_archive")  # noqa: B009 - it is protected

    async def pack_and_change(packed: object) -> str:
        archive = await pack(packed)
        async with community.app.database.write() as db:
            await change(db, "UPDATE training_images SET caption = 'changed' WHERE position = 1", {})
        return archive

    monkeypatch.setattr(starts, "_store_archive", pack_and_change)
    with pytest.raises(Refused, match="has changed since"):
        await starts.start(view.finetune.id, by=community.ada.id, digest=view.digest)
    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.DRAFT


async def test_only_the_owner_changes_a_finetune(community: Community) -> None:
    view, verbs, ben = await draft(community), community.app.services.finetuning.finetunes, community.ben.id
    for attempt in (
        verbs.rename(view, by=ben, name="Mine", description=None),
        verbs.share(view, by=ben, visibility=Visibility.COMMUNITY),
        verbs.keep(view, by=ben, model=None, strength=1.0),
        verbs.delete(view, by=ben),
        verbs.train_again(view, by=ben),
    ):
        with pytest.raises(Refused, match="who made this finetune"):
            await attempt
