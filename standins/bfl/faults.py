"""What can go wrong with the service, to switch on.

    server.faults.append(Fault("submit", answers(429, retry_after=60)))
    server.faults.append(Fault("poll", rewrites(status="Task not found", result=None), times=3))

A trouble stands between the request and the real handler: it may answer itself, spoil the handler's answer, or hang up.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from aiohttp import web

Kind = Literal["submit", "train", "poll", "sample", "credits", "other"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Trouble = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

_BUSY = {"detail": "Too many active tasks. Please wait for some of them to finish."}
_GATEWAY = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)
_REASONS = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out"}


@dataclass
class Fault:
    """A trouble that befalls the next `times` requests of one kind, or only those whose path contains `path`."""

    at: Kind
    trouble: Trouble
    times: int = 1
    path: str = ""

    def meets(self, kind: Kind, path: str) -> bool:
        """Whether it befalls this request."""
        return self.times > 0 and kind == self.at and self.path in path


def answers(
    status: int,
    body: str | bytes | dict[str, Any] | None = None,
    *,
    content_type: str | None = None,
    retry_after: float | str | None = None,
) -> Trouble:
    """Answer this instead; without a body, what the service says with that status."""
    text, kind = (body, content_type) if body is not None else _usual(status)

    async def trouble(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        raw = json.dumps(text) if isinstance(text, dict) else text
        response = web.Response(status=status, body=raw.encode() if isinstance(raw, str) else raw)
        response.content_type = kind or ("application/json" if isinstance(text, dict) else "text/plain")
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    return trouble


def malformed() -> Trouble:
    """Answer with JSON that breaks off."""
    return answers(200, '{"id": "6fc5e628', content_type="application/json")


def html(status: int = 200) -> Trouble:
    """Answer with a web page, as something between us and the service may."""
    return answers(status, "<!DOCTYPE html><title>Just a moment...</title>", content_type="text/html")


def giant_refusal(size: int = 8_000_000) -> Trouble:
    """Refuse with a 422 that echoes a request of `size` bytes."""
    detail = {
        "type": "value_error",
        "loc": ["body", "image"],
        "msg": "Value error, Invalid base64 image",
        "input": {"prompt": "a secret prompt", "image": "A" * size},
        "ctx": {},
        "url": "https://errors.pydantic.dev/2.10/v/value_error",
    }
    return answers(422, {"detail": [detail]})


def redirects(location: str, status: int = 307) -> Trouble:
    """Send the client elsewhere."""

    async def trouble(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location})

    return trouble


def hangs_up() -> Trouble:
    """Reset the connection before the request is read: nothing happened."""

    async def trouble(request: web.Request, _handler: Handler) -> web.StreamResponse:
        return _hang_up(request)

    return trouble


def loses_the_answer() -> Trouble:
    """Do what was asked, then drop the connection: it happened, and nobody was told."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        await handler(request)
        return _hang_up(request)

    return trouble


def waits(until: Callable[[], Awaitable[object]]) -> Trouble:
    """Do what was asked, and answer only after `until()`, such as an event's `wait`."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
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
        if request.transport:
            request.transport.close()
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
            pass  # the client has seen enough, which is right
        return response

    return trouble


async def _body(request: web.Request, handler: Handler) -> bytes:
    response = await handler(request)
    return cast("bytes", cast("web.Response", response).body)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _usual(status: int) -> tuple[str | dict[str, Any], str]:
    if status == 500:
        return "Internal Server Error", "text/plain"
    if status in _REASONS:
        return _GATEWAY.format(_REASONS[status]), "text/html"
    return (_BUSY if status == 429 else {"detail": "Error"}), "application/json"
