"""Notices a loop that has died or hangs: tells the admin, and starts it anew."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.jobs.signals import WorkerSignals

log = logging.getLogger(__name__)

LOOK = 60.0
"""Seconds between two looks at the loops."""

Beat = Callable[[], None]
"""Called by a loop each time that it comes round."""


def no_beat() -> None:
    """For a loop that nobody watches."""


@dataclass
class _Loop:
    run: Callable[[Beat], Awaitable[None]]
    within: float
    beat_at: float
    task: asyncio.Task[None]


class Watch:
    """Runs the loops that have to live as long as the process."""

    def __init__(self, clock: Clock, alarm: Callable[[str], Awaitable[None]], signals: WorkerSignals) -> None:
        self._clock = clock
        self._alarm = alarm
        self._signals = signals
        self._loops: dict[str, _Loop] = {}

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The loops, in the order in which they were started."""
        return [loop.task for loop in self._loops.values()]

    def start(self, name: str, run: Callable[[Beat], Awaitable[None]], *, within: float) -> None:
        """Run a loop that comes round within so many seconds, or hangs."""
        task = asyncio.create_task(self._run(name, run), name=name)
        self._loops[name] = _Loop(run, within, self._clock.monotonic(), task)

    def task_of(self, name: str) -> asyncio.Task[None]:
        """The task in which a loop runs now."""
        return self._loops[name].task

    async def run(self) -> None:
        """Look until cancelled."""
        looked_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(LOOK)
            now = self._clock.monotonic()
            if now - looked_at > 2 * LOOK:  # the whole process stood still
                for loop in self._loops.values():
                    loop.beat_at = now
            looked_at = now
            try:
                await self.look()
            except Exception:
                log.exception("The loops could not be looked at.")

    async def look(self) -> None:
        """Start anew what has died or hangs, and tell the admin."""
        for name, loop in list(self._loops.items()):
            silent = self._clock.monotonic() - loop.beat_at
            if loop.task.done():
                if self._signals.draining and not loop.task.cancelled() and loop.task.exception() is None:
                    continue  # the worker has come to its end
                await self._start_anew(name, loop, "has died")
            elif silent > loop.within:
                loop.task.cancel()
                await self._start_anew(name, loop, f"has hung for {silent / 60:.0f} minutes")

    async def stop(self) -> None:
        """End all loops."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self._loops.clear()

    async def _start_anew(self, name: str, loop: _Loop, why: str) -> None:
        error = None if not loop.task.done() or loop.task.cancelled() else loop.task.exception()
        log.error("The loop %r %s, and is started anew.", name, why, exc_info=error)
        self.start(name, loop.run, within=loop.within)
        await self._alarm(f"A part of the bot that must always run (“{name}”) {why}. It was started anew: see the log.")

    async def _run(self, name: str, run: Callable[[Beat], Awaitable[None]]) -> None:
        def beat() -> None:
            self._loops[name].beat_at = self._clock.monotonic()

        await run(beat)
