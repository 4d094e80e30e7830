"""Nodes that fail and lie, a chain that loses, delays and undoes: there is one token all the same.

Works like tests/registering/trouble/test_trouble.py.
"""

import itertools

import pytest
from aiohttp import web

from bot.assembly.publishing import reading_registrar
from bot.errors import Refused
from bot.http import client as http
from bot.workflows.registering.drafting.terms import mint_of
from bot.workflows.registering.types import UNDO
from standins.base.faults import Fault, Handler, hangs_up, html, loses_the_answer, malformed
from standins.chain import faults as chain_faults
from standins.chain.accounts import BOT
from standins.chain.faults import changes, refuses, says
from storage.registering.transitions import RegistrationState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, made_collection
from tests.scenes.registering import approve, load_registration, read_cards, submit_registration
from tests.scenes.registry import (
    CONFIRMED,
    FAILED,
    begin_registration,
    chain_of,
    check_claims,
    fine,
    follow_registration,
    pinata_of,
    retry_registration,
    send_registration,
    several,
    until,
)


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers."""
    return await make_community(story={})


# The node.


async def test_a_node_that_fails_for_a_while_delays_it(community: Community) -> None:
    """Of the requests that follow, every third, fifth and eighth fails: each kind of request does, sooner or later."""
    registration_id = await submit_registration(community)
    for trouble in (html(), html(503), malformed(), hangs_up(), loses_the_answer(), chain_faults.busy()):
        for every in (2, 4, 7):
            chain_of(community).faults += [
                Fault("*", fine(), times=every),
                Fault("*", trouble),
            ]
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id, within=7200)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


async def test_a_node_that_shuts_the_bot_out_fails_nothing_that_is_signed(community: Community) -> None:
    """Nobody may say “failed” of a transaction that may be on the chain."""
    registration_id = await send_registration(community)
    chain = chain_of(community)
    for status in (401, 403, 404, 405):
        chain.faults = [Fault("*", html(status), times=10_000)]
        await community.pass_time(130)
        assert (await load_registration(community, registration_id)).state is RegistrationState.SENT
    with pytest.raises(Refused, match="Too late"):
        await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)
    await chain.mine()
    chain.faults.clear()
    assert (await follow_registration(community, registration_id, blocks=True)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_node_that_shuts_the_bot_out_when_it_is_sent_fails_nothing(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = chain_of(community)

    async def turned_away(request: web.Request, handler: Handler) -> web.StreamResponse:
        await handler(request)
        return await html(403)(request, handler)

    chain.faults.append(Fault("eth_sendRawTransaction", turned_away, times=3))
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


@pytest.mark.parametrize(
    ("lie", "times"),
    [
        (says("0x0"), 4),
        (changes(lambda true: hex(int(true, 16) - 1)), 1),
        (changes(lambda true: hex(int(true, 16) + 3)), 4),
    ],
    ids=["none", "too low", "too high"],
)
async def test_a_node_that_lies_about_the_nonce_costs_no_second_token(
    community: Community, lie: chain_faults.Twist, times: int
) -> None:
    registration_id = await submit_registration(community)
    chain_of(community).faults.append(Fault("eth_getTransactionCount", lie, times=times))
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id, within=900)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


async def test_a_node_that_takes_it_and_says_no_is_not_believed(community: Community) -> None:
    refusals = [
        "already known",
        "nonce too low: next nonce 9, tx nonce 8",
        "replacement transaction underpriced",
        "oops",
    ]
    for words, registration_id in zip(refusals, await several(community, len(refusals)), strict=True):
        chain_of(community).faults.append(Fault("eth_sendRawTransaction", refuses(words)))
        await begin_registration(community, registration_id)
        assert (await follow_registration(community, registration_id)).state is CONFIRMED, words
    await check_claims(community, tokens=len(refusals))


async def test_logs_in_another_order_are_read_all_the_same(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain_of(community).faults += [
        Fault("eth_getTransactionReceipt", chain_faults.reverses_logs(), times=20),
        Fault("eth_getLogs", chain_faults.reverses_logs(), times=20),
    ]
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_node_that_is_behind_is_waited_for(community: Community) -> None:
    registration_id = await submit_registration(community)
    await begin_registration(community, registration_id)
    chain = chain_of(community)
    chain.lag = 1
    await community.pass_time(60)
    chain.lag = 0
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


# The transaction.


async def test_a_transaction_that_is_dropped_is_sent_again(community: Community) -> None:
    registration_id = await send_registration(community)
    chain = chain_of(community)
    for _ in range(3):
        registration = await load_registration(community, registration_id)
        await chain.drop((await read_cards(community, registration_id)).attempts[-1])
        await community.pass_time(30)
        assert registration.tx_hash
    assert (await follow_registration(community, registration_id, blocks=True)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_transaction_that_waits_for_long_is_outbid_by_itself_and_mined_once(community: Community) -> None:
    registration_id = await send_registration(community)
    chain = chain_of(community)
    for _ in range(60):  # blocks come, and leave it out
        await chain.set_next_block_base_fee(90 * 10**9)
        await chain.mine()
        await community.pass_time(10)
    assert (await follow_registration(community, registration_id, blocks=True)).state is CONFIRMED
    assert len((await read_cards(community, registration_id)).attempts) > 1
    await check_claims(community, tokens=1)


async def test_a_transaction_that_another_of_the_same_key_replaces_is_signed_anew(community: Community) -> None:
    registration_id = await send_registration(community)
    chain = chain_of(community)
    await chain.replace((await read_cards(community, registration_id)).attempts[-1])
    assert (await follow_registration(community, registration_id, blocks=True)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_wallet_that_somebody_else_uses_meanwhile_is_shared(community: Community) -> None:
    """By its nonces: before it is signed, between signing and sending, and while it waits."""
    registration_id = await submit_registration(community)
    chain = chain_of(community)
    nonce = itertools.count(1)  # the collection took the first

    async def elsewhere(request: web.Request, handler: Handler) -> web.StreamResponse:
        await chain.run(chain.chain.submit, spent(next(nonce)))
        return await handler(request)

    chain.faults += [
        Fault("eth_estimateGas", elsewhere),
        Fault("eth_sendRawTransaction", elsewhere),
    ]
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


def spent(nonce: int) -> bytes:
    """What the wallet's owner does with it beside the bot."""
    return BOT.sign(
        {
            "chainId": 1315,
            "nonce": nonce,
            "to": BOT.address,
            "value": 0,
            "gas": 21_000,
            "maxFeePerGas": 50 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
    )


@pytest.mark.parametrize("back", [True, False], ids=["it waits again", "it is gone"])
async def test_a_transaction_whose_block_is_reorganised_away_lands_once(community: Community, back: bool) -> None:
    community.services.confirmations = 3
    await community.restart()
    registration_id = await send_registration(community)
    chain = chain_of(community)
    await chain.mine()
    await community.pass_time(10)
    await chain.reorg(1, back_to_pool=back)
    await community.pass_time(10)
    assert (await load_registration(community, registration_id)).state is RegistrationState.SENT
    assert (await follow_registration(community, registration_id, blocks=True)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_one_that_is_reorganised_away_after_it_was_final_has_no_tick(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = chain_of(community)
    pinata_of(community).quirks.visible_after = 60
    await begin_registration(community, registration_id)
    await until(community, registration_id, CONFIRMED)
    await chain.reorg(1)
    await follow_registration(community, registration_id)
    view = await read_cards(community, registration_id)
    assert view.outcome
    assert not view.outcome.proven


async def test_a_transaction_that_reverts_fails_it_and_can_be_tried_again(community: Community) -> None:
    registration_id = await submit_registration(community)
    await chain_of(community).revert_next()
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id)
    assert registration.state is FAILED
    assert "Nothing was minted" in (registration.error or "")
    await check_claims(community, tokens=0)
    assert (await retry_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def minted_elsewhere(community: Community, registration_id: str, *, nonce: int, tip: int = 10**9) -> bytes:
    """The very transaction of a registration, as an earlier life of the bot may have signed it; its raw bytes."""
    mint = mint_of(
        await load_registration(community, registration_id), (await read_cards(community, registration_id)).terms
    )
    async with http.session() as session:
        call = await reading_registrar(community.settings, session).call_of(mint)
    return BOT.sign(
        {
            "chainId": 1315,
            "nonce": nonce,
            "to": call.to,
            "data": call.data,
            "value": 0,
            "gas": 3_000_000,
            "maxFeePerGas": 50 * 10**9,
            "maxPriorityFeePerGas": tip,
        }
    )


async def test_what_a_lost_transaction_has_minted_before_is_found_and_finished(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = chain_of(community)
    await chain.fund(BOT.address, 10**9)
    await begin_registration(community, registration_id)
    await until(community, registration_id, RegistrationState.PINNED)
    await chain.fund(BOT.address, 10**18)
    await chain.run(chain.chain.submit, await minted_elsewhere(community, registration_id, nonce=1))
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    remains = await check_claims(community, tokens=1)
    assert not remains.tables["transactions"]


async def test_what_a_lost_transaction_mints_while_another_waits_is_found_and_finished(community: Community) -> None:
    """Ours is pushed out of the pool by its own twin, signed anew, and reverts: the duplicate is our own."""
    registration_id = await send_registration(community)
    chain = chain_of(community)
    twin = await minted_elsewhere(community, registration_id, nonce=1, tip=5 * 10**9)
    await chain.run(chain.chain.submit, twin)
    registration = await follow_registration(community, registration_id, blocks=True)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


async def test_a_twin_that_lands_between_the_look_and_the_estimate_is_found(community: Community) -> None:
    registration_id = await submit_registration(community)
    chain = chain_of(community)

    async def lands(request: web.Request, handler: Handler) -> web.StreamResponse:
        await chain.run(chain.chain.submit, await minted_elsewhere(community, registration_id, nonce=1))
        return await handler(request)

    await approve(community, registration_id)
    await community.pass_time(UNDO - 1)
    chain.faults.append(Fault("eth_estimateGas", lands))
    registration = await follow_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


# The settings.


async def test_settings_that_were_changed_before_it_was_signed_fail_it(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    before = community.services.collection
    elsewhere = community.folder / "elsewhere"
    elsewhere.mkdir()
    community.services.collection = await made_collection(community.services.origins["chain"], elsewhere)
    await community.restart()
    registration = await follow_registration(community, registration_id)
    assert registration.state is FAILED
    assert "another collection" in (registration.error or "") or "in another collection" in (registration.error or "")
    community.services.collection = before
    await community.restart()
    await check_claims(community, tokens=0)
    assert (await retry_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_settings_that_were_changed_after_it_was_signed_are_waited_for(community: Community) -> None:
    registration_id = await send_registration(community)
    pinata, community.services.pinata = community.services.pinata, None
    await community.restart()
    await community.skip(1800)
    assert (await load_registration(community, registration_id)).state is RegistrationState.SENT
    community.services.pinata = pinata
    await community.restart()
    await community.skip(600)
    assert (await follow_registration(community, registration_id, blocks=True)).state is CONFIRMED
    await check_claims(community, tokens=1)
