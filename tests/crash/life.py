"""One life of the bot: the real `python -m bot`, with a faster clock and at most one fatal moment."""

import asyncio
import logging
import os
import signal
import time
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from pydantic import AnyHttpUrl, BaseModel, SecretStr

from bot import __main__ as command_line
from bot.app import App, assemble
from bot.clock import SystemClock
from bot.config import Settings
from sandbox.discord import pointed_at
from storage import jobs
from storage.jobs import State
from tests.crash.moments import Moments

SPEED = 60.0
"""Seconds of the bot's in a real one: what it waits for is quick here."""
LOOK = 0.02
"""Seconds between two looks whether everything is at its end."""


class Life(BaseModel):
    """What a life is told. Without a moment it ends itself, by SIGTERM, when every request is at its end."""

    folder: Path
    discord: str
    bfl: str
    token: str
    epoch: float
    """Unix seconds at which the bot's clock was right. All lives of a folder share it."""
    moment: str | None = None
    signal: int = signal.SIGKILL
    stays: bool = False
    """It lives on when everything is at its end."""


class FastClock(SystemClock):
    """Runs `SPEED` times as fast as the real one, since `epoch`."""

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch

    def now(self) -> float:
        return self._epoch + (time.time() - self._epoch) * SPEED

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / SPEED)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await super().wait(event, seconds / SPEED)


def live(life: Life) -> None:
    """Be the bot until it is stopped. Never returns: the process is over."""
    log = os.open(life.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        Moments(life.moment, signal.Signals(life.signal), life.folder / "moments").install()
        command_line.assemble = _assembler(life)
        with pointed_at(life.discord):
            asyncio.run(command_line.run(_settings(life)))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _settings(life: Life) -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr(life.token),
        bfl_api_key=SecretStr("sandbox-key"),
        bfl_api_url=AnyHttpUrl(life.bfl),
        data_dir=life.folder,
    )


def _assembler(life: Life) -> Callable[[Settings], AbstractAsyncContextManager[App]]:
    @asynccontextmanager
    async def assembled(settings: Settings) -> AsyncGenerator[App]:
        async with assemble(settings, clock=FastClock(life.epoch)) as app:
            watch = asyncio.create_task(_watch(app, stays=life.stays))
            yield app
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    return assembled


async def _watch(app: App, *, stays: bool) -> None:
    """End this life when there is a request and none is under way."""
    while not stays:
        await asyncio.sleep(LOOK)
        async with app.database.read() as db:
            states = await jobs.count_states(db)
        if states and all(State(state).ended for state in states):
            os.kill(os.getpid(), signal.SIGTERM)
            return
