"""Forks lives of the bot from a process that has everything imported already: a life begins in milliseconds.

Asked on stdin in lines of JSON, it answers on stdout with a line `pid` for each life, and a line `pid code` for its
end, where the code is negative for a signal. When its stdin closes, it ends what is left.
"""

import contextlib
import gc
import os
import selectors
import signal
from importlib import import_module
from types import FrameType

from PIL import Image

from bot.discord.client import EXTENSIONS
from tests.crash.life import Life

PRELOADED = (*EXTENSIONS, "aiosqlite", "alembic.command", "sqlalchemy.dialects.sqlite.aiosqlite", "storage.schema")


def main() -> None:
    for name in PRELOADED:
        import_module(name)
    Image.preinit()
    gc.collect()
    gc.freeze()
    lives: set[int] = set()
    heard = b""
    asked, ended = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(ended)
    signal.signal(signal.SIGCHLD, _nothing)
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(asked, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if asked in ready:
                os.read(asked, 4096)
                _bury(lives)
            if 0 in ready:
                piece = os.read(0, 65536)
                if not piece:
                    break
                *lines, heard = (heard + piece).split(b"\n")
                lives.update(_fork(Life.model_validate_json(line)) for line in lines)
    for pid in lives:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _fork(life: Life) -> int:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        import_module(life.entry).live(life)
    _say(f"{pid}")
    return pid


def _bury(lives: set[int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (status := os.waitpid(-1, os.WNOHANG))[0]:
            lives.discard(status[0])
            _say(f"{status[0]} {os.waitstatus_to_exitcode(status[1])}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """That it is there makes the signal wake the selector."""


if __name__ == "__main__":
    main()
