"""Pinning services that fail, lie and dawdle; recipients and wallets that cannot: one token or none, with right hashes.

Here the bot is not killed: tests/crash/registering/test_crash_registration.py does that. What must be true each time
is in `tests/crash/registering/registry_claims.py`.
"""

import logging

import pytest
from aiohttp import web

from bot.cards.registering.card import proof_of
from bot.errors import Refused
from bot.workflows.registering.rereading import REREADING_ROUND
from bot.workflows.registering.types import UNDO
from standins.base.faults import Fault, Handler, Trouble, fails_after, hangs_up, html, loses_the_answer, malformed
from standins.chain.accounts import BOT
from standins.pinata import PinataServer
from standins.pinata.faults import rate_limits
from storage.registering.transitions import RegistrationState
from storage.reviewing import audit
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, text_of
from tests.scenes.registering import (
    WALLET,
    approve,
    draft_registration,
    load_registration,
    read_cards,
    submit_registration,
)
from tests.scenes.registry import (
    CONFIRMED,
    FAILED,
    begin_registration,
    chain_of,
    check_claims,
    collection_of,
    fine,
    follow_registration,
    pinata_of,
    remains,
    retry_registration,
    until,
)

NO_RECEIVER = bytes.fromhex("60006000fd")
"""A contract that refuses whatever it is asked."""


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers."""
    return await make_community(story={})


# The pinning service.


async def test_pins_that_fail_for_a_while_are_made_later(community: Community) -> None:
    """Nothing is on the chain before all three are pinned, and nobody has to press anything."""
    registration_id = await submit_registration(community)
    troubles = [html(), html(503), malformed(), hangs_up(), loses_the_answer(), fails_after(502), rate_limits(0)]
    for trouble in troubles:
        pinata_of(community).faults += [Fault("upload", trouble), Fault("upload", fine())]
    await begin_registration(community, registration_id)
    assert not (await remains(community)).tokens
    registration = await follow_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


@pytest.mark.parametrize("place", [0, 1, 2], ids=["the picture", "the IP metadata", "the NFT metadata"])
async def test_what_is_named_by_the_cid_of_other_bytes_never_goes_on_the_chain(
    community: Community, place: int
) -> None:
    registration_id = await submit_registration(community)
    pinata = pinata_of(community)
    for _ in range(place):
        pinata.faults.append(Fault("upload", fine()))
    pinata.faults.append(Fault("upload", wrongly(pinata)))
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id)
    assert registration.state is FAILED
    assert "could not be proven" in (registration.error or "")
    await check_claims(community, tokens=0)
    assert (await retry_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_what_is_put_on_a_private_network_never_goes_on_the_chain(community: Community) -> None:
    registration_id = await submit_registration(community)
    pinata_of(community).quirks.private = "told"
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id)
    assert registration.state is FAILED
    assert "private network" in (registration.error or "")
    await check_claims(community, tokens=0)
    pinata_of(community).quirks.private = "no"
    assert (await retry_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_bytes_that_the_gateway_hands_out_wrongly_cost_the_tick_and_the_hashes_are_right(
    community: Community,
) -> None:
    registration_id = await submit_registration(community)
    pinata_of(community).quirks.corrupt = True
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    view = await read_cards(community, registration_id)
    assert view.outcome
    assert not view.outcome.proven
    assert [good for _, good in view.outcome.files] == [False, False, False]
    await check_claims(community, tokens=1)


async def test_what_differed_or_could_not_be_read_is_read_again_and_gets_its_tick(community: Community) -> None:
    """A gateway hands out a page of its own for some minutes, or nothing for hours: that is no last word."""
    first = await submit_registration(community)
    pinata_of(community).faults.append(Fault("gateway", html(), times=1000))
    await begin_registration(community, first)
    assert (await follow_registration(community, first)).state is CONFIRMED
    view = await read_cards(community, first)
    assert "something differs" in proof_of(view)
    assert "It is read again" in proof_of(view)
    audited = "registration read back"
    await community.skip(2 * REREADING_ROUND, step=300)
    async with community.app.database.read() as db:
        entries = [each for each in await audit.about(db, first) if each.action == audited]
    assert len(entries) == 1, "nothing is written while nothing changes"

    pinata_of(community).faults.clear()
    await community.skip(2 * REREADING_ROUND, step=300)
    view = await read_cards(community, first)
    assert view.outcome
    assert view.outcome.proven
    assert any("Read back and verified" in text_of(each) for each in community.cards)
    async with community.app.database.read() as db:
        entries = [each for each in await audit.about(db, first) if each.action == audited]
    assert [each.content["agrees"] for each in entries] == [False, True]


async def test_a_gateway_that_is_slow_delays_the_tick_and_nothing_else(community: Community) -> None:
    registration_id = await submit_registration(community)
    pinata_of(community).quirks.visible_after = 200
    await begin_registration(community, registration_id)
    await until(community, registration_id, CONFIRMED)
    assert not (await read_cards(community, registration_id)).ended
    await follow_registration(community, registration_id)
    view = await read_cards(community, registration_id)
    assert view.outcome
    assert view.outcome.proven
    await check_claims(community, tokens=1)


async def test_a_gateway_that_never_hands_it_out_is_given_up_after_an_hour_without_a_tick(community: Community) -> None:
    """Put on a private network without a word: the CIDs agree, so only the reading back can find it out."""
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    await community.pass_time(UNDO - 1)
    pinata_of(community).quirks.visible_after = 1e6
    await community.pass_time(10)
    await community.skip(7200, step=300)
    view = await read_cards(community, registration_id)
    assert view.ended
    assert view.outcome
    assert view.outcome.unread
    assert not view.outcome.proven
    await check_claims(community, tokens=1)


async def test_a_service_that_cuts_files_in_another_known_way_is_believed(community: Community) -> None:
    registration_id = await submit_registration(community)
    pinata_of(community).quirks.profile = "v0"
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_service_that_names_files_late_is_waited_for(community: Community) -> None:
    registration_id = await submit_registration(community)
    pinata_of(community).quirks.pending = 20
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_service_that_is_away_for_hours_loses_nothing(community: Community) -> None:
    """Metadata that were serialised, and are not pinned yet, are swept by nobody meanwhile; a restart neither."""
    registration_id = await submit_registration(community)
    pinata = pinata_of(community)
    pinata.faults += [
        Fault("upload", fine()),
        Fault("upload", hangs_up(), times=1000),
    ]
    await begin_registration(community, registration_id)
    await community.skip(3 * 3600)
    await community.restart()
    await community.skip(2 * 3600)
    assert (await load_registration(community, registration_id)).state is RegistrationState.PINNING
    pinata.faults.clear()
    registration = await follow_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


async def test_a_node_that_is_gone_for_an_hour_delays_a_registration_and_nothing_else(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = chain_of(community)
    await approve(community, registration_id)
    chain.faults.append(Fault("*", hangs_up(), times=10**6))
    await community.skip(3600)
    assert (await load_registration(community, registration_id)).state is not CONFIRMED
    chain.faults.clear()
    registration = await follow_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


# The recipient, the collection, the wallet.


async def test_a_recipient_that_cannot_take_it_is_found_out_before_it_is_submitted(community: Community) -> None:
    registration_id = await draft_registration(community)
    await chain_of(community).put_code(WALLET, NO_RECEIVER)
    service = community.app.services.registering.registrations
    view = await service.draft(registration_id, by=community.ada.id)
    assert view.terms
    with pytest.raises(Refused, match="contract"):
        await service.submit(
            registration_id, by=community.ada.id, digest=view.terms.digest, channel_id=community.studio.id
        )
    assert (await load_registration(community, registration_id)).state is RegistrationState.DRAFT


async def test_a_recipient_that_has_become_one_that_cannot_take_it_gets_nothing(community: Community) -> None:
    registration_id = await submit_registration(community)
    await chain_of(community).put_code(WALLET, NO_RECEIVER)
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id)
    assert registration.state is FAILED
    assert "contract" in (registration.error or "")
    await chain_of(community).put_code(WALLET, b"")
    assert (await retry_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_collection_that_is_closed_before_it_is_signed_fails_it_until_it_is_open(community: Community) -> None:
    registration_id = await submit_registration(community)
    await chain_of(community).close_minting(collection_of(community))
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id)
    assert registration.state is FAILED
    assert "closed" in (registration.error or "")
    assert (await retry_registration(community, registration_id)).state is FAILED
    await check_claims(community, tokens=0)
    await chain_of(community).close_minting(collection_of(community), closed=False)
    assert (await retry_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_without_coins_it_waits_and_the_admin_is_told(
    community: Community, caplog: pytest.LogCaptureFixture
) -> None:
    registration_id = await submit_registration(community)
    await chain_of(community).fund(BOT.address, 10**9)
    with caplog.at_level(logging.WARNING):
        await begin_registration(community, registration_id)
        await community.skip(3600)
    assert (await load_registration(community, registration_id)).state is RegistrationState.PINNED
    assert any(
        BOT.address in each.getMessage() and "Registering images" in each.getMessage() for each in caplog.records
    )
    await chain_of(community).fund(BOT.address, 10**18)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_coins_that_are_gone_when_it_is_sent_are_waited_for(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = chain_of(community)

    async def spent(request: web.Request, handler: Handler) -> web.StreamResponse:
        await chain.fund(BOT.address, 10**9)
        return await handler(request)

    chain.faults.append(Fault("eth_sendRawTransaction", spent))
    await begin_registration(community, registration_id)
    await community.pass_time(120)
    assert (await load_registration(community, registration_id)).state is RegistrationState.SIGNED
    await chain.fund(BOT.address, 10**18)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


def wrongly(pinata: PinataServer) -> Trouble:
    """Name this one file by the CID of other bytes."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        pinata.quirks.wrong_cid = True
        try:
            return await handler(request)
        finally:
            pinata.quirks.wrong_cid = False

    return trouble
