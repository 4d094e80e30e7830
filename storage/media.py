"""Pictures and other files on disk, each under the SHA-256 of its bytes.

`folder/ab/cd/<sha256>`, and `folder/tmp/` for files that are being written. A name is the hash of its bytes: nothing is
ever written to a file that has one, so a reader never meets half a file, and the same bytes are kept once.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from bot.errors import Broken
from bot.values import sha256_of

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Media:
    """The store. Every method works in a thread, so the event loop never waits for the disk.

    This module does not know which files are needed: the caller of `remove` has asked the database first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arriving = folder / "tmp"

    def path(self, sha256: str) -> Path:
        """Where a file is, or would be. To be read only: it is shared by all who stored the same bytes.

        Raises:
            ValueError: not 64 lower-case hex digits, so nothing outside the folder can be named.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hex")
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    async def store(self, content: bytes) -> str:
        """Keep these bytes and return their SHA-256. Once this returns, not even a power cut loses them."""
        return await asyncio.to_thread(self._store, content)

    async def adopt(self, temporary: Path) -> str:
        """Keep a file that was written to a path of `temporary()`; it is moved, not copied. Otherwise as `store`."""
        return await asyncio.to_thread(self._adopt, temporary)

    async def hash(self, temporary: Path) -> str:
        """The SHA-256 of a file that was written to a path of `temporary()`."""
        return await asyncio.to_thread(sha256_of, temporary)

    async def read(self, sha256: str) -> bytes:
        """The bytes, hashed again on the way (about 1 ms per MB): what is sent on is what was stored.

        Raises:
            Broken: the file is missing, or its bytes are no longer the ones that were stored.
        """
        return await asyncio.to_thread(self._read, sha256)

    async def remove(self, sha256: str) -> None:
        """Delete a file; one that is already gone is fine."""
        await asyncio.to_thread(self.path(sha256).unlink, missing_ok=True)

    @contextlib.asynccontextmanager
    async def temporary(self) -> AsyncGenerator[Path]:
        """A fresh path to stream a download into, on the store's own filesystem.

        The file is deleted at the end of the block unless it was adopted.
        """
        path = await asyncio.to_thread(self._new_temporary)
        try:
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    @contextlib.asynccontextmanager
    async def temporary_folder(self) -> AsyncGenerator[Path]:
        """A fresh folder for what takes several files; deleted at the end of the block with all that is in it."""
        path = await asyncio.to_thread(self._new_temporary)
        await asyncio.to_thread(path.mkdir)
        try:
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    async def sweep_temporary(self, *, older_than: float = 3600) -> int:
        """Delete what a killed process left half-way, and return how many files that were. Called at start.

        `older_than` is in seconds since the last write: the folder may be shared with another process, whose
        downloads are under way.
        """
        return await asyncio.to_thread(self._sweep_temporary, older_than)

    def _store(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if not _is_whole(target, len(content)):
            temporary = self._new_temporary()
            try:
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        self._sync_folders(target)
        return sha256

    def _adopt(self, temporary: Path) -> str:
        with temporary.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            size = file.tell()
        target = self.path(sha256)
        if _is_whole(target, size):
            temporary.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        self._sync_folders(target)
        return sha256

    def _read(self, sha256: str) -> bytes:
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise Broken(f"The stored file {sha256[:12]}… is missing.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Broken(f"The stored file {sha256[:12]}… is damaged.")
        return content

    def _new_temporary(self) -> Path:
        self._arriving.mkdir(parents=True, exist_ok=True)
        return self._arriving / secrets.token_hex(16)

    def _sweep_temporary(self, older_than: float) -> int:
        swept = 0
        for path in self._arriving.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                if path.stat().st_mtime <= time.time() - older_than:
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
                    swept += 1
        return swept

    def _sync_folders(self, target: Path) -> None:
        """Make a file's name durable, and the names of the folders above it.

        All of them, every time: a folder that is there already may be one that a killed process, or another
        thread a moment ago, made and did not get to sync. An unchanged folder costs some microseconds.
        """
        for folder in (target.parent, target.parent.parent, self._folder):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _is_whole(path: Path, size: int) -> bool:
    """Whether the file is there with all its bytes. A shorter one was cut by a failing disk, and is written anew."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
