"""Places: what a picture's subject stands in. Each draws the whole sheet and says where the ground is."""

import random
from math import cos, pi, sin

from standins.bfl.pictures.canvas import Canvas, Colour, Point, darker, lighter, mix, ring, smooth
from standins.bfl.pictures.palette import Palette


def hills(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """Mountains behind mountains, and meadows before them."""
    _heaven(canvas, palette, luck)
    _clouds(canvas, palette, luck)
    h = canvas.height
    for layer, share in enumerate((0.0, 0.3, 0.55)):
        base = h * (0.56 + 0.1 * layer)
        colour = mix(mix(palette.far, palette.low, 0.45), palette.near, share)
        peaks = _peaks(canvas, base, 0.3 - 0.07 * layer, luck)
        canvas.shape([*peaks, (canvas.width, h), (0, h)], colour, fade=mix(colour, palette.low, 0.35))
        if layer == 0:
            _snow(canvas, peaks, base, lighter(palette.low, 0.6))
        canvas.mist(base - 0.03, base + 0.16, lighter(palette.low, 0.2), 0.35)
    ground = h * 0.82
    _meadow(canvas, palette, luck, ground)
    for _ in range(luck.randint(4, 8)):
        spot = luck.random()
        x = canvas.width * (spot * 0.3 if luck.random() < 0.5 else 1 - spot * 0.3)
        _fir(canvas, (x, ground + luck.uniform(0.0, 0.05)), luck.uniform(0.12, 0.22), darker(palette.near, 0.15))
    return ground + 0.04


def meadow(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """Rolling hills with flowers at our feet."""
    _heaven(canvas, palette, luck)
    _clouds(canvas, palette, luck)
    for layer in range(4):
        base = canvas.height * (0.55 + 0.085 * layer)
        colour = mix(mix(palette.far, palette.low, 0.35), palette.near, layer / 3.4)
        curve = _waves(canvas, base, 0.05, luck)
        foot = [(canvas.width, canvas.height), (0.0, canvas.height)]
        canvas.shape([*curve, *foot], lighter(colour, 0.12), fade=darker(colour, 0.12))
        if layer in {1, 2}:
            for _ in range(luck.randint(2, 5)):
                x, y = luck.choice(curve)
                _round_tree(canvas, (x, y + 0.012), luck.uniform(0.035, 0.06) * (1 + layer / 2), colour, luck)
    _flowers(canvas, palette, luck, canvas.height * 0.86)
    return canvas.height * 0.86


def sea(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """Water to the horizon, with the light on it."""
    sun = _heaven(canvas, palette, luck, low=True)
    _clouds(canvas, palette, luck)
    horizon = canvas.height * 0.6
    shore = [(x, y + 0.035) for x, y in _peaks(canvas, horizon - 0.02, 0.08, luck)]
    canvas.shape([*shore, (canvas.width, horizon), (0, horizon)], mix(palette.far, palette.low, 0.5))
    canvas.mirror(horizon, tint=mix(palette.high, palette.near, 0.45), share=0.55)
    for _ in range(46):
        depth = luck.random() ** 1.5
        y = horizon + 0.012 + depth * (canvas.height - horizon)
        spread = 0.06 + 0.22 * depth
        x = sun[0] + luck.gauss(0, spread) if luck.random() < 0.6 else luck.uniform(0, canvas.width)
        length = 0.02 + 0.09 * depth * luck.random()
        glint = (
            mix(palette.light, palette.low, 0.3)
            if abs(x - sun[0]) < spread * 1.3
            else mix(palette.low, palette.high, 0.5)
        )
        canvas.oval((x, y), length, 0.0022 + 0.0035 * depth, glint, 0.6)
    return canvas.height * 0.74


def city(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """A skyline with lit windows."""
    _heaven(canvas, palette, luck)
    ground = canvas.height * 0.86
    for layer in range(3):
        colour = mix(mix(palette.far, palette.low, 0.4), darker(palette.near, 0.2), layer / 2)
        x = -luck.random() * 0.1
        while x < canvas.width:
            wide = luck.uniform(0.07, 0.14) * (1 + layer * 0.25)
            top = ground - luck.uniform(0.16, 0.5) * (1.12 - layer * 0.3)
            _tower(canvas, (x, top, x + wide, ground), palette, luck, colour=colour, lit=layer)
            x += wide + luck.choice((0.0, 0.006, 0.03))
        canvas.mist(ground - 0.25, ground + 0.05, palette.low, 0.28)
    canvas.shape(
        [(0, ground), (canvas.width, ground), (canvas.width, canvas.height), (0, canvas.height)],
        darker(palette.near, 0.45),
        fade=darker(palette.near, 0.75),
    )
    for _ in range(24):
        x, y = luck.uniform(0, canvas.width), luck.uniform(ground + 0.02, canvas.height)
        canvas.oval(
            (x, y), luck.uniform(0.01, 0.05), 0.003, luck.choice((palette.accent, palette.light, palette.second)), 0.35
        )
    return ground + 0.04


def space(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """Stars, a planet with a ring, and the ground of a moon."""
    deep = darker(palette.high, 0.75)
    canvas.sky(deep, mix(deep, palette.high, 0.5), mix(deep, palette.middle, 0.55))
    for colour in (palette.accent, palette.second, palette.middle):
        canvas.glow((luck.uniform(0, canvas.width), luck.uniform(0, canvas.height)), 0.6, colour, 0.35)
    _stars(canvas, luck, 150, 1.0)
    x, y, radius = canvas.width * luck.choice((0.2, 0.8)), canvas.height * 0.28, luck.uniform(0.11, 0.16)
    canvas.glow((x, y), radius * 2, palette.low, 0.4)
    around = _tilted((x, y), radius * 1.75, radius * 0.34)
    ring_colour = mix(palette.second, palette.light, 0.4)
    canvas.line(around[:25], 0.013, darker(ring_colour, 0.25))
    canvas.disc((x, y), radius, palette.accent)
    for offset in (-0.55, -0.15, 0.3, 0.62):
        half = radius * (1 - offset * offset) ** 0.5 * 0.985
        canvas.oval((x, y + offset * radius), half, radius * 0.09, mix(palette.accent, palette.low, 0.4), 0.55)
    canvas.line(around[24:], 0.013, ring_colour)
    ground = canvas.height * 0.84
    curve = _waves(canvas, ground - 0.02, 0.025, luck)
    colour = mix(palette.far, deep, 0.3)
    canvas.shape(
        [*curve, (canvas.width, canvas.height), (0, canvas.height)], lighter(colour, 0.25), fade=darker(colour, 0.5)
    )
    for _ in range(9):
        centre = (luck.uniform(0, canvas.width), luck.uniform(ground + 0.04, canvas.height))
        wide = luck.uniform(0.02, 0.07)
        canvas.oval(centre, wide, wide * 0.3, darker(colour, 0.3))
        canvas.oval((centre[0], centre[1] + wide * 0.08), wide * 0.86, wide * 0.22, mix(colour, deep, 0.15))
    return ground + 0.05


def studio(canvas: Canvas, palette: Palette, luck: random.Random) -> float:
    """A plain backdrop with a few shapes, for portraits."""
    canvas.sky(mix(palette.high, palette.middle, 0.4), mix(palette.middle, palette.low, 0.5), palette.low)
    middle = (canvas.width / 2, canvas.height * 0.46)
    canvas.disc(middle, 0.4, mix(palette.light, palette.low, 0.35))
    canvas.disc(middle, 0.33, mix(palette.light, palette.accent, 0.28))
    for _ in range(9):
        spot = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height * 0.7))
        if abs(spot[0] - middle[0]) > 0.4 or abs(spot[1] - middle[1]) > 0.4:
            size = luck.uniform(0.012, 0.035)
            colour = luck.choice((palette.accent, palette.second, palette.light))
            canvas.shape(
                ring(spot, size, luck.choice((3, 4, 5, 6)), turn=luck.random(), inner=luck.choice((None, size / 2))),
                colour,
                0.8,
            )
    ground = canvas.height * 0.88
    canvas.shape(
        [(0, ground), (canvas.width, ground), (canvas.width, canvas.height), (0, canvas.height)],
        palette.far,
        fade=darker(palette.far, 0.25),
    )
    return ground + 0.03


def _heaven(canvas: Canvas, palette: Palette, luck: random.Random, *, low: bool = False) -> Point:
    canvas.sky(palette.high, palette.middle, palette.low, mix(palette.low, palette.far, 0.3))
    if palette.night:
        _stars(canvas, luck, 110, 0.62)
    sun = (
        canvas.width * luck.choice((0.24, 0.3, 0.7, 0.76)),
        canvas.height * (0.42 if low else luck.uniform(0.2, 0.36)),
    )
    radius = luck.uniform(0.06, 0.09)
    canvas.glow(sun, 0.75, palette.light, 0.55)
    canvas.glow(sun, radius * 2.4, palette.light, 0.8)
    canvas.disc(sun, radius, palette.light)
    if palette.night:
        for dx, dy, size in ((-0.3, -0.2, 0.2), (0.25, 0.3, 0.26), (0.3, -0.35, 0.12)):
            canvas.disc((sun[0] + dx * radius, sun[1] + dy * radius), size * radius, darker(palette.light, 0.12))
    return sun


def _stars(canvas: Canvas, luck: random.Random, count: int, until: float) -> None:
    for _ in range(count):
        centre = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height * until))
        canvas.disc(centre, luck.uniform(0.0009, 0.0028), (255, 250, 235), luck.uniform(0.4, 1))
    for _ in range(4):
        centre = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height * until * 0.7))
        canvas.shape(ring(centre, 0.014, 4, inner=0.003), (255, 250, 235), 0.9)


