"""Ready-made training pictures for newcomers; `python -m sandbox.training_pictures` draws them anew.

`owl-mascot` is a character with captions, `teapot` a product without, `pairs` are four pictures before and after the
same change, for trainers that learn edits. Each is a folder here and the same as a ZIP. The pictures may be used for
anything, as the rest of this code.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from bot.pictures.training_sets.preparing import build_archive
from sandbox.training_pictures import night, owl, teapot
from standins.bfl.pictures.canvas import Canvas, stretched

FOLDER: Final = Path(__file__).parent
_OVERSIZE: Final = 2  # drawn so many times larger, so that edges are smooth
_QUALITY: Final = 72


@dataclass(frozen=True)
class Drawing:
    """A picture of a set that is not drawn yet."""

    name: str
    size: tuple[int, int]  # px
    draw: Callable[[Canvas], None]
    caption: str = ""

    def content(self) -> bytes:
        """The picture as a JPEG: the same bytes each time with the same version of Pillow."""
        sheet = Image.new("RGB", (self.size[0] * _OVERSIZE, self.size[1] * _OVERSIZE))
        self.draw(Canvas(sheet))
        file = BytesIO()
        stretched(sheet, self.size).save(file, "JPEG", quality=_QUALITY, optimize=True)
        return file.getvalue()


@dataclass(frozen=True)
class TrainingSet:
    """A folder of pictures, in their order."""

    key: str  # its folder's name
    title: str
    drawings: tuple[Drawing, ...]

    @property
    def folder(self) -> Path:
        return FOLDER / self.key

    @property
    def archive(self) -> Path:
        return FOLDER / f"{self.key}.zip"

    def pictures(self) -> list[Path]:
        """The files that are there, in their order."""
        return sorted(self.folder.glob("*.jpg"))


SETS: Final = (
    TrainingSet(
        "owl-mascot",
        "An owl, 8 pictures: a character",
        tuple(
            Drawing(
                f"{number:02d}-{scene.name}", scene.size, scene.draw, f"ohwx owl, small and violet, {scene.caption}"
            )
            for number, scene in enumerate(owl.SCENES, 1)
        ),
    ),
    TrainingSet(
        "teapot",
        "A teapot, 8 pictures: a product",
        tuple(
            Drawing(f"{number:02d}-{scene.name}", scene.size, scene.draw)
            for number, scene in enumerate(teapot.SCENES, 1)
        ),
    ),
    TrainingSet(
        "pairs",
        "Day and night, 4 pairs: an edit, for Kontext",
        tuple(
            Drawing(f"{number:02d}-{pair.name}-{side}", pair.size, draw)
            for number, pair in enumerate(night.PAIRS, 1)
            for side, draw in (("1-day", pair.draw_day), ("2-night", pair.draw_night))
        ),
    ),
)


def files(training_set: TrainingSet) -> Iterator[tuple[str, bytes]]:
    """Every file of its folder, drawn now, and the ZIP beside the folder."""
    drawn = [(drawing, drawing.content()) for drawing in training_set.drawings]
    for drawing, content in drawn:
        yield f"{training_set.key}/{drawing.name}.jpg", content
        if drawing.caption:
            yield f"{training_set.key}/{drawing.name}.txt", f"{drawing.caption}\n".encode()
    archive = build_archive([(content, drawing.caption or None) for drawing, content in drawn])
    yield f"{training_set.key}.zip", archive
