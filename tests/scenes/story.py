"""The bot's side of Story at work on a real chain: what the tests of registering share."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from pydantic import SecretStr

from bot.http import client as http
from bot.story.licences import Licence, LicenceKey
from bot.story.node import contracts
from bot.story.node.chain import Chain
from bot.story.node.networks import AENEID
from bot.story.node.rpc import Node as Rpc
from bot.story.node.values import Address, Hash
from bot.story.registrar import Collection, Mint, Registered, Registrar
from bot.story.sending.sender import Sender
from bot.story.sending.types import Mined, Reverted, Rules
from bot.story.sending.wallet import Wallet
from standins.chain import ACCOUNTS
from storage.database import Database, open_database
from storage.registering import transactions
from storage.registering.transactions import Attempt
from tests.scenes.chains import Node, PyEvmNode
from tests.scenes.clock import TurnedClock

T = TypeVar("T")
GWEI = 10**9
BOT, ADA = ACCOUNTS["bot"], ACCOUNTS["ada"]
NON_COMMERCIAL = Licence(key=LicenceKey.NON_COMMERCIAL)
NO_LICENCE = Licence(key=LicenceKey.NONE)
_numbers = itertools.count(1)


def a_hash(text: str) -> Hash:
    return Hash("0x" + hashlib.sha256(text.encode()).hexdigest())


def a_mint(name: str | None = None, **different: Any) -> Mint:
    """A mint for Ada; the same name is the same metadata."""
    name = name or f"image {next(_numbers)}"
    options: dict[str, Any] = {
        "recipient": Address(ADA.address),
        "ip_metadata_uri": f"https://ipfs.io/ipfs/bafkrei{hashlib.sha256(name.encode()).hexdigest()[:52]}",
        "ip_metadata_hash": a_hash(f"{name} ip"),
        "nft_metadata_uri": f"https://ipfs.io/ipfs/bafkrej{hashlib.sha256(name.encode()).hexdigest()[:52]}",
        "nft_metadata_hash": a_hash(f"{name} nft"),
        "licence": NO_LICENCE,
    }
    return Mint(**options | different)


@dataclass
class Desk:
    """A wallet, its chain, its database. `again()` is the same after a crash: all that was in memory is gone."""

    url: str
    session: aiohttp.ClientSession
    database: Database
    clock: TurnedClock
    chain: Chain
    wallet: Wallet
    sender: Sender
    registrar: Registrar
    rules: Rules
    node: Any = None

    async def submit(self, mint: Mint, transaction_id: str | None = None) -> str:
        """Prepared, signed and sent; its id."""
        transaction_id = transaction_id or f"t{next(_numbers)}"
        prepared = await self.sender.prepare(await self.registrar.call_of(mint))
        await self.sender.save(transaction_id, prepared)
        await self.sender.broadcast(transaction_id)
        return transaction_id

    async def collect(self, **different: Any) -> Collection:
        """A collection made; the same facts are the same one."""
        options: dict[str, Any] = {
            "name": "P",
            "symbol": "P",
            "contract_uri": "",
            "mint_fee_recipient": self.wallet.address,
            "public": False,
        }
        (made,) = await self.passing(self.registrar.create_collection(**options | different))
        return made

    async def sign(self, mint: Mint, transaction_id: str | None = None) -> str:
        """Prepared and signed, and nothing more; its id."""
        transaction_id = transaction_id or f"t{next(_numbers)}"
        prepared = await self.sender.prepare(await self.registrar.call_of(mint))
        await self.sender.save(transaction_id, prepared)
        return transaction_id

    async def register(self, mint: Mint) -> Registered:
        """All of it, on a node that mines at once."""
        (end,) = await self.settle(await self.submit(mint))
        assert isinstance(end, Mined), end
        return await self.registrar.outcome(end)

    def again(self, *, fee_cap: int = 100 * GWEI, key: str = BOT.key, **rules: Any) -> "Desk":
        """After a crash, perhaps with other settings."""
        return replace(self, **_parts(self, replace(self.rules, **rules), fee_cap, key))

    async def supply(self) -> int:
        """How many tokens there are."""
        return int((await self.chain.read(self.registrar.collection, contracts.TOTAL_SUPPLY))[0])

    async def attempts(self, transaction_id: str) -> list[Attempt]:
        """Every form in which a transaction was signed."""
        async with self.database.read() as db:
            return await transactions.attempts_of(db, transaction_id)

    async def outsider(self, nonce: int, *, fee: int = 50 * GWEI) -> None:
        """Somebody else uses the same key: sends nothing to itself."""
        wallet = self.wallet
        raw = wallet.sign(chain_id=1315, nonce=nonce, to=wallet.address, data="0x", gas=21_000, max_fee=fee, tip=fee)
        await self.chain.send(raw.raw)

    async def settle(
        self, *transaction_ids: str, within: float = 200, block_time: int | None = None
    ) -> list[Mined | Reverted]:
        """What became of them, on a node that mines so often, or at once."""
        work = [self.sender.await_final(each) for each in transaction_ids]
        return await self.passing(*work, within=within, block_time=block_time)

    async def passing(self, *work: Awaitable[T], within: float = 200, block_time: int | None = None) -> list[T]:
        """The results of work that waits by the clock, which passes meanwhile; so does the chain's time, in seconds."""
        tasks = [asyncio.ensure_future(each) for each in work]
        self.clock.tasks = lambda: tasks  # pyright: ignore[reportAttributeAccessIssue]
        for second in range(1, int(within) + 1):
            await self.clock.settle()
            if all(task.done() for task in tasks):
                break
            if block_time and second % block_time == 0:
                await self.node.mine()
            await self.clock.turn(1)
        self.clock.tasks = list
        for task in tasks:
            if not task.done():
                task.cancel()
        return await asyncio.gather(*tasks)


