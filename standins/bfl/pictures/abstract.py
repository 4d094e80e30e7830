"""Pictures of nothing: shapes on a grid, and circles of light."""

import random
from collections.abc import Callable

from standins.bfl.pictures.canvas import Canvas, Colour, darker, lighter, mix, ring
from standins.bfl.pictures.palette import Palette


def tiles(canvas: Canvas, palette: Palette, luck: random.Random) -> None:
    """Quarter circles, discs and stripes, tile by tile."""
    colours = (
        palette.high,
        palette.accent,
        palette.second,
        palette.near,
        palette.low,
        mix(palette.far, palette.accent, 0.3),
    )
    side = 1 / luck.choice((3, 4))
    canvas.sky(palette.low, palette.low)
    for row in range(int(canvas.height / side + 0.999)):
        for column in range(int(canvas.width / side + 0.999)):
            _tile(canvas, luck, column * side, row * side, side, luck.sample(colours, 3))


def _tile(canvas: Canvas, luck: random.Random, x: float, y: float, side: float, colours: list[Colour]) -> None:
    ground, one, two = colours
    cell = Canvas(canvas.image.crop((0, 0, round(side * canvas.unit) + 1, round(side * canvas.unit) + 1)))
    cell.sky(ground, ground)
    kind = luck.randrange(5)
    if kind == 0:
        corner = luck.choice(((0, 0), (0, 1), (1, 0), (1, 1)))
        cell.disc(corner, 1, one)
        cell.disc(corner, 0.55, two)
    elif kind == 1:
        for radius, colour in ((0.42, one), (0.28, two), (0.13, ground)):
            cell.disc((0.5, 0.5), radius, colour)
    elif kind == 2:
        cell.disc((0, 0.5), 0.5, one)
        cell.disc((1, 0.5), 0.5, two)
    elif kind == 3:
        for stripe in range(0, 6, 2):
            cell.box(0, stripe / 6, 1, (stripe + 1) / 6, one)
    else:
        cell.shape(ring((0.5, 0.5), 0.46, luck.choice((4, 8)), inner=luck.choice((None, 0.2))), one)
        cell.disc((0.5, 0.5), 0.12, two)
    canvas.image.paste(cell.image, (round(x * canvas.unit), round(y * canvas.unit)))


def lights(canvas: Canvas, palette: Palette, luck: random.Random) -> None:
    """Ribbons and circles that let each other through."""
    canvas.sky(darker(palette.high, 0.3), palette.middle, palette.low)
    colours = (palette.accent, palette.second, palette.light, lighter(palette.high, 0.3), palette.far)
    for _ in range(3):
        canvas.glow((luck.uniform(0, canvas.width), luck.uniform(0, canvas.height)), 0.7, luck.choice(colours), 0.6)
    for ribbon in range(5):
        y = canvas.height * (0.2 + ribbon * 0.17)
        upper = [(x / 4 * (canvas.width + 0.2) - 0.1, y + luck.uniform(-0.12, 0.12)) for x in range(5)]
        lower = [(x, down + luck.uniform(0.04, 0.16)) for x, down in reversed(upper)]
        canvas.blob([*upper, *lower], colours[ribbon], 0.5)
    for _ in range(9):
        centre = (luck.uniform(0, canvas.width), luck.uniform(0, canvas.height))
        canvas.disc(centre, luck.uniform(0.03, 0.17), luck.choice(colours), luck.uniform(0.3, 0.75))


ABSTRACTS: tuple[Callable[[Canvas, Palette, random.Random], None], ...] = (tiles, lights)
