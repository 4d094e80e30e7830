"""Opens every part, joins them, and closes them in reverse. The one place that knows everyone."""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.absence import Absence, look_back, note_alive
from bot.assembly.providers import homes_of, lanes, providers_of
from bot.assembly.publishing import missing_in, network_of, publishing_of
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.discord.alarm import tell_admin
from bot.discord.client import Client, Services
from bot.discord.delivery import DiscordDelivery
from bot.errors import Broken
from bot.http import client as http
from bot.jobs.hints import Hints
from bot.jobs.pace import Pace
from bot.jobs.rounds import Round
from bot.jobs.signals import WorkerSignals
from bot.jobs.worker import Recipe, Worker
from bot.kinds import JOB_KINDS, Features, faces_of, question_kinds
from bot.pictures.decode import Decoder
from bot.web import Web
from bot.workflows.base.callbacks import Callbacks, callback_key
from bot.workflows.base.cards import Views
from bot.workflows.base.files import Files
from bot.workflows.base.forms import Forms
from bot.workflows.base.kit import Kit
from bot.workflows.base.progress import Changes, Progress
from bot.workflows.base.work import Work
from bot.workflows.community.feature import CommunityFeature
from bot.workflows.drawing.feature import Drawing
from bot.workflows.finetuning.feature import Finetuning
from bot.workflows.registering.feature import Registering
from bot.workflows.reviewing.feature import Reviewing
from storage.database import Database, open_database
from storage.media import Media

SWEEP = 60.0
"""Seconds between two looks for files that no row names."""
HEARTBEAT = 60.0
"""Seconds between two notes of "still here", from which the next start knows how long the bot was away."""


@dataclass
class App:
    """The bot with all its parts: `client` is the Discord side, the workers stand beside it."""

    settings: Settings
    clock: Clock
    database: Database
    client: Client
    worker: Worker
    progress: Progress
    rounds: Sequence[Round]
    services: Services
    web: Web | None
    _beside: tuple[asyncio.Task[None], ...] = ()

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
        absence = await look_back(self.database, self.clock, taken_up=len(await self.worker.start()))
        self._beside = (
            asyncio.create_task(self.worker.run(), name="worker"),
            asyncio.create_task(self.progress.run(), name="progress"),
            *(asyncio.create_task(each.run(self.clock), name=each.name) for each in self.rounds),
        )
        gc.collect()
        gc.freeze()  # long pauses under load were the collector walking what lives for ever (measured: 60 to 170 ms)
        return absence

    async def stop_workers(self) -> None:
        """Drain: running steps save what they have, the rest goes on at the next start."""
        await self.worker.drain()
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self._beside = ()
        await note_alive(self.database, self.clock)


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
        files = Files(database=database, clock=clock, media=media)
        await files.sweep(older_than=0)
        decoder = Decoder()
        stack.push_async_callback(decoder.close)
        session = await stack.enter_async_context(http.session())
        signals, changes, client = WorkerSignals(), Changes(), Client()
        public_url = str(settings.public_url) if settings.public_url else None
        questions = question_kinds(undo_seconds=settings.story_undo_seconds)
        faces = faces_of(questions, files)
        delivery = DiscordDelivery(client, clock=clock, files=files, decoder=decoder, database=database, faces=faces)

        async def alarm(sentence: str) -> None:
            await tell_admin(client, settings, sentence)

        kit = Kit(
            clock=clock,
            database=database,
            work=Work(database=database, clock=clock, files=files, signals=signals),
            files=files,
            decoder=decoder,
            pace=Pace(database),
            callbacks=Callbacks(await callback_key(database), Hints(database, clock, signals), public_url=public_url),
            signals=signals,
            providers=providers_of(settings, session, origins, clock),
            delivery=delivery,
            changed=changes.note,
            alarm=alarm,
        )
        limits = lanes(settings)
        reviewing = Reviewing(kit, rules={name: kind.rules for name, kind in questions.items()}, reminders=delivery)
        finetuning = Finetuning(kit, homes=homes_of(settings))
        drawing = Drawing(kit, lanes={lane.name: lane for lane in limits}, finetuning=finetuning)
        registering = Registering(
            kit,
            publishing=publishing_of(settings, session, database, clock),
            network=network_of(settings),
            missing=missing_in(settings),
            decisions=reviewing.decisions,
        )
        features = Features(drawing, finetuning, registering)
        views = Views(database, {name: kind.load(features) for name, kind in JOB_KINDS.items() if kind.load})
        worker = Worker(
            database,
            {name: Recipe(kind.run(features), kind.patience, kind.paid_wait) for name, kind in JOB_KINDS.items()},
            clock=clock,
            lanes=limits,
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            signals=signals,
            changed=changes.note,
            alarm=alarm,
        )
        client.services = Services(
            kit=kit,
            drawing=drawing,
            finetuning=finetuning,
            registering=registering,
            reviewing=reviewing,
            community=CommunityFeature(kit),
            forms=Forms(kit),
            views=views,
            faces=faces,
            delivery=delivery,
            worker=worker,
            admin_user_ids=settings.admin_user_ids,
        )
        yield App(
            settings=settings,
            clock=clock,
            database=database,
            client=client,
            worker=worker,
            progress=Progress(database=database, clock=clock, views=views, delivery=delivery, changes=changes),
            rounds=(
                *finetuning.rounds,
                Round("files", SWEEP, files.sweep),
                Round("heartbeat", HEARTBEAT, lambda: note_alive(database, clock)),
                *reviewing.rounds(views),
                *registering.rounds,
            ),
            services=client.services,
            web=Web(kit.callbacks, clock) if public_url else None,
        )
