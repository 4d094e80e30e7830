"""How long the bot was away, from a note that it writes once a minute."""

from dataclasses import dataclass

from bot.clock import Clock
from storage.base import jobs, notes
from storage.database import Database

ALIVE = "alive"
"""The note of when the bot last said that it runs, in Unix seconds."""


@dataclass(frozen=True)
class Absence:
    """What happened while the bot was away."""

    seconds: float | None
    """None at the very first start."""
    taken_up: int
    """Jobs that were being worked on when the last process ended."""
    waiting: int
    """Requests that are not at their end."""

    @property
    def sentence(self) -> str:
        if self.seconds is None:
            return "The bot is running for the first time here."
        away = _say_how_long(self.seconds)
        requests = "1 request is" if self.waiting == 1 else f"{self.waiting} requests are"
        return f"Back after {away}. {requests} under way; {self.taken_up} were being worked on when the bot ended."


def _say_how_long(seconds: float) -> str:
    """“90 s”, “12 min”, “5 h”, “3 days”."""
    for limit, length, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{max(seconds, 0) / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


async def note_alive(database: Database, clock: Clock) -> None:
    """Note the time, so that the next start knows how long the bot was away."""
    async with database.write() as db:
        await notes.save(db, ALIVE, str(clock.now()))


async def look_back(database: Database, clock: Clock, *, taken_up: int) -> Absence:
    """How long the bot was away, and what is under way. `taken_up` jobs are counted in."""
    async with database.read() as db:
        alive = await notes.find(db, ALIVE)
        states = await jobs.count_states(db)
    waiting = sum(n for state, n in states.items() if not jobs.State(state).ended)
    return Absence(max(clock.now() - float(alive), 0.0) if alive else None, taken_up, waiting)
