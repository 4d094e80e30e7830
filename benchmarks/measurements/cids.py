"""How fast the CIDs of a file are computed, beside its SHA-256 alone."""

import asyncio
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.tables import Table, ms
from bot.pinning.cid import EXPECTED, PROFILES, cids_of
from bot.values import sha256_of

SIZES = (3_000_000, 100_000_000)  # bytes: a picture, and the most that a form may hold
MOST_MEMORY = 4_000_000  # bytes


async def measure(*, quick: bool) -> Table:
    times = 3 if quick else 10
    table = Table(
        "cids",
        "The CIDs and the SHA-256 of a file on the disk (in the page cache), one pass, one thread; the best of "
        f"{times} runs, taken in turns. The memory is what Python allocates, in a run of its own.",
        ("expected CID and SHA-256", "all four profiles and SHA-256", "SHA-256 alone (hashlib.file_digest)"),
    )
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        path = Path(name) / "file"
        ways: tuple[Callable[[], object], ...] = (
            partial(cids_of, path, [EXPECTED]),
            partial(cids_of, path, PROFILES),
            partial(sha256_of, path),
        )
        for size in SIZES:
            path.write_bytes(os.urandom(size))
            what = f"{size / 1e6:.0f} MB"
            wall = await asyncio.to_thread(_best, ways, times)
            aim = size / 300e6  # a picture in 10 ms
            table.add(
                what,
                *(f"{size / seconds / 1e6:,.0f} MB/s" for seconds in wall),
                aim="≥ 300 MB/s",
                met=wall[0] <= aim,
            )
            table.add(f"{what}, wall", *map(ms, wall))
            peaks = [await asyncio.to_thread(_peak, way) for way in ways]
            table.add(
                f"{what}, most memory",
                *(f"{peak / 1e6:.1f} MB" for peak in peaks),
                aim=f"≤ {MOST_MEMORY / 1e6:.0f} MB",
                met=max(peaks[:2]) <= MOST_MEMORY,
            )
            stall = await _longest_stall(ways[1])
            table.add(f"{what}, longest stall of the event loop beside it", "", ms(stall))
            table.raw[str(size)] = {"wall": wall, "peaks": peaks, "stall": stall}
    return table


def _best(ways: tuple[Callable[[], object], ...], times: int) -> list[float]:
    best = [float("inf")] * len(ways)
    for _ in range(times):
        for n, way in enumerate(ways):
            began = time.perf_counter()
            way()
            best[n] = min(best[n], time.perf_counter() - began)
    return best


def _peak(way: Callable[[], object]) -> int:
    tracemalloc.start()
    way()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


async def _longest_stall(way: Callable[[], object]) -> float:
    """Seconds for which a task that wants to run each millisecond did not, while the work is done in a thread."""
    longest, working = 0.0, asyncio.create_task(asyncio.to_thread(way))
    while not working.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - before - 0.001)
    return longest
