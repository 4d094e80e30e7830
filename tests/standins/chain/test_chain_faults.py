"""What can go wrong with the node goes wrong when it is switched on, so often as was said, and no more."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from standins.base.faults import Fault, Trouble, hangs_up, html, loses_the_answer, waits
from standins.chain import (
    ACCOUNTS,
    CHAIN_ID,
    PUBLIC_COLLECTION,
    ChainServer,
    busy,
    changes,
    contracts,
    refuses,
    reverses_logs,
    says,
    swaps_answers,
    unavailable,
)
from tests.scenes.chains import Client, PyEvmNode, RpcError

BOT, ADA = ACCOUNTS["bot"], ACCOUNTS["ada"]
REGISTRATION = contracts()["RegistrationWorkflows"]


@pytest.fixture
async def rpc(py_evm: PyEvmNode) -> AsyncGenerator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, py_evm.url)


def encode_mint(number: int) -> bytes:
    digest = bytes([number] * 32)
    return REGISTRATION.call("mintAndRegisterIp", PUBLIC_COLLECTION, ADA.address, ("a", digest, "b", digest), False)


async def ask_batch(rpc: Client, *methods: str) -> Any:
    """A batch."""
    body: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": id_, "method": method, "params": []} for id_, method in enumerate(methods)
    ]
    async with rpc.session.post(rpc.url, json=body) as response:
        return await response.json()


async def test_a_batch_is_answered_call_by_call(rpc: Client) -> None:
    answers = await ask_batch(rpc, "eth_chainId", "eth_mine", "net_version")

    assert [answer.get("result") for answer in answers] == [hex(CHAIN_ID), None, str(CHAIN_ID)]
    assert answers[1]["error"]["code"] == -32601


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'[{"id": 1}]', b'{"method": 5}', b'"eth_chainId"'])
async def test_what_is_no_request_is_answered_with_an_error(rpc: Client, body: bytes) -> None:
    async with rpc.session.post(rpc.url, data=body) as response:
        answer = await response.json()
    assert response.status == 200
    assert (answer[0] if isinstance(answer, list) else answer)["error"]["code"] in {-32700, -32600}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getTransactionReceipt", []),
        ("eth_getTransactionReceipt", ["0x12"]),
        ("eth_getBalance", ["nobody", "latest"]),
        ("eth_sendRawTransaction", [None]),
        ("eth_call", ["0x", "latest"]),
    ],
)
async def test_bad_arguments_are_refused(rpc: Client, method: str, params: list[Any]) -> None:
    with pytest.raises(RpcError) as raised:
        await rpc.ask(method, *params)
    assert raised.value.code == -32602


@pytest.mark.parametrize(
    ("trouble", "status", "text"),
    [(html(), 200, "<!DOCTYPE html>"), (busy(retry_after=7), 429, "rate limit"), (unavailable(), 503, "<html>")],
)
async def test_something_in_front_of_the_node_answers_in_its_place(
    rpc: Client, chain: ChainServer, trouble: Trouble, status: int, text: str
) -> None:
    chain.faults.append(Fault("eth_chainId", trouble, times=2))

    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    assert await rpc.ask("net_version") == str(CHAIN_ID)
    for _ in range(2):
        async with rpc.session.post(rpc.url, data=body) as response:
            assert response.status == status
            assert text in await response.text()
    assert await rpc.ask("eth_chainId") == hex(CHAIN_ID)


async def test_a_connection_is_dropped_before_anything_happened(rpc: Client, chain: ChainServer) -> None:
    raw = await rpc.sign(BOT, ADA.address, value=1)
    chain.faults.append(Fault("eth_sendRawTransaction", hangs_up()))
    with pytest.raises(aiohttp.ClientConnectionError):
        await rpc.submit(raw)

    assert await rpc.ask("eth_getTransactionCount", BOT.address, "pending") == "0x0"


async def test_an_answer_is_lost_after_the_transaction_was_taken(rpc: Client, chain: ChainServer) -> None:
    raw = await rpc.sign(BOT, ADA.address, value=1)
    chain.faults.append(Fault("eth_sendRawTransaction", loses_the_answer()))
    with pytest.raises(aiohttp.ClientConnectionError):
        await rpc.submit(raw)

    assert await rpc.ask("eth_getTransactionCount", BOT.address, "latest") == "0x1"


async def test_an_answer_comes_too_late(rpc: Client, chain: ChainServer) -> None:
    never = asyncio.Event()
    raw = await rpc.sign(BOT, ADA.address, value=1)
    chain.faults.append(Fault("eth_sendRawTransaction", waits(never.wait)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await rpc.submit(raw)

    never.set()
    assert await rpc.ask("eth_getTransactionCount", BOT.address, "latest") == "0x1"


async def test_the_node_lies_about_the_nonce_and_the_chain(rpc: Client, chain: ChainServer) -> None:
    await rpc.send(BOT, ADA.address, value=1)
    chain.faults += [
        Fault("eth_getTransactionCount", changes(lambda nonce: hex(int(nonce, 16) - 1))),
        Fault("eth_getTransactionCount", changes(lambda nonce: hex(int(nonce, 16) + 1))),
        Fault("eth_chainId", says("0x1")),
    ]

    counts = [await rpc.ask("eth_getTransactionCount", BOT.address, "latest") for _ in range(3)]
    assert counts == ["0x0", "0x2", "0x1"]
    assert await rpc.ask("eth_chainId") == "0x1"
    assert await rpc.ask("eth_chainId") == hex(CHAIN_ID)


async def test_a_node_refuses_what_it_has_taken(rpc: Client, chain: ChainServer) -> None:
    chain.faults.append(Fault("eth_sendRawTransaction", refuses("internal error")))
    with pytest.raises(RpcError, match="internal error"):
        await rpc.send(BOT, ADA.address, value=1)

    assert await rpc.ask("eth_getTransactionCount", BOT.address, "latest") == "0x1"


async def test_logs_and_batches_come_in_another_order(rpc: Client, chain: ChainServer) -> None:
    sent = await rpc.send(BOT, REGISTRATION.address, encode_mint(1))
    chain.faults += [
        Fault("eth_getTransactionReceipt", reverses_logs()),
        Fault("eth_getLogs", reverses_logs()),
        Fault("net_version", swaps_answers()),
    ]

    turned, straight = await rpc.receipt(sent), await rpc.receipt(sent)
    assert turned["logs"] == straight["logs"][::-1]
    logs = await rpc.ask("eth_getLogs", {"fromBlock": "0x0"})
    assert logs[-8:][::-1] != straight["logs"]
    assert logs[:8] == straight["logs"][::-1]
    answers = await ask_batch(rpc, "eth_chainId", "net_version")
    assert [answer["id"] for answer in answers] == [1, 0]


async def test_a_node_that_lags_shows_the_past_and_takes_what_it_is_sent(rpc: Client, chain: ChainServer) -> None:
    first = await rpc.send(BOT, REGISTRATION.address, encode_mint(1))
    chain.lag = 1
    assert await rpc.receipt(first) is None
    assert await rpc.ask("eth_getTransactionByHash", first) is None
    assert await rpc.ask("eth_getTransactionCount", BOT.address, "pending") == "0x0"
    assert await rpc.call(contracts()["IPAssetRegistry"], "totalSupply") == 0

    with pytest.raises(RpcError, match="nonce too low"):
        await rpc.send(BOT, ADA.address, value=1)
    second = await rpc.send(BOT, ADA.address, value=1, nonce=1)
    assert await rpc.receipt(first)
    chain.lag = 0
    assert (await rpc.receipt(second))["status"] == "0x1"


async def test_a_node_that_lags_does_not_know_what_waits(rpc: Client, chain: ChainServer) -> None:
    await chain.automine(False)
    await chain.mine()
    sent = await rpc.send(BOT, ADA.address, value=1)

    chain.lag = 1
    assert await rpc.ask("eth_getTransactionByHash", sent) is None
    assert await rpc.ask("eth_getTransactionCount", BOT.address, "pending") == "0x0"
    chain.lag = 0
    assert await rpc.ask("eth_getTransactionCount", BOT.address, "pending") == "0x1"


async def test_what_was_asked_is_remembered(rpc: Client, chain: ChainServer) -> None:
    await rpc.ask("eth_getBalance", ADA.address, "latest")

    assert [(each.method, each.params) for each in chain.requests] == [("eth_getBalance", [ADA.address, "latest"])]