def _parts(desk: Desk, rules: Rules, fee_cap: int, key: str) -> dict[str, Any]:
    chain = Chain(Rpc(desk.session, SecretStr(desk.url)), AENEID, fee_cap=fee_cap)
    wallet = Wallet(SecretStr(key))
    sender = Sender(chain, wallet, desk.database, desk.clock, rules=rules)
    registrar = Registrar(chain, wallet, sender, network=AENEID, collection=desk.registrar.collection)
    return {"chain": chain, "wallet": wallet, "sender": sender, "rules": rules, "registrar": registrar}


@asynccontextmanager
async def a_desk(node: Node, folder: Path) -> AsyncGenerator[Desk]:
    """A desk with a collection of its own, on a node that mines at once; final is what is in a block."""
    database = await open_database(folder / "bot.db")
    clock = TurnedClock()
    rules = Rules(confirmations=1, patience=600)
    async with http.session() as session:
        chain = Chain(Rpc(session, SecretStr(node.url)), AENEID, fee_cap=100 * GWEI)
        wallet = Wallet(SecretStr(BOT.key))
        sender = Sender(chain, wallet, database, clock, rules=rules)
        registrar = Registrar(chain, wallet, sender, network=AENEID, collection=None)
        desk = Desk(node.url, session, database, clock, chain, wallet, sender, registrar, rules, node)
        made = await desk.collect(name="Lighthouses")
        desk.registrar = Registrar(chain, wallet, sender, network=AENEID, collection=made.address)
        yield desk
    await database.close()


@pytest.fixture
async def desk(node: Node, tmp_path: Path) -> AsyncGenerator[Desk]:
    """On each node in turn."""
    async with a_desk(node, tmp_path) as made:
        yield made


@pytest.fixture
async def own(py_evm: PyEvmNode, tmp_path: Path) -> AsyncGenerator[Desk]:
    """On the sandbox's chain, which knows more ways to go wrong."""
    async with a_desk(py_evm, tmp_path) as made:
        yield made
