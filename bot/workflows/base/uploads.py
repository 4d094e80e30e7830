"""Brings what a member attached to the disk, within bounds."""

import asyncio
from pathlib import Path

from bot.errors import Refused
from bot.pictures.names import quoted
from bot.values import in_millions
from bot.workflows.base.types import Upload


async def fetch_upload(upload: Upload, path: Path, *, most: int) -> None:
    """Write a file of at most `most` bytes to `path`.

    Its size is looked at before, as Discord says it, and after: of some files Discord says none.

    Raises:
        Refused: it is larger, or Discord has it no longer.
        Unavailable: Discord did not hand it over in time.
    """
    _check_size(upload.name, upload.size, most)
    await upload.save(path)
    _check_size(upload.name, (await asyncio.to_thread(path.stat)).st_size, most)


def _check_size(name: str, size: int, most: int) -> None:
    if size > most:
        limit = f"{in_millions(most):,g} MB"
        raise Refused(f"{quoted(name)} has {in_millions(size):,g} MB, and the most is {limit}. Attach a smaller one.")
