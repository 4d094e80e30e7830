"""The services that the sandbox's bot works with: stand-ins on this machine, at the same ports always."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.errors import Broken
from sandbox.wallets import Wallets
from standins.astria import AstriaServer
from standins.base.serving import HOST, serve_on_loopback
from standins.bfl import BflServer
from standins.chain import ChainServer
from standins.pinata import FULL, PinataServer
from standins.vimmerse import VimmerseServer

KEY: Final = "sandbox-key"
TRAINING: Final = 50.0
"""Seconds that a training takes with any of them, where the real ones take 20 minutes to some hours."""

BLOCK: Final = 2.0
"""Seconds from a block of the chain to the next, about as on Story."""

_WAITING: Final = 5.0  # seconds of these until Astria begins
_DRAWING: Final = 12.0  # seconds for a picture at Astria
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Addresses:
    """Where the services are."""

    bfl: str
    bfl_us1: str
    bfl_eu1: str
    astria: str
    vimmerse: str
    pinata: str
    """Uploads, API and gateway."""
    chain: str
    """The node, and pages that show what is on the chain."""
    wallets: str
    """A page with the wallets of the sandbox's people."""

    @property
    def origins(self) -> Sequence[str]:
        """All of them: the places where pictures and answers of theirs may lie."""
        return (self.bfl, self.bfl_us1, self.bfl_eu1, self.astria, self.vimmerse)


@contextlib.asynccontextmanager
async def serving(folder: Path, *, speed: float = 1.0) -> AsyncGenerator[Addresses]:
    """Run all of them until the block ends. Their state stays in `folder`: work goes on when they are started again.

    Raises:
        Broken: another program has one of their ports.
    """
    bfl = BflServer(
        keys=(KEY,), speed=speed, training_duration=TRAINING / speed, state=folder / "bfl.db", credits=100_000
    )
    astria = AstriaServer(
        keys=(KEY,),
        training_wait=_WAITING / speed,
        training_duration=(TRAINING - _WAITING) / speed,
        prompt_duration=_DRAWING / speed,
        state=folder / "astria.db",
    )
    vimmerse = VimmerseServer(keys=(KEY,), training=TRAINING, speed=speed, state=folder / "vimmerse.db")
    pinata = PinataServer(keys={KEY: FULL}, per_minute=6000, state=folder / "pinata.db")
    chain = ChainServer(
        state=folder / "chain.db",
        block_time=BLOCK / speed,
        gateway=f"http://{HOST}:{remembered_port(folder, 'pinata')}/ipfs/",
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(chain.close)

        async def start(name: str, app: web.Application) -> str:
            return await stack.enter_async_context(served(app, remembered_port(folder, name)))

        addresses = Addresses(
            bfl=await start("bfl", bfl.app()),
            bfl_us1=await start("bfl-us1", bfl.app("us1")),
            bfl_eu1=await start("bfl-eu1", bfl.app("eu1")),
            astria=await start("astria", astria.app()),
            vimmerse=await start("vimmerse", vimmerse.app()),
            pinata=await start("pinata", pinata.app()),
            chain=await start("chain", chain.app()),
            wallets=await start("wallets", Wallets().app()),
        )

        async def deliver() -> None:
            await bfl.deliver_callbacks(addresses.bfl)
            await astria.deliver_callbacks(addresses.astria)
            await vimmerse.deliver_callbacks()

        calling = asyncio.create_task(_call_back(deliver), name="callbacks")
        try:
            yield addresses
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)


def remembered_port(folder: Path, name: str) -> int:
    """The same port at each start: a job that is under way knows its picture by an address with this port."""
    remembered = folder / "ports.json"
    ports: dict[str, int] = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else {}
    while name not in ports:
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        if port not in ports.values():
            ports[name] = port
            remembered.write_text(json.dumps(ports), encoding="utf-8")
    return ports[name]


@contextlib.asynccontextmanager
async def served(app: web.Application, port: int) -> AsyncGenerator[str]:
    """Serve on this port of the loopback interface until the block ends; gives the address.

    Raises:
        Broken: another program has the port.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            origin = await stack.enter_async_context(serve_on_loopback(app, port))
        except OSError as error:
            raise Broken(
                f"Port {port} is taken. Is another sandbox running? If not, delete ports.json in the folder."
            ) from error
        yield origin


async def _call_back(deliver: Callable[[], Awaitable[None]]) -> None:
    """Have them call back for what has ended, every second; one that goes wrong is no reason to stop."""
    while True:
        await asyncio.sleep(1)
        try:
            await deliver()
        except Exception:
            _log.exception("Callbacks could not be delivered")
