"""What a finetune does to a picture: it brings the colours that its training pictures have."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from PIL import Image

from standins.bfl.pictures.canvas import mapped, stretched

Colour = tuple[int, int, int]

_COLOURS: Final = 5
_SAMPLE: Final = (32, 32)  # px of each training picture


def palette_of(pictures: Sequence[Image.Image]) -> list[Colour]:
    """The main colours of all the pictures together, dark to light."""
    strip = Image.new("RGB", (_SAMPLE[0] * len(pictures), _SAMPLE[1]))
    for number, picture in enumerate(pictures):
        strip.paste(stretched(picture.convert("RGB"), _SAMPLE), (number * _SAMPLE[0], 0))
    flat = strip.quantize(_COLOURS).getpalette("RGB") or [0, 0, 0]
    colours = [(flat[at], flat[at + 1], flat[at + 2]) for at in range(0, min(len(flat), _COLOURS * 3), 3)]
    return sorted(set(colours), key=_light)


def touched(image: Image.Image, body: dict[str, Any]) -> Image.Image:
    """The picture of this request: with its finetune's colours, if it has one whose colours are known."""
    palette = body.get("palette")
    return coloured(image, palette, body["finetune_strength"]) if palette else image


def coloured(image: Image.Image, palette: Sequence[Colour], strength: float) -> Image.Image:
    """The picture in those colours: not at all at strength 0, half of it at 1, nearly nothing else at 2."""
    stops = [tuple(colour) for colour in palette]
    stops = [stops[0], *stops, stops[-1]] if len(stops) > 1 else stops * 3
    ramp = [_between(stops, shade / 255) for shade in range(256)]
    grey = image.convert("L")
    toned = Image.merge("RGB", [mapped(grey, [colour[channel] for colour in ramp]) for channel in range(3)])
    return Image.blend(image.convert("RGB"), toned, min(strength * 0.5, 0.95))


def _between(stops: Sequence[tuple[int, ...]], share: float) -> list[int]:
    steps = list(pairwise(stops))
    at = min(int(share * len(steps)), len(steps) - 1)
    part = share * len(steps) - at
    return [round(a + (b - a) * part) for a, b in zip(*steps[at], strict=True)]


def _light(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
