"""A chain that loses, delays, replaces and reorganises, and lies about nonces: one token, and no stuck wallet."""

import asyncio
import itertools
from typing import Any

import pytest

from bot.errors import Unavailable
from bot.story.node.chain import Fees, Standing
from bot.story.node.values import Hash
from bot.story.registrar import Mined
from bot.story.sending.attempts import Attempts
from standins.base.faults import Fault
from standins.chain import changes
from storage.registering import transactions
from tests.scenes.story import GWEI, Desk, a_mint, desk, own

__all__ = ["desk", "own"]


async def test_a_transaction_that_the_pool_lost_is_sent_again_as_it_was(desk: Desk) -> None:
    await desk.node.automine(False)
    transaction_id = await desk.submit(a_mint())
    (attempt,) = await desk.attempts(transaction_id)
    await desk.node.drop(attempt.hash)

    (end,) = await desk.settle(transaction_id, block_time=2)

    assert end.tx_hash == attempt.hash
    assert isinstance(end, Mined)


async def test_a_slow_chain_is_waited_for_without_paying_more(desk: Desk) -> None:
    await desk.node.automine(False)
    transaction_id = await desk.submit(a_mint())
    waiting = asyncio.create_task(desk.sender.await_final(transaction_id))
    desk.clock.tasks = lambda: [waiting]  # pyright: ignore[reportAttributeAccessIssue]

    await desk.clock.turn(300)
    await desk.node.mine()
    await desk.clock.turn(5)

    assert isinstance(await waiting, Mined)
    assert len(await desk.attempts(transaction_id)) == 1


async def test_one_that_is_passed_over_for_its_fee_is_replaced_by_the_same_with_a_higher_one(desk: Desk) -> None:
    await desk.node.automine(False)
    transaction_id = await desk.submit(a_mint())
    waiting = asyncio.create_task(desk.sender.await_final(transaction_id))
    desk.clock.tasks = lambda: [waiting]  # pyright: ignore[reportAttributeAccessIssue]

    for _ in range(40):
        await desk.node.set_next_block_base_fee(20 * GWEI)
        await desk.node.mine()
        await desk.node.set_next_block_base_fee(20 * GWEI)
        await desk.clock.turn(2)
    for _ in range(5):
        await desk.node.mine()
        await desk.clock.turn(2)

    assert isinstance(await waiting, Mined)
    old, new = await desk.attempts(transaction_id)
    assert old.nonce == new.nonce
    assert int(new.max_fee) >= int(old.max_fee) * 9 // 8
    assert int(new.tip) >= int(old.tip) * 9 // 8
    assert int(new.max_fee) <= 100 * GWEI
    assert await desk.supply() == 1


async def test_it_offers_never_more_than_the_cap_and_says_why_it_waits(own: Desk) -> None:
    await own.node.automine(False)
    own = own.again(fee_cap=3 * GWEI)
    transaction_id = await own.submit(a_mint())
    waiting = asyncio.create_task(own.sender.await_final(transaction_id))
    own.clock.tasks = lambda: [waiting]  # pyright: ignore[reportAttributeAccessIssue]

    for _ in range(40):
        await own.node.set_next_block_base_fee(20 * GWEI)
        await own.node.mine()
        await own.clock.turn(2)

    with pytest.raises(Unavailable, match="STORY_MAX_FEE_GWEI"):
        await waiting
    assert len(await own.attempts(transaction_id)) == 1
    await own.node.mine(40)
    await own.clock.turn(30)
    (end,) = await own.settle(transaction_id, block_time=2)
    assert isinstance(end, Mined)


async def test_a_replacement_that_would_cost_more_than_the_cap_is_not_made(own: Desk) -> None:
    await own.node.automine(False)
    own = own.again(fee_cap=3 * GWEI)
    transaction_id = await own.submit(a_mint())
    blocks = itertools.count(1000)  # they come, and leave it out
    busy_chain = Fault("eth_blockNumber", changes(lambda _: hex(next(blocks))), times=200)
    own.node.server.faults.append(busy_chain)

    with pytest.raises(Unavailable, match="as much as your cap on fees allows"):
        await own.settle(transaction_id)

    assert len(await own.attempts(transaction_id)) == 1
    busy_chain.times = 0
    await own.node.mine()
    (end,) = await own.settle(transaction_id)
    assert isinstance(end, Mined)


