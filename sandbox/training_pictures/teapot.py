"""A round teal teapot with a gold rim and a band of leaves, photographed, so to speak, in eight places."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from standins.bfl.pictures import scenes
from standins.bfl.pictures.canvas import WHITE, Canvas, Colour, Point, darker, lighter, mix, smooth
from standins.bfl.pictures.frame import Frame
from standins.bfl.pictures.palette import PALETTES, Palette

GLAZE: Final = (28, 132, 136)
GOLD: Final = (232, 184, 84)
CREAM: Final = (252, 242, 222)

Place = Callable[[Canvas, Palette, random.Random], float]


@dataclass(frozen=True)
class Scene:
    """The teapot in one place."""

    name: str
    size: tuple[int, int]  # px
    place: Place
    light: str  # of PALETTES
    foot: Point  # shares of the width, and of the height
    wide: float  # in parts of the shorter side
    spout: int = 1  # 1 to the right, -1 to the left
    with_it: Callable[[Frame], None] | None = None
    shine: Colour = WHITE

    def draw(self, canvas: Canvas) -> None:
        self.place(canvas, PALETTES[self.light], random.Random(self.name))
        frame = Frame(canvas, (self.foot[0] * canvas.width, self.foot[1] * canvas.height), self.wide)
        draw_teapot(frame, self.spout, self.shine)
        if self.with_it:
            self.with_it(frame)


def draw_teapot(frame: Frame, spout: int = 1, shine: Colour = WHITE) -> None:
    """The teapot, standing at the frame's foot; `shine` is the colour of the light on it."""
    glaze = mix(GLAZE, shine, 0.08)
    dark = darker(glaze, 0.35)
    frame.oval(0, 0.005, 0.36, 0.04, (30, 26, 44), 0.32)
    handle = [(-0.24, 0.43), (-0.4, 0.46), (-0.46, 0.33), (-0.4, 0.19), (-0.26, 0.15)]
    frame.line(smooth([(spout * x, y) for x, y in handle], closed=False), 0.06, dark)
    frame.line(smooth([(spout * x, y + 0.008) for x, y in handle], closed=False), 0.022, lighter(glaze, 0.2))
    beak = [(0.24, 0.38), (0.34, 0.33), (0.4, 0.42), (0.46, 0.52), (0.55, 0.5), (0.5, 0.37), (0.43, 0.19), (0.24, 0.12)]
    frame.blob([(spout * x, y) for x, y in beak], glaze, dark)
    frame.line([(spout * 0.45, 0.535), (spout * 0.56, 0.505)], 0.024, GOLD)
    frame.box(-0.17, 0.0, 0.17, 0.06, GOLD, 0.02)
    frame.oval(0, 0.29, 0.33, 0.26, dark)
    frame.oval(-0.008, 0.298, 0.318, 0.248, glaze)
    frame.oval(-0.06, 0.35, 0.23, 0.17, lighter(glaze, 0.12))
    frame.oval(-0.09, 0.39, 0.14, 0.09, lighter(glaze, 0.2))
    _band(frame)
    frame.oval(0, 0.515, 0.18, 0.045, GOLD)
    frame.oval(0, 0.53, 0.165, 0.05, glaze)
    frame.oval(-0.03, 0.545, 0.1, 0.026, lighter(glaze, 0.25))
    frame.line([(0, 0.56), (0, 0.6)], 0.04, GOLD)
    frame.oval(0, 0.625, 0.045, 0.042, GOLD)
    frame.oval(-0.014, 0.638, 0.014, 0.012, lighter(GOLD, 0.7))
    frame.oval(-0.17, 0.42, 0.03, 0.05, shine, 0.85)
    frame.oval(-0.205, 0.34, 0.014, 0.024, shine, 0.7)


