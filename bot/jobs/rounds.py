"""Work that is repeated for as long as the bot runs, beside the worker."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.jobs.machine import Machine
from bot.jobs.watch import Beat, no_beat
from bot.trouble import recognise

log = logging.getLogger(__name__)

LONGEST = 900.0
"""Seconds that one round may take; one that takes longer hangs."""


@dataclass(frozen=True)
class Round:
    """Work that is done at the start and then every so often, for as long as the bot runs.

    A round that fails is logged as a bug, or told to the admin as trouble of this machine, and the next one comes all
    the same.
    """

    name: str
    """Names the task, and the round in the log."""
    every: float
    """Seconds between the end of one round and the beginning of the next."""
    work: Callable[[], Awaitable[object]]

    @property
    def within(self) -> float:
        """Seconds after which a round that has not come round hangs."""
        return self.every + LONGEST

    async def run(self, clock: Clock, *, beat: Beat = no_beat, machine: Machine | None = None) -> None:
        """Go round until cancelled."""
        while True:
            beat()
            try:
                await self.work()
            except Exception as error:
                trouble = recognise(error)
                if trouble is not None and machine is not None:
                    await machine.note(trouble)
                    log.warning("The round %r failed; the next one is in %.0f s: %s", self.name, self.every, trouble)
                else:
                    log.exception("The round %r failed; the next one is in %.0f s.", self.name, self.every)
            beat()
            await clock.sleep(self.every)
