"""Opens every part, joins them, and closes them in reverse. The one place that knows everyone."""

import asyncio
import gc
import logging
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import discord
from sqlalchemy.exc import SQLAlchemyError

from bot import http
from bot.client import Client, Services
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.delivery import DiscordDelivery
from bot.jobs.pace import Pace
from bot.jobs.worker import Recipe, Worker
from bot.pictures.decode import Decoder
from bot.providers.bfl import Bfl
from bot.providers.catalogue import MODELS
from bot.workflows.decisions import Decisions, settle_spending
from bot.workflows.drawing import Draw
from bot.workflows.imagine import Imagine
from bot.workflows.progress import Progress
from bot.workflows.requests import CARDS, Requests
from bot.workflows.views import Views, lane_of
from storage import jobs, notes
from storage.database import Database, open_database
from storage.media import Media
from storage.queue import Lane
from storage.reviews import Review

log = logging.getLogger(__name__)

UPLOADS = 32
"""Requests that are delivered at once; each holds its images' bytes only while it is sent."""
PATIENCE = 3600.0
"""Seconds for which a picture is tried again while a provider does not answer; a delivery is tried ten times longer."""
HEARTBEAT = 60.0
"""Seconds between two notes of "still here", from which the next start knows how long the bot was away."""


@dataclass(frozen=True)
class Absence:
    """What happened while the bot was away."""

    seconds: float | None
    """None at the very first start."""
    taken_up: int
    """Jobs that were being worked on when the last process ended."""
    waiting: int
    """Requests that are not at their end."""

    @property
    def sentence(self) -> str:
        if self.seconds is None:
            return "The bot is running for the first time here."
        away = f"{self.seconds:.0f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"
        requests = "1 request is" if self.waiting == 1 else f"{self.waiting} requests are"
        return f"Back after {away}. {requests} under way; {self.taken_up} were being worked on when the bot ended."


class App:
    """The bot with all its parts: `client` is the Discord side, the workers stand beside it."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        database: Database,
        client: Client,
        worker: Worker,
        progress: Progress,
        decisions: Decisions,
        services: Services,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.database = database
        self.client = client
        self.worker = worker
        self.progress = progress
        self.decisions = decisions
        self.services = services
        self._beside: list[asyncio.Task[None]] = []

    async def drained(self) -> None:
        """Return when the worker has been told to take no new work (`/admin drain`) and has let go of the rest."""
        await asyncio.wait(self._beside[:1])
        while self.worker.tasks:
            await asyncio.wait(self.worker.tasks)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What runs beside the client just now."""
        return [*self._beside, *self.worker.tasks]

    async def start_workers(self) -> Absence:
        """Take up what was under way and begin to work. Call it when the client can send messages."""
        absence = await self._look_back()
        self._beside = [
            asyncio.create_task(self.worker.run(), name="worker"),
            asyncio.create_task(self.progress.run(), name="progress"),
            asyncio.create_task(self._keep_time(), name="heartbeat"),
            asyncio.create_task(self._close_questions(), name="expiry"),
        ]
        gc.collect()
        gc.freeze()  # long pauses under load were the collector walking what lives for ever (reference: 60 to 170 ms)
        return absence

    async def stop_workers(self) -> None:
        """Drain: running steps save what they have, the rest goes on at the next start."""
        await self.worker.drain()
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self._beside = []
        async with self.database.write() as db:
            await notes.save(db, "alive", str(self.clock.now()))

    async def _look_back(self) -> Absence:
        taken_up = await self.worker.start()
        async with self.database.read() as db:
            alive = await notes.find(db, "alive")
            states = await jobs.count_states(db)
        waiting = sum(n for state, n in states.items() if not jobs.State(state).ended)
        away = self.clock.now() - float(alive) if alive else None
        return Absence(away, len(taken_up), waiting)

    async def _keep_time(self) -> None:
        """Note the time, so that the next start knows how long the bot was away."""
        while True:
            try:
                async with self.database.write() as db:
                    await notes.save(db, "alive", str(self.clock.now()))
            except SQLAlchemyError:
                log.exception("The heartbeat could not be noted.")
            await self.clock.sleep(HEARTBEAT)

    async def _close_questions(self) -> None:
        """Close what no moderator has answered in time, and say so on its card."""
        while True:
            try:
                for review in await self.decisions.expire():
                    await self._show_closed(review)
            except SQLAlchemyError:
                log.exception("Requests for approval whose time is over could not be closed.")
            await self.clock.sleep(HEARTBEAT)

    async def _show_closed(self, review: Review) -> None:
        try:
            view = await self.services.requests.views.of(review.subject)
            if view is not None:
                await self.services.delivery.decided(review, view)
        except SQLAlchemyError:
            log.exception("The card of the approval request %s could not be brought up to date.", review.id)


