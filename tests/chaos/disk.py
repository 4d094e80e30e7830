"""The disk of one history: a filesystem in memory whose size the driver changes."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

LARGE = 4 << 30
"""Bytes, of which only those that are used take memory."""
_INSIDE = "CHAOS_HAS_ITS_OWN_MOUNTS"


def enter_own_mounts() -> None:
    """Start this program anew where it may mount, and where nobody else sees what it mounts.

    Where the machine does not allow that, it goes on as it is, and no disk is ever full.
    """
    if _INSIDE in os.environ or not (unshare := shutil.which("unshare")):
        return
    private = [unshare, *(() if os.geteuid() == 0 else ("--map-root-user",)), "--mount"]
    trial = [*private, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    tried = subprocess.run(trial, capture_output=True, check=False)  # noqa: S603 - of constants
    if tried.returncode == 0:
        os.environ[_INSIDE] = "1"
        os.execv(unshare, [*private, sys.executable, "-m", *sys.orig_argv[sys.orig_argv.index("-m") + 1 :]])  # noqa: S606


def has_own_mounts() -> bool:
    """Whether disks can be made full."""
    return _INSIDE in os.environ


class Disk:
    """A folder; `resizable` says whether it can be made full."""

    def __init__(self, folder: Path, *, resizable: bool) -> None:
        self.folder = folder
        self.resizable = resizable

    def fill(self, left: int) -> None:
        """Leave so many bytes, in whole pages, or a little more where the bot writes meanwhile."""
        while True:
            state = os.statvfs(self.folder)
            with contextlib.suppress(subprocess.CalledProcessError):  # it has written more since
                return self._resize((state.f_blocks - state.f_bfree) * state.f_frsize + max(left, state.f_frsize))

    def make_room(self) -> None:
        self._resize(LARGE)

    def _resize(self, size: int) -> None:
        if self.resizable:
            _mount("-o", f"remount,size={size}", self.folder)


@asynccontextmanager
async def a_disk(folder: Path) -> AsyncGenerator[Disk]:
    await asyncio.to_thread(folder.mkdir, parents=True)
    resizable = has_own_mounts()
    if resizable:
        _mount("-t", "tmpfs", "-o", f"size={LARGE}", "tmpfs", folder)
    try:
        yield Disk(folder, resizable=resizable)
    finally:
        if resizable:
            with contextlib.suppress(OSError):  # what is left is looked at when a claim does not hold
                shutil.copytree(folder, folder.with_name("disk-at-the-end"), dirs_exist_ok=True)
            await asyncio.to_thread(_umount, folder)


def _umount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", folder], check=False)  # noqa: S603, S607


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)  # noqa: S603, S607
