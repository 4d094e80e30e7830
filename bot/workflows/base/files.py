"""Files on their way into the database's sight and out of it: none is lost that a row names, none stays unnamed.

A file is stored before a row names it, and a row lets go of it before it is deleted; a crash between the two leaves a
file that nobody knows of. So each is announced before it is stored, and what was announced is looked at again later.
"""

import hashlib
from collections.abc import Iterable

from bot.clock import Clock
from storage.base import notes
from storage.database import Connection, Database
from storage.drawing import images
from storage.media import Media

ARRIVING = "arriving "
"""Begins the notes that announce a file; its SHA-256 follows."""
LOOKED_AT_AFTER = 3600.0
"""Seconds after which an announced file is named by a row, or never will be."""


class Files:
    """Stores and deletes on behalf of the workflows."""

    def __init__(self, *, database: Database, clock: Clock, media: Media) -> None:
        self._database = database
        self._clock = clock
        self._media = media

    async def store(self, content: bytes) -> str:
        """Keep these bytes; their SHA-256. A transaction has to name it within the hour."""
        sha256 = hashlib.sha256(content).hexdigest()
        async with self._database.write() as db:
            await notes.save(db, ARRIVING + sha256, str(self._clock.now()))
        return await self._media.store(content)

    async def let_go(self, db: Connection, sha256s: Iterable[str | None]) -> None:
        """Note, in the transaction after which nothing may name them any more, that these are to be looked at."""
        for sha256 in {each for each in sha256s if each}:
            await notes.save(db, ARRIVING + sha256, str(self._clock.now() - LOOKED_AT_AFTER))

    async def discard(self, sha256s: Iterable[str | None]) -> None:
        """Delete those that nothing names; called after `let_go` is committed, and by `sweep` if that was cut off."""
        for sha256 in {each for each in sha256s if each}:
            async with self._database.write() as db:  # whoever names it now does so before or after, not meanwhile
                if not await images.needed(db, sha256):
                    await self._media.remove(sha256)

    async def sweep(self, *, older_than: float = LOOKED_AT_AFTER) -> None:
        """Delete what was announced so many seconds ago or longer, and is named by nothing.

        At the start of the process 0 is right: nothing is on its way.
        """
        before = self._clock.now() - older_than
        async with self._database.read() as db:
            announced = await notes.beginning_with(db, ARRIVING)
        for name, at in announced.items():
            if float(at) <= before:
                await self.discard([name.removeprefix(ARRIVING)])
                async with self._database.write() as db:
                    await notes.forget(db, name, content=at)
