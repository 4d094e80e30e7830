"""Each question to a node × each odd answer: a typed error and never a bug, and the next answer is believed."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.errors import Unavailable
from bot.http import client as http
from bot.http.client import Timeouts
from bot.story.node import contracts
from bot.story.node.chain import Call, Chain
from bot.story.node.networks import AENEID
from bot.story.node.rpc import Node, Unusable
from bot.story.node.values import Address, Hash, trim_text

NOWHERE = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
RAW = "0x02"
RAW_HASH = Hash("0xf2ee15ea639b73fa3db9b34a245bdfa015c260c598b211bf05a1ecc4b3e3b4f2")
BLOCK_HASH = "0x" + "22" * 32
CALL = Call(to=NOWHERE, data="0x12345678")

LOG: dict[str, Any] = {
    "address": NOWHERE,
    "topics": [BLOCK_HASH],
    "data": "0x",
    "transactionHash": RAW_HASH,
    "blockNumber": "0x10",
    "blockHash": BLOCK_HASH,
}
TRUE: dict[str, Any] = {
    "eth_chainId": "0x523",
    "eth_blockNumber": "0x10",
    "eth_getBlockByNumber": {"number": "0x10", "hash": BLOCK_HASH, "gasLimit": "0x2255100", "baseFeePerGas": "0x7"},
    "eth_getBalance": "0xde0b6b3a7640000",
    "eth_getCode": "0x6000",
    "eth_getTransactionCount": "0x5",
    "eth_maxPriorityFeePerGas": "0x3b9aca00",
    "eth_estimateGas": "0xf4240",
    "eth_call": "0x" + "00" * 31 + "01",
    "eth_sendRawTransaction": RAW_HASH,
    "eth_getTransactionReceipt": {
        "transactionHash": RAW_HASH,
        "blockNumber": "0x10",
        "blockHash": BLOCK_HASH,
        "status": "0x1",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x7",
        "logs": [],
    },
    "eth_getTransactionByHash": {"hash": RAW_HASH, "from": NOWHERE, "blockNumber": "0x10"},
    "eth_getLogs": [],
}
"""What a node says to each question that the bot asks."""

ASK: dict[str, Callable[[Chain], Awaitable[Any]]] = {
    "eth_chainId": lambda chain: chain.check(),
    "eth_blockNumber": lambda chain: chain.block_number(),
    "eth_getBlockByNumber": lambda chain: chain.fees(),
    "eth_getBalance": lambda chain: chain.balance(NOWHERE),
    "eth_getCode": lambda chain: chain.has_code(NOWHERE),
    "eth_getTransactionCount": lambda chain: chain.nonce(NOWHERE),
    "eth_maxPriorityFeePerGas": lambda chain: chain.fees(),
    "eth_estimateGas": lambda chain: chain.estimate(CALL, sender=NOWHERE),
    "eth_call": lambda chain: chain.call(CALL),
    "eth_sendRawTransaction": lambda chain: chain.send(RAW),
    "eth_getTransactionReceipt": lambda chain: chain.receipt(RAW_HASH),
    "eth_getTransactionByHash": lambda chain: chain.transaction(RAW_HASH),
    "eth_getLogs": lambda chain: chain.logs(NOWHERE, (BLOCK_HASH, None)),
}

RESULTS: dict[str, str] = {
    "null": "null",
    "true": "true",
    "a word": '"no"',
    "an empty word": '""',
    "0x": '"0x"',
    "0x0x1": '"0x0x1"',
    "no hex": '"0xno"',
    "a list": '["0x1"]',
    "an object": '{"a": 1}',
    "a fraction": "1.5",
    "infinite": "1e400",
    "not a number": "NaN",
    "negative": "-1",
    "negative in hex": '"-0x1"',
    "2^256": f'"{hex(2**256)}"',
    "10^400": "1" + "0" * 400,
    "10^400 in hex": f'"{hex(10**400)}"',
    "4,300 digits": "9" * 4300,
    "5,000 digits": "9" * 5000,
    "5,000 digits in words": f'"{"9" * 5000}"',
    "deep": "[" * 5000 + "]" * 5000,
}
"""What stands as a result in an answer of JSON-RPC."""

RIGHT: dict[str, set[str]] = {
    "eth_call": {"0x"},
    "eth_getCode": {"0x"},
    "eth_getTransactionReceipt": {"null"},
    "eth_getTransactionByHash": {"null"},
}
"""What is odd elsewhere, and an answer here: there is no contract, or no such transaction."""

BODIES: dict[str, tuple[int, str]] = {
    "HTML with 200": (200, "<!DOCTYPE html><title>Just a moment...</title>"),
    "empty": (200, ""),
    "an error in HTML": (502, "<html>502 Bad Gateway</html>"),
    "half of it": (200, '{"jsonrpc":"2.0","id":{id},"resu'),
    "another's answer": (200, '{"jsonrpc":"2.0","id":77777,"result":"0x1"}'),
    "larger than any": (200, '{"jsonrpc":"2.0","id":{id},"result":"0x' + "00" * 600_000 + '"}'),
    **{
        f"an error with {status}": (
            status,
            '{"jsonrpc":"2.0","id":{id},"error":{"code":-32603,"message":"internal trouble"}}',
        )
        for status in (200, 400, 404, 429, 500, 503)
    },
}
"""Whole answers, with their status of HTTP."""


class ScriptedNode:
    """Tells the truth, but for the next answers to one method; `{id}` in them is the number of the question."""

    def __init__(self) -> None:
        self.odd: dict[str, list[tuple[int, str]]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        number, method = str(asked["id"]), asked["method"]
        if self.odd.get(method):
            status, body = self.odd[method].pop(0)
            return web.Response(text=body.replace("{id}", number), status=status, content_type="application/json")
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": TRUE[method]})


async def asked_twice(method: str, status: int, body: str) -> list[Any]:
    """What comes of the odd answer (or the error that it is), and of the true one after it."""
    node = ScriptedNode()
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/", node.answer)
    outcomes: list[Any] = []
    async with TestServer(app) as server, http.session() as session:
        timeouts = Timeouts(connect=5, idle=5, total=5)
        rpc = Node(session, SecretStr(str(server.make_url("/"))), timeouts=timeouts)
        chain = Chain(rpc, AENEID, fee_cap=10**11)
        node.odd[method] = [(status, body)] * (2 if method == "eth_chainId" else 1)
        for _ in range(2):
            try:
                outcomes.append(await ASK[method](chain))
            except (Unavailable, Unusable) as error:
                outcomes.append(error)
            node.odd.clear()
    assert all(len(str(each)) < 500 for each in outcomes if isinstance(each, Exception))
    return outcomes


@pytest.mark.parametrize("method", list(ASK))
async def test_a_result_of_no_form_or_range_is_unavailable_and_the_next_one_is_believed(method: str) -> None:
    for name, result in RESULTS.items():
        if name in RIGHT.get(method, ()):
            continue
        first, second = await asked_twice(method, 200, '{"jsonrpc":"2.0","id":{id},"result":' + result + "}")
        assert isinstance(first, Unavailable), (name, first)
        assert not isinstance(second, Exception), name


@pytest.mark.parametrize("method", list(ASK))
async def test_whatever_is_no_answer_is_unavailable_and_the_next_one_is_believed(method: str) -> None:
    for name, (status, body) in BODIES.items():
        first, second = await asked_twice(method, status, body)
        reads = name.startswith("an error with") and not name.endswith(("429", "503"))
        if method == "eth_maxPriorityFeePerGas" and reads:
            assert first.tip == 10**8, name  # a node may lack this method: the usual tip then
        elif method == "eth_sendRawTransaction" and reads:
            assert first.reason == "internal trouble", name
        else:
            assert isinstance(first, Unavailable), (name, first)
            assert not reads or "internal trouble" in str(first), name
        assert not isinstance(second, Exception), name


HOLES: list[tuple[str, dict[str, Any]]] = [
    ("eth_getBlockByNumber", {"baseFeePerGas": None}),
    ("eth_getBlockByNumber", {"baseFeePerGas": hex(10**400)}),
    ("eth_getBlockByNumber", {"baseFeePerGas": -1}),
    ("eth_getBlockByNumber", {"baseFeePerGas": 10**400}),
    ("eth_getBlockByNumber", {"gasLimit": "0x"}),
    ("eth_getTransactionByHash", {"hash": "0x" + "33" * 32}),
    ("eth_getTransactionByHash", {"from": None}),
    ("eth_getTransactionByHash", {"blockNumber": "-0x5"}),
    ("eth_getTransactionReceipt", {"transactionHash": "0x" + "33" * 32}),
    ("eth_getTransactionReceipt", {"status": None}),
    ("eth_getTransactionReceipt", {"status": "0x2"}),
    ("eth_getTransactionReceipt", {"gasUsed": hex(2**64)}),
    ("eth_getTransactionReceipt", {"effectiveGasPrice": hex(2**300)}),
    ("eth_getTransactionReceipt", {"blockNumber": hex(2**70)}),
    ("eth_getTransactionReceipt", {"logs": None}),
    ("eth_getTransactionReceipt", {"logs": [{"address": NOWHERE}]}),
    ("eth_getTransactionReceipt", {"logs": [LOG | {"transactionHash": "0x" + "33" * 32}]}),
    ("eth_getTransactionReceipt", {"logs": [LOG | {"topics": [BLOCK_HASH] * 5}]}),
    ("eth_getTransactionReceipt", {"gasUsed": "0x5207"}),
    ("eth_getTransactionReceipt", {"gasUsed": hex(2**41)}),
    ("eth_getTransactionReceipt", {"effectiveGasPrice": hex(10**18 + 1)}),
    ("eth_getBlockByNumber", {"gasLimit": "0x1"}),
    ("eth_getBlockByNumber", {"gasLimit": hex(2**41)}),
    ("eth_getBlockByNumber", {"baseFeePerGas": hex(10**18 + 1)}),
]


RANGES: list[tuple[str, object]] = [
    ("eth_getBalance", hex(10**30 + 1)),
    ("eth_getBalance", "-0x1"),
    ("eth_maxPriorityFeePerGas", hex(10**18 + 1)),
    ("eth_getTransactionCount", hex(2**53 + 1)),
    ("eth_blockNumber", hex(2**53 + 1)),
    ("eth_getLogs", [LOG | {"address": "0x" + "44" * 20}]),
    ("eth_getLogs", [LOG | {"topics": []}]),
    ("eth_getLogs", [LOG | {"blockNumber": hex(2**60)}]),
    ("eth_getLogs", [LOG] * 10_001),
]


@pytest.mark.parametrize(("method", "result"), RANGES)
async def test_what_no_chain_has_is_no_answer(method: str, result: object) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": result}).replace('"id": 0', '"id": {id}')
    first, second = await asked_twice(method, 200, body)
    assert isinstance(first, Unavailable)
    assert not isinstance(second, Exception)


def test_what_the_chain_says_is_bounded_before_it_is_shown_or_stored() -> None:
    """Anybody may have named a contract, or given a token an address of a megabyte."""
    assert trim_text("https://ipfs.io/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy").endswith("2zy")
    assert trim_text("a\x1b[31m\nb") == "a [31m b"
    assert len(trim_text("x" * 10**6)) == 300


@pytest.mark.parametrize(("method", "wrong"), HOLES)
async def test_an_answer_with_one_wrong_field_is_none(method: str, wrong: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": TRUE[method] | wrong}).replace('"id": 0', '"id": {id}')
    first, second = await asked_twice(method, 200, body)
    assert isinstance(first, Unavailable)
    assert not isinstance(second, Exception)


@pytest.mark.parametrize("gas", [0, 1, 21_000, 249_999, 2**24 + 1, 100_000_000, 2**53])
async def test_an_estimate_that_cannot_be_right_is_unavailable(gas: int) -> None:
    mint = Call(to=NOWHERE, data="0x" + contracts.MINT.selector.hex())
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": hex(gas)}).replace('"id": 0', '"id": {id}')
    node = ScriptedNode()
    node.odd["eth_estimateGas"] = [(200, body)]
    app = web.Application()
    app.router.add_post("/", node.answer)
    async with TestServer(app) as server, http.session() as session:
        chain = Chain(Node(session, SecretStr(str(server.make_url("/")))), AENEID, fee_cap=10**11)
        with pytest.raises(Unavailable, match="cannot be right"):
            await chain.estimate(mint, sender=NOWHERE)
        assert await chain.estimate(mint, sender=NOWHERE) == 1_000_000


async def test_a_method_that_is_missing_with_a_404_is_a_missing_method_and_no_missing_node() -> None:
    """Of the tip alone, since not every node has it; in words of JSON-RPC or in none."""
    missing = '{"jsonrpc":"2.0","id":{id},"error":{"code":-32601,"message":"the method is not available"}}'
    for body in (missing, "404 page not outcomes"):
        fees, again = await asked_twice("eth_maxPriorityFeePerGas", 404, body)
        assert fees.tip == 10**8
        assert again.tip == 10**9


async def test_a_node_of_another_chain_for_a_moment_is_asked_again() -> None:
    node = ScriptedNode()
    node.odd["eth_chainId"] = [(200, '{"jsonrpc":"2.0","id":{id},"result":"0x1"}')]
    app = web.Application()
    app.router.add_post("/", node.answer)
    async with TestServer(app) as server, http.session() as session:
        await Chain(Node(session, SecretStr(str(server.make_url("/")))), AENEID, fee_cap=10**11).check()


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_contracts_word_is_read_whatever_the_status_it_comes_with(status: int) -> None:
    revert = '{"jsonrpc":"2.0","id":{id},"error":{"code":3,"message":"execution reverted","data":"0x3bdad64c"}}'
    for method in ("eth_call", "eth_estimateGas"):
        first, _ = await asked_twice(method, status, revert)
        assert "Minting is closed" in first.sentence


async def test_an_answer_of_a_contract_that_cannot_be_read_is_asked_for_again() -> None:
    node = ScriptedNode()
    app = web.Application()
    app.router.add_post("/", node.answer)
    async with TestServer(app) as server, http.session() as session:
        chain = Chain(Node(session, SecretStr(str(server.make_url("/")))), AENEID, fee_cap=10**11)
        node.odd["eth_call"] = [(200, '{"jsonrpc":"2.0","id":{id},"result":"0x"}')]
        assert await chain.read(NOWHERE, contracts.MINT_OPEN) == (True,)
