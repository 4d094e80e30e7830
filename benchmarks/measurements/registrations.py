"""Registrations a second, one at a time and with 24 under way, beside a plain loop of sign, send and wait."""

import asyncio
import hashlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
from eth_account import Account
from pydantic import SecretStr
from web3 import AsyncHTTPProvider, AsyncWeb3

from benchmarks.tables import Table, ms, spread
from bot.clock import SystemClock
from bot.http import client as http
from bot.story.licences import Licence, LicenceKey
from bot.story.node.chain import Chain
from bot.story.node.networks import AENEID
from bot.story.node.rpc import Node
from bot.story.node.values import Address, Hash
from bot.story.registrar import Mined, Mint, Registrar
from bot.story.sending.sender import Sender
from bot.story.sending.types import Rules
from bot.story.sending.wallet import Wallet
from standins.chain import ACCOUNTS, story
from storage.database import open_database

TOOLS = Path(__file__).parents[2] / ".tools" / "anvil" / "node_modules" / "@foundry-rs"
BLOCK_TIME = 2  # seconds, as on Story
IN_FLIGHT = 24
_numbers = itertools.count(1)


async def measure(*, quick: bool) -> Table:
    table = Table(
        "registrations",
        "Images registered with licence terms on a local chain in a process of its own, each: try, sign, save (fsync), "
        "send, wait for its block, read what it registered. The plain loop estimates, signs, sends and waits, with "
        "web3's own provider, saves nothing, and looks for the receipt each 0.1 s.",
        (f"ours, {IN_FLIGHT} under way", "ours, 1 under way", "plain loop, 1 at a time"),
    )
    nodes = {"py-evm": _py_evm} | ({"anvil": _anvil} if _anvil_path() else {})
    for name, node in nodes.items():
        for block_time in (None, BLOCK_TIME):
            alone, many = (3 if quick else 8, IN_FLIGHT * (2 if quick else 4))
            if block_time is None:
                alone = many
            async with node(block_time) as url:
                runs = [
                    await _ours(url, count=many, in_flight=IN_FLIGHT),
                    await _ours(url, count=alone, in_flight=1),
                    await _plain(url, count=alone),
                ]
            blocks = f"a block each {block_time} s" if block_time else "a block for each transaction"
            table.raw[f"{name}, {blocks}"] = runs
            rates = [len(each["times"]) / each["wall"] for each in runs]
            aimed = block_time is not None and name == "anvil"
            table.add(
                f"{name}, {blocks}: a second",
                *(f"{rate:.2f}" for rate in rates),
                aim="≥ 8 × the loop" if aimed else "",
                met=rates[0] >= 8 * rates[2] if aimed else None,
            )
            table.add("  each took, median", *(ms(spread(each["times"], 0.5)) for each in runs))
            table.add("  questions to the node for each", *(_questions(each) for each in runs))
    if len(nodes) == 1:
        table.notes.append("anvil is not installed (`make anvil`), so that the stand-in alone was measured.")
    table.notes.append(
        "A block has room for about 30 registrations. On py-evm, Python runs the contracts, so that the chain is what "
        "is measured there. anvil answers a moment before it mines, and ours looks again after a second: one at "
        "a time, with a block for each transaction, some take that long."
    )
    return table


def _questions(run: dict[str, Any]) -> str:
    return f"{run['asked'] / len(run['times']):.1f}" if run["asked"] else "?"


