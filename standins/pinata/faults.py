"""What can go wrong with a pinning service, to switch on; the other troubles are those of `standins.bfl.faults`.

server.faults.append(Fault("upload", fails_after(502)))
"""

from dataclasses import dataclass

from aiohttp import web

from standins.bfl.faults import Handler, Trouble, answers


@dataclass
class Fault:
    """A trouble that befalls the next `times` requests of one kind (`Received.kind`)."""

    at: str
    trouble: Trouble
    times: int = 1


def fails_after(status: int) -> Trouble:
    """Do what was asked, and answer that it failed."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        await handler(request)
        return await answers(status)(request, handler)

    return trouble


def rate_limits(reset: float) -> Trouble:
    """Answer 429, and when the limit ends, Unix seconds."""

    async def trouble(_request: web.Request, _handler: Handler) -> web.StreamResponse:
        return too_many(reset, limit=60)

    return trouble


def too_many(reset: float, *, limit: int) -> web.Response:
    """The answer of a service that was asked too often."""
    headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(reset))}
    body = {"error": {"reason": "RATE_LIMIT_EXCEEDED", "details": "Rate limit exceeded"}}
    return web.json_response(body, status=429, headers=headers)
