"""Pictures that others made: what is accepted, what is refused, and what it costs."""

import asyncio
import io
import json
import random
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, PngImagePlugin

from bot.errors import BotError, Broken, Refused
from bot.pictures.decode import (
    GENERATED,
    REFERENCE_PIXELS,
    Decoder,
    Picture,
    check_generated,
    open_judged,
    prepare_reference,
    render,
)
from bot.pictures.preview import make_preview
from tests import ROOT

MEGABYTE = 1_000_000


# The corpus.


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture with something in it everywhere: each channel differs."""
    channels = [ImageChops.offset(Image.effect_noise((width, height), 60), 7 * channel) for channel in range(len(mode))]
    return Image.merge(mode, channels) if len(mode) > 1 else channels[0]


def gradient(width: int, height: int, mode: str = "RGB") -> Image.Image:
    grey = Image.linear_gradient("L").resize((width, height))  # pyright: ignore[reportUnknownMemberType]
    return Image.merge(mode, [grey] * len(mode))


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def load(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    width: int, height: int, *, colour: int = 6, depth: int = 8, rows: int | None = None, extra: bytes = b""
) -> bytes:
    """A black PNG that says it is this large; with fewer rows than that it lies."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + width * samples * depth // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join([*(packer.compress(row) for _ in range(height if rows is None else rows)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_chunk(content: bytes, extra: bytes) -> bytes:
    return content[:33] + extra + content[33:]


def animated(kind: str) -> bytes:
    return save(noise(32, 32), kind, save_all=True, append_images=[noise(32, 32)], duration=100)


