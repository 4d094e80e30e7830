"""Takes jobs in turn, runs their recipes, and decides what each failure means."""

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.clock import Clock
from bot.errors import BotError, Broken, MachineTrouble, Refused, Unavailable, Uncertain
from bot.jobs.journal import Journal, LostLease
from bot.jobs.machine import Machine
from bot.jobs.signals import WorkerSignals
from bot.jobs.watch import Beat, no_beat
from bot.trouble import recognise
from storage.base import queue, steps
from storage.base.jobs import Job, State
from storage.base.queue import Lane
from storage.database import Database

log = logging.getLogger(__name__)

LEASE = 60.0
"""Seconds after which the jobs of a worker that fell silent are taken up by another."""
PAID_WAIT = 30.0
"""Longest wait in seconds for a picture that is paid for: the links to finished ones die within minutes."""
LONGEST_WAIT = 3600.0
"""Longest time in seconds for which a job is left alone at the start: the clock may have been set back meanwhile."""
STEP = 2.0
"""Seconds by which the wall clock runs away from the monotonic one when somebody sets it."""
SOONEST = 0.01
"""Seconds: the shortest wait. Less than a microsecond is lost in the sum with Unix seconds, and a job would spin."""
BEAT = 5.0
"""Longest time in seconds between two looks at the queue; leases are renewed in the same rhythm."""


LARGEST_COST = 10**12
"""Micro-USD. A cost above it is a mistake of whoever named it: the job ends, and what it cost is not known."""


class Park(Exception):
    """Raised by a recipe that has to wait for a person or for other jobs; a wake-up runs it again."""


class Later(Exception):
    """Raised by a recipe that has looked at something slow: run it again in so many seconds, or at a wake-up.

    A training takes hours. Until then it is a row that keeps its provider slot, and no task. `note` is a sentence for
    the card: why it waits, where something failed. How often, and for how long, is the recipe's own to decide.
    """

    def __init__(self, seconds: float, *, note: str | None = None) -> None:
        super().__init__(f"in {seconds:.1f} s")
        self.seconds = max(seconds, 0.0)
        self.note = note


@dataclass(frozen=True)
class Outcome:
    """How a job ended. `cost` in millionths of a dollar, None where nobody knows; `error` is a sentence."""

    state: State = State.DONE
    cost: int | None = 0
    error: str | None = None
    unless_woken: bool = False
    """A wake-up that came while it ran counts: it is run again instead of ending."""


@dataclass(frozen=True)
class Recipe:
    """What to do for one kind of job.

    `patience` is how many seconds of trying in vain, of those in which the bot runs, a job is worth; `paid_wait` the
    longest wait in seconds for what is paid for.
    """

    run: Callable[[Job, Journal], Awaitable[Outcome]]
    patience: float
    paid_wait: float = PAID_WAIT


