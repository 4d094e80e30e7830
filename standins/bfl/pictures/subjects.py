"""Things and people: what a picture is of. Each stands with its foot at a point, about `size` tall."""

import random
from collections.abc import Callable

from standins.bfl.pictures.canvas import WHITE, Canvas, Point, darker, lighter, mix, ring, smooth
from standins.bfl.pictures.frame import INK, Frame
from standins.bfl.pictures.palette import Palette

Subject = Callable[[Canvas, Palette, random.Random, Point, float], None]


def robot(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """A robot that means well."""
    frame = Frame(canvas, foot, size)
    metal = mix(luck.choice(((206, 214, 226), (180, 196, 206), (226, 214, 196))), palette.second, 0.12)
    shade, glow = darker(metal, 0.35), luck.choice(((94, 234, 212), (255, 209, 102), (140, 200, 255)))
    frame.shadow(0.36)
    for side in (-1, 1):
        frame.box(side * 0.115 - 0.055, 0.02, side * 0.115 + 0.055, 0.14, shade, 0.03)
        frame.oval(side * 0.12, 0.02, 0.095, 0.04, darker(metal, 0.5))
        hand = (side * 0.4, 0.47) if side > 0 else (side * 0.36, 0.16)
        frame.line([(side * 0.22, 0.38), (side * 0.35, 0.3), hand], 0.06, shade)
        frame.oval(*hand, 0.05, 0.05, palette.accent)
    frame.box(-0.24, 0.1, 0.24, 0.46, metal, 0.08)
    frame.box(-0.14, 0.2, 0.14, 0.37, darker(metal, 0.18), 0.04)
    for number, colour in enumerate((palette.accent, palette.second, glow)):
        frame.oval(-0.08 + number * 0.08, 0.31, 0.025, 0.025, colour)
    frame.box(-0.1, 0.23, 0.1, 0.255, glow, 0.01)
    frame.box(-0.07, 0.44, 0.07, 0.52, shade)
    for side in (-1, 1):
        frame.oval(side * 0.33, 0.68, 0.045, 0.075, palette.accent)
    frame.box(-0.32, 0.5, 0.32, 0.87, metal, 0.1)
    frame.box(-0.32, 0.5, 0.32, 0.58, mix(metal, shade, 0.25), 0.08)
    frame.box(-0.26, 0.56, 0.26, 0.8, (30, 34, 58), 0.08)
    frame.pair(0.12, 0.7, 0.055, 0.065, glow)
    frame.pair(0.105, 0.72, 0.018, 0.02, WHITE)
    frame.line([(-0.06, 0.62), (-0.03, 0.6), (0.03, 0.6), (0.06, 0.62)], 0.016, glow)
    frame.line([(0, 0.87), (0, 0.96)], 0.02, shade)
    canvas.glow(frame.at(0, 0.98), 0.14 * size, glow, 0.9)
    frame.oval(0, 0.98, 0.038, 0.038, glow)


def flower(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """A few large flowers."""
    frame = Frame(canvas, foot, size)
    frame.shadow(0.2)
    green = (70, 140, 92)
    heads = [(0.0, 0.8, 0.19), (-0.25, 0.58, 0.15), (0.26, 0.62, 0.14)]
    for x, y, _ in heads:
        frame.line([(0, 0), (x * 0.35, y * 0.45), (x, y)], 0.024, darker(green, 0.2))
    for side in (-1, 1):
        frame.blob([(0, 0.12), (side * 0.16, 0.26), (side * 0.34, 0.26), (side * 0.2, 0.12)], green, darker(green, 0.3))
    for index, (x, y, radius) in enumerate(heads):
        colour = (palette.accent, palette.second, lighter(palette.accent, 0.4))[index]
        for layer, share in ((0, 1.0), (1, 0.68)):
            for petal in ring((x, y), radius * 0.62 * share, 8, turn=layer * 0.4 + luck.random() * 0.2):
                frame.oval(
                    *petal,
                    radius * 0.4 * share,
                    radius * 0.4 * share,
                    mix(colour, WHITE, 0.2 * layer) if layer else darker(colour, 0.1),
                )
        frame.oval(x, y, radius * 0.32, radius * 0.32, (250, 204, 92))
        frame.oval(x, y, radius * 0.2, radius * 0.2, (214, 140, 52))


def boat(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A sailing boat."""
    frame = Frame(canvas, foot, size)
    for depth in range(5):
        frame.oval(0.02 * (-1) ** depth, -0.02 - depth * 0.035, 0.34 - depth * 0.055, 0.012, palette.accent, 0.4)
    frame.line([(0, 0.1), (0, 1)], 0.022, (96, 66, 52))
    frame.blob([(0.03, 0.22), (0.03, 0.96), (0.2, 0.7), (0.4, 0.26), (0.2, 0.22)], (250, 244, 232), (226, 210, 196))
    frame.shape([(-0.03, 0.25), (-0.03, 0.86), (-0.32, 0.29)], palette.accent, darker(palette.accent, 0.2))
    frame.shape([(0, 1), (0.13, 0.965), (0, 0.93)], palette.second)
    frame.blob([(-0.44, 0.18), (0.46, 0.2), (0.3, 0.02), (0, -0.01), (-0.28, 0.02)], (150, 84, 58), (92, 50, 46))
    frame.line([(-0.42, 0.175), (0.43, 0.19)], 0.028, (245, 232, 214))


def lighthouse(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A lighthouse on its rock."""
    frame = Frame(canvas, foot, size)
    frame.blob(
        [(-0.42, -0.04), (-0.34, 0.1), (-0.14, 0.16), (0.16, 0.15), (0.36, 0.08), (0.44, -0.04)],
        darker(palette.far, 0.4),
        darker(palette.near, 0.5),
    )
    for side in (-1, 1):
        canvas.shape([frame.at(0, 0.88), frame.at(side * 3, 1.22), frame.at(side * 3, 0.52)], (255, 240, 190), 0.2)
    frame.shape([(-0.14, 0.12), (-0.09, 0.8), (0.09, 0.8), (0.14, 0.12)], (250, 246, 238), (222, 214, 214))
    for low in (0.2, 0.44, 0.66):
        wide = 0.14 - (low - 0.12) * 0.0735
        frame.shape(
            [(-wide, low), (-wide + 0.008, low + 0.11), (wide - 0.008, low + 0.11), (wide, low)],
            palette.accent,
            darker(palette.accent, 0.12),
        )
    frame.box(-0.13, 0.79, 0.13, 0.82, INK, 0.01)
    frame.box(-0.08, 0.82, 0.08, 0.93, (255, 232, 150))
    canvas.glow(frame.at(0, 0.88), 0.3 * size, (255, 236, 170), 0.9)
    frame.shape([(-0.11, 0.93), (0, 1.03), (0.11, 0.93)], palette.accent)


def cottage(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A cottage with smoke from its chimney."""
    frame = Frame(canvas, foot, size)
    frame.shadow(0.52)
    for puff in range(4):
        frame.oval(
            0.24 + puff * 0.05, 0.92 + puff * 0.09, 0.04 + puff * 0.018, 0.035 + puff * 0.014, WHITE, 0.5 - puff * 0.09
        )
    frame.box(0.18, 0.6, 0.28, 0.9, (150, 92, 80))
    frame.box(-0.4, 0.0, 0.4, 0.5, (246, 232, 208))
    frame.box(-0.4, 0.0, 0.4, 0.07, (170, 150, 140))
    frame.shape([(-0.5, 0.46), (-0.26, 0.84), (0.26, 0.84), (0.5, 0.46)], palette.accent, darker(palette.accent, 0.3))
    frame.box(-0.08, 0.0, 0.1, 0.33, darker(palette.second, 0.35), 0.05)
    frame.oval(0.065, 0.16, 0.013, 0.013, (250, 220, 130))
    for x in (-0.26, 0.26):
        canvas.glow(frame.at(x, 0.27), 0.2 * size, (255, 220, 130), 0.5)
        frame.box(x - 0.085, 0.18, x + 0.085, 0.36, (120, 82, 66), 0.012)
        frame.box(x - 0.068, 0.197, x + 0.068, 0.343, (255, 222, 140))
        frame.line([(x, 0.19), (x, 0.35)], 0.012, (120, 82, 66))
        frame.line([(x - 0.07, 0.27), (x + 0.07, 0.27)], 0.012, (120, 82, 66))


def wanderer(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """Somebody in a cloak, seen from behind, looking into the distance."""
    frame = Frame(canvas, foot, size)
    cloak = darker(palette.accent, 0.12)
    frame.shadow(0.24)
    frame.line([(0.25, 0.0), (0.29, 0.98)], 0.022, (104, 72, 56))
    canvas.glow(frame.at(0.29, 1.0), 0.16 * size, palette.second, 0.9)
    frame.oval(0.29, 1.0, 0.032, 0.032, lighter(palette.second, 0.4))
    frame.pair(0.07, 0.02, 0.06, 0.03, INK)
    frame.blob(
        [(-0.25, 0.04), (-0.2, 0.35), (-0.13, 0.66), (0, 0.73), (0.13, 0.66), (0.19, 0.35), (0.22, 0.04), (0, 0.0)],
        cloak,
        darker(cloak, 0.45),
    )
    for x in (-0.1, 0.03, 0.12):
        frame.line([(x * 0.5, 0.6), (x, 0.3), (x * 1.3, 0.06)], 0.008, darker(cloak, 0.35))
    frame.line([(0.12, 0.56), (0.22, 0.5), (0.268, 0.46)], 0.06, darker(cloak, 0.2))
    frame.oval(0, 0.78, 0.1, 0.11, lighter(cloak, 0.1))
    if luck.random() < 0.5:
        frame.oval(0, 0.8, 0.2, 0.04, darker(palette.near, 0.3))
        frame.blob([(-0.11, 0.81), (-0.04, 0.98), (0.06, 1.08), (0.05, 0.96), (0.11, 0.81)], darker(palette.near, 0.25))
        frame.line([(-0.1, 0.825), (0.1, 0.825)], 0.026, palette.second)
    else:
        frame.blob([(-0.12, 0.7), (-0.1, 0.88), (0, 0.95), (0.1, 0.88), (0.12, 0.7)], darker(cloak, 0.08))


def balloon(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A hot-air balloon."""
    frame = Frame(canvas, (foot[0], foot[1] - size * 0.25), size)
    for x in (-0.09, 0.09):
        frame.line([(x, 0.12), (x * 2.6, 0.42)], 0.007, INK)
    frame.box(-0.1, 0.0, 0.1, 0.13, (150, 100, 66), 0.025)
    frame.box(-0.115, 0.11, 0.115, 0.14, (104, 66, 50), 0.012)
    outline = [
        (0, 1.06),
        (0.31, 0.94),
        (0.38, 0.72),
        (0.26, 0.48),
        (0.11, 0.34),
        (-0.11, 0.34),
        (-0.26, 0.48),
        (-0.38, 0.72),
        (-0.31, 0.94),
    ]
    stripes = (palette.accent, (250, 244, 230), palette.second, (250, 244, 230), palette.accent)
    for index, share in enumerate((1.0, 0.78, 0.56, 0.34, 0.13)):
        frame.blob([(x * share, y) for x, y in outline], stripes[index], darker(stripes[index], 0.22))
    frame.oval(-0.17, 0.86, 0.05, 0.09, WHITE, 0.3)


def rocket(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A rocket taking off."""
    frame = Frame(canvas, (foot[0], foot[1] - size * 0.16), size)
    canvas.glow(frame.at(0, -0.02), 0.42 * size, (255, 180, 90), 0.9)
    for wide, deep, colour in ((0.13, 0.24, (255, 150, 60)), (0.085, 0.17, (255, 214, 102)), (0.04, 0.1, WHITE)):
        frame.blob(
            [(-wide, 0.12), (wide, 0.12), (wide * 0.7, -deep * 0.4), (0, -deep), (-wide * 0.7, -deep * 0.4)], colour
        )
    for side in (-1, 1):
        frame.blob(
            [(side * 0.12, 0.4), (side * 0.3, 0.2), (side * 0.29, 0.05), (side * 0.12, 0.14)],
            palette.accent,
            darker(palette.accent, 0.3),
        )
    frame.blob(
        [(0, 1.03), (0.13, 0.82), (0.17, 0.5), (0.12, 0.12), (-0.12, 0.12), (-0.17, 0.5), (-0.13, 0.82)],
        (248, 246, 244),
        (206, 206, 222),
    )
    frame.blob([(0, 1.04), (0.075, 0.93), (0.112, 0.84), (-0.112, 0.84), (-0.075, 0.93)], palette.accent)
    frame.oval(0, 0.63, 0.088, 0.088, palette.second)
    frame.oval(0, 0.63, 0.064, 0.064, (60, 84, 132))
    frame.oval(-0.02, 0.652, 0.022, 0.022, WHITE, 0.8)
    frame.box(-0.13, 0.16, 0.13, 0.2, palette.second, 0.01)


def mushroom(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """Three mushrooms."""
    for x, share in ((-0.34, 0.5), (0.36, 0.6), (0.0, 1.0)):
        frame = Frame(canvas, (foot[0] + x * size, foot[1]), size * share)
        frame.shadow(0.28)
        frame.blob(
            [(-0.13, 0.0), (-0.1, 0.3), (-0.12, 0.55), (0.12, 0.55), (0.1, 0.3), (0.13, 0.0)],
            (252, 240, 220),
            (220, 196, 176),
        )
        frame.oval(0, 0.52, 0.34, 0.06, (214, 186, 168))
        cap = mix(palette.accent, (226, 60, 60), 0.35)
        frame.blob(
            [(-0.42, 0.5), (-0.36, 0.74), (0, 0.96), (0.36, 0.74), (0.42, 0.5), (0, 0.55)],
            lighter(cap, 0.1),
            darker(cap, 0.2),
        )
        for dx, dy, spot in ((-0.22, 0.66, 0.055), (0.02, 0.8, 0.075), (0.24, 0.66, 0.05), (0.05, 0.62, 0.035)):
            frame.oval(dx + luck.uniform(-0.02, 0.02), dy, spot, spot * 0.8, (255, 248, 238))


def castle(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A castle with banners."""
    frame = Frame(canvas, foot, size)
    stone = mix((214, 204, 206), palette.far, 0.25)
    frame.shadow(0.56)
    for x, wide, tall in (
        (-0.38, 0.1, 0.62),
        (0.38, 0.1, 0.62),
        (-0.17, 0.085, 0.76),
        (0.17, 0.085, 0.76),
        (0, 0.1, 0.92),
    ):
        frame.shape(
            [(x - wide, 0), (x - wide, tall - 0.2), (x + wide, tall - 0.2), (x + wide, 0)], stone, darker(stone, 0.25)
        )
        frame.shape(
            [(x - wide * 1.25, tall - 0.2), (x, tall + 0.04), (x + wide * 1.25, tall - 0.2)],
            palette.accent,
            darker(palette.accent, 0.3),
        )
        frame.line([(x, tall + 0.03), (x, tall + 0.12)], 0.009, INK)
        frame.shape([(x, tall + 0.12), (x + 0.09, tall + 0.095), (x, tall + 0.07)], palette.second)
        frame.box(x - 0.022, tall - 0.36, x + 0.022, tall - 0.27, (255, 226, 150), 0.02)
    frame.box(-0.42, 0, 0.42, 0.26, mix(stone, WHITE, 0.12))
    for number in range(9):
        frame.box(-0.42 + number * 0.0977, 0.25, -0.36 + number * 0.0977, 0.3, mix(stone, WHITE, 0.12))
    frame.box(-0.085, 0, 0.085, 0.2, darker(stone, 0.65), 0.08)
    frame.box(-0.085, 0, 0.085, 0.1, darker(stone, 0.65))


def tree(canvas: Canvas, palette: Palette, luck: random.Random, foot: Point, size: float) -> None:
    """An old tree with fruit."""
    frame = Frame(canvas, foot, size)
    frame.shadow(0.34)
    bark = (102, 70, 58)
    frame.blob(
        [(-0.13, 0.0), (-0.05, 0.2), (-0.07, 0.5), (0.07, 0.5), (0.05, 0.2), (0.13, 0.0)], bark, darker(bark, 0.4)
    )
    for side in (-1, 1):
        frame.line([(0, 0.34), (side * 0.12, 0.46), (side * 0.2, 0.6)], 0.04, bark)
    leaf = mix(palette.accent, (84, 150, 96), 0.55)
    crowns = [(0, 0.72, 0.27), (-0.24, 0.6, 0.19), (0.24, 0.62, 0.19), (-0.12, 0.86, 0.17), (0.14, 0.86, 0.16)]
    for shade, shift in ((0.25, -0.02), (0.05, 0.015)):
        for x, y, radius in crowns:
            frame.oval(
                x - shift, y + shift, radius * (1 - shade * 0.1), radius * (1 - shade * 0.1), darker(leaf, shade)
            )
    for x, y, radius in crowns:
        frame.oval(x - 0.05, y + 0.05, radius * 0.55, radius * 0.5, lighter(leaf, 0.22), 0.5)
    for _ in range(12):
        x, y, radius = luck.choice(crowns)
        frame.oval(
            x + luck.uniform(-0.6, 0.6) * radius, y + luck.uniform(-0.6, 0.6) * radius, 0.02, 0.02, palette.second
        )


def fish(canvas: Canvas, palette: Palette, _luck: random.Random, foot: Point, size: float) -> None:
    """A whale that came up to look."""
    frame = Frame(canvas, foot, size)
    skin = mix(palette.high, (58, 92, 150), 0.6)
    for dx in (-0.07, 0.07):
        spout = smooth(
            [(-0.12, 0.48), (dx * 0.6 - 0.12, 0.66), (dx * 2 - 0.12, 0.72), (dx * 3 - 0.12, 0.62)], closed=False
        )
        frame.line(spout, 0.022, lighter(palette.low, 0.6))
    frame.blob(
        [(0.3, 0.12), (0.46, 0.3), (0.42, 0.5), (0.54, 0.44), (0.66, 0.52), (0.58, 0.3), (0.44, 0.02)],
        darker(skin, 0.1),
    )
    frame.blob(
        [(-0.5, 0.1), (-0.46, 0.34), (-0.2, 0.5), (0.12, 0.42), (0.42, 0.16), (0.44, 0.0), (0, -0.05), (-0.44, -0.03)],
        skin,
        darker(skin, 0.3),
    )
    frame.blob(
        [(-0.49, 0.1), (-0.2, 0.16), (0.16, 0.06), (0.3, -0.02), (-0.1, -0.06), (-0.44, -0.03)],
        (240, 240, 236),
        (206, 220, 232),
    )
    frame.oval(-0.3, 0.25, 0.03, 0.034, INK)
    frame.oval(-0.31, 0.262, 0.01, 0.011, WHITE)
    frame.oval(-0.3, 0.185, 0.035, 0.018, (240, 130, 140), 0.5)
    for dx in range(7):
        frame.oval(-0.6 + dx * 0.2, -0.045, 0.14, 0.022, lighter(palette.low, 0.3), 0.7)
