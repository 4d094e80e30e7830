"""Pictures made from pictures: edited in words, filled where a mask says, widened, or redrawn from their lines."""

import random
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from standins.bfl.pictures.canvas import Canvas, darker, mapped, ring, stretched
from standins.bfl.pictures.composition import compose
from standins.bfl.pictures.palette import colour_in, palette_for

Size = tuple[int, int]


def opened(content: bytes) -> Image.Image:
    """A picture that came with a request, upright."""
    with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
        return ImageOps.exif_transpose(image)


def edited(source: Image.Image, instruction: str, seed: str, size: Size) -> Image.Image:
    """The same picture in another light: the colour that was named, or one that the words bring to mind."""
    luck = random.Random(seed)
    base = ImageOps.fit(source.convert("RGB"), size, Image.Resampling.BICUBIC)
    palette = palette_for(instruction, luck)
    tint = colour_in(instruction) or palette.accent
    toned = ImageOps.colorize(base.convert("L"), darker(tint, 0.75), (255, 250, 240), mid=tint)
    picture = Image.blend(base, toned, 0.55 if colour_in(instruction) else 0.38)
    picture = ImageEnhance.Contrast(picture).enhance(luck.uniform(1.05, 1.2))
    canvas = Canvas(picture)
    canvas.glow((canvas.width * luck.uniform(0.1, 0.9), canvas.height * 0.08), 0.8, palette.light, 0.45)
    for _ in range(26):
        spot = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height))
        canvas.shape(ring(spot, luck.uniform(0.008, 0.026), 4, inner=0.004), palette.light, luck.uniform(0.35, 0.9))
    return picture


def remixed(source: Image.Image, prompt: str, seed: str, size: Size, strength: float) -> Image.Image:
    """A new picture that keeps something of an old one, from a hint to most of it."""
    base = ImageOps.fit(source.convert("RGB"), size, Image.Resampling.BICUBIC)
    return Image.blend(compose(prompt, seed, size), base, 0.25 + 0.6 * strength)


def filled(source: Image.Image, mask: Image.Image | None, new: Image.Image) -> Image.Image:
    """The picture, as large as the new one, which shows where the mask is white or, without one, where it is clear."""
    where = mask.convert("L") if mask else ImageChops.invert(source.convert("RGBA").getchannel("A"))
    where = stretched(where, new.size).filter(ImageFilter.GaussianBlur(min(new.size) / 200))
    return Image.composite(new, stretched(source.convert("RGB"), new.size), where)


def expanded(
    source: Image.Image, margins: tuple[int, int, int, int], prompt: str, seed: str, size: Size
) -> Image.Image:
    """The picture with more around it: left, top, right and bottom, in its own pixels."""
    left, top, right, bottom = margins
    across = size[0] / (source.width + left + right)
    down = size[1] / (source.height + top + bottom)
    inner = stretched(
        source.convert("RGB"), (max(round(source.width * across), 1), max(round(source.height * down), 1))
    )
    around = ImageOps.fit(source.convert("RGB"), size).filter(ImageFilter.GaussianBlur(min(size) / 25))
    picture = Image.blend(compose(prompt, seed, size, empty=True), around, 0.4)
    picture.paste(inner, (round(left * across), round(top * down)))
    return picture


def redrawn(source: Image.Image, prompt: str, seed: str, size: Size) -> Image.Image:
    """A new picture that follows the lines of a control image."""
    grey = ImageOps.fit(source.convert("L"), size, Image.Resampling.BICUBIC)
    edges = grey.filter(ImageFilter.GaussianBlur(1.5)).filter(ImageFilter.FIND_EDGES)
    lines = mapped(edges, [min(max(value - 4, 0) * 18, 255) for value in range(256)])
    ImageDraw.Draw(lines).rectangle((0, 0, size[0] - 1, size[1] - 1), outline=0, width=2)
    palette = palette_for(prompt, random.Random(seed))
    washed = ImageOps.colorize(grey, darker(palette.near, 0.3), palette.light, mid=palette.middle)
    picture = Image.blend(compose(prompt, seed, size, empty=True), washed, 0.55)
    picture.paste(darker(palette.near, 0.5), (0, 0), lines)
    return picture
