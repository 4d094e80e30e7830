"""Archives and pictures made to do harm, or made badly: each is refused by its name, and costs little memory."""

import json
import random
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.pictures.training_sets.archives import unpack
from bot.pictures.training_sets.preparing import prepare_training_picture
from tests.pictures.test_pictures import (
    MEGABYTE,
    ROOT,
    animated,
    chunk,
    declare,
    gradient,
    hidden_data,
    huffman_bomb,
    noise,
    padded_photo,
    png,
    repeat_last_scan,
    save,
)
from tests.scenes.hostile_archives import (
    ARCHIVES,
    PHOTO,
    deflated,
    handmade,
    named,
    pack_files,
    with_zip64_size,
    zip_entries,
)

MEASURE = """if True:
    import json, sys, threading, time
    import psutil
    from pathlib import Path
    from bot.errors import BotError
    from bot.pictures.training_sets.archives import unpack
    from bot.pictures.training_sets.preparing import prepare_training_picture

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
    path, folder = Path(sys.argv[2]), Path(sys.argv[3])
    began = time.monotonic()
    try:
        if sys.argv[1] == "archive":
            outcome = str([each.name for each in unpack(path, folder, "set.zip").files])
        else:
            made = prepare_training_picture(path, "cat.jpg")
            outcome = f"{made.original_width}x{made.original_height} to {made.width}x{made.height}"
    except BotError as error:
        outcome = str(error)
    took = time.monotonic() - began
    status = Path("/proc/self/status").read_text()  # not ru_maxrss: that begins with what our parent had
    own = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    print(json.dumps([outcome, max(own, highest) - before, took]))
"""


