"""Smaller copies of pictures, for places that take no larger ones."""

import io
import math
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from bot.errors import Broken
from bot.pictures.decode import GENERATED, open_judged, render, resize
from bot.pictures.headers import Unfit

_PIXELS = 4_000_000  # what a screen shows of it


@dataclass(frozen=True, slots=True)
class Preview:
    """A copy to look at: JPEG, or WebP where something is transparent. Never what is registered or sent on."""

    media_type: str
    width: int
    height: int
    content: bytes = field(repr=False)


def make_preview(path: Path, max_bytes: int) -> Preview:
    """Make a copy of at most `max_bytes` of a picture that `check_generated` has accepted; the file is only read.

    Discord takes 10 MiB a file unless the interaction says otherwise, and 25 MiB a request (Discord API docs, Uploading
    Files), so four pictures in one message have 6 MiB each.

    Raises:
        Broken: it cannot be opened any more.
    """
    try:
        with open_judged(path, GENERATED) as (file, header):
            image = render(file, header, pixels=_PIXELS, memory=GENERATED.memory)
    except Unfit as error:
        raise Broken(f"No preview can be made of a stored picture: {error}.") from error
    while True:
        preview = _encode(image)
        if len(preview.content) <= max_bytes:
            return preview
        if image.size == (1, 1):
            raise Broken(f"No preview can be made in {max_bytes} bytes.")
        factor = min(0.9, 0.95 * math.sqrt(max_bytes / len(preview.content)))
        image = resize(image, (max(1, int(image.width * factor)), max(1, int(image.height * factor))))


def _encode(image: Image.Image) -> Preview:
    content = io.BytesIO()
    kind = "WebP" if image.mode == "RGBA" else "JPEG"
    image.save(content, kind, quality=90)
    return Preview(f"image/{kind.lower()}", image.width, image.height, content.getvalue())
