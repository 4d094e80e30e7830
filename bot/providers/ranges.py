"""What a provider's numbers, texts and times may be. The types here are the fields of its replies.

A detail outside of its range is unknown: it must neither cost what is paid for, nor be stored, counted or shown. What
the admin has to know of (an impossible price), or what must not be replaced by a guess (the seed), is `Odd`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, NewType

from pydantic import BeforeValidator, Field

from bot.http.answers import clean
from bot.values import Frozen

MicroUSD = NewType("MicroUSD", int)
"""Money, in millionths of a US dollar: exact for BFL's credits (10,000) and Astria's millicents (10)."""

LARGEST_STORED: Final = 2**63 - 1
"""The largest integer that the database takes."""
MOST_PICTURE: Final = 10_000_000
"""Micro-USD that one picture can cost: the dearest in the catalogues costs less than a tenth of that."""
MOST_TRAINING: Final = 1_000_000_000
"""Micro-USD that one training can cost, with the pictures of a pack."""
LONGEST_TEXT: Final = 1_000
LONGEST_LINK: Final = 8_192
"""Characters. Signed links of BFL's have some 400."""
LONGEST_ID: Final = 200
LONGEST_DRAWING: Final = 86_400.0
"""Seconds."""

_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp()


class Odd(Frozen):
    """A number that cannot be true, as it was said, and short."""

    text: str


@dataclass(frozen=True, slots=True)
class Charge:
    """What a provider says that something costs."""

    cost: MicroUSD | None = None
    """None where it does not say, or what it says cannot be."""
    odd: str | None = None
    """The number that cannot be."""


def _number(lowest: float, highest: float) -> Callable[[object], float | None]:
    def read(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if lowest <= value <= highest else None  # which no NaN is

    return read


def _percentage(value: object) -> float | None:
    number = _number(-LARGEST_STORED, LARGEST_STORED)(value)
    return None if number is None else min(max(number / 100, 0.0), 1.0)


def _share(value: object) -> float | None:
    number = _number(0, LARGEST_STORED)(value)
    return number if number is None or number <= 1 else min(number / 100, 1.0)


def _amount(value: object) -> float | Odd | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= LARGEST_STORED else Odd(text=_short(value))


def _seed(value: object) -> int | Odd | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_STORED:
        return value
    return Odd(text=_short(value))


def _text(longest: int) -> Callable[[object], str | None]:
    def read(value: object) -> str | None:
        return value if isinstance(value, str) and value.strip() and len(value) <= longest else None

    return read


def _short(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of {int(value.bit_length() * 0.30103) + 1} digits"
    return clean(str(value), cap=40)


Count = Annotated[float | None, BeforeValidator(_number(0, 1e9))]
"""Of steps, or the number of something."""
Percentage = Annotated[float | None, BeforeValidator(_percentage)]
"""0 to 1, said as 0 to 100."""
Share = Annotated[float | None, BeforeValidator(_share)]
"""0 to 1, said as that or as 0 to 100: clients of BFL disagree. A number up to 1 is a share."""
Duration = Annotated[float | None, BeforeValidator(_number(0, LONGEST_DRAWING))]
"""Seconds that a drawing took."""
Moment = Annotated[float | None, BeforeValidator(_number(0, _LATEST))]
"""Unix seconds."""
Amount = Annotated[float | Odd | None, BeforeValidator(_amount)]
"""Of a provider's own unit of money; `read_charge` says whether it can be a price."""
Balance = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
"""What is left on an account, in the provider's unit."""
Seed = Annotated[int | Odd | None, BeforeValidator(_seed)]
Text = Annotated[str | None, BeforeValidator(_text(LONGEST_TEXT))]
Link = Annotated[str | None, BeforeValidator(_text(LONGEST_LINK))]
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


def read_charge(amount: float | Odd | None, unit: int, most: int, *, receipt: bool = False) -> Charge:
    """The price in micro-USD, where `unit` of these are one of the provider's, and more than `most` cannot be.

    A receipt has an estimate: one below zero only says that there is none.
    """
    match amount:
        case None:
            return Charge()
        case Odd() if receipt and amount.text.startswith("-"):
            return Charge()
        case Odd():
            return Charge(odd=amount.text)
        case amount if amount * unit > most:
            return Charge(odd=_short(amount))
        case amount:
            return Charge(cost=MicroUSD(round(amount * unit)))


def read_moment(value: datetime | None) -> float | None:
    """Unix seconds of a time, where it is one of this century."""
    return None if value is None else _number(_EARLIEST, _LATEST)(value.timestamp())


def stored_cost(value: object) -> int | None:
    """A cost as an earlier version may have stored it, when no range was asked for."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_TRAINING else None
