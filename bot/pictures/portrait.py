"""A small copy and the fingerprint of a picture, for its registration and for comparing it with registered ones."""

import io
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from bot.errors import Broken, Refused
from bot.pictures.decode import GENERATED, open_judged, render
from bot.pictures.fingerprint import take_fingerprint
from bot.pictures.headers import Unfit

_PIXELS = 600_000  # what fits beside the text of a card, sharp on a screen with small pixels


@dataclass(frozen=True, slots=True)
class Portrait:
    """`preview` is a JPEG of some 100 KB; `fingerprint.look_alike` compares fingerprints."""

    width: int
    height: int
    fingerprint: str
    preview: bytes = field(repr=False)


def take_portrait(path: Path) -> Portrait:
    """Make the portrait of a stored picture, which `check_generated` has accepted; the file is only read.

    Raises:
        Broken: it cannot be opened any more.
    """
    try:
        return _take(path)
    except Unfit as error:
        raise Broken(f"No preview can be made of a stored picture: {error}.") from error


def take_portrait_of_upload(path: Path, name: str) -> Portrait:
    """Make the portrait of a file that a member wants to compare; `name` is what they call it.

    Raises:
        Refused: not a whole, still JPEG, PNG or WebP of at most 64 MB and 40 megapixels.
    """
    try:
        return _take(path)
    except Unfit as error:
        raise Refused(f"“{name[:60]}” cannot be compared: {error}.") from error


def _take(path: Path) -> Portrait:
    with open_judged(path, GENERATED) as (file, header):
        image = render(file, header, pixels=_PIXELS, memory=GENERATED.memory)
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    content = io.BytesIO()
    image.save(content, "JPEG", quality=85)
    return Portrait(header.width, header.height, take_fingerprint(image), content.getvalue())
