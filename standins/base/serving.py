"""A stand-in as an HTTP server on this machine: it writes down what it is asked, and lets faults befall requests."""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from aiohttp import web

from standins.base.faults import Fault, Handler, take_trouble

HOST = "127.0.0.1"
BACKLOG = 2048  # connections: with less, a burst of 500 waits a second for its SYN to be sent again


@dataclass(frozen=True)
class Received:
    """A request that came in."""

    kind: str  # the stand-in's word, which faults are switched on for: submit, poll, upload, …
    method: str
    host: str
    path: str
    query: str
    key: str | None  # the header that bears the key; only where a key belongs should it ever come
    content_type: str


class Standin:
    """A service on this machine. `requests` is what it was asked; `faults` is what it gets wrong next."""

    key_header: ClassVar = "Authorization"

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.requests: deque[Received] = deque(maxlen=100_000)

    def name_kind(self, request: web.Request) -> str:
        """The kind of a request."""
        raise NotImplementedError

    async def answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        """Answer a request as the service does, refusals and unknown paths too."""
        raise NotImplementedError

    @web.middleware
    async def receive(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The middleware of the stand-in's app."""
        kind, key = self.name_kind(request), request.headers.get(self.key_header)
        address = (request.host, request.path, request.query_string)
        self.requests.append(Received(kind, request.method, *address, key, request.content_type))
        answer = partial(self.answer, handler)
        trouble = take_trouble(self.faults, kind, path=request.path)
        return await (trouble(request, answer) if trouble else answer(request))


@asynccontextmanager
async def serve_on_loopback(app: web.Application, port: int = 0) -> AsyncGenerator[str]:
    """Serve on this port (0: a free one) until the block ends; gives the origin.

    A handler whose client is gone goes on, since a real service does what it was asked, too.

    Raises:
        OSError: another program has the port.
    """
    runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, backlog=BACKLOG).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
