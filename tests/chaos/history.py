"""One history: the bot lives and is killed so many times, then all becomes quiet, and the witnesses are asked."""

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from storage.base.jobs import State
from tests.chaos.claims import broken_claims
from tests.chaos.people import People
from tests.chaos.scene import Ground, Scene, a_scene
from tests.chaos.weather import Weather
from tests.crash.lives import Zygote
from tests.crash.tables import read_copy

LONGEST_LIFE = 5.0
"""Real seconds: a life ends at any moment until then, also before it has begun to work."""
PATIENCE = 90.0
"""Real seconds that the quiet time may take; it passes days of the clock's."""
CALM = 1.0
"""Real seconds without work after which everything is at rest."""
SOON = 120.0
"""Seconds: what is due later is skipped to."""
HORIZON = 2 * 86_400.0
"""Seconds: what is due later than this, such as a reminder of an expiry, is no part of the history."""
ABSENCES = (5.0, 5.0, 30.0, 300.0, 1200.0, 86_400.0)
"""Seconds of which one is for how long the bot is away."""
LONG_LOG = 4000


@dataclass
class History:
    """What has happened, for whoever reads of a failure."""

    seed: str
    lines: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])
    log: str = ""
    began: float = field(default_factory=time.monotonic)

    def note(self, line: str) -> None:
        self.lines.append(f"{time.monotonic() - self.began:7.2f}  {line}")


async def play(seed: str, kills: int, folder: Path, zygote: Zygote, ground: Ground) -> History:
    """A history by its seed: what people and the weather do follows from it, when they do it depends on the machine."""
    history, chance = History(seed), random.Random(seed)
    async with a_scene(folder, zygote, ground) as scene:
        people = People(scene, random.Random(f"{seed} people"), history.note)
        weather = Weather(scene, random.Random(f"{seed} weather"), history.note)
        try:
            await _trouble(scene, kills, chance, history, people, weather)
            await weather.clear()
            history.note("everything becomes quiet")
            await _quiet(scene, history, people)
            history.complaints += await broken_claims(scene, people.commands)
        except Exception as error:  # a history must end with a report
            history.complaints.append(f"the history broke off: {error!r}")
        finally:
            if scene.process:
                scene.process.send(signal.SIGKILL)
                with contextlib.suppress(TimeoutError):
                    await scene.process.end()
        history.counts.update(weather.counts)
        _count(scene, history)
        history.log = scene.log[-LONG_LOG:]
    if not history.complaints:
        shutil.rmtree(folder, ignore_errors=True)
    return history


async def _trouble(
    scene: Scene, kills: int, chance: random.Random, history: History, people: People, weather: Weather
) -> None:
    acting = [asyncio.create_task(people.act()), asyncio.create_task(weather.blow())]
    try:
        for number in range(1, kills + 1):
            await scene.start()
            history.note(f"life {number} begins")
            await _live(scene, chance.uniform(0.05, LONGEST_LIFE))
            for task in acting:
                if task.done():
                    task.result()
            await _end(scene, chance, history)
    finally:
        for task in acting:
            task.cancel()
        await asyncio.gather(*acting, return_exceptions=True)


async def _live(scene: Scene, seconds: float) -> None:
    """Until the time is over, or the bot is by itself."""
    end = time.monotonic() + seconds
    while scene.alive and time.monotonic() < end:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(min(0.02, max(0.0, end - time.monotonic())))


async def _end(scene: Scene, chance: random.Random, history: History) -> None:
    """Kill it, or tell it to stop; then it is away for a while."""
    assert scene.process
    by_itself = scene.process.over
    number = signal.SIGTERM if chance.random() < 0.2 else signal.SIGKILL
    away = chance.choice(ABSENCES) * chance.uniform(0.5, 2)
    history.note("it has ended by itself" if by_itself else f"{number.name}")
    scene.process.send(number)
    try:
        code = await scene.process.end()
    except TimeoutError:
        history.complaints.append("it did not stop within half a minute of SIGTERM")
        code = await scene.process.end()
    history.counts[f"ended with {code}"] += 1
    if by_itself:
        history.note(f"its exit code is {code}; the log ends with {scene.log.splitlines()[-1:]}")
    elif number == signal.SIGTERM and code not in {0, -signal.SIGTERM}:
        history.complaints.append(f"told to stop, it ended with {code}")
    with read_copy(scene.disk.folder) as db:
        cut = db.execute("SELECT job_id FROM steps WHERE pays AND finished_at IS NULL")
        scene.half_paid |= {row["job_id"] for row in cut}
    history.note(f"away for {away:.0f} s")
    scene.asleep.append((scene.clock.true(), scene.clock.true() + away))
    scene.clock.skip(away)


async def _quiet(scene: Scene, history: History, people: People) -> None:
    """The bot lives without trouble until nothing is to be done; moderators decide whatever is asked of them.

    Raises:
        TimeoutError: there is still work.
    """
    await scene.start()
    calm_since = time.monotonic()
    left = "nothing"
    try:
        async with asyncio.timeout(PATIENCE):
            while time.monotonic() < calm_since + CALM:
                await asyncio.sleep(0.1)
                if not scene.alive:
                    history.complaints.append(f"in the quiet time it ended: {scene.log.splitlines()[-3:]}")
                    await scene.start()
                if not scene.connected or await people.press("rev:ok"):
                    calm_since = time.monotonic()
                    continue
                due = _next_due(scene)
                if due is None:
                    continue
                calm_since, left = time.monotonic(), f"due in {due - scene.clock.true():.0f} s"
                if due > scene.clock.true() + SOON:
                    scene.clock.skip(due - scene.clock.true())
    except TimeoutError:
        history.complaints.append(f"it is not at rest after {PATIENCE:.0f} s of quiet: the next work is {left}")
        history.complaints += _unfinished(scene)


def _next_due(scene: Scene) -> float | None:
    """When there is work again; 0 for now, None for never."""
    with read_copy(scene.disk.folder) as db:
        dues = [
            0.0 if state == State.RUNNING else due
            for state, due in db.execute("SELECT state, due_at FROM jobs WHERE state IN ('waiting', 'running')")
            if state == State.RUNNING or due < scene.clock.true() + HORIZON
        ]
    return min(dues, default=None)


def _unfinished(scene: Scene) -> list[str]:
    with read_copy(scene.disk.folder) as db:
        return [
            f"{row['kind']} {row['id']} is {row['state']} after {row['attempts']} tries: {row['error']}"
            for row in db.execute("SELECT * FROM jobs WHERE state IN ('waiting', 'running') LIMIT 10")
        ]


def _count(scene: Scene, history: History) -> None:
    with read_copy(scene.disk.folder) as db:
        for kind, state, count in db.execute("SELECT kind, state, COUNT(*) FROM jobs GROUP BY kind, state"):
            history.counts[f"{kind} {state}"] += count
        for state, count in db.execute("SELECT state, COUNT(*) FROM registrations GROUP BY state"):
            history.counts[f"registration {state}"] += count
    history.counts["pictures that BFL was paid for"] += len(scene.bfl.tasks)
    history.counts["messages of the bot"] += scene.discord.world.posted
    history.counts["files pinned"] += len(scene.pinata.files)
