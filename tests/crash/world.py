"""What outlives the bot: Discord, BFL and the disk, and a member who waits for pictures."""

import asyncio
import shutil
import signal
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.workflows.base.types import job_id
from standins.base.faults import Handler
from standins.bfl import BflServer
from standins.discord import Interaction, LocalDiscord, Message
from tests.crash.life import Life
from tests.crash.lives import PATIENCE, Process, Zygote
from tests.crash.tables import read_tables

TOKEN = "a-token-for-a-small-discord"
DRAWING_TIME = 0.05
"""Real seconds that BFL takes for a picture."""


@dataclass
class World:
    """One channel, one account at BFL, one folder; and the bot, one life after the other."""

    folder: Path
    zygote: Zygote
    discord: LocalDiscord
    bfl: BflServer
    bfl_origin: str
    count: int = 1
    """Pictures that the member asks for."""
    epoch: float = field(default_factory=time.time)
    half_paid: set[str] = field(default_factory=set[str])
    """Pictures whose payment a death has cut in two."""
    commands: list[Interaction] = field(default_factory=list[Interaction])
    """What the member has typed: once, and again where the bot died before it took that."""
    taken: Interaction | None = None
    """The one of them that the bot took."""
    process: Process | None = None
    """The newest life."""
    us1_origin: str | None = None
    wish: str | None = None
    """As of `Life`."""
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """As of `Life`."""

    async def start(
        self, *, moment: str | None = None, number: signal.Signals = signal.SIGKILL, stays: bool = False
    ) -> Process:
        """Start the bot; at `moment` it sends itself `number`."""
        self.process = process = await self.zygote.start(
            Life(
                folder=self.folder,
                discord=self.discord.origin,
                bfl=self.bfl_origin,
                token=TOKEN,
                epoch=self.epoch,
                moment=moment,
                signal=number,
                stays=stays,
                us1=self.us1_origin,
                wish=self.wish,
                settings=self.settings,
            )
        )
        return process

    async def connected(self) -> Process:
        """A life that stays until it is ended, and is connected to Discord."""
        sessions = self.discord.gateway.identified
        process = await self.start(stays=True)
        await self.discord.until(lambda: self.discord.gateway.identified > sessions, timeout=PATIENCE)
        return process

    async def lead(
        self,
        moment: str | None = None,
        *,
        number: signal.Signals = signal.SIGKILL,
        after: float | None = None,
    ) -> int:
        """One life of the bot, from its start to its end; its exit code. The member asks, unless the bot has that.

        It ends at `moment`, or is killed `after` real seconds, or ends by itself when all is done.
        """
        sessions = self.discord.gateway.identified
        process = await self.start(moment=moment, number=number)
        if after is not None:
            asyncio.get_running_loop().call_later(after, process.send, signal.SIGKILL)
        if self.taken is None:
            await self.either(lambda: self.discord.gateway.identified > sessions)
            if not process.over:
                await self.ask()
        code = await process.end()
        self.take_stock()
        return code

    async def ask(self) -> Interaction:
        typed = {"prompt": "a lighthouse", "count": self.count}
        command = await self.discord.slash(self.discord.member, self.discord.channel, "imagine", **typed)
        self.commands.append(command)
        return command

    def take_stock(self) -> None:
        """Between two lives: what has the dead one left behind?"""
        tables = read_tables(self.folder)
        self.half_paid |= tables.half_paid
        requests = {job["id"] for job in tables.requests}
        self.taken = next((command for command in self.commands if job_id(command.id) in requests), None)

    async def either(self, claim: Callable[[], object]) -> None:
        """Wait until `claim` holds or the newest life is over."""
        async with asyncio.timeout(PATIENCE):
            while not (claim() or (self.process and self.process.over)):  # noqa: ASYNC110 - no event tells of both
                await asyncio.sleep(0.005)

    @property
    def request(self) -> str:
        assert self.taken, "the bot has taken a command"
        return job_id(self.taken.id)

    @property
    def card(self) -> Message:
        (card,) = [each for each in self.posts if not each.deleted]
        return card

    @property
    def posts(self) -> list[Message]:
        """What the bot has posted for all to see, less the “thinking…” of a command that it died over."""
        lost = [command.original for command in self.commands if command is not self.taken]
        return [each for each in self.discord.channel.messages if each not in lost and not each.ephemeral]

    @property
    def paid(self) -> Counter[int]:
        """How often BFL was paid for each seed."""
        return Counter(task.seed for task in self.bfl.tasks)

    def delete_card(self) -> None:
        """As a moderator does."""
        for command in self.commands:
            if command.original:
                self.discord.delete_message(command.original)

    def reached(self) -> list[str]:
        """Every moment of all lives so far, in order."""
        log = self.folder / "moments"
        return log.read_text().splitlines() if log.exists() else []


@asynccontextmanager
async def a_world(
    folder: Path, zygote: Zygote, *, count: int = 1, database: Path | None = None, gateway: bool = True
) -> AsyncGenerator[World]:
    """`database` is an empty one to begin with. Without its `gateway`, Discord takes requests and no connections."""
    await asyncio.to_thread(_furnish, folder, database)
    bfl = BflServer(duration=DRAWING_TIME, picture_size=64)
    discord = LocalDiscord(token=TOKEN)
    if not gateway:
        discord.app.middlewares.append(_without_gateway)
    async with discord, TestServer(bfl.app()) as server:
        yield World(folder, zygote, discord, bfl, str(server.make_url("")).rstrip("/"), count=count)


@web.middleware
async def _without_gateway(request: web.Request, handler: Handler) -> web.StreamResponse:
    return web.Response(status=503) if request.path == "/gateway/" else await handler(request)


def _furnish(folder: Path, database: Path | None) -> None:
    folder.mkdir()
    if database:
        shutil.copy(database, folder / "bot.db")
