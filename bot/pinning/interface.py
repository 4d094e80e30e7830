"""What a pinning service can be asked: to keep a file on IPFS where everybody can fetch it, and to let it go.

Each service has its client in a file beside this one. A file is always sent as its exact bytes, never as an
object that the service writes anew, because its hash goes on chain. Pinning the same bytes again is free and gives the
same CID, so a pin whose answer was lost is simply made again. Nothing here retries (bot/errors.py).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bot.errors import Broken, Refused
from bot.http.payloads import FormFile, FormPath
from bot.pinning.cid import Cid, cids_of, parse
from bot.values import Frozen

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")

CHECK: Final = FormFile(
    "pinning-check.txt", "text/plain", b"This file shows that a key may pin. It is let go at once.\n"
)
"""What a check pins: always the same, so that many checks are one file."""


@dataclass(frozen=True, slots=True)
class PinFile:
    """A file to pin, as the store has it.

    Raises:
        ValueError: its name would not survive a form and a list of files: ASCII letters, digits, `.`, `_` and `-`.
    """

    name: str
    """For the service's own list of files; the world knows the file by its CID."""
    media_type: str
    path: Path
    sha256: str
    size: int
    """Bytes."""

    def __post_init__(self) -> None:
        for text, allowed in ((self.name, _NAME), (self.media_type, _MEDIA_TYPE), (self.sha256, _SHA256)):
            if not allowed.fullmatch(text):
                raise ValueError(f"{text[:100]!r} cannot describe a file to pin")

    def part(self) -> FormPath:
        """The file as a field of a form."""
        return FormPath(self.name, self.media_type, self.path, self.size)


class Pin(Frozen):
    """A file that a service keeps."""

    service: str
    """The `name` of the service."""
    cid: str
    """The service's CID of the file, in the usual spelling."""
    pin_id: str | None = None
    """What the service needs to unpin the file, where the CID is not enough."""


class PinningService(Protocol):
    """One account or node. Every method may raise Unavailable (wait, then try again) and Broken."""

    @property
    def name(self) -> str:
        """What it is called in the database: unique among those that are set up."""
        ...

    @property
    def label(self) -> str:
        """What people call it. Sentences begin with it."""
        ...

    async def pin(self, file: PinFile) -> Pin:
        """Keep this file, for everybody. Free, and safe to repeat.

        What CID comes back is the service's word: `Pins` compares it.

        Raises:
            Broken: the admin must act (key, plan), or the service put the file where nobody else finds it.
        """
        ...

    async def unpin(self, pin: Pin) -> None:
        """Let a file go. One that is gone already is fine. Copies that others have made stay where they are."""
        ...

    async def read(self, cid: str, into: Path, *, cap: int) -> None:
        """Fetch a file from the service itself into `into`, which exists afterwards only if this succeeds.

        `cap` is in bytes.

        Raises:
            Unavailable: it is not handed out, or not yet.
            Broken: it is larger than `cap`.
            Refused: `cid` is none.
        """
        ...

    async def check(self) -> str:
        """Prove by a tiny fixed upload that the key may pin, for there are keys that pass every other test.

        Returns a sentence for the admin, and lets the file go again.
        """
        ...


def named(cid: str, label: str) -> Cid:
    """The CID that a service has answered with.

    Raises:
        Broken: it is none.
    """
    try:
        return parse(cid)
    except Refused as error:
        raise Broken(f"{label} took the file, and what it calls the file is not a CID.") from error


def compare_check(pin: Pin, label: str) -> None:
    """Compare the CID of the check's file.

    Raises:
        Broken: it is another one.
    """
    if cids_of(CHECK.content).profile_of(named(pin.cid, label)) is None:
        raise Broken(f"{label} took a small file, and gave it a name that this bot does not compute: {pin.cid}.")
