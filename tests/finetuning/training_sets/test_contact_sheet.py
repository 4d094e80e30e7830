"""Many pictures on one sheet: what is where, and what it costs."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bot.errors import Broken
from bot.pictures.contact_sheet import Sheet, draw_contact_sheet, draw_labelled_grid
from tests.pictures.test_pictures import MEGABYTE, ROOT, gradient, load, noise, save

COLOURS = ["red", "lime", "blue", "yellow", "magenta", "cyan", "white", "orange", "purple", "green", "brown", "pink"]
PAPER = (30, 31, 34)


def plain(colour: str, size: tuple[int, int] = (300, 300)) -> bytes:
    return save(Image.new("RGB", size, colour), "PNG")


def open_sheet(sheet: Sheet) -> Image.Image:
    image = load(sheet.content)
    assert image.format == "JPEG"
    assert image.size == (sheet.width, sheet.height)
    assert max(image.size) <= 2048
    assert len(sheet.content) <= 2 * MEGABYTE
    return image


def is_like(image: Image.Image, where: tuple[int, int], colour: str | tuple[int, int, int]) -> bool:
    wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    have = image.getpixel(where)
    assert isinstance(have, tuple)
    assert isinstance(wanted, tuple)
    return all(abs(a - b) < 12 for a, b in zip(have, wanted, strict=True))


def test_the_pictures_are_in_their_order_along_the_rows() -> None:
    image = open_sheet(draw_contact_sheet([plain(colour) for colour in COLOURS], columns=4))

    width, height = image.width / 4, image.height / 3
    for position, colour in enumerate(COLOURS):
        row, column = divmod(position, 4)
        assert is_like(image, (int(width * (column + 0.5)), int(height * (row + 0.6))), colour), colour


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3), (12, 4), (20, 5), (25, 5)])
def test_a_sheet_is_about_as_wide_as_high_in_pictures(count: int, columns: int) -> None:
    sheet = draw_contact_sheet([plain("red", (64, 64))] * count)
    image = open_sheet(sheet)

    row = [is_like(image, (x, sheet.height // (2 * -(-count // columns)) + 20), "red") for x in range(sheet.width)]
    assert sum(now and not before for before, now in zip([False, *row], row, strict=False)) == columns


def test_a_picture_is_shown_whole_and_not_distorted() -> None:
    wide = Image.new("RGB", (400, 100), "red")
    wide.paste("blue", (200, 0, 400, 100))
    image = open_sheet(draw_contact_sheet([save(wide, "PNG"), plain("lime"), plain("lime")]))

    cell = image.width // 3
    red = [x for x in range(cell) if is_like(image, (x, image.height // 2 + 40), "red")]
    blue = [x for x in range(cell) if is_like(image, (x, image.height // 2 + 40), "blue")]
    high = [y for y in range(image.height) if is_like(image, (cell * 3 // 4, y), "blue")]
    assert len(red) == pytest.approx(len(blue), abs=8)
    assert (len(red) + len(blue)) / len(high) == pytest.approx(4, rel=0.1)
    assert is_like(image, (cell // 2, 10), PAPER)


def test_each_picture_has_its_number_and_a_captioned_one_a_mark() -> None:
    bare = open_sheet(draw_contact_sheet([plain("red")] * 4))
    marked = open_sheet(draw_contact_sheet([plain("red")] * 4, captioned={2}))

    def chip(image: Image.Image, column: int) -> bytes:
        return image.crop((column * image.width // 2 + 8, 12, column * image.width // 2 + 120, 50)).tobytes()

    assert chip(bare, 0) != chip(bare, 1)
    assert chip(bare, 0) == chip(marked, 0)
    assert chip(bare, 1) != chip(marked, 1)


def test_labels_stand_below_their_pictures() -> None:
    without = draw_contact_sheet([plain("red")] * 4)
    labelled = draw_contact_sheet(
        [plain("red")] * 4, labels=["one", "two", "three, with very much to say about it" * 4, ""]
    )

    image = open_sheet(labelled)
    assert labelled.height > without.height
    last_line = image.crop((0, image.height - 30, image.width, image.height)).convert("L")
    left, right = last_line.crop((0, 0, image.width // 2, 30)), last_line.crop((image.width // 2, 0, image.width, 30))
    assert left.getextrema()[1] > 150  # pyright: ignore[reportOperatorIssue]
    assert right.getextrema()[1] < 60  # pyright: ignore[reportOperatorIssue]


def test_transparent_and_sideways_pictures_are_shown_as_they_are_meant(tmp_path: Path) -> None:
    see_through = Image.new("RGBA", (200, 200), (255, 0, 0, 0))
    see_through.paste((0, 0, 255, 255), (100, 0, 200, 200))
    sideways = Image.new("RGB", (200, 100), "lime")
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "stored"
    path.write_bytes(save(sideways, "JPEG", exif=exif))

    image = open_sheet(draw_contact_sheet([save(see_through, "PNG"), path, plain("red")]))

    cell = image.width // 3
    assert is_like(image, (cell // 4, image.height // 2), PAPER)
    assert is_like(image, (cell * 3 // 4, image.height // 2), "blue")
    assert is_like(image, (cell + cell // 2, image.height - 20), "lime")
    assert is_like(image, (cell + 20, image.height // 2), PAPER)


def test_a_sweep_has_its_labels_around_it() -> None:
    pictures = [plain(colour) for colour in COLOURS[:6]]
    sheet = draw_labelled_grid(
        [*pictures[:5], None], row_labels=["strength 0.8", "strength 1.1"], column_labels=["seed 1", "seed 2", "seed 3"]
    )
    image = open_sheet(sheet)

    left = next(x for x in range(image.width) if is_like(image, (x, 120), "red"))
    top = next(y for y in range(image.height) if is_like(image, (left + 60, y), "red"))
    width, height = (image.width - left) / 3, (image.height - top) / 2
    for position, colour in enumerate(COLOURS[:5]):
        row, column = divmod(position, 3)
        assert is_like(image, (int(left + width * (column + 0.5)), int(top + height * (row + 0.5))), colour), colour
    assert is_like(image, (int(left + width * 2.3), int(top + height * 1.3)), (49, 51, 56))
    assert image.crop((0, top, left - 4, image.height)).convert("L").getextrema()[1] > 150  # pyright: ignore[reportOperatorIssue]
    assert image.crop((left, 0, image.width, top - 4)).convert("L").getextrema()[1] > 150  # pyright: ignore[reportOperatorIssue]


def test_the_same_pictures_make_the_same_sheet() -> None:
    pictures = [plain(colour) for colour in COLOURS]

    assert draw_contact_sheet(pictures).content == draw_contact_sheet(pictures).content


@pytest.mark.parametrize("shape", [(4000, 20), (20, 4000), (1, 1)])
def test_pictures_of_any_shape_fit(shape: tuple[int, int]) -> None:
    open_sheet(draw_contact_sheet([plain("red", shape)] * 7, labels=["a"] * 7))
    open_sheet(draw_contact_sheet([plain("red", shape)] * 25, columns=1, labels=["a"] * 25))
    open_sheet(draw_labelled_grid([plain("red", shape)] * 25, row_labels=["x" * 100], column_labels=["yyy"] * 25))


def test_the_worst_pictures_still_fit_into_2_megabytes() -> None:
    static = save(Image.frombytes("RGB", (700, 700), random.Random(3).randbytes(3 * 700 * 700)), "JPEG", quality=95)

    open_sheet(draw_contact_sheet([static] * 16))


def test_a_picture_that_is_damaged_is_a_matter_for_the_admin() -> None:
    for damaged in (b"nonsense", plain("red")[:-30]):
        with pytest.raises(Broken, match="A stored picture cannot be shown: "):
            draw_contact_sheet([plain("red"), damaged])


def test_a_sheet_of_nothing_or_of_too_many_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="0 pictures"):
        draw_contact_sheet([])
    with pytest.raises(ValueError, match="26 pictures"):
        draw_contact_sheet([plain("red")] * 26)
    with pytest.raises(ValueError, match="5 pictures on a grid of 2 × 3"):
        draw_labelled_grid([None] * 5, row_labels=["a", "b"], column_labels=["a", "b", "c"])
    open_sheet(draw_labelled_grid([None] * 6, row_labels=["a", "b"], column_labels=["a", "b", "c"]))


MEASURE = """if True:
    import json, sys, threading, time
    import psutil
    from pathlib import Path
    from bot.pictures.contact_sheet import draw_contact_sheet

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
    draw_contact_sheet([Path(sys.argv[1])] * int(sys.argv[2]))
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    print(json.dumps(max(own, highest) - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux does")
@pytest.mark.parametrize(
    ("make", "count", "most"),
    [
        pytest.param(lambda: save(noise(1154, 866), "JPEG", quality=95), 25, 50, id="training pictures"),
        pytest.param(lambda: save(gradient(2048, 2048), "PNG"), 25, 60, id="PNGs of 4 megapixels"),
        pytest.param(lambda: save(gradient(2048, 2048), "WEBP"), 4, 125, id="WebPs of 4 megapixels"),
    ],
)
def test_a_sheet_takes_little_memory(make: Callable[[], bytes], count: int, most: int, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(make())

    measured = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", MEASURE, str(path), str(count)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )

    assert json.loads(measured.stdout) < most * MEGABYTE
