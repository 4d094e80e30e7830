"""What this machine lacks: looked at before an order, and told to the admin once."""

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.clock import Clock
from bot.errors import Lacking, MachineTrouble
from bot.trouble import recognised

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
QUIET = 600.0
"""Seconds without a trouble after which it counts as over; the next one of its kind is told again."""
REPEATED = 6 * 3600.0
"""Seconds after which the admin is told again of a trouble that lasts."""
PROBE = 8_000_000
"""Bytes that are reserved on the disk and given back, to see whether it has room again: a quota shows no other way."""
LOOK_AGAIN = 30.0
"""Seconds until an order that waits for room is tried again."""


class Machine:
    """One for a process. `folder` is where the bot keeps its files, `margin` how many bytes have to be free there.

    The margin is what the database and the pictures need that are paid for and not here yet.
    """

    def __init__(self, *, folder: Path, margin: int, clock: Clock, alarm: Callable[[str], Awaitable[object]]) -> None:
        """`alarm` gives False where the admin could not be told just now: then the next job that meets it tries."""
        self._folder = folder
        self._margin = margin
        self._clock = clock
        self._alarm = alarm
        self._was_full = False
        """The disk refused something, and nobody has seen since that it has room again."""
        self._noted_at: dict[Lacking, float] = {}
        self._alarmed_at: dict[Lacking, float] = {}

    async def check_room(self) -> None:
        """Look before anything is ordered: what is paid for has to be kept.

        Raises:
            MachineTrouble: there is too little room on the disk.
        """
        try:
            with recognised():
                free = await asyncio.to_thread(free_bytes, self._folder)
                if free < self._margin:
                    raise MachineTrouble(
                        f"The disk of the bot's machine is almost full, and nothing is ordered until it has room: "
                        f"{free / 1e6:,.0f} MB are free, and {self._margin / 1e6:,.0f} MB have to be.",
                        lacking=Lacking.ROOM,
                        retry_after=LOOK_AGAIN,
                    )
                if self._was_full:
                    await asyncio.to_thread(_probe, self._folder)
                    self._was_full = False
        except MachineTrouble as trouble:
            await self.note(trouble)
            raise

    def describe(self) -> str:
        """A sentence for the admin: the room that there is, and what is missing just now."""
        now = self._clock.monotonic()
        lacking = [str(each) for each, at in self._noted_at.items() if now - at < QUIET]
        room = f"{self._say_room().strip()} Nothing is ordered below {self._margin / 1e6:,.0f} MB."
        return f"{room} This machine lacks {' and '.join(lacking)}." if lacking else room

    async def note(self, trouble: MachineTrouble) -> None:
        """Tell the admin of a trouble, once for all that meet it. Never raises."""
        now, lacking = self._clock.monotonic(), trouble.lacking
        self._was_full = self._was_full or lacking is Lacking.ROOM
        lasts = now - self._noted_at.get(lacking, float("-inf")) < QUIET
        self._noted_at[lacking] = now
        told_at = self._alarmed_at.get(lacking) if lasts else None
        if told_at is not None and now - told_at < REPEATED:
            return
        self._alarmed_at[lacking] = now
        sentence = (
            f"This machine lacks {lacking}. {trouble}{self._say_room()} What is under way waits for it, what is paid "
            f"for is tried again for as long as it can be had, and nothing new is ordered that could not be kept."
        )
        if not lasts or told_at is not None:
            log.error("%s (%s)", sentence, _innermost(trouble))
        if await self._alarm(sentence) is False:
            self._alarmed_at.pop(lacking, None)

    def _say_room(self) -> str:
        with contextlib.suppress(OSError):
            return f" {free_bytes(self._folder) / 1e6:,.0f} MB are free for {self._folder}."
        return ""


def free_bytes(folder: Path) -> int:
    """Bytes that are free for the bot where `folder` is, or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _probe(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, PROBE)


def _innermost(trouble: MachineTrouble) -> BaseException:
    """Where it came from, in the machine's own words."""
    error: BaseException = trouble
    while error.__cause__ is not None:
        error = error.__cause__
    return error
