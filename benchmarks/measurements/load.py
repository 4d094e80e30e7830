"""What members feel of a bot that is at work: how soon it answers others, and how much it edits."""

import asyncio
from dataclasses import dataclass

from benchmarks.harness import MODEL, PLAIN, PRODUCT, Json, Ticker, open_scene
from benchmarks.tables import Table, ms, spread

MEAN, DEVIATION = 20.0, 2.0
LEVELS = (1, 50, 200, 500)
RATE = 25.0
"""Jobs asked for in a second: the whole load is there before the first picture is."""
COMMANDS = 10.0
"""Other members' commands in a second."""
SIDE = 1024
"""Pixels of a picture's side: about 1 MB each to collect, check, keep and send."""
STALL = 0.05
MISSED = 3.0
"""Seconds after which Discord takes no first answer any more."""


@dataclass(frozen=True)
class Felt:
    """What was measured while so many jobs were in a bot."""

    jobs: int
    delivered: int
    """By the time at which the slowest would be ready, had all been drawn at once."""
    answers: list[float]
    """Seconds to the first answer of each command of others; infinite for those that missed the 3 seconds."""
    stall: Json
    idle_stall: Json
    """The same ticker in a process that does nothing: the machine's own share."""
    edits: float
    """Edits without files after a message's first, which is the answer to its command: the most in any one second."""
    edits_mean: float
    idle_edits: int
    """Edits after which a reader sees the same as before."""
    most_drawn: int

    @property
    def missed(self) -> int:
        return sum(1 for each in self.answers if each > MISSED)


async def measure(*, quick: bool) -> Table:
    levels = (1, 200) if quick else LEVELS
    table = Table(
        "load",
        f"While so many jobs of {MEAN:.0f} s ± {DEVIATION:.0f} s are in the bot (asked for at {RATE:.0f} a second, "
        f"pictures of 1 MB), others use /settings {COMMANDS:.0f} times a second. “24 slots” is what the provider "
        "allows to an ordinary account, “all at once” is without that limit. Beside it a plain bot that looks at each "
        "job and edits its message every second. Edits are those between a message's first words and its picture.",
        ("ours, all at once", "ours, 24 slots", "plain, all at once"),
    )
    raw: dict[str, Json] = {}
    for jobs in levels:
        ours = await _measure_bot(PRODUCT, jobs, max(jobs, 24))
        real = await _measure_bot(PRODUCT, jobs, 24) if jobs > 24 else None
        plain = await _measure_bot(PLAIN, jobs, max(jobs, 24))
        _fill(table, jobs, [ours, real, plain], strict=jobs == max(levels))
        raw[str(jobs)] = {
            name: each.__dict__ for name, each in (("ours", ours), ("24", real), ("plain", plain)) if each
        }
    table.raw = raw
    table.notes.append(
        "“The machine's own” is the same ticker in a process that does nothing, in the same run: how long these cores "
        "were busy with others. Where that is as long as the stall above it, the stall says nothing of the bot, and "
        "the time for which its own thread was at work between two turns of its event loop says more."
    )
    return table


async def _measure_bot(bot: str, jobs: int, slots: int) -> Felt:
    provider: dict[str, object] = {"mean": MEAN, "deviation": DEVIATION, "slots": slots, "side": SIDE}
    options = [f"--slots={slots}", f"--history={MEAN},{DEVIATION}"] if bot == PRODUCT else ["--kind=watched"]
    async with open_scene(bot, *options, provider=provider, members=max(jobs, 20)) as scene:
        await scene.discord.fire("settings", 20, rate=COMMANDS)
        await scene.bot.ask("tick")
        idle = Ticker()
        await asyncio.sleep(1)
        await scene.bot.ask("stalls")
        idle.take()
        seconds = jobs / RATE + MEAN + 2 * DEVIATION
        asked, commands = await asyncio.gather(
            scene.discord.fire("imagine", jobs, rate=RATE, prompt="a lighthouse", model=MODEL),
            scene.discord.fire("settings", round(seconds * COMMANDS), rate=COMMANDS),
        )
        stall, idle_stall = await scene.bot.ask("stalls"), idle.take()
        idle.stop()
        await asyncio.sleep(0.5)
        report = await scene.discord.report()
        tasks = await scene.provider.tasks()
    return _sum_up(report, set(asked), set(commands), tasks, stall=stall, idle_stall=idle_stall)


