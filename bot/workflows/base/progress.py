"""Keeps the cards of waiting requests true, a few edits a second for all of them together."""

import asyncio
import logging
from typing import Protocol

from bot.clock import Clock
from bot.workflows.base.shown import AllViews, Shown
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


class Refreshes(Protocol):
    """What shows the cards, as far as this is concerned."""

    async def refresh(self, view: Shown) -> bool: ...


class Progress:
    """Refreshes the card of each request that has changed. Cosmetic: what it misses, the end of the request mends."""

    def __init__(self, *, database: Database, clock: Clock, views: AllViews, delivery: Refreshes) -> None:
        self._database = database
        self._clock = clock
        self._views = views
        self._delivery = delivery
        self._changed: dict[str, None] = {}
        self._stirred = asyncio.Event()

    def changed(self, job_id: str) -> None:
        """The card of this request may say something else now."""
        self._changed[job_id] = None
        self._stirred.set()

    async def run(self) -> None:
        """Refresh until cancelled."""
        looked = 0.0
        while True:
            self._stirred.clear()
            try:
                if self._clock.now() >= looked + ASIDE:
                    looked = self._clock.now()
                    async with self._database.read() as db:
                        self._changed.update(dict.fromkeys(await queue.front(db, limit=FRONT)))
                        self._changed.update(dict.fromkeys(await queue.slow(db, since=looked - SLOW, limit=FRONT)))
                await self._refresh()
            except Exception:
                log.exception("Cards could not be refreshed; the next round tries again.")
            await self._clock.sleep(ROUND)
            if not self._changed:
                await self._clock.wait(self._stirred, ASIDE)

    async def _refresh(self) -> None:
        batch = list(self._changed)[:BATCH]
        for job_id in batch:
            del self._changed[job_id]
        await asyncio.gather(*map(self._refresh_one, batch))

    async def _refresh_one(self, job_id: str) -> None:
        """One card; where it could not be shown yet, it waits behind the others for its next turn."""
        view = await self._views.of(job_id)
        if view is not None and not view.ended and not await self._delivery.refresh(view):
            self._changed[job_id] = None
