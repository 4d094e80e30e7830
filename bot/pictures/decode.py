"""Opening pictures that others made: what providers send, and what members upload.

A file's header is judged first (`headers.py`), by its size in pixels and the memory that decoding would take; then
Pillow decodes it, restricted to the format that the header has shown. Pillow releases the interpreter's lock for most
of its work, and the rest is done in strips, so a thread is enough to keep the event loop responsive. A WebP is first
made a PNG by a separate process; `webp_child.py` gives the reason.
"""

import asyncio
import contextlib
import functools
import io
import math
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from PIL import Image, ImageCms

from bot.errors import Broken, Refused
from bot.pictures.headers import DAMAGED, PROCESS, Excerpt, Header, Unfit, read_header
from bot.trouble import recognise, recognised
from bot.values import in_millions

P = ParamSpec("P")
T = TypeVar("T")

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_STRIP = 250_000  # pixels of the source that are worked on at a time
_LONGEST_SIDE = 16_384  # pixels; Pillow keeps 8 bytes for each row, so a picture one pixel wide is dear
_LEAST_PIXELS = 1_000_000  # what must be left of a larger picture where memory is short
_WEBP_CHILD = Path(__file__).with_name("webp_child.py")
_WEBP_SECONDS = 30
_TOO_COSTLY = (
    "opening it takes too much memory; a smaller copy works, or an ordinary JPEG (one that is not progressive)"
)

# What Pillow and its plugins raise over a bad file.
_BAD_FILE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    ImageCms.PyCMSError,
)

# EXIF orientation → what brings the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # EXIF tag


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may have, and cost."""

    file_bytes: int
    pixels: int
    memory: int  # bytes, above what the process had before


GENERATED = Limits(file_bytes=64_000_000, pixels=40_000_000, memory=256_000_000)
REFERENCE = Limits(file_bytes=20_000_000, pixels=20_000_000, memory=97_000_000)
REFERENCE_PIXELS = 4_000_000  # a member's upload is scaled down to this; FLUX uses no more


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file is. Width and height are in pixels, as stored (before any EXIF orientation)."""

    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A member's upload made fit to be sent on: upright, at most 4 megapixels, sRGB, nothing in it but pixels."""

    media_type: str
    width: int
    height: int
    content: bytes = field(repr=False)


class Decoder:
    """Runs work on pictures in one thread of its own: off the event loop, and never two at a time in a process.

    A caller that is cancelled leaves its work to end by itself, and the next in line still waits for that.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decoder")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `check_generated`, `prepare_reference` or the like when its turn has come.

        Raises:
            MachineTrouble: the machine has no memory, file or process left for it.
        """
        with recognised():
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, functools.partial(work, *args, **kwargs)
            )

    async def close(self) -> None:
        """Let the work under way end; what still waits for its turn is cancelled."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)


def check_generated(source: Path | bytes) -> Picture:
    """Decode a generated picture fully, as a check. The file itself is kept as it is, whatever it carries.

    JPEG has no checksum: a bit that flipped inside one is not seen, a piece that is missing is.

    Raises:
        MachineTrouble: there is no memory for it just now.
        Broken: not a whole, still JPEG, PNG or WebP of at most 64 MB and 40 megapixels.
    """
    try:
        with open_judged(source, GENERATED) as (file, header):
            _load(*_without_webp(file, header))
            return Picture(header.media_type, header.width, header.height)
    except Unfit as error:
        raise recognise(error) or Broken(f"The file that the image service sent cannot be used: {error}.") from error


def prepare_reference(path: Path) -> Reference:
    """Make a member's upload fit to be sent to a provider: a JPEG, or a PNG where something is transparent.

    It takes at most 100 MB of memory, whatever the file is. Colours are converted to sRGB when an ICC profile says
    what they are, for the profile goes the way of all metadata.

    Raises:
        Refused: not a whole, still JPEG, PNG or WebP of at most 20 MB and 20 megapixels, or too costly to decode.
    """
    try:
        with open_judged(path, REFERENCE) as (file, header):
            image = render(file, header, pixels=REFERENCE_PIXELS, memory=REFERENCE.memory)
    except Unfit as error:
        raise Refused(f"That picture cannot be used: {error}.") from error
    content = io.BytesIO()
    if image.mode == "RGBA":
        image.save(content, "PNG")
        return Reference("image/png", image.width, image.height, content.getvalue())
    image.save(content, "JPEG", quality=95, subsampling=0)
    return Reference("image/jpeg", image.width, image.height, content.getvalue())


@contextlib.contextmanager
def open_judged(source: Path | bytes, limits: Limits) -> Generator[tuple[BinaryIO, Header]]:
    """Open a file, read its header and compare it with the limits, before anything is decoded.

    Raises:
        Unfit: `read_header` refuses the file, or it is over one of the limits.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size > limits.file_bytes:
            raise Unfit(f"it has {in_millions(size):,g} MB, and the most is {in_millions(limits.file_bytes):,g} MB")
        header = read_header(file)
        pixels = header.pixels()
        if not pixels:
            raise Unfit(DAMAGED)
        if pixels > limits.pixels:
            raise Unfit(
                f"it is {header.width} × {header.height}, which is {_megapixels(pixels, limits.pixels)} megapixels, "
                f"and the most is {in_millions(limits.pixels):,g}"
            )
        if max(header.width, header.height) > _LONGEST_SIDE:
            raise Unfit(f"it is {header.width} × {header.height}, and a side has at most {_LONGEST_SIDE} pixels")
        if header.memory(header.scales[-1]) > limits.memory:
            raise Unfit(_TOO_COSTLY)
        yield file, header


