"""Nodes for tests: the sandbox's chain, and anvil with the same contracts.

    async def test_…(node: Node): …                 # runs on both
    async def test_…(chain: ChainServer): …         # only on ours, which knows more ways to go wrong

anvil is stricter where ours is lenient, and neither is geth: what holds on both is likely to hold.
"""

import asyncio
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from eth_utils.address import to_checksum_address

from standins.chain import CHAIN_ID, Account, ChainServer, Contract, contracts, story
from tests import ROOT

_TOOLS: Final = ROOT / ".tools" / "anvil" / "node_modules" / "@foundry-rs"
_GWEI: Final = 10**9
_PATIENCE: Final = 20.0  # seconds


class Node(Protocol):
    """A node at `url`, and what a test can do to its chain. The accounts of `standins.chain.ACCOUNTS` have money."""

    name: str
    url: str

    async def mine(self, count: int = 1) -> None:
        """Mine so many blocks."""
        ...

    async def automine(self, on: bool) -> None:
        """Whether each transaction is mined as it comes; it is, until told."""
        ...

    async def fund(self, address: str, wei: int) -> None:
        """Let an address have this much."""
        ...

    async def put_code(self, address: str, code: bytes) -> None:
        """Let a contract be there."""
        ...

    async def drop(self, hash_: str) -> None:
        """Lose a waiting transaction."""
        ...

    async def reorg(self, depth: int = 1) -> None:
        """Let the last blocks be empty: their transactions are gone, as if never sent."""
        ...

    async def set_next_block_base_fee(self, wei: int) -> None: ...

    async def pause_protocol(self, paused: bool = True) -> None:
        """Have Story's registry refuse everything."""
        ...

    async def close_minting(self, collection: str, closed: bool = True) -> None:
        """Have a collection mint nothing, whoever its admin is."""
        ...


class PyEvmNode:
    """The sandbox's chain as a `Node`; `server` is the whole of it."""

    name = "py-evm"

    def __init__(self, server: ChainServer, url: str) -> None:
        self.server = server
        self.url = url
        self.automine = server.automine
        self.fund = server.fund
        self.put_code = server.put_code
        self.set_next_block_base_fee = server.set_next_block_base_fee
        self.pause_protocol = server.pause_protocol
        self.close_minting = server.close_minting

    async def mine(self, count: int = 1) -> None:
        await self.server.mine(count)

    async def drop(self, hash_: str) -> None:
        await self.server.drop(hash_)

    async def reorg(self, depth: int = 1) -> None:
        await self.server.reorg(depth)


class RpcError(Exception):
    """What a node answered in place of a result."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: str | None = error.get("data")


class Client:
    """Speaks plain JSON-RPC to a node, and signs for the accounts that everybody knows."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self.session = session

    async def ask(self, method: str, *params: Any) -> Any:
        """
        Raises:
            RpcError: the node says no.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self.session.post(self.url, json=body) as response:
            answer = await response.json(content_type=None)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    async def call(self, contract: Contract, function: str, *arguments: Any, **given: Any) -> Any:
        """Read from a contract: what it returns, or a tuple where that is several things.

        `at` names another address than the contract's own, `sender` who asks, `block` when.
        """
        request = {"to": given.get("at", contract.address), "data": "0x" + contract.call(function, *arguments).hex()}
        if "sender" in given:
            request["from"] = given["sender"]
        output = await self.ask("eth_call", request, given.get("block", "latest"))
        returned = contract.returned(function, bytes.fromhex(output[2:]))
        return returned[0] if len(returned) == 1 else returned

    async def sign(self, account: Account, to: str, call: bytes = b"", **given: Any) -> bytes:
        """A transaction of that account, its next one unless told."""
        nonce = given.pop("nonce", None)
        if nonce is None:
            nonce = int(await self.ask("eth_getTransactionCount", account.address, "pending"), 16)
        transaction: dict[str, Any] = {
            "chainId": CHAIN_ID,
            "nonce": nonce,
            "to": to_checksum_address(to),
            "data": call,
            "value": 0,
            "gas": 3_000_000,
            "maxFeePerGas": 5 * _GWEI,
            "maxPriorityFeePerGas": _GWEI,
            **given,
        }
        return account.sign(transaction)

    async def submit(self, raw: bytes) -> str:
        """Send a signed transaction; gives its hash."""
        return await self.ask("eth_sendRawTransaction", "0x" + raw.hex())

    async def send(self, account: Account, to: str, call: bytes = b"", **given: Any) -> str:
        """Sign and send; gives the hash."""
        return await self.submit(await self.sign(account, to, call, **given))

    async def receipt(self, hash_: str) -> Any:
        """What became of a transaction, or None."""
        return await self.ask("eth_getTransactionReceipt", hash_)

    async def mined(self, hash_: str) -> Any:
        """The receipt of a transaction that is about to be mined: anvil answers a moment before it is."""
        async with asyncio.timeout(_PATIENCE):
            while not (receipt := await self.receipt(hash_)):  # noqa: ASYNC110 - another process mines
                await asyncio.sleep(0.002)
        return receipt


class AnvilNode:
    """anvil as a `Node`."""

    name = "anvil"

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self.ask = Client(session, url).ask

    async def mine(self, count: int = 1) -> None:
        await self.ask("anvil_mine", hex(count))

    async def automine(self, on: bool) -> None:
        await self.ask("evm_setAutomine", on)

    async def fund(self, address: str, wei: int) -> None:
        await self.ask("anvil_setBalance", address, hex(wei))

    async def put_code(self, address: str, code: bytes) -> None:
        await self.ask("anvil_setCode", address, "0x" + code.hex())

    async def drop(self, hash_: str) -> None:
        await self.ask("anvil_dropTransaction", hash_)

    async def reorg(self, depth: int = 1) -> None:
        await self.ask("anvil_reorg", depth, [])

    async def set_next_block_base_fee(self, wei: int) -> None:
        await self.ask("anvil_setNextBlockBaseFeePerGas", hex(wei))

    async def pause_protocol(self, paused: bool = True) -> None:
        registry = contracts()["IPAssetRegistry"].address
        await self._set_storage(registry, story.storage_slot("IPAssetRegistry", "paused"), int(paused))

    async def close_minting(self, collection: str, closed: bool = True) -> None:
        await self._set_storage(collection, story.storage_slot("SPGNFT", "mintOpen"), int(not closed))

    async def _set_storage(self, address: str, slot: int, value: int) -> None:
        await self.ask("anvil_setStorageAt", address, hex(slot), "0x" + value.to_bytes(32).hex())


@pytest.fixture
async def chain() -> AsyncGenerator[ChainServer]:
    """A chain in memory that mines each transaction as it comes, not yet served."""
    server = ChainServer()
    yield server
    await server.close()


@pytest.fixture
async def py_evm(chain: ChainServer) -> AsyncGenerator[PyEvmNode]:
    """The sandbox's chain, served."""
    async with TestServer(chain.app()) as served:
        yield PyEvmNode(chain, str(served.make_url(chain.rpc_path)))


