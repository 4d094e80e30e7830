"""Colours that go together, and the words that call for them."""

import random
import re
from dataclasses import dataclass, replace
from typing import Final

from standins.bfl.pictures.canvas import Colour, mix


@dataclass(frozen=True)
class Palette:
    """The light of a picture."""

    high: Colour  # the sky above
    middle: Colour
    low: Colour  # the sky at the horizon
    light: Colour  # sun or moon
    far: Colour  # the ground in the distance
    near: Colour  # the ground at our feet
    accent: Colour
    second: Colour
    night: bool = False

    def towards(self, colour: Colour) -> "Palette":
        """The same light with that colour all over."""
        return replace(
            self,
            high=mix(self.high, colour, 0.45),
            middle=mix(self.middle, colour, 0.4),
            low=mix(self.low, colour, 0.25),
            far=mix(self.far, colour, 0.45),
            near=mix(self.near, mix(colour, (10, 10, 30), 0.6), 0.5),
            accent=colour,
        )


def _colour(code: str) -> Colour:
    return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)


def _palette(codes: str, *, night: bool = False) -> Palette:
    high, middle, low, light, far, near, accent, second = (_colour(code) for code in codes.split())
    return Palette(high, middle, low, light, far, near, accent, second, night)


PALETTES: Final = {
    "dawn": _palette("6a7fc4 c9a7d8 ffd9c0 fff3d6 a88fc4 4b3f72 f2784b 3fa7a3"),
    "dusk": _palette("2d2a5a b0527f ffb06b ffe7a8 8a4a7c 2a1c47 ffcf56 5ec1c9"),
    "day": _palette("3f9be0 8ecbf0 e6f6f4 fff7d0 7fb89a 2f6b57 f25c54 f7b538"),
    "night": _palette("0b1236 1f2f6b 4d5aa8 f4efd2 2f3b7c 0d1233 ffc857 ef6f8f", night=True),
    "mint": _palette("4fb3a9 a5dcc8 f5f3d8 ffffff 6fb59b 1f5a58 ef8354 e9c46a"),
    "autumn": _palette("7fa3b8 e8c9a0 ffe6b8 fff5d6 c9823f 5a2e26 d1495b edae49"),
    "desert": _palette("3c8da8 f2c48d ffe3b3 fff6dc d98b5f 7a3b3a 2a9d8f e9c46a"),
    "winter": _palette("5f86b8 a9c8e4 f2f5fb ffffff b7cbe4 4d6a97 d7374e f2b84b"),
    "aurora": _palette("0a1033 143f5c 2fa58a e9fff0 1d4e66 071a2e 7df0b4 b98cf0", night=True),
    "candy": _palette("8f7bd9 f2a3c7 ffe0d6 fffbe8 c78fd1 6a4a9c 3ec1d3 ff9a00"),
}

_MOODS: Final = (
    ("night", r"night|midnight|dark|moon\w*|stars?|starry|neon|cyberpunk"),
    ("aurora", r"aurora|northern|magic\w*|mystic\w*|alien"),
    ("dusk", r"sunset|dusk|evening|golden hour|dramatic"),
    ("dawn", r"dawn|sunrise|morning|soft|dreamy"),
    ("winter", r"winter|snow\w*|ice|icy|frozen|cold"),
    ("autumn", r"autumn|fall|cozy|cosy|warm"),
    ("desert", r"desert|sand|dunes?|canyon"),
    ("candy", r"candy|pastel|cute|kawaii"),
    ("day", r"day|sunny|summer|bright|spring"),
)

_COLOURS: Final = {
    "red": _colour("d7263d"),
    "orange": _colour("f3722c"),
    "yellow": _colour("f9c74f"),
    "gold": _colour("e9b949"),
    "golden": _colour("e9b949"),
    "green": _colour("43aa62"),
    "turquoise": _colour("2ec4b6"),
    "teal": _colour("1f8a8a"),
    "blue": _colour("2f6fde"),
    "purple": _colour("8f4fd1"),
    "violet": _colour("8f4fd1"),
    "pink": _colour("f06ba8"),
    "brown": _colour("8a5a3b"),
    "white": _colour("f7f4ee"),
    "black": _colour("22222e"),
    "grey": _colour("8b8f9c"),
    "gray": _colour("8b8f9c"),
}


def colour_in(prompt: str) -> Colour | None:
    """The first colour that the words name."""
    named = (_COLOURS[word] for word in re.findall(r"[a-z]+", prompt.lower()) if word in _COLOURS)
    return next(named, None)


def palette_for(prompt: str, luck: random.Random) -> Palette:
    """The light that the words call for, or any."""
    name = next((mood for mood, words in _MOODS if re.search(rf"\b({words})\b", prompt, re.IGNORECASE)), None)
    palette = PALETTES[name or luck.choice(sorted(PALETTES))]
    colour = colour_in(prompt)
    return replace(palette, accent=colour) if colour else palette
