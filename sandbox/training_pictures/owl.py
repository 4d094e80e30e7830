"""A small violet owl with amber eyes and an orange scarf, in eight places and lights."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import cos, radians, sin
from typing import Final, Literal

from standins.bfl.pictures import scenes
from standins.bfl.pictures.canvas import WHITE, Canvas, Colour, Point, darker, lighter, mix, smooth
from standins.bfl.pictures.frame import INK, Frame
from standins.bfl.pictures.palette import PALETTES, Palette

COAT: Final = (104, 84, 168)
WING: Final = (74, 58, 132)
CREAM: Final = (250, 236, 214)
AMBER: Final = (255, 190, 64)
SCARF: Final = (240, 112, 56)
BEAK: Final = (246, 160, 60)

_NECK: Final = 0.52  # where the head turns, of the owl's height
Wings = Literal["folded", "raised", "spread", "wave"]
Eyes = Literal["open", "closed", "wink"]


@dataclass(frozen=True)
class Pose:
    """How it sits there."""

    tilt: float = 0.0  # of the head, degrees clockwise
    look: Point = (0.0, 0.0)  # of the pupils, in parts of an eye
    wings: Wings = "folded"
    eyes: Eyes = "open"
    feet: bool = True


@dataclass(frozen=True)
class Scene:
    """The owl in one place."""

    name: str
    caption: str
    size: tuple[int, int]  # px
    place: Callable[[Canvas, Palette, random.Random], float]
    light: Palette
    foot: Point  # shares of the width, and of the height
    tall: float  # share of the height
    pose: Pose
    with_it: Callable[[Frame, Canvas], None] | None = None
    tint: Colour = WHITE  # of the light on the owl

    def draw(self, canvas: Canvas) -> None:
        luck = random.Random(self.name)
        self.place(canvas, self.light, luck)
        foot = (self.foot[0] * canvas.width, self.foot[1] * canvas.height)
        frame = Frame(canvas, foot, self.tall * canvas.height)
        draw_owl(frame, self.pose, self.tint)
        if self.with_it:
            self.with_it(frame, canvas)


class _Head(Frame):
    """The frame's coordinates, turned about the neck."""

    def __init__(self, frame: Frame, tilt: float) -> None:
        super().__init__(frame.canvas, frame.at(0, 0), frame.size)
        self._turn = -radians(tilt)

    def at(self, x: float, y: float) -> Point:
        up = y - _NECK
        turned = x * cos(self._turn) - up * sin(self._turn), _NECK + x * sin(self._turn) + up * cos(self._turn)
        return super().at(*turned)


def draw_owl(frame: Frame, pose: Pose, tint: Colour = WHITE) -> None:
    """The owl, sitting at the frame's foot; `tint` is the colour of the light on it."""

    def lit(colour: Colour) -> Colour:
        red, green, blue = (round(a * (0.35 + 0.65 * b / 255)) for a, b in zip(colour, tint, strict=True))
        return mix(colour, (red, green, blue), 0.8)

    coat, wing, cream = lit(COAT), lit(WING), lit(CREAM)
    if pose.feet:
        frame.shadow(0.3)
    frame.shape([(-0.09, 0.2), (0.09, 0.2), (0.12, -0.01), (0, 0.03), (-0.12, -0.01)], darker(wing, 0.25))
    for side in (-1, 1):
        _wing(frame, pose.wings, side, wing, back=True)
    frame.blob(
        [(-0.17, 0.05), (-0.29, 0.24), (-0.25, 0.48), (0, 0.58), (0.25, 0.48), (0.29, 0.24), (0.17, 0.05), (0, 0.02)],
        coat,
        darker(coat, 0.2),
    )
    frame.oval(0, 0.26, 0.185, 0.22, cream)
    for row, count in enumerate((3, 4, 3, 2)):
        for place in range(count):
            x = (place - (count - 1) / 2) * 0.088
            y = 0.385 - row * 0.075
            frame.line(
                smooth([(x - 0.026, y), (x, y - 0.028), (x + 0.026, y)], closed=False), 0.013, mix(cream, coat, 0.5)
            )
    if pose.feet:
        for side in (-0.085, 0.085):
            for toe in (-0.035, 0.0, 0.035):
                frame.oval(side + toe, 0.022, 0.024, 0.032, lit(BEAK))
    for side in (-1, 1):
        _wing(frame, pose.wings, side, wing, back=False)
    _head(_Head(frame, pose.tilt), pose, (coat, wing, cream, lit(BEAK)))
    _scarf(frame, lit(SCARF))