def _sum_up(
    report: Json, asked: set[str], commands: set[str], tasks: list[Json], *, stall: Json, idle_stall: Json
) -> Felt:
    interactions = report["interactions"]
    cards = {each["message"] for each in interactions if each["id"] in asked}
    begin = min(each["sent_at"] for each in interactions if each["id"] in asked)
    end = max(each["sent_at"] for each in interactions if each["id"] in commands)
    messages = [each for each in report["messages"] if each["id"] in cards]
    edits = [
        change
        for message in messages
        for change in message["changes"][2:]
        if not change["files"] and begin <= change["at"] <= end
    ]
    seconds: dict[int, int] = {}
    for change in edits:
        seconds[int(change["at"] - begin)] = seconds.get(int(change["at"] - begin), 0) + 1
    return Felt(
        jobs=len(asked),
        delivered=sum(1 for message in messages if message["files"]),
        answers=[
            float("inf") if each["latency"] is None else each["latency"]
            for each in interactions
            if each["id"] in commands
        ],
        stall=stall,
        idle_stall=idle_stall,
        edits=max(seconds.values(), default=0),
        edits_mean=len(edits) / (end - begin),
        idle_edits=sum(1 for change in edits if not change["changed"]),
        most_drawn=_most_at_once(tasks),
    )


def _most_at_once(tasks: list[Json]) -> int:
    """The most pictures that were drawn at one time."""
    turns = sorted([(task["created"], 1) for task in tasks] + [(task["ready_at"], -1) for task in tasks])
    most = now = 0
    for _, change in turns:
        now += change
        most = max(most, now)
    return most


def _fill(table: Table, jobs: int, felt: list[Felt | None], *, strict: bool) -> None:
    ours = [each for each in felt[:2] if each]
    head = f"{jobs} job{'s' if jobs > 1 else ''}: "

    def add(what: str, cells: list[str], aim: str = "", *, met: bool | None = None) -> None:
        table.add(head + what, *cells, aim=aim if strict else "", met=met if strict else None)

    def each(show: str, *, share: float | None = None) -> list[str]:
        cells: list[str] = []
        for one in felt:
            if one is None:
                cells.append("")
            elif share is not None:
                cells.append(ms(spread(one.answers, share)))
            else:
                cells.append(str(getattr(one, show)))
        return cells

    def stalls(name: str) -> list[str]:
        return ["" if one is None else ms(one.stall[name]) for one in felt]

    add("drawn at once, at most", each("most_drawn"))
    add("first answer to others, p50", each("", share=0.5))
    add(
        "first answer to others, p99",
        each("", share=0.99),
        "≤ 100 ms",
        met=all(spread(one.answers, 0.99) <= 0.1 for one in ours),
    )
    add("first answer to others, longest", each("", share=1.0))
    add("answers that missed 3 s", each("missed"), "none", met=all(not one.missed for one in ours))
    short = all(one.stall["longest"] <= STALL for one in ours)
    untellable = any(one.idle_stall["longest"] > STALL for one in ours)
    add(
        "longest stall",
        stalls("longest"),
        "≤ 50 ms; no verdict, the machine stalls as long" if untellable and not short else "≤ 50 ms",
        met=None if untellable and not short else short,
    )
    add("longest that its own thread was at work", stalls("working"))
    add("the machine's own", [ms(one.idle_stall["longest"]) if one else "" for one in felt])
    add(
        "edits in the busiest second",
        each("edits"),
        "≤ 20",
        met=all(one.edits <= 20 for one in ours),
    )
    add("edits a second, mean", [f"{one.edits_mean:.1f}" if one else "" for one in felt])
    add("edits that show nothing new", each("idle_edits"), "none", met=all(not one.idle_edits for one in ours))
    add("delivered by then", each("delivered"))
