"""The kit: makes the parts that every workflow works with."""

from collections.abc import Callable, Sequence

import aiohttp

from bot.assembly.providers import providers_of
from bot.clock import Clock
from bot.config import Settings
from bot.jobs.elapsed import Elapsed
from bot.jobs.hints import Hints
from bot.jobs.machine import Machine
from bot.jobs.pace import Pace
from bot.jobs.signals import WorkerSignals
from bot.pictures.decode import Decoder
from bot.workflows.base.callbacks import Callbacks, callback_key
from bot.workflows.base.cards import Delivery
from bot.workflows.base.files import Files
from bot.workflows.base.kit import Alarm, Kit
from bot.workflows.base.work import Work
from storage.database import Database
from storage.media import Media


async def open_files(settings: Settings, database: Database, clock: Clock) -> Files:
    """The stored files, without what a crash left: half-written ones, and those that no row names."""
    media = Media(settings.data_dir / "media")
    await media.sweep_temporary()
    files = Files(database=database, clock=clock, media=media)
    await files.sweep(older_than=0)
    return files


async def make_kit(
    settings: Settings,
    *,
    clock: Clock,
    database: Database,
    files: Files,
    decoder: Decoder,
    session: aiohttp.ClientSession,
    origins: Sequence[str],
    delivery: Delivery,
    changed: Callable[[str], None],
    alarm: Alarm,
    machine: Machine,
) -> Kit:
    """The kit; `origins` are further places that results and polling addresses may lie on."""
    signals = WorkerSignals()
    public_url = str(settings.public_url) if settings.public_url else None
    return Kit(
        clock=clock,
        database=database,
        work=Work(database=database, clock=clock, files=files, signals=signals),
        files=files,
        decoder=decoder,
        pace=Pace(database),
        elapsed=Elapsed(clock),
        callbacks=Callbacks(await callback_key(database), Hints(database, clock, signals), public_url=public_url),
        signals=signals,
        providers=providers_of(settings, session, origins, clock),
        delivery=delivery,
        changed=changed,
        alarm=alarm,
        machine=machine,
    )
