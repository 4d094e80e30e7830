"""Training sets: how pictures and captions are made ready, and what is sent."""

import hashlib
import io
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps

from bot.errors import Broken, Refused
from bot.pictures.decode import Decoder
from bot.pictures.fingerprint import look_alike, take_fingerprint
from bot.pictures.names import Kind, clean, kind_of, match_captions, quoted, stem
from bot.pictures.training_sets.archives import unpack
from bot.pictures.training_sets.preparing import (
    TRAINING_PIXELS,
    Prepared,
    build_archive,
    parse_caption,
    prepare_training_picture,
    read_archive,
    read_caption,
)
from tests.pictures.test_pictures import gradient, load, noise, save


def prepare(folder: Path, content: bytes, name: str = "cat.jpg") -> Prepared:
    path = folder / "upload"
    path.write_bytes(content)
    return prepare_training_picture(path, name)


# Names.


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("photos/summer/cat.jpg", "cat.jpg"),
        ("C:\\photos\\cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("a\x00b\x1b[31m\r\nc\u2028d.png", "ab[31m c d.png"),
        ("e\u0301t\u00e9.png", "été.png"),
        ("", "unnamed"),
        ("folder/", "unnamed"),
    ],
)
def test_a_name_is_shown_without_its_folders_and_without_tricks(name: str, shown: str) -> None:
    assert clean(name) == shown


def test_a_long_name_keeps_its_ending() -> None:
    assert quoted("x" * 300 + ".webp") == f"“{'x' * 34}….webp”"
    assert len(clean("." + "x" * 300)) == 120


def test_what_a_file_is_goes_by_its_ending_in_any_case() -> None:
    kinds = [
        kind_of(name) for name in ("a.JPG", "a.jpeg", "a.PnG", "a.webp", "a.TXT", "a.zip", "a.heic", "jpg", ".png")
    ]

    assert kinds == [Kind.PICTURE] * 4 + [Kind.CAPTION, Kind.ARCHIVE] + [Kind.OTHER] * 3
    assert stem("Summer/CAT.final.JPG") == stem("cat.final.txt") == "cat.final"


def test_captions_find_their_pictures() -> None:
    matched = match_captions(["b.jpg", "notes.md", "A.txt", "a.PNG", "c.txt", "image.png", "image.png"])

    assert matched.pictures == ((0, None), (3, 2), (5, None), (6, None))
    assert matched.alone == (4,)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.jpg", "a.png", "a.txt"], "“a.txt” could be the caption of “a.jpg” or of “a.png”"),
        (["a.jpg", "a.txt", "A.TXT"], "two captions called “A.TXT”"),
    ],
)
def test_a_caption_that_fits_twice_is_not_guessed(names: list[str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        match_captions(names)


# Pictures.


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_a_jpeg_of_at_most_a_megapixel(tmp_path: Path, kind: str) -> None:
    made = prepare(tmp_path, save(gradient(1800, 1200), kind))

    image = load(made.content)
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.size == (made.width, made.height)
    assert 0.99 * TRAINING_PIXELS < made.width * made.height <= TRAINING_PIXELS
    assert made.width / made.height == pytest.approx(1.5, abs=0.01)
    assert (made.original_width, made.original_height) == (1800, 1200)
    assert getattr(image, "layer")[0][1:3] == (1, 1)  # noqa: B009 - Pillow does not declare it: 4:4:4


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    made = prepare(tmp_path, save(noise(320, 200), "PNG"))

    assert (made.width, made.height) == (320, 200)


def test_what_was_transparent_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (32, 0, 64, 64))

    made = load(prepare(tmp_path, save(image, "PNG")).content)

    assert made.getpixel((10, 32)) == (255, 255, 255)
    red, _, blue = made.getpixel((54, 32))  # pyright: ignore
    assert red < 5
    assert blue > 250


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_held_sideways_is_trained_upright(tmp_path: Path, orientation: int) -> None:
    image = Image.new("RGB", (64, 32), "white")
    image.paste("red", (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = save(image, "JPEG", exif=exif, quality=95)

    made = prepare(tmp_path, content)

    upright = ImageOps.exif_transpose(load(content))
    assert (made.original_width, made.original_height) == load(made.content).size == upright.size
    assert look_alike(made.fingerprint, take_fingerprint(upright))


def test_nothing_of_where_and_by_whom_remains(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    content = save(noise(64, 48), "JPEG", exif=exif, comment=b"SECRET comment", xmp=b"<x>SECRET xmp</x>")

    made = prepare(tmp_path, content).content

    assert b"SECRET" not in made
    assert set(load(made).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_colours_are_those_of_srgb(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # pyright: ignore
    swapped = srgb.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)

    made = load(prepare(tmp_path, save(Image.new("RGB", (32, 32), (255, 0, 0)), "JPEG", icc_profile=swapped)).content)

    red, green, _ = made.getpixel((16, 16))  # pyright: ignore
    assert green > 240
    assert red < 15


def test_a_camera_s_file_of_two_pictures_is_its_first_one(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")

    made = prepare(tmp_path, save(first, "MPO", save_all=True, append_images=[second]))

    assert load(made.content).getpixel((30, 30)) == (254, 0, 0)


async def test_everything_can_be_run_beside_the_event_loop(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat.png", save(noise(64, 48), "PNG"))
        archive.writestr("cat.txt", "a cat")
    (tmp_path / "unpacked").mkdir()

    picture, caption = (await decoder.run(unpack, path, tmp_path / "unpacked", "set.zip")).files
    prepared = await decoder.run(prepare_training_picture, picture.path, picture.name)

    assert (prepared.width, prepared.height) == (64, 48)
    assert await decoder.run(read_caption, caption.path, caption.name) == "a cat"
    assert [picture.kind, caption.kind] == [Kind.PICTURE, Kind.CAPTION]


@pytest.fixture
async def decoder() -> AsyncGenerator[Decoder]:
    decoder = Decoder()
    yield decoder
    await decoder.close()


# Captions.


@pytest.mark.parametrize(
    ("content", "caption"),
    [
        (b"a cat on a mat", "a cat on a mat"),
        ("\ufeffa café\r\n".encode(), "a café"),
        (b"  two\n\nlines\tand a tab ", "two lines and a tab"),
        ("a\x1b[31m \u202ecat\u202c".encode(), "a[31m cat"),
        ("👩‍👧 ok".encode(), "👩‍👧 ok"),
        (b"", ""),
        (b"\n \t\n", ""),
        (b"x" * 2000 + b"\n", "x" * 2000),
    ],
)
def test_a_caption_is_one_line_of_plain_text(content: bytes, caption: str) -> None:
    assert parse_caption(content, "cat.txt") == caption


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * 2001, "The caption in “cat.txt” is longer than 2,000 characters: shorten it"),
        (b" " * 70_000, "longer than 2,000 characters"),
        ("a cat".encode("utf-16"), "“cat.txt” is not a text file in UTF-8: save it again"),
        ("a cat".encode("utf-16-le"), "not a text file in UTF-8"),
        ("ein Kätzchen".encode("latin-1"), "not a text file in UTF-8"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "not a text file in UTF-8"),
    ],
)
def test_what_is_no_caption_is_refused_by_name(content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        parse_caption(content, "some/folder/cat.txt")


# Archives of ours.

SET = [(b"first picture", "a cat, sitting"), (b"second picture", None), (b"third picture", "eine Kätzin")]


def test_the_same_set_is_the_same_bytes_anywhere() -> None:
    archive = build_archive(SET)

    assert archive == build_archive(list(SET))
    assert hashlib.sha256(archive).hexdigest() == "116e76d18bdbc54e17c5dcb84aab94586039193d4aad3c707e4896a8f5cda3f6"


def test_an_archive_is_flat_and_plain() -> None:
    with zipfile.ZipFile(io.BytesIO(build_archive(SET))) as archive:
        entries = archive.infolist()

    assert [entry.filename for entry in entries] == ["0001.jpg", "0001.txt", "0002.jpg", "0003.jpg", "0003.txt"]
    assert {entry.external_attr for entry in entries} == {0o644 << 16}
    assert {(entry.create_system, entry.compress_type, entry.extra, entry.flag_bits) for entry in entries} == {
        (3, zipfile.ZIP_STORED, b"", 0)
    }
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_another_order_or_caption_is_another_set() -> None:
    assert len({build_archive(each) for each in (SET, SET[::-1], [*SET[:2], (b"third picture", None)], SET[:2])}) == 4


def test_an_archive_gives_back_what_was_put_in() -> None:
    pictures = read_archive(build_archive(SET))

    assert [(each.content, each.caption) for each in pictures] == SET
    assert [each.name for each in pictures] == ["0001.jpg", "0002.jpg", "0003.jpg"]
    assert read_archive(build_archive([])) == []


def test_a_damaged_archive_is_said_to_be_so() -> None:
    archive = bytearray(build_archive(SET))
    archive[45] ^= 1

    for damaged in (bytes(archive), bytes(archive[:-30]), b"", b"nonsense"):
        with pytest.raises(Broken, match="training set is damaged"):
            read_archive(damaged)
