"""What goes wrong outside while the bot lives: faults of every service, a full disk, and a wall clock that is set."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from standins.base.faults import (
    Fault,
    Trouble,
    answers,
    hangs_up,
    html,
    loses_the_answer,
    malformed,
    truncates,
    waits,
)
from standins.chain import faults as chain_faults
from standins.discord import faults as discord_faults
from tests.chaos.scene import Scene

PAUSE = 0.7
"""Real seconds between two troubles, on average."""
SLOW = 0.8
"""Real seconds: 48 of the clock's."""
HOUR = 3600.0
FOR_EVER = 10**9

Note = Callable[[str], None]

USUAL: Mapping[str, Callable[[], Trouble]] = {
    "answers 401": lambda: answers(401),
    "answers 403": lambda: answers(403),
    "answers 404": lambda: answers(404),
    "answers 429": lambda: answers(429, retry_after=20),
    "answers 500": lambda: answers(500),
    "answers 503": lambda: answers(503),
    "loses the answer": loses_the_answer,
    "hangs up": hangs_up,
    "answers half of a JSON": malformed,
    "answers an empty list": lambda: answers(200, "[]", content_type="application/json"),
    "answers a web page": html,
    "is slow": lambda: waits(lambda: asyncio.sleep(SLOW)),
}
FILES: Mapping[str, Callable[[], Trouble]] = {
    **{name: USUAL[name] for name in ("answers 403", "answers 404", "answers 500", "hangs up", "answers a web page")},
    "breaks off": truncates,
}
DISCORDS: Mapping[str, Callable[[], Trouble]] = {
    "answers 502 to what it did": discord_faults.lost_answer,
    "answers 503": discord_faults.failing,
    "drops the connection": lambda: discord_faults.dropped(committed=False),
    "drops the connection after it": lambda: discord_faults.dropped(committed=True),
    "answers 429": lambda: discord_faults.rate_limited(0.1),
    "is slow": lambda: discord_faults.slow(SLOW),
}
CHAINS: Mapping[str, Callable[[], Trouble]] = {
    **{name: USUAL[name] for name in USUAL if name not in {"answers 429", "answers an empty list"}},
    "is busy": lambda: chain_faults.busy(retry_after=2),
    "has an internal error": lambda: chain_faults.errors(500, "internal error"),
}
NODE = (
    *("eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_estimateGas"),
    *("eth_getBlockByNumber", "eth_call", "*"),
)
KINDS: Sequence[tuple[str, Sequence[str], Mapping[str, Callable[[], Trouble]]]] = (
    ("bfl", ("submit", "poll", "poll", "train"), USUAL),
    ("bfl", ("sample",), FILES),
    ("astria", ("submit", "poll", "poll"), USUAL),
    ("astria", ("sample",), FILES),
    ("vimmerse", ("submit", "poll", "poll"), USUAL),
    ("vimmerse", ("sample",), FILES),
    ("pinata", ("upload", "look", "gateway", "delete"), USUAL),
    ("kubo", ("add", "cat", "pin/ls", "pin/rm"), USUAL),
    ("chain", NODE, CHAINS),
    ("discord", ("message.create", "message.edit", "message.edit", "original.edit", "callback"), DISCORDS),
    ("discord", ("file",), FILES),
)
"""A service, the kinds of its requests, and what befalls one of them."""
SERVICES = ("bfl", "astria", "vimmerse", "pinata", "kubo", "chain", "discord")


class Weather:
    """Troubles come and go until it is told to clear up; `counts` says how many of each there were."""

    def __init__(self, scene: Scene, chance: random.Random, note: Note) -> None:
        self._scene, self._chance, self._note = scene, chance, note
        self.counts: dict[str, int] = {}

    async def blow(self) -> None:
        storms: Sequence[tuple[float, str, Callable[[], Awaitable[None]]]] = (
            (10, "fault of a service", self._fault),
            (0.6, "service gone for an hour", self._vanish),
            (1.2, "full disk", self._fill_disk),
            (1.2, "step of the clock", self._step_clock),
            (1.0, "trouble at the gateway", self._disturb_gateway),
            (0.8, "blocks that wait", self._hold_blocks),
        )
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / PAUSE))
            ((_, name, storm),) = self._chance.choices(storms, [each[0] for each in storms])
            self.counts[name] = self.counts.get(name, 0) + 1
            await storm()

    async def clear(self) -> None:
        """Everything is as it should be from now on; the clock is right."""
        for name in SERVICES:
            self._faults(name).clear()
        self._scene.disk.make_room()
        self._scene.clock.step(0)
        await self._scene.chain.automine(True)
        await self._scene.chain.mine()

    def _faults(self, service: str) -> list[Fault]:
        faults: list[Fault] = getattr(self._scene, service).faults
        return faults

    async def _fault(self) -> None:
        service, kinds, troubles = self._chance.choice(KINDS)
        kind, name = self._chance.choice(kinds), self._chance.choice([*troubles])
        times = self._chance.choice((1, 1, 1, 2, 5))
        self._note(f"{service} {kind}: {name}, {times} times")
        self._faults(service).append(Fault(kind, troubles[name](), times=times))
        if kind in {"submit", "train"}:
            self._scene.unsure.add(service)

    async def _vanish(self) -> None:
        service = self._chance.choice(SERVICES)
        self._note(f"{service} is gone for an hour")
        self._scene.unsure.add(service)
        gone = Fault("*", hangs_up(), times=FOR_EVER)
        self._faults(service).append(gone)
        await self._pass(HOUR)
        if gone in self._faults(service):
            self._faults(service).remove(gone)
        self._note(f"{service} is back")

    async def _fill_disk(self) -> None:
        left = self._chance.choice((0, 8_192, 200_000, 3_500_000))
        seconds = self._chance.choice((30.0, 300.0, HOUR))
        self._note(f"the disk has {left} bytes left, for {seconds:.0f} s")
        self._scene.disk.fill(left)
        await self._pass(seconds)
        self._scene.disk.make_room()
        self._note("the disk has room again")

    async def _step_clock(self) -> None:
        step = self._chance.choice((-86_400.0, -HOUR, -60.0, 60.0, HOUR, 86_400.0, 0.0))
        self._note(f"the bot's wall clock is set {step:+.0f} s off")
        self._scene.clock.step(step)

    async def _disturb_gateway(self) -> None:
        gateway = self._scene.discord.gateway
        what = self._chance.choice(("closes", "invalidates the session", "asks for another connection"))
        self._note(f"the gateway {what}")
        if what == "closes":
            gateway.disconnect(4000)
        elif what == "invalidates the session":
            gateway.invalidate(resumable=self._chance.random() < 0.5)
        else:
            gateway.ask_to_reconnect()

    async def _hold_blocks(self) -> None:
        self._note("no block is mined for two minutes")
        await self._scene.chain.automine(False)
        await self._pass(120)
        await self._scene.chain.mine()
        await self._scene.chain.automine(True)
        self._note("blocks are mined again")

    async def _pass(self, seconds: float) -> None:
        """Some of it as it goes, the rest in steps between which everything has time to look."""
        since = self._scene.clock.true()
        await asyncio.sleep(0.3)
        for _ in range(10):
            self._scene.clock.skip(seconds / 10)
            await asyncio.sleep(0.05)
        self._scene.asleep.append((since, self._scene.clock.true()))
