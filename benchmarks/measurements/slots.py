"""How much of what the provider would draw at once is used while there is enough to do."""

import asyncio
from collections.abc import Sequence

from benchmarks.harness import MODEL, PLAIN, PRODUCT, Json, Scene, open_scene
from benchmarks.tables import Table

MEAN, DEVIATION = 20.0, 2.0
SLOTS = 24


async def measure(*, quick: bool) -> Table:
    rounds = 3 if quick else 8
    jobs = SLOTS * (rounds + 1)
    table = Table(
        "slots",
        f"The share of the account's {SLOTS} slots in which the provider is drawing, over the time in which jobs wait; "
        f"{jobs} jobs of {MEAN:.0f} s ± {DEVIATION:.0f} s asked for at once. The bots run side by side, each with a "
        "provider of its own.",
        ("ours", f"{SLOTS} workers, looking every 1 s", f"{SLOTS} workers, looking every 5 s"),
    )
    provider: dict[str, object] = {"mean": MEAN, "deviation": DEVIATION, "slots": SLOTS}
    past = f"--history={MEAN},{DEVIATION}"
    async with (
        open_scene(PRODUCT, past, provider=provider, members=jobs) as ours,
        open_scene(PLAIN, "--kind=pool", "--pause=1", provider=provider, members=jobs) as often,
        open_scene(PLAIN, "--kind=pool", "--pause=5", provider=provider, members=jobs) as seldom,
    ):
        scenes = (ours, often, seldom)
        tasks = await asyncio.gather(*(_watch(each, jobs) for each in scenes))
    busy = [kept_busy(each) for each in tasks]
    table.add("slots kept busy", *(f"{each:.1%}" for each in busy), aim="≥ 97 %", met=busy[0] >= 0.97)
    table.add("from Ready to the next order, mean", *(f"{_gap(each):.2f} s" for each in busy))
    table.add("polls a job, mean", *(f"{sum(task['polls'] for task in each) / len(each):.1f}" for each in tasks))
    table.raw = {"busy": dict(zip(table.columns, busy, strict=True))}
    return table


async def _watch(scene: Scene, jobs: int) -> list[Json]:
    """All tasks at the provider, once the last one has been ordered."""
    await scene.discord.fire("imagine", jobs, rate=40, prompt="a lighthouse", model=MODEL)
    await scene.discord.report(delivered=jobs - SLOTS + 1, timeout=600)  # by then the last one has been ordered
    return await scene.provider.tasks()


def kept_busy(tasks: Sequence[Json]) -> float:
    """The mean of the drawing tasks over the slots, from the first full house to the last order."""
    created = sorted(task["created"] for task in tasks)
    begin, end = created[SLOTS - 1], created[-1]
    drawn = sum(max(min(task["ready_at"], end) - max(task["created"], begin), 0) for task in tasks)
    return drawn / (end - begin) / SLOTS


def _gap(busy: float) -> float:
    """Seconds for which a slot is empty between two pictures, when that is the share of the time that it is used."""
    return MEAN / busy - MEAN
