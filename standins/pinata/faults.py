"""The trouble that is Pinata's own; the others are those of `standins.base.faults`."""

from aiohttp import web

from standins.base.faults import Handler, Trouble


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