async def test_what_is_signed_with_a_nonce_anew_offers_enough_to_take_the_old_ones_place(own: Desk) -> None:
    await own.node.automine(False)
    transaction_id = await own.submit(a_mint())
    (old,) = await own.attempts(transaction_id)
    prepared = await own.sender.prepare(await own.registrar.call_of(a_mint()))
    async with own.database.write() as db:
        await db.exec_driver_sql("DELETE FROM transactions WHERE state <> 'open'")
        transaction = await transactions.find(db, transaction_id)
        assert transaction
        fees = Fees(base=prepared.base_fee, max_fee=prepared.max_fee, tip=prepared.tip)
        attempts = Attempts(own.chain, own.wallet, own.database, own.clock)
        new = await attempts.sign(db, transaction, nonce=old.nonce, fees=fees)

    assert (await attempts.send(new)).standing is Standing.TAKEN
    assert await own.chain.transaction(Hash(old.hash)) is None
    assert new.signed_at > old.signed_at  # by the clock they are of one instant; the last one is the one that is meant
    async with own.database.read() as db:
        ((_, meant),) = await transactions.open_of(db, sender=own.wallet.address, chain_id=1315)
    assert meant.hash == new.hash


async def test_one_whose_nonce_somebody_else_used_is_signed_anew(desk: Desk) -> None:
    await desk.node.automine(False)
    transaction_id = await desk.submit(a_mint())
    (attempt,) = await desk.attempts(transaction_id)
    await desk.outsider(attempt.nonce)

    (end,) = await desk.settle(transaction_id, block_time=2)

    old, new = await desk.attempts(transaction_id)
    assert end.tx_hash == new.hash != old.hash
    assert new.nonce == old.nonce + 1
    assert await desk.supply() == 1


async def test_one_that_was_signed_before_somebody_else_used_its_nonce_is_signed_anew(desk: Desk) -> None:
    transaction_id = await desk.sign(a_mint())
    await desk.outsider((await desk.attempts(transaction_id))[0].nonce)
    await desk.sender.broadcast(transaction_id)

    (end,) = await desk.settle(transaction_id)

    assert isinstance(end, Mined)
    assert await desk.supply() == 1


async def test_a_reorganised_block_is_noticed_and_its_transaction_sent_again(desk: Desk) -> None:
    desk = desk.again(confirmations=3)
    transaction_id = await desk.submit(a_mint())
    first = await desk.chain.receipt(Hash((await desk.attempts(transaction_id))[0].hash))
    assert first
    await desk.node.automine(False)
    await desk.node.reorg(1)

    (end,) = await desk.settle(transaction_id, block_time=2)

    assert isinstance(end, Mined)
    assert end.tx_hash == first.tx_hash
    assert end.block_hash != first.block_hash
    assert await desk.chain.block_hash(end.block) == end.block_hash
    assert await desk.supply() == 1


async def test_a_receipt_of_a_block_that_is_gone_is_not_believed(own: Desk) -> None:
    transaction_id = await own.submit(a_mint())
    stale: list[Any] = []
    own.node.server.faults.append(Fault("eth_getTransactionReceipt", changes(lambda true: stale.append(true) or true)))
    await own.chain.receipt(Hash((await own.attempts(transaction_id))[0].hash))
    await own.node.automine(False)
    await own.node.server.reorg(1)
    own.node.server.faults.append(Fault("eth_getTransactionReceipt", changes(lambda _: stale[0]), times=10))

    (end,) = await own.settle(transaction_id, block_time=2)

    assert isinstance(end, Mined)
    assert end.block_hash != stale[0]["blockHash"]
    assert await own.supply() == 1


async def test_a_transaction_that_went_back_to_the_pool_is_only_waited_for(own: Desk) -> None:
    own = own.again(confirmations=3)
    transaction_id = await own.submit(a_mint())
    await own.node.automine(False)
    await own.node.server.reorg(1, back_to_pool=True)

    (end,) = await own.settle(transaction_id, block_time=2)

    assert isinstance(end, Mined)
    assert len(await own.attempts(transaction_id)) == 1


async def test_a_block_that_was_final_and_is_gone_all_the_same_does_not_stop_the_wallet(desk: Desk) -> None:
    one = await desk.submit(a_mint("one"))
    await desk.settle(one)
    await desk.node.automine(False)
    await desk.node.reorg(1)
    assert await desk.supply() == 0

    other = await desk.submit(a_mint("other"))
    (end,) = await desk.settle(other, block_time=2)

    assert isinstance(end, Mined)
    assert await desk.supply() == 2  # the one that was gone has been sent again
    assert await desk.registrar.existing(a_mint("one"))


