"""Time, handed to every part that needs it, so that a test can turn it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Unix time in seconds, elapsed time, and waiting."""

    def now(self) -> float:
        """What is kept and shown. It may be set back or forward by hours at any moment: no difference of two is a
        time that has passed."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment before this process began: what time that has passed is measured with."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when `event` is set or `seconds` have passed, whichever is first."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
