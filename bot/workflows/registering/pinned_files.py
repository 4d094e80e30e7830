"""The files of a registration: pinned with proof, noted so that they can be taken back, and read back afterwards."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Broken, Refused, Unavailable
from bot.pinning.interface import Pin, PinFile
from bot.pinning.pins import Proven
from bot.story.metadata import Metadata
from bot.values import sha256_of
from bot.workflows.base.kit import Kit
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import Serialised
from storage.registering import pins, registrations
from storage.registering.pins import PinRow
from storage.registering.registrations import Registration

log = logging.getLogger(__name__)

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is read back, at most."""
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
JSON = "application/json"


@dataclass(frozen=True)
class StoredFile:
    """A file of the media store, and what it is called where it is pinned."""

    sha256: str
    name: str
    media_type: str


class PinnedFiles:
    """Each verb is safe to repeat: the same bytes have the same address everywhere."""

    def __init__(self, kit: Kit) -> None:
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self._media = kit.files
        self._files = kit.files
        self._alarm = kit.alarm

    async def keep_metadata(self, registration_id: str, made: Metadata) -> Serialised:
        """Store the metadata, whose bytes are never made again. Its row names them before anybody counts on them: a
        file that no row names is swept after an hour, and at the next start."""
        kept = Serialised(ip_metadata=await self._files.store(made.ip), nft_metadata=await self._files.store(made.nft))
        async with self._work() as tx:
            db, now = tx.db, tx.now
            await registrations.update(db, registration_id, now=now, **kept.model_dump())
        return kept

    async def pin(self, there: Publishing, registration_id: str, stored: StoredFile) -> Proven:
        """Pin a stored file, and note where, before it leaves: whatever happens, it can be taken back.

        Raises:
            Unavailable: the service does not answer just now.
            Broken: it does not hold these bytes, or does not accept the bot; nothing may go on the chain.
        """
        path = self._media.path(stored.sha256)
        content = await self._media.read(stored.sha256)  # hashed on the way: what leaves is what was approved
        file = PinFile(
            name=stored.name, media_type=stored.media_type, path=path, sha256=stored.sha256, size=len(content)
        )
        expected = await there.pins.expected(path)
        planned = [Pin(service=service.name, cid=expected) for service in there.pins.services]
        await self._note(registration_id, stored.sha256, planned)
        proven = await there.pins.pin(file, scratch=self._media.temporary)
        await self._note(registration_id, stored.sha256, proven.pins)
        if proven.missing:
            await self._alarm(f"Registration `{registration_id}`: {', '.join(proven.missing)} did not take a copy.")
        return proven

    async def unpin(self, there: Publishing | None, registration_id: str) -> None:
        """Take back what was pinned for nothing. Bytes that another registration has pinned, too, stay.

        Raises:
            Unavailable: a service does not answer just now, or registration is not set up any more.
        """
        async with self._database.read() as db:
            made = await pins.of_registration(db, registration_id)
        for row in made:
            async with self._database.read() as db:
                elsewhere = await pins.needed_elsewhere(db, row)
            if not elsewhere:
                if there is None:
                    raise Unavailable("What is pinned waits until registration is set up again.", retry_after=3600)
                try:
                    await there.pins.unpin([Pin(service=row.service, cid=row.cid, pin_id=row.pin_id)])
                except (Refused, Broken) as error:
                    log.error("%s could not be unpinned at %s: %s", row.cid, row.service, error)  # noqa: TRY400 # no bug
                    await self._alarm(f"`{row.cid}` is still pinned at {row.service}, which does not let go: {error}")
                    continue
            async with self._work() as tx:
                db, now = tx.db, tx.now
                await pins.mark_unpinned(db, row, now=now)

    async def forget(self, registration: Registration) -> None:
        """Delete the stored picture where its owner has deleted it, and only this registration still needed it."""
        await self._files.discard([registration.sha256])

    async def read_back(self, there: Publishing, registration: Registration) -> tuple[tuple[str, bool], ...]:
        """Each pinned file's CID, and whether what its service hands out are the bytes that it should be.

        Raises:
            Unavailable: it does not answer just now.
            Broken: it hands out nothing.
        """
        found: list[tuple[str, bool]] = []
        for cid, sha256 in (
            (registration.image_cid, registration.sha256),
            (registration.ip_cid, registration.ip_metadata),
            (registration.nft_cid, registration.nft_metadata),
        ):
            assert cid, "it is pinned"
            async with self._media.temporary() as path:
                await there.pins.read(cid, path, cap=LARGEST)
                read = await asyncio.to_thread(sha256_of, path)
            found.append((cid, read == sha256))
        return tuple(found)

    async def _note(self, registration_id: str, sha256: str, made: Sequence[Pin]) -> None:
        now = self._clock.now()
        async with self._work() as tx:
            db, now = tx.db, tx.now
            for pin in made:
                await pins.save(db, PinRow(registration_id, sha256, pin.service, pin.cid, pin.pin_id, pinned_at=now))
