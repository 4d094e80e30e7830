"""One life of the bot: the real `python -m bot`, with a faster clock and at most one fatal moment."""

import asyncio
import logging
import os
import signal
import tempfile
import time
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from pydantic import AnyHttpUrl, BaseModel, SecretStr

from bot.app import App, assemble
from bot.clock import SystemClock
from bot.command_line import run as run_command
from bot.config import Settings
from standins.discord import pointed_at
from storage.base import jobs
from storage.base.jobs import State
from storage.database import row, rows
from tests.crash.moments import Moments

SPEED = 60.0
"""Seconds of the bot's in a real one: what it waits for is quick here."""
LOOK = 0.02
"""Seconds between two looks whether everything is at its end."""
CALM = 0.15
"""Seconds without work after which a finetune is left alone, all edits of its card made."""
ANSWERING = ("discord.py: on_interaction", "discord-ui", "CommandTree")
"""How discord.py calls the tasks that answer commands, buttons and forms."""
SOON = 2.0
"""Seconds of the bot's that are waited for; what is due later is skipped to."""


class Life(BaseModel):
    """What a life is told. Without a moment it ends itself, by SIGTERM, when every request is at its end."""

    folder: Path
    discord: str
    bfl: str
    token: str
    epoch: float
    """Unix seconds at which the bot's clock was right. All lives of a folder share it."""
    entry: str = "tests.crash.life"
    """The module whose `live` is what it does."""
    moment: str | None = None
    signal: int = signal.SIGKILL
    stays: bool = False
    """It lives on when everything is at its end."""
    us1: str | None = None
    """Where finetunes are trained."""
    settings: dict[str, str] = {}
    """Further ones, by name: where images are registered."""
    wish: str | None = None
    """SQL that finds a row once the wish of a finetune's owner is taken: it is over when nothing is under way then.
    Time that nobody works in is skipped, so that hours of looking at a training pass."""


class FastClock(SystemClock):
    """Runs `SPEED` times as fast as the real one, since `epoch`; what is skipped is noted in `folder` for all lives."""

    def __init__(self, epoch: float, folder: Path) -> None:
        self._epoch = epoch
        self._note = folder / "skipped"
        self._skipped = float(self._note.read_text()) if self._note.exists() else 0.0

    def now(self) -> float:
        return self._epoch + (time.time() - self._epoch) * SPEED + self._skipped

    def monotonic(self) -> float:
        return time.monotonic() * SPEED + self._skipped

    def skip(self, seconds: float) -> None:
        """Be later from now on."""
        self._skipped += seconds
        new = self._note.with_suffix(".new")
        new.write_text(str(self._skipped))
        os.replace(new, self._note)  # noqa: PTH105 - that of a Path is a moment

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
        run_command.assemble = _assembler(life)
        if life.wish:
            tempfile.tempdir = str(life.folder / "temporary")
            os.makedirs(tempfile.tempdir, exist_ok=True)  # noqa: PTH103
        with pointed_at(life.discord):
            asyncio.run(run_command.run(_settings(life)))
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
        bfl_us1_url=AnyHttpUrl(life.us1) if life.us1 else None,
        data_dir=life.folder,
        **life.settings,  # pyright: ignore[reportArgumentType] - read as from the environment
    )


def _assembler(life: Life) -> Callable[[Settings], AbstractAsyncContextManager[App]]:
    @asynccontextmanager
    async def assembled(settings: Settings) -> AsyncGenerator[App]:
        clock = FastClock(life.epoch, life.folder)
        async with assemble(settings, clock=clock) as app:
            watch = asyncio.create_task(_watch_over(app, clock, life))
            yield app
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    return assembled


async def _watch_over(app: App, clock: FastClock, life: Life) -> None:
    """See to it that this life ends, unless somebody else does."""
    if life.stays:
        return
    if life.wish:
        await _watch_finetune(app, clock, life.wish)
    else:
        await _watch(app)


async def _watch(app: App) -> None:
    """End this life when there is a request and none is under way."""
    while True:
        await asyncio.sleep(LOOK)
        async with app.database.read() as db:
            states = await jobs.count_states(db)
        if states and all(State(state).ended for state in states):
            os.kill(os.getpid(), signal.SIGTERM)
            return


async def _watch_finetune(app: App, clock: FastClock, wish: str) -> None:
    """End this life when the wish is taken and nothing is under way; skip the time in which nobody works."""
    calm_since = time.monotonic()
    while app.client.user is None or time.monotonic() < calm_since + CALM:
        await asyncio.sleep(2 * LOOK)
        async with app.database.read() as db:
            taken = await row(db, wish, {})
            under_way = await rows(db, "SELECT state, due_at FROM jobs WHERE state IN ('waiting', 'running')", {})
        if under_way or not taken or any(task.get_name().startswith(ANSWERING) for task in asyncio.all_tasks()):
            calm_since = time.monotonic()
        due = min((0.0 if each["state"] == State.RUNNING else each["due_at"] for each in under_way), default=0.0)
        if due > clock.now() + SOON:
            clock.skip(due - clock.now())
            app.services.kit.signals.wake()
    os.kill(os.getpid(), signal.SIGTERM)