def _clouds(canvas: Canvas, palette: Palette, luck: random.Random) -> None:
    colour = mix(lighter(palette.low, 0.6), palette.middle, 0.75 if palette.night else 0.3)
    for _ in range(luck.randint(2, 4)):
        x, y = luck.uniform(0, canvas.width), luck.uniform(0.08, 0.36) * canvas.height
        size = luck.uniform(0.6, 1.2)
        for dx, wide, lift in ((-0.1, 0.06, 0.0), (-0.035, 0.065, 0.018), (0.03, 0.08, 0.01), (0.11, 0.06, 0.0)):
            canvas.oval((x + dx * size, y - lift * size), wide * size, 0.02 * size + lift * size * 0.7, colour)


def _peaks(canvas: Canvas, base: float, tall: float, luck: random.Random) -> list[Point]:
    count = max(int(canvas.width * 4), 3)
    points: list[Point] = [(-0.1, base - luck.uniform(0, tall) * 0.5)]
    for number in range(count):
        x = (number + luck.uniform(0.25, 0.75)) / count * canvas.width
        points.append((x, base - tall * luck.uniform(0.5, 1)))
        points.append((x + canvas.width / count * luck.uniform(0.35, 0.6), base - tall * luck.uniform(0.05, 0.35)))
    return [*points, (canvas.width + 0.1, base - luck.uniform(0, tall) * 0.5)]


