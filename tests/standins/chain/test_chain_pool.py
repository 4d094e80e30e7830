"""Transactions that wait: the words and rules are geth's on the sandbox's chain, and in essence the same on anvil."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest
from eth_account import Account as Keys
from eth_utils.crypto import keccak

from standins.chain import ACCOUNTS, CHAIN_ID, PUBLIC_COLLECTION, ChainServer, contracts
from tests.scenes.chains import Client, Node, PyEvmNode, RpcError

BOT, ADA, BEN = ACCOUNTS["bot"], ACCOUNTS["ada"], ACCOUNTS["ben"]
GWEI = 10**9
ETHER = 10**18
REGISTRATION = contracts()["RegistrationWorkflows"]


@pytest.fixture
async def geth(py_evm: PyEvmNode) -> AsyncGenerator[Client]:
    """Speaks to the sandbox's chain, which mines only when told."""
    await py_evm.automine(False)
    async with aiohttp.ClientSession() as session:
        yield Client(session, py_evm.url)


async def refusal(client: Client, raw: bytes) -> str:
    with pytest.raises(RpcError) as raised:
        await client.submit(raw)
    assert raised.value.code == -32000
    return raised.value.message


async def nonce(client: Client, tag: str) -> int:
    return int(await client.ask("eth_getTransactionCount", BOT.address, tag), 16)


def encode_mint(number: int, to: str = ADA.address) -> bytes:
    digest = bytes([number] * 32)
    return REGISTRATION.call(
        "mintAndRegisterIp", PUBLIC_COLLECTION, to, ("ipfs://a", digest, "ipfs://b", digest), False
    )


async def test_a_transaction_waits_until_a_block_is_mined(client: Client, node: Node) -> None:
    await node.automine(False)
    sent = await client.send(BOT, ADA.address, value=1)

    waiting = await client.ask("eth_getTransactionByHash", sent)
    assert waiting["blockHash"] is None
    assert await client.receipt(sent) is None
    assert await nonce(client, "latest") == 0
    assert await nonce(client, "pending") == 1

    await node.mine()
    receipt = await client.mined(sent)
    mined = await client.ask("eth_getTransactionByHash", sent)
    assert mined["blockHash"] == receipt["blockHash"]
    assert await nonce(client, "latest") == await nonce(client, "pending") == 1


async def test_what_comes_behind_a_gap_waits_for_it_to_close(client: Client, node: Node) -> None:
    await node.automine(False)
    later = await client.send(BOT, ADA.address, value=1, nonce=1)
    await node.mine()
    assert await client.receipt(later) is None
    assert await nonce(client, "pending") == 0

    first = await client.send(BOT, ADA.address, value=1, nonce=0)
    assert await nonce(client, "pending") == 2
    await node.mine()
    assert (await client.mined(first))["blockHash"] == (await client.mined(later))["blockHash"]


