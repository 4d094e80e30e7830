"""Ten thousand jobs at once: all delivered, fairly, with little kept in memory; and what the bot takes when idle."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness import PLAIN, PRODUCT, Json, Scene, open_scene
from benchmarks.tables import Table, ms, spread

DRAWING = 0.05
WARM = 200
"""Jobs before the memory is looked at for the first time."""
ALLOWED = 200
"""Pictures that one member may have under way in a community."""
SMALL = 50
"""Pictures of each member who does not have most of them."""
OTHERS = 8
SLOTS = 24
KEPT = 2048
"""Bytes that may be kept for a delivered picture."""
PROVIDER: dict[str, object] = {"mean": DRAWING, "deviation": 0.0, "slots": SLOTS}


@dataclass(frozen=True)
class Delivered:
    """What became of a burst."""

    asked: int
    delivered: int
    seconds: float
    took: list[float]
    """Seconds that each acceptance took."""
    overtaken: int
    """Pictures of the member with most of them that were ordered before all of the last askers', who had asked."""
    kept: float
    """Bytes that the process grew by for each picture."""
    traced: float | None = None


async def measure(*, quick: bool) -> Table:
    jobs = 1_000 if quick else 10_000
    table = Table(
        "burst",
        f"{jobs:,} jobs of {DRAWING * 1000:.0f} ms, nearly all of them by one member, and {SMALL} by each of {OTHERS} "
        f"who ask last; the cards are there already, pictures have 64 pixels, and there are {SLOTS} slots. The memory "
        "kept is measured anew with pictures of 1 MB, counting Python's own objects.",
        ("ours", "in-memory queue", "discord.py alone"),
    )
    ours, pool = await _burst(PRODUCT, jobs), await _burst(PLAIN, jobs)
    traced = 300 if quick else 1_000
    kept = await _burst(PRODUCT, traced, trace=True)
    hoarded = await _burst(PLAIN, 300, trace=True)
    _fill(table, ours, pool)
    assert kept.traced is not None, "it was traced"
    assert hoarded.traced is not None, "it was traced"
    table.add(
        "objects kept for each picture of 1 MB",
        f"{kept.traced:,.0f} B",
        f"{hoarded.traced:,.0f} B",
        aim=f"≤ {KEPT:,} B",
        met=kept.traced <= KEPT,
    )
    await _add_idle(table, tries=1 if quick else 5)
    table.raw = {"ours": ours.__dict__, "pool": pool.__dict__, "traced": kept.__dict__, "pool traced": hoarded.__dict__}
    return table


def _fill(table: Table, ours: Delivered, pool: Delivered) -> None:
    both, small = (ours, pool), _small(ours.asked)
    table.add(
        "delivered",
        *(f"{each.delivered:,} of {each.asked:,}" for each in both),
        aim="all",
        met=ours.delivered == ours.asked,
    )
    table.add("pictures a second", *(f"{each.delivered / each.seconds:.1f}" for each in both))
    table.add("accepting one, p50", ms(spread(ours.took, 0.5)), "at once")
    table.add("accepting one, p99", ms(spread(ours.took, 0.99)), "at once")
    table.add(
        f"pictures of the first member drawn before the others' last, all of whom had asked for {small}",
        *(f"{each.overtaken:,}" for each in both),
        aim=f"≤ {small + SLOTS}",
        met=ours.overtaken <= small + SLOTS,
    )
    table.add("the process grew by, a picture", *(f"{each.kept:,.0f} B" for each in both))


async def _burst(bot: str, jobs: int, *, trace: bool = False) -> Delivered:
    options = [] if bot == PRODUCT else ["--kind=pool", f"--pause={DRAWING}"]
    options += ["--trace"] if trace else []
    provider = PROVIDER | {"side": 1024 if trace else 64}
    async with open_scene(bot, *options, provider=provider, members=OTHERS + 1) as scene:
        cards = await scene.discord.post(scene.place["channels"][0], WARM + jobs)
        await _deliver(scene, _orders(scene.place, cards[:WARM]), WARM)
        await asyncio.sleep(1)
        before = await scene.bot.ask("memory")
        earlier = len(await scene.provider.tasks())
        began = time.monotonic()
        accepted, report = await _deliver(scene, _orders(scene.place, cards[WARM:]), WARM + jobs)
        seconds = time.monotonic() - began
        await asyncio.sleep(1)
        after = await scene.bot.ask("memory")
        tasks = (await scene.provider.tasks())[earlier:]
    counted = None if after["traced"] is None else (after["traced"] - before["traced"]) / jobs
    return Delivered(
        asked=jobs,
        delivered=report["counts"]["delivered"] - WARM,
        seconds=seconds,
        took=accepted["took"],
        overtaken=_count_overtaken(tasks, scene.place["members"][0], since=accepted["asked"]),
        kept=(after["rss"] - before["rss"]) / jobs,
        traced=counted,
    )


def _orders(place: Json, cards: Sequence[str]) -> list[list[int]]:
    """Guild, member and card: the first member asks in as many communities as it takes, the others last and in one."""
    greedy, *others = place["members"]
    small = _small(len(cards))
    owners = [greedy] * (len(cards) - small * OTHERS) + [other for _ in range(small) for other in others[:OTHERS]]
    return [
        [int(place["guild"]) + n // ALLOWED, int(owner), int(card)]
        for n, (owner, card) in enumerate(zip(owners, cards, strict=True))
    ]


def _small(jobs: int) -> int:
    """How many pictures each of those who ask last has."""
    return min(SMALL, jobs // (2 * OTHERS))


async def _deliver(scene: Scene, orders: list[list[int]], wanted: int) -> tuple[Json, Json]:
    channel = int(scene.place["channels"][0])
    accepted = await scene.bot.ask("burst", timeout=1800, channel=channel, orders=orders)
    return accepted, await scene.discord.report(delivered=wanted, timeout=1800)


def _count_overtaken(tasks: Sequence[Json], greedy: str, *, since: float) -> int:
    """How many pictures of the first member were ordered, when all had asked, before the others' last."""
    owners = [(task["created"], task["prompt"].split()[0]) for task in tasks]
    last = max(created for created, owner in owners if owner != greedy)
    return sum(1 for created, owner in owners if owner == greedy and since < created < last)


async def _add_idle(table: Table, *, tries: int) -> None:
    """Start each of them some times and let it be."""
    kinds: list[tuple[str, list[str], tuple[str, ...]]] = [
        (PRODUCT, [], ("imagine", "settings")),
        (PLAIN, ["--kind=pool"], ("imagine", "settings")),
        (PLAIN, ["--kind=empty"], ("settings",)),
    ]
    memories: list[list[Json]] = [[] for _ in kinds]
    starts: list[list[float]] = [[] for _ in kinds]
    for _ in range(tries):
        for n, (bot, options, commands) in enumerate(kinds):
            async with open_scene(bot, *options, commands=commands) as scene:
                starts[n].append(time.time() - scene.bot.started)
                await asyncio.sleep(3)
                memories[n].append(await scene.bot.ask("memory"))
    for name in ("rss", "uss"):
        values = [statistics.median(each[name] for each in samples) / 2**20 for samples in memories]
        table.add(f"idle memory, {name.upper()}", *(f"{value:.1f} MiB" for value in values))
    table.add("from its start to connected, commands known", *(f"{statistics.median(each):.2f} s" for each in starts))