async def _ours(url: str, *, count: int, in_flight: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        database = await open_database(Path(folder) / "bot.db")
        async with http.session() as session:
            node = _Counting(session, SecretStr(url))
            chain = Chain(node, AENEID, fee_cap=10**12)
            wallet = Wallet(SecretStr(ACCOUNTS["bot"].key))
            sender = Sender(chain, wallet, database, SystemClock(), rules=Rules(confirmations=1, patience=300))
            registrar = Registrar(chain, wallet, sender, network=AENEID, collection=None)
            collection = await registrar.create_collection(
                name=f"Bench {next(_numbers)}",
                symbol="BENCH",
                contract_uri="",
                mint_fee_recipient=wallet.address,
                public=False,
            )
            registrar = Registrar(chain, wallet, sender, network=AENEID, collection=collection.address)

            async def register() -> None:
                transaction_id = f"t{next(_numbers)}"
                await sender.save(transaction_id, await sender.prepare(await registrar.call_of(_mint())))
                await sender.broadcast(transaction_id)
                end = await sender.await_final(transaction_id)
                assert isinstance(end, Mined), end
                await registrar.outcome(end)

            node.asked = 0
            run = await _timed(register, count=count, in_flight=in_flight)
        await database.close()
    return run | {"asked": node.asked}


class _Counting(Node):
    asked = 0

    async def make_request(self, method: Any, params: Any) -> Any:
        self.asked += 1
        return await super().make_request(method, params)


async def _plain(url: str, *, count: int) -> dict[str, Any]:
    """What a straightforward script does; the calls are ours, so that the chain has the same to do."""
    web3 = AsyncWeb3(AsyncHTTPProvider(url))
    account = Account.from_key(ACCOUNTS["bot"].key)
    async with http.session() as session:
        chain = Chain(Node(session, SecretStr(url)), AENEID, fee_cap=10**12)
        wallet = Wallet(SecretStr(ACCOUNTS["bot"].key))
        registrar = Registrar(
            chain,
            wallet,
            Sender(chain, wallet, None, SystemClock()),
            network=AENEID,
            collection=Address(story.PUBLIC_COLLECTION),
        )

        async def register() -> None:
            call = await registrar.call_of(_mint())
            transaction: dict[str, Any] = {
                "from": account.address,
                "to": call.to,
                "data": call.data,
                "chainId": AENEID.chain_id,
                "nonce": await web3.eth.get_transaction_count(account.address),
            }
            transaction["gas"] = await web3.eth.estimate_gas(cast("Any", transaction))
            tip = await web3.eth.max_priority_fee
            base = (await web3.eth.get_block("latest")).get("baseFeePerGas", 0)
            transaction |= {"maxPriorityFeePerGas": tip, "maxFeePerGas": tip + 2 * base, "value": 0}
            del transaction["from"]
            signed = account.sign_transaction(transaction)
            tx_hash = await web3.eth.send_raw_transaction(signed.raw_transaction)
            receipt = await web3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.1)
            assert receipt["status"] == 1

        run = await _timed(register, count=count, in_flight=1)
    await web3.provider.disconnect()
    return run | {"asked": 0}


async def _timed(work: Callable[[], Awaitable[None]], *, count: int, in_flight: int) -> dict[str, Any]:
    times: list[float] = []
    left = iter(range(count))

    async def hand() -> None:
        for _ in left:
            began = time.monotonic()
            await work()
            times.append(time.monotonic() - began)

    began = time.monotonic()
    await asyncio.gather(*(hand() for _ in range(in_flight)))
    return {"wall": time.monotonic() - began, "times": times}


def _mint() -> Mint:
    name = f"image {next(_numbers)} {time.time_ns()}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Mint(
        recipient=Address(ACCOUNTS["ada"].address),
        ip_metadata_uri=f"https://ipfs.io/ipfs/bafkrei{digest[:52]}",
        ip_metadata_hash=Hash(f"0x{digest}"),
        nft_metadata_uri=f"https://ipfs.io/ipfs/bafkrej{digest[:52]}",
        nft_metadata_hash=Hash(f"0x{digest}"),
        licence=Licence(key=LicenceKey.NON_COMMERCIAL),
    )


@asynccontextmanager
async def _py_evm(block_time: int | None) -> AsyncGenerator[str]:
    args = [str(block_time)] if block_time else []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.processes.chain_node", *args,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


def _anvil_path() -> Path | None:
    return next(TOOLS.glob("anvil-*/bin/anvil*"), None)


@asynccontextmanager
async def _anvil(block_time: int | None) -> AsyncGenerator[str]:
    process = await asyncio.create_subprocess_exec(
        str(_anvil_path()), "--port", "0", "--chain-id", str(AENEID.chain_id), "--hardfork", "cancun",
        "--gas-limit", "36000000", "--balance", "1000",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout
    try:
        url = ""
        while not url and (line := (await process.stdout.readline()).decode()):
            url = f"http://{line.split()[-1]}/" if line.startswith("Listening on ") else ""
        drain = asyncio.create_task(_drain(process.stdout))
        await _set_up(url, block_time)
        yield url
        drain.cancel()
    finally:
        process.terminate()
        await process.wait()


async def _drain(output: asyncio.StreamReader) -> None:
    while await output.read(65536):
        pass


async def _set_up(url: str, block_time: int | None) -> None:
    """Story's stand-ins, as on the sandbox's chain."""
    calls: list[tuple[str, list[Any]]] = []
    for address, code in story.codes().items():
        calls += [("anvil_setCode", [address, "0x" + code.hex()]), ("anvil_setNonce", [address, "0x1"])]
    calls += [("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in story.sign_setup()]
    calls += [("evm_setIntervalMining", [block_time])] if block_time else []
    async with aiohttp.ClientSession() as session:
        for number, (method, params) in enumerate(calls):
            body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            async with session.post(url, json=body) as response:
                answer = json.loads(await response.text())
            assert "error" not in answer, answer
