"""The processes of a measurement: a Discord, a provider, and the bot between them, each in a process of its own."""

import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]

MODEL = "flux-pro-1.1"
"""What is ordered in every benchmark."""
LIMIT = 64 * 1024 * 1024
"""Bytes of one line that a process may say."""


class Child:
    """A Python process that says where it is in its first line, then answers JSON lines with JSON lines."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, hello: Json, started: float) -> None:
        self._process = process
        self._log = log
        self.hello = hello
        self.started = started
        """When it was started, Unix seconds."""

    @classmethod
    async def start(cls, folder: Path, module: str, arguments: Sequence[str]) -> "Child":
        log = folder / f"{module}-{time.monotonic_ns()}.log"
        with log.open("wb") as errors:
            started = time.time()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=LIMIT,
            )
        child = cls(process, log, {}, started)
        child.hello = await child._hear(60)
        return child

    async def ask(self, verb: str, *, timeout: float = 60, **arguments: Any) -> Json:
        """Have a measured bot do something, and hear what came of it."""
        assert self._process.stdin, "it is a pipe"
        self._process.stdin.write(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._hear(timeout)

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), 30)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _hear(self, timeout: float) -> Json:
        assert self._process.stdout, "it is a pipe"
        line = await asyncio.wait_for(self._process.stdout.readline(), timeout)
        if not line:
            await self._process.wait()
            raise RuntimeError(f"A measured process died.\n{self.complaints[-4000:]}")
        return json.loads(line)

    @property
    def complaints(self) -> str:
        """What it has written to its log: warnings and errors."""
        return self._log.read_text(errors="replace")


class Discord:
    """A local Discord, steered from here (standins/discord/control.py)."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self.origin = origin

    async def ready(self) -> Json:
        """Wait until the bot has identified; the ids of guild, channels and members."""
        return await self._get("/control/ready?timeout=60")

    async def commanded(self, *names: str) -> Json:
        """Wait until the bot has made its commands known, too."""
        while not {*names} <= {*(place := await self.ready())["commands"]}:  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.05)
        return place

    async def fire(self, command: str, count: int, *, rate: float, **options: Any) -> list[str]:
        """Send slash commands from many members, `rate` a second; the ids of the interactions."""
        asked = {"command": command, "count": count, "rate": rate, "options": options}
        async with self._session.post(f"{self.origin}/control/interactions", json=asked) as response:
            response.raise_for_status()
            return (await response.json())["ids"]

    async def report(self, *, timeout: float = 0.0, **wanted: int) -> Json:
        """Everything that has happened, as soon as there is so much `wanted` of it."""
        query = "&".join(f"{name}={value}" for name, value in [*wanted.items(), ("timeout", timeout)])
        return await self._get(f"/control/report?{query}")

    async def post(self, channel: str, count: int) -> list[str]:
        """Messages by the bot, for cards; their ids."""
        body = {"flags": 1 << 15, "components": [{"type": 10, "content": "A card to be."}]}

        async def one() -> str:
            address = f"{self.origin}/api/v10/channels/{channel}/messages"
            async with self._session.post(address, json=body) as response:
                response.raise_for_status()
                return (await response.json())["id"]

        made: list[str] = []
        while len(made) < count:
            made += await asyncio.gather(*(one() for _ in range(min(100, count - len(made)))))
        return made

    async def _get(self, path: str) -> Json:
        async with self._session.get(self.origin + path) as response:
            response.raise_for_status()
            return await response.json()


class Provider:
    """An image service in a process of its own (processes/provider.py)."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self.origin = origin

    async def tasks(self) -> list[Json]:
        async with self._session.get(f"{self.origin}/control/tasks") as response:
            return await response.json()


@dataclass(frozen=True)
class Scene:
    """A bot between its two services."""

    discord: Discord
    provider: Provider
    bot: Child
    place: Json
    """Ids of guild, channels and members."""


PLAIN = "benchmarks.processes.plain"
PRODUCT = "benchmarks.processes.product"


@asynccontextmanager
async def open_scene(
    bot: str,
    *options: str,
    provider: Mapping[str, object] | None = None,
    members: int = 1,
    commands: Sequence[str] = ("imagine", "settings"),
) -> AsyncGenerator[Scene]:
    """Start everything, wait until the bot is connected and its commands are known, and take it all down again."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True)))
        timeout = aiohttp.ClientTimeout(total=None)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(keepalive_timeout=4))
        )

        async def child(module: str, *arguments: str) -> Child:
            started = await Child.start(folder, module, arguments)
            stack.push_async_callback(started.close)
            return started

        arguments = [f"--{name}={value}" for name, value in (provider or {}).items()]
        discord, service = await asyncio.gather(
            child("standins.discord", f"--members={members}"), child("benchmarks.processes.provider", *arguments)
        )
        origin, base = str(discord.hello["origin"]), str(service.hello["origin"])
        steered = Discord(session, origin)
        measured = await child(
            bot, f"--discord={origin}", f"--provider={base}", f"--folder={folder / 'data'}", *options
        )
        yield Scene(steered, Provider(session, base), measured, await steered.commanded(*commands))
        if "Traceback" in measured.complaints:
            print(f"The measured bot complained:\n{measured.complaints[-2000:]}", file=sys.stderr)


class Ticker:
    """How late a task of this process is that wants to run each millisecond: the stalls of its event loop."""

    def __init__(self) -> None:
        self._gaps: list[tuple[float, float]] = []
        self._task = asyncio.create_task(self._tick())

    def take(self) -> Json:
        """The stalls since the last time, in seconds; `working` is the longest that the loop's own thread was busy.

        What is longer than that was spent waiting for the processor, for a lock or for the disk.
        """
        gaps, self._gaps = self._gaps, []
        late = sorted(gap for gap, _ in gaps) or [0.0]
        busy = max((working for _, working in gaps), default=0.0)
        return {"longest": late[-1], "working": busy, "p999": late[int(0.999 * (len(late) - 1))], "ticks": len(gaps)}

    def stop(self) -> None:
        self._task.cancel()

    async def _tick(self) -> None:
        while True:
            before, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self._gaps.append((time.perf_counter() - before - 0.001, time.thread_time() - busy))
