"""Requests in, answers out: bodies, the log, faults, rate limits and Discord's way of saying no."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from standins.base.faults import Fault, HungUp, take_trouble
from standins.discord.rest.schema import Schemas
from standins.discord.rules import FILE_LIMIT, REQUEST_LIMIT, Rejected, invalid, refuse, too_large
from standins.discord.state import File, Json
from standins.discord.world import Request, World

_log = logging.getLogger(__name__)
_JSON = "application/json"
JSON_TYPE = {"Content-Type": _JSON}  # exactly: with a charset, discord.py leaves the body a string


@dataclass(slots=True)
class Call:
    """One request, read to its end."""

    path: dict[str, str]
    query: dict[str, str]
    body: Json | list[Json]
    files: Sequence[File]
    received_at: float

    @property
    def json(self) -> Json:
        if isinstance(self.body, list):
            raise invalid("_body", "Only a JSON object fits here.")
        return self.body


Answer = Json | list[Json] | None
Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rate limit of message posts in one channel: `limit` in each `window` seconds."""

    limit: int
    window: float


class Front:
    """Serves handlers over HTTP. A handler is a plain function: it has happened, or it has not."""

    def __init__(
        self,
        world: World,
        faults: list[Fault],
        *,
        token: str | None,
        keep_bytes: int,
        keep_requests: bool,
        schemas: Schemas | None,
        bucket: Bucket | None,
    ) -> None:
        self._world, self._faults, self._schemas, self._bucket = world, faults, schemas, bucket
        self._authorization = f"Bot {token}" if token is not None else None
        self._keep_bytes, self._keep_requests = keep_bytes, keep_requests
        self._windows: dict[str, tuple[float, int]] = {}  # channel: start of the window, used in it

    def add(self, app: web.Application, method: str, path: str, kind: str, handler: Handler) -> None:
        app.router.add_route(method, f"/api/v10{path}", partial(self._serve, kind, handler))

    async def _serve(self, kind: str, handler: Handler, request: web.Request) -> web.StreamResponse:
        log = Request(kind, request.method, request.path, self._world.clock())
        self._world.requests.append(log)
        raw = await self._read(request, log)
        trouble = take_trouble(self._faults, kind) if raw is not None else None
        answer = partial(self._answer, handler, log, raw)
        response = await (trouble(request, answer) if trouble else answer(request))
        log.status = 0 if isinstance(response, HungUp) else response.status
        if trouble and log.status >= 400 and isinstance(response, web.Response) and response.content_type == _JSON:
            log.code = json.loads(response.text or "{}").get("code", 0)
        self._world.changed()
        return response

    async def _answer(
        self, handler: Handler, log: Request, raw: bytearray | None, request: web.Request
    ) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            if raw is None:
                raise too_large()
            self._authorize(log.kind, request)
            if log.kind == "message.create":
                headers = self._spend(request.match_info["channel"])
            body, files = self._parse(request, raw)
            log.body = body if self._keep_requests else None
            if self._schemas:
                self._schemas.check(log.kind, body)
            call = Call(dict(request.match_info), dict(request.query), body, files, log.received_at)
            answer = handler(call)
            log.committed = True
            return _answer(answer, headers)
        except Rejected as refusal:
            log.code = refusal.code
            return _json(refusal.payload(), refusal.status, headers | _limit_headers(refusal))
        except (KeyError, TypeError, ValueError) as error:  # a body of the wrong shape, or a mistake in here
            _log.exception("%s %s", request.method, request.path)
            log.code = 50035
            return _json(invalid("_body", repr(error)).payload(), 400, headers)

    def _authorize(self, kind: str, request: web.Request) -> None:
        by_token = kind.startswith(("callback", "original.", "followup.", "gateway"))
        if self._authorization and not by_token and request.headers.get("Authorization") != self._authorization:
            refuse(401, 0, "401: Unauthorized")

    def _spend(self, channel: str) -> dict[str, str]:
        """Count one post in its channel's window, and say what is left of it."""
        if not self._bucket:
            return {}
        now = self._world.clock()
        start, used = self._windows.get(channel, (now, 0))
        if now - start >= self._bucket.window:
            start, used = now, 0
        after = start + self._bucket.window - now
        if used >= self._bucket.limit:
            raise RateLimited(after)
        self._windows[channel] = (start, used + 1)
        return {
            "X-RateLimit-Bucket": "messages",
            "X-RateLimit-Limit": str(self._bucket.limit),
            "X-RateLimit-Remaining": str(self._bucket.limit - used - 1),
            "X-RateLimit-Reset": f"{now + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
        }

    async def _read(self, request: web.Request, log: Request) -> bytearray | None:
        """The whole body, or None when it is longer than Discord takes."""
        raw = bytearray()
        async for chunk in request.content.iter_any():
            log.size += len(chunk)
            if log.size <= REQUEST_LIMIT:
                raw += chunk
        return raw if log.size <= REQUEST_LIMIT else None

    def _parse(self, request: web.Request, raw: bytearray) -> tuple[Json | list[Json], list[File]]:
        if not raw:
            return {}, []
        # Read by hand: `request.content_type` parses like an e-mail and would cost more than all the rest.
        content_type = request.headers.get("Content-Type", "")
        if not content_type.startswith("multipart/form-data"):
            return _loads(bytes(raw)), []
        boundary = re.search(r'boundary="?([^";]+)', content_type)
        if not boundary:
            raise invalid("_body", "no multipart boundary")
        body: Json | list[Json] = {}
        files: list[File] = []
        for name, filename, kind, start, end in _parts(raw, boundary[1].encode()):
            if name == "payload_json":
                body = _loads(bytes(raw[start:end]))
            elif indexed := re.fullmatch(r"files\[(\d+)\]", name):
                if end - start > FILE_LIMIT:
                    raise too_large()
                with memoryview(raw)[start:end] as view:
                    digest = hashlib.sha256(view).hexdigest()
                    content = bytes(view) if end - start <= self._keep_bytes else None
                files.append(File(filename, kind, end - start, digest, content, int(indexed[1])))
        return body, files