def _wing(frame: Frame, wings: Wings, side: int, wing: Colour, *, back: bool) -> None:
    """One wing: folded ones lie before the body, the others behind."""
    up = wings in {"raised", "spread"} or (wings == "wave" and side > 0)
    if up is not back:
        return
    if not up:
        points = [(0.2, 0.47), (0.3, 0.36), (0.31, 0.2), (0.22, 0.07), (0.19, 0.22), (0.17, 0.36)]
        feathers = [(0.27, 0.2), (0.25, 0.14)]
    elif wings == "spread":
        points = [(0.15, 0.46), (0.42, 0.58), (0.66, 0.6), (0.63, 0.48), (0.54, 0.38), (0.42, 0.3), (0.2, 0.2)]
        feathers = [(0.58, 0.5), (0.47, 0.4)]
    else:
        points = [(0.16, 0.42), (0.3, 0.6), (0.42, 0.8), (0.49, 0.78), (0.47, 0.6), (0.4, 0.42), (0.22, 0.24)]
        feathers = [(0.43, 0.64), (0.37, 0.5)]
    frame.blob([(side * x, y) for x, y in points], wing, darker(wing, 0.25))
    for x, y in feathers:
        frame.line(
            smooth([(side * (x - 0.05), y + 0.02), (side * x, y - 0.02), (side * (x + 0.025), y + 0.03)], closed=False),
            0.012,
            lighter(wing, 0.25),
        )


def _head(frame: Frame, pose: Pose, colours: tuple[Colour, Colour, Colour, Colour]) -> None:
    coat, wing, cream, beak = colours
    for side in (-1, 1):
        frame.shape([(side * 0.1, 0.84), (side * 0.29, 0.99), (side * 0.29, 0.72)], wing)
        frame.shape([(side * 0.16, 0.84), (side * 0.265, 0.93), (side * 0.265, 0.78)], mix(wing, SCARF, 0.45))
    frame.blob(
        [(-0.3, 0.68), (-0.24, 0.84), (0, 0.88), (0.24, 0.84), (0.3, 0.68), (0.22, 0.53), (0, 0.49), (-0.22, 0.53)],
        lighter(coat, 0.06),
        coat,
    )
    frame.shape([(-0.07, 0.87), (0.07, 0.87), (0, 0.73)], wing)
    frame.pair(0.125, 0.68, 0.14, 0.14, cream)
    for side in (-1, 1):
        x, y = side * 0.122, 0.685
        if pose.eyes == "closed" or (pose.eyes == "wink" and side > 0):
            frame.line(
                smooth([(x - 0.075, y + 0.005), (x, y - 0.05), (x + 0.075, y + 0.005)], closed=False), 0.022, INK
            )
            continue
        frame.oval(x, y, 0.1, 0.1, mix(AMBER, cream, 0.1))
        across, up = x + pose.look[0] * 0.035, y + pose.look[1] * 0.035
        frame.oval(across, up, 0.06, 0.06, INK)
        frame.oval(across + 0.022, up + 0.024, 0.02, 0.02, WHITE)
        frame.oval(across - 0.024, up - 0.022, 0.01, 0.01, WHITE)
    frame.shape([(-0.042, 0.625), (0, 0.645), (0.042, 0.625), (0, 0.54)], beak, darker(beak, 0.2))
    frame.pair(0.23, 0.585, 0.042, 0.026, (244, 120, 130), 0.5)


def _scarf(frame: Frame, scarf: Colour) -> None:
    dark = darker(scarf, 0.22)
    frame.blob([(-0.16, 0.49), (-0.06, 0.47), (-0.1, 0.24), (-0.2, 0.25)], dark)
    for y in (0.26, 0.29):
        frame.line([(-0.19, y), (-0.11, y - 0.005)], 0.012, lighter(scarf, 0.6))
    frame.line(smooth([(-0.23, 0.525), (-0.1, 0.482), (0.1, 0.482), (0.23, 0.525)], closed=False), 0.085, scarf)
    frame.line(smooth([(-0.2, 0.505), (-0.1, 0.47), (0.1, 0.47), (0.2, 0.505)], closed=False), 0.012, dark)
    frame.oval(-0.12, 0.475, 0.05, 0.052, lighter(scarf, 0.12))


