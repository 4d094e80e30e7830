"""Many pictures on one sheet: a training set, its pictures numbered, and a sweep, its rows and columns labelled.

Text is drawn in Pillow's own font, which needs no file and has only ASCII: no text of a member is drawn.
"""

import io
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.errors import Broken
from bot.pictures.decode import Limits, open_judged, render, resize
from bot.pictures.headers import Unfit

MOST_PICTURES = 25
_SHEET = Limits(
    file_bytes=64_000_000, pixels=40_000_000, memory=97_000_000
)  # of one picture; ordinary ones take a third
_MOST_BYTES = 2_000_000
_SIDE = 2048  # pixels of the sheet, either way, at most
_CELL = 512  # pixels of a cell's longer side, at most
_GAP = 8
_LETTERS = 50  # of the font's size in the sheet's width: Discord shows a sheet about 550 pixels wide
_SMALLEST_TEXT = 18  # pixels
_PAPER, _EMPTY, _INK, _CHIP = (30, 31, 34), (49, 51, 56), (219, 222, 225), (17, 18, 20)

Source = Path | bytes


@dataclass(frozen=True, slots=True)
class Sheet:
    """A JPEG of at most 2,048 pixels each way and 2 MB."""

    width: int
    height: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the cells are, in pixels."""

    columns: int
    rows: int
    cell: tuple[int, int]
    left: int = 0
    """Room for labels at the left."""
    top: int = 0
    """Room for labels above."""
    below: int = 0
    """Room for a label under each cell."""

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.cell
        return (
            self.left + self.columns * (width + _GAP) + _GAP,
            self.top + self.rows * (height + self.below + _GAP) + _GAP,
        )

    def corner(self, position: int) -> tuple[int, int]:
        """The upper left corner of a cell, counted from 0 along the rows."""
        row, column = divmod(position, self.columns)
        return (
            self.left + _GAP + column * (self.cell[0] + _GAP),
            self.top + _GAP + row * (self.cell[1] + self.below + _GAP),
        )


class _Text:
    """The font, and its measures in pixels, for a sheet of so many columns."""

    def __init__(self, columns: int) -> None:
        self.size = max(_SMALLEST_TEXT, min(_SIDE, columns * _CELL) // _LETTERS)
        self.line = self.size * 3 // 2
        self._font = ImageFont.load_default(self.size)

    def width(self, text: str) -> int:
        return math.ceil(self._font.getlength(text))

    def draw(
        self, on: ImageDraw.ImageDraw, where: tuple[float, float], text: str, width: float, anchor: str = "mm"
    ) -> None:
        """Draw as much of a text as fits into `width`, around the middle, or (`rm`) ending there."""
        if self.width(text) > width:
            while text and self.width(f"{text}...") > width:
                text = text[:-1]
            text = f"{text}..."
        on.text(where, text, fill=_INK, font=self._font, anchor=anchor)


def draw_contact_sheet(
    pictures: Sequence[Source],
    *,
    labels: Sequence[str] | None = None,
    captioned: Collection[int] = (),
    columns: int | None = None,
) -> Sheet:
    """Draw up to 25 stored pictures, numbered from 1; the numbers in `captioned` get a mark of three lines.

    `labels`, one for each, are drawn below. One picture is open at a time: of JPEGs and PNGs of 4 megapixels it takes
    60 MB of memory, of such WebPs, which need a process of their own, 125 MB.

    Raises:
        Broken: a picture cannot be opened any more.
        ValueError: no picture, or more than 25.
    """
    if not 0 < len(pictures) <= MOST_PICTURES:
        raise ValueError(f"{len(pictures)} pictures on a contact sheet")
    columns = min(len(pictures), columns or _usual_columns(len(pictures)))
    text = _Text(columns)
    room = _Layout(columns, math.ceil(len(pictures) / columns), (0, 0), below=text.line if labels else 0)
    layout = _with_cells(room, _usual_ratio(pictures))
    sheet = Image.new("RGB", layout.size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for position, picture in enumerate(pictures):
        corner = _place(sheet, layout, position, picture)
        _draw_number(draw, text, position + 1, corner, captioned=position + 1 in captioned)
        if labels:
            x, y = layout.corner(position)
            where = x + layout.cell[0] / 2, y + layout.cell[1] + text.line / 2
            text.draw(draw, where, labels[position], layout.cell[0])
    return _encode(sheet)


def draw_labelled_grid(
    pictures: Sequence[Source | None], *, row_labels: Sequence[str], column_labels: Sequence[str]
) -> Sheet:
    """Draw a sweep: pictures along the rows, labels at the left and above. None leaves a place empty.

    It takes as much memory as `draw_contact_sheet`.

    Raises:
        Broken: a picture cannot be opened any more.
        ValueError: not as many pictures as the labels make places, none at all, or more than 25.
    """
    if len(pictures) != len(row_labels) * len(column_labels) or not 0 < len(pictures) <= MOST_PICTURES:
        raise ValueError(f"{len(pictures)} pictures on a grid of {len(row_labels)} × {len(column_labels)}")
    text = _Text(len(column_labels))
    left = min(8 * text.size, max(text.width(label) for label in row_labels)) + 2 * _GAP
    room = _Layout(len(column_labels), len(row_labels), (0, 0), left=left, top=text.line)
    layout = _with_cells(room, _usual_ratio([picture for picture in pictures if picture is not None]))
    width, height = layout.cell
    sheet = Image.new("RGB", layout.size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, label in enumerate(column_labels):
        x, _ = layout.corner(column)
        text.draw(draw, (x + width / 2, (_GAP + text.line) / 2), label, width)
    for row, label in enumerate(row_labels):
        _, y = layout.corner(row * layout.columns)
        text.draw(draw, (left, y + height / 2), label, left - _GAP, anchor="rm")
    for position, picture in enumerate(pictures):
        if picture is not None:
            _place(sheet, layout, position, picture)
            continue
        x, y = layout.corner(position)
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=_EMPTY)
        text.draw(draw, (x + width / 2, y + height / 2), "-", width)
    return _encode(sheet)


def _usual_columns(count: int) -> int:
    return count if count <= 3 else math.ceil(math.sqrt(count))


def _usual_ratio(pictures: Sequence[Source]) -> float:
    """Width by height of the cells: the median of the pictures', so that most of them fill theirs."""
    ratios: list[float] = []
    for picture in pictures:
        try:
            with open_judged(picture, _SHEET) as (_, header):
                ratios.append(header.width / header.height)
        except Unfit as error:
            raise _broken(error) from error
    ratios.sort()
    return min(2.0, max(0.5, ratios[len(ratios) // 2])) if ratios else 1.0


def _with_cells(room: _Layout, ratio: float) -> _Layout:
    """The largest cells of this shape that a sheet has room for."""
    widest = (_SIDE - room.left - _GAP) / room.columns - _GAP
    highest = (_SIDE - room.top - _GAP) / room.rows - _GAP - room.below
    width = min(widest, highest * ratio, _CELL * min(1.0, ratio))
    return replace(room, cell=(max(1, int(width)), max(1, int(width / ratio))))


def _place(sheet: Image.Image, layout: _Layout, position: int, picture: Source) -> tuple[int, int]:
    """Paste a picture into the middle of its cell, whole, and return its upper left corner. It may be enlarged."""
    width, height = layout.cell
    try:
        with open_judged(picture, _SHEET) as (file, header):
            image = render(file, header, pixels=4 * width * height, memory=_SHEET.memory)
    except Unfit as error:
        raise _broken(error) from error
    factor = min(width / image.width, height / image.height)
    image = resize(image, (max(1, int(image.width * factor)), max(1, int(image.height * factor))))
    x, y = layout.corner(position)
    x, y = x + (width - image.width) // 2, y + (height - image.height) // 2
    sheet.paste(image, (x, y), image.getchannel("A") if image.mode == "RGBA" else None)
    return x, y


def _draw_number(
    draw: ImageDraw.ImageDraw, text: _Text, number: int, corner: tuple[int, int], *, captioned: bool
) -> None:
    """A dark chip with the number, and three short lines of writing in it for a picture that has a caption."""
    unit = text.size / 20
    x, y = corner[0] + 6 * unit, corner[1] + 6 * unit
    width = text.width(str(number)) + 16 * unit
    writing = x + width + 4 * unit
    right = writing + 28 * unit if captioned else x + width
    draw.rounded_rectangle((x, y, right, y + 28 * unit), 7 * unit, fill=_CHIP)
    text.draw(draw, (x + width / 2, y + 14 * unit), str(number), width)
    for above, length in ((7, 20), (13, 20), (19, 12)) if captioned else ():
        top = y + above * unit
        draw.rectangle((writing, top, writing + length * unit, top + 2 * unit), fill=_INK)


def _encode(sheet: Image.Image) -> Sheet:
    """Encode with the best quality that 2 MB allow. Noise at the lowest quality here has 1.1 MB."""
    for quality in (90, 80, 65, 45, 25):
        content = io.BytesIO()
        sheet.save(content, "JPEG", quality=quality)
        if content.tell() <= _MOST_BYTES:
            break
    return Sheet(sheet.width, sheet.height, content.getvalue())


def _broken(error: Unfit) -> Broken:
    return Broken(f"A stored picture cannot be shown: {error}.")
