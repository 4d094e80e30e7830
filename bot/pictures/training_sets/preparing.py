"""A training set: pictures made ready for a trainer, their captions, and both as one ZIP.

The ZIP of the same pictures and captions in the same order is the same bytes anywhere, so its SHA-256 names the set.
"""

import io
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from bot.errors import Broken, Refused
from bot.pictures.decode import Limits, open_judged, render
from bot.pictures.fingerprint import take_fingerprint
from bot.pictures.headers import SNIFFED, Unfit, describe_kind, picture_ending
from bot.pictures.names import Kind, clean, kind_of, name_picture, quoted

TRAINING = Limits(file_bytes=20_000_000, pixels=64_000_000, memory=90_000_000)
TRAINING_PIXELS = 1_000_000  # trainers use no more
MOST_CAPTION = 2000  # characters

_MOST_CAPTION_BYTES = 64 * 1024
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that turn the direction of text around them, and a byte order mark in the middle."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UNIX = 3  # the system that made the ZIP; `zipfile` says another on Windows
_MODE = 0o644 << 16  # BFL refused entries of unusual attributes (github.com/black-forest-labs/flux/issues/401, 2025-01)
_BAD_ARCHIVE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, LookupError, EOFError)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as it is trained on: a JPEG in sRGB, upright, at most a million pixels, nothing in it but pixels."""

    width: int
    height: int
    original_width: int
    """In pixels, upright, before it was scaled down."""
    original_height: int
    fingerprint: str
    """For `fingerprint.look_alike`."""
    content: bytes = field(repr=False)


class Member(NamedTuple):
    """A picture out of one of our own archives."""

    name: str
    content: bytes
    caption: str | None


def prepare_training_picture(path: Path, name: str) -> Prepared:
    """Make a member's picture ready for training. `name` is what the member calls it.

    Never enlarged; what is transparent becomes white. It takes at most 100 MB of memory, whatever the file is.

    Raises:
        Refused: not a whole, still JPEG, PNG or WebP of at most 20 MB and 64 megapixels, or too costly to decode.
    """
    try:
        with open_judged(path, TRAINING) as (file, header):
            image = render(file, header, pixels=TRAINING_PIXELS, memory=TRAINING.memory)
    except Unfit as error:
        raise Refused(f"{quoted(name)} cannot be used: {error}.") from error
    image = _on_white(image)
    width, height = header.width, header.height
    if (width > height and image.width < image.height) or (width < height and image.width > image.height):
        width, height = height, width  # it was stored sideways
    content = io.BytesIO()
    image.save(content, "JPEG", quality=95, subsampling=0)
    return Prepared(image.width, image.height, width, height, take_fingerprint(image), content.getvalue())


def check_file(path: Path, name: str) -> str:
    """The name of a picture or caption that a member gives, with the ending of a picture where only the content is one.

    Raises:
        Refused: it is neither.
    """
    if kind_of(name) is not Kind.OTHER:
        return clean(name)
    with path.open("rb") as file:
        start = file.read(SNIFFED)
    if ending := picture_ending(start):
        return name_picture(name, ending)
    kind = describe_kind(start)
    if "; " in kind:  # its owner can make a JPEG of it
        raise Refused(f"{quoted(name)} cannot be used: it is {kind}.")
    raise Refused(f"{quoted(name)} is no JPEG, PNG, WebP, text file or ZIP.")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def read_caption(path: Path, name: str) -> str:
    """Read the caption in a file, at most the first 64 KiB of it; errors are those of `parse_caption`."""
    with path.open("rb") as file:
        return parse_caption(file.read(_MOST_CAPTION_BYTES + 1), name)


def parse_caption(content: bytes, name: str) -> str:
    """Make the content of a .txt file a caption: one line without control characters, perhaps empty.

    Raises:
        Refused: not text in UTF-8 (with or without a byte order mark), or more than 2,000 characters.
    """
    too_long = Refused(f"The caption in {quoted(name)} is longer than {MOST_CAPTION:,} characters: shorten it.")
    if len(content) > _MOST_CAPTION_BYTES:
        raise too_long
    not_text = f"{quoted(name)} is not a text file in UTF-8: save it again with that encoding"
    if content.startswith(_UTF16) or b"\0" in content:
        raise Refused(f"{not_text}.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{not_text}.") from error
    kept = (letter for letter in " ".join(text.split()) if letter not in _TURNING)
    caption = "".join(letter for letter in kept if unicodedata.category(letter) != "Cc").strip()
    if len(caption) > MOST_CAPTION:
        raise too_long
    return caption


def build_archive(pictures: Sequence[tuple[bytes, str | None]]) -> bytes:
    """JPEGs with their captions as a ZIP: `0001.jpg`, `0001.txt`, … in this order.

    Flat and not packed (a JPEG does not get smaller). The same pictures and captions always give the same bytes.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for number, (content, caption) in enumerate(pictures, 1):
            target.writestr(_entry(f"{number:04d}.jpg"), content)
            if caption:
                target.writestr(_entry(f"{number:04d}.txt"), caption.encode())
    return archive.getvalue()


def read_archive(archive: bytes) -> list[Member]:
    """Read the pictures and captions that `build_archive` put into an archive, in its order.

    Raises:
        Broken: not an archive of ours, or damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            content = {info.filename: _read_entry(source, info) for info in source.infolist()}
        texts = {name.removesuffix(".txt"): each.decode() for name, each in content.items() if name.endswith(".txt")}
    except _BAD_ARCHIVE as error:
        raise Broken("A stored training set is damaged.") from error
    pictures = [name for name in content if name.endswith(".jpg")]
    return [Member(name, content[name], texts.get(name.removesuffix(".jpg"))) for name in pictures]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _MODE, zipfile.ZIP_STORED
    return entry


def _read_entry(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type != zipfile.ZIP_STORED:  # so its bytes are all there already
        raise zipfile.BadZipFile
    return source.read(info)