def new_holder() -> str:
    """A name under which one worker holds its jobs: its machine, its process, and a part that is random."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Worker:
    """Runs the jobs of one process, beside the Discord client and not inside it.

    `changed` gets the id of each job whose card may now say something else; `alarm` gets one sentence that says what
    the admin must look at. `holder` is a name that no other worker on this database has.
    """

    def __init__(
        self,
        database: Database,
        recipes: Mapping[str, Recipe],
        *,
        clock: Clock,
        lanes: Sequence[Lane],
        holder: str,
        signals: WorkerSignals,
        changed: Callable[[str], None],
        alarm: Callable[[str], Awaitable[None]],
        machine: Machine | None = None,
    ) -> None:
        self._machine = machine
        self._database = database
        self._recipes = recipes
        self._clock = clock
        self._lanes = lanes
        self._holder = holder
        self._changed = changed
        self._alarm = alarm
        self._signals = signals
        self._with_bugs: set[str] = set()
        """Jobs whose bug the admin was told of."""
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._trying: dict[str, tuple[bool, float]] = {}
        """By job, whether it was paid for when its failures in a row began, and when that was in monotonic seconds."""
        self._unwritten: dict[str, int] = {}  # by job, how often in a row it could not be written back

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The jobs being run just now."""
        return list(self._tasks)

    async def start(self) -> list[str]:
        """Take up what an earlier process left running; the ids of those jobs."""
        async with self._database.write() as db:
            await queue.set_lanes(db, self._lanes)
            await queue.bring_forward_all(db, now=self._clock.now(), longest=LONGEST_WAIT)
            return await queue.take_up(db, now=self._clock.now(), all_of_them=True)

    @property
    def is_drained(self) -> bool:
        """It takes no new work, and none is under way."""
        return self._signals.draining and not self._tasks

    async def run(self, beat: Beat = no_beat) -> None:
        """Work until `drain` is called. Survives every failure of a job and of the database."""
        renewed = self._clock.monotonic()
        ahead = self._clock.now() - renewed  # of the wall clock, before the monotonic one
        while not self._signals.draining:
            beat()
            self._signals.woken.clear()
            pause = BEAT
            try:
                set_back = ahead - (self._clock.now() - self._clock.monotonic())
                if set_back > STEP:
                    await self._bring_forward(set_back)
                if abs(set_back) > STEP:
                    ahead -= set_back
                while not self._signals.draining and (job := await self._claim()):
                    await self._begin(job)
                    beat()
                if self._clock.monotonic() >= renewed + BEAT:
                    renewed = self._clock.monotonic()
                    await self._keep_leases()
                async with self._database.read() as db:
                    due = await queue.next_due(db, now=self._clock.now())
                if due is not None:
                    pause = min(BEAT, due - self._clock.now())
            except Exception as error:
                if not await self._note_trouble(error):
                    log.exception("The queue could not be read; trying again in %.0f s.", BEAT)
            await self._clock.wait(self._signals.woken, max(pause, 0.0))

    async def drain(self) -> None:
        """Take no new work, and return when every running step has saved what it has.

        The rest goes on at the next start.
        """
        first, self._signals.draining = not self._signals.draining, True
        self._signals.wake()
        if first:  # a second cancel would break off the wait for the answer of a request that has left
            for task in self.tasks:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self.tasks)

    async def _bring_forward(self, seconds: float) -> None:
        """The wall clock was set back: what was due in a minute would be due in an hour."""
        log.warning("The machine's clock was set back by %.0f s.", seconds)
        async with self._database.write() as db:
            await queue.bring_forward(db, seconds=seconds)

    async def _claim(self) -> Job | None:
        now = self._clock.now()
        async with self._database.write() as db:
            return await queue.claim(db, holder=self._holder, now=now, lease_until=now + LEASE)

    async def _keep_leases(self) -> None:
        """Renew what is being worked on. What this worker holds on paper alone could not be written back: queue it."""
        now = self._clock.now()
        async with self._database.write() as db:
            for job_id in await queue.held(db, holder=self._holder):
                if job_id not in self._tasks.values():
                    due_at = now + (backoff(failures) if (failures := self._unwritten.get(job_id, 1)) > 1 else 0.0)
                    await queue.put_back(db, job_id=job_id, holder=self._holder, due_at=due_at, keep_slot=True)
            await queue.renew_leases(db, holder=self._holder, lease_until=now + LEASE)
            taken_up = await queue.take_up(db, now=now, all_of_them=False)
        if taken_up:
            log.warning("Took up %d jobs whose worker fell silent.", len(taken_up))
            self._signals.wake()

    async def _begin(self, job: Job) -> None:
        if self._signals.draining:  # it was drained while the job was being claimed
            async with self._database.write() as db:
                await queue.put_back(
                    db, job_id=job.id, holder=self._holder, due_at=self._clock.now(), keep_slot=job.holds_slot
                )
            return
        task = asyncio.create_task(self._work(job), name=f"job {job.id}")
        self._tasks[task] = job.id
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        self._changed(job.root_id)

    async def _work(self, job: Job) -> None:
        journal = Journal(
            self._database,
            self._clock,
            job,
            self._holder,
            released=self._signals.wake,
            machine=self._machine,
        )
        try:
            try:
                await self._run_once(job, journal)
            except (ArithmeticError, ValueError, TypeError):  # what the recipe ended with is nothing to be stored
                log.exception("Job %s could not end as it should; how it ended is not known.", job.id)
                await self._end(job, Outcome(State.UNKNOWN, None, "The bot could not write down how this ended."))
                await self._alarm(f"Job `{job.id}` could not end as it should. The log has the traceback.")
        except asyncio.CancelledError:
            try:
                async with self._database.write() as db:
                    await queue.put_back(
                        db,
                        job_id=job.id,
                        holder=self._holder,
                        due_at=self._clock.now(),
                        keep_slot=journal.holds_slot,
                    )
            except MachineTrouble as trouble:
                log.warning("Job %s could not be put back, and is taken up at the next start: %s", job.id, trouble)
            raise
        except LostLease:
            log.warning("Job %s was taken over by another worker.", job.id)
        except Exception as error:
            if not await self._note_trouble(error):
                failures = self._unwritten[job.id] = self._unwritten.get(job.id, 0) + 1
                log.exception(  # a traceback the first time only: the same may happen every few seconds, for hours
                    "Job %s could not be written back (%s); it is queued again.",
                    job.id,
                    type(error).__name__,
                    exc_info=failures == 1,
                )
        else:
            self._unwritten.pop(job.id, None)
        self._changed(job.root_id)
        self._signals.wake()

    async def _run_once(self, job: Job, journal: Journal) -> None:
        try:
            recipe = self._recipes.get(job.kind)
            if recipe is None:
                raise Broken(f"This bot does not know jobs of the kind {job.kind!r}.")
            outcome = await recipe.run(job, journal)
        except Park:
            self._trying.pop(job.id, None)
            async with self._database.write() as db:
                await queue.park(db, job_id=job.id, holder=self._holder)
        except Later as look:
            self._trying.pop(job.id, None)
            await self._note_trouble(look)  # a recipe may have raised it from one
            async with self._database.write() as db:
                await queue.put_back(
                    db,
                    job_id=job.id,
                    holder=self._holder,
                    due_at=self._clock.now() + max(look.seconds, SOONEST),
                    keep_slot=journal.holds_slot,
                    note=look.note,
                    rested=True,
                )
        except Unavailable as error:
            await self._try_later(job, journal, error)
        except BotError as error:
            await self._fail(job, journal, error)
        except LostLease:
            raise
        except Exception as error:
            trouble = recognise(error)
            if trouble is not None:
                await self._try_later(job, journal, trouble)
            else:
                await self._meet_bug(job, journal, error)
        else:
            await self._end(job, outcome)

    async def _meet_bug(self, job: Job, journal: Journal, bug: Exception) -> None:
        """End the job. One that has paid, or whose pictures have, is tried again while its recipe is patient: the rest
        of it is free."""
        log.error("A bug in job %s.", job.id, exc_info=bug)
        mistake = f"The bot made a mistake. Please quote `{job.root_id}` to the admin."
        if await journal.recall_payment() or await self._has_paid_parts(job):
            await self._try_later(job, journal, Unavailable(mistake))
        else:
            await self._fail(job, journal, Broken(mistake))
        if job.id not in self._with_bugs:
            self._with_bugs.add(job.id)
            await self._alarm(f"Job `{job.id}` met a bug: {type(bug).__name__}. The log has the traceback.")

    async def _has_paid_parts(self, job: Job) -> bool:
        async with self._database.read() as db:
            return bool(await steps.ordered(db, parent_id=job.id))

    async def _try_later(self, job: Job, journal: Journal, error: Unavailable) -> None:
        now = self._clock.now()
        await journal.recall_payment()  # the failure may have come before the recipe got there
        paid, running = journal.paid_at is not None, self._clock.monotonic()
        if self._trying.get(job.id, (not paid, 0.0))[0] is not paid:
            self._trying[job.id] = (paid, running)
        if isinstance(error, MachineTrouble):
            # It waits for its end and uses up no patience: whether what is paid for can still be had, its recipe asks
            # the provider.
            self._trying.pop(job.id)
            await self._note_trouble(error)
        elif running - self._trying[job.id][1] > self._recipes[job.kind].patience:
            await self._fail(job, journal, error)
            return
        wait = max(backoff(job.attempts), error.retry_after or 0.0)
        due_at = now + (min(wait, self._recipes[job.kind].paid_wait) if journal.paid_at else wait)
        log.info("Job %s waits %.1f s: %s", job.id, due_at - now, error)
        async with self._database.write() as db:
            await queue.put_back(
                db,
                job_id=job.id,
                holder=self._holder,
                due_at=due_at,
                keep_slot=journal.holds_slot,
                note=str(error),
            )

    async def _note_trouble(self, error: Exception) -> bool:
        """Tell the admin once where this machine lacks something; False where `error` is anything else."""
        trouble = recognise(error)
        if trouble is not None and self._machine is not None:
            await self._machine.note(trouble)
        return trouble is not None

    async def _fail(self, job: Job, journal: Journal, error: BotError) -> None:
        """End a job by its error's type.

        What was paid for and then failed here is unknown, and so is its price: that it failed, only its provider can
        say.
        """
        await journal.recall_payment()
        unknown = isinstance(error, Uncertain) or (journal.paid_at is not None and not isinstance(error, Refused))
        state = State.UNKNOWN if unknown else State.FAILED
        await self._end(job, Outcome(state, None if unknown else 0, str(error)))
        if isinstance(error, Broken):
            log.error("Job %s failed: %s", job.id, error, exc_info=error.__cause__)
            await self._alarm(f"Job `{job.id}` failed: {error}")

    async def _end(self, job: Job, outcome: Outcome) -> None:
        now = self._clock.now()
        self._trying.pop(job.id, None)
        if outcome.cost is not None and not 0 <= outcome.cost <= LARGEST_COST:
            log.error("Job %s was to end with an impossible cost; it is not counted.", job.id)
            await self._alarm(f"Job `{job.id}` ended with a cost that cannot be. Please compare the provider's bill.")
            outcome = replace(outcome, cost=None)
        async with self._database.write() as db:
            if outcome.state is not State.DONE and await queue.has_unfinished(db, parent_id=job.id):
                # A request must not end before its pictures: nobody would show them. They wake it.
                await queue.park(db, job_id=job.id, holder=self._holder)
                return
            if outcome.unless_woken and await queue.put_back_if_woken(db, job_id=job.id, holder=self._holder, now=now):
                return
            ended = await queue.end(
                db,
                job_id=job.id,
                holder=self._holder,
                state=outcome.state,
                now=now,
                cost=outcome.cost,
                error=outcome.error,
            )
            if ended and job.parent_id:
                await queue.wake_if_last(db, parent_id=job.parent_id, now=now)
        if not ended:
            raise LostLease


def backoff(attempts: int) -> float:
    """Seconds to wait after so many tries: 2, 4, 8, … to 128, each ± 25 % so that jobs do not march in step."""
    return 2.0 ** min(attempts, 7) * random.uniform(0.75, 1.25)
