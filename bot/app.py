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
from functools import partial

import aiohttp
import discord
from sqlalchemy.exc import SQLAlchemyError

from bot.assembly.providers import lanes, providers_of
from bot.assembly.publishing import missing_in, network_of, publishing_of
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.discord.client import Client, Services
from bot.discord.delivery import DiscordDelivery
from bot.errors import Broken
from bot.http import client as http
from bot.jobs.hints import Hints
from bot.jobs.pace import Pace
from bot.jobs.worker import Recipe, Worker
from bot.pictures.decode import Decoder
from bot.web import Web
from bot.workflows.base.callbacks import Callbacks, callback_key
from bot.workflows.base.files import Files
from bot.workflows.base.progress import Progress
from bot.workflows.base.shown import AllViews
from bot.workflows.drawing.job import Imagine
from bot.workflows.drawing.picture_job import Draw
from bot.workflows.drawing.verbs import Requests
from bot.workflows.drawing.views import Views
from bot.workflows.finetuning.drafts import Trainings
from bot.workflows.finetuning.job import Tend
from bot.workflows.finetuning.sheets import Sheets
from bot.workflows.finetuning.starting import Starts, settle_training
from bot.workflows.finetuning.training_job import LOST_AFTER, SEARCHED_EVERY, Train
from bot.workflows.finetuning.upkeep import Keeping
from bot.workflows.finetuning.verbs import Finetunes, object_to_consent, settle_consent
from bot.workflows.finetuning.views import FinetuneViews
from bot.workflows.registering.conflicts import object_to_registration
from bot.workflows.registering.drafts import Drafting
from bot.workflows.registering.job import Register
from bot.workflows.registering.pinned_files import PinnedFiles
from bot.workflows.registering.types import AT_ONCE
from bot.workflows.registering.types import KIND as REGISTER
from bot.workflows.registering.upkeep import Upkeep
from bot.workflows.registering.verbs import Parts, Registrations, settle_registration, undo_approval
from bot.workflows.registering.verifying import Verifying
from bot.workflows.registering.views import RegistrationViews
from bot.workflows.registering.wallets import Wallets
from bot.workflows.reviewing.reminders import Reminders
from bot.workflows.reviewing.verbs import Decisions, settle_spending
from storage.base import jobs, notes
from storage.base.queue import Lane
from storage.database import Database, open_database
from storage.media import Media
from storage.reviewing.reviews import Review

log = logging.getLogger(__name__)

