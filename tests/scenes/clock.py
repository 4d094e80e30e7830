"""A clock that a test turns."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

START = 1_800_000_000.0
"""Unix seconds."""
BOOTED = 1_000.0
"""Seconds of the monotonic clock at the start: far from `START`, so that a mix of the two clocks shows."""
STUCK = 60.0
"""Real seconds after which work that never comes to rest is a failure of the test."""


@dataclass
class _Sleeper:
    until: float
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    event: asyncio.Event | None = None

    @property
    def asleep(self) -> bool:
        return not self.woken.is_set() and not (self.event and self.event.is_set())


class TurnedClock:
    """Stands still until `turn`. Whoever sleeps by it is woken in order, each when all others have come to rest.

    `tasks` are what a turn waits for: they rest when they sleep by this clock or have ended, so no test
    has to guess how long real sockets, files and threads take.
    """

    def __init__(self, tasks: Callable[[], Iterable[asyncio.Task[None]]] = list) -> None:
        self.tasks = tasks
        self._now = BOOTED
        self._set_by = 0.0
        self._sleepers: dict[asyncio.Task[object], _Sleeper] = {}

    def now(self) -> float:
        return self.true() + self._set_by

    def true(self) -> float:
        """Unix seconds by the clock of everybody else, which `step` does not set."""
        return self._now - BOOTED + START

    def monotonic(self) -> float:
        return self._now

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back, while no time passes."""
        self._set_by += seconds

    async def sleep(self, seconds: float) -> None:
        await self._rest(_Sleeper(self._now + max(seconds, 0.0)))

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        if event.is_set():
            await asyncio.sleep(0)
            return
        sleeper = _Sleeper(self._now + max(seconds, 0.0), event=event)
        waiter = asyncio.ensure_future(event.wait())
        waiter.add_done_callback(lambda _: sleeper.woken.set())
        try:
            await self._rest(sleeper)
        finally:
            waiter.cancel()

    async def _rest(self, sleeper: _Sleeper) -> None:
        if sleeper.until <= self._now:
            await asyncio.sleep(0)
            return
        task = asyncio.current_task()
        assert task, "only tasks sleep"
        self._sleepers[task] = sleeper
        try:
            await sleeper.woken.wait()
        finally:
            self._sleepers.pop(task, None)

    async def settle(self) -> None:
        """Return when everything has come to rest."""
        async with asyncio.timeout(STUCK):
            calm = 0
            while calm < 3:  # a finished task's callbacks may begin another
                calm = calm + 1 if all(self._at_rest(task) for task in self.tasks()) else 0
                await asyncio.sleep(0 if calm else 0.0005)

    async def turn(self, seconds: float) -> None:
        """Let so many seconds pass, stopping at everything that becomes due on the way."""
        target = self._now + seconds
        while True:
            await self.settle()
            due = min((each.until for each in self._sleepers.values()), default=target + 1)
            if due > target:
                break
            self._now = max(self._now, due)
            for sleeper in list(self._sleepers.values()):
                if sleeper.until <= self._now:
                    sleeper.woken.set()
        self._now = target
        await self.settle()

    async def leap(self, seconds: float) -> None:
        """Let so much time pass at once: whoever slept is woken late, as after a machine's sleep."""
        await self.settle()
        self._now += seconds
        await self.turn(0)

    def _at_rest(self, task: asyncio.Task[None]) -> bool:
        sleeper = self._sleepers.get(task)
        return task.done() or (sleeper is not None and sleeper.asleep)


@dataclass
class Clock:
    """The clock of a stand-in: `clock()` gives its time, which the test moves by hand, or the stand-in by sleeping."""

    time: float = 1_763_700_000.0  # Unix seconds

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
