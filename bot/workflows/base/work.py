"""A unit of work: one transaction, and what has to happen once it is committed."""

import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar

from pydantic import JsonValue

from bot.clock import Clock
from bot.errors import MachineTrouble
from bot.jobs.signals import WorkerSignals
from bot.workflows.base.files import Files
from storage.base import queue
from storage.base.queue import NewJob
from storage.database import Connection, Database
from storage.reviewing import audit

log = logging.getLogger(__name__)

_COMMITTED: ContextVar[bool] = ContextVar("committed", default=False)


def has_committed() -> bool:
    """Whether this task has changed something, so that what it was asked to do is done though its answer is lost."""
    return _COMMITTED.get()


class UnitOfWork:
    """One writing transaction. What it wakes and lets go of takes effect when it is committed."""

    def __init__(self, db: Connection, now: float, files: Files) -> None:
        self.db = db
        self.now = now
        """Unix seconds; one time for all that is written in it."""
        self.woken = False
        self.let_go_of: set[str] = set()
        self._files = files

    def wake_worker(self) -> None:
        """Let the worker look at the queue: something in it has changed."""
        self.woken = True

    async def wake(self, job_id: str) -> None:
        """Have a job run again: one that waits for people or for other jobs, or that is being run just now."""
        await queue.wake(self.db, job_id=job_id, now=self.now)
        self.woken = True

    async def revive(self, job_id: str) -> None:
        """Have a job run again, also one that has ended."""
        await queue.revive(self.db, job_id=job_id, now=self.now)
        await self.wake(job_id)

    async def wake_parent(self, parent_id: str) -> None:
        """Have a request run again if the last of its jobs has ended."""
        await queue.wake_if_last(self.db, parent_id=parent_id, now=self.now)
        self.woken = True

    async def add_job(self, job: NewJob) -> bool:
        """Queue a job; False where there is one with that id."""
        self.woken = True
        return await queue.add(self.db, job, now=self.now)

    async def audit(
        self,
        action: str,
        subject: str,
        *,
        guild_id: int | None = None,
        actor_id: int | None = None,
        seen: str | None = None,
        details: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Write down what happens here. `seen` is the digest of what the actor was shown."""
        await audit.add(
            self.db,
            action=action,
            subject=subject,
            now=self.now,
            guild_id=guild_id,
            actor_id=actor_id,
            seen=seen,
            details=details,
        )

    async def let_go(self, sha256s: Iterable[str | None]) -> None:
        """Delete these files after the commit, as far as no row names them then."""
        gone = {each for each in sha256s if each}
        await self._files.let_go(self.db, gone, now=self.now)
        self.let_go_of |= gone


class Work:
    """Opens transactions: `async with work() as tx:` writes, `async with work.read() as db:` reads."""

    def __init__(self, *, database: Database, clock: Clock, files: Files, signals: WorkerSignals) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._signals = signals

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[UnitOfWork]:
        """One transaction that writes. After its commit the worker is woken and files without a row are deleted.

        Nothing but questions to the database may happen inside.
        """
        async with self._database.write() as db:
            tx = UnitOfWork(db, self._clock.now(), self._files)
            yield tx
        _COMMITTED.set(True)
        if tx.woken:
            self._signals.wake()
        try:
            await self._files.discard(tx.let_go_of)
        except MachineTrouble as trouble:  # what was decided is committed; the sweep deletes the files
            log.warning("Files could not be deleted yet: %s", trouble)

    def read(self) -> AbstractAsyncContextManager[Connection]:
        """One consistent view of the tables."""
        return self._database.read()