PATIENCE = 3600.0
"""Seconds for which a picture is tried again while a provider does not answer; a delivery is tried ten times longer."""
FOR_EVER = 10 * 365 * 86_400.0
"""Seconds for which a finetune or a registration is looked after while Discord or the chain does not answer."""
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
        keeping: Keeping,
        decisions: Decisions,
        reminders: Reminders,
        services: Services,
        web: Web | None,
        upkeep: Upkeep | None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.database = database
        self.client = client
        self.worker = worker
        self.progress = progress
        self.keeping = keeping
        self.web = web
        self.upkeep = upkeep
        self.decisions = decisions
        self.reminders = reminders
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
        absence = await self._look_back()
        self._beside = [
            asyncio.create_task(self.worker.run(), name="worker"),
            asyncio.create_task(self.progress.run(), name="progress"),
            asyncio.create_task(self.keeping.run(), name="finetunes"),
            asyncio.create_task(self._keep_time(), name="heartbeat"),
            asyncio.create_task(self._close_questions(), name="expiry"),
            *([asyncio.create_task(self.upkeep.run(), name="upkeep")] if self.upkeep else []),
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
        """Close what no moderator has answered in time, and say so on its card; remind them of what still waits."""
        while True:
            try:
                for review in await self.decisions.expire():
                    await self._show_closed(review)
                await self.reminders.remind()
            except SQLAlchemyError:
                log.exception("The requests for approval could not be looked after.")
            await self.clock.sleep(HEARTBEAT)

    async def _show_closed(self, review: Review) -> None:
        try:
            view = await self.services.views_any.of(review.subject)
            if view is not None:
                await self.services.delivery.decided(review, view)
        except SQLAlchemyError:
            log.exception("The card of the approval request %s could not be brought up to date.", review.id)


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
        providers = providers_of(settings, session, origins, clock)
        pace = Pace(database)
        limits = lanes(settings)
        views = Views(database, clock, pace, {lane.name: lane for lane in limits})
        home = "eu1" if settings.bfl_region == "eu" else "us1"
        finetune_views = FinetuneViews(database, clock, pace, providers, homes={"bfl": home})
        network = network_of(settings)
        registration_views = RegistrationViews(database, {network.key: network})
        views_any = AllViews(views, finetune_views, registration_views)
        publishing = publishing_of(settings, session, database, clock)
        hints = Hints(database, clock)
        public_url = str(settings.public_url) if settings.public_url else None
        callbacks = Callbacks(await callback_key(database), hints, public_url=public_url)

        async def alarm(sentence: str) -> None:
            await tell_admin(client, settings, sentence)

        client = Client()
        delivery = DiscordDelivery(client, clock=clock, media=media, decoder=decoder, database=database)
        progress = Progress(database=database, clock=clock, views=views_any, delivery=delivery)
        imagine = Imagine(database=database, views=views, delivery=delivery, media=media, decoder=decoder)
        draw = Draw(
            database=database,
            clock=clock,
            providers=providers,
            media=media,
            decoder=decoder,
            pace=pace,
            callbacks=callbacks,
        )
        files = Files(database=database, clock=clock, media=media)
        await files.sweep(older_than=0)
        sheets = Sheets(database=database, clock=clock, media=media, files=files, decoder=decoder)
        tend = Tend(
            database=database,
            clock=clock,
            providers=providers,
            media=media,
            views=finetune_views,
            delivery=delivery,
            sheets=sheets,
            files=files,
        )
        train = Train(
            database=database,
            clock=clock,
            providers=providers,
            media=media,
            decoder=decoder,
            pace=pace,
            callbacks=callbacks,
            alarm=alarm,
        )
        register = Register(
            database=database,
            clock=clock,
            files=PinnedFiles(database=database, clock=clock, media=media, files=files, alarm=alarm),
            views=registration_views,
            delivery=delivery,
            publishing=publishing,
            changed=progress.changed,
            alarm=alarm,
        )
        worker = Worker(
            database,
            {
                "imagine": Recipe(imagine, 10 * PATIENCE),
                "draw": Recipe(draw, PATIENCE),
                "finetune": Recipe(tend, FOR_EVER),
                "train": Recipe(train, LOST_AFTER + PATIENCE, paid_wait=SEARCHED_EVERY),
                REGISTER: Recipe(register, FOR_EVER),
            },
            clock=clock,
            lanes=[*limits, Lane(REGISTER, REGISTER, AT_ONCE, AT_ONCE)],
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            changed=progress.changed,
            alarm=alarm,
        )
        hints.wake_with(worker)
        finetunes = Finetunes(
            database=database, clock=clock, views=finetune_views, worker=worker, sheets=sheets, files=files
        )
        requests = Requests(
            database=database,
            clock=clock,
            media=media,
            decoder=decoder,
            views=views,
            worker=worker,
            finetunes=finetunes,
        )
        decisions = Decisions(
            database=database,
            clock=clock,
            worker=worker,
            consequences={
                "spend": settle_spending,
                "train": settle_training,
                "consent": settle_consent,
                REGISTER: partial(settle_registration, undo=settings.story_undo_seconds),
            },
            objections={"consent": object_to_consent, REGISTER: object_to_registration},
            overridable={REGISTER},
            undos={REGISTER: undo_approval},
        )
        registrations = Registrations(
            Parts(
                database=database,
                clock=clock,
                media=media,
                decoder=decoder,
                files=files,
                worker=worker,
                decisions=decisions,
            ),
            views=registration_views,
            drafting=Drafting(database, publishing=publishing, network=network, missing=missing_in(settings)),
        )
        services = Services(
            requests=requests,
            trainings=Trainings(
                database=database,
                clock=clock,
                media=media,
                decoder=decoder,
                views=finetune_views,
                worker=worker,
                sheets=sheets,
                files=files,
            ),
            starts=Starts(
                database=database,
                clock=clock,
                media=media,
                files=files,
                decoder=decoder,
                views=finetune_views,
                worker=worker,
            ),
            finetunes=finetunes,
            finetune_views=finetune_views,
            views_any=views_any,
            decisions=decisions,
            registrations=registrations,
            wallets=Wallets(database=database, clock=clock, network=network),
            verifying=Verifying(
                database=database, media=media, decoder=decoder, views=registration_views, publishing=publishing
            ),
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
            keeping=Keeping(database=database, clock=clock, worker=worker, files=files),
            decisions=decisions,
            reminders=Reminders(database=database, clock=clock, delivery=delivery),
            services=services,
            web=Web(callbacks, clock) if public_url else None,
            upkeep=Upkeep(clock=clock, registrar=publishing.registrar, alarm=alarm) if publishing else None,
        )


async def tell_admin(client: discord.Client, settings: Settings, sentence: str) -> None:
    """Post to the admin's channel, where one is set. Never raises: the log has it, too."""
    if settings.admin_channel_id is None or not client.is_ready():
        return
    try:
        await client.get_partial_messageable(settings.admin_channel_id).send(sentence[:2000])
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("The admin's channel could not be told: %s", error)
