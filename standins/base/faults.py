"""What can go wrong between a request and its answer, to switch on.

    server.faults.append(Fault("submit", answers(429, retry_after=60)))
    server.faults.append(Fault("poll", rewrites(status="Task not found", result=None), times=3))

A trouble stands between the request and the real handler: it may answer itself, spoil the handler's answer, or hang up.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar, cast

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Trouble = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

_BUSY = {"detail": "Too many active tasks. Please wait for some of them to finish."}
_GATEWAY = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)
_REASONS = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out"}


class Inside:
    """A trouble that meets something else than an HTTP request; the stand-in that has it says what."""


@dataclass
class Fault:
    """A trouble that befalls the next `times` requests of one kind, or only those whose path contains `path`.

    `at` may be a pattern: "message.*" is any kind that begins so, "*" is any kind at all.
    """

    at: str
    trouble: Trouble | Inside
    times: int = 1
    path: str = ""

    def meets(self, kind: str, path: str) -> bool:
        """Whether it befalls this request."""
        return self.times > 0 and fnmatchcase(kind, self.at) and self.path in path


S = TypeVar("S", bound=Inside)


def take_trouble(faults: list[Fault], *kinds: str, path: str = "") -> Trouble | None:
    """The first trouble that befalls a request, which may be of several kinds; that uses it up once."""
    for fault in faults:
        if not isinstance(fault.trouble, Inside) and any(fault.meets(kind, path) for kind in kinds):
            _use_up(faults, fault)
            return fault.trouble
    return None


def take_inside(faults: list[Fault], kind: str, of: type[S]) -> S | None:
    """The first trouble of this type that befalls such a thing; that uses it up once."""
    for fault in faults:
        if isinstance(fault.trouble, of) and fault.meets(kind, ""):
            _use_up(faults, fault)
            return fault.trouble
    return None


def _use_up(faults: list[Fault], fault: Fault) -> None:
    fault.times -= 1
    faults[:] = [each for each in faults if each.times > 0]


class HungUp(web.Response):
    """A response that is never sent, since the connection is closed."""


def answers(
    status: int,
    body: str | bytes | dict[str, Any] | None = None,
    *,
    content_type: str | None = None,
    retry_after: float | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Trouble:
    """Answer this instead; without a body, what such services answer with that status."""
    text, kind = (body, content_type) if body is not None else _usual(status)

    async def trouble(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        raw = json.dumps(text) if isinstance(text, dict) else text
        response = web.Response(status=status, body=raw.encode() if isinstance(raw, str) else raw, headers=headers)
        response.content_type = kind or ("application/json" if isinstance(text, dict) else "text/plain")
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    return trouble


def fails_after(status: int, body: str | bytes | dict[str, Any] | None = None) -> Trouble:
    """Do what was asked, and answer that it failed."""
    failure = answers(status, body)

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        await handler(request)
        return await failure(request, handler)

    return trouble


def malformed() -> Trouble:
    """Answer with JSON that breaks off."""
    return answers(200, '{"id": "6fc5e628', content_type="application/json")


def html(status: int = 200) -> Trouble:
    """Answer with a web page, as something between us and the service may."""
    return answers(status, "<!DOCTYPE html><title>Just a moment...</title>", content_type="text/html")


def redirects(location: str, status: int = 307) -> Trouble:
    """Send the client elsewhere."""

    async def trouble(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location})

    return trouble


def hangs_up() -> Trouble:
    """Reset the connection before the request is read: nothing happened."""

    async def trouble(request: web.Request, _handler: Handler) -> web.StreamResponse:
        return hang_up(request)

    return trouble


def loses_the_answer() -> Trouble:
    """Do what was asked, then reset the connection: it happened, and the client does not know."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        await handler(request)
        return hang_up(request)

    return trouble


def waits(until: Callable[[], Awaitable[object]], *, before: bool = False) -> Trouble:
    """Do what was asked, and answer only after `until()`, such as an event's `wait`; with `before`, wait first."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        if before:
            await until()
        response = await handler(request)
        if not before:
            await until()
        return response

    return trouble


def rewrites(**fields: Any) -> Trouble:
    """Change fields of the JSON in the answer; `...` leaves one out."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer: dict[str, Any] = {**json.loads(await _body(request, handler)), **fields}
        return web.json_response({name: value for name, value in answer.items() if value is not ...})

    return trouble


def truncates(keep: float = 0.5) -> Trouble:
    """Promise the whole body, send a share of it, drop the connection."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await _body(request, handler)
        response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "image/jpeg"})
        await response.prepare(request)
        await response.write(body[: int(len(body) * keep)])
        await asyncio.sleep(0)
        hang_up(request, reset=False)
        return response

    return trouble


def corrupts() -> Trouble:
    """Send half of a picture and say that it is all: it looks like one until it is decoded to its end."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await _body(request, handler)
        return web.Response(body=body[: len(body) // 2], content_type="image/jpeg")

    return trouble


def floods(size: int, *, announced: bool = False) -> Trouble:
    """Send `size` bytes that begin like a picture, with or without saying how many there will be."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await _body(request, handler)
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        if announced:
            response.content_length = size
        await response.prepare(request)
        block = body[:1] * 65536
        try:
            await response.write(body[:size])
            for start in range(len(body), size, len(block)):
                await response.write(block[: size - start])
        except ConnectionError:
            pass  # the client has read enough, which is right
        return response

    return trouble


def hang_up(request: web.Request, *, reset: bool = True) -> HungUp:
    """Close the connection without an answer; without `reset`, after what was written has left."""
    if request.transport:
        (request.transport.abort if reset else request.transport.close)()
    return HungUp()


async def _body(request: web.Request, handler: Handler) -> bytes:
    response = await handler(request)
    return cast("bytes", cast("web.Response", response).body)


def _usual(status: int) -> tuple[str | dict[str, Any], str]:
    if status == 500:
        return "Internal Server Error", "text/plain"
    if status in _REASONS:
        return _GATEWAY.format(_REASONS[status]), "text/html"
    return (_BUSY if status == 429 else {"detail": "Error"}), "application/json"
