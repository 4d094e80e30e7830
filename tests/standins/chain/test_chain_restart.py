"""The chain goes on where it was after a restart, keeps time, and rests when nobody needs it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from standins.chain import ACCOUNTS, PUBLIC_COLLECTION, ChainServer, contracts, ip_id
from standins.chain.ledger.evm import Building
from tests.scenes.chains import Client
from tests.scenes.clock import START, TurnedClock

BOT, ADA = ACCOUNTS["bot"], ACCOUNTS["ada"]
REGISTRATION, REGISTRY, VIEW = (
    contracts()[name] for name in ("RegistrationWorkflows", "IPAssetRegistry", "CoreMetadataViewModule")
)


@contextlib.asynccontextmanager
async def running(**given: Any) -> AsyncGenerator[tuple[ChainServer, Client]]:
    server = ChainServer(**given)
    try:
        async with TestServer(server.app()) as served, aiohttp.ClientSession() as session:
            yield server, Client(session, str(served.make_url("/")))
    finally:
        await server.close()


def encode_mint(number: int) -> bytes:
    digest = number.to_bytes(32)
    return REGISTRATION.call("mintAndRegisterIp", PUBLIC_COLLECTION, ADA.address, ("a", digest, "b", digest), False)


async def everything(client: Client, hashes: list[str]) -> Any:
    blocks = [
        await client.ask("eth_getBlockByNumber", hex(number), True)
        for number in range(int(await client.ask("eth_blockNumber"), 16) + 1)
    ]
    return (
        blocks,
        [await client.receipt(hash_) for hash_ in hashes],
        await client.ask("eth_getLogs", {"fromBlock": "0x0"}),
    )


async def test_everything_is_as_it_was_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "chain" / "chain.db"
    async with running(state=file) as (server, client):
        hashes = [await client.send(BOT, REGISTRATION.address, encode_mint(number)) for number in range(1, 4)]
        await server.fund(ADA.address, 77)
        before = await everything(client, hashes)

    async with running(state=file) as (server, client):
        assert await everything(client, hashes) == before
        assert await client.ask("eth_getBalance", ADA.address, "latest") == hex(77)
        assert await client.call(VIEW, "getMetadataHash", ip_id(PUBLIC_COLLECTION, 2)) == (2).to_bytes(32)
        past = before[1][0]["blockNumber"]
        assert await client.call(REGISTRY, "totalSupply", block=past) == 1
        fourth = await client.send(BOT, REGISTRATION.address, encode_mint(4))
        assert (await client.receipt(fourth))["status"] == "0x1"


async def test_what_waited_and_what_was_taken_back_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "chain.db"
    async with running(state=file, automine=False) as (server, client):
        gone = await client.send(BOT, REGISTRATION.address, encode_mint(1))
        await server.mine()
        await server.reorg(1)
        waiting = await client.send(BOT, REGISTRATION.address, encode_mint(2), nonce=0)

    async with running(state=file, automine=False) as (server, client):
        assert await client.receipt(gone) is None
        assert (await client.ask("eth_getTransactionByHash", waiting))["blockHash"] is None
        await server.mine()
        assert (await client.receipt(waiting))["status"] == "0x1"


async def test_a_killed_chain_has_whole_blocks(tmp_path: Path) -> None:
    file = tmp_path / "chain.db"
    server = ChainServer(state=file)
    await server.run(server.chain.submit, BOT.sign(transfer(0)))
    copy = tmp_path / "copy.db"
    for suffix in ("", "-wal"):  # as the disk is at this moment, nothing closed
        (tmp_path / f"copy.db{suffix}").write_bytes((tmp_path / f"chain.db{suffix}").read_bytes())
    await server.close()

    async with running(state=copy) as (_, client):
        assert await client.ask("eth_getTransactionCount", BOT.address, "latest") == "0x1"
        assert await client.ask("eth_blockNumber") == "0x2"


def transfer(nonce: int) -> dict[str, Any]:
    fees = {"maxFeePerGas": 5 * 10**9, "maxPriorityFeePerGas": 10**9}
    return {"chainId": 1315, "nonce": nonce, "to": ADA.address, "value": 1, "gas": 21_000, **fees}


async def test_a_restart_runs_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "chain.db"
    async with running(state=file) as (_, client):
        await client.send(BOT, REGISTRATION.address, encode_mint(1))

    def run_again(*_: object) -> None:
        raise AssertionError("a transaction was run again")

    monkeypatch.setattr(Building, "add", run_again)
    async with running(state=file) as (_, client):
        assert await client.call(REGISTRY, "isRegistered", ip_id(PUBLIC_COLLECTION, 1)) is True


async def test_blocks_bear_the_clocks_time_and_each_a_later_one(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with running(clock=clock.now) as (server, client):

        async def stamp() -> int:
            return int((await client.ask("eth_getBlockByNumber", "latest", False))["timestamp"], 16)

        assert await stamp() == START
        await server.mine(3)
        assert await stamp() == START + 3
        await clock.turn(60)
        await server.mine()
        assert await stamp() == START + 60


async def test_a_block_comes_every_two_seconds_and_the_miner_rests_when_nothing_happens() -> None:
    clock = TurnedClock()
    async with running(clock=clock.now, sleep=clock.sleep, block_time=2, rests_after=3) as (server, client):
        until = watching(server, clock)
        sent = await client.send(BOT, ADA.address, value=1)
        assert await client.receipt(sent) is None
        await until(1)
        assert (await client.receipt(sent))["status"] == "0x1"
        await until(4)

        await clock.turn(600)
        assert len(server.chain.blocks) == 2 + 1 + 3  # the genesis and the contracts, the transfer, three empty ones
        later = await client.send(BOT, ADA.address, value=1)
        await until(5)
        assert (await client.receipt(later))["status"] == "0x1"


def watching(server: ChainServer, clock: TurnedClock) -> Callable[[int], Any]:
    """Turns the clock block by block, until there are so many."""
    first = len(server.chain.blocks)

    async def until(count: int) -> None:
        async with asyncio.timeout(10):
            while len(server.chain.blocks) < first + count:
                await asyncio.sleep(0.001)
                await clock.turn(2)

    return until


async def test_the_chain_does_not_hold_up_whoever_else_is_at_work() -> None:
    async with running(automine=False) as (server, client):
        for number in range(1, 13):
            await client.send(BOT, REGISTRATION.address, encode_mint(number), gas=1_300_000, nonce=number - 1)
        turns = 0
        mining = asyncio.ensure_future(server.mine())
        while not mining.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 20
        assert len(server.chain.head.mined) == 12


@pytest.mark.parametrize("method", ["eth_feeHistory", "eth_gasPrice", "eth_maxPriorityFeePerGas"])
async def test_fees_are_suggested(method: str) -> None:
    async with running() as (_, client):
        await client.send(BOT, ADA.address, value=1)
        answer = await client.ask(method, *(["0x2", "latest", [50]] if method == "eth_feeHistory" else []))
        if method == "eth_feeHistory":
            assert len(answer["baseFeePerGas"]) == 3
            assert answer["reward"] == [["0x3b9aca00"], ["0x3b9aca00"]]
            assert answer["oldestBlock"] == "0x1"
        else:
            assert int(answer, 16) >= 10**9
