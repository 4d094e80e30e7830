"""The moments at which a life may end: before and after everything that leaves a trace outside the process."""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

import aiohttp
from sqlalchemy import Engine, event
from web3.types import RPCEndpoint, RPCResponse
from yarl import URL

from bot.story.node.rpc import Node
from bot.workflows.registering.job import RegistrationJob
from bot.workflows.registering.verbs import Registrations
from storage.base import queue
from storage.base.jobs import Job
from storage.database import Connection, Database

PASSING_ON = {"Work.__call__", "_AsyncGeneratorContextManager.__aenter__"}
"""Functions that open a transaction for somebody else."""
_ANY = re.compile(r"/(\d{5,}|[^/]{24,})(?=/|$)")


class Moments:
    """Counts what happens under names such as "before POST /v1/flux-dev #1", and at the one named `at` sends `number`.

    Everything reached is written to `log`, a line each, so that it is known after a kill, too.
    """

    def __init__(self, at: str | None, number: signal.Signals, log: Path) -> None:
        self._at = at
        self._number = number
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._claimed = ""
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def reach(self, name: str) -> None:
        """Called from the event loop and from threads."""
        with self._lock:
            self._counts[name] += 1
            moment = f"{name} #{self._counts[name]}"
            os.write(self._log, f"{moment}\n".encode())
        if moment == self._at:
            os.kill(os.getpid(), self._number)
            while self._number is signal.SIGKILL:
                time.sleep(1)

    def install(self) -> None:
        """Put moments before and after commits, requests, fsyncs and renamings, and after each change of the schema."""
        self._watch_schema()
        self._watch_commits()
        self._watch_requests()
        self._watch_node()
        self._watch_files()

    def _watch_schema(self) -> None:
        @event.listens_for(Engine, "after_cursor_execute")
        def _executed(*execution: Any) -> None:  # pyright: ignore[reportUnusedFunction]
            words = execution[2].split()
            if words[0] in {"CREATE", "ALTER", "DROP"}:
                self.reach(f"after {' '.join(words[:3])}")

    def _watch_commits(self) -> None:
        """Named after who commits, and the step or the kind of job that it is about."""
        write, claim = Database.write, queue.claim

        @asynccontextmanager
        async def watched(database: Database, caller: FrameType) -> AsyncGenerator[Connection]:
            async with write(database) as connection:
                yield connection
                name = self._describe(caller)
                self.reach(f"before commit of {name}")
            self.reach(f"after commit of {name}")

        def named(database: Database) -> AbstractAsyncContextManager[Connection]:
            return watched(database, _opener(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]

        async def claimed(db: Connection, **asked: Any) -> Job | None:
            job = await claim(db, **asked)
            self._claimed = job.kind if job else "nothing"
            return job

        Database.write = named  # pyright: ignore[reportAttributeAccessIssue]
        queue.claim = claimed

    def _describe(self, caller: FrameType) -> str:
        who, variables = caller.f_code.co_qualname, caller.f_locals
        what = (
            self._claimed
            if who == "Worker._claim"
            else variables.get("name") or getattr(variables.get("job"), "kind", "")
        )
        return f"{who} {what}".strip()

    def _watch_requests(self) -> None:
        """An answer has come when its status has: the body may still be on its way."""
        request: Callable[..., Awaitable[Any]] = aiohttp.ClientSession._request  # pyright: ignore[reportPrivateUsage]

        async def watched(session: aiohttp.ClientSession, method: str, url: str | URL, **options: Any) -> Any:
            name = f"{method} {_ANY.sub('/*', URL(url).path)}"
            self.reach(f"before {name}")
            answer = await request(session, method, url, **options)
            self.reach(f"after {name}")
            return answer

        aiohttp.ClientSession._request = watched  # pyright: ignore

    def _watch_node(self) -> None:
        """What a chain's node is asked by who submits a registration and by its job, apart from what others ask."""
        ask, submit, register = Node.make_request, Registrations.submit, RegistrationJob.__call__
        asking: ContextVar[str] = ContextVar("asking", default="")

        async def asked(node: Node, method: RPCEndpoint, params: Any) -> RPCResponse:
            if not asking.get():
                return await ask(node, method, params)
            self.reach(f"before {method} of {asking.get()}")
            answer = await ask(node, method, params)
            self.reach(f"after {method} of {asking.get()}")
            return answer

        def named(name: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            async def run(*arguments: Any, **named: Any) -> Any:
                asking.set(name)
                return await work(*arguments, **named)

            return run

        Node.make_request = asked  # pyright: ignore[reportAttributeAccessIssue]
        Registrations.submit = named("a submission", submit)  # pyright: ignore[reportAttributeAccessIssue]
        RegistrationJob.__call__ = named("a registration", register)  # pyright: ignore[reportAttributeAccessIssue]

    def _watch_files(self) -> None:
        fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

        def synced(file: int) -> None:
            self.reach("before fsync")
            fsync(file)
            self.reach("after fsync")

        def replaced(path: Path, target: Path) -> Path:
            self.reach("before renaming")
            renamed = replace(path, target)
            self.reach("after renaming")
            return renamed

        reach = self.reach

        def unlinked(self: Path, missing_ok: bool = False) -> None:
            is_stored = len(self.name) == 64  # named after its SHA-256
            if is_stored:
                reach("before deletion of a file")
            unlink(self, missing_ok)
            if is_stored:
                reach("after deletion of a file")

        os.fsync = synced
        Path.unlink = unlinked
        Path.replace = replaced  # pyright: ignore


def _opener(frame: FrameType) -> FrameType:
    """Who wants the transaction that is being opened in this frame."""
    while frame.f_code.co_qualname in PASSING_ON and frame.f_back:
        frame = frame.f_back
    return frame
