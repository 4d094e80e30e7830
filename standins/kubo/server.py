"""The node: `/api/v0/…`, which takes POST and nothing else, with its arguments in the address."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bot.errors import Refused
from bot.pinning.cid import Cid, Shape, Tree, leaf_of, parse
from standins.base.archive import Archive
from standins.base.faults import Handler
from standins.base.serving import Standin
from standins.pinata.forms import read_form
from standins.pinata.records import File, digest

_NOT_PINNED: Final = "not pinned or pinned indirectly"
_DENIED: Final = (
    "Kubo RPC Access Denied: Please provide a valid authorization token as defined in the API.Authorizations "
    "configuration."
)


@dataclass
class Quirks:
    """How the node differs from what one hopes. Change them at any time."""

    chunk: int | None = None  # bytes; cuts files by it, whatever is asked for
    wrong_cid: bool = False  # names a file by the CID of other bytes
    corrupt: bool = False  # keeps other bytes under the right CID
    breaks_off: bool = False  # says that something went wrong after it has begun to answer
    has_version: bool = True  # services that only speak the same have none


@dataclass(frozen=True)
class Added:
    """A file as the node has it."""

    cid: str
    content: bytes
    pinned: bool


class _Failed(Exception):
    """A command that failed: 500, and a JSON that says why."""


class KuboServer(Standin):
    """An IPFS node on this machine. `token` is what it wants as a bearer, None for a node that wants none.

    What it holds, what it was asked and what it was told to get wrong are at hand: `files`, `requests`; `quirks`,
    `faults`.
    """

    def __init__(self, *, token: str | None = None, state: Path | None = None, quirks: Quirks | None = None) -> None:
        super().__init__()
        self.token = token
        self.quirks = quirks or Quirks()
        self._archive = Archive(state, {"files": File}, contents=("contents", "digest"))
        self._pinned = {file.cid: file for file in self._archive.load(File)}
        self._loose: dict[str, File] = {}  # unpinned; a restart collects them as garbage

    @property
    def files(self) -> list[Added]:
        """All that it holds, the pinned ones first."""
        return [
            Added(cid, self._archive.content(file.content), pinned)
            for pinned, some in ((True, self._pinned), (False, self._loose))
            for cid, file in some.items()
        ]

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.receive])
        commands: dict[str, Callable[[web.Request], Any]] = {
            "add": self._add,
            "cat": self._cat,
            "pin/ls": self._list,
            "pin/rm": self._unpin,
            "version": self._version,
        }
        for name, command in commands.items():
            app.router.add_post(f"/api/v0/{name}", command)
        return app

    async def _add(self, request: web.Request) -> web.Response:
        asked = request.query
        chunker, links = asked.get("chunker", "size-262144"), int(asked.get("max-file-links", "174"))
        version = int(asked.get("cid-version", "0"))
        if not chunker.startswith("size-") or not chunker[5:].isdecimal():
            raise _Failed(f"unrecognized chunker option: {chunker}")
        if asked.get("hash", "sha2-256") != "sha2-256" or (asked.get("raw-leaves", "true") == "true") != (version == 1):
            raise _Failed("the stand-in does not do this hash or these leaves")
        if asked.get("pin", "true") != "true":
            raise _Failed("the stand-in pins whatever it is given")
        _, sent = await read_form(request)
        if sent is None:
            raise _Failed("file argument 'path' is required")
        content = sent.content
        chunk = self.quirks.chunk or int(chunker[5:])
        named_by = content + b"!" if self.quirks.wrong_cid else content
        cid = str(await asyncio.to_thread(_cid_of, named_by, Shape(chunk, links, 1 if version else 0)))
        kept = content[:-1] + bytes([content[-1] ^ 1]) if self.quirks.corrupt and content else content
        file = File(cid, sent.name, cid, len(content), sent.media_type, "public", 0, 0, digest(kept))
        if cid not in self._pinned:
            self._loose.pop(cid, None)
            self._archive.keep([(file.content, kept)])
            self._archive.save(file)
            self._pinned[cid] = file
        lines: list[dict[str, Any]] = []
        if asked.get("progress", "true") == "true":
            lines.append({"Name": sent.name, "Bytes": len(content)})
        if self.quirks.breaks_off:
            lines.append({"Message": "blockstore: no space left on device", "Code": 0, "Type": "error"})
        else:
            lines.append({"Name": sent.name, "Hash": cid, "Size": str(len(content))})
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        return web.Response(text=text, content_type="application/json", headers={"X-Chunked-Output": "1"})

    async def _cat(self, request: web.Request) -> web.Response:
        cid = _argument(request)
        file = self._find(self._pinned, cid) or self._find(self._loose, cid)
        if file is None:
            raise _Failed(f"block was not found locally (offline): ipld: could not find {cid}")
        content = await asyncio.to_thread(self._archive.content, file.content)
        return web.Response(body=content, content_type="text/plain", headers={"X-Stream-Output": "1"})

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"Keys": {cid: {"Type": "recursive", "Name": ""} for cid in self._pinned}})

    async def _unpin(self, request: web.Request) -> web.Response:
        file = self._find(self._pinned, _argument(request))
        if file is None:
            raise _Failed(_NOT_PINNED)
        self._loose[file.cid] = self._pinned.pop(file.cid)
        self._archive.delete(file)
        return web.json_response({"Pins": [file.cid]})

    async def _version(self, _request: web.Request) -> web.Response:
        if not self.quirks.has_version:
            raise web.HTTPNotFound
        return web.json_response(
            {"Version": "0.43.0", "Commit": "", "Repo": "18", "System": "amd64/linux", "Golang": "go1.25.7"}
        )

    @staticmethod
    def _find(some: dict[str, File], cid: Cid) -> File | None:
        return next((file for name, file in some.items() if parse(name).names_the_same_as(cid)), None)

    def name_kind(self, request: web.Request) -> str:
        """The command: `add`, `pin/rm`, `cat`, `version`, …"""
        return request.path.removeprefix("/api/v0/")

    async def answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=403, text=_DENIED)
        try:
            return await handler(request)
        except _Failed as error:
            return web.json_response({"Message": str(error), "Code": 0, "Type": "error"}, status=500)
        except web.HTTPMethodNotAllowed:
            return web.Response(status=405, text="405 - Method Not Allowed")
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found")


def _argument(request: web.Request) -> Cid:
    text = request.query.get("arg", "")
    try:
        return parse(text)
    except Refused as error:
        raise _Failed(f"invalid path {text!r}: path does not have enough components") from error


def _cid_of(content: bytes, shape: Shape) -> Cid:
    tree, whole = Tree(shape), memoryview(content)
    for start in range(0, len(content), shape.chunk):
        tree.add(leaf_of(whole[start : start + shape.chunk], shape.version))
    return tree.root()
