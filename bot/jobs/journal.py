"""The steps of a job: each is done once, and its result is recalled after a crash."""

import asyncio
import hashlib
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pydantic import BaseModel

from bot.clock import Clock
from bot.errors import Broken, MachineTrouble, Refused, Unavailable, Uncertain
from bot.jobs.machine import Machine
from storage.base import queue, steps
from storage.base.jobs import Job
from storage.database import Connection, Database

log = logging.getLogger(__name__)

PATIENT_PAUSE = 2.0
"""Seconds between two tries to write what this process alone knows: a receipt."""
LAST_TRIES = 8.0
"""Seconds for which that is still tried once the bot is to stop; it is killed some time after."""

Result = TypeVar("Result", bound=BaseModel)
Write = Callable[[Connection], Awaitable[object]]


@dataclass(frozen=True)
class Unsaved:
    """What came of a paying step and is in memory alone: how it is written, and the receipt if there is one."""

    write: Write
    receipt: BaseModel | None


class LostLease(Exception):
    """Another worker has taken this job over: stop, and write nothing."""


class Journal:
    """The steps of one job, while one worker holds it.

    Steps are found by name, so a newer bot goes on with an older one's jobs as long as a step that
    means the same keeps its name.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        job: Job,
        holder: str,
        *,
        released: Callable[[], None],
        machine: Machine | None = None,
    ) -> None:
        self._machine = machine
        self._database = database
        self._clock = clock
        self._job = job
        self._holder = holder
        self._tell_released = released
        self.paid_at: float | None = None
        """When a paying step was begun whose request was taken: a provider is at work (or was)."""
        self.released = False
        self._unsaved: Unsaved | None = None

    async def __call__(self, name: str, result: type[Result], work: Callable[[], Awaitable[Result]]) -> Result:
        """Recall the step's result, or do `work` and keep what it returns.

        After a crash inside, `work` runs again: it must be safe to repeat.
        """
        if (recalled := await self.recall(name, result)) is not None:
            return recalled
        done = await work()
        await self._finish(name, done)
        return done

    async def pay(
        self, name: str, result: type[Result], work: Callable[[], Awaitable[Result]], *, request: BaseModel
    ) -> Result:
        """Do `work`, which costs money, at most once: it is marked begun on the disk before it starts.

        Raises:
            Uncertain: it was begun earlier and nobody knows how it ended, or it ends that way now.
            Refused, Unavailable, Broken: it certainly did not happen; the mark is taken back. `MachineTrouble` where
                this machine could not keep what comes of it: there is no order without room.
        """
        async with self._database.read() as db:
            earlier = await steps.find(db, job_id=self._job.id, name=name)
        if earlier is not None:
            self.paid_at = earlier.begun_at
            if earlier.result is not None:
                return result.model_validate_json(earlier.result)
            raise Uncertain("The bot was interrupted while this was being ordered.")
        if self._machine is not None:
            await self._machine.check_room()
        digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
        # A request that has left cannot be called back, and a mark without a request would look like one that has:
        # a worker that shuts down waits for the answer.
        payment = asyncio.ensure_future(self._pay(name, work, digest))
        try:
            await asyncio.wait({payment})
            await self._write_unsaved(name)
        except asyncio.CancelledError:
            await asyncio.wait({payment})
            if not payment.cancelled():
                payment.exception()  # retrieved, so that asyncio does not log it; the journal has its meaning
            await self._write_unsaved(name, for_seconds=LAST_TRIES)
            raise
        return payment.result()

    async def recall_payment(self) -> bool:
        """Whether a paying step was begun, perhaps in an earlier life; then `paid_at` says when."""
        if self.paid_at is None:
            async with self._database.read() as db:
                self.paid_at = await steps.paid_at(db, self._job.id)
        return self.paid_at is not None

    async def recall(self, name: str, result: type[Result]) -> Result | None:
        """A step's result, or None where it was not done."""
        async with self._database.read() as db:
            step = await steps.find(db, job_id=self._job.id, name=name)
        return result.model_validate_json(step.result) if step and step.result is not None else None

    async def release_slot(self) -> None:
        """Let the next job have the provider slot: the provider is done with this one."""
        if not self.released:
            self.released = True
            async with self._database.write() as db:
                await queue.release_slot(db, job_id=self._job.id, holder=self._holder)
            self._tell_released()

    async def _pay(self, name: str, work: Callable[[], Awaitable[Result]], digest: str) -> Result:
        async with self._database.write() as db:
            begun = await steps.begin(
                db, job_id=self._job.id, name=name, digest=digest, holder=self._holder, now=self._clock.now()
            )
        if not begun:
            raise LostLease
        self.paid_at = self._clock.now()
        try:
            done = await work()
        except (Refused, Unavailable, Broken):
            await self._write_or_keep(partial(steps.forget, job_id=self._job.id, name=name))
            self.paid_at = None
            raise
        except Uncertain:
            raise
        except Exception as error:
            log.exception("Job %s: a bug in the paying step %r.", self._job.id, name)
            raise Uncertain("The bot made a mistake while ordering this.") from error
        try:
            await self._write_or_keep(partial(self._save, name=name, done=done), done)
        except Exception as error:
            log.exception("Job %s: the receipt of the step %r could not be written.", self._job.id, name)
            raise Uncertain("It was ordered, but the bot could not keep the receipt.") from error
        return done

    @property
    def holds_slot(self) -> bool:
        """The provider is still busy with this job, also if another worker runs it next."""
        return self.paid_at is not None and not self.released

    async def _finish(self, name: str, done: BaseModel) -> None:
        async with self._database.write() as db:
            await self._save(db, name=name, done=done)

    async def _save(self, db: Connection, *, name: str, done: BaseModel) -> None:
        await steps.finish(db, job_id=self._job.id, name=name, result=done.model_dump_json(), now=self._clock.now())

    async def _write_or_keep(self, write: Write, receipt: BaseModel | None = None) -> None:
        """Write what came of a paying step or, where this machine cannot just now, keep it for `_write_unsaved`."""
        try:
            async with self._database.write() as db:
                await write(db)
        except MachineTrouble:
            self._unsaved = Unsaved(write, receipt)

    async def _write_unsaved(self, name: str, *, for_seconds: float = math.inf) -> None:
        """Write what came of a paying step, for as long as that takes: nobody but this process knows it.

        A bot that is to stop tries it `for_seconds`; then the log is all that is left.
        """
        until = self._clock.monotonic() + for_seconds
        while (unsaved := self._unsaved) is not None:
            try:
                async with self._database.write() as db:
                    await unsaved.write(db)
            except MachineTrouble as trouble:
                log.warning("Job %s: what came of %r cannot be written yet: %s", self._job.id, name, trouble)
                if self._machine is not None:
                    await self._machine.note(trouble)
                if self._clock.monotonic() >= until:
                    receipt = unsaved.receipt.model_dump_json() if unsaved.receipt else "it was not taken"
                    log.exception("Job %s: what came of %r is lost: %s", self._job.id, name, receipt)
                    return
                await self._clock.sleep(PATIENT_PAUSE)
            else:
                self._unsaved = None
