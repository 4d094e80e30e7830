"""What a parameter, an image and a price of a model are, and how a member's value is understood."""

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from bot.errors import Refused
from bot.providers.interface import MicroUSD
from bot.values import normalise_number

Value = bool | int | float | str

LARGEST_SEED = 2**32 - 1
"""BFL names no limit. Every seed that it has been seen to return fits 32 bits, as other tools' seeds do."""
MEGAPIXEL = 1024 * 1024
"""Pixels. [guess] BFL prices 1024 × 1024 as one."""

_RATIO = re.compile(r"\s*([0-9]{1,4})\s*[:/xX×∶]\s*([0-9]{1,4})\s*", re.ASCII)
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,15}(\.0*)?\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,15}(\.[0-9]{0,15})?(e[+-]?[0-9]{1,2})?\s*", re.ASCII | re.IGNORECASE)


class Kind(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One thing that a member may set.

    `default` is the service's own, for showing; what a member leaves out is not sent.
    """

    name: str
    """The service's own."""
    label: str
    kind: Kind
    help: str
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: int = 1
    choices: tuple[str, ...] = ()
    widest: str = "21:9"
    """Of a ratio; the tallest is its mirror image."""
    default: Value | None = None
    advanced: bool = False

    @property
    def range(self) -> str:
        """What is accepted, as the end of the sentence "… must be"."""
        match self.kind:
            case Kind.BOOLEAN:
                return "yes or no"
            case Kind.CHOICE:
                return " or ".join(self.choices)
            case Kind.RATIO:
                wide, _, narrow = self.widest.partition(":")
                return f"a ratio such as 16:9, between {wide}:{narrow} and {narrow}:{wide}"
            case Kind.INTEGER | Kind.NUMBER:
                noun = "a whole number" if self.kind is Kind.INTEGER else "a number"
                if self.multiple_of > 1:
                    noun = f"a multiple of {self.multiple_of}"
                return f"{noun} between {self.minimum:.15g} and {self.maximum:.15g}"

    def read(self, value: Value) -> Value:
        """The value in its own type: what a member typed into a form is a text.

        Raises:
            Refused: it is out of range; the sentence names the range.
        """
        match self.kind:
            case Kind.BOOLEAN:
                read = _boolean(value)
            case Kind.CHOICE:
                read = value.strip().lower() if isinstance(value, str) else None
                read = read if read in self.choices else None
            case Kind.RATIO:
                ratio = ratio_of(value) if isinstance(value, str) else None
                widest = ratio_of(self.widest)
                read = _ratio_text(value) if ratio and widest and 1 / widest <= ratio <= widest else None
            case Kind.INTEGER | Kind.NUMBER:
                read = self._number(value)
        if read is None:
            raise Refused(f"{self.label} must be {self.range}.")
        return read

    def _number(self, value: Value) -> int | float | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, str):
            value = normalise_number(value, below_thousand=self.maximum is not None and self.maximum < 1000)
            wanted = _INTEGER if self.kind is Kind.INTEGER else _NUMBER
            if not wanted.fullmatch(value):
                return None
            value = float(value)
        if self.kind is Kind.INTEGER or isinstance(value, int):
            if not math.isfinite(value) or value != int(value):
                return None
            value = int(value)
        if self.minimum is None or self.maximum is None or not self.minimum <= value <= self.maximum:
            return None
        return value if value % self.multiple_of == 0 or self.kind is Kind.NUMBER else None


def _boolean(value: Value) -> bool | None:
    if isinstance(value, str):
        return {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}.get(
            value.strip().lower()
        )
    return value if isinstance(value, bool) else None


def ratio_of(text: str) -> Fraction | None:
    """Width by height, or None where `text` is no ratio of two positive numbers."""
    match = _RATIO.fullmatch(unicodedata.normalize("NFKC", text))
    if not match or not int(match[1]) or not int(match[2]):
        return None
    return Fraction(int(match[1]), int(match[2]))


def _ratio_text(value: Value) -> str | None:
    match = _RATIO.fullmatch(unicodedata.normalize("NFKC", str(value)))
    return f"{int(match[1])}:{int(match[2])}" if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What an image given to a model is for."""

    name: str
    """The service's own. Further images of the same role are called `name_2`, `name_3`, …"""
    label: str
    help: str
    required: bool = False
    maximum: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *(f"{self.name}_{number}" for number in range(2, self.maximum + 1)))


@dataclass(frozen=True, slots=True)
class Pool:
    """A limit of the service on tasks that are active at once, for the whole account."""

    name: str
    slots: int


@dataclass(frozen=True, slots=True)
class Price:
    """What one image costs: a fixed price, or FLUX.2's by megapixels."""

    first: MicroUSD
    """With the first megapixel of the result."""
    further: MicroUSD
    """For each further one, and each of the images put in."""

    def of(self, *, output_megapixels: float, input_megapixels: float) -> MicroUSD:
        """Rounded up to whole megapixels: what is estimated should not be exceeded."""
        further = max(math.ceil(output_megapixels) - 1, 0) + math.ceil(input_megapixels)
        return MicroUSD(self.first + further * self.further)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long a drawing takes before this server has its own history: its fastest tenth, half, nine tenths."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One endpoint of a generation service."""

    key: str
    label: str
    good_for: str
    path: str
    price: Price
    seconds: Seconds
    provider: str = "bfl"
    pools: tuple[Pool, ...]
    parameters: tuple[Parameter, ...] = ()
    roles: tuple[Role, ...] = ()
    prompt_needed: bool = True
    prompt_limit: int = 2500
    """Characters."""
    finetuned: bool = False
    """It draws with a finetune, and needs one."""
    base: str | None = None
    """Of a finetuned endpoint: the model that it is the sibling of."""
    regions: tuple[str, ...] = ("global", "eu", "us", "us1", "eu1")
    """Which of BFL's hosts may serve it; () for other services."""
    least_pause: float = 0.0
    """Seconds between two looks at a picture, at least, where the service does not like to be asked more often."""
    price_guessed: bool = False
    """The service publishes no price: what is said is a guess, and is called one."""
    withdrawn: bool = False
    """Absent from the service's API of April 2026; an older server may have it."""
    usual_shape: str | None = None
    """Named for a picture made from nothing where nobody asks for a shape, since servers differ in their default."""
    most_megapixels: float | None = None
    safety_with_image: int | None = None
    """The highest safety_tolerance there is once an image is given."""

    def parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    @property
    def sized(self) -> bool:
        """It takes a width and a height, and no aspect ratio."""
        return self.parameter("width") is not None