def _branch(canvas: Canvas, _palette: Palette, _luck: random.Random) -> float:
    y, bark = canvas.height * 0.86, (58, 40, 44)
    canvas.line(
        smooth([(-0.05, y + 0.03), (0.4, y), (0.7, y + 0.012), (canvas.width + 0.05, y - 0.05)], closed=False),
        0.05,
        bark,
    )
    for x, up in ((0.12, -0.1), (0.86, -0.12), (0.62, 0.09)):
        canvas.line([(x, y), (x + 0.09, y + up)], 0.02, bark)
        canvas.oval((x + 0.1, y + up), 0.035, 0.018, (70, 120, 92))
    return y


def _on_a_branch(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    scenes.hills(canvas, palette, luck)
    return _branch(canvas, palette, luck)


def _library(canvas: Canvas, _palette: Palette, luck: random.Random) -> float:
    """Shelves of books in the light of a lamp."""
    canvas.sky((92, 58, 44), (66, 40, 36))
    books: tuple[Colour, ...] = ((186, 74, 62), (58, 122, 118), (222, 176, 92), (92, 92, 150), (140, 160, 96))
    for shelf in range(4):
        foot = 0.27 + 0.235 * shelf * canvas.height
        x = -0.01
        while x < canvas.width:
            wide, tall = luck.uniform(0.03, 0.06), luck.uniform(0.13, 0.19)
            colour = darker(luck.choice(books), 0.15)
            canvas.box(x, foot - tall, x + wide - 0.004, foot, colour, 0.006)
            canvas.box(x + wide * 0.2, foot - tall * 0.8, x + wide * 0.7, foot - tall * 0.72, lighter(colour, 0.5))
            x += wide
        canvas.box(-0.1, foot, canvas.width + 0.1, foot + 0.025, (120, 78, 52))
    canvas.glow((canvas.width * 0.72, canvas.height * 0.3), 0.75, (255, 196, 110), 0.7)
    table = canvas.height * 0.84
    canvas.box(-0.1, table, canvas.width + 0.1, canvas.height + 0.1, (98, 58, 40))
    canvas.box(-0.1, table, canvas.width + 0.1, table + 0.02, (150, 96, 62))
    return table


def _book(frame: Frame, _canvas: Canvas) -> None:
    frame.shape([(-0.3, -0.02), (0, -0.06), (0, 0.14), (-0.34, 0.19)], (250, 244, 228))
    frame.shape([(0.3, -0.02), (0, -0.06), (0, 0.14), (0.34, 0.19)], (236, 226, 204))
    frame.line([(0, -0.06), (0, 0.14)], 0.012, (168, 60, 58))
    for y in (0.02, 0.06, 0.1):
        frame.line([(-0.27, y + 0.025), (-0.05, y - 0.005)], 0.008, (150, 140, 150))
        frame.line([(0.27, y + 0.025), (0.05, y - 0.005)], 0.008, (150, 140, 150))


def _lantern(frame: Frame, canvas: Canvas) -> None:
    canvas.glow(frame.at(-0.42, 0.2), 0.3 * frame.size / 0.7, (255, 214, 120), 0.75)
    frame.line(smooth([(-0.49, 0.3), (-0.42, 0.42), (-0.35, 0.3)], closed=False), 0.014, INK)
    frame.box(-0.5, 0.08, -0.34, 0.3, (255, 226, 140), 0.02)
    for x in (-0.49, -0.42, -0.35):
        frame.line([(x, 0.08), (x, 0.3)], 0.012, INK)
    frame.box(-0.53, 0.28, -0.31, 0.32, INK, 0.01)
    frame.box(-0.53, 0.05, -0.31, 0.09, INK, 0.01)


def _umbrella(frame: Frame, canvas: Canvas) -> None:
    frame.line([(0.47, 0.5), (0.47, 1.16)], 0.016, INK)
    frame.blob([(-0.3, 1.04), (-0.1, 1.3), (0.27, 1.42), (0.62, 1.3), (0.84, 1.04), (0.27, 1.1)], (44, 160, 156))
    frame.blob([(0.06, 1.07), (0.13, 1.3), (0.27, 1.42), (0.42, 1.3), (0.48, 1.07), (0.27, 1.08)], (120, 206, 190))
    luck = random.Random("rain")
    for _ in range(90):
        x, y = luck.uniform(0, canvas.width), luck.uniform(0, canvas.height)
        canvas.line([(x, y), (x - 0.008, y + 0.035)], 0.003, (214, 228, 244))


def _snowfall(_frame: Frame, canvas: Canvas) -> None:
    _lantern(_frame, canvas)
    luck = random.Random("snow")
    for _ in range(110):
        canvas.disc((luck.uniform(0, canvas.width), luck.uniform(0, canvas.height)), luck.uniform(0.003, 0.008), WHITE)


def _balloons(frame: Frame, _canvas: Canvas) -> None:
    colours: tuple[Colour, ...] = ((238, 84, 96), (252, 196, 70), (70, 180, 170))
    for (x, y), colour in zip(((0.6, 1.12), (0.8, 0.98), (0.44, 1.28)), colours, strict=True):
        frame.line([(0.46, 0.76), (x, y - 0.14)], 0.008, INK)
        frame.oval(x, y, 0.11, 0.135, colour)
        frame.oval(x - 0.035, y + 0.05, 0.022, 0.03, WHITE, 0.7)


def _pillow(canvas: Canvas, _palette: Palette, luck: random.Random) -> float:
    """A nest of blankets below a window with the moon."""
    canvas.sky((44, 48, 92), (74, 62, 112))
    canvas.box(canvas.width * 0.52, 0.08, canvas.width * 0.92, 0.55, (232, 220, 200), 0.02)
    canvas.box(canvas.width * 0.54, 0.1, canvas.width * 0.9, 0.53, (22, 30, 70))
    canvas.disc((canvas.width * 0.8, 0.22), 0.07, (250, 240, 200))
    for _ in range(24):
        spot = (canvas.width * luck.uniform(0.55, 0.89), luck.uniform(0.11, 0.52))
        canvas.disc(spot, luck.uniform(0.002, 0.005), WHITE)
    canvas.line([(canvas.width * 0.72, 0.1), (canvas.width * 0.72, 0.53)], 0.014, (232, 220, 200))
    foot = canvas.height * 0.8
    canvas.oval((canvas.width * 0.45, foot + 0.06), canvas.width * 0.48, 0.16, (196, 92, 110))
    canvas.oval((canvas.width * 0.4, foot + 0.02), canvas.width * 0.36, 0.1, (236, 158, 140))
    canvas.box(-0.1, foot + 0.12, canvas.width + 0.1, canvas.height + 0.1, (62, 46, 84))
    return foot


def _paper(canvas: Canvas, _palette: Palette, _luck: random.Random) -> float:
    """Plain paper, as for a logo."""
    canvas.sky((252, 246, 234), (246, 232, 212))
    canvas.disc((canvas.width / 2, canvas.height / 2), 0.43, (140, 208, 196))
    return canvas.height * 0.9


_RAINY: Final = replace(PALETTES["winter"], light=(196, 210, 230))  # its sun does not show

SCENES: Final = (
    Scene(
        "logo", "looking straight ahead on plain paper", (896, 896), _paper, PALETTES["mint"], (0.5, 0.86), 0.72, Pose()
    ),
    Scene(
        "lantern", "with a lantern in the snow at night", (800, 1000), scenes.hills, PALETTES["night"],
        (0.56, 0.93), 0.6, Pose(tilt=-10, look=(-0.8, -0.4)), _snowfall, (176, 186, 255),
    ),
    Scene(
        "flying", "flying over the sea at sunset", (1024, 800), scenes.sea, PALETTES["dusk"], (0.42, 0.8), 0.62,
        Pose(tilt=8, look=(0.8, 0.3), wings="spread", feet=False), None, (255, 206, 170),
    ),
    Scene(
        "reading", "reading a book in a library", (896, 896), _library, PALETTES["autumn"], (0.42, 0.9), 0.68,
        Pose(look=(0.0, -1.0)), _book, (255, 222, 176),
    ),
    Scene(
        "rain", "under a green umbrella in a rainy city", (800, 1000), scenes.city, _RAINY, (0.4, 0.94), 0.52,
        Pose(tilt=6, look=(0.5, 0.8), wings="wave"), _umbrella, (206, 220, 240),
    ),
    Scene(
        "party", "with three balloons in a meadow", (1024, 800), scenes.meadow, PALETTES["day"], (0.3, 0.95), 0.62,
        Pose(tilt=-6, wings="wave", eyes="wink"), _balloons,
    ),
    Scene(
        "asleep", "asleep on a blanket below a window", (896, 896), _pillow, PALETTES["night"], (0.36, 0.83), 0.56,
        Pose(tilt=16, eyes="closed"), None, (206, 198, 246),
    ),
    Scene(
        "cheering", "cheering on a branch in the mountains", (896, 896), _on_a_branch, PALETTES["autumn"],
        (0.57, 0.87), 0.58, Pose(look=(0.0, 0.7), wings="raised"), None, (255, 236, 208),
    ),
)  # fmt: skip
