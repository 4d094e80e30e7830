"""Pinata, by its API of today (v3), and by the older one for keys that are of that kind.

Source: docs.pinata.cloud (2026), the SDKs pinata 2.5.6 and pinata-web3 0.5.4, answers that people have published, and
github.com/PinataCloud/pinata/issues/71: a key of the older kind passes `testAuthentication` and is refused by v3.
"""

import contextlib
import json
import logging
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiohttp
from pydantic import Field, RootModel, SecretStr
from yarl import URL

from bot.errors import BotError, Broken, Unavailable
from bot.http.client import DEFAULT_TIMEOUTS, Failure, Http, NotThere, Reply, Timeouts
from bot.http.hosts import Hosts
from bot.http.payloads import Form, FormFile, FormPath
from bot.pinning.cid import parse
from bot.pinning.interface import CHECK, Pin, PinFile, compare_check, named

log = logging.getLogger(__name__)

UPLOADS: Final = "https://uploads.pinata.cloud"
API: Final = "https://api.pinata.cloud"
GATEWAY: Final = "https://gateway.pinata.cloud"
LARGEST_UPLOAD: Final = 90 * 1024 * 1024  # bytes; what is larger needs another way to upload

_HOSTS: Final = re.compile(r"(?:uploads|api)\.pinata\.cloud")
_PLAN: Final = re.compile(r"\b(?:plan|quota|usage|upgrade|billing|payment|subscription)\b", re.IGNORECASE)
_NOT_PINNED: Final = "CURRENT_USER_HAS_NOT_PINNED_CID"
_LEGACY: Final = "legacy"
_V3: Final = "v3"
_NAMED_SOON: Final = 3.0  # seconds until a file that is being named is looked at again
_HANDED_OUT_SOON: Final = 10.0  # seconds until the gateway is asked again for a file that it does not have yet


class _KeyRefused(Broken):
    """401 or 403: this key may not do that."""


class _File(Reply):
    id: str = Field(min_length=1, max_length=200)
    cid: str | None = Field(default=None, max_length=200)
    network: str | None = Field(default=None, max_length=50)


class _Kept(Reply):
    data: _File


class _Files(Reply):
    files: tuple[_File, ...] = Field(default=(), max_length=1000)


class _Found(Reply):
    data: _Files


class _Pinned(Reply):
    cid: str = Field(alias="IpfsHash", max_length=200)


class _Words(RootModel[str]):
    """A reply of which only the status counts: `OK` from the older API, JSON from the newer."""


