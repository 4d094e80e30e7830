"""Speaking with a node: every way of not answering, and that its address, which may hold a key, stays secret."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_abi.abi import encode
from pydantic import SecretStr

from bot.errors import BotError, Broken, Unavailable
from bot.http import client as http
from bot.http.client import Timeouts
from bot.story.node.chain import Call, Chain, Standing
from bot.story.node.networks import AENEID, MAINNET
from bot.story.node.reverts import Revert
from bot.story.node.rpc import Node
from bot.story.node.values import Address, Hash
from bot.story.sending.wallet import Wallet

KEY = "k3y-0f-the-node-9f8e7d"
QUERY = "qu3ry-k3y-1a2b3c"
NOWHERE = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
CALL = Call(to=NOWHERE, data="0x")
A_HASH = Hash("0x" + "11" * 32)


class Answers:
    """A node that says one thing to everything; `{id}` in it is the number of the question."""

    def __init__(
        self, body: str, *, status: int = 200, content_type: str = "application/json", delay: float = 0
    ) -> None:
        self.body = body
        self.status = status
        self.content_type = content_type
        self.delay = delay
        self.asked: list[Any] = []

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.asked.append(asked)
        await asyncio.sleep(self.delay)
        body = self.body.replace("{id}", str(asked["id"])).replace("{path}", request.path_qs)
        return web.Response(text=body, status=self.status, content_type=self.content_type)


def result(value: Any) -> Answers:
    return Answers(json.dumps({"jsonrpc": "2.0", "id": "{id}", "result": value}).replace('"{id}"', "{id}"))


def error(**fields: Any) -> Answers:
    return Answers(json.dumps({"jsonrpc": "2.0", "id": "{id}", "error": fields}).replace('"{id}"', "{id}"))


@asynccontextmanager
async def chain_of(answers: Answers, *, timeouts: Timeouts | None = None) -> AsyncGenerator[Chain]:
    app = web.Application()
    app.router.add_post("/{path:.*}", answers.answer)
    async with TestServer(app) as server, http.session() as session:
        address = SecretStr(f"{server.make_url('/').origin()}/v2/{KEY}?apikey={QUERY}")
        node = Node(session, address, timeouts=timeouts or Timeouts(connect=2, idle=2, total=2))
        yield Chain(node, AENEID, fee_cap=10**11)


def read_log(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, but for what the node itself did."""
    return "\n".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")


NO_ANSWERS: dict[str, Answers] = {
    "HTML": Answers("<html>maintenance {path}</html>", content_type="text/html"),
    "nothing": Answers(""),
    "a list": Answers("[]"),
    "a word": Answers('"no"'),
    "half of it": Answers('{"jsonrpc":"2.0","id":{id},"resu'),
    "neither result nor error": Answers('{"jsonrpc":"2.0","id":{id}}'),
    "another's answer": Answers('{"jsonrpc":"2.0","id":77777,"result":"0x1"}'),
    "a result of another kind": result({"a": 1}),
    "429": Answers("slow down {path}", status=429),
    "503": Answers("<html>{path}</html>", status=503, content_type="text/html"),
    "500": Answers("{path}", status=500),
    "400": Answers('{"error":"bad key in {path}"}', status=400),
    "rate limit in JSON": error(code=-32005, message=f"key {KEY} is over its limit"),
}


@pytest.mark.parametrize("kind", list(NO_ANSWERS))
async def test_whatever_is_no_answer_is_unavailable_and_asked_once(kind: str) -> None:
    answers = NO_ANSWERS[kind]
    answers.asked.clear()
    async with chain_of(answers) as chain:
        with pytest.raises(Unavailable):
            await chain.block_number()
        with pytest.raises(Unavailable):
            await chain.call(CALL)
    assert [each["method"] for each in answers.asked] == ["eth_blockNumber", "eth_call"]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_a_wrong_key_or_address_is_the_admins_to_mend(status: int) -> None:
    async with chain_of(Answers("no {path}", status=status)) as chain:
        with pytest.raises(Broken, match="RPC_PROVIDER_URL"):
            await chain.balance(NOWHERE)


async def test_a_node_that_hangs_is_given_up() -> None:
    async with chain_of(Answers("{}", delay=2), timeouts=Timeouts(connect=1, idle=0.05, total=0.1)) as chain:
        with pytest.raises(Unavailable, match="did not answer"):
            await chain.send("0x00")


