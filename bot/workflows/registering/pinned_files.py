"""The files of a registration: pinned with proof, unpinned again, and read back afterwards."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import BotError, Broken, Refused, Unavailable
from bot.pinning.interface import Pin, PinFile
from bot.pinning.pins import Proven, same_file
from bot.story.metadata import Metadata
from bot.values import sha256_of
from bot.workflows.base.kit import Kit
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import Serialised
from storage.registering import pins, registrations
from storage.registering.pins import MissingPin, PinRow
from storage.registering.registrations import Registration

log = logging.getLogger(__name__)

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is read back, at most."""
AT_A_TIME = 20
"""Files that a service is sent in one round, at most."""
GIVEN_UP_AFTER = 3
"""Files that a service has refused in a round, after which it is left alone until the next."""
MISSING_ROUND = 300.0
"""Seconds between two looks for what a service lacks."""
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
JSON = "application/json"
UNKNOWN_TYPE = "application/octet-stream"
METADATA = ("ip", "nft")


@dataclass(frozen=True)
class StoredFile:
    """A file of the media store, and what it is called where it is pinned."""

    sha256: str
    name: str
    media_type: str


class PinnedFiles:
    """Each verb is safe to repeat: the same bytes have the same address everywhere."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._files = kit.files
        self._alarm = kit.alarm
        self._lacking: set[str] = set()
        """Names of the services of which the admin knows that they lack files."""
        self._machine = kit.machine

    async def keep_metadata(self, registration_id: str, built: Metadata) -> Serialised:
        """Store the metadata and name them in the registration's row. Their bytes are never made again."""
        ip, nft = await self._files.store(built.ip), await self._files.store(built.nft)
        serialised = Serialised(ip_metadata=ip, nft_metadata=nft)
        async with self._work() as tx:
            await registrations.update(tx.db, registration_id, now=tx.now, **serialised.model_dump())
        return serialised

    async def pin(self, publishing: Publishing, registration_id: str, stored: StoredFile) -> Proven:
        """Pin a stored file. Where it will be is written down first, so that it can be unpinned after any crash.

        Raises:
            Unavailable: the service does not answer just now, or this machine has no room to write that down.
            Broken: it does not hold these bytes, or does not accept the bot; nothing may go on the chain.
        """
        if self._machine is not None:
            await self._machine.check_room()
        path = self._files.path(stored.sha256)
        content = await self._files.read(stored.sha256)  # hashed on the way: what leaves is what was approved
        file = PinFile(
            name=stored.name, media_type=stored.media_type, path=path, sha256=stored.sha256, size=len(content)
        )
        expected = await publishing.pins.expected(path)
        planned = [Pin(service=service.name, cid=expected) for service in publishing.pins.services]
        await self._save_pins(registration_id, stored.sha256, planned)
        proven = await publishing.pins.pin(file, scratch=self._files.temporary)
        await self._save_pins(registration_id, stored.sha256, proven.pins, confirmed=proven.cid)
        for service in proven.missing:
            await self._report_missing(service, f"Registration `{registration_id}`: {service} did not take a copy.")
        return proven

    async def pin_missing(self, publishing: Publishing) -> None:
        """Pin what a service is not known to have of the registered images: a mirror was away, or was set up later.

        Each service is asked until it fails; what is left is tried in the next round, for as long as it takes.
        """
        for service in publishing.pins.services:
            async with self._work.read() as db:
                absent = await pins.missing_at(db, service.name, limit=AT_A_TIME)
            failures: list[BotError] = []
            for missing in absent:
                try:
                    await self._pin_at(publishing, service.name, missing)
                except BotError as error:
                    failures.append(error)
                    if isinstance(error, Unavailable) or len(failures) == GIVEN_UP_AFTER:
                        break  # else it may be this file alone
            if failures:
                log.warning("%s lacks files of registered images: %s", service.name, failures[0])
                sentence = f"{service.label} lacks files of registered images: {failures[0]}"
                await self._report_missing(service.name, sentence)
            elif absent:
                log.info("%s has taken %d files of registered images", service.name, len(absent))
                self._lacking.discard(service.name)

    async def count_missing(self, publishing: Publishing) -> dict[str, int]:
        """How many files of registered images each service is not known to have, by its label; 0 is left out."""
        async with self._work.read() as db:
            counts = {each.label: await pins.count_missing_at(db, each.name) for each in publishing.pins.services}
        return {label: count for label, count in counts.items() if count}

    async def _pin_at(self, publishing: Publishing, service: str, missing: MissingPin) -> None:
        """
        Raises:
            Unavailable, Broken: the service does not have the file, as far as is known; or it is not stored here.
        """
        await self._save_pins(missing.registration_id, missing.sha256, [Pin(service=service, cid=missing.cid)])
        size = len(await self._files.read(missing.sha256))
        path = self._files.path(missing.sha256)
        name, media_type = (
            f"{missing.registration_id}-{missing.role}",
            JSON if missing.role in METADATA else UNKNOWN_TYPE,
        )
        file = PinFile(name=name, media_type=media_type, path=path, sha256=missing.sha256, size=size)
        pin = await publishing.pins.pin_at(service, file, missing.cid, scratch=self._files.temporary)
        await self._save_pins(missing.registration_id, missing.sha256, [pin], confirmed=missing.cid)

    async def _report_missing(self, service: str, sentence: str) -> None:
        """Tell the admin once that a service lacks files, and again only after it has had all of them."""
        if service not in self._lacking:
            self._lacking.add(service)
            whole = f"{sentence} It is tried again every {MISSING_ROUND / 60:.0f} minutes until it has them."
            log.warning("%s", whole)
            await self._alarm(whole)

    async def unpin(self, publishing: Publishing | None, registration_id: str) -> None:
        """Unpin what a registration has pinned. Bytes that another registration has pinned, too, stay.

        Raises:
            Unavailable: a service does not answer just now, or registration is not set up any more.
        """
        async with self._work.read() as db:
            rows = await pins.of_registration(db, registration_id)
        for row in rows:
            async with self._work.read() as db:
                elsewhere = await pins.needed_elsewhere(db, row)
            if not elsewhere:
                if publishing is None:
                    raise Unavailable("What is pinned waits until registration is set up again.", retry_after=3600)
                try:
                    await publishing.pins.unpin([Pin(service=row.service, cid=row.cid, pin_id=row.pin_id)])
                except (Refused, Broken) as error:
                    log.error("%s could not be unpinned at %s: %s", row.cid, row.service, error)  # noqa: TRY400 # no bug
                    await self._alarm(f"`{row.cid}` is still pinned at {row.service}, which does not let go: {error}")
                    continue
            async with self._work() as tx:
                await pins.mark_unpinned(tx.db, row, now=tx.now)

    async def delete_image(self, registration: Registration) -> None:
        """Delete the stored picture where its owner has deleted it, and only this registration still needed it."""
        await self._files.discard([registration.sha256])

    async def read_back(self, publishing: Publishing, registration: Registration) -> tuple[tuple[str, bool], ...]:
        """Each pinned file's CID, and whether the service answers with the right bytes.

        Raises:
            Unavailable: it does not answer just now.
            Broken: it does not have a file.
        """
        checked: list[tuple[str, bool]] = []
        for cid, sha256 in (
            (registration.image_cid, registration.sha256),
            (registration.ip_cid, registration.ip_metadata),
            (registration.nft_cid, registration.nft_metadata),
        ):
            assert cid, "it is pinned"
            async with self._files.temporary() as path:
                await publishing.pins.read(cid, path, cap=LARGEST)
                received = await asyncio.to_thread(sha256_of, path)
            checked.append((cid, received == sha256))
        return tuple(checked)

    async def _save_pins(
        self, registration_id: str, sha256: str, pinned: Sequence[Pin], *, confirmed: str | None = None
    ) -> None:
        """Write down where a file is, or is about to be. A service that named it by the CID `confirmed` has it."""
        async with self._work() as tx:
            for pin in pinned:
                has_it = confirmed is not None and same_file(pin.cid, confirmed)
                row = PinRow(
                    registration_id,
                    sha256,
                    pin.service,
                    pin.cid,
                    pin.pin_id,
                    pinned_at=tx.now,
                    confirmed_at=tx.now if has_it else None,
                )
                await pins.save(tx.db, row)