class Bits:
    """Writes bits, the lowest of a byte first, as VP8L (RFC 9649 §3) has them."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._waiting = 0
        self._count = 0

    def write(self, value: int, count: int) -> None:
        self._waiting |= value << self._count
        self._count += count
        while self._count >= 8:
            self.content.append(self._waiting & 255)
            self._waiting >>= 8
            self._count -= 8


def huffman_bomb(width: int = 2048, height: int = 2048) -> bytes:
    """A lossless WebP of 700 kB that asks for 65,536 groups of Huffman tables."""
    bits = Bits()
    one_symbol = 0b0001  # a code of the one symbol 0
    for value, count in ((0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 1), (0, 3)):
        bits.write(value, count)
    for value, count in ((0, 1), (0, 1), (1, 1), (0, 3), (0, 1)):  # no transform, no cache; groups for 4 × 4 pixels
        bits.write(value, count)
    for alphabet in (280, 256):  # green and red of the picture of groups: 256 symbols of 8 bits each
        bits.write(0, 1)
        bits.write(12 - 4, 4)
        for symbol in (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8):
            bits.write(int(symbol in {0, 8}), 3)
        if alphabet > 256:
            bits.write(1 | 3 << 1 | (256 - 2) << 4, 12)
        else:
            bits.write(0, 1)
        for _ in range(256):
            bits.write(1, 1)
    bits.write(one_symbol * 0x111, 12)
    mirrored = [int(f"{value:08b}"[::-1], 2) for value in range(256)]
    for group in range(-(-width // 4) * -(-height // 4)):
        bits.write(mirrored[group & 255] | mirrored[group >> 8 & 255] << 8, 16)
    for _ in range(65_536):
        bits.write(one_symbol * 0x11111, 20)
    content = bytes(bits.content) + bytes(64)
    content += bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(content) + 12) + b"WEBPVP8L" + struct.pack("<I", len(content)) + content


def declare(jpeg: bytes, width: int, height: int) -> bytes:
    """Change the size that a JPEG says it has."""
    frame = next(at for marker in (b"\xff\xc0", b"\xff\xc2") if (at := jpeg.find(marker)) > 0)
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]


def repeat_last_scan(jpeg: bytes, times: int) -> bytes:
    scan = jpeg[jpeg.rfind(b"\xff\xda") : -2]
    return jpeg[:-2] + scan * times + jpeg[-2:]


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "upload.png"  # whatever it is: the name means nothing
        path.write_bytes(content)
        return path

    return write


Upload = Callable[[bytes], Path]


# What providers send.


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_whole_generated_picture_is_accepted(kind: str, upload: Upload) -> None:
    content = save(noise(320, 200), kind)

    assert check_generated(content) == Picture(f"image/{kind}", 320, 200)
    assert check_generated(upload(content)) == Picture(f"image/{kind}", 320, 200)


@pytest.mark.parametrize("missing", ["1 byte", "a tenth", "all but the header"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_generated_picture_that_was_cut_short_is_not_kept(kind: str, missing: str) -> None:
    content = save(noise(320, 200), kind)
    cut = {"1 byte": len(content) - 1, "a tenth": len(content) * 9 // 10, "all but the header": 700}[missing]

    with pytest.raises(Broken, match=r"image service sent .* damaged or cut short\.$"):
        check_generated(content[:cut])


def test_a_flipped_bit_in_a_generated_png_is_seen() -> None:
    content = save(noise(64, 48), "PNG")
    for position in range(0, len(content) - 16, 97):  # the last 16 bytes are two sums and an empty chunk
        flipped = bytearray(content)
        flipped[position] ^= 1
        with pytest.raises(Broken, match=r"image service sent"):
            check_generated(bytes(flipped))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><title>502 Bad Gateway</title>", "a web page"),
        (b'{"status": "Expired"}', "a text file"),
        (b"", "empty"),
        (animated("GIF"), "a GIF"),
        (animated("WEBP"), "animated"),
        (png(7000, 6000, rows=1), "42 megapixels"),
    ],
)
def test_something_else_in_place_of_a_picture_is_named(content: bytes, words: str) -> None:
    with pytest.raises(Broken, match=words):
        check_generated(content)


# What members upload: refusals.


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(save(noise(320, 200), "JPEG")[:-1000], "damaged or cut short", id="truncated JPEG"),
        pytest.param(save(noise(320, 200), "PNG")[:-1000], "damaged or cut short", id="truncated PNG"),
        pytest.param(save(noise(320, 200), "WEBP")[:-1000], "damaged or cut short", id="truncated WebP"),
        pytest.param(png(300, 300)[:33] + chunk(b"IEND", b""), "damaged or cut short", id="PNG without pixels"),
        pytest.param(animated("GIF"), "it is a GIF, and only JPEG, PNG and WebP", id="GIF"),
        pytest.param(animated("PNG"), "it is animated", id="APNG"),
        pytest.param(animated("WEBP"), "it is animated", id="animated WebP"),
        pytest.param(png(17_000, 10_000, rows=1), "170 megapixels, and the most is 20", id="170 megapixel PNG"),
        pytest.param(declare(save(noise(32, 32), "JPEG"), 17_000, 10_000), "170 megapixels", id="170 megapixel JPEG"),
        pytest.param(png(1, 19_000_000, rows=1), "a side has at most 16384 pixels", id="a line of pixels"),
        pytest.param(png(0, 10, rows=1), "damaged", id="no width"),
        pytest.param(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "it is a PDF", id="PDF"),
        pytest.param(b"\n<html><body>sign in</body></html>", "it is a web page", id="HTML"),
        pytest.param(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing", id="SVG"),
        pytest.param(save(noise(32, 32), "TIFF"), "it is a TIFF picture", id="TIFF"),
        pytest.param(save(noise(32, 32), "BMP"), "it is a BMP picture", id="BMP"),
        pytest.param(save(noise(32, 32), "AVIF"), "it is an AVIF picture", id="AVIF"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is a HEIC picture", id="HEIC"),
        pytest.param(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "it is a video", id="MP4"),
        pytest.param(b"PK\x03\x04\x14\0\0\0", "it is a ZIP archive", id="ZIP"),
        pytest.param("just words, naïve ones".encode(), "it is a text file", id="text"),
        pytest.param(bytes(range(256)), "not a picture that is known", id="anything"),
        pytest.param(
            declare(save(noise(32, 32), "JPEG", progressive=True, subsampling=0), 5000, 4000),
            "takes too much memory",
            id="progressive JPEG of 20 megapixels",
        ),
        pytest.param(
            repeat_last_scan(save(noise(32, 32), "JPEG", progressive=True), 40),
            "unusually many scans",
            id="JPEG of 50 scans",
        ),
        pytest.param(save(Image.new("RGB", (2500, 2000)), "WEBP"), "takes too much memory", id="WebP of 5 megapixels"),
    ],
)
def test_what_cannot_be_a_reference_is_refused_in_one_sentence(upload: Upload, content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        prepare_reference(upload(content))

    sentence = str(refused.value)
    assert sentence.startswith("That picture cannot be used: ")
    assert sentence.count(".") == 1
    assert sentence.endswith(".")


def test_a_60_megabyte_file_is_refused_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(60 * MEGABYTE)

    with pytest.raises(Refused, match="it has 60 MB, and the most is 20 MB"):
        prepare_reference(path)


def test_a_failing_disk_is_not_blamed_on_the_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        prepare_reference(tmp_path / "gone")


@pytest.mark.filterwarnings("ignore:.*EXIF|Tag data:UserWarning")
def test_whatever_the_bytes_the_answer_is_a_sentence(upload: Upload) -> None:
    chance = random.Random(7)
    exif = Image.Exif()
    exif[0x0112] = 6
    seeds = [
        save(noise(64, 48), "JPEG", exif=exif),
        save(noise(64, 48), "JPEG", progressive=True),
        save(noise(64, 48, "CMYK"), "JPEG"),
        save(noise(64, 48, "RGBA"), "PNG", exif=exif),
        save(noise(64, 48).quantize(8), "PNG", transparency=3),
    ]
    refused = 0
    for _ in range(300):
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.choice([1, 2, 10])):
            content[chance.randrange(chance.choice([len(content), 400]))] = chance.randrange(256)
        try:
            prepare_reference(upload(bytes(content)))
        except Refused:
            refused += 1
    assert 0 < refused < 300


# What members upload: what becomes of it.


@pytest.mark.parametrize(
    ("image", "kind", "media_type", "colour"),
    [
        (Image.new("RGB", (40, 30), (200, 40, 90)), "JPEG", "image/jpeg", (200, 40, 90)),
        (Image.new("RGB", (40, 30), (200, 40, 90)), "WEBP", "image/jpeg", (200, 40, 90)),
        (Image.new("L", (40, 30), 100), "JPEG", "image/jpeg", (100, 100, 100)),
        (Image.new("L", (40, 30), 100), "PNG", "image/jpeg", (100, 100, 100)),
        (Image.new("1", (40, 30), 1), "PNG", "image/jpeg", (255, 255, 255)),
        (Image.new("I;16", (40, 30), 0x8080), "PNG", "image/jpeg", (128, 128, 128)),
        (Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG", "image/jpeg", (255, 0, 0)),
        (Image.new("RGB", (40, 30), (200, 40, 90)).quantize(2), "PNG", "image/jpeg", (200, 40, 90)),
        (Image.new("RGBA", (40, 30), (200, 40, 90, 255)), "PNG", "image/jpeg", (200, 40, 90)),
        (Image.new("RGBA", (40, 30), (200, 40, 90, 77)), "PNG", "image/png", (200, 40, 90, 77)),
        (Image.new("RGBA", (40, 30), (200, 40, 90, 77)), "WEBP", "image/png", (200, 40, 90, 77)),
        (Image.new("LA", (40, 30), (100, 77)), "PNG", "image/png", (100, 100, 100, 77)),
    ],
)
def test_every_kind_of_pixel_keeps_its_colour(
    upload: Upload, image: Image.Image, kind: str, media_type: str, colour: tuple[int, ...]
) -> None:
    reference = prepare_reference(upload(save(image, kind)))

    made = load(reference.content)
    assert reference.media_type == media_type == Image.MIME[made.format or ""]
    assert (reference.width, reference.height) == made.size == (40, 30)
    pixel = made.getpixel((20, 15))
    assert isinstance(pixel, tuple)
    assert len(pixel) == len(colour)
    assert all(abs(have - want) <= 4 for have, want in zip(pixel, colour, strict=True)), pixel


def test_a_palette_with_a_transparent_colour_stays_transparent_there(upload: Upload) -> None:
    image = Image.new("P", (40, 30), 0)
    image.putpalette([10, 20, 30, 200, 40, 90])
    image.paste(1, (20, 0, 40, 30))

    made = load(prepare_reference(upload(save(image, "PNG", transparency=0))).content)

    assert made.getpixel((35, 15)) == (200, 40, 90, 255)
    pixel = made.getpixel((5, 15))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_held_sideways_is_put_upright(upload: Upload, kind: str, orientation: int) -> None:
    image = Image.new("RGB", (64, 32), "white")
    image.paste("red", (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = save(image, kind, exif=exif)

    made = load(prepare_reference(upload(content)).content)

    expected = ImageOps.exif_transpose(load(content))
    assert made.size == expected.size
    assert ImageChops.difference(made, expected.convert("RGB")).convert("L").reduce(8).getextrema()[1] <= 8  # pyright: ignore


def test_a_photo_tells_neither_where_nor_by_whom_it_was_taken(upload: Upload) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    content = save(noise(64, 48), "JPEG", exif=exif, comment=b"SECRET comment", xmp=b"<x>SECRET xmp</x>")
    assert content.count(b"SECRET") == 3

    made = prepare_reference(upload(content)).content

    assert b"SECRET" not in made
    assert set(load(made).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_png_with_alpha_loses_its_text_too(upload: Upload) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "SECRET")
    content = save(noise(64, 48, "RGBA"), "PNG", pnginfo=text)
    assert b"SECRET" in content

    made = prepare_reference(upload(content)).content

    assert b"SECRET" not in made
    assert load(made).info == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_mean_the_same_without_their_profile(upload: Upload, kind: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # pyright: ignore
    green_is_called_red = srgb.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)
    content = save(Image.new("RGB", (32, 32), (255, 0, 0)), kind, icc_profile=green_is_called_red)

    made = load(prepare_reference(upload(content)).content)

    red, green, blue = made.getpixel((16, 16))  # pyright: ignore
    assert green > 240
    assert red < 15
    assert blue < 15


def test_a_profile_that_is_nonsense_is_ignored(upload: Upload) -> None:
    content = save(Image.new("RGB", (32, 32), (255, 0, 0)), "JPEG", icc_profile=b"not a profile" * 20)

    assert prepare_reference(upload(content)).media_type == "image/jpeg"


def test_a_camera_s_file_of_two_pictures_is_its_first_one(upload: Upload) -> None:
    first, second = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")
    content = save(first, "MPO", save_all=True, append_images=[second])
    assert getattr(load(content), "n_frames", 1) == 2

    reference = prepare_reference(upload(content))

    assert reference.media_type == "image/jpeg"
    assert load(reference.content).getpixel((30, 30)) == (254, 0, 0)


def test_a_large_picture_is_scaled_down_to_4_megapixels_and_a_small_one_left(upload: Upload) -> None:
    large = prepare_reference(upload(save(gradient(3200, 1600), "JPEG")))
    small = prepare_reference(upload(save(gradient(320, 160), "JPEG")))

    assert 0.99 * REFERENCE_PIXELS < large.width * large.height <= REFERENCE_PIXELS
    assert large.width / large.height == pytest.approx(2, abs=0.01)
    assert (small.width, small.height) == (320, 160)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_scaling_in_strips_leaves_no_seams(upload: Upload, mode: str) -> None:
    image = noise(1501, 1207, mode)
    with open_judged(upload(save(image, "PNG", compress_level=1)), GENERATED) as (file, header):
        made = render(file, header, pixels=400_000, memory=GENERATED.memory)

    whole = image.convert(made.mode).resize(made.size, Image.Resampling.LANCZOS)  # pyright: ignore
    difference = ImageChops.difference(made, whole).convert("RGB").convert("L")
    assert max(difference.tobytes()) <= 3  # of 255, from rounding where a picture is nearly transparent


# What it costs.

MEASURE = """if True:
    import json, sys, threading, time
    import psutil
    from pathlib import Path
    from bot.errors import BotError
    from bot.pictures.decode import prepare_reference

    process = psutil.Process()
    before = highest = process.memory_info().rss

    def watch():
        global highest
        while True:
            memory = process.memory_info().rss
            for child in process.children():
                try:
                    memory += child.memory_info().rss
                except psutil.Error:
                    pass
            highest = max(highest, memory)
            time.sleep(0.002)

    threading.Thread(target=watch, daemon=True).start()
    try:
        reference = prepare_reference(Path(sys.argv[1]))
        outcome = f"{reference.media_type} {reference.width}x{reference.height}"
    except BotError as error:
        outcome = str(error)
    status = Path("/proc/self/status").read_text()  # not ru_maxrss: that begins with what our parent had
    own = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    print(json.dumps([outcome, max(own, highest) - before]))
