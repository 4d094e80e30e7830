"""Four places by day, and the same places by night: pairs that teach an edit."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from standins.bfl.pictures import scenes, subjects
from standins.bfl.pictures.canvas import Canvas, Point, darker
from standins.bfl.pictures.palette import PALETTES, Palette

_DAY: Final = PALETTES["day"]
# Not called a night: then each scene would draw other things, and the two would not be the same place.
_NIGHT: Final = replace(
    PALETTES["night"], night=False, accent=darker(_DAY.accent, 0.4), second=darker(_DAY.second, 0.4)
)
_WARM: Final = (255, 206, 110)

Place = Callable[[Canvas, Palette, random.Random], float]
Subject = Callable[[Canvas, Palette, random.Random, Point, float], None]


@dataclass(frozen=True)
class Pair:
    """A place that is drawn twice."""

    name: str
    size: tuple[int, int]  # px
    place: Place
    subject: Subject
    across: float  # share of the width
    tall: float
    lamp: float  # how high its light is, of its height

    def draw_day(self, canvas: Canvas) -> None:
        self._draw(canvas, _DAY, stars=0)

    def draw_night(self, canvas: Canvas) -> None:
        x, y = self._draw(canvas, _NIGHT, stars=70)
        canvas.glow((x, y - self.tall * self.lamp), self.tall * 0.6, _WARM, 0.55)

    def _draw(self, canvas: Canvas, palette: Palette, *, stars: int) -> Point:
        ground = self.place(canvas, palette, random.Random(f"{self.name} place"))
        luck = random.Random(f"{self.name} stars")
        for _ in range(stars):
            spot = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height * 0.3))
            canvas.disc(spot, luck.uniform(0.0015, 0.004), palette.light)
        foot = (canvas.width * self.across, min(ground, canvas.height * 0.92))
        self.subject(canvas, palette, random.Random(f"{self.name} subject"), foot, self.tall)
        return foot


PAIRS: Final = (
    Pair("cottage", (896, 896), scenes.meadow, subjects.cottage, 0.5, 0.5, 0.3),
    Pair("lighthouse", (800, 1000), scenes.sea, subjects.lighthouse, 0.36, 0.62, 0.8),
    Pair("castle", (1024, 800), scenes.hills, subjects.castle, 0.56, 0.62, 0.3),
    Pair("balloon", (896, 896), scenes.hills, subjects.balloon, 0.52, 0.6, 0.3),
)
