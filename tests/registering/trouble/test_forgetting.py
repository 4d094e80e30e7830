"""What is noted of a registration in memory is forgotten once it is over."""

from typing import Any

from bot.workflows.registering.types import UNDO
from tests.conftest import MakeCommunity
from tests.scenes.registering import approve, read_cards, submit_registration
from tests.scenes.registry import pinata_of


async def test_a_registration_that_is_over_is_not_remembered(make_community: MakeCommunity) -> None:
    """Its files were never handed out: the bot has read them for an hour, and gave up."""
    community = await make_community(story={})
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    await community.pass_time(UNDO - 1)
    pinata_of(community).quirks.visible_after = 1e6
    await community.pass_time(10)
    job: Any = vars(community.app.worker)["_recipes"]["register"].run
    assert registration_id in vars(job)["_read_since"]

    await community.skip(7200, step=300)
    assert (await read_cards(community, registration_id)).ended
    assert [vars(job)[name] for name in ("_alarmed", "_read_since", "_differs_since")] == [set(), {}, {}]
