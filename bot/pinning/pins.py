"""One file at all services: pinned, proven to be these bytes, and unpinned.

A service's CID counts only if it is one that was computed here from the bytes. A service that cuts files in a way that
is not known here is read back and compared. What cannot be proven is refused, because a CID goes on chain for good.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.errors import BotError, Broken, MachineTrouble, Refused, Unavailable
from bot.pinning.cid import EXPECTED, PROFILES, RAW, SHA2_256, Cid, Cids, Profile, cids_of, parse
from bot.pinning.interface import Pin, PinFile, PinningService, named
from bot.values import Frozen, sha256_of

log = logging.getLogger(__name__)

Scratch = Callable[[], AbstractAsyncContextManager[Path]]
"""Gives a fresh path to download into, whose file is deleted at the end of the block."""


class Proven(Frozen):
    """A file that is pinned, and how that is known."""

    cid: str
    """The primary service's, in the usual spelling."""
    profile: str | None
    """How the primary service cut the file; None where it was read back instead."""
    pins: tuple[Pin, ...]
    """All that has to be let go when the file is withdrawn; the primary service's first."""
    missing: tuple[str, ...] = ()
    """Names of the mirrors that do not have the file under this CID. It is worth trying them again."""


class Pins:
    """The services that are set up: the one whose word counts, and those that hold a copy should it fail."""

    def __init__(self, primary: PinningService, mirrors: Sequence[PinningService] = ()) -> None:
        self.services = (primary, *mirrors)
        self._primary = primary
        self._mirrors = tuple(mirrors)
        self._by_name = {service.name: service for service in self.services}
        if len(self._by_name) < len(self.services):
            raise ValueError("two pinning services have the same name")

    async def expected(self, path: Path) -> str:
        """The CID that a file will have, known before any upload.

        Raises:
            Broken: the file is missing.
        """
        return (await _compute_cids(path, [EXPECTED])).by_profile[EXPECTED]

    async def pin(self, file: PinFile, *, scratch: Scratch) -> Proven:
        """Pin a file everywhere. Free, and safe to repeat.

        A mirror that fails is named in `missing`; only the primary service's failure is raised.

        Raises:
            Unavailable: the primary service cannot just now, or does not hand out what has to be compared.
            Broken: the stored file is damaged; the admin must act; or the primary service could not be proven to hold
                these bytes.
        """
        cids = await _cids_of_whole(file)
        pin, profile = await _prove_pin(self._primary, file, cids, scratch)
        copies = await asyncio.gather(*(self._copy(mirror, file, cids, scratch) for mirror in self._mirrors))
        proven = [copy for copy in copies if copy and same_file(copy.cid, pin.cid)]
        services = {copy.service for copy in proven}
        return Proven(
            cid=str(parse(pin.cid)),
            profile=profile,
            pins=(pin, *filter(None, copies)),
            missing=tuple(mirror.name for mirror in self._mirrors if mirror.name not in services),
        )

    async def pin_at(self, service: str, file: PinFile, cid: str, *, scratch: Scratch) -> Pin:
        """Pin a file once more at one service, where it is to have the CID that it has everywhere.

        Raises:
            Unavailable: the service cannot just now.
            Broken: the stored file is damaged; the admin must act; or the service calls it otherwise.
        """
        chosen = self._by_name[service]
        pin, _ = await _prove_pin(chosen, file, await _cids_of_whole(file), scratch)
        if not same_file(pin.cid, cid):
            raise Broken(f"{chosen.label} has the file under another CID than the one that is registered.")
        return pin

    async def unpin(self, pins: Iterable[Pin]) -> None:
        """Let files go, each where it is pinned. All are tried; the first failure is raised at the end.

        A service that is no longer set up cannot be told; the log says what it still has.
        """
        failed: BotError | None = None
        for pin in pins:
            service = self._by_name.get(pin.service)
            if service is None:
                log.warning("The service %s still has %s pinned, and is no longer set up", pin.service, pin.cid)
                continue
            try:
                await service.unpin(pin)
            except BotError as error:
                log.warning("%s was not unpinned at %s: %s", pin.cid, pin.service, error)
                failed = failed or error
        if failed:
            raise failed

    async def read(self, cid: str, into: Path, *, cap: int) -> None:
        """Fetch a file from the first service that hands it out, at most `cap` bytes of it.

        Raises:
            Unavailable: no service hands it out now, and one may later.
            Broken: every service refused it.
        """
        failed: BotError | None = None
        for service in self.services:
            try:
                return await service.read(cid, into, cap=cap)
            except (Unavailable, Broken) as error:
                log.info("%s did not hand out %s: %s", service.name, cid, error)
                if not isinstance(failed, Unavailable):  # who may have it in a moment counts for more
                    failed = error
        assert failed
        raise failed

    async def _copy(self, mirror: PinningService, file: PinFile, cids: Cids, scratch: Scratch) -> Pin | None:
        try:
            pin, _ = await _prove_pin(mirror, file, cids, scratch)
        except MachineTrouble:  # the copy is made when that is over
            raise
        except BotError as error:
            log.warning("%s has no copy of %s…: %s", mirror.name, file.sha256[:12], error)
            return None
        return pin


