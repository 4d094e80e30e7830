"""The loops that must live: one that fails goes on, one that has died or hangs is noticed and started anew."""

import asyncio
import errno
from pathlib import Path

import pytest

from bot.jobs.machine import Machine
from bot.jobs.rounds import LONGEST, Round
from bot.jobs.signals import WorkerSignals
from bot.jobs.watch import LOOK, Beat, Watch
from tests.scenes.clock import TurnedClock
from tests.scenes.community import Community


class Loops:
    """A watch, and what it tells the admin."""

    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.alarms: list[str] = []
        self.signals = WorkerSignals()
        self.watch = Watch(self.clock, self.alarm, self.signals)
        self.watching = asyncio.create_task(self.watch.run())
        self.clock.tasks = lambda: [*self.watch.tasks, self.watching]
        self.hangs = False

    async def alarm(self, sentence: str) -> None:
        self.alarms.append(sentence)

    async def stop(self) -> None:
        self.watching.cancel()
        await self.watch.stop()


async def test_a_round_that_fails_says_so_and_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    loops, failures, rounds = Loops(), [KeyError("odd")], list[int]()

    async def look() -> None:
        rounds.append(1)
        if failures:
            raise failures.pop()

    each = Round("coins", 60, look)
    loops.watch.start("coins", lambda beat: each.run(loops.clock, beat=beat), within=each.within)
    await loops.clock.turn(130)
    assert len(rounds) == 3
    assert "The round 'coins' failed" in caplog.text
    assert loops.alarms == []
    await loops.stop()


async def test_trouble_of_this_machine_in_a_round_is_told_once(tmp_path: Path) -> None:
    loops = Loops()
    machine = Machine(folder=tmp_path, margin=0, clock=loops.clock, alarm=loops.alarm)

    async def look() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    each = Round("files", 60, look)
    loops.watch.start("files", lambda beat: each.run(loops.clock, beat=beat, machine=machine), within=each.within)
    await loops.clock.turn(600)
    assert len(loops.alarms) == 1
    assert "room on the disk" in loops.alarms[0]
    await loops.stop()


async def test_a_loop_that_has_died_is_told_and_started_anew() -> None:
    loops, lives = Loops(), list[int]()

    async def die(beat: Beat) -> None:
        lives.append(1)
        beat()
        await loops.clock.sleep(10)
        raise SystemError("what nobody catches")

    loops.watch.start("worker", die, within=600)
    await loops.clock.turn(LOOK + 1)
    assert len(lives) == 2
    assert loops.alarms == [
        "A part of the bot that must always run (“worker”) has died. It was started anew: see the log."
    ]
    await loops.stop()


async def test_a_loop_that_hangs_is_told_and_started_anew() -> None:
    loops, lives, never = Loops(), list[int](), asyncio.Event()

    async def look() -> None:
        lives.append(1)
        if len(lives) == 3:
            await loops.clock.wait(never, 1e9)

    each = Round("coins", 60, look)
    loops.watch.start("coins", lambda beat: each.run(loops.clock, beat=beat), within=each.within)
    await loops.clock.turn(130)
    assert len(lives) == 3
    await loops.clock.turn(LONGEST + 3 * LOOK)
    assert len(lives) > 3
    assert len(loops.alarms) == 1
    assert "“coins”) has hung for" in loops.alarms[0]
    await loops.stop()


async def test_a_process_that_stood_still_has_no_loops_that_hang() -> None:
    loops = Loops()

    async def look() -> None:
        pass

    each = Round("coins", 60, look)
    loops.watch.start("coins", lambda beat: each.run(loops.clock, beat=beat), within=each.within)
    await loops.clock.turn(100)
    await loops.clock.leap(8 * 3600)
    await loops.clock.turn(300)
    assert loops.alarms == []
    await loops.stop()


async def test_every_loop_of_the_bot_is_watched(community: Community) -> None:
    names = {task.get_name() for task in community.app.watch.tasks}
    assert {"worker", "progress", "files", "heartbeat", "finetunes", "expiry", "registrations"} <= names
    assert "watch" in {task.get_name() for task in community.app.tasks}


async def test_a_worker_that_drains_has_not_died() -> None:
    loops = Loops()

    async def work(beat: Beat) -> None:
        await loops.clock.sleep(10)
        loops.signals.draining = True

    async def die(beat: Beat) -> None:
        await loops.clock.sleep(20)
        raise SystemError("what nobody catches")

    loops.watch.start("worker", work, within=600)
    loops.watch.start("coins", die, within=600)
    await loops.clock.turn(LOOK + 1)
    assert loops.watch.task_of("worker").done()
    (alarm,) = loops.alarms
    assert "“coins”" in alarm
    await loops.stop()


async def test_nothing_is_started_anew_while_the_bot_stops(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain, watching = community.app.worker.drain, list[bool]()

    async def look_and_drain() -> None:
        watching.append("watch" in {task.get_name() for task in community.app.tasks})
        await drain()

    monkeypatch.setattr(community.app.worker, "drain", look_and_drain)
    await community.stop()
    assert watching == [False]
