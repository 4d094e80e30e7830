"""Recognises trouble of this machine: no room, no memory, no free file or thread, a database that is held."""

import errno
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import BotError, Lacking, MachineTrouble

_SENTENCES = {
    Lacking.ROOM: "The disk of the bot's machine is full.",
    Lacking.DISK: "The disk of the bot's machine cannot be written or read just now.",
    Lacking.MEMORY: "The bot's machine is short of memory.",
    Lacking.FILES: "The bot's machine has too many files open.",
    Lacking.DATABASE: "The bot's database is busy just now.",
}
_ERRNOS = {
    errno.ENOSPC: Lacking.ROOM,
    errno.EDQUOT: Lacking.ROOM,
    errno.EFBIG: Lacking.ROOM,  # of a process whose files may not grow any more (RLIMIT_FSIZE)
    errno.EIO: Lacking.DISK,
    errno.EROFS: Lacking.DISK,
    errno.ESTALE: Lacking.DISK,
    errno.EMFILE: Lacking.FILES,
    errno.ENFILE: Lacking.FILES,
    errno.ENOMEM: Lacking.MEMORY,
    errno.EAGAIN: Lacking.MEMORY,  # no further process or thread
}
_OF_FILES = {errno.EACCES: Lacking.DISK, errno.EPERM: Lacking.DISK}
"""Of a socket they mean a firewall; with the name of a file, that an admin has to give the folder back."""
_SQLITE = {
    sqlite3.SQLITE_BUSY: Lacking.DATABASE,
    sqlite3.SQLITE_LOCKED: Lacking.DATABASE,
    sqlite3.SQLITE_PROTOCOL: Lacking.DATABASE,
    sqlite3.SQLITE_NOMEM: Lacking.MEMORY,
    sqlite3.SQLITE_FULL: Lacking.ROOM,
    sqlite3.SQLITE_IOERR: Lacking.DISK,
    sqlite3.SQLITE_CANTOPEN: Lacking.DISK,
    sqlite3.SQLITE_READONLY: Lacking.DISK,
    sqlite3.SQLITE_PERM: Lacking.DISK,
    sqlite3.SQLITE_CORRUPT: Lacking.DISK,
    sqlite3.SQLITE_NOTADB: Lacking.DISK,
}
_NO_THREAD = "can't start new thread"


def recognise(error: BaseException) -> MachineTrouble | None:
    """What this machine lacks, where that is why `error` came; None where it is anything else."""
    for each in _causes(error):
        if isinstance(each, MachineTrouble):
            return each
        lacking = _lacking(each)
        if lacking is not None:
            trouble = MachineTrouble(_SENTENCES[lacking], lacking=lacking)
            trouble.__cause__ = each
            return trouble
    return None


@contextmanager
def recognised() -> Generator[None]:
    """Raise what is trouble of this machine as `MachineTrouble`, and everything else as it is."""
    try:
        yield
    except BotError:
        raise
    except Exception as error:
        trouble = recognise(error)
        if trouble is None:
            raise
        raise trouble from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.orig if isinstance(cause, DBAPIError) and cause.orig is not None else cause.__cause__


def _lacking(error: BaseException) -> Lacking | None:
    match error:
        case PoolTimeout():
            return Lacking.DATABASE
        case sqlite3.Error():
            return _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)  # the rest says where it happened
        case OSError(errno=int(number)):
            of_files = _OF_FILES.get(number) if error.filename is not None else None
            return _ERRNOS.get(number, of_files)
        case MemoryError():
            return Lacking.MEMORY
        case RuntimeError() if _NO_THREAD in str(error):
            return Lacking.MEMORY
        case _:
            return None
