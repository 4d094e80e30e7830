"""What every stored value is made of, and the hash that names a file."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that is stored as JSON and read back by a later version of the bot.

    Unknown fields are ignored, so that an older bot can read a newer row.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in 64 lower-case hex digits. It reads the disk: call it in a thread.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