def lanes(settings: Settings) -> list[Lane]:
    """The limits of each queue: what the providers allow, and how many cards are delivered at once."""
    sizes = {"bfl": settings.bfl_active_tasks, "bfl-kontext-max": settings.bfl_kontext_max_tasks}
    found = {
        lane_of(model): Lane(
            name=lane_of(model),
            pool=model.pools[0].name,
            size=sizes.get(model.pools[-1].name, model.pools[-1].slots),
            pool_size=sizes.get(model.pools[0].name, model.pools[0].slots),
        )
        for model in MODELS
    }
    return [*found.values(), Lane(CARDS, CARDS, UPLOADS, UPLOADS)]


@asynccontextmanager
async def assemble(
    settings: Settings, *, clock: Clock | None = None, origins: Sequence[str] = ()
) -> AsyncGenerator[App]:
    """The bot, ready to be connected; nothing runs yet.

    `origins` are further places that results and polling addresses may lie on (the sandbox's own servers).

    Raises:
        Broken: another bot runs on this folder, or its database is of a newer version.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        database = await open_database(settings.data_dir / "bot.db")
        stack.push_async_callback(database.close)
        media = Media(settings.data_dir / "media")
        await media.sweep_temporary()
        decoder = Decoder()
        stack.push_async_callback(decoder.close)
        session = await stack.enter_async_context(http.session())
        providers = {Bfl.name: _bfl(settings, session, origins)}
        pace = Pace(database)
        limits = lanes(settings)
        views = Views(database, clock, pace, {lane.name: lane for lane in limits})

        async def alarm(sentence: str) -> None:
            await tell_admin(client, settings, sentence)

        client = Client()
        delivery = DiscordDelivery(client, clock=clock, media=media, decoder=decoder, database=database)
        progress = Progress(database=database, clock=clock, views=views, delivery=delivery)
        worker = Worker(
            database,
            {
                "imagine": Recipe(Imagine(database=database, views=views, delivery=delivery), 10 * PATIENCE),
                "draw": Recipe(
                    Draw(database=database, clock=clock, providers=providers, media=media, decoder=decoder, pace=pace),
                    PATIENCE,
                ),
            },
            clock=clock,
            lanes=limits,
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            changed=progress.changed,
            alarm=alarm,
        )
        requests = Requests(database=database, clock=clock, media=media, decoder=decoder, views=views, worker=worker)
        decisions = Decisions(database=database, clock=clock, worker=worker, consequences={"spend": settle_spending})
        services = Services(
            requests=requests,
            decisions=decisions,
            delivery=delivery,
            media=media,
            database=database,
            clock=clock,
            worker=worker,
            providers=providers,
            alarm=alarm,
            admin_user_ids=settings.admin_user_ids,
        )
        client.services = services
        yield App(
            settings=settings,
            clock=clock,
            database=database,
            client=client,
            worker=worker,
            progress=progress,
            decisions=decisions,
            services=services,
        )


def _bfl(settings: Settings, session: aiohttp.ClientSession, origins: Sequence[str]) -> Bfl:
    base = str(settings.bfl_api_url).rstrip("/") if settings.bfl_api_url else None
    return Bfl(
        session,
        key=settings.bfl_api_key,
        region=settings.bfl_region,
        bases={settings.bfl_region: base} if base else None,
        origins=origins,
    )


async def tell_admin(client: discord.Client, settings: Settings, sentence: str) -> None:
    """Post to the admin's channel, where one is set. Never raises: the log has it, too."""
    if settings.admin_channel_id is None or not client.is_ready():
        return
    try:
        await client.get_partial_messageable(settings.admin_channel_id).send(sentence[:2000])
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("The admin's channel could not be told: %s", error)