def _band(frame: Frame) -> None:
    """Leaves around its belly, and a line above and below."""
    for y, dip in ((0.345, 0.035), (0.185, 0.05)):
        wide = 0.31 if y > 0.3 else 0.28
        frame.line(smooth([(-wide, y), (0, y - dip), (wide, y)], closed=False), 0.012, GOLD)
    for place in range(7):
        x = (place - 3) * 0.082
        y = 0.232 + 0.035 * (x / 0.25) ** 2
        lean = 0.022 if place % 2 else -0.022
        frame.blob([(x, y - 0.042), (x + 0.024, y), (x + lean, y + 0.05), (x - 0.024, y)], CREAM)
        frame.line([(x, y - 0.03), (x + lean * 0.8, y + 0.03)], 0.006, GLAZE)


def _table(wall: tuple[Colour, Colour], top: Colour) -> Place:
    """A table before a wall."""

    def draw(canvas: Canvas, _palette: Palette, luck: random.Random) -> float:
        canvas.sky(*wall)
        edge = canvas.height * 0.7
        canvas.shape(
            [(0, edge), (canvas.width, edge), (canvas.width, canvas.height), (0, canvas.height)],
            top,
            fade=darker(top, 0.3),
        )
        for _ in range(9):
            y = edge + luck.random() ** 1.4 * (canvas.height - edge)
            x = luck.uniform(0, canvas.width)
            canvas.oval((x, y), luck.uniform(0.1, 0.3), 0.0025, darker(top, 0.25), 0.5)
        return edge

    return draw


def _window(canvas: Canvas, _palette: Palette, luck: random.Random) -> float:
    """A sill before a garden in the morning."""
    scenes.meadow(canvas, PALETTES["dawn"], luck)
    frame: Colour = (246, 238, 226)
    for x in (0.0, canvas.width * 0.5, canvas.width):
        canvas.box(x - 0.025, -0.1, x + 0.025, canvas.height, frame)
    canvas.box(-0.1, canvas.height * 0.3, canvas.width + 0.1, canvas.height * 0.3 + 0.035, frame)
    sill = canvas.height * 0.78
    canvas.box(-0.1, sill, canvas.width + 0.1, canvas.height + 0.1, lighter(frame, 0.3))
    canvas.box(-0.1, sill + 0.07, canvas.width + 0.1, canvas.height + 0.1, (206, 190, 176))
    return sill


