"""How soon the bot notices a finished picture, and how often it asks the provider until then."""

from collections.abc import Sequence
from typing import Any

from benchmarks.harness import MODEL, PLAIN, PRODUCT, Json, Scene, open_scene
from benchmarks.tables import Table, ms, spread

MEAN, DEVIATION = 20.0, 2.0
LIMIT = 1000
"""Slots: waiting for one is another benchmark's."""


async def measure(*, quick: bool) -> Table:
    jobs, rate = (60, 20.0) if quick else (240, 24.0)
    table = Table(
        "polling",
        f"From Ready at the provider to the picture on the message; {jobs} jobs of {MEAN:.0f} s ± {DEVIATION:.0f} s "
        "at a time, by a server that has seen 50 such pictures. Both services answer at once: the network's time is "
        "not in it, for nobody.",
        ("ours", "loop of 0.5 s", "loop of 5 s"),
    )
    provider: dict[str, object] = {"mean": MEAN, "deviation": DEVIATION, "slots": LIMIT}
    past = f"--history={MEAN},{DEVIATION}"
    async with open_scene(PRODUCT, f"--slots={LIMIT}", past, provider=provider, members=jobs) as scene:
        ours = await _watch(scene, jobs, rate)
    others: list[list[Json]] = []
    for pause in (0.5, 5.0):
        async with open_scene(PLAIN, "--kind=loop", f"--pause={pause}", provider=provider, members=jobs) as scene:
            others.append(await _watch(scene, jobs, rate))
    _fill(table, [ours, *others])
    return table


async def _watch(scene: Scene, jobs: int, rate: float) -> list[Json]:
    """Each delivered picture with how late it was and how often it was asked for."""
    await scene.discord.fire("imagine", jobs, rate=rate, prompt="a lighthouse", model=MODEL)
    report = await scene.discord.report(delivered=jobs, timeout=120)
    seen: dict[str, float] = {
        file["sha256"]: next(change["at"] for change in message["changes"] if change["files"])
        for message in report["messages"]
        for file in message["files"]
    }
    return [
        {"late": seen[task["sha256"]] - task["ready_at"], "polls": task["polls"], "took": task["duration"]}
        for task in await scene.provider.tasks()
        if task["sha256"] in seen
    ]


def _fill(table: Table, runs: Sequence[list[Json]]) -> None:
    ours = runs[0]

    def polls(jobs: list[Json]) -> float:
        return sum(job["polls"] for job in jobs) / max(len(jobs), 1)

    def late(jobs: list[Json], share: float) -> float:
        return spread([job["late"] for job in jobs], share)

    slower = [[job for job in jobs if job["polls"] > 1] for jobs in runs]
    table.add("delivered", *(len(jobs) for jobs in runs))
    table.add("polls a job, mean", *(f"{polls(jobs):.1f}" for jobs in runs), aim="≤ 8", met=polls(ours) <= 8)
    table.add("late, median", *(ms(late(jobs, 0.5)) for jobs in runs), aim="≤ 500 ms", met=late(ours, 0.5) <= 0.5)
    table.add("late, p95", *(ms(late(jobs, 0.95)) for jobs in runs))
    table.add(
        "late, p95 of those not ready at the first look",
        *(ms(late(jobs, 0.95)) for jobs in slower),
        aim="≤ 1,000 ms",
        met=late(slower[0], 0.95) <= 1.0,
    )
    table.add("late, longest", *(ms(late(jobs, 1.0)) for jobs in runs))
    table.add(
        "ready at the first look",
        *(_share(len(jobs) - len(rest), jobs) for jobs, rest in zip(runs, slower, strict=True)),
    )
    table.raw = {"jobs": dict(zip(table.columns, runs, strict=True))}


def _share(part: int, whole: Sequence[Any]) -> str:
    return f"{part / max(len(whole), 1):.0%}"
