"""Trouble of this machine is recognised, whatever raised it, and nothing else is."""

import contextlib
import errno
import re
import resource
import sqlite3
from collections.abc import Generator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import storage.database
from bot.errors import Broken, Lacking, MachineTrouble
from bot.http import client as http
from bot.http.client import Http, Reply
from bot.http.hosts import Hosts, origin
from bot.trouble import recognise, recognised
from storage.base import notes
from storage.database import READERS, open_database
from storage.media import Media
from tests.scenes.disk import full_disk, held_database


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "lacking"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), Lacking.ROOM),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Lacking.ROOM),
        (OSError(errno.EFBIG, "File too large"), Lacking.ROOM),
        (OSError(errno.EMFILE, "Too many open files"), Lacking.FILES),
        (OSError(errno.ENFILE, "Too many open files in system"), Lacking.FILES),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), Lacking.MEMORY),
        (OSError(errno.EIO, "Input/output error"), Lacking.DISK),
        (OSError(errno.EROFS, "Read-only file system"), Lacking.DISK),
        (PermissionError(errno.EACCES, "Permission denied", "/data/media"), Lacking.DISK),
        (MemoryError(), Lacking.MEMORY),
        (RuntimeError("can't start new thread"), Lacking.MEMORY),
        (sqlite_error(sqlite3.SQLITE_BUSY), Lacking.DATABASE),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Lacking.DATABASE),
        (sqlite_error(sqlite3.SQLITE_LOCKED), Lacking.DATABASE),
        (sqlite_error(sqlite3.SQLITE_FULL), Lacking.ROOM),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), Lacking.DISK),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), Lacking.DISK),
        (OperationalError("SELECT 1", {}, sqlite_error(sqlite3.SQLITE_BUSY)), Lacking.DATABASE),
        (PoolTimeout("QueuePool limit of size 5 reached"), Lacking.DATABASE),
    ],
)
def test_what_this_machine_lacks_is_recognised(error: Exception, lacking: Lacking) -> None:
    assert (trouble := recognise(error)) is not None
    assert trouble.lacking is lacking
    wrapped = Broken("It could not be kept.")
    wrapped.__cause__ = error
    assert (caused := recognise(wrapped)) is not None
    assert caused.lacking is lacking


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a bug"),
        OSError("without a number"),
        FileNotFoundError(errno.ENOENT, "No such file", "/data/x"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        PermissionError(errno.EACCES, "a firewall's word"),
        aiohttp.ClientOSError(errno.ECONNRESET, "Connection reset by peer"),
        RuntimeError("Session is closed"),
        sqlite_error(sqlite3.SQLITE_ERROR),
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")),
    ],
)
def test_other_errors_are_not(error: Exception) -> None:
    assert recognise(error) is None
    with pytest.raises(type(error)), recognised():
        raise error


async def test_a_full_disk_is_recognised_by_the_database_and_by_the_files(tmp_path: Path) -> None:
    database, media = await open_database(tmp_path / "bot.db"), Media(tmp_path / "media")
    try:
        with full_disk():
            with pytest.raises(MachineTrouble) as of_database:
                async with database.write() as db:
                    await notes.save(db, "a", "b")
            with pytest.raises(MachineTrouble) as of_files, recognised():
                await media.store(b"a picture")
        assert of_files.value.lacking is Lacking.ROOM
        assert of_database.value.lacking in {Lacking.ROOM, Lacking.DISK}
        async with database.write() as db:
            await notes.save(db, "a", "b")
        assert await media.read(await media.store(b"a picture")) == b"a picture"
    finally:
        await database.close()


async def test_a_database_without_pages_left_is_a_full_disk(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "bot.db")
    try:
        async with database.write() as db:
            pages = (await db.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(MachineTrouble) as full, recognised():
                await notes.save(db, "long", "x" * 100_000)
        assert full.value.lacking is Lacking.ROOM
    finally:
        await database.close()


async def test_a_database_that_another_program_holds_is_busy_and_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.database, "BUSY", 20)
    database = await open_database(tmp_path / "bot.db")
    try:
        with held_database(tmp_path / "bot.db"), pytest.raises(MachineTrouble) as busy:
            async with database.write() as db:
                await notes.save(db, "a", "b")
        assert busy.value.lacking is Lacking.DATABASE
    finally:
        await database.close()


async def test_connections_that_are_all_taken_are_waited_for_and_no_bug(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "bot.db")
    engine = database._engine  # pyright: ignore[reportPrivateUsage]
    engine.sync_engine.pool._timeout = 0.05  # pyright: ignore # of QueuePool: 30 s otherwise
    held = [await engine.connect() for _ in range(READERS + 1)]
    try:
        with pytest.raises(MachineTrouble) as none_free:
            async with database.read():
                pass
        assert none_free.value.lacking is Lacking.DATABASE
    finally:
        for connection in held:
            await connection.close()
        await database.close()


@contextlib.contextmanager
def no_free_file() -> Generator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_process_without_a_free_file_says_so(tmp_path: Path) -> None:
    media = Media(tmp_path / "media")
    stored = await media.store(b"a picture")
    with no_free_file(), pytest.raises(MachineTrouble) as none_free, recognised():
        await media.read(stored)
    assert none_free.value.lacking is Lacking.FILES


async def test_an_order_for_which_no_connection_can_be_opened_was_not_sent() -> None:
    async with TestServer(web.Application()) as server, http.session() as session:
        address = origin(str(server.make_url("/")))
        service = Http(session, name="The image service", hosts=Hosts(re.compile("nowhere"), named=[address]))
        with no_free_file(), pytest.raises(MachineTrouble) as none_free:
            await service.post(f"{address}/order", {}, reply=Reply, pays=True)
    assert none_free.value.lacking is Lacking.FILES
