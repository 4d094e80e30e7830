"""One life of the bot in a history: the real `python -m bot`, with the history's clock. It ends when it is ended."""

import asyncio
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import discord.client
import discord.http
import discord.webhook.async_
from pydantic import AnyHttpUrl, SecretStr

from bot.app import App, assemble
from bot.command_line import run as run_command
from bot.config import Settings
from standins.discord import pointed_at
from tests.chaos.clock import SPEED, SharedClock
from tests.crash.life import Life

DEPTH = 1000
"""As `bot.__main__` sets it."""


class Hurried:
    """The module asyncio as discord.py has it: what that waits for between two tries is quick here, too."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


def live(life: Life) -> None:
    """Be the bot until it is ended. Never returns: the process is over."""
    log = os.open(life.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    clock = SharedClock(life.folder / "clock")
    tempfile.tempdir = str(life.folder / "temporary")
    os.makedirs(tempfile.tempdir, exist_ok=True)  # noqa: PTH103
    try:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        _hurry()
        sys.setrecursionlimit(DEPTH)
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
            discord_token=SecretStr(life.token),
            bfl_api_key=SecretStr("sandbox-key"),
            bfl_api_url=AnyHttpUrl(life.bfl),
            data_dir=life.folder / "disk",
            **life.settings,  # pyright: ignore[reportArgumentType] - read as from the environment
        )
        origins = [address for name, address in life.settings.items() if name.endswith("_url")]

        @asynccontextmanager
        async def assembled(settings: Settings) -> AsyncGenerator[App]:
            async with assemble(settings, clock=clock, origins=[life.bfl, *origins]) as app:
                yield app

        run_command.assemble = assembled
        with pointed_at(life.discord):
            asyncio.run(run_command.run(settings))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _hurry() -> None:
    """What waits by the machine's own clock: the pauses between connections, and between tries of discord.py."""
    run_command.RECONNECT = (5 / SPEED, 15 / SPEED, 60 / SPEED, 300 / SPEED)
    run_command.LONG_LIFE /= SPEED
    for module in (discord.http, discord.client, discord.webhook.async_):
        setattr(module, "asyncio", Hurried())  # noqa: B010 - no name that the module offers
