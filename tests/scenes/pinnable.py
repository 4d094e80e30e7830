"""Files to pin, and a place to download into."""

import contextlib
import hashlib
import random
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.pinning.interface import PinFile
from bot.pinning.pins import Scratch

OWL = random.Random(1).randbytes(700_000)
"""As large as a picture: three chunks of 256 KiB, and one of 1 MiB."""
METADATA = b'{"title":"An owl"}'


def a_file(folder: Path, content: bytes = OWL, *, name: str = "owl.png", media_type: str = "image/png") -> PinFile:
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256
    path.write_bytes(content)
    return PinFile(name, media_type, path, sha256, len(content))


def scratch_in(folder: Path) -> Scratch:
    """Paths in a folder of their own; a test can see whether any file was left there."""
    folder.mkdir()

    def fresh() -> AbstractAsyncContextManager[Path]:
        return _fresh(folder)

    return fresh


@contextlib.asynccontextmanager
async def _fresh(folder: Path) -> AsyncGenerator[Path]:
    path = folder / str(random.random())
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