def _snow(canvas: Canvas, peaks: list[Point], base: float, colour: Colour) -> None:
    for index in range(1, len(peaks) - 1):
        (lx, ly), (x, y), (rx, ry) = peaks[index - 1 : index + 2]
        if y < ly and y < ry and base - y > 0.17:
            cap = min(0.07, (ly - y) * 0.8, (ry - y) * 0.8)
            left = (x + (lx - x) * cap / (ly - y), y + cap)
            right = (x + (rx - x) * cap / (ry - y), y + cap)
            teeth = [
                (left[0] + (right[0] - left[0]) * share, y + cap * drop)
                for share, drop in ((0.28, 0.72), (0.45, 1.1), (0.62, 0.75), (0.8, 1.15))
            ]
            canvas.shape([(x, y), right, *reversed(teeth), left], colour, 0.85)


def _waves(canvas: Canvas, base: float, tall: float, luck: random.Random) -> list[Point]:
    phase, length = luck.uniform(0, 2 * pi), luck.uniform(0.7, 1.3)
    points = [
        (x / 12 * (canvas.width + 0.2) - 0.1, base + tall * sin(phase + x / 12 * canvas.width * 5 / length))
        for x in range(13)
    ]
    return smooth(points, closed=False)


def _meadow(canvas: Canvas, palette: Palette, luck: random.Random, ground: float) -> None:
    curve = _waves(canvas, ground, 0.018, luck)
    foot = [(canvas.width, canvas.height), (0.0, canvas.height)]
    canvas.shape([*curve, *foot], lighter(palette.near, 0.08), fade=darker(palette.near, 0.3))


