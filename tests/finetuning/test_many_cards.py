"""Many cards of trainings under way are read at once, after a start: nothing waits for itself."""

import asyncio

from bot.jobs.pace import Pace
from storage.database import READERS
from storage.finetuning.finetunes import FinetuneState
from tests.conftest import MakeCommunity
from tests.scenes.kiln import draft, spec, start

CARDS = 3 * READERS


async def test_more_cards_than_there_are_connections_are_read_at_once_before_there_is_a_history(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["bfl"])
    view = await start(community, await draft(community, spec()))
    assert view.finetune.state is FinetuneState.TRAINING
    views = community.app.services.finetuning.views
    # As after a start: nothing of the history is in memory yet.
    views._pace = Pace(community.app.database)  # pyright: ignore[reportPrivateUsage]

    async with asyncio.timeout(10):
        read = await asyncio.gather(*(views.of(view.finetune.id) for _ in range(CARDS)))

    assert all(each and each.forecast for each in read)
