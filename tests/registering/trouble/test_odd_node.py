"""A node or a gateway that answers oddly for a moment: it is no verdict, and nothing ends for it."""

from typing import Any

import pytest

from bot.errors import Unavailable
from bot.workflows.registering.job import DIFFERS_FOR, TRIED_AGAIN
from bot.workflows.registering.upkeep import ReadinessCheck, look_after_nonces
from standins.base.faults import Fault, answers, html
from standins.chain import errors, says
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.registering import read_cards, submit_registration
from tests.scenes.registry import CONFIRMED, begin_registration, chain_of, check_claims, follow_registration, pinata_of


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers."""
    return await make_community(story={})


@pytest.mark.parametrize(
    "trouble",
    [answers(404, "page not found"), answers(401, "no"), errors(500, "busy"), html()],
    ids=["404", "401", "an error with 500", "HTML"],
)
async def test_a_dry_run_that_could_not_be_asked_is_asked_again(community: Community, trouble: Any) -> None:
    outage = Fault("eth_call", trouble, times=1000)
    registration_id = await submit_registration(community)
    assert (await read_cards(community, registration_id)).dry_run
    chain_of(community).faults.append(outage)
    other = await submit_registration(community, title="Another lighthouse")
    assert (await read_cards(community, other)).dry_run is None

    outage.times = 0
    await community.pass_time(TRIED_AGAIN + 5)

    tried = (await read_cards(community, other)).dry_run
    assert tried
    assert tried.good, tried.sentence


@pytest.mark.parametrize("method", ["eth_getBlockByNumber", "eth_call", "eth_getTransactionCount", "eth_chainId"])
@pytest.mark.parametrize(
    "odd", [says(None), says("-0x1"), answers(404, "page not found")], ids=["null", "negative", "404"]
)
async def test_an_odd_answer_ends_no_registration(community: Community, method: str, odd: Any) -> None:
    registration_id = await submit_registration(community)
    chain_of(community).faults.append(Fault(method, odd, times=3))
    await begin_registration(community, registration_id)

    ended = await follow_registration(community, registration_id, within=1200)

    assert ended.state is CONFIRMED, ended.error
    await check_claims(community, tokens=1)


async def test_a_page_of_the_gateway_is_no_verdict_on_the_files(community: Community) -> None:
    registration_id = await submit_registration(community)
    pinata_of(community).faults.append(Fault("gateway", html()))
    await begin_registration(community, registration_id)

    await follow_registration(community, registration_id)
    assert not pinata_of(community).faults
    await community.pass_time(DIFFERS_FOR + 10)

    view = await read_cards(community, registration_id)
    assert view.outcome
    assert view.outcome.proven


class OddRegistrar:
    """Of a node that answers what nobody thought of; then as usual."""

    def __init__(self, usual: Any) -> None:
        self.usual = usual
        self.failures = 2

    async def readiness(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise TypeError("an answer that nobody thought of")
        return await self.usual.readiness()


async def test_the_watch_of_coins_outlives_whatever_is_raised_and_the_admin_is_told_once(
    community: Community,
) -> None:
    alarms: list[str] = []

    async def alarm(sentence: str) -> None:
        alarms.append(sentence)

    kit: Any = type("Kit", (), {"clock": community.clock, "alarm": staticmethod(alarm)})
    registrar: Any = OddRegistrar(community.app.services.registering.job._publishing.registrar)  # pyright: ignore
    check = ReadinessCheck(kit, registrar=registrar)

    for _ in range(3):
        await check.run()

    assert len(alarms) == 1
    assert "could not be looked at" in alarms[0]


async def test_the_round_over_nonces_waits_out_a_node_that_does_not_answer() -> None:
    class Silent:
        async def look_after(self) -> None:
            raise Unavailable("no answer")

    silent: Any = Silent()
    await look_after_nonces(silent)
