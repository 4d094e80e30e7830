"""A worker on a real database whose recipe a test writes."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from bot.jobs.elapsed import Elapsed
from bot.jobs.hints import Hints
from bot.jobs.journal import Journal
from bot.jobs.machine import Machine
from bot.jobs.pace import Pace
from bot.jobs.signals import WorkerSignals
from bot.jobs.worker import Outcome, Recipe, Worker
from bot.pictures.decode import Decoder
from bot.values import Frozen
from bot.workflows.base.callbacks import Callbacks
from bot.workflows.base.cards import Delivery
from bot.workflows.base.files import Files
from bot.workflows.base.kit import Kit
from bot.workflows.base.work import Work
from storage.base import jobs, queue
from storage.base.jobs import Job
from storage.base.queue import Lane, NewJob
from storage.database import Database
from storage.media import Media
from tests.scenes.clock import TurnedClock

LANES = [Lane("bfl", "bfl", 2, 2), Lane("bfl-max", "bfl", 1, 2), Lane("cards", "cards", 50, 50)]
Run = Callable[[Job, Journal], Awaitable[Outcome]]


class Receipt(Frozen):
    number: int


class Bench:
    """A worker on a real database whose recipe a test writes."""

    def __init__(self, database: Database, clock: TurnedClock, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.clock = clock
        self.alarms: list[str] = []
        self.signals = WorkerSignals()
        self.machine: Machine | None = None
        self.worker = self.new_worker()
        self.run: Run | None = None
        self.running: asyncio.Task[None] | None = None
        clock.tasks = lambda: [*([self.running] if self.running else []), *self.worker.tasks]

    def new_worker(self) -> Worker:
        self.signals = WorkerSignals()

        async def recipe(job: Job, step: Journal) -> Outcome:
            assert self.run, "the test gives the recipe"
            return await self.run(job, step)

        return Worker(
            self.database,
            {"work": Recipe(recipe, patience=600)},
            clock=self.clock,
            lanes=LANES,
            holder="test",
            signals=self.signals,
            changed=lambda _: None,
            alarm=self.alarm,
            machine=self.machine,
        )

    def kit(self, database: Database | None = None) -> Kit:
        """The parts of a workflow, as far as one needs them that stores no files and asks nobody outside."""
        database = database or self.database
        files = Files(database=database, clock=self.clock, media=Media(self.folder / "media"))
        return Kit(
            clock=self.clock,
            database=database,
            work=Work(database=database, clock=self.clock, files=files, signals=self.signals),
            files=files,
            decoder=Decoder(),
            pace=Pace(database),
            elapsed=Elapsed(self.clock),
            callbacks=Callbacks(b"", Hints(database, self.clock, self.signals), public_url=None),
            signals=self.signals,
            providers={},
            delivery=cast("Delivery", None),
            changed=lambda _: None,
            alarm=self.alarm,
        )

    async def alarm(self, sentence: str) -> None:
        self.alarms.append(sentence)

    async def start(self) -> list[str]:
        taken_up = await self.worker.start()
        self.running = asyncio.create_task(self.worker.run())
        return taken_up

    async def stop(self) -> None:
        await self.worker.drain()
        if self.running:
            await self.running

    async def add(
        self, name: str, *, owner: int = 1, lane: str = "bfl", parent: str | None = None, parked: bool = False
    ) -> None:
        new = NewJob(
            id=name,
            kind="work",
            guild_id=1,
            channel_id=1,
            owner_id=owner,
            request="{}",
            lane=lane,
            parent_id=parent,
            parked=parked,
        )
        async with self.database.write() as db:
            await queue.add(db, new, now=self.clock.now())
        self.signals.wake()
        if self.running:
            await self.clock.settle()

    async def job(self, name: str) -> Job:
        async with self.database.read() as db:
            job = await jobs.find(db, name)
        assert job
        return job


async def done(_job: Job, _step: Journal) -> Outcome:
    return Outcome()


async def receipt(number: int) -> Receipt:
    return Receipt(number=number)


def new_job(name: str, *, owner: int = 1, lane: str = "bfl") -> NewJob:
    return NewJob(id=name, kind="work", guild_id=1, channel_id=1, owner_id=owner, request="{}", lane=lane)
