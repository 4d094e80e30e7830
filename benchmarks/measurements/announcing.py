"""How soon an owner is told that a training is ready, and how often the trainer is asked until then.

The bot, the stand-in and the simulated Discord run by one clock that this benchmark turns, so an hour of training is
some seconds, and what is measured is the rhythm of looking: the network's and the machine's time is not in it.
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import Table, spread
from bot.workflows.finetuning import training_job as train
from standins.bfl.records import Task
from storage.finetuning.finetunes import FinetuneState
from tests.scenes.community import Community, a_community
from tests.scenes.kiln import draft, finetune, pictures, spec, start

MEAN, DEVIATION = 2400.0, 400.0
"""Seconds of a training."""
TRAININGS = 8
"""At a time, as many as the bot lets one trainer have."""
STEP = 1.0
"""Seconds that the clock is turned by."""


@dataclass
class Run:
    """The result of one way of looking: seconds by which each owner was notified late, and looks a training."""

    late: list[float]
    looks: float


async def measure(*, quick: bool) -> Table:
    table = Table(
        "announcing",
        f"From Ready at the trainer to the message with the owner's name; {TRAININGS} trainings of "
        f"{MEAN / 60:.0f} min ± {DEVIATION / 60:.0f} min at a time, in simulated seconds.",
        ("ours", "ours with callbacks", "each 60 s", "each 10 s"),
    )
    count = TRAININGS // 2 if quick else TRAININGS
    runs = [
        await _run(count),
        await _run(count, callbacks=True),
        await _run(count, pause=60.0),
        await _run(count, pause=10.0),
    ]
    _fill(table, runs)
    return table


async def _run(count: int, *, callbacks: bool = False, pause: float | None = None) -> Run:
    """`pause` is a fixed time between looks in place of the bot's own rhythm."""
    chance = random.Random(7)
    lasting = [max(chance.gauss(MEAN, DEVIATION), 600.0) for _ in range(count)]

    def duration(task: Task) -> float:
        return lasting[int(str(task.body["finetune_comment"]).split()[0].removeprefix("Owl"))]

    rhythm = train.QUICKEST, train.SLOWEST
    if pause is not None:
        train.QUICKEST = train.SLOWEST = pause
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = a_community(Path(folder), trainers=["bfl"], callbacks=callbacks, training_duration=duration)
            async with made as community:
                return await _watch(community, count)
    finally:
        train.QUICKEST, train.SLOWEST = rhythm


async def _watch(community: Community, count: int) -> Run:
    under_way: dict[str, Task] = {}
    for number in range(count):
        view = await draft(community, spec(name=f"Owl{number}", trigger=f"mycstm{number}"), uploads=pictures(6))
        view = await start(community, view)
        under_way[view.finetune.id] = community.bfl.tasks[-1]
    asked = sum(request.path == "/v1/get_result" for request in community.bfl.requests)
    late: list[float] = []
    while under_way:
        await community.pass_time(STEP)
        if community.services.web_port is not None:
            await community.services.deliver_callbacks()
            await community.clock.settle()
        now = community.clock.now()
        for finetune_id, task in list(under_way.items()):
            if task.ready_at <= now and (await finetune(community, finetune_id)).finetune.state is FinetuneState.READY:
                late.append(now - task.ready_at)
                del under_way[finetune_id]
    looks = sum(request.path == "/v1/get_result" for request in community.bfl.requests) - asked
    return Run(late, looks / count)


def _fill(table: Table, runs: Sequence[Run]) -> None:
    ours = runs[0]
    table.add("announced", *(len(run.late) for run in runs))
    table.add("looks a training, mean", *(f"{run.looks:.0f}" for run in runs))
    for what, share in (("median", 0.5), ("p95", 0.95), ("longest", 1.0)):
        table.add(f"late, {what}", *(f"{spread(run.late, share):.0f} s" for run in runs))
    prompt = ["yes" if max(run.late) <= 60 else "no" for run in runs]
    table.add("never later than a minute", *prompt, met=max(ours.late) <= 60)
    table.raw = {"runs": {name: vars(run) for name, run in zip(table.columns, runs, strict=True)}}
