"""Refreshes the cards of waiting requests, a few edits a second for all of them together."""

import asyncio
import logging

from bot.clock import Clock
from bot.errors import MachineTrouble
from bot.jobs.watch import Beat, no_beat
from bot.workflows.base.cards import Delivery, Views
from storage.base import queue
from storage.database import Database

log = logging.getLogger(__name__)

ROUND = 1.0
"""Seconds between two rounds. Discord counts the forecast down by itself, so most rounds edit nothing."""
FRONT = 20
"""Pictures at the front of the queue whose cards show each change of their place; those behind can wait."""
SLOW = 20.0
"""Seconds of drawing after which a card is looked at again: the time that it promised may be over."""
BATCH = 20
"""Cards that are looked at in a round: more than the edit budget lets through."""
ASIDE = 5.0
"""Seconds between two looks at the front of the queue."""


class Changes:
    """The ids of jobs whose cards may say something else than they do. It exists before those who note them."""

    def __init__(self) -> None:
        self.job_ids: dict[str, None] = {}
        self.noted = asyncio.Event()

    def note(self, job_id: str) -> None:
        """The card of this job may say something else now."""
        self.job_ids[job_id] = None
        self.noted.set()


class CardRefresher:
    """Refreshes the card of each request that has changed. The end of the request edits its card in any case."""

    def __init__(self, *, database: Database, clock: Clock, views: Views, delivery: Delivery, changes: Changes) -> None:
        self._database = database
        self._clock = clock
        self._views = views
        self._delivery = delivery
        self._changes = changes
        self._overdue: dict[str, float] = {}  # by job, when its card has less to promise; monotonic seconds

    async def run(self, beat: Beat = no_beat) -> None:
        """Refresh until cancelled."""
        looked = float("-inf")
        while True:
            beat()
            self._changes.noted.clear()
            try:
                running = self._clock.monotonic()
                for job_id in [each for each, at in self._overdue.items() if at <= running]:
                    self._changes.job_ids[job_id] = None
                    del self._overdue[job_id]
                if running >= looked + ASIDE:
                    looked = running
                    self._changes.job_ids.update(dict.fromkeys(self._delivery.list_overdue()))
                    async with self._database.read() as db:
                        self._changes.job_ids.update(dict.fromkeys(await queue.front(db, limit=FRONT)))
                        self._changes.job_ids.update(
                            dict.fromkeys(await queue.slow(db, since=self._clock.now() - SLOW, limit=FRONT))
                        )
                await self._refresh()
            except MachineTrouble as trouble:
                log.warning("Cards could not be refreshed; the next round tries again: %s", trouble)
            except Exception:
                log.exception("Cards could not be refreshed; the next round tries again.")
            await self._clock.sleep(ROUND)
            if not self._changes.job_ids:
                next_end = min(self._overdue.values(), default=self._clock.monotonic() + ASIDE)
                await self._clock.wait(self._changes.noted, min(ASIDE, next_end - self._clock.monotonic()))

    async def _refresh(self) -> None:
        batch = list(self._changes.job_ids)[:BATCH]
        for job_id in batch:
            del self._changes.job_ids[job_id]
        await asyncio.gather(*map(self._refresh_one, batch))

    async def _refresh_one(self, job_id: str) -> None:
        """One card; where it could not be shown yet, it waits behind the others for its next turn."""
        try:
            view = await self._views.of(job_id)
            if view is None or view.ended:
                self._overdue.pop(job_id, None)
            elif view.forecast is not None and (ends := view.forecast.changes_in(self._clock.now())) is not None:
                self._overdue[job_id] = self._clock.monotonic() + ends
            if view is not None and not view.ended and not await self._delivery.refresh(view):
                self._changes.job_ids[job_id] = None
        except MachineTrouble:
            self._changes.job_ids[job_id] = None
            raise
