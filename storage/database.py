"""One SQLite file, written by one process; its queries live in a module a table beside this one."""

import asyncio
import fcntl
import warnings
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from sqlalchemy import event, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import Broken, Refused
from bot.trouble import recognised
from storage.migrations import upgrade

Connection = AsyncConnection

BUSY = 10_000
"""Milliseconds for which a statement waits for another program that holds the database."""
READERS = 4
"""Connections for reading beside the one that writes: SQLite's WAL lets them go on during a write."""


class NestedConnection(RuntimeWarning):
    """Somebody who holds a connection asks for another one.

    There are a few for all: as many holders as there are connections would wait for each other, and everything else for
    them. The tests make an error of it. A running bot says once for each place where it happens, and goes on: most of
    the time there is a free one.
    """


@dataclass(eq=False)
class _Hold:
    """A connection in use. Tasks that its holder starts know of it, too: the holder may wait for them."""

    database: "Database"
    task: object
    writes: bool
    is_open: bool = True


_hold: ContextVar[_Hold | None] = ContextVar("_hold", default=None)


class Database:
    """Connections to the bot's tables. Who holds one asks for no other, and waits for nothing but the database.

    SQLite has one writer at a time, so writing transactions queue on a lock of this process instead of
    on SQLite's busy handler, which would sleep and be unfair.
    """

    def __init__(self, engine: AsyncEngine, lock: IO[bytes] | None = None) -> None:
        self._engine = engine
        self._file_lock = lock
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[Connection]:
        """One transaction that writes; committed (and on the disk) when the block ends, else rolled back.

        Raises:
            MachineTrouble: the disk is full, another program holds the database, or no connection was free in time.
        """
        with recognised(), self._holding(writes=True):
            async with self._writing, self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Connection]:
        """One consistent view of the tables.

        Raises:
            MachineTrouble: as `write`.
        """
        with recognised(), self._holding(writes=False):
            async with self._engine.connect() as connection, connection.begin():
                yield connection

    @contextmanager
    def _holding(self, *, writes: bool) -> Generator[None]:
        """Note that the present task holds a connection until the block ends.

        Raises:
            RuntimeError: it writes already, and would wait for itself for ever.
        """
        outer = _hold.get()
        if outer is not None and outer.is_open and outer.database is self:
            if writes and outer.writes and outer.task is asyncio.current_task():
                raise RuntimeError("A transaction that writes was opened inside another one.")
            warnings.warn("A connection is asked for while one is held.", NestedConnection, stacklevel=5)
        hold = _Hold(self, asyncio.current_task(), writes)
        _hold.set(hold)
        try:
            yield
        finally:
            hold.is_open = False
            _hold.set(outer)

    async def close(self) -> None:
        await self._engine.dispose()
        if self._file_lock is not None:
            self._file_lock.close()


async def open_database(path: Path) -> Database:
    """Open (or create) the database, brought to the newest schema.

    Raises:
        Broken: another process has it open, or it was written by a newer bot.
    """
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    lock = await asyncio.to_thread(_lock, path.with_suffix(".lock"))
    try:
        await asyncio.to_thread(upgrade, path)
    except BaseException:
        lock.close()
        raise
    return Database(_engine(path), lock)


def open_to_read(path: Path) -> Database:
    """Look into a database beside a bot that runs on it. Nothing can be written.

    Raises:
        Refused: there is none.
    """
    if not path.exists():
        raise Refused(f"There is no database at {path} yet: the bot makes it at its first start.")
    return Database(create_async_engine(f"sqlite+aiosqlite:///file:{path.absolute()}?mode=ro&uri=true"))


def is_locked(path: Path) -> bool:
    """Whether a bot runs on the database at this moment."""
    lock = path.with_suffix(".lock")
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _lock(path: Path) -> IO[bytes]:
    """Keep a second bot off the file: both would take up the same jobs.

    Raises:
        Broken: another process holds the lock.
    """
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise Broken(f"Another bot is running on {path.parent}. Stop it first, or set another DATA_DIR.") from error
    return file


def _engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=READERS + 1, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # the driver's own BEGIN comes too late for a consistent read
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


_statement = lru_cache(maxsize=256)(text)
"""SQLAlchemy parses each query once, which takes 30 µs; there are some dozens of them."""


async def rows(connection: Connection, sql: str, parameters: Mapping[str, object]) -> Sequence[RowMapping]:
    """Every row of the answer."""
    return (await connection.execute(_statement(sql), parameters)).mappings().all()


async def row(connection: Connection, sql: str, parameters: Mapping[str, object]) -> RowMapping | None:
    """The first row of the answer, or None."""
    return (await connection.execute(_statement(sql), parameters)).mappings().first()


async def change(connection: Connection, sql: str, parameters: Mapping[str, object]) -> int:
    """How many rows were changed."""
    return (await connection.execute(_statement(sql), parameters)).rowcount