def _picnic(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """A checked cloth in the grass."""
    scenes.meadow(canvas, palette, luck)
    top = canvas.height * 0.62
    canvas.box(-0.1, top, canvas.width + 0.1, canvas.height + 0.1, (250, 244, 236))
    rows = 5
    for row in range(rows):
        y, next_y = (top + (canvas.height - top) * (each / rows) ** 1.3 for each in (row, row + 1))
        for column in range(-8, 9):
            if (row + column) % 2:
                continue
            spread, wider = 0.12 + 0.05 * row, 0.17 + 0.05 * row
            middle = canvas.width / 2
            corners = [
                (middle + column * spread, y),
                (middle + (column + 1) * spread, y),
                (middle + (column + 1) * wider, next_y),
                (middle + column * wider, next_y),
            ]
            canvas.shape(corners, (222, 74, 78))
    return top


def _shelf(canvas: Canvas, _palette: Palette, _luck: random.Random) -> float:
    """A kitchen shelf with jars."""
    canvas.sky((250, 222, 178), (244, 200, 150))
    for row in range(9):
        for column in range(13):
            x, y = column * 0.11 + (0.055 if row % 2 else 0), row * 0.11
            canvas.box(x + 0.004, y + 0.004, x + 0.106, y + 0.106, (252, 232, 200), 0.012)
    foot = canvas.height * 0.8
    jars: tuple[tuple[float, Colour, float], ...] = (
        (0.08, (206, 92, 62), 0.26),
        (0.2, (240, 190, 96), 0.2),
        (0.86, (120, 146, 84), 0.3),
    )
    for place, colour, tall in jars:
        x = place * canvas.width
        canvas.box(x - 0.065, foot - tall, x + 0.065, foot, lighter(colour, 0.1), 0.03)
        canvas.box(x - 0.07, foot - tall - 0.035, x + 0.07, foot - tall + 0.02, (122, 84, 60), 0.012)
        canvas.box(x - 0.045, foot - tall * 0.66, x + 0.045, foot - tall * 0.34, CREAM, 0.01)
    canvas.box(-0.1, foot, canvas.width + 0.1, foot + 0.06, (150, 98, 66))
    canvas.box(-0.1, foot + 0.06, canvas.width + 0.1, canvas.height + 0.1, (232, 180, 130))
    return foot


def _cup(side: int) -> Callable[[Frame], None]:
    """A cup of the same service beside it."""

    def draw(frame: Frame) -> None:
        x, y = side * 0.66, -0.03
        frame.oval(x, y, 0.22, 0.035, darker(CREAM, 0.15))
        frame.oval(x, y + 0.012, 0.21, 0.03, CREAM)
        frame.line(smooth([(x + side * 0.11, y + 0.16), (x + side * 0.21, y + 0.14), (x + side * 0.1, y + 0.06)],
                          closed=False), 0.028, GLAZE)  # fmt: skip
        frame.blob([(x - 0.14, y + 0.2), (x - 0.1, y + 0.04), (x, y + 0.015), (x + 0.1, y + 0.04), (x + 0.14, y + 0.2)],
                   GLAZE, darker(GLAZE, 0.3))  # fmt: skip
        frame.oval(x, y + 0.2, 0.142, 0.035, GOLD)
        frame.oval(x, y + 0.2, 0.126, 0.027, (172, 92, 44))

    return draw


def _steam(frame: Frame) -> None:
    for x in (-0.03, 0.05, 0.12):
        curve = smooth([(0.54 + x, 0.56), (0.58 + x, 0.66), (0.52 + x, 0.76), (0.57 + x, 0.88)], closed=False)
        for point in curve:
            frame.oval(*point, 0.018, 0.022, WHITE, 0.16)


def _lemons(frame: Frame) -> None:
    for x, y, size in ((-0.58, 0.06, 0.1), (-0.44, 0.02, 0.085), (0.5, 0.0, 0.09)):
        frame.oval(x, y - 0.05, size * 1.1, 0.03, (30, 26, 44), 0.25)
        frame.oval(x, y + 0.01, size * 1.25, size, (238, 190, 50))
        frame.oval(x - 0.02, y + 0.03, size * 0.7, size * 0.5, (255, 226, 110))


SCENES: Final = (
    Scene("white", (896, 896), _table(((252, 252, 250), (238, 238, 236)), (226, 226, 224)), "day", (0.48, 0.82), 0.8),
    Scene("kitchen", (1024, 800), _shelf, "autumn", (0.52, 0.79), 0.66, spout=-1, shine=(255, 240, 210)),
    Scene("window", (800, 1000), _window, "dawn", (0.5, 0.82), 0.74, with_it=_steam, shine=(255, 232, 220)),
    Scene("picnic", (1024, 800), _picnic, "day", (0.42, 0.86), 0.62, with_it=_cup(1)),
    Scene(
        "lemons", (896, 896), _table(((44, 74, 140), (84, 126, 190)), (240, 226, 206)), "day", (0.5, 0.85), 0.68,
        with_it=_lemons, spout=-1,
    ),
    Scene(
        "evening", (800, 1000), _table(((52, 26, 52), (150, 66, 58)), (84, 46, 44)), "dusk", (0.6, 0.88), 0.6,
        spout=-1, with_it=_cup(-1), shine=(255, 190, 120),
    ),
    Scene("snow", (1024, 800), scenes.hills, "winter", (0.5, 0.92), 0.7, with_it=_steam, shine=(226, 238, 255)),
    Scene(
        "close", (896, 896), _table(((246, 176, 168), (252, 206, 190)), (214, 120, 122)), "candy", (0.45, 0.96), 1.12
    ),
)  # fmt: skip