class RateLimited(Rejected):
    def __init__(self, retry_after: float) -> None:
        super().__init__(429, 0, "You are being rate limited.")
        self.retry_after = retry_after

    def payload(self) -> Json:
        return {"message": self.message, "retry_after": round(self.retry_after, 3), "global": False}


def _limit_headers(refusal: Rejected) -> dict[str, str]:
    if not isinstance(refusal, RateLimited):
        return {}
    return {
        "Via": "1.1 google",
        "Retry-After": str(max(1, round(refusal.retry_after))),
        "X-RateLimit-Scope": "user",
        "X-RateLimit-Bucket": "messages",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": f"{refusal.retry_after:.3f}",
    }


def _loads(raw: bytes) -> Json | list[Json]:
    try:
        return json.loads(raw)
    except ValueError:
        raise Rejected(400, 50109, "The request body contains invalid JSON.") from None


def _parts(raw: bytearray, boundary: bytes) -> list[tuple[str, str, str, int, int]]:
    """Name, filename, type and extent of every part: no byte of a file is copied to find it."""
    parts: list[tuple[str, str, str, int, int]] = []
    marker = b"--" + boundary
    at = raw.find(marker) + len(marker)
    while raw.startswith(b"\r\n", at):
        start = raw.find(b"\r\n\r\n", at) + 4
        end = raw.find(b"\r\n" + marker, start)
        if start < 4 or end < 0:
            raise invalid("_body", "malformed multipart body")
        head = raw[at:start].decode("utf-8", "replace")
        name = re.search(r'\bname="([^"]*)"', head)
        filename = re.search(r'\bfilename="((?:[^"\\]|\\.)*)"', head)
        content_type = re.search(r"(?i)content-type: *([^\r\n]+)", head)
        parts.append(
            (
                name[1] if name else "",
                re.sub(r"\\(.)", r"\1", filename[1]) if filename else "",
                content_type[1] if content_type else "application/octet-stream",
                start,
                end,
            )
        )
        at = end + 2 + len(marker)
    return parts


def _json(body: Json | list[Json], status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, headers=JSON_TYPE | headers)


def _answer(answer: Answer, headers: dict[str, str]) -> web.Response:
    return web.Response(status=204, headers=headers) if answer is None else _json(answer, 200, headers)
