"""What the bot remembers of a registration ends with it."""

from standins.chain.accounts import BOT
from tests.conftest import MakeCommunity
from tests.scenes.registering import submit_registration
from tests.scenes.registry import CONFIRMED, begin_registration, chain_of, follow_registration


async def test_a_registration_that_is_over_is_not_remembered(make_community: MakeCommunity) -> None:
    community = await make_community(story={})
    registration_id = await submit_registration(community)
    await chain_of(community).fund(BOT.address, 10**9)
    await begin_registration(community, registration_id)
    await community.skip(600)
    job = community.app.worker._recipes["register"].run
    assert vars(job)["_alarmed"] == {registration_id}, "the admin knows that it waits for coins"

    await chain_of(community).fund(BOT.address, 10**18)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    remembered = {name: value for name, value in vars(job).items() if isinstance(value, set | dict) and value}
    assert not remembered