async def test_a_replacement_has_to_offer_a_tenth_more_in_both_fees(geth: Client, py_evm: PyEvmNode) -> None:
    fees: dict[str, Any] = {"nonce": 0, "maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": 2 * GWEI}
    first = await geth.send(BOT, ADA.address, value=1, **fees)

    for max_fee, tip in [(10, 2), (11, 2), (10, 3), (10.9, 2.2)]:
        changed: dict[str, Any] = {"maxFeePerGas": int(max_fee * GWEI), "maxPriorityFeePerGas": int(tip * GWEI)}
        raw = await geth.sign(BOT, ADA.address, value=2, **{**fees, **changed})
        assert await refusal(geth, raw) == "replacement transaction underpriced"

    better: dict[str, Any] = {"maxFeePerGas": 11 * GWEI, "maxPriorityFeePerGas": 22 * GWEI // 10}
    second = await geth.send(BOT, ADA.address, value=2, **{**fees, **better})
    assert await geth.ask("eth_getTransactionByHash", first) is None
    await py_evm.mine()
    assert (await geth.receipt(second))["status"] == "0x1"
    assert await geth.receipt(first) is None


async def test_the_same_bytes_again_are_known_and_after_mining_too_low(geth: Client, py_evm: PyEvmNode) -> None:
    raw = await geth.sign(BOT, ADA.address, value=1)
    await geth.submit(raw)
    assert await refusal(geth, raw) == "already known"
    await py_evm.mine()
    assert await refusal(geth, raw) == "nonce too low: next nonce 1, tx nonce 0"


async def test_anvil_and_ours_agree_on_what_is_refused(client: Client, node: Node) -> None:
    """Clients match lower-cased parts of these, never codes or whole texts."""
    await node.automine(False)
    raw = await client.sign(BOT, ADA.address, value=1, nonce=0)
    await client.submit(raw)
    repeated = ("already known", "already imported")
    cases: list[tuple[bytes, tuple[str, ...]]] = [
        (raw, repeated),
        (await client.sign(BOT, BEN.address, value=1, nonce=0), ("replacement transaction underpriced",)),
        (await client.sign(BOT, ADA.address, value=2_000 * ETHER, nonce=1), ("insufficient funds",)),
        (await client.sign(BOT, ADA.address, gas=20_000, nonce=1), ("intrinsic gas too low",)),
        (await client.sign(BOT, ADA.address, gas=40_000_000, nonce=1), ("exceeds block gas limit", "gas too high")),
        (await client.sign(BOT, ADA.address, chainId=1514, nonce=1), ("chain id", "invalid sender")),
    ]
    for refused, words in cases:
        with pytest.raises(RpcError) as raised:
            await client.submit(refused)
        assert any(each in raised.value.message.lower() for each in words), (raised.value.message, words)

    await node.mine()
    await client.mined("0x" + keccak(raw).hex())
    with pytest.raises(RpcError) as raised:
        await client.submit(raw)
    assert "nonce too low" in raised.value.message.lower()


async def test_geth_explains_what_is_wrong_with_a_transaction(geth: Client) -> None:
    poor = ACCOUNTS["mia"]
    dear = await geth.sign(poor, ADA.address, value=1_000 * ETHER)
    cost = 1_000 * ETHER + 3_000_000 * 5 * GWEI
    assert await refusal(geth, dear) == (
        f"insufficient funds for gas * price + value: balance {1_000 * ETHER}, tx cost {cost}, "
        f"overshot {cost - 1_000 * ETHER}"
    )
    small = await geth.sign(BOT, ADA.address, gas=20_999)
    assert await refusal(geth, small) == "intrinsic gas too low: gas 20999, minimum needed 21000"
    assert await refusal(geth, await geth.sign(BOT, ADA.address, gas=36_000_001)) == "exceeds block gas limit"
    elsewhere = await geth.sign(BOT, ADA.address, chainId=1514)
    assert await refusal(geth, elsewhere) == (f"invalid sender: invalid chain id for signer: have 1514 want {CHAIN_ID}")
    upside_down = await geth.sign(BOT, ADA.address, maxFeePerGas=GWEI, maxPriorityFeePerGas=2 * GWEI)
    assert (await refusal(geth, upside_down)).startswith("max priority fee per gas higher than max fee per gas")
    free = await geth.sign(BOT, ADA.address, maxPriorityFeePerGas=0)
    assert await refusal(geth, free) == "transaction underpriced: gas tip cap 0, minimum needed 1"
    old = {"nonce": 0, "to": ADA.address, "value": 1, "gas": 21_000, "gasPrice": 2 * GWEI, "data": b""}
    unprotected = bytes(Keys.sign_transaction(old, BOT.key).raw_transaction)
    assert await refusal(geth, unprotected) == "only replay-protected (EIP-155) transactions allowed over RPC"
    assert (await refusal(geth, b"\x02\xc0")).startswith("rlp: ")


async def test_what_waits_counts_against_the_balance(geth: Client) -> None:
    await geth.send(BOT, ADA.address, value=600 * ETHER)

    second = await geth.sign(BOT, ADA.address, value=600 * ETHER)
    assert "queued cost" in await refusal(geth, second)


async def test_a_fee_below_the_base_fee_waits_for_better_times(geth: Client, py_evm: PyEvmNode) -> None:
    cheap: dict[str, Any] = {"maxFeePerGas": 2 * GWEI, "maxPriorityFeePerGas": GWEI}
    sent = await geth.send(BOT, ADA.address, value=1, **cheap)
    await py_evm.set_next_block_base_fee(3 * GWEI)
    await py_evm.mine()
    assert await geth.receipt(sent) is None

    await py_evm.mine(4)  # each is an eighth cheaper
    receipt = await geth.receipt(sent)
    assert receipt["status"] == "0x1"
    block = await geth.ask("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert int(block["baseFeePerGas"], 16) <= 2 * GWEI
    assert int(receipt["effectiveGasPrice"], 16) <= 2 * GWEI


async def test_the_better_tip_is_mined_first_but_never_before_an_earlier_nonce(geth: Client, py_evm: PyEvmNode) -> None:
    low = await geth.send(BOT, ADA.address, value=1, maxPriorityFeePerGas=GWEI)
    lower_but_dear = await geth.send(BOT, ADA.address, value=1, maxPriorityFeePerGas=3 * GWEI)
    middle = await geth.send(BEN, ADA.address, value=1, maxPriorityFeePerGas=2 * GWEI)
    await py_evm.mine()

    block = await geth.ask("eth_getBlockByNumber", "latest", False)
    assert block["transactions"] == [middle, low, lower_but_dear]


async def test_a_full_block_leaves_the_rest_for_the_next(geth: Client, py_evm: PyEvmNode) -> None:
    sent = [await geth.send(BOT, REGISTRATION.address, encode_mint(number), gas=33_000_000) for number in range(1, 10)]
    await py_evm.mine()
    first = await geth.ask("eth_getBlockByNumber", "latest", False)
    await py_evm.mine()
    second = await geth.ask("eth_getBlockByNumber", "latest", False)

    assert first["transactions"] + second["transactions"] == sent
    assert len(second["transactions"]) > 1


async def test_twenty_four_registrations_fit_into_one_block(client: Client, node: Node) -> None:
    await node.automine(False)
    sent = [await client.send(BOT, REGISTRATION.address, encode_mint(each), gas=1_300_000) for each in range(1, 25)]
    await node.mine()

    receipts = [await client.mined(hash_) for hash_ in sent]
    assert {receipt["status"] for receipt in receipts} == {"0x1"}
    assert len({receipt["blockHash"] for receipt in receipts}) == 1


async def test_an_explicit_gas_that_is_too_little_is_a_mined_failure(client: Client, node: Node) -> None:
    sent = await client.send(BOT, REGISTRATION.address, encode_mint(1), gas=200_000)

    receipt = await client.mined(sent)
    assert receipt["status"] == "0x0"
    assert receipt["logs"] == []


async def test_an_estimate_is_a_little_more_than_is_used(client: Client, node: Node) -> None:
    request: dict[str, Any] = {"from": BOT.address, "to": REGISTRATION.address, "data": "0x" + encode_mint(1).hex()}
    estimate = int(await client.ask("eth_estimateGas", request), 16)
    receipt = await client.mined(await client.send(BOT, REGISTRATION.address, encode_mint(1), gas=estimate))

    assert receipt["status"] == "0x1"
    used = int(receipt["gasUsed"], 16)
    assert used <= estimate <= used * 1.1


async def test_an_estimate_that_the_sender_cannot_pay_says_so(geth: Client, py_evm: PyEvmNode) -> None:
    await py_evm.fund(BOT.address, 10**14)
    request = {"from": BOT.address, "to": REGISTRATION.address, "data": "0x" + encode_mint(1).hex()}
    with pytest.raises(RpcError, match=r"gas required exceeds allowance \(20000\)"):
        await geth.ask("eth_estimateGas", {**request, "maxFeePerGas": hex(5 * GWEI)})


async def test_a_dropped_transaction_is_unknown_and_may_come_again(client: Client, node: Node) -> None:
    await node.automine(False)
    raw = await client.sign(BOT, ADA.address, value=1)
    sent = await client.submit(raw)
    await node.drop(sent)
    assert await client.ask("eth_getTransactionByHash", sent) is None

    assert await client.submit(raw) == sent
    await node.mine()
    assert (await client.mined(sent))["status"] == "0x1"


async def test_a_reorganisation_takes_receipts_back_and_the_same_bytes_are_mined_again(
    client: Client, node: Node
) -> None:
    raw = await client.sign(BOT, REGISTRATION.address, encode_mint(1))
    sent = await client.submit(raw)
    before = await client.mined(sent)
    height = await client.ask("eth_blockNumber")
    await node.reorg(1)

    assert await client.receipt(sent) is None
    assert await client.ask("eth_getTransactionByHash", sent) is None
    assert await client.ask("eth_blockNumber") == height
    registry = contracts()["IPAssetRegistry"]
    assert await client.call(registry, "totalSupply") == 0
    assert await client.submit(raw) == sent
    after = await client.mined(sent)
    assert after["status"] == "0x1"
    assert after["blockHash"] != before["blockHash"]
    assert await client.call(registry, "totalSupply") == 1


async def test_a_reorganised_transaction_may_be_back_in_the_pool(geth: Client, py_evm: PyEvmNode) -> None:
    sent = await geth.send(BOT, ADA.address, value=1)
    await py_evm.mine()
    await py_evm.server.reorg(1, back_to_pool=True)

    assert await geth.receipt(sent) is None
    assert (await geth.ask("eth_getTransactionByHash", sent))["blockHash"] is None
    await py_evm.mine()
    assert (await geth.receipt(sent))["status"] == "0x1"


async def test_somebody_may_replace_a_transaction_with_the_senders_key(geth: Client, py_evm: PyEvmNode) -> None:
    sent = await geth.send(BOT, REGISTRATION.address, encode_mint(1))
    other = await py_evm.server.replace(sent)
    await py_evm.mine()

    assert (await geth.receipt(other))["status"] == "0x1"
    assert await geth.receipt(sent) is None
    assert await geth.ask("eth_getTransactionByHash", sent) is None


async def test_what_an_estimate_allowed_may_still_revert(geth: Client, chain: ChainServer) -> None:
    request = {"from": BOT.address, "to": REGISTRATION.address, "data": "0x" + encode_mint(1).hex()}
    await geth.ask("eth_estimateGas", request)
    await chain.revert_next()
    sent = [await geth.send(BOT, REGISTRATION.address, encode_mint(number)) for number in (1, 2)]
    await chain.mine()

    assert [(await geth.receipt(each))["status"] for each in sent] == ["0x0", "0x1"]