def _flowers(canvas: Canvas, palette: Palette, luck: random.Random, top: float) -> None:
    spots = sorted((luck.uniform(top, canvas.height + 0.02), luck.uniform(0, canvas.width)) for _ in range(70))
    for y, x in spots:
        size = 0.003 + 0.010 * (y - top) / (canvas.height - top)
        colour = luck.choice((palette.accent, palette.second, palette.light))
        canvas.line([(x, y), (x + size * 0.3, y + size * 4)], size * 0.3, lighter(palette.near, 0.25))
        for petal in ring((x, y), size * 0.8, 5, turn=luck.random()):
            canvas.disc(petal, size * 0.55, colour)
        canvas.disc((x, y), size * 0.45, lighter(palette.second, 0.5))


def _fir(canvas: Canvas, foot: Point, tall: float, colour: Colour) -> None:
    x, y = foot
    for step in range(3):
        top = y - tall * (1 - step * 0.24)
        wide = tall * (0.16 + step * 0.07)
        canvas.shape(
            [(x, top), (x + wide, top + tall * 0.42), (x - wide, top + tall * 0.42)], lighter(colour, 0.1 - step * 0.03)
        )
    canvas.box(x - tall * 0.03, y - tall * 0.12, x + tall * 0.03, y, darker(colour, 0.5))


def _round_tree(canvas: Canvas, foot: Point, size: float, colour: Colour, luck: random.Random) -> None:
    x, y = foot
    canvas.box(x - size * 0.09, y - size, x + size * 0.09, y, darker(colour, 0.5))
    leaf = darker(colour, luck.uniform(0.12, 0.3))
    canvas.oval((x, y - size * 1.25), size * 0.62, size * 0.72, leaf)
    canvas.oval((x - size * 0.15, y - size * 1.42), size * 0.38, size * 0.42, lighter(leaf, 0.14))


def _tower(
    canvas: Canvas,
    walls: tuple[float, float, float, float],
    palette: Palette,
    luck: random.Random,
    *,
    colour: Colour,
    lit: int,
) -> None:
    left, top, right, bottom = walls
    canvas.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour, fade=lighter(colour, 0.12))
    if luck.random() < 0.35:
        middle = (left + right) / 2
        canvas.line([(middle, top), (middle, top - 0.05)], 0.004, colour)
    if not lit:
        return
    pane = 0.011
    columns = int((right - left - pane) / (pane * 2))
    for row in range(int((bottom - top) / (pane * 2.6)) - 1):
        for column in range(columns):
            if luck.random() < 0.42:
                x, y = left + pane * (1.2 + column * 2), top + pane * (1.5 + row * 2.6)
                glass = luck.choice((palette.light, palette.light, palette.accent, palette.second))
                canvas.box(x, y, x + pane, y + pane * 1.4, mix(colour, glass, 0.45 + 0.25 * lit))


def _tilted(centre: Point, across: float, down: float) -> list[Point]:
    """An ellipse around the centre, leaning: its far half first."""
    turns = [step / 48 * 2 * pi for step in range(49)]
    flat = [(-across * cos(turn), -down * sin(turn)) for turn in turns]
    return [(centre[0] + x, centre[1] + y - x * 0.3) for x, y in flat]
