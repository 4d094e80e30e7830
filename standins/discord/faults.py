"""What can go wrong between a bot and Discord; the other troubles are those of `standins.base.faults`.

discord.faults.append(Fault("message.create", lost_answer()))
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from standins.base.faults import Handler, Inside, Trouble, answers, fails_after, hang_up, waits


@dataclass(frozen=True)
class Disconnect(Inside):
    """The socket closes with this code instead of carrying the event, which a RESUME replays."""

    code: int


def disconnected(code: int = 4000) -> Disconnect:
    """For kinds of `gateway.<EVENT>`."""
    return Disconnect(code)


def lost_answer(status: int = 502) -> Trouble:
    """Discord did it, and a proxy on the way back answered with an error page."""
    return fails_after(status)


def failing(status: int = 503) -> Trouble:
    """Nothing was done."""
    return answers(status, {"message": f"{status}: Service Unavailable", "code": 0})


def dropped(*, committed: bool) -> Trouble:
    """The connection closes with no answer, before or after the work was done."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        if committed:
            await handler(request)
        return hang_up(request, reset=False)

    return trouble


def rate_limited(retry_after: float = 0.1, *, everywhere: bool = False, cloudflare: bool = False) -> Trouble:
    """429. `everywhere` is the global limit; `cloudflare` has no Via header, which discord.py takes for a ban."""
    headers = {"X-RateLimit-Scope": "global" if everywhere else "user"}
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    wait = max(1, round(retry_after))
    if cloudflare:
        return answers(429, "error code: 1015", content_type="text/html", retry_after=wait, headers=headers)
    body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": everywhere}
    return answers(429, body, retry_after=wait, headers=headers | {"Via": "1.1 google"})


def expired_token() -> Trouble:
    return answers(401, {"message": "Invalid Webhook Token", "code": 50027})


def unauthorized() -> Trouble:
    return answers(401, {"message": "401: Unauthorized", "code": 0})


def forbidden(code: int = 50013) -> Trouble:
    words = {50001: "Missing Access", 50007: "Cannot send messages to this user", 50013: "Missing Permissions"}
    return answers(403, {"message": words.get(code, "Forbidden"), "code": code})


def slow(seconds: float) -> Trouble:
    """The work is done at once and the answer comes so many seconds later."""
    return waits(lambda: asyncio.sleep(seconds))


def held(until: asyncio.Event, *, before: bool = False) -> Trouble:
    """The answer (or, with `before`, the work too) waits for `until`: lateness without sleeping."""
    return waits(until.wait, before=before)
