"""Animals, all of one build, told apart by ears, tail and coat."""

import random
from typing import Final

from standins.bfl.pictures.canvas import WHITE, Canvas, Colour, Point, darker, lighter, mix, smooth
from standins.bfl.pictures.frame import INK, Frame
from standins.bfl.pictures.palette import Palette

_COATS: Final = ((240, 150, 72), (92, 88, 108), (238, 226, 208), (168, 112, 78), (70, 62, 92))


def _animal(frame: Frame, coat: Colour, ears: str, palette: Palette, *, chest: Colour) -> None:
    dark = darker(coat, 0.28)
    frame.shadow(0.36)
    if ears in {"cat", "fox"}:
        thick = 0.13 if ears == "fox" else 0.07
        frame.line(
            smooth([(0.2, 0.06), (0.36, 0.08), (0.43, 0.2), (0.41, 0.33), (0.35, 0.38)], closed=False), thick, dark
        )
        if ears == "fox":
            frame.oval(0.345, 0.39, 0.065, 0.075, chest)
    frame.blob([(-0.24, 0.02), (-0.25, 0.2), (-0.15, 0.42), (0.15, 0.42), (0.25, 0.2), (0.24, 0.02)], coat, dark)
    frame.oval(0, 0.25, 0.11, 0.16, chest)
    frame.pair(0.1, 0.035, 0.085, 0.045, lighter(coat, 0.15))
    _ears(frame, coat, ears)
    frame.blob(
        [(-0.3, 0.6), (-0.24, 0.78), (0, 0.84), (0.24, 0.78), (0.3, 0.6), (0.17, 0.46), (0, 0.43), (-0.17, 0.46)],
        coat,
        mix(coat, dark, 0.35),
    )
    frame.pair(0.085, 0.52, 0.115, 0.075, chest)
    if ears == "cat":
        for x, y in ((-0.06, 0.81), (0, 0.83), (0.06, 0.81)):
            frame.line([(x, y), (x * 0.7, y - 0.08)], 0.022, dark)
        for y in (0.5, 0.54):
            frame.line([(0.14, y), (0.36, y + (y - 0.52))], 0.008, lighter(coat, 0.55))
            frame.line([(-0.14, y), (-0.36, y + (y - 0.52))], 0.008, lighter(coat, 0.55))
    eye = mix(palette.accent, (120, 220, 150), 0.4) if ears == "cat" else (255, 250, 240)
    frame.pair(0.135, 0.645, 0.066, 0.072, eye)
    frame.pair(0.13, 0.64, 0.04 if ears != "cat" else 0.03, 0.056, INK)
    frame.pair(0.118, 0.665, 0.017, 0.019, WHITE)
    frame.pair(0.22, 0.56, 0.045, 0.026, (240, 120, 120), 0.35)
    nose = (222, 110, 118) if ears in {"cat", "rabbit"} else INK
    frame.oval(0, 0.568, 0.036, 0.026, nose)
    frame.line([(-0.055, 0.505), (-0.025, 0.49), (0, 0.515), (0.025, 0.49), (0.055, 0.505)], 0.012, INK)
    frame.box(-0.17, 0.4, 0.17, 0.45, palette.accent, 0.025)
    frame.oval(0, 0.395, 0.042, 0.042, mix(palette.second, (255, 220, 120), 0.5))


def _ears(frame: Frame, coat: Colour, ears: str) -> None:
    inner = mix(coat, (240, 150, 150), 0.6)
    for side in (-1, 1):
        if ears in {"cat", "fox"}:
            frame.shape([(side * 0.29, 0.66), (side * 0.255, 0.99), (side * 0.06, 0.8)], coat)
            frame.shape([(side * 0.255, 0.74), (side * 0.24, 0.92), (side * 0.115, 0.8)], inner)
        elif ears == "dog":
            frame.blob(
                [(side * 0.2, 0.8), (side * 0.36, 0.72), (side * 0.37, 0.46), (side * 0.26, 0.45)], darker(coat, 0.35)
            )
        elif ears == "rabbit":
            frame.oval(side * 0.13, 0.94, 0.075, 0.23, coat)
            frame.oval(side * 0.13, 0.94, 0.04, 0.17, inner)
        else:
            frame.oval(side * 0.22, 0.8, 0.1, 0.1, coat)
            frame.oval(side * 0.22, 0.8, 0.058, 0.058, inner)


def cat(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """A cat with a collar."""
    coat = luck.choice(_COATS)
    _animal(Frame(canvas, foot, size), coat, "cat", palette, chest=lighter(coat, 0.45))


def dog(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """A dog with long ears."""
    _animal(
        Frame(canvas, foot, size),
        luck.choice(((222, 172, 110), (238, 226, 208), (150, 102, 72))),
        "dog",
        palette,
        chest=(250, 240, 226),
    )


def fox(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A fox with a bushy tail."""
    _animal(Frame(canvas, foot, size), (232, 112, 48), "fox", palette, chest=(252, 240, 226))


def rabbit(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """A rabbit, all ears."""
    _animal(
        Frame(canvas, foot, size * 0.88),
        luck.choice(((240, 234, 228), (196, 168, 148), (150, 144, 160))),
        "rabbit",
        palette,
        chest=(252, 248, 242),
    )


def bear(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """A bear."""
    coat = luck.choice(((146, 98, 66), (240, 236, 230), (96, 72, 66)))
    _animal(Frame(canvas, foot, size), coat, "bear", palette, chest=lighter(coat, 0.35))
