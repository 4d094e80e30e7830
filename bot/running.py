"""The running bot: its worker, its rounds, its callbacks; how they start and stop."""

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from bot.absence import Absence, look_back, note_alive
from bot.clock import Clock
from bot.config import Settings
from bot.discord.client import Client, Services
from bot.errors import Broken, MachineTrouble
from bot.jobs.rounds import Round
from bot.jobs.watch import Beat, Watch
from bot.jobs.worker import Worker
from bot.web import Web
from bot.workflows.base.progress import CardRefresher
from storage.database import Database

log = logging.getLogger(__name__)

HANGS = 600.0
"""Seconds after which the worker, or the refreshing of cards, hangs; it comes round every few seconds."""
DRAINED = 1.0
"""Seconds between two looks whether the worker has come to rest."""
SWEEP = 60.0
"""Seconds between two looks for files that no row names."""
HEARTBEAT = 60.0
"""Seconds between two notes of "still here", from which the next start knows how long the bot was away."""


@dataclass
class App:
    """The bot with all its parts. The caller connects `client` to Discord; the worker and the rounds run beside it."""

    settings: Settings
    clock: Clock
    database: Database
    client: Client
    worker: Worker
    progress: CardRefresher
    rounds: Sequence[Round]
    """The rounds of the features."""
    services: Services
    web: Web | None
    watch: Watch
    """Runs the worker, the refreshing of cards and the rounds."""
    _watching: asyncio.Task[None] | None = None

    async def drained(self) -> None:
        """Return when the worker takes no new work (`/admin drain`) and its running jobs have stopped."""
        while not self.worker.is_drained:
            working = [task for task in (self.watch.task_of("worker"), *self.worker.tasks) if not task.done()]
            if working:
                await asyncio.wait(working, timeout=DRAINED, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(DRAINED)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What runs beside the client just now."""
        watching = [self._watching] if self._watching else []
        return [*self.watch.tasks, *watching, *self.worker.tasks]

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Take providers' callbacks until the block ends, where PUBLIC_URL is set.

        Raises:
            Broken: the port is taken.
        """
        if self.web is None:
            yield
            return
        host, port = self.settings.web_host, self.settings.web_port
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.web.serving(host, port))
            except OSError as error:
                raise Broken(f"WEB_PORT {port} on {host} is taken by another program. Choose another.") from error
            yield

    async def start_workers(self) -> Absence:
        """Take up what was under way and begin to work. Call it when the client can send messages."""
        absence = await look_back(self.database, self.clock, taken_up=len(await self.worker.start()))
        sweep = Round("files", SWEEP, self.services.kit.files.sweep)
        heartbeat = Round("heartbeat", HEARTBEAT, partial(note_alive, self.database, self.clock))
        self.watch.start("worker", self.worker.run, within=HANGS)
        self.watch.start("progress", self.progress.run, within=HANGS)
        for each in (*self.rounds, sweep, heartbeat):
            self.watch.start(each.name, partial(self._go_round, each), within=each.within)
        self._watching = asyncio.create_task(self.watch.run(), name="watch")
        gc.collect()
        gc.freeze()  # long pauses under load were the collector walking what lives for ever (measured: 60 to 170 ms)
        return absence

    async def stop_workers(self) -> None:
        """Drain: running steps save what they have, the rest goes on at the next start."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        await self.worker.drain()
        await self.watch.stop()
        try:
            await note_alive(self.database, self.clock)
        except MachineTrouble as trouble:  # what is under way is in the database; the next start takes it up
            log.warning("When the bot ended could not be noted: %s", trouble)

    async def _go_round(self, work: Round, beat: Beat) -> None:
        await work.run(self.clock, beat=beat, machine=self.services.kit.machine)