@pytest.fixture(scope="session")
def anvil_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """One anvil for all tests of this process, with Story's contracts in it."""
    log = tmp_path_factory.mktemp("anvil") / "said.txt"  # a file: a pipe that nobody reads would fill up and stop it
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own binary
            [
                _anvil(), "--port", "0", "--chain-id", str(CHAIN_ID), "--hardfork", "cancun",
                "--gas-limit", "36000000", "--base-fee", str(_GWEI), "--balance", "1000",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        url = _listening(process, log)
        _set_up(url)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
async def anvil(anvil_url: str) -> AsyncGenerator[AnvilNode]:
    """anvil as it was at its beginning."""
    async with aiohttp.ClientSession() as session:
        node = AnvilNode(session, anvil_url)
        snapshot = await node.ask("evm_snapshot")
        await node.set_next_block_base_fee(_GWEI)
        yield node
        await node.automine(False)
        await node.ask("anvil_dropAllTransactions")
        await node.ask("evm_revert", snapshot)
        await node.automine(True)


@pytest.fixture(params=["py-evm", "anvil"])
def node(request: pytest.FixtureRequest) -> Node:
    """Each node in turn."""
    return request.getfixturevalue("py_evm" if request.param == "py-evm" else "anvil")


@pytest.fixture
async def client(node: Node) -> AsyncGenerator[Client]:
    """Speaks to `node`."""
    async with aiohttp.ClientSession() as session:
        yield Client(session, node.url)


def _anvil() -> Path:
    binary = next(_TOOLS.glob("anvil-*/bin/anvil*"), None)
    if not binary:
        pytest.fail("The chain tests need anvil, which `make test` installs; by itself: `make anvil`.")
    return binary


def _listening(process: subprocess.Popen[bytes], output: Path) -> str:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if match := re.search(r"^Listening on (\S+)$", output.read_text(encoding="utf-8"), re.MULTILINE):
            return f"http://{match[1]}/"
        time.sleep(0.01)
    pytest.fail(f"anvil did not start: {output.read_text(encoding='utf-8')[-1000:]}")


def _set_up(url: str) -> None:
    calls: list[tuple[str, list[Any]]] = []
    for address, code in story.codes().items():
        calls += [("anvil_setCode", [address, "0x" + code.hex()]), ("anvil_setNonce", [address, "0x1"])]
    sign_setup = story.sign_setup()
    calls += [("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in sign_setup]
    *_, last = _asked(url, calls)
    until = time.monotonic() + _PATIENCE
    while not _asked(url, [("eth_getTransactionReceipt", [last])])[0]:  # it answers before it mines
        assert time.monotonic() < until, "anvil does not mine"
        time.sleep(0.01)


def _asked(url: str, calls: list[tuple[str, list[Any]]]) -> list[Any]:
    body = [{"jsonrpc": "2.0", "id": id_, "method": name, "params": given} for id_, (name, given) in enumerate(calls)]
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_PATIENCE) as response:  # noqa: S310
        answers = json.loads(response.read())
    assert all("error" not in answer for answer in answers), answers
    return [answer["result"] for answer in answers]