def same_file(cid: str, other: str) -> bool:
    """Whether both CIDs name the same file."""
    return parse(cid).names_the_same_as(parse(other))


async def _prove_pin(service: PinningService, file: PinFile, cids: Cids, scratch: Scratch) -> tuple[Pin, str | None]:
    """Pin a file at one service, and prove it."""
    pin = await service.pin(file)
    profile = cids.profile_of(named(pin.cid, service.label))
    if profile is None:
        log.warning(
            "%s calls %s… %s, which is not computed here: it is read back", service.name, cids.sha256[:12], pin.cid
        )
        try:
            _check_own_hash(service, parse(pin.cid), file.sha256)
            await _compare(service, pin.cid, file.sha256, file.size, scratch)
        except Broken:
            with contextlib.suppress(BotError):  # of no use to anybody, and nobody will remember its name
                await service.unpin(pin)
            raise
    return pin, profile


def _check_own_hash(service: PinningService, cid: Cid, sha256: str) -> None:
    """A raw CID holds the hash of all its bytes: whatever this service hands out, no other could for a wrong one.

    Raises:
        Broken: it is not the hash of these bytes.
    """
    hashed_so = cid.codec == RAW and cid.multihash[0] == SHA2_256
    if hashed_so and cid.multihash[2:].hex() != sha256:
        raise Broken(_unproven_sentence(service))


def _unproven_sentence(service: PinningService) -> str:
    return f"{service.label} could not be proven to hold these bytes."


async def _compare(service: PinningService, cid: str, sha256: str, size: int, scratch: Scratch) -> None:
    """
    Raises:
        Unavailable: the service does not hand it out just now.
        Broken: it is not these bytes.
    """
    async with scratch() as path:
        try:
            await service.read(cid, path, cap=size)
        except (Broken, Refused) as error:
            raise Broken(_unproven_sentence(service)) from error
        if await asyncio.to_thread(sha256_of, path) != sha256:
            raise Broken(_unproven_sentence(service))


async def _cids_of_whole(file: PinFile) -> Cids:
    """
    Raises:
        Broken: the stored file is missing or damaged.
    """
    cids = await _compute_cids(file.path, PROFILES)
    if (cids.sha256, cids.size) != (file.sha256, file.size):
        raise Broken(f"The stored file {file.sha256[:12]}… is damaged.")
    return cids


async def _compute_cids(path: Path, profiles: Sequence[Profile]) -> Cids:
    try:
        return await asyncio.to_thread(cids_of, path, profiles)
    except FileNotFoundError as error:
        raise Broken(f"The stored file {path.name[:12]}… is missing.") from error
