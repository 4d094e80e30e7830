"""The pictures of the stand-in: drawn from prompt and trigger word, with what the finetune has learned to be seen.

A finetune has learned the colours of its training pictures; one of Kontext, how the second of each pair differs
from the first.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, ImageStat

from standins.bfl.catalogue import of_ratio, ratio
from standins.bfl.pictures import edits
from standins.bfl.pictures.canvas import mapped, stretched
from standins.bfl.pictures.composition import compose
from standins.vimmerse.records import Asset

Colour = tuple[float, float, float]
Find = Callable[[str], bytes]

_HARDLY: Final = 12.0  # of 255: a smaller change of colour would not be seen
_DARK, _LIGHT = 0.25, 0.75  # shares of the learned colour in shadows and lights


def draw(asset: Asset, number: int, *, finetune: Asset | None, given: Find, longest_side: int | None) -> bytes:
    """The picture of that number in an asset, as a PNG: the same bytes every time."""
    source = edits.opened(given(asset.given[0])) if asset.given and not asset.is_training else None
    size = _size(asset, source, longest_side)
    prompt = asset.prompt.replace(asset.trigger, "") if asset.trigger else asset.prompt
    seed = f"{prompt.strip(' ,')}|{asset.trigger}|{asset.number}|{number}"
    learned = [edits.opened(given(digest)) for digest in finetune.given] if finetune else []
    pairs = finetune is not None and finetune.args["option"] == "FluxKontextFinetune"
    if source is None and pairs and learned:
        source = learned[0]  # a sample of a learned edit
    if source is not None:
        picture = _changed(source, learned, size) if pairs else None
        picture = picture or edits.edited(source, prompt, seed, size)
    else:
        picture = compose(prompt, seed, size)
        picture = _coloured(picture, _mean(learned)) if learned else picture
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _size(asset: Asset, source: Image.Image | None, longest_side: int | None) -> tuple[int, int]:
    wanted = asset.args.get("aspect_ratio")
    value = ratio(wanted) if wanted else source.width / source.height if source else 1.0
    width, height = of_ratio(min(max(value, 9 / 21), 21 / 9), 1.0)
    scale = longest_side / max(width, height) if longest_side else 1.0
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _changed(source: Image.Image, pairs: list[Image.Image], size: tuple[int, int]) -> Image.Image | None:
    """The picture, changed as the pairs are; None where they hardly change."""
    starts, ends = _mean(pairs[::2]), _mean(pairs[1::2])
    shifts = [end - start for start, end in zip(starts, ends, strict=True)]
    if max(map(abs, shifts)) < _HARDLY:
        return None
    picture = ImageOps.fit(source.convert("RGB"), size, Image.Resampling.BICUBIC)
    bands = [
        mapped(band, [min(max(round(value + shift), 0), 255) for value in range(256)])
        for band, shift in zip(picture.split(), shifts, strict=True)
    ]
    return Image.merge("RGB", bands)


def _coloured(picture: Image.Image, colour: Colour) -> Image.Image:
    """The picture in the light of that colour."""
    dark = tuple(round(part * _DARK) for part in colour)
    light = tuple(round(255 - (255 - part) * (1 - _LIGHT)) for part in colour)
    middle = tuple(round(part) for part in colour)
    toned = ImageOps.colorize(picture.convert("L"), _rgb(dark), _rgb(light), mid=_rgb(middle))
    return Image.blend(picture, toned, 0.6)


def _mean(images: list[Image.Image]) -> Colour:
    means = [ImageStat.Stat(stretched(image.convert("RGB"), (32, 32))).mean for image in images]
    red, green, blue = (sum(mean[band] for mean in means) / len(means) for band in range(3))
    return red, green, blue


def _rgb(parts: tuple[int, ...]) -> tuple[int, int, int]:
    return parts[0], parts[1], parts[2]
