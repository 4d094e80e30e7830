"""Work that is repeated for as long as the bot runs, beside the worker."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Round:
    """Work that is done at the start and then every so often, for as long as the bot runs.

    A round that fails is logged as a bug, and the next one comes all the same.
    """

    name: str
    """Names the task, and the round in the log."""
    every: float
    """Seconds between the end of one round and the beginning of the next."""
    work: Callable[[], Awaitable[object]]

    async def run(self, clock: Clock) -> None:
        """Go round until cancelled."""
        while True:
            try:
                await self.work()
            except Exception:
                log.exception("The round %r failed; the next one is in %.0f s.", self.name, self.every)
            await clock.sleep(self.every)
