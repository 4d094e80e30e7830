"""`python -m bot run`: one life of the bot after another, until it is stopped."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from typing import Any

import discord

from bot.app import App, assemble
from bot.config import Settings
from bot.discord.alarm import tell_admin
from bot.errors import MachineTrouble
from bot.trouble import recognised

log = logging.getLogger(__name__)

LONG_LIFE = 600.0
"""Seconds after which an end counts as a new failure, and the pauses begin at the shortest again."""
RECONNECT = (5.0, 15.0, 60.0, 300.0)
"""Seconds between tries to start: Discord allows 1,000 identifies a day, then it resets the token."""


async def run(settings: Settings) -> None:
    """Run until SIGTERM, SIGINT or `/admin drain`; then save what is under way and return.

    discord.py reconnects by itself once it was connected; what ends it all the same is started anew.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    failures = 0
    while not stopping.is_set():
        began = loop.time()
        pause = RECONNECT[min(failures, len(RECONNECT) - 1)]
        try:
            with recognised():
                async with assemble(settings) as app, app.listening():
                    await live(app, stopping, pause)
        except MachineTrouble:
            log.exception("The bot cannot run just now; starting anew in %.0f s.", pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stopping.wait()
        failures = 0 if loop.time() - began > LONG_LIFE else failures + 1


async def live(app: App, stopping: asyncio.Event, pause: float) -> None:
    """Work, serve, drain.

    The workers begin before the login: while Discord is down, finished pictures are collected all the same, before
    their links die.
    """
    absence = await app.start_workers()
    log.info(absence.sentence)
    over = asyncio.create_task(_first(stopping.wait(), app.drained()), name="stop signal")
    served = asyncio.create_task(_serve(app, absence.sentence), name="discord")
    try:
        await asyncio.wait({served, over}, return_when=asyncio.FIRST_COMPLETED)
        if served.done() and not isinstance(served.exception(), discord.LoginFailure):
            log.error("The connection to Discord ended; starting anew in %.0f s.", pause, exc_info=served.exception())
            await asyncio.wait({over}, timeout=pause)
    finally:
        if over.done():
            stopping.set()
            log.info("Stopping: what is under way is being saved.")
        await app.stop_workers()
        over.cancel()
        await app.client.close()
        served.cancel()  # discord.py goes on connecting a closed client, for ever
        ended = (await asyncio.gather(served, return_exceptions=True))[0]
    if isinstance(ended, discord.LoginFailure | discord.PrivilegedIntentsRequired):
        raise ended


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when the first of them does."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _serve(app: App, greeting: str) -> None:
    """Log in and stay connected."""
    async with app.client:
        await app.client.login(app.settings.discord_token.get_secret_value())
        greeted = asyncio.create_task(_greet(app, greeting), name="greeting")
        try:
            await app.client.connect(reconnect=True)
        finally:
            greeted.cancel()


async def _greet(app: App, sentence: str) -> None:
    await app.client.wait_until_ready()
    await tell_admin(app.client, app.settings, sentence)
