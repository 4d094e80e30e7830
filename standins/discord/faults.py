"""Everything that goes wrong between a bot and Discord, switched on by name and used up one request at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from standins.discord.state import Json


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request.

    `committed` says whether Discord has done what it was asked before things go wrong.
    """

    committed: bool = False
    status: int | None = None  # answer with this instead of the truth
    body: Json | str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    drop: bool = False  # close the connection without any answer
    delay: float = 0.0  # seconds before the answer
    until: asyncio.Event | None = None  # or until somebody says so
    disconnect: int | None = None  # close the gateway with this code
    moment: Literal["before", "after"] = "after"  # is the delay before or after the work is done


def lost_answer(status: int = 502) -> Fault:
    """Discord did it, and a proxy on the way back answered with an error page."""
    return Fault(committed=True, status=status, body="<html>Bad Gateway</html>")


def failing(status: int = 503) -> Fault:
    """Nothing was done."""
    return Fault(status=status, body={"message": f"{status}: Service Unavailable", "code": 0})


def dropped(*, committed: bool) -> Fault:
    """The connection closes with no answer, before or after the work was done."""
    return Fault(drop=True, committed=committed)


def rate_limited(retry_after: float = 0.1, *, everywhere: bool = False, cloudflare: bool = False) -> Fault:
    """429. `everywhere` is the global limit; `cloudflare` has no Via header, which discord.py takes for a ban."""
    scope = "global" if everywhere else "user"
    headers = {"Retry-After": str(max(1, round(retry_after))), "X-RateLimit-Scope": scope}
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    if cloudflare:
        return Fault(status=429, body="error code: 1015", headers=headers)
    body: Json = {"message": "You are being rate limited.", "retry_after": retry_after, "global": everywhere}
    return Fault(status=429, body=body, headers=headers | {"Via": "1.1 google"})


def expired_token() -> Fault:
    return Fault(status=401, body={"message": "Invalid Webhook Token", "code": 50027})


def unauthorized() -> Fault:
    return Fault(status=401, body={"message": "401: Unauthorized", "code": 0})


def forbidden(code: int = 50013) -> Fault:
    words = {50001: "Missing Access", 50007: "Cannot send messages to this user", 50013: "Missing Permissions"}
    return Fault(status=403, body={"message": words.get(code, "Forbidden"), "code": code})


def slow(seconds: float) -> Fault:
    """The work is done at once and the answer comes late."""
    return Fault(committed=True, delay=seconds)


def held(until: asyncio.Event, *, before: bool = False) -> Fault:
    """The answer (or, with `before`, the work too) waits for `until`: lateness without sleeping."""
    return Fault(committed=True, until=until, moment="before" if before else "after")


def disconnected(code: int = 4000) -> Fault:
    """For kinds of `gateway.<EVENT>`: the socket closes instead of carrying the event, which a RESUME replays."""
    return Fault(disconnect=code)


@dataclass(slots=True)
class _Waiting:
    on: str
    fault: Fault
    times: int


class Faults:
    """The faults that still wait for their request."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def switch_on(self, on: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` requests whose kind matches `on` ("message.create", "original.*", "*") meet a fault."""
        self._waiting.append(_Waiting(on, fault, times))

    def clear(self) -> None:
        self._waiting.clear()

    @property
    def left(self) -> int:
        """How many are still to come."""
        return sum(each.times for each in self._waiting)

    def take(self, kind: str) -> Fault | None:
        for each in self._waiting:
            if fnmatchcase(kind, each.on):
                each.times -= 1
                if not each.times:
                    self._waiting.remove(each)
                return each.fault
        return None
