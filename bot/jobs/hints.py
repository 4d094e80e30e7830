"""Hints: a provider's callback brings the next look at a job forward. Nothing that it says is believed."""

import asyncio
from weakref import WeakValueDictionary

from bot.clock import Clock
from bot.jobs.signals import WorkerSignals
from storage.base import queue
from storage.database import Database


class Hints:
    """Wakes what waits for a provider: a job that lies in the queue, or one that is being watched just now.

    A hint for a job that is over, or that never was, changes nothing; one that comes twice is one look more.
    """

    def __init__(self, database: Database, clock: Clock, signals: WorkerSignals) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self._watched: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def watch(self, job_id: str) -> asyncio.Event:
        """An event that a hint for this job sets, as long as somebody holds it."""
        return self._watched.setdefault(job_id, asyncio.Event())

    async def give(self, job_id: str) -> None:
        """The provider says that this job has changed."""
        if (event := self._watched.get(job_id)) is not None:
            event.set()
            return
        async with self._database.write() as db:
            await queue.hint(db, job_id=job_id, now=self._clock.now())
        self._signals.wake()
