"""A sheet to draw on, larger than the picture that it becomes, so that edges are smooth.

Its shorter side is 1 long; x grows to the right and y down. Colours are (red, green, blue), 0..255.
"""

from collections.abc import Sequence
from math import cos, pi, sin
from typing import Final

from PIL import Image, ImageChops, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

WHITE: Final = (255, 255, 255)
_SHADES: Final = 64  # steps in a gradient before it is stretched


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two; `share` of it is the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def lighter(colour: Colour, share: float) -> Colour:
    """A colour with some white in it."""
    return mix(colour, WHITE, share)


def darker(colour: Colour, share: float) -> Colour:
    """A colour with some night in it."""
    return mix(colour, (12, 10, 30), share)


def stretched(
    image: Image.Image, size: tuple[int, int], how: Image.Resampling = Image.Resampling.BICUBIC
) -> Image.Image:
    """The picture in another size, its ratio no matter."""
    return image.resize(size, how, reducing_gap=1.5)  # pyright: ignore[reportUnknownMemberType] - Pillow names numpy


class Canvas:
    """A picture being drawn."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.unit = min(image.size)  # px
        self.width = image.width / self.unit
        self.height = image.height / self.unit
        self._pen = ImageDraw.Draw(image)

    def sky(self, *colours: Colour, until: float | None = None) -> None:
        """Fill the sheet down to `until` with a gradient from top to bottom."""
        height = round((self.height if until is None else until) * self.unit)
        self.image.paste(stretched(_gradient(colours), (self.image.width, height), Image.Resampling.BICUBIC))

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float = 0.6) -> None:
        """Light that fades with the distance."""
        size = max(round(radius * 2 * self.unit), 2)
        light = mapped(
            Image.radial_gradient("L"),
            [int(max(0, 255 - dark * 1.42) ** 1.5 / 15.97 * strength) for dark in range(256)],
        )
        mask = stretched(light, (size, size), Image.Resampling.BILINEAR)
        self.image.paste(colour, (self._x(centre[0] - radius), self._x(centre[1] - radius)), mask)

    def disc(self, centre: Point, radius: float, colour: Colour, alpha: float = 1.0) -> None:
        """A circle."""
        self.oval(centre, radius, radius, colour, alpha)

    def oval(self, centre: Point, across: float, down: float, colour: Colour, alpha: float = 1.0) -> None:
        """An ellipse with these radii."""
        x, y = centre
        box = [self._x(x - across), self._x(y - down), self._x(x + across), self._x(y + down)]
        if alpha >= 1:
            self._pen.ellipse(box, fill=colour)
            return
        mask = Image.new("L", (max(box[2] - box[0], 1) + 1, max(box[3] - box[1], 1) + 1))
        ImageDraw.Draw(mask).ellipse([0, 0, mask.width - 1, mask.height - 1], fill=round(alpha * 255))
        self.image.paste(colour, (box[0], box[1]), mask)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour, round_by: float = 0) -> None:
        """A rectangle, its corners rounded."""
        corners = [self._x(left), self._x(top), self._x(right), self._x(bottom)]
        self._pen.rounded_rectangle(corners, radius=round_by * self.unit, fill=colour)

    def shape(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0, fade: Colour | None = None) -> None:
        """A polygon; with `fade`, its colour runs into that one towards its foot."""
        corners = [(x * self.unit, y * self.unit) for x, y in points]
        if alpha >= 1 and fade is None:
            self._pen.polygon(corners, fill=colour)
            return
        left, top = int(min(x for x, _ in corners)), int(min(y for _, y in corners))
        left, top = max(left, 0), max(top, 0)
        right = min(int(max(x for x, _ in corners)) + 1, self.image.width)
        bottom = min(int(max(y for _, y in corners)) + 1, self.image.height)
        if right <= left or bottom <= top:
            return
        size = (right - left, bottom - top)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in corners], fill=round(alpha * 255))
        fill = colour if fade is None else stretched(_gradient((colour, fade)), size, Image.Resampling.BILINEAR)
        self.image.paste(fill, (left, top, right, bottom), mask)

    def blob(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0, fade: Colour | None = None) -> None:
        """A closed curve through these points."""
        self.shape(smooth(points), colour, alpha, fade)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A stroke through these points with round ends and joints."""
        thick = max(round(width * self.unit), 1)
        self._pen.line([(x * self.unit, y * self.unit) for x, y in points], fill=colour, width=thick, joint="curve")
        for point in points:
            self.disc(point, width / 2, colour)

    def mist(self, top: float, bottom: float, colour: Colour, strength: float = 0.5) -> None:
        """A band of haze, thickest at its middle."""
        height = max(self._x(bottom) - self._x(top), 2)
        up = stretched(Image.linear_gradient("L"), (1, height))
        band = mapped(
            ImageChops.multiply(up, ImageChops.invert(up)), [min(255, int(dim * 4 * strength)) for dim in range(256)]
        )
        self.image.paste(colour, (0, self._x(top)), stretched(band, (self.image.width, height)))

    def mirror(self, y: float, *, tint: Colour, share: float) -> None:
        """Turn everything below y into water that shows what stands above it."""
        edge = self._x(y)
        depth = self.image.height - edge
        above = self.image.crop((0, max(edge - depth, 0), self.image.width, edge)).transpose(
            Image.Transpose.FLIP_TOP_BOTTOM
        )
        above = stretched(above, (self.image.width, depth))
        self.image.paste(Image.blend(above, Image.new("RGB", above.size, tint), share), (0, edge))

    def _x(self, length: float) -> int:
        return round(length * self.unit)


def smooth(points: Sequence[Point], steps: int = 10, *, closed: bool = True) -> list[Point]:
    """A curve through the points (Catmull-Rom)."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        near = [points[(index + offset) % count] for offset in (-1, 0, 1, 2)]
        if not closed:
            near = [points[min(max(index + offset, 0), count - 1)] for offset in (-1, 0, 1, 2)]
        for step in range(steps):
            t = step / steps
            curve.append((_spline(t, *(x for x, _ in near)), _spline(t, *(y for _, y in near))))
    return curve if closed else [*curve, points[-1]]


def ring(centre: Point, radius: float, count: int, *, turn: float = 0.0, inner: float | None = None) -> list[Point]:
    """The corners of a regular polygon; with an inner radius, of a star."""
    corners = count if inner is None else count * 2
    points: list[Point] = []
    for number in range(corners):
        length = inner if inner is not None and number % 2 else radius
        angle = turn + number * 2 * pi / corners - pi / 2
        points.append((centre[0] + length * cos(angle), centre[1] + length * sin(angle)))
    return points


def mapped(image: Image.Image, table: list[int]) -> Image.Image:
    """The picture with every value, 0..255, replaced by the table's."""
    return image.point(table)  # pyright: ignore[reportUnknownMemberType] - Pillow names numpy


def _spline(t: float, a: float, b: float, c: float, d: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def _gradient(colours: Sequence[Colour]) -> Image.Image:
    strip = Image.new("RGB", (1, _SHADES))
    for row in range(_SHADES):
        place = row / (_SHADES - 1) * (len(colours) - 1)
        first = min(int(place), len(colours) - 2)
        strip.putpixel((0, row), mix(colours[first], colours[first + 1], place - first))
    return strip
