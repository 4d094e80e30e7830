"""The one door to stored files: no file is lost that a row names, and none stays that no row names.

A file is stored before a row names it, and a row is changed before the file is deleted; a crash between the two leaves
a file that no row names. So a note announces each file before it is stored, and the sweep checks announced files
again later.
"""

import contextlib
import hashlib
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Protocol

from bot.clock import Clock
from bot.errors import MachineTrouble
from bot.trouble import recognised
from storage.base import notes
from storage.database import Connection, Database
from storage.drawing import images
from storage.media import Media

ARRIVING = "arriving "
"""Begins the notes that announce a file; its SHA-256 follows."""
LOOKED_AT_AFTER = 3600.0
"""Seconds after which an announced file is named by a row, or never will be."""


class FilePaths(Protocol):
    """Tells where a stored file lies; all that a card needs of the files."""

    def path(self, sha256: str) -> Path: ...


class Files:
    """Stores, reads and deletes files; nothing else touches the media folder.

    A file is needed as long as `images.needed` sees a row that names it.
    """

    def __init__(self, *, database: Database, clock: Clock, media: Media) -> None:
        self._database = database
        self._clock = clock
        self._media = media
        self._announced: dict[str, float] = {}  # by this process, in monotonic seconds

    def path(self, sha256: str) -> Path:
        """Where a file is, or would be. To be read only."""
        return self._media.path(sha256)

    def exist(self, sha256s: Iterable[str]) -> bool:
        """Whether all of these files are stored."""
        return all(self._media.path(sha256).exists() for sha256 in sha256s)

    async def read(self, sha256: str) -> bytes:
        """The bytes, checked against their hash.

        Raises:
            MachineTrouble: the disk cannot be read, or no file is free.
            Broken: the file is missing or damaged.
        """
        with recognised():
            return await self._media.read(sha256)

    def temporary(self) -> contextlib.AbstractAsyncContextManager[Path]:
        """A fresh path to write a file to; deleted at the end of the block unless it was adopted."""
        return self._media.temporary()

    def temporary_folder(self) -> contextlib.AbstractAsyncContextManager[Path]:
        """A fresh folder for what takes several files; deleted at the end of the block."""
        return self._media.temporary_folder()

    async def store(self, content: bytes) -> str:
        """Keep these bytes; their SHA-256. A transaction has to name it within the hour.

        Raises:
            MachineTrouble: there is no room for them.
        """
        await self._announce(hashlib.sha256(content).hexdigest())
        with recognised():
            return await self._media.store(content)

    async def adopt(self, temporary: Path) -> str:
        """Keep a file that was written to a path of `temporary()`; its SHA-256.

        A transaction has to name it within the hour.

        Raises:
            MachineTrouble: the disk cannot be written.
        """
        with recognised():
            await self._announce(await self._media.hash(temporary))
            return await self._media.adopt(temporary)

    @contextlib.asynccontextmanager
    async def kept_if_named(self) -> AsyncGenerator[list[str]]:
        """Collects the SHA-256 of files stored for a request; deletes them again where the block fails."""
        stored: list[str] = []
        try:
            yield stored
        except Exception:
            with contextlib.suppress(MachineTrouble):  # the sweep deletes them later
                await self.discard(stored)
            raise

    async def let_go(self, db: Connection, sha256s: Iterable[str], *, now: float) -> None:
        """Note, in the transaction after which nothing may name these files any more, that they may be deleted."""
        for sha256 in sha256s:
            await notes.save(db, ARRIVING + sha256, str(now - LOOKED_AT_AFTER))

    async def discard(self, sha256s: Iterable[str | None]) -> None:
        """Delete those that no row names. Called after `let_go` is committed, and by `sweep` after a crash."""
        for sha256 in {each for each in sha256s if each}:
            # One writer at a time: another transaction names the file before or after this one, not meanwhile.
            async with self._database.write() as db:
                if not await images.needed(db, sha256):
                    await self._media.remove(sha256)

    async def sweep(self, *, older_than: float = LOOKED_AT_AFTER) -> None:
        """Delete what was announced so many seconds ago or longer, and is named by no row.

        At the start of the process 0 is right: no other file is being stored.
        """
        before = self._clock.now() - older_than
        async with self._database.read() as db:
            announced = await notes.beginning_with(db, ARRIVING)
        for name, at in announced.items():
            if float(at) <= before and not self._is_new(name.removeprefix(ARRIVING), older_than):
                await self.discard([name.removeprefix(ARRIVING)])
                async with self._database.write() as db:
                    await notes.forget(db, name, content=at)

    def _is_new(self, sha256: str, seconds: float) -> bool:
        """Whether it was announced so lately, also where the wall clock was set forward since."""
        announced, now = self._announced.get(sha256), self._clock.monotonic()
        if announced is not None and now - announced < seconds:
            return True
        self._announced.pop(sha256, None)
        return False

    async def _announce(self, sha256: str) -> None:
        now = self._clock.now()
        self._announced[sha256] = self._clock.monotonic()
        async with self._database.write() as db:
            await notes.save(db, ARRIVING + sha256, str(now))
