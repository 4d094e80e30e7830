"""One sender a wallet: whatever happens, each registration is one token."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from bot.errors import Broken, Refused, Unavailable
from bot.story.node.chain import Call
from bot.story.node.reverts import Duplicate
from bot.story.registrar import Mined, Reverted
from storage.registering import transactions
from storage.registering.transactions import TransactionState
from tests.scenes.story import BOT, GWEI, NON_COMMERCIAL, Desk, a_mint, desk, own

__all__ = ["desk", "own"]


async def test_what_is_sent_is_in_a_block_and_paid(desk: Desk) -> None:
    before = await desk.chain.balance(desk.wallet.address)

    (end,) = await desk.settle(await desk.submit(a_mint(licence=NON_COMMERCIAL)))

    assert isinstance(end, Mined)
    assert before - await desk.chain.balance(desk.wallet.address) == end.paid
    assert await desk.supply() == 1


async def test_it_is_saved_before_it_is_sent_under_the_hash_that_the_chain_will_give_it(desk: Desk) -> None:
    transaction_id = await desk.sign(a_mint())
    (attempt,) = await desk.attempts(transaction_id)
    assert attempt.sent_at is None
    assert await desk.chain.transaction(attempt.hash) is None  # pyright: ignore[reportArgumentType]

    tx_hash = await desk.sender.broadcast(transaction_id)

    (end,) = await desk.settle(transaction_id)
    assert attempt.hash == tx_hash == end.tx_hash


async def test_asked_twice_at_every_step_it_is_one_transaction(desk: Desk) -> None:
    mint = a_mint()
    prepared = await desk.sender.prepare(await desk.registrar.call_of(mint))
    signed = [await desk.sender.save("t", prepared) for _ in range(2)]
    assert signed[0] == signed[1]
    for _ in range(2):
        await desk.sender.broadcast("t")
    ends = [(await desk.settle("t"))[0] for _ in range(2)]

    assert ends[0] == ends[1]
    assert await desk.sender.broadcast("t") == ends[0].tx_hash
    assert len(await desk.attempts("t")) == 1
    assert await desk.supply() == 1


STEPS = ["prepared", "signed", "sent", "sent and not marked", "in a block", "settled"]


@pytest.mark.parametrize("step", STEPS)
async def test_killed_after_any_step_it_is_taken_up_and_there_is_one_token(desk: Desk, step: str) -> None:
    mint = a_mint("the one")
    await desk.node.automine(False)
    prepared = await desk.sender.prepare(await desk.registrar.call_of(mint))
    if step != "prepared":
        await desk.sender.save("t", prepared)
        if step == "sent and not marked":
            await desk.chain.send((await desk.attempts("t"))[0].raw)
        elif step != "signed":
            await desk.sender.broadcast("t")
            if step != "sent":
                await desk.node.mine()
                if step == "settled":
                    await desk.settle("t")

    after = desk.again()
    if not await after.sender.is_signed("t"):
        await after.sender.save("t", await after.sender.prepare(await after.registrar.call_of(mint)))
    await after.sender.broadcast("t")
    (end,) = await after.settle("t", block_time=2)

    assert isinstance(end, Mined)
    assert len(await after.attempts("t")) == 1
    assert await after.supply() == 1
    assert (await after.registrar.outcome(end)).token_id == 1


async def test_killed_between_writing_and_committing_nothing_is_reserved(desk: Desk) -> None:
    prepared = await desk.sender.prepare(await desk.registrar.call_of(a_mint()))

    async def dies() -> None:
        async with desk.database.write() as db:
            await desk.sender.sign(db, "lost", prepared)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await dies()

    assert not await desk.sender.is_signed("lost")
    (end,) = await desk.settle(await desk.submit(a_mint()))
    assert isinstance(end, Mined)


async def test_final_is_after_as_many_blocks_as_were_asked_for(desk: Desk) -> None:
    desk = desk.again(confirmations=3, patience=20)
    transaction_id = await desk.submit(a_mint())

    with pytest.raises(Unavailable, match="on its way") as waiting:
        await desk.settle(transaction_id)
    assert waiting.value.retry_after

    await desk.node.mine(2)
    (end,) = await desk.settle(transaction_id)
    assert isinstance(end, Mined)


Order = Callable[[list[str]], list[str]]


def as_signed(ids: list[str]) -> list[str]:
    return ids


def backwards(ids: list[str]) -> list[str]:
    return ids[::-1]


def shuffle_ids(ids: list[str]) -> list[str]:
    return random.Random(7).sample(ids, len(ids))


@pytest.mark.parametrize("order", [as_signed, backwards, shuffle_ids])
async def test_24_are_under_way_at_once_and_land_one_after_another(desk: Desk, order: Order) -> None:
    await desk.node.automine(False)
    first = await desk.chain.nonce(desk.wallet.address)
    ids = [await desk.sign(a_mint(licence=NON_COMMERCIAL)) for _ in range(24)]

    for each in order(ids):
        await desk.sender.broadcast(each)
    ends = await desk.settle(*ids, block_time=2)

    assert all(isinstance(end, Mined) for end in ends)
    assert [(await desk.attempts(each))[0].nonce for each in ids] == list(range(first, first + 24))
    assert await desk.supply() == 24
    assert await desk.chain.nonce(desk.wallet.address) == first + 24


async def test_24_that_wait_ask_for_the_newest_block_once_a_second_and_for_receipts_once_a_block(own: Desk) -> None:
    await own.node.automine(False)
    ids = [await own.submit(a_mint()) for _ in range(24)]
    own.node.server.requests.clear()

    own = own.again(patience=20)
    with pytest.raises(Unavailable):
        await own.settle(*ids)
    asked = Counter(each.method for each in own.node.server.requests)

    assert asked["eth_blockNumber"] <= 22
    assert asked["eth_getTransactionReceipt"] <= 24 * 8  # a round each 3 s, though no block comes
    assert asked["eth_getTransactionCount"] <= 8
    assert asked["eth_getTransactionByHash"] <= 24 * 4
    assert asked["eth_sendRawTransaction"] == 0


async def test_a_call_that_would_be_refused_is_not_signed(desk: Desk) -> None:
    await desk.register(a_mint("twice"))

    with pytest.raises(Duplicate) as error:
        await desk.submit(a_mint("twice"), "second")

    assert error.value.token_id == 1
    assert not await desk.sender.is_signed("second")


async def test_of_two_with_the_same_metadata_in_one_block_the_chain_lets_one_through(desk: Desk) -> None:
    await desk.node.automine(False)
    one, other = [await desk.sign(a_mint("same")) for _ in range(2)]
    for each in (one, other):
        await desk.sender.broadcast(each)

    first, second = await desk.settle(one, other, block_time=2)

    assert isinstance(first, Mined)
    assert isinstance(second, Reverted)
    assert "registered already" in second.sentence
    assert 0 < second.paid < first.paid
    assert await desk.supply() == 1
    registered = await desk.registrar.existing(a_mint("same"))
    assert registered == await desk.registrar.outcome(first)
    assert await desk.sender.has_reverted(other)
    assert (await desk.settle(other))[0] == second


async def test_a_transaction_that_fails_in_its_block_says_why(own: Desk) -> None:
    await own.node.automine(False)
    transaction_id = await own.submit(a_mint())
    await own.node.pause_protocol()

    (end,) = await own.settle(transaction_id, block_time=2)

    assert isinstance(end, Reverted)
    assert "paused" in end.sentence
    assert end.selector == "0xd93c0665"
    assert await own.supply() == 0


async def test_a_reason_that_has_passed_is_said_to_have(own: Desk) -> None:
    await own.node.server.revert_next()

    (end,) = await own.settle(await own.submit(a_mint()))

    assert isinstance(end, Reverted)
    assert "has passed" in end.sentence


async def test_without_coins_nothing_is_signed_and_the_sentence_says_what_to_send_where(desk: Desk) -> None:
    await desk.node.fund(desk.wallet.address, 10**14)

    with pytest.raises(Unavailable) as error:
        await desk.submit(a_mint(), "t")

    assert BOT.address in str(error.value)
    assert "has 0.0001 IP" in str(error.value)
    assert "faucet" in str(error.value)
    assert error.value.retry_after
    assert not await desk.sender.is_signed("t")


async def test_what_is_under_way_is_reserved(desk: Desk) -> None:
    await desk.node.automine(False)
    prepared = await desk.sender.prepare(await desk.registrar.call_of(a_mint()))
    await desk.node.fund(desk.wallet.address, prepared.worst_cost * 5 // 2)
    for _ in range(2):
        await desk.submit(a_mint())

    with pytest.raises(Unavailable, match="for this and what is under way"):
        await desk.submit(a_mint())


async def test_coins_that_are_gone_after_signing_are_asked_for_and_then_it_goes_on(desk: Desk) -> None:
    transaction_id = await desk.sign(a_mint())
    await desk.node.fund(desk.wallet.address, 1000)

    with pytest.raises(Unavailable, match="too little left for the fees"):
        await desk.sender.broadcast(transaction_id)
    with pytest.raises(Unavailable, match="too little left for the fees"):
        await desk.settle(transaction_id)

    await desk.node.fund(desk.wallet.address, 10**18)
    await desk.clock.turn(30)
    (end,) = await desk.settle(transaction_id)
    assert isinstance(end, Mined)
    assert await desk.supply() == 1


async def test_fees_above_the_cap_are_waited_out(desk: Desk) -> None:
    low = desk.again(fee_cap=GWEI // 2)
    with pytest.raises(Unavailable, match=r"above your cap of 0\.5 \(STORY_MAX_FEE_GWEI\)"):
        await low.submit(a_mint())

    prepared = await desk.again(fee_cap=5 * GWEI // 2).sender.prepare(await desk.registrar.call_of(a_mint()))
    assert prepared.max_fee <= 5 * GWEI // 2


async def test_a_call_to_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises((Broken, Refused)):
        await desk.sender.prepare(Call(to=desk.registrar.collection, data="0xdeadbeef"))


async def test_an_unknown_transaction_is_broken(desk: Desk) -> None:
    with pytest.raises(Broken, match="no transaction"):
        await desk.sender.broadcast("never")


async def test_without_a_database_nothing_can_be_sent(desk: Desk) -> None:
    looker = type(desk.sender)(desk.chain, desk.wallet, None, desk.clock)
    with pytest.raises(Broken, match="saved first"):
        await looker.broadcast("t")


async def test_what_was_begun_with_another_wallet_is_finished_with_its_saved_bytes(desk: Desk) -> None:
    transaction_id = await desk.sign(a_mint())

    changed = desk.again(key="0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a")
    (end,) = await changed.settle(transaction_id)

    assert isinstance(end, Mined)
    assert await desk.supply() == 1


async def test_the_last_word_is_kept_once(own: Desk) -> None:
    transaction_id = await own.submit(a_mint())
    await own.settle(transaction_id)

    async with own.database.write() as db:
        changed = await transactions.end(
            db,
            transaction_id,
            state=TransactionState.REVERTED,
            mined_hash="0x",
            block_number=0,
            block_hash="0x",
            gas_used=0,
            gas_price="0",
            error=None,
            now=0,
        )
        kept = await transactions.find(db, transaction_id)

    assert not changed
    assert kept
    assert kept.state is TransactionState.MINED
