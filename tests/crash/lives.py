"""The zygote and its lives, as a test sees them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests import ROOT
from tests.crash.life import Life

PATIENCE = 30.0
"""Real seconds after which a life that does not end is a failure."""


@dataclass(frozen=True)
class Process:
    """One life of the bot."""

    pid: int
    ending: asyncio.Future[int]

    @property
    def over(self) -> bool:
        return self.ending.done()

    async def end(self) -> int:
        """Its exit code, once it is over; negative for a signal."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(self.ending)
        except TimeoutError:
            self.send(signal.SIGKILL)
            raise

    def send(self, number: signal.Signals) -> None:
        if not self.over:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Zygote:
    """Starts lives; see `zygote.py`, which is what `process` runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._forking = asyncio.Lock()
        self._born: asyncio.Queue[Process | None] = asyncio.Queue()
        self._lives: dict[int, Process] = {}
        self._listening = asyncio.create_task(self._listen())

    async def start(self, life: Life) -> Process:
        assert self._process.stdin
        async with self._forking, asyncio.timeout(PATIENCE):
            self._process.stdin.write(f"{life.model_dump_json()}\n".encode())
            born = await self._born.get()
        if born is None:
            self._born.put_nowait(None)
            raise RuntimeError("The zygote is dead; stderr says why.")
        return born

    async def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            pid, *code = map(int, line.split())
            if code:
                self._lives.pop(pid).ending.set_result(code[0])
            else:
                self._lives[pid] = Process(pid, asyncio.get_running_loop().create_future())
                self._born.put_nowait(self._lives[pid])
        self._born.put_nowait(None)


@asynccontextmanager
async def a_zygote() -> AsyncGenerator[Zygote]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.zygote", cwd=ROOT, stdin=pipe, stdout=pipe
    )
    zygote = Zygote(process)
    try:
        yield zygote
    finally:
        await zygote.close()
