"""What can go wrong with a node, to switch on.

    chain.faults.append(Fault("eth_sendRawTransaction", loses_the_answer()))
    chain.faults.append(Fault("eth_getTransactionCount", changes(lambda nonce: hex(int(nonce, 16) - 1)), times=3))

A trouble befalls the HTTP request (a batch is one request), a `Twist` the answer to one call in it. What can go wrong
with the chain itself is done by `ChainServer`'s verbs: drop, reorg, replace, and so on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from standins.base.faults import Handler, Inside, Trouble, answers
from standins.chain.ledger.transactions import Refusal

_BUSY = {"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "rate limit exceeded"}}


@dataclass(frozen=True)
class Twist(Inside):
    """Something that changes the answer to one call: given the true one, it gives another, or raises a Refusal."""

    change: Callable[[Any], Any]


def busy(*, retry_after: float | None = None) -> Trouble:
    """Refuse with a 429, as a hosted node does."""
    return answers(429, json.dumps(_BUSY), content_type="application/json", retry_after=retry_after)


def unavailable(*, retry_after: float | None = None) -> Trouble:
    """Refuse with the 503 of a load balancer."""
    return answers(503, retry_after=retry_after)


def errors(status: int, message: str, *, code: int = -32000, data: str | None = None) -> Trouble:
    """Do nothing, and answer with this error of JSON-RPC and this status of HTTP, as some nodes and proxies do."""

    async def trouble(request: web.Request, _handler: Handler) -> web.StreamResponse:
        asked: Any = json.loads(await request.read())
        error: dict[str, Any] = {"code": code, "message": message} | ({"data": data} if data is not None else {})
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": error}, status=status)

    return trouble


def says(result: Any) -> Twist:
    """Answer this: another chain's id, an old nonce."""
    return Twist(lambda _true: result)


def changes(change: Callable[[Any], Any]) -> Twist:
    """Answer what `change` makes of the true answer."""
    return Twist(change)


def refuses(message: str, *, code: int = -32000) -> Twist:
    """Do what was asked, and answer with this error."""

    def refuse(_true: Any) -> Any:
        raise Refusal(message, code=code)

    return Twist(refuse)


def reverses_logs() -> Twist:
    """Give the logs of a receipt, or of a search, from the last to the first."""

    def turned(true: Any) -> Any:
        if isinstance(true, list):
            return true[::-1]  # pyright: ignore[reportUnknownVariableType]
        return {**true, "logs": true["logs"][::-1]} if true else true

    return Twist(turned)


def swaps_answers() -> Trouble:
    """Answer a batch from the last call to the first, which JSON-RPC allows."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        assert isinstance(response, web.Response)
        answer = json.loads(response.text or "null")
        return web.json_response(answer[::-1] if isinstance(answer, list) else answer)

    return trouble