"""


def hidden_data() -> bytes:
    """60 MB of packed text, 8 MB of wide text and 9 MB of nobody's, in a PNG of 20 megapixels of 8 bytes each."""
    text = zlib.compress(bytes(1 << 20))
    chunks = [chunk(b"zTXt", b"k%d\0\0" % number + text) for number in range(60)]
    chunks += [
        chunk(b"iTXt", b"k\0\0\0\0\0" + "🙂".encode() + bytes(8 * MEGABYTE)),
        chunk(b"prVt", bytes(9 * MEGABYTE)),
    ]
    return png(5000, 4000, depth=16, extra=b"".join(chunks))


def padded_photo() -> bytes:
    """A JPEG of 15 megapixels, too few to be decoded smaller, with 16 MB of colour profile and a comment or two."""
    photo = save(gradient(4743, 3162), "JPEG")
    profile = b"".join(
        b"\xff\xe2" + struct.pack(">H", 65_016) + b"ICC_PROFILE\0" + bytes([number, 250]) + bytes(65_000)
        for number in range(1, 251)
    )
    comments = (b"\xff\xfe" + struct.pack(">H", 60_002) + bytes(60_000)) * 40
    return photo[:2] + profile + comments + photo[2:]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited as Linux does")
@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        pytest.param(lambda: save(gradient(5472, 3648), "JPEG", quality=90), "image/jpeg", id="20 megapixel photo"),
        pytest.param(
            lambda: save(gradient(4000, 3000), "JPEG", progressive=True, subsampling=0), "image/jpeg", id="progressive"
        ),
        pytest.param(padded_photo, "image/jpeg", id="15 megapixel photo with much else in it"),
        pytest.param(hidden_data, "image/png", id="20 megapixel PNG with much else in it"),
        pytest.param(
            lambda: png(5000, 4000, extra=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(100 * MEGABYTE), 1))),
            "damaged",
            id="100 MB of packed profile",
        ),
        pytest.param(lambda: png(17_000, 10_000, rows=1), "170 megapixels", id="170 megapixels"),
        pytest.param(lambda: save(gradient(2048, 2048), "WEBP"), "image/jpeg", id="4 megapixel WebP"),
        pytest.param(huffman_bomb, "damaged", id="WebP of 65,536 Huffman tables"),
    ],
)
def test_no_upload_takes_more_than_100_megabytes(upload: Upload, make: Callable[[], bytes], outcome: str) -> None:
    path = upload(make())
    process = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, check=True
    )
    result, memory = json.loads(process.stdout)

    assert outcome in result
    assert memory < 100 * MEGABYTE