class Pinata:
    """A Pinata account.

    `gateway` is where files are read back: the admin's own one, which hands out what the account has pinned, or a
    public one. It is never given the key. `uploads` and `api` are other places for the API, which are.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        key: SecretStr,
        gateway: str = GATEWAY,
        uploads: str = UPLOADS,
        api: str = API,
        name: str = "pinata",
        label: str = "Pinata",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.name = name
        self.label = label
        self._uploads = uploads.rstrip("/")
        self._api = api.rstrip("/")
        self._gateway = gateway.rstrip("/")
        # Some gateways send a browser on to a host name for each CID.
        self._files = Hosts(re.compile(rf"[a-z0-9]+\.ipfs\.{re.escape(URL(gateway).host or '')}"), {gateway})
        self._is_older_key = False  # learned from the first answer
        self._http = Http(
            session,
            name=label,
            hosts=Hosts(_HOSTS, {uploads, api}),
            headers={"Authorization": SecretStr(f"Bearer {key.get_secret_value()}")},
            explain=self._explain,
            timeouts=timeouts,
        )

    async def pin(self, file: PinFile) -> Pin:
        """Keep this file on the public network, without an end.

        Raises:
            Unavailable: no answer, 429, any 5xx; or Pinata has the file and has not named it yet.
            Broken: the key may not upload by either API, the plan is used up, the file is too large or was turned
                down, or Pinata put it on its private network.
        """
        if file.size > LARGEST_UPLOAD:
            raise Broken(f"{self.label} takes at most {LARGEST_UPLOAD:,} bytes at once; {file.name} has {file.size:,}.")
        return await self._pin(file.part())

    async def unpin(self, pin: Pin) -> None:
        """Let a file go, by the API that it was pinned with: each names it otherwise.

        One whose upload was never answered is looked for by its CID.
        """
        if pin.pin_id is None:
            await self._unpin_found(pin)
        elif pin.pin_id.startswith(f"{_V3}:"):
            await self._delete(f"v3/files/public/{quote(pin.pin_id.partition(':')[2], safe='')}")
        else:
            await self._delete(f"pinning/unpin/{parse(pin.cid)}")

    async def _unpin_found(self, pin: Pin) -> None:
        cid = parse(pin.cid)
        try:
            files = (await self._http.get(f"{self._api}/v3/files/public?cid={cid}&limit=10", reply=_Found)).data.files
        except _KeyRefused:  # an older key
            await self._delete(f"pinning/unpin/{cid}")
            return
        for file in files:
            if file.cid and parse(file.cid) == cid:
                await self._delete(f"v3/files/public/{quote(file.id, safe='')}")

    async def _delete(self, path: str) -> None:
        with contextlib.suppress(NotThere):
            await self._http.delete(f"{self._api}/{path}", reply=_Words, reading="text")

    async def read(self, cid: str, into: Path, *, cap: int) -> None:
        """Fetch a file from the gateway, which may not have a new one for some seconds (403 or 404)."""
        try:
            await self._http.download(f"{self._gateway}/ipfs/{parse(cid)}", into, hosts=self._files, cap=cap)
        except NotThere as error:
            sentence = f"{self.label}'s gateway does not hand out the file, or not yet."
            raise Unavailable(sentence, retry_after=_HANDED_OUT_SOON) from error

    async def check(self) -> str:
        pin = await self._pin(CHECK)
        compare_check(pin, self.label)
        kind = "an older key" if self._is_older_key else "a key for files"
        try:
            await self.unpin(pin)
        except _KeyRefused:
            return f"{self.label} takes files by {kind}, which may not delete: what is withdrawn would stay pinned."
        return f"{self.label} takes files, and lets them go, by {kind}."

    async def _pin(self, part: FormFile | FormPath) -> Pin:
        ways = [self._pin_by_v3, self._pin_by_legacy]
        if self._is_older_key:
            ways.reverse()
        try:
            return await ways[0](part)
        except _KeyRefused as error:
            log.info("The first way to upload is closed to this key; the other one is tried: %s", error)
        pin = await ways[1](part)
        self._is_older_key = not self._is_older_key
        return pin

    async def _pin_by_v3(self, part: FormFile | FormPath) -> Pin:
        form: Form = [("file", part), ("network", "public"), ("name", part.name), ("cid_version", "v1")]
        kept = (await self._http.post_form(f"{self._uploads}/v3/files", form, reply=_Kept, pays=False)).data
        if kept.network not in {None, "public"}:
            with contextlib.suppress(BotError):  # it is of no use to anybody there
                address = f"{self._api}/v3/files/private/{quote(kept.id, safe='')}"
                await self._http.delete(address, reply=_Words, reading="text")
            raise Broken(f"{self.label} put the file on its private network, where nobody else can fetch it.")
        cid = kept.cid if _is_named(kept) else await self._named_later(kept)
        return Pin(service=self.name, cid=str(named(cid or "", self.label)), pin_id=f"{_V3}:{kept.id}")

    async def _named_later(self, kept: _File) -> str | None:
        """The CID of a file that had none yet when it came; a key that may only write cannot look it up."""
        with contextlib.suppress(_KeyRefused, NotThere):
            address = f"{self._api}/v3/files/public/{quote(kept.id, safe='')}"
            kept = (await self._http.get(address, reply=_Kept)).data
        if not _is_named(kept):
            raise Unavailable(f"{self.label} has the file, and has not named it yet.", retry_after=_NAMED_SOON)
        return kept.cid

    async def _pin_by_legacy(self, part: FormFile | FormPath) -> Pin:
        form: Form = [
            ("file", part),
            ("pinataOptions", json.dumps({"cidVersion": 1})),
            ("pinataMetadata", json.dumps({"name": part.name})),
        ]
        pinned = await self._http.post_form(f"{self._api}/pinning/pinFileToIPFS", form, reply=_Pinned, pays=False)
        return Pin(service=self.name, cid=str(named(pinned.cid, self.label)), pin_id=_LEGACY)

    def _explain(self, failure: Failure) -> BotError | None:
        if _NOT_PINNED in failure.reason:
            return NotThere(f"{self.label} does not have the file.")
        match failure.status:
            case 402:
                return self._plan_used_up()
            case 401 | 403:
                if _PLAN.search(failure.reason):
                    return self._plan_used_up()
                return _KeyRefused(
                    f"{self.label} does not accept the key for this ({failure.reason or failure.status}): the admin "
                    "must set PINATA_JWT to one with Files: Write, or to an older one with pinFileToIPFS and unpin."
                )
            case 400 | 413 | 422:
                return Broken(f"{self.label} turned the file down: {failure.reason or 'it does not say why'}")
            case _:
                return None

    def _plan_used_up(self) -> Broken:
        return Broken(f"{self.label}'s plan is used up: the admin must make room there, or choose a larger plan.")


def _is_named(file: _File) -> bool:
    return file.cid not in {None, "", "pending"}
