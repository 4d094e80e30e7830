"""How long something takes or took, in words that end."""

import pytest

from bot.absence import Absence
from bot.cards.base.words import duration


@pytest.mark.parametrize(
    ("seconds", "long"),
    [
        (-5, "0 s"),
        (27.4, "27 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (2 * 86_400, "2 days"),
        (4 * 86_400 + 3 * 3600, "4 days 3 h"),
        (5214 * 7 * 86_400, "more than a year"),
        (1e300, "more than a year"),
        (float("inf"), "more than a year"),
    ],
)
def test_a_duration_has_its_largest_units(seconds: float, long: str) -> None:
    assert duration(seconds) == long


@pytest.mark.parametrize(
    ("seconds", "long"), [(-3600, "0 s"), (90, "90 s"), (720, "12 min"), (5 * 3600, "5 h"), (10 * 86_400, "10 days")]
)
def test_an_absence_is_told_in_its_largest_unit(seconds: float, long: str) -> None:
    assert Absence(seconds, taken_up=0, waiting=0).sentence.startswith(f"Back after {long}.")
