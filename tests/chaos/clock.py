"""The time of one history: shared by the bot's processes and the stand-ins, and turned by the driver."""

import asyncio
import mmap
import struct
import time
from pathlib import Path

from bot.clock import SystemClock

SPEED = 60.0
"""Seconds of the bot's in a real one."""
SLICE = 0.05
"""Real seconds after which whoever waits looks at the clock again: time may have been skipped."""
_NUMBERS = struct.Struct("=ddd")


class SharedClock(SystemClock):
    """Reads three numbers of a file that all processes map: when it began, what was skipped, how wrong the wall is.

    The stand-ins go by `true()`. The bot's wall clock (`now`) differs from that by the last step; its `monotonic`
    knows nothing of steps.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_NUMBERS.pack(time.time(), 0.0, 0.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _NUMBERS.size)

    def true(self) -> float:
        """Unix seconds, as everybody else has them."""
        began, skipped, _ = self._read()
        return began + (time.time() - began) * SPEED + skipped

    def now(self) -> float:
        return self.true() + self._read()[2]

    def monotonic(self) -> float:
        return time.monotonic() * SPEED + self._read()[1]

    def skip(self, seconds: float) -> None:
        """It is so much later for everybody from now on."""
        began, skipped, step = self._read()
        self._memory[:] = _NUMBERS.pack(began, skipped + seconds, step)

    def step(self, seconds: float) -> None:
        """Set the bot's wall clock to so many seconds after the true time, or before it."""
        began, skipped, _ = self._read()
        self._memory[:] = _NUMBERS.pack(began, skipped, seconds)

    @property
    def stepped(self) -> float:
        return self._read()[2]

    async def sleep(self, seconds: float) -> None:
        end = self.monotonic() + seconds
        while (left := (end - self.monotonic()) / SPEED) > 0:  # noqa: ASYNC110 - time has no event
            await asyncio.sleep(min(left, SLICE))

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        end = self.monotonic() + seconds
        while not event.is_set() and (left := (end - self.monotonic()) / SPEED) > 0:
            await super().wait(event, min(left, SLICE))

    def _read(self) -> tuple[float, float, float]:
        began, skipped, step = _NUMBERS.unpack(self._memory[:])
        return began, skipped, step
