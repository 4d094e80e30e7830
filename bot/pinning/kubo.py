"""An IPFS node by Kubo's RPC: one's own, or a service that speaks the same (Filebase, Lighthouse).

Every import parameter is named, because a node's defaults are its admin's to change.

Source: docs.ipfs.tech/reference/kubo/rpc, `ipfs add --help` of Kubo 0.43, docs.filebase.com, docs.lighthouse.storage.
"""

import contextlib
import re
from pathlib import Path
from typing import Final

import aiohttp
from pydantic import Field, RootModel, SecretStr
from yarl import URL

from bot.errors import BotError, Broken, Unavailable
from bot.http.client import DEFAULT_TIMEOUTS, Failure, Http, NotThere, Reply, Timeouts
from bot.http.hosts import Hosts
from bot.http.payloads import FormFile, FormPath
from bot.pinning.cid import parse
from bot.pinning.interface import CHECK, Pin, PinFile, compare_check, named

ADD: Final = (
    "/api/v0/add?cid-version=1&raw-leaves=true&chunker=size-262144&max-file-links=174&hash=sha2-256&pin=true"
    "&progress=false"
)
_NOWHERE: Final = re.compile(r"(?!)")
_SERVICES: Final = {"filebase.io": "Filebase", "lighthouse.storage": "Lighthouse"}


class _Line(Reply):
    """A line of what `add` says: the file, or how far it is, or what went wrong after the status was sent."""

    cid: str | None = Field(default=None, alias="Hash", max_length=200)


class _Lines(RootModel[list[_Line]]): ...


class _Words(RootModel[str]):
    """A reply of which only the status counts."""


class _Version(Reply):
    version: str = Field(alias="Version", max_length=50)


class Kubo:
    """A node. `base` is its RPC's origin; it is the admin's own, may be http on this machine, and gets the token."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base: str,
        token: SecretStr | None = None,
        name: str = "kubo",
        label: str | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        host = URL(base).host or ""
        labels = (label for domain, label in _SERVICES.items() if host == domain or host.endswith(f".{domain}"))
        self.name = name
        self.label = label or next(labels, "The IPFS node")
        self._base = base.rstrip("/")
        self._http = Http(
            session,
            name=self.label,
            hosts=Hosts(_NOWHERE, {base}),
            headers={"Authorization": SecretStr(f"Bearer {token.get_secret_value()}")} if token else None,
            explain=self._explain,
            timeouts=timeouts,
        )

    async def pin(self, file: PinFile) -> Pin:
        """Add this file to the node and pin it.

        Raises:
            Unavailable: no answer, any 5xx, or the node broke off after it had begun to answer.
            Broken: the token may not, the plan is used up, or the file was turned down.
        """
        return await self._pin(file.part())

    async def unpin(self, pin: Pin) -> None:
        """Let a file go; the node forgets it when it next collects its garbage."""
        with contextlib.suppress(NotThere):
            await self._http.call(f"{self._base}/api/v0/pin/rm?arg={parse(pin.cid)}", reply=_Words, reading="text")

    async def read(self, cid: str, into: Path, *, cap: int) -> None:
        """Fetch a file from the node, which looks for one that it does not have in the whole network, and gives up."""
        await self._http.call_for_file(f"{self._base}/api/v0/cat?arg={parse(cid)}", into, cap=cap)

    async def check(self) -> str:
        pin = await self._pin(CHECK)
        compare_check(pin, self.label)
        await self.unpin(pin)
        version = ""
        with contextlib.suppress(BotError):  # services that only speak the same need not have one
            version = f" (Kubo {(await self._http.call(f'{self._base}/api/v0/version', reply=_Version)).version})"
        return f"{self.label} takes files, and lets them go{version}."

    async def _pin(self, part: FormFile | FormPath) -> Pin:
        lines = await self._http.post_form(
            f"{self._base}{ADD}", [("file", part)], reply=_Lines, pays=False, reading="lines"
        )
        cid = next((line.cid for line in reversed(lines.root) if line.cid), None)
        if cid is None:
            raise Unavailable(f"{self.label} broke off while it took the file.")
        return Pin(service=self.name, cid=str(named(cid, self.label)))

    def _explain(self, failure: Failure) -> BotError | None:
        match failure.status:
            case 500 if "not pinned" in failure.reason:
                return NotThere(f"{self.label} has not pinned the file.")
            case 401 | 403:
                return Broken(
                    f"{self.label} does not accept the token: the admin must set KUBO_RPC_TOKEN to a valid one."
                )
            case 402:
                return Broken(
                    f"{self.label}'s plan is used up: the admin must make room there, or choose a larger plan."
                )
            case 400 | 413 | 422:
                return Broken(f"{self.label} turned the file down: {failure.reason or 'it does not say why'}")
            case _:
                return None
