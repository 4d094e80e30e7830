"""What the account knows and decides, apart from any request: its keys, files, limits and clock."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiohttp import web

from bot.pinning.cid import Cid, Profile, cids_of, parse
from standins.base.archive import Archive
from standins.base.serving import Standin
from standins.pinata.faults import too_many
from standins.pinata.records import File, Network, digest

Scope = Literal["org:files:read", "org:files:write", "pinFileToIPFS", "unpin", "pinList"]
Scopes = frozenset[Scope]

FILES: Final[Scopes] = frozenset({"org:files:read", "org:files:write"})
LEGACY: Final[Scopes] = frozenset({"pinFileToIPFS", "unpin", "pinList"})
FULL: Final[Scopes] = FILES | LEGACY
READ_ONLY: Final[Scopes] = frozenset({"org:files:read", "pinList"})
REVOKED: Final = None

_MINUTE: Final = 60.0  # seconds
_QUOTA_STRETCH: Final = 1.25  # uploads stop at 125 % of the quota


@dataclass
class Quirks:
    """How the service differs from what one hopes. Change them at any time."""

    profile: Profile | None = None  # cuts files by this one, whatever CID version is asked for
    wrong_cid: bool = False  # names a file by the CID of other bytes
    corrupt: bool = False  # keeps other bytes under the right CID
    private: Literal["no", "told", "untold"] = "no"  # puts files on the private network, and says so or not
    pending: float = 0.0  # seconds for which a new file has no CID
    pending_as: Literal["null", "pending"] = "null"  # how that is said
    visible_after: float = 0.0  # seconds until the gateway has a new file
    restricted: bool = True  # the gateway is a dedicated one: 403, not 404, for what the account does not have


class Refusal(Exception):
    """A request that is turned down: `{"error": {"code", "message"}}`, or in the older API `{"reason", "details"}`."""

    def __init__(self, status: int, reason: str, details: str) -> None:
        super().__init__(details)
        self.status = status
        self.reason = reason
        self.details = details


class TooMany(Exception):
    """A request over the limit, and the answer to it."""

    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response


class Service(Standin):
    """The account. All time is the clock's."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        keys: Mapping[str, Scopes | None] | None = None,
        per_minute: int = 60,
        quota: int = 1_000_000_000,
        state: Path | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.keys = dict(keys if keys is not None else {"sandbox-key": FULL})  # REVOKED for one that was taken back
        self.per_minute = per_minute
        self.quota = quota  # bytes
        self.quirks = quirks or Quirks()
        self.forms: deque[dict[str, str]] = deque(maxlen=1000)  # of the uploads, without their files
        self.archive = Archive(state, {"files": File}, contents=("contents", "digest"))
        self.files = self.archive.load(File)
        self._asked: deque[float] = deque()

    def authorize(self, header: str | None, scope: Scope | None = None) -> None:
        """Check a key, and count the request.

        Raises:
            Refusal: 401 for none or an unknown one, 403 for a revoked one or one without the scope.
            TooMany: 429.
        """
        word, _, key = (header or "").partition(" ")
        if not header:
            raise Refusal(401, "INVALID_CREDENTIALS", "no Authorization header found")
        if word != "Bearer" or key not in self.keys:
            raise Refusal(401, "INVALID_CREDENTIALS", "Invalid/expired credentials")
        scopes = self.keys[key]
        if scopes is None:
            raise Refusal(403, "API_KEY_REVOKED", "API key revoked")
        if scope and scope not in scopes:
            details = "This key does not have the required scopes associated with it"
            raise Refusal(403, "NO_SCOPES_FOUND", details)
        now = self.clock()
        while self._asked and self._asked[0] <= now - _MINUTE:
            self._asked.popleft()
        if len(self._asked) >= self.per_minute:
            raise TooMany(too_many(self._asked[0] + _MINUTE, limit=self.per_minute))
        self._asked.append(now)

    async def keep(
        self, content: bytes, *, name: str, media_type: str, network: Network, profile: Profile
    ) -> tuple[File, bool]:
        """Keep a file; whether it was there already.

        Raises:
            Refusal: 403, there is no room (how the service says it is a guess).
        """
        if sum(file.size for file in self.files) + len(content) > self.quota * _QUOTA_STRETCH:
            raise Refusal(403, "FORBIDDEN", "Account blocked due to plan usage limit")
        named_by = content + b"!" if self.quirks.wrong_cid else content
        profile = self.quirks.profile or profile
        cid = (await asyncio.to_thread(cids_of, named_by, [profile])).by_profile[profile]
        if self.quirks.private != "no":
            network = "private"
        if duplicate := next((file for file in self.files if (file.cid, file.network) == (cid, network)), None):
            return duplicate, True
        kept = content[:-1] + bytes([content[-1] ^ 1]) if self.quirks.corrupt and content else content
        now = self.clock()
        file = File(
            id=str(uuid.uuid4()),
            name=name,
            cid=cid,
            size=len(content),
            media_type=media_type,
            network=network,
            created=now,
            named=now + self.quirks.pending,
            content=digest(kept),
        )
        self.archive.keep([(file.content, kept)])
        self.archive.save(file)
        self.files.append(file)
        return file, False

    def forget(self, file: File) -> None:
        self.files.remove(file)
        self.archive.delete(file)

    def file(self, network: str, id_: str) -> File | None:
        return next((file for file in self.files if (file.network, file.id) == (network, id_)), None)

    def is_named(self, file: File) -> bool:
        return file.named <= self.clock()

    def pinned(self, cid: Cid) -> list[File]:
        """The public files of that CID, in whatever version it is written."""
        named = (file for file in self.files if file.network == "public" and self.is_named(file))
        return [file for file in named if parse(file.cid).names_the_same_as(cid)]

    def is_visible(self, file: File) -> bool:
        """Whether the gateway has it by now."""
        return file.created + self.quirks.visible_after <= self.clock()
