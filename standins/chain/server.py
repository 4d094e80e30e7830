"""The chain as a node: JSON-RPC over HTTP, pages for people, and what befalls either on the way."""

import asyncio
import contextlib
import functools
import json
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from aiohttp import web
from eth_utils.address import to_canonical_address

from standins.base.faults import Fault, Handler, take_inside, take_trouble
from standins.chain.accounts import ACCOUNTS, Account
from standins.chain.faults import Twist
from standins.chain.ledger.blocks import Block
from standins.chain.ledger.chain import Chain
from standins.chain.ledger.evm import Edit
from standins.chain.ledger.transactions import Refusal
from standins.chain.node import rpc, shown
from standins.chain.pages.pages import Pages
from standins.chain.story import contracts, storage_slot

P = ParamSpec("P")
R = TypeVar("R")
_LARGEST_REQUEST: Final = 5 * 1024 * 1024  # bytes, as geth
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Received:
    """A call that came in."""

    method: str
    params: Any


class ChainServer:
    """A chain on this machine, with Story's contracts and some people who have money.

    The chain works in a thread of its own, so everything that touches it is awaited. What it was asked and what it was
    told to get wrong are at hand: `requests`, `faults`, `lag`.
    """

    rpc_path: Final = "/"
    accounts: Final[dict[str, Account]] = ACCOUNTS

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        state: Path | None = None,
        automine: bool = True,
        block_time: float | None = None,
        rests_after: int = 20,
        base_fee: int = 10**9,
        gateway: str | None = None,
    ) -> None:
        """
        Args:
            clock: seconds since 1970; blocks bear its time, or one second more than the block before.
            sleep: waits so many seconds, for `block_time`.
            state: the file that keeps the chain between two starts; none for a chain in memory.
            automine: mine each transaction as it comes.
            block_time: seconds between blocks, while the app runs, in place of automine.
            rests_after: so many empty blocks after the last transaction the miner pauses until the next one.
            base_fee: wei; the lowest.
            gateway: where IPFS files can be looked at, such as `http://127.0.0.1:8080/ipfs/`; for the pages.
        """
        self.block_time = block_time
        self.rests_after = rests_after
        self.gateway = gateway
        self.faults: list[Fault] = []
        self.requests: deque[Received] = deque(maxlen=100_000)
        self._sleep = sleep
        self._wanted = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chain")
        self.chain = self._thread.submit(
            Chain, clock=clock, state=state, automine=automine and block_time is None, base_fee=base_fee
        ).result()

    def app(self) -> web.Application:
        """The node and its pages."""
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_post(self.rpc_path, self._rpc)
        Pages(self.run, self.chain, gateway=lambda: self.gateway).add_to(app.router)
        if self.block_time is not None:
            app.cleanup_ctx.append(self._run_miner)
        return app

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Have something done in the chain's thread."""
        call = functools.partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def close(self) -> None:
        """Close the chain's file and end its thread."""
        await self.run(self.chain.close)
        self._thread.shutdown()

    # What happens to the chain

    async def mine(self, count: int = 1) -> list[Block]:
        """Mine so many blocks."""
        return await self.run(self.chain.mine, count)

    async def automine(self, on: bool) -> None:
        """Whether each transaction is mined as it comes; what has waited stays until the next block."""
        self.chain.automine = on

    async def fund(self, address: str, wei: int) -> None:
        """Set the balance of an address."""
        await self.run(self.chain.edit, Edit(to_canonical_address(address), balance=wei))

    async def put_code(self, address: str, code: bytes) -> None:
        """Put a contract at an address."""
        await self.run(self.chain.edit, Edit(to_canonical_address(address), code=code))

    async def set_storage(self, address: str, slot: int, value: int) -> None:
        """Change one slot of a contract's storage."""
        await self.run(self.chain.edit, Edit(to_canonical_address(address), storage={slot: value}))

    async def pause_protocol(self, paused: bool = True) -> None:
        """Have Story's registry refuse everything."""
        slot = storage_slot("IPAssetRegistry", "paused")
        await self.set_storage(contracts()["IPAssetRegistry"].address, slot, int(paused))

    async def close_minting(self, collection: str, closed: bool = True) -> None:
        """Make a collection refuse to mint, for its admin too."""
        slot = storage_slot("SPGNFT", "mintOpen")
        await self.set_storage(collection, slot, int(not closed))

    async def drop(self, hash_: str | bytes) -> bool:
        """Lose a waiting transaction; whether there was one."""
        return await self.run(self.chain.drop, _hash(hash_))

    async def replace(self, hash_: str | bytes) -> str:
        """Have a waiting transaction's sender send something else with the same nonce; gives the new hash."""
        return shown.text(await self.run(self.chain.replace, _hash(hash_)))

    async def reorg(self, depth: int = 1, *, back_to_pool: bool = False) -> None:
        """Replace the last blocks by as many empty ones.

        Their transactions are gone, or wait again.
        """
        await self.run(self.chain.reorganise, depth, back_to_pool=back_to_pool)

    async def set_next_block_base_fee(self, wei: int) -> None:
        """Let the next block, and it alone, have this base fee."""
        self.chain.next_base_fee = wei

    async def revert_next(self, count: int = 1) -> None:
        """Have the next transactions fail when they are mined, whatever an estimate said: as if the protocol paused."""
        self.chain.doomed = count

    @property
    def lag(self) -> int:
        """Blocks by which the node's answers are behind; what it is sent, it takes."""
        return self.chain.lag

    @lag.setter
    def lag(self, blocks: int) -> None:
        self.chain.lag = blocks

    # JSON-RPC

    async def _rpc(self, request: web.Request) -> web.StreamResponse:
        try:
            asked: Any = json.loads(await request.read())
        except ValueError:
            return web.json_response(_error(None, Refusal("parse error", code=-32700)))
        methods = [str(call.get("method")) for call in _calls(asked)]
        handler: Handler = functools.partial(self._answer_all, asked)
        trouble = take_trouble(self.faults, *methods)
        return await (trouble(request, handler) if trouble else handler(request))

    async def _answer_all(self, asked: Any, _request: web.Request) -> web.StreamResponse:
        calls = _calls(asked)
        if not calls:
            return web.json_response(_error(None, Refusal("empty batch", code=-32600)))
        answers = [await self._answer(call) for call in calls]
        return web.json_response(answers if isinstance(asked, list) else answers[0])

    async def _answer(self, call: Mapping[str, Any]) -> dict[str, Any]:
        id_, method = call.get("id"), call.get("method")
        params: Any = call.get("params", [])
        if not isinstance(method, str) or not isinstance(params, list):
            return _error(id_, Refusal("invalid request", code=-32600))
        given = cast("list[Any]", params)
        self.requests.append(Received(method, given))
        try:
            result = await self.run(rpc.answer, self.chain, method, given)
            if method == "eth_sendRawTransaction":
                self._wanted.set()
            twist = take_inside(self.faults, method, Twist)
            if twist:
                result = twist.change(result)
        except Refusal as refusal:
            return _error(id_, refusal)
        return {"jsonrpc": "2.0", "id": id_, "result": result}

    async def _run_miner(self, _app: web.Application) -> AsyncGenerator[None]:
        task = asyncio.create_task(self._mine_for_ever(), name="mining")
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _mine_for_ever(self) -> None:
        assert self.block_time is not None, "there is an interval"
        empty = 0
        while True:
            if empty >= self.rests_after and not len(self.chain.pool):
                await self._wanted.wait()
            self._wanted.clear()
            await self._sleep(self.block_time)
            try:
                (block,) = await self.mine()
            except Exception:
                _log.exception("A block could not be mined")
                continue
            empty = 0 if block.mined else empty + 1


def _calls(asked: Any) -> list[Mapping[str, Any]]:
    """The calls in a request, one or many; what is none becomes an empty one, which is invalid."""
    many = cast("list[Any]", asked if isinstance(asked, list) else [asked])
    return [cast("Mapping[str, Any]", each) if isinstance(each, dict) else {} for each in many]


def _error(id_: Any, refusal: Refusal) -> dict[str, Any]:
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.reason is not None:
        error["data"] = shown.text(refusal.reason)
    return {"jsonrpc": "2.0", "id": id_, "error": error}


def _hash(given: str | bytes) -> bytes:
    return bytes(given) if not isinstance(given, str) else bytes.fromhex(given.removeprefix("0x"))
