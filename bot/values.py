"""What every stored value is made of, the hash that names a file, and the numbers that people type."""

import hashlib
import re
import unicodedata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_WITH_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


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


def in_millions(number: int) -> float:
    """Bytes or pixels in millions, rounded up to a tenth: what is above a limit never reads like the limit itself."""
    return -(-number // 100_000) / 10


def normalise_number(text: str, *, below_thousand: bool = False) -> str:
    """A number as Python writes it, from what a person typed: "3,5", "３．５" and " 3.5 " are "3.5".

    "1,000" may be one or a thousand, so it stays as it is, which no reader of numbers takes; unless what is asked for
    is `below_thousand` anyway. Whether the text is a number is left to the caller.
    """
    text = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    is_decimal = _WITH_COMMA.fullmatch(text) and (below_thousand or not _GROUPED.fullmatch(text))
    return text.replace(",", ".") if is_decimal else text


def split_numbers(text: str) -> list[str]:
    """The numbers of a list as people write it: "0.8, 1", "0.8,1", "0,8 1,2", "0,8; 1"."""
    text = unicodedata.normalize("NFKC", text)
    words = [word for word in re.split(r"[;、\s]+|,(?!\d)|(?<!\d),", text) if word]
    if "." in text or any(word.count(",") > 1 for word in words):  # then a comma is no decimal comma
        return [number for word in words for number in word.split(",") if number]
    return words