@pytest.mark.parametrize("lie", [-3, -1, 1, 5, 1000])
async def test_a_lie_about_the_nonce_costs_time_and_no_token(desk_that_knows_nothing: Desk, lie: int) -> None:
    own = desk_that_knows_nothing
    own.node.server.faults.append(
        Fault("eth_getTransactionCount", changes(lambda count: hex(max(0, int(count, 16) + lie))), times=2)
    )
    ids = [await own.sign(a_mint()) for _ in range(2)]
    await own.node.automine(False)
    for each in ids:
        await own.sender.broadcast(each)

    ends = await own.settle(*ids, block_time=2)

    assert all(isinstance(end, Mined) for end in ends)
    assert await own.supply() == 2
    for _ in range(2):  # and the next ones go on as if nothing had been
        (end,) = await own.settle(await own.submit(a_mint()), block_time=2)
        assert isinstance(end, Mined)
    assert await own.supply() == 4


@pytest.fixture
async def desk_that_knows_nothing(own: Desk) -> Desk:
    """Its wallet has sent much, of which its database has nothing."""
    for _ in range(4):
        await own.outsider(await own.chain.nonce(own.wallet.address))
    async with own.database.write() as db:
        await db.exec_driver_sql("DELETE FROM transactions")
    return own


async def test_a_node_that_is_always_wrong_about_the_nonce_is_outlived(desk_that_knows_nothing: Desk) -> None:
    own = desk_that_knows_nothing
    lie = Fault("eth_getTransactionCount", changes(lambda count: hex(max(0, int(count, 16) - 2))), times=10**6)
    own.node.server.faults.append(lie)
    one = await own.sign(a_mint())
    await own.sender.broadcast(one)
    waiting = asyncio.create_task(own.sender.await_final(one))
    own.clock.tasks = lambda: [waiting]  # pyright: ignore[reportAttributeAccessIssue]
    await own.clock.turn(60)
    assert not waiting.done()

    lie.times = 0
    await own.clock.turn(60)

    assert isinstance(await waiting, Mined)
    assert await own.supply() == 1


async def test_a_node_that_is_behind_makes_nothing_be_signed_twice(own: Desk) -> None:
    ids = [await own.submit(a_mint()) for _ in range(3)]
    own.node.server.lag = 2
    waiting = [asyncio.create_task(own.sender.await_final(each)) for each in ids]
    own.clock.tasks = lambda: waiting  # pyright: ignore[reportAttributeAccessIssue]
    await own.clock.turn(40)

    own.node.server.lag = 0
    await own.clock.turn(10)

    assert all(isinstance(each, Mined) for each in await asyncio.gather(*waiting))
    assert [len(await own.attempts(each)) for each in ids] == [1, 1, 1]


async def test_a_gap_below_is_closed_by_the_one_with_the_highest_nonce(own: Desk) -> None:
    await own.node.automine(False)
    ids = [await own.sign(a_mint()) for _ in range(4)]
    async with own.database.write() as db:  # as if it had never been
        await db.exec_driver_sql(f"DELETE FROM transactions WHERE id = '{ids[1]}'")  # noqa: S608
    for each in (ids[0], *ids[2:]):
        await own.sender.broadcast(each)

    ends = await own.settle(ids[0], *ids[2:], block_time=2)

    assert all(isinstance(end, Mined) for end in ends)
    assert [len(await own.attempts(each)) for each in (ids[0], *ids[2:])] == [1, 1, 2]
    assert await own.supply() == 3


async def test_one_that_was_signed_and_forgotten_is_sent_for_the_sake_of_those_behind_it(desk: Desk) -> None:
    await desk.node.automine(False)
    forgotten = await desk.sign(a_mint())
    other = await desk.submit(a_mint())

    (end,) = await desk.again().settle(other, block_time=2)

    assert isinstance(end, Mined)
    (end,) = await desk.settle(forgotten)
    assert isinstance(end, Mined)
    assert await desk.supply() == 2


async def test_after_a_lie_the_old_form_may_land_too_and_mints_nothing(desk_that_knows_nothing: Desk) -> None:
    own = desk_that_knows_nothing
    await own.node.automine(False)
    own.node.server.faults.append(Fault("eth_getTransactionCount", changes(lambda count: hex(int(count, 16) + 1))))
    transaction_id = await own.submit(a_mint())
    (end,) = await own.settle(transaction_id, block_time=2)
    assert isinstance(end, Mined)
    old, new = await own.attempts(transaction_id)
    assert old.nonce == new.nonce + 1

    await own.node.mine()  # the gap is closed, so the old form is next

    receipt = await own.chain.receipt(Hash(old.hash))
    assert receipt
    assert not receipt.worked
    assert await own.supply() == 1
    (end,) = await own.settle(await own.submit(a_mint()), block_time=2)
    assert isinstance(end, Mined)