def measure(kind: str, path: Path, folder: Path) -> tuple[str, int, float]:
    """What came of a file in a fresh process, the bytes of memory that it took, and the seconds."""
    process = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", MEASURE, kind, str(path), str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    result, memory, took = json.loads(process.stdout)
    return result, memory, took


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty one, to unpack into."""
    made = tmp_path / "unpacked"
    made.mkdir()
    return made


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited as Linux does")
@pytest.mark.parametrize("case", ARCHIVES)
def test_a_hostile_archive_is_refused_by_name_and_costs_little(case: str, tmp_path: Path, folder: Path) -> None:
    make, words = ARCHIVES[case]
    path = tmp_path / "upload"
    path.write_bytes(make())

    result, memory, took = measure("archive", path, folder)

    assert words in result
    assert not result.startswith("[")
    assert result.endswith(".")
    assert len(result) < 250
    assert not [letter for letter in result if unicodedata.category(letter)[0] == "C"]
    assert memory < 40 * MEGABYTE
    assert took < 5
    assert not list(folder.iterdir())


def test_an_archive_of_101_megabytes_is_refused_whatever_is_in_it(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "huge.zip"
    with path.open("wb") as file:
        file.truncate(101 * MEGABYTE)

    with pytest.raises(Refused, match=r"“huge\.zip” has 101\.0 MB, and a ZIP has at most 100 MB"):
        unpack(path, folder, "huge.zip")


def test_a_failing_disk_is_not_blamed_on_the_archive(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        unpack(tmp_path / "gone", folder, "set.zip")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_the_bytes_of_an_archive_the_answer_is_a_sentence(tmp_path: Path, folder: Path) -> None:
    chance = random.Random(11)
    seeds = [
        named("a.jpg", "b/c.png", "__MACOSX/._a.jpg"),
        pack_files(a_jpg=PHOTO, a_txt=b"a cat"),
        zip_entries([(zipfile.ZipInfo("a.jpg"), PHOTO)], zipfile.ZIP_STORED),
        with_zip64_size(len(PHOTO)),
    ]
    path = tmp_path / "upload"
    refused: list[str] = []
    for number in range(600):
        content = bytearray(chance.choice(seeds))
        directory = content.index(b"PK\x01\x02")
        for _ in range(chance.choice([1, 2, 5])):
            content[chance.choice([chance.randrange(60), chance.randrange(directory, len(content))])] = (
                chance.randrange(256)
            )
        path.write_bytes(bytes(content))
        into = folder / str(number)
        into.mkdir()
        try:
            unpack(path, into, "set.zip")
        except Refused as error:
            refused += [str(error), *map(str, into.iterdir())]
    assert 0 < len(refused) < 600
    assert all(sentence.endswith(".") for sentence in refused)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited as Linux does")
def test_of_a_bomb_with_a_false_size_and_the_sum_that_fits_only_that_much_is_unpacked(
    tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(handmade(b"cat.jpg", deflated(400), size=1000, crc=zlib.crc32(bytes(1000))))

    result, memory, _ = measure("archive", path, folder)

    assert result == "['cat.jpg']"
    assert [each.stat().st_size for each in folder.iterdir()] == [1000]
    assert memory < 40 * MEGABYTE


# Archives that are meant well.


def test_what_a_mac_and_windows_add_is_left_out(tmp_path: Path, folder: Path) -> None:
    names = ["set/", "set/cat.jpg", "__MACOSX/set/._cat.jpg", "set/.DS_Store", "set/Thumbs.db", "./set/dog.PNG"]
    path = tmp_path / "upload"
    path.write_bytes(named(*names))

    unpacked = unpack(path, folder, "set.zip").files

    assert [each.name for each in unpacked] == ["cat.jpg", "dog.PNG"]
    assert [each.path.read_bytes() for each in unpacked] == [PHOTO, PHOTO]
    assert {each.path.parent for each in unpacked} == {folder}
    assert [each.size for each in unpacked] == [len(PHOTO)] * 2


def test_20_pictures_and_captions_of_a_mac_are_not_too_many(tmp_path: Path, folder: Path) -> None:
    names = [f"{number}{ending}" for number in range(20) for ending in (".jpg", ".txt")]
    path = tmp_path / "upload"
    path.write_bytes(named(*names, *(f"__MACOSX/._{name}" for name in names)))

    assert [each.name for each in unpack(path, folder, "set.zip").files] == names


def test_a_name_in_utf_8_that_does_not_say_so_is_read(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(handmade("кот.jpg".encode(), PHOTO, size=len(PHOTO), method=0, crc=zlib.crc32(PHOTO)))

    assert [each.name for each in unpack(path, folder, "set.zip").files] == ["кот.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited as Linux does")
def test_a_large_archive_takes_little_memory(tmp_path: Path, folder: Path) -> None:
    content = random.Random(1).randbytes(9 * MEGABYTE)
    path = tmp_path / "upload"
    path.write_bytes(zip_entries([(zipfile.ZipInfo(f"{n}.jpg"), content) for n in range(11)], zipfile.ZIP_STORED))

    result, memory, _ = measure("archive", path, folder)

    assert result.startswith("['0.jpg'")
    assert memory < 20 * MEGABYTE


# Pictures.


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited as Linux does")
@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        pytest.param(lambda: save(gradient(4032, 3024), "JPEG", quality=95), "to 1154x866", id="12 megapixels"),
        pytest.param(lambda: save(gradient(6000, 4000), "JPEG"), "6000x4000 to 1224x816", id="24 megapixels"),
        pytest.param(lambda: save(gradient(8064, 6048), "JPEG"), "8064x6048 to 1154x866", id="48 megapixels"),
        pytest.param(
            lambda: save(gradient(4032, 3024), "JPEG", progressive=True), "to 1154x866", id="12 megapixels, progressive"
        ),
        pytest.param(lambda: save(gradient(4032, 3024), "PNG"), "to 1154x866", id="12 megapixel PNG"),
        pytest.param(padded_photo, "to 1224x816", id="15 megapixel photo with much else in it"),
        pytest.param(hidden_data, "to 1118x894", id="20 megapixel PNG with much else in it"),
        pytest.param(lambda: save(gradient(2048, 2048), "WEBP"), "to 1000x1000", id="4 megapixel WebP"),
        pytest.param(
            lambda: png(5000, 4000, extra=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(100 * MEGABYTE), 1))),
            "“cat.jpg” cannot be used: it is damaged",
            id="100 MB of packed profile",
        ),
        pytest.param(
            lambda: png(17_000, 10_000, rows=1),
            "“cat.jpg” cannot be used: it is 17000 × 10000, which is 170 megapixels, and the most is 64",
            id="170 megapixel PNG",
        ),
        pytest.param(
            lambda: png(8000, 7500, rows=1), "“cat.jpg” cannot be used: opening it takes", id="60 megapixel PNG"
        ),
        pytest.param(lambda: declare(PHOTO, 17_000, 10_000), "170 megapixels", id="170 megapixel JPEG"),
        pytest.param(lambda: declare(PHOTO, 8000, 7900), "to 1006x993", id="JPEG that lies about its size"),
        pytest.param(
            lambda: declare(save(noise(32, 32), "JPEG", progressive=True), 8000, 6000),
            "“cat.jpg” cannot be used: opening it takes too much memory",
            id="48 megapixels, progressive",
        ),
        pytest.param(
            lambda: repeat_last_scan(save(noise(32, 32), "JPEG", progressive=True), 40),
            "“cat.jpg” cannot be used: it is a JPEG of unusually many scans",
            id="JPEG of 50 scans",
        ),
        pytest.param(huffman_bomb, "“cat.jpg” cannot be used: it is damaged", id="WebP of 65,536 Huffman tables"),
        pytest.param(lambda: png(3000, 3000, rows=5), "to 1000x1000", id="PNG that lies about its size"),
    ],
)
def test_no_training_picture_takes_more_than_100_megabytes(
    tmp_path: Path, folder: Path, make: Callable[[], bytes], outcome: str
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(make())

    result, memory, took = measure("picture", path, folder)

    assert outcome in result
    assert memory < 100 * MEGABYTE
    assert took < 10


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(PHOTO[:-200], "damaged or cut short", id="truncated JPEG"),
        pytest.param(save(noise(320, 200), "PNG")[:-1000], "damaged or cut short", id="truncated PNG"),
        pytest.param(save(noise(320, 200), "WEBP")[:-1000], "damaged or cut short", id="truncated WebP"),
        pytest.param(animated("GIF"), "it is a GIF, and only JPEG, PNG and WebP", id="GIF"),
        pytest.param(animated("PNG"), "it is animated", id="APNG"),
        pytest.param(animated("WEBP"), "it is animated", id="animated WebP"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is a HEIC picture", id="HEIC"),
        pytest.param(b"\n<html><body>sign in</body></html>", "it is a web page", id="HTML"),
        pytest.param(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing", id="SVG"),
        pytest.param(named("a.jpg"), "it is a ZIP archive", id="ZIP"),
        pytest.param(png(1, 19_000_000, rows=1), "a side has at most 16384 pixels", id="a line of pixels"),
        pytest.param(bytes(20_000_001), "it has 20.1 MB, and the most is 20 MB", id="20 MB and a byte"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(Refused, match=words) as refused:
        prepare_training_picture(path, "holiday\u202e\n.jpg")

    assert str(refused.value).startswith("“holiday .jpg” cannot be used: ")
