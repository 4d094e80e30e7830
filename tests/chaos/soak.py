"""`python -m tests.chaos.soak` (`make soak`): the bot works for long, and its memory comes to a plateau."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from standins.bfl.service import TRAINING
from tests.chaos.disk import enter_own_mounts
from tests.chaos.people import People
from tests.chaos.scene import Scene, a_scene, prepare_ground
from tests.crash.lives import a_zygote

MINUTES = 25.0
LOOKS = 60
"""How often the memory is looked at, in all."""
STARTING = 0.4
"""Share of the time in which it may grow: libraries are loaded, caches fill up."""
MOST_GROWTH = 0.04
"""Share by which the median of the second half after that may be above that of the first."""
KEPT = 300
"""Messages that the local Discord shows to people: what is older is scrolled away, as for a real one."""


@dataclass(frozen=True)
class Look:
    """The process at one moment."""

    minutes: float
    rss: int
    """Bytes."""
    pictures: int
    """That BFL was paid for so far."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of load (%(default)s)")
    chosen = parser.parse_args()
    enter_own_mounts()
    return asyncio.run(_soak(chosen.minutes))


async def _soak(minutes: float) -> int:
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    looks: list[Look] = []
    async with a_zygote() as zygote:
        ground = await prepare_ground(folder)
        async with a_scene(folder / "scene", zygote, ground) as scene:
            process = await scene.start()
            people = People(scene, random.Random("soak"), _note)
            acting = asyncio.create_task(people.act())
            began = time.monotonic()
            print(" minutes   RSS MB   pictures")
            for number in range(1, LOOKS + 1):
                await asyncio.sleep(max(0.0, began + number * minutes * 60 / LOOKS - time.monotonic()))
                if process.over or acting.done():
                    print(f"It ended:\n{scene.log[-3000:]}")
                    return 1
                looks.append(_look(scene, process.pid, (time.monotonic() - began) / 60))
                print(f"{looks[-1].minutes:8.1f} {looks[-1].rss / 1e6:8.1f} {looks[-1].pictures:10}", flush=True)
                _scroll(scene, people)
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
    verdict, is_flat = judge(looks)
    print(verdict)
    return 0 if is_flat else 1


def judge(looks: list[Look]) -> tuple[str, bool]:
    """A sentence, and whether the memory has come to a plateau."""
    settled = [each.rss for each in looks[round(len(looks) * STARTING) :]]
    half = len(settled) // 2
    before, after = statistics.median(settled[:half]), statistics.median(settled[half:])
    growth = after / before - 1
    drawn = looks[-1].pictures - looks[round(len(looks) * STARTING)].pictures
    is_flat = growth <= MOST_GROWTH
    growing = f"{before / 1e6:.1f} MB, then {after / 1e6:.1f} MB ({growth:+.1%})"
    each = f"{(after - before) / max(drawn, 1) / 1e3:.1f} KB"
    verdict = "A plateau" if is_flat else "It GROWS"
    return f"\n{verdict}: {growing}, while {drawn} pictures were drawn ({each} for each).", is_flat


def _look(scene: Scene, pid: int, minutes: float) -> Look:
    pictures = sum(task.endpoint != TRAINING for task in scene.bfl.tasks)
    return Look(minutes, psutil.Process(pid).memory_info().rss, pictures)


def _scroll(scene: Scene, people: People) -> None:
    """Keep this process small: forget what nobody looks at any more."""
    for channel in (scene.discord.channel, scene.review):
        del channel.messages[:-KEPT]
    del people.commands[:-KEPT]
    scene.discord.requests.clear()


def _note(_line: str) -> None:
    """Nobody reads this history."""


if __name__ == "__main__":
    sys.exit(main())
