"""When to look at a picture that is being drawn, and when to say it will be there: from this server's own history."""

import bisect
import random
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from storage.base import timings
from storage.database import Connection, Database

ENOUGH = 8
"""Measurements from which on this server's own history is used instead of the catalogue."""
NEAR = 0.01
"""Seconds that are no wait: where a clock's rounding brings a look that much too early, it is not repeated at once."""


@dataclass(frozen=True)
class Spread:
    """How long something takes, in seconds: a tenth, half and nine tenths of the cases are quicker."""

    p10: float
    p50: float
    p90: float


class Pace:
    """The history of durations, kept in memory and in the `timings` table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._durations: dict[str, deque[float]] = {}

    async def spread(self, what: str, prior: Spread, *, db: Connection | None = None) -> Spread:
        """How long `what` takes here; `prior` until there is a history.

        Who holds a connection gives it as `db`: there are a few for all, and holders that wait for another one would
        wait for each other.
        """
        if what not in self._durations:
            async with nullcontext(db) if db is not None else self._database.read() as connection:
                self._durations[what] = deque(await timings.newest(connection, what), maxlen=timings.KEPT)
        durations = sorted(self._durations[what])
        if len(durations) < ENOUGH:
            return prior
        return Spread(quantile(durations, 0.1), quantile(durations, 0.5), quantile(durations, 0.9))

    async def add(self, what: str, seconds: float, *, now: float) -> None:
        """Remember how long one took."""
        async with self._database.write() as db:
            await timings.add(db, what=what, seconds=seconds, now=now)
        if what in self._durations:
            self._durations[what].append(seconds)


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value below which that share of the (sorted, non-empty) values lies, interpolated."""
    place = share * (len(ascending) - 1)
    low = int(place)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (ascending[high] - ascending[low]) * (place - low)


def pause(waited: float, spread: Spread) -> float:
    """Seconds until the next look at something that has taken `waited` seconds so far.

    The first look comes when a tenth of such pictures would be ready. From then on twice a second, because
    a member is watching; what takes far longer than usual is looked at less and less often.
    """
    if waited < spread.p10 - NEAR:
        return spread.p10 - waited
    steps = ((0.0, 0.5), (3 * spread.p90 + 30, 2.0), (3 * spread.p90 + 300, 10.0))
    step = steps[bisect.bisect_right([start for start, _ in steps], waited) - 1][1]
    return step * random.uniform(1.0, 1.4)