@pytest.mark.parametrize(
    "answers",
    [*NO_ANSWERS.values(), Answers("{path}", status=401), Answers("{path}", status=404), Answers("", delay=1)],
    ids=[*NO_ANSWERS, "401", "404", "hangs"],
)
async def test_the_nodes_address_is_in_no_log_error_or_traceback(
    answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with chain_of(answers, timeouts=Timeouts(connect=0.2, idle=0.2, total=0.2)) as chain:
        with pytest.raises(BotError) as raised:
            await chain.block_number()
        text = "".join(traceback.format_exception(raised.value)) + read_log(caplog) + repr(chain) + repr(vars(chain))

    assert QUERY not in text
    assert KEY not in text


async def test_a_node_that_is_not_there_is_told_without_its_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with http.session() as session:
        chain = Chain(Node(session, SecretStr(f"http://127.0.0.1:9/{KEY}?k={QUERY}")), AENEID, fee_cap=1)
        with pytest.raises(Unavailable, match="cannot be reached") as raised:
            await chain.check()
    text = "".join(traceback.format_exception(raised.value)) + read_log(caplog)
    assert KEY not in text
    assert QUERY not in text


@pytest.mark.parametrize(
    "address",
    [
        f"http://example.com/{KEY}",
        f"https://user:{KEY}@example.com",
        f"wss://example.com/{KEY}",
        f"example.com/{KEY}",
        f"https://exa mple.com/{KEY}",
        f"https://example.com:99999/{KEY}",
        "",
    ],
)
async def test_an_address_that_must_not_be_called_is_refused_without_being_repeated(address: str) -> None:
    async with http.session() as session:
        with pytest.raises(ValueError, match="RPC_PROVIDER_URL") as raised:
            Node(session, SecretStr(address))
    assert KEY not in "".join(traceback.format_exception(raised.value))


async def test_a_contract_cannot_have_us_call_an_address_of_its_choice() -> None:
    lookup = (
        "0x556f1830"
        + encode(
            ["address", "string[]", "bytes", "bytes4", "bytes"],
            [NOWHERE, ["https://evil.example/{sender}/{data}"], b"", b"\0" * 4, b""],
        ).hex()
    )
    answers = error(code=3, message="execution reverted", data=lookup)
    async with chain_of(answers) as chain:
        answer = await chain.call(CALL)

    assert isinstance(answer, Revert)
    assert len(answers.asked) == 1


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"code": 3, "message": "execution reverted", "data": "0x3bdad64c"}, "Minting is closed"),
    ({"code": -32000, "message": "execution reverted", "data": "0x3bdad64c"}, "Minting is closed"),
    ({"code": -32603, "message": "reverted", "data": {"data": "0x3bdad64c"}}, "Minting is closed"),
    ({"code": -32603, "message": "error", "data": {"originalError": {"data": "0x3bdad64c"}}}, "Minting is closed"),
    ({"code": -32015, "message": "VM execution error.", "data": "Reverted 0x3bdad64c"}, "Minting is closed"),
    ({"code": -32000, "message": "execution reverted"}, "without a reason"),
    ({"code": 3, "message": "execution reverted", "data": "0x"}, "without a reason"),
]


@pytest.mark.parametrize(("fields", "words"), REFUSALS)
async def test_a_revert_is_read_from_wherever_a_node_puts_it(fields: dict[str, Any], words: str) -> None:
    async with chain_of(error(**fields)) as chain:
        for answer in (await chain.call(CALL), await chain.estimate(CALL, sender=NOWHERE)):
            assert isinstance(answer, Revert)
            assert words in answer.sentence


WORDS = [
    ("already known", Standing.TAKEN),
    ("transaction already imported", Standing.TAKEN),
    ("nonce too low: next nonce 5, tx nonce 4", Standing.NONCE_USED),
    ("Nonce too low. Expected nonce to be 5 but got 4", Standing.NONCE_USED),
    ("insufficient funds for gas * price + value: address 0x1 have 1 want 2", Standing.NO_COINS),
    ("Insufficient funds for gas * price + value", Standing.NO_COINS),
    ("replacement transaction underpriced", Standing.TOO_CHEAP),
    ("max fee per gas less than block base fee: address 0x1", Standing.TOO_CHEAP),
    ("transaction underpriced: tip needed 1", Standing.TOO_CHEAP),
    ("intrinsic gas too low", Standing.TURNED_DOWN),
    ("invalid chain id for signer", Standing.TURNED_DOWN),
]


@pytest.mark.parametrize(("words", "standing"), WORDS)
async def test_a_refused_transaction_is_understood_by_its_words_and_not_by_its_code(
    words: str, standing: Standing
) -> None:
    for code in (-32000, -32003, 1):
        async with chain_of(error(code=code, message=words)) as chain:
            assert (await chain.send("0x00")).standing is standing


async def test_what_is_not_there_is_none() -> None:
    async with chain_of(result(None)) as chain:
        assert await chain.transaction(A_HASH) is None
        assert await chain.receipt(A_HASH) is None
        assert await chain.block_hash(5) is None
    async with chain_of(error(code=-32000, message="transaction indexing is in progress")) as chain:
        assert await chain.receipt(A_HASH) is None


@pytest.mark.parametrize("receipt", [{}, {"transactionHash": "0x11"}, [], {"status": "0x1", "logs": None}])
async def test_a_receipt_with_holes_is_no_receipt(receipt: Any) -> None:
    async with chain_of(result(receipt)) as chain:
        with pytest.raises(Unavailable):
            await chain.receipt(A_HASH)


async def test_a_node_of_another_network_is_named() -> None:
    async with chain_of(result(hex(MAINNET.chain_id))) as chain:
        with pytest.raises(Broken, match=r"a node of Story \(chain id 1514\)"):
            await chain.check()


def test_a_wallet_shows_its_address_and_never_its_key() -> None:
    key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    wallets = [Wallet(SecretStr(text)) for text in (key, f"0x{key}", f" 0x{key.upper()}\n")]

    assert {wallet.address for wallet in wallets} == {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"}
    assert key[:8] not in repr(wallets) + repr([vars(wallet) for wallet in wallets])


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, "ab" * 33, "00" * 32, "ff" * 32])
def test_a_key_that_is_none_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(Broken, match="WALLET_PRIVATE_KEY") as raised:
        Wallet(SecretStr(key))
    text = "".join(traceback.format_exception(raised.value))
    assert not key or len(key) < 8 or key not in text


def test_signing_twice_is_signing_once() -> None:
    wallet = Wallet(SecretStr("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
    facts: dict[str, Any] = {"chain_id": 1315, "nonce": 1, "to": NOWHERE, "data": "0x01", "gas": 50_000}
    one, other = [wallet.sign(**facts, max_fee=10**9, tip=1) for _ in range(2)]
    assert one == other
    assert wallet.sign(**facts, max_fee=10**9 + 1, tip=1) != one