@pytest.fixture
async def decoder() -> AsyncGenerator[Decoder]:
    decoder = Decoder()
    yield decoder
    await decoder.close()


async def test_pictures_are_decoded_beside_the_bot_and_not_in_its_way(decoder: Decoder) -> None:
    assert await decoder.run(threading.get_ident) != threading.get_ident()


async def test_pictures_are_decoded_one_at_a_time_even_when_the_first_asker_is_gone(decoder: Decoder) -> None:
    first_may_end, second_began = threading.Event(), threading.Event()
    first = asyncio.create_task(decoder.run(first_may_end.wait))
    second = asyncio.create_task(decoder.run(second_began.set))
    await asyncio.to_thread(bool)  # a thread begins and ends: so could another have

    first.cancel()
    await asyncio.to_thread(bool)  # a thread begins and ends: so could another have
    began_too_early = second_began.is_set()
    first_may_end.set()

    assert not began_too_early
    await second
    assert second_began.is_set()


async def test_a_refusal_reaches_the_one_who_asked(decoder: Decoder, upload: Upload) -> None:
    with pytest.raises(BotError, match="it is empty"):
        await decoder.run(prepare_reference, upload(b""))


# Copies to look at.


@pytest.mark.parametrize(("mode", "media_type"), [("RGB", "image/jpeg"), ("RGBA", "image/webp")])
def test_a_preview_fits_and_the_original_stays_as_it_is(upload: Upload, mode: str, media_type: str) -> None:
    content = save(noise(1000, 800, mode), "PNG", compress_level=1)
    path = upload(content)

    preview = make_preview(path, max_bytes=200_000)

    assert 100_000 < len(preview.content) <= 200_000
    made = load(preview.content)
    assert preview.media_type == media_type == Image.MIME[made.format or ""]
    assert (preview.width, preview.height) == made.size
    assert made.width / made.height == pytest.approx(1.25, abs=0.01)
    assert path.read_bytes() == content


def test_a_preview_that_need_not_be_smaller_has_every_pixel(upload: Upload) -> None:
    preview = make_preview(upload(save(gradient(1000, 800), "PNG")), max_bytes=10 * 2**20)

    assert (preview.width, preview.height) == (1000, 800)


def test_a_preview_of_a_file_that_was_damaged_since_is_not_made(upload: Upload) -> None:
    with pytest.raises(Broken, match="stored picture: it is damaged"):
        make_preview(upload(save(noise(320, 200), "PNG")[:-500]), max_bytes=10 * 2**20)
