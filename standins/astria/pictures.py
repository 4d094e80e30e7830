"""The pictures of the stand-in: drawn from prompt, seed and finetunes, the same bytes every time.

A finetune shows: the picture takes on the colours of what it was trained on, the more the stronger it is, and bears a
small medallion of its first training picture.
"""

import hashlib
import random
import re
from collections.abc import Callable
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageOps, ImageStat

from standins.astria.records import Prompt, Tune
from standins.bfl.pictures import edits
from standins.bfl.pictures.canvas import stretched
from standins.bfl.pictures.composition import compose

Given = Callable[[str], bytes]
"""Finds a picture that came with a request, by its mark."""

_TAG: Final = re.compile(r"<[^<>]*>")
_SMALLEST: Final = 48  # px; below it there is no room for a medallion
_STRONGEST: Final = 2.0


def draw(
    prompt: Prompt, index: int, loras: list[tuple[Tune, float]], *, given: Given, longest_side: int | None
) -> bytes:
    """One of the pictures of an order, as a JPEG."""
    words = " ".join(_TAG.sub(" ", prompt.text).split())
    size = _size(prompt.size, longest_side)
    seed = _seed(prompt, index, words)
    image = compose(words, seed, size)
    if prompt.input:
        image = _after(edits.opened(given(prompt.input)), prompt, words, seed, size)
    for tune, strength in loras:
        image = _worn(image, [_training(mark, given) for mark in tune.images], min(strength, _STRONGEST))
    if prompt.fields.get("film_grain") is True:
        grain = Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))
        image = Image.blend(image, grain.convert("RGB"), 0.08)
    file = BytesIO()
    image.save(file, "JPEG", quality=88, subsampling=0)
    return file.getvalue()


def _after(source: Image.Image, prompt: Prompt, words: str, seed: str, size: tuple[int, int]) -> Image.Image:
    """A picture made from the input image: its lines, or what denoising leaves of it."""
    if prompt.fields.get("controlnet"):
        return edits.redrawn(source, words, seed, size)
    changed = float(prompt.fields.get("denoising_strength") or 0.8)
    return edits.remixed(source, words, seed, size, 1 - changed)


def _worn(image: Image.Image, training: list[Image.Image], strength: float) -> Image.Image:
    """The picture in the colours of the training pictures, with their first one in a corner."""
    dark, middle, light = _colours(training)
    toned = ImageOps.colorize(image.convert("L"), dark, light, mid=middle)
    worn = Image.blend(image, toned, 0.45 * strength)
    side = round(min(worn.size) * (0.12 + 0.1 * strength))
    if strength <= 0 or min(worn.size) < _SMALLEST:
        return worn
    round_mask = Image.new("L", (side * 4, side * 4))
    ImageDraw.Draw(round_mask).ellipse((0, 0, side * 4 - 1, side * 4 - 1), fill=255)
    medallion = ImageOps.fit(training[0], (side, side))
    edge = max(side // 12, 1)
    spot = (worn.width - side - 2 * edge, worn.height - side - 2 * edge)
    box = (spot[0] - edge, spot[1] - edge, spot[0] + side + edge, spot[1] + side + edge)
    ImageDraw.Draw(worn).ellipse(box, fill=light)
    worn.paste(medallion, spot, stretched(round_mask, (side, side)))
    return worn


def _colours(training: list[Image.Image]) -> tuple[tuple[int, int, int], ...]:
    """Dark, middle and light: three shades of the colour that the training pictures have on the whole."""
    means = [ImageStat.Stat(image).mean for image in training]
    red, green, blue = (round(sum(mean[channel] for mean in means) / len(means)) for channel in range(3))

    def towards(end: int, share: float) -> tuple[int, int, int]:
        return (
            round(red + (end - red) * share),
            round(green + (end - green) * share),
            round(blue + (end - blue) * share),
        )

    return towards(0, 0.8), (red, green, blue), towards(255, 0.75)


def _training(mark: str, given: Given) -> Image.Image:
    """A training picture; behind a link that is never followed, any picture, always the same."""
    return edits.opened(given(mark)).convert("RGB") if mark.startswith("sha256:") else compose("", mark, (256, 256))


def _size(size: tuple[int, int], longest_side: int | None) -> tuple[int, int]:
    scale = longest_side / max(size) if longest_side else 1.0
    return max(round(size[0] * scale), 8), max(round(size[1] * scale), 8)


def _seed(prompt: Prompt, index: int, words: str) -> str:
    """Of the finetunes nothing: the same seed draws the same scene, which another strength only colours otherwise."""
    settings = {name: value for name, value in prompt.fields.items() if name not in {"callback", "identity"}}
    parts = [words, str(prompt.seed), str(index), str(prompt.size), str(prompt.input), repr(sorted(settings.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
