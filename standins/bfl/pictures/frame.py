"""A place on the canvas for one subject, with coordinates of its own."""

from typing import Final

from standins.bfl.pictures.canvas import Canvas, Colour, Point

INK: Final = (36, 30, 52)


class Frame:
    """Coordinates of a subject: x from -0.5 to 0.5, y from 0 at its foot to 1 at its top.

    The shapes are those of the canvas, in these coordinates.
    """

    def __init__(self, canvas: Canvas, foot: Point, size: float) -> None:
        self.canvas = canvas
        self._foot = foot
        self.size = size

    def at(self, x: float, y: float) -> Point:
        return self._foot[0] + x * self.size, self._foot[1] - y * self.size

    def oval(self, x: float, y: float, across: float, down: float, colour: Colour, alpha: float = 1.0) -> None:
        self.canvas.oval(self.at(x, y), across * self.size, down * self.size, colour, alpha)

    def pair(self, x: float, y: float, across: float, down: float, colour: Colour, alpha: float = 1.0) -> None:
        for side in (-x, x):
            self.oval(side, y, across, down, colour, alpha)

    def box(self, left: float, bottom: float, right: float, top: float, colour: Colour, round_by: float = 0) -> None:
        (x, y), (x2, y2) = self.at(left, top), self.at(right, bottom)
        self.canvas.box(x, y, x2, y2, colour, round_by * self.size)

    def shape(self, points: list[Point], colour: Colour, fade: Colour | None = None) -> None:
        self.canvas.shape([self.at(*point) for point in points], colour, fade=fade)

    def blob(self, points: list[Point], colour: Colour, fade: Colour | None = None) -> None:
        self.canvas.blob([self.at(*point) for point in points], colour, fade=fade)

    def line(self, points: list[Point], width: float, colour: Colour) -> None:
        self.canvas.line([self.at(*point) for point in points], width * self.size, colour)

    def shadow(self, across: float) -> None:
        self.oval(0, 0.0, across, 0.045, INK, 0.28)
