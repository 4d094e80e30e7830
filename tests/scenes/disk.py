"""A disk that is full, and a database that another program holds: for real, as far as a test may."""

import contextlib
import resource
import sqlite3
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def full_disk(room: int = 0) -> Generator[None]:
    """No file of this process takes a byte beyond `room` until the block ends: EFBIG, where a full disk says ENOSPC.

    Python ignores the signal that the kernel sends, too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def held_database(path: Path) -> Generator[None]:
    """Another program writes into the database until the block ends, and commits nothing."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
