"""What is signed with a wrong gas, or never sent, or met by a clock that is set: the wallet goes on, one token each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.command_line import nonce as verb
from bot.config import Settings
from bot.errors import Broken, Refused, Unavailable
from bot.story.node.reverts import Duplicate
from bot.story.registrar import Mined
from bot.story.sending.sender import Sender
from bot.story.sending.types import Reverted
from bot.story.sending.wallet import gas_of
from standins.base.faults import Fault
from standins.chain import changes, errors, says
from storage.database import open_to_read
from storage.registering import transactions
from storage.reviewing import audit
from tests.scenes.story import BOT, Desk, a_mint, own

__all__ = ["own"]

HOUR = 3600.0


async def sign_with(own: Desk, gas: int) -> str:
    """Signed as by a bot that believed an odd estimate; its id."""
    prepared = await own.sender.prepare(await own.registrar.call_of(a_mint()))
    await own.sender.save(f"gas {gas}", prepared.model_copy(update={"gas": gas}))
    return f"gas {gas}"


@pytest.mark.parametrize("estimate", ["0x1", "0x5208", hex(100_000_000), "0x0", "-0x5", hex(10**400)])
async def test_an_odd_estimate_is_not_signed_and_asked_for_again(own: Desk, estimate: str) -> None:
    own.node.server.faults.append(Fault("eth_estimateGas", says(estimate)))

    with pytest.raises(Unavailable):
        await own.submit(a_mint(), "t")

    assert not await own.sender.is_signed("t")
    (end,) = await own.settle(await own.submit(a_mint(), "t"))
    assert isinstance(end, Mined)


async def test_an_estimate_that_is_too_low_by_half_is_noticed_before_it_is_paid(own: Desk) -> None:
    own.node.server.faults.append(Fault("eth_estimateGas", changes(lambda true: hex(int(true, 16) // 2))))

    with pytest.raises(Unavailable, match="they are not"):
        await own.submit(a_mint(), "t")

    assert not await own.sender.is_signed("t")


@pytest.mark.parametrize("gas", [1, 25_200, 120_000_000])
async def test_one_that_was_signed_with_a_gas_that_the_node_refuses_is_signed_anew_at_its_nonce(
    own: Desk, gas: int
) -> None:
    stuck = await sign_with(own, gas)
    await own.sender.broadcast(stuck)
    behind = await own.submit(a_mint())

    ends = await own.settle(stuck, behind)

    assert all(isinstance(end, Mined) for end in ends)
    old, new = await own.attempts(stuck)
    assert (old.nonce, gas_of(old.raw)) == (new.nonce, gas)
    assert 250_000 < gas_of(new.raw) < 2**24
    assert ends[0].tx_hash == new.hash
    assert len(await own.attempts(behind)) == 1
    assert await own.supply() == 2


@pytest.mark.parametrize("gas", [25_200, 120_000_000])
async def test_one_behind_it_mends_it_though_nobody_waits_for_it(own: Desk, gas: int) -> None:
    stuck = await sign_with(own, gas)
    behind = await own.submit(a_mint())

    (end,) = await own.again().settle(behind)

    assert isinstance(end, Mined)
    assert len(await own.attempts(stuck)) == 2


async def test_a_wrong_gas_of_a_call_that_would_be_refused_by_now_lands_and_frees_the_nonce(own: Desk) -> None:
    mint = a_mint("same")
    prepared = await own.sender.prepare(await own.registrar.call_of(mint))
    await own.sender.save("first", prepared)
    await own.sender.save("second", prepared.model_copy(update={"gas": 25_200}))
    await own.sender.broadcast("first")
    await own.settle("first")

    await own.sender.broadcast("second")
    (end,) = await own.settle("second")

    assert isinstance(end, Reverted)
    assert "registered already" in end.sentence
    assert len({each.nonce for each in await own.attempts("second")}) == 1
    assert await own.supply() == 1


async def test_what_was_signed_and_never_sent_is_sent_by_the_round(own: Desk) -> None:
    own.clock.step(-HOUR)
    forgotten = await own.sign(a_mint())
    own.clock.step(HOUR)

    await own.again().sender.look_after()

    assert await own.supply() == 1
    await own.sender.look_after()
    async with own.database.read() as db:
        kept = await transactions.find(db, forgotten)
    assert kept
    assert kept.state is transactions.TransactionState.MINED


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_a_step_of_the_clock_between_two_steps_of_a_registration_costs_nothing(own: Desk, step: float) -> None:
    own = own.again(confirmations=3, patience=20)
    await own.node.automine(False)
    transaction_id = await own.submit(a_mint())
    with pytest.raises(Unavailable, match="on its way"):
        await own.settle(transaction_id)
    own.clock.step(step)

    (end,) = await own.settle(transaction_id, block_time=2)

    assert isinstance(end, Mined)
    assert len(await own.attempts(transaction_id)) == 1


async def test_a_step_of_the_clock_while_it_is_awaited_ends_the_waiting_neither_sooner_nor_later(own: Desk) -> None:
    own = own.again(confirmations=2, patience=60)
    await own.node.automine(False)
    transaction_id = await own.submit(a_mint())
    before = own.clock.monotonic()

    async def step() -> Any:
        await own.clock.sleep(20)
        own.clock.step(-HOUR)
        await own.clock.sleep(20)
        own.clock.step(3 * HOUR)

    with pytest.raises(Unavailable, match="on its way"):
        await own.passing(own.sender.await_final(transaction_id), step())

    assert 60 <= own.clock.monotonic() - before <= 65


async def test_a_stranded_one_is_sent_by_the_next_though_the_clock_was_set_back_an_hour(own: Desk) -> None:
    stranded = await own.sign(a_mint())
    own.clock.step(-HOUR)
    own = own.again()
    other = await own.submit(a_mint())

    (end,) = await own.settle(other, within=30)

    assert isinstance(end, Mined)
    assert isinstance((await own.settle(stranded))[0], Mined)


async def test_no_newest_block_is_waited_for_while_submitting_and_while_a_transaction_is_live(own: Desk) -> None:
    own.node.server.faults.append(Fault("eth_getBlockByNumber", says(None)))
    with pytest.raises(Unavailable):
        await own.submit(a_mint(), "t")
    transaction_id = await own.submit(a_mint(), "t")
    own.node.server.faults.append(Fault("eth_getBlockByNumber", says(None), times=2))

    (end,) = await own.settle(transaction_id)

    assert isinstance(end, Mined)


async def test_one_odd_receipt_ends_nothing(own: Desk) -> None:
    transaction_id = await own.submit(a_mint())
    failed = changes(lambda true: {**true, "status": "0x0", "logs": []})
    own.node.server.faults.append(Fault("eth_getTransactionReceipt", failed))

    (end,) = await own.settle(transaction_id)

    assert isinstance(end, Mined)


async def test_a_number_of_the_newest_block_that_is_too_high_makes_nothing_final(own: Desk) -> None:
    own = own.again(confirmations=4, patience=6)
    await own.node.automine(False)
    transaction_id = await own.submit(a_mint())
    await own.node.mine()
    lie = Fault("eth_blockNumber", changes(lambda true: hex(int(true, 16) + 1000)), times=1000)
    own.node.server.faults.append(lie)

    with pytest.raises(Unavailable, match="no final block"):
        await own.settle(transaction_id)

    lie.times = 0
    assert isinstance((await own.settle(transaction_id, block_time=1))[0], Mined)


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_dry_run_reads_the_contracts_word_with_any_status(own: Desk, status: int) -> None:
    closed = Fault("eth_call", errors(status, "execution reverted", code=3, data="0x3bdad64c"), times=1)
    mint = a_mint()
    own.node.server.faults.append(closed)
    with pytest.raises(Broken, match="Minting is closed"):
        await own.registrar.dry_run(mint)
    await own.register(mint)
    with pytest.raises(Duplicate):
        await own.registrar.dry_run(mint)


# The admin's verb.


async def test_a_nonce_is_freed_and_what_had_it_is_signed_anew(own: Desk) -> None:
    await own.node.automine(False)
    stuck, behind = [await own.sign(a_mint()) for _ in range(2)]
    (old,) = await own.attempts(stuck)

    (end,) = await own.passing(own.sender.free(old.nonce), block_time=2)

    assert isinstance(end, Mined)
    assert end.gas_used == 21_000
    ends = await own.again().settle(stuck, behind, block_time=2)
    assert all(isinstance(each, Mined) for each in ends)
    assert (await own.attempts(stuck))[0].hash == old.hash
    assert await own.supply() == 2
    async with own.database.read() as db:
        (entry,) = await audit.about(db, f"nonce:{own.chain.network.chain_id}:{own.wallet.address}:{old.nonce}")
    assert entry.action == "nonce freed"
    assert entry.content["nonce"] == old.nonce
    assert entry.content["hash"] == end.tx_hash


async def test_a_nonce_that_is_used_or_that_nothing_waits_for_is_not_freed(own: Desk) -> None:
    used = await own.chain.nonce(own.wallet.address)
    with pytest.raises(Refused, match="used already"):
        await own.sender.free(used - 1)
    with pytest.raises(Refused, match="No transaction of the bot"):
        await own.sender.free(used + 1)


async def test_what_waits_is_shown_beside_a_running_bot(own: Desk, tmp_path: Path) -> None:
    await own.node.automine(False)
    sent = await own.submit(a_mint())
    unsent = await own.sign(a_mint())
    beside = open_to_read(tmp_path / "bot.db")
    looker = Sender(own.chain, own.wallet, beside, own.clock)

    waiting = await looker.waiting()

    await beside.close()
    assert [(each.transaction_id, each.at_node) for each in waiting.held] == [(sent, True), (unsent, False)]
    assert waiting.held[0].nonce == waiting.next_nonce
    story: Any = replace(own, sender=looker)
    story.network = own.chain.network
    text = verb.described(waiting, story)
    assert "does NOT have it" in text
    assert f"python -m bot nonce free {waiting.next_nonce}" in text


async def test_the_verb_shows_beside_a_running_bot_and_frees_only_without_one(own: Desk, tmp_path: Path) -> None:
    stuck = await own.sign(a_mint())
    (old,) = await own.attempts(stuck)
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr("a-token-for-a-local-discord"),
        bfl_api_key=SecretStr("sandbox-key"),
        data_dir=tmp_path,
        wallet_private_key=SecretStr(BOT.key),
        rpc_provider_url=SecretStr(own.url),
        story_confirmations=1,
    )

    text = await verb.show(settings)
    assert f"{old.nonce}: {stuck}," in text
    with pytest.raises(Broken, match="Another bot is running"):
        await verb.free(settings, old.nonce)

    await own.database.close()
    text = await verb.free(settings, old.nonce)
    assert "used by a transfer of nothing" in text
    assert f"the next nonce is {old.nonce + 1}" in await verb.show(settings)


async def test_without_a_database_the_verb_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no database"):
        open_to_read(tmp_path / "bot.db")