def _megapixels(pixels: int, limit: int) -> str:
    """With three digits, or as many as show that it is above the limit: 20.2, 170, 1,570."""
    shown = float(f"{pixels / 1e6:.3g}")
    return f"{shown if shown * 1e6 > limit else in_millions(pixels):,g}"


def render(file: BinaryIO, header: Header, *, pixels: int, memory: int) -> Image.Image:
    """Decode to an upright sRGB picture of at most `pixels`: RGBA where something is transparent, else RGB.

    Raises:
        Unfit: damaged, or it takes more than `memory` bytes.
    """
    with _typed_errors():
        image, orientation = _decode_small(file, header, pixels, memory)  # the large one is gone when this returns
        if orientation in _UPRIGHT:
            image = image.transpose(_UPRIGHT[orientation])
        if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
            image = image.convert("RGB")
        return image


@contextlib.contextmanager
def _typed_errors() -> Generator[None]:
    """Turn all that Pillow raises over a bad file into `Unfit`. An OSError with an errno is the disk's."""
    try:
        yield
    except _BAD_FILE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Unfit(DAMAGED) from error


def resize(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, box)  # pyright: ignore[reportUnknownMemberType] # names numpy


def _decode_small(file: BinaryIO, header: Header, pixels: int, memory: int) -> tuple[Image.Image, int]:
    file, header = _without_webp(file, header)
    scale, pixels = _choose_scale(header, pixels, memory)
    image = _load(file, header, scale)
    return _shrink(image, _fit(image.width, image.height, pixels)), _read_orientation(image)


def _without_webp(file: BinaryIO, header: Header) -> tuple[BinaryIO, Header]:
    """A JPEG or PNG as it is, and a WebP as a PNG."""
    if header.media_type != "image/webp":
        return file, header
    content = Excerpt(file, header.spans).readall()
    allowance = header.memory(1) - PROCESS - len(content) + 3_000_000
    try:
        child = subprocess.run(  # noqa: S603 - no word of the command comes from anybody
            [sys.executable, "-I", str(_WEBP_CHILD), str(allowance)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},  # it has no use for our secrets
            timeout=_WEBP_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise Unfit(DAMAGED) from error
    png = io.BytesIO(child.stdout)
    return png, read_header(png)


def _load(file: BinaryIO, header: Header, scale: int = 1) -> Image.Image:
    with _typed_errors():
        image = Image.open(
            io.BufferedReader(Excerpt(file, header.spans)),
            formats=[_FORMATS[header.media_type]],
        )
        if image.size != (header.width, header.height):
            raise Unfit(DAMAGED)
        if scale > 1:
            image.draft(None, (header.width // scale, header.height // scale))
        image.load()
    return image


def _choose_scale(header: Header, pixels: int, memory: int) -> tuple[int, int]:
    """The scale to decode at, and how many pixels to keep of that.

    The coarsest scale that still has as many pixels as are wanted, or else the finest that fits into `memory`
    together with the smaller copy (4 bytes a pixel), which then has fewer.
    """
    wanted = min(pixels, header.pixels())
    enough = [scale for scale in header.scales if header.pixels(scale) >= wanted]
    for scale in header.scales[len(enough) - 1 :]:
        kept = min(wanted, header.pixels(scale), (memory - header.memory(scale)) // 4)
        if kept >= min(wanted, _LEAST_PIXELS):
            return scale, kept
    raise Unfit(_TOO_COSTLY)


def _fit(width: int, height: int, pixels: int) -> tuple[int, int]:
    """The size of the same shape with at most so many pixels; never larger than it was."""
    factor = min(1.0, math.sqrt(pixels / (width * height)))
    return max(1, int(width * factor)), max(1, int(height * factor))


def _read_orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; upright where there is none or it is nonsense."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BAD_FILE:
        return 1


def _shrink(source: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale a decoded picture of any mode to `size` in sRGB, a strip at a time, so that little is held twice.

    The filter is given the rows around each strip too: no seams.
    """
    deep = source.mode.startswith("I")  # 16 bits of grey
    target = "RGBA" if source.has_transparency_data and not deep else "RGB"
    working = "CMYK" if source.mode == "CMYK" else target
    to_srgb = _build_transform(source.info.get("icc_profile"), working, target)
    width, height = size
    ratio = source.height / height
    margin = math.ceil(3 * ratio) + 1  # Lanczos reaches three target pixels each way
    rows = max(1, int(_STRIP / source.width / ratio))
    shrunk = Image.new(target, size)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        first, last = top * ratio, min(bottom * ratio, source.height)
        above, below = max(0, int(first) - margin), min(source.height, math.ceil(last) + margin)
        strip = source.crop((0, above, source.width, below))
        strip = (_to_8_bits(strip) if deep else strip).convert(working)
        strip = resize(strip, (width, bottom - top), (0, first - above, source.width, last - above))
        if to_srgb:
            strip = ImageCms.applyTransform(strip, to_srgb) or strip
        shrunk.paste(strip.convert(target), (0, top))
    return shrunk


def _to_8_bits(grey: Image.Image) -> Image.Image:
    """16 bits of grey as 8; Pillow's own conversion makes all but the darkest of them white."""
    grey.info.pop("transparency", None)  # a 16-bit number, of no meaning afterwards
    scaled = grey.convert("I").point(lambda value: value * (1 / 257))  # pyright: ignore[reportUnknownMemberType] # names numpy
    return scaled.convert("L")


def _build_transform(profile: bytes | None, working: str, target: str) -> ImageCms.ImageCmsTransform | None:
    """What turns colours of this ICC profile into sRGB, or None where there is no profile that fits the picture."""
    if not profile:
        return None
    try:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return ImageCms.buildTransform(io.BytesIO(profile), srgb, working, target)
    except _BAD_FILE:
        return None
