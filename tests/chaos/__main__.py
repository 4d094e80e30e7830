"""`python -m tests.chaos`: histories in which the bot is killed at random moments; exit code 1 where a claim breaks."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.disk import enter_own_mounts, has_own_mounts
from tests.chaos.history import History, play
from tests.chaos.scene import prepare_ground
from tests.crash.lives import Zygote, a_zygote

A_HISTORY = 8
"""Kills of one history, if no other number is asked for."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="how often the bot is killed, in all")
    parser.add_argument("--each", type=int, default=A_HISTORY, help="how often in one history")
    parser.add_argument("--seed", default=None, help="of a history that is to be played again, as a failure names it")
    parser.add_argument("--base", default=None, help="word that the seeds begin with; any number, if it is left out")
    parser.add_argument("--at-once", type=int, default=2, help="histories that are played side by side")
    parser.add_argument("--minutes", type=float, default=None, help="no new history is begun after so many")
    chosen = parser.parse_args()
    enter_own_mounts()
    if not has_own_mounts():
        print("Nothing can be mounted here, so no disk is ever full.")
    return asyncio.run(_run(chosen))


async def _run(chosen: argparse.Namespace) -> int:
    began = time.monotonic()
    seeds = [chosen.seed] if chosen.seed else _new_seeds(chosen.base, max(1, round(chosen.kills / chosen.each)))
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    ground = await prepare_ground(folder)
    room, histories = asyncio.Semaphore(chosen.at_once), list[History]()
    async with a_zygote() as zygote:

        async def one(number: int, seed: str, zygote: Zygote) -> None:
            async with room:
                if chosen.minutes and time.monotonic() - began > chosen.minutes * 60:
                    return
                history = await play(seed, chosen.each, folder / str(number), zygote, ground)
                histories.append(history)
                print(_describe(history, folder / str(number)), flush=True)

        await asyncio.gather(*(one(number, seed, zygote) for number, seed in enumerate(seeds)))
    broken = [each for each in histories if each.complaints]
    counts = sum((each.counts for each in histories), Counter[str]())
    print("\n" + "\n".join(f"{count:7}  {what}" for what, count in sorted(counts.items())))
    print(
        f"\n{len(histories) * chosen.each} kills in {len(histories)} histories, {time.monotonic() - began:.0f} s: "
        f"{len(broken)} histories broke a claim."
    )
    return 1 if broken else 0


def _new_seeds(base: str | None, count: int) -> list[str]:
    first = base or str(random.SystemRandom().randrange(10**6))
    return [f"{first}:{number}" for number in range(count)]


def _describe(history: History, folder: Path) -> str:
    """A line for a history that held; all of it for one that did not."""
    if not history.complaints:
        return f"{history.seed}: held ({len(history.lines)} events)"
    return "\n".join(
        [
            f"\n{history.seed}: {len(history.complaints)} CLAIMS BROKE. Again: make chaos SEED={history.seed}",
            *(f"  - {complaint}" for complaint in history.complaints),
            "  what happened (real seconds):",
            *(f"    {line}" for line in history.lines),
            f"  the end of the bot's log (all that is left is in {folder}):",
            *(f"    {line}" for line in history.log.splitlines()),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
