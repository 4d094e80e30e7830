"""What a provider's numbers, texts and times may be."""

from typing import Any

import pytest

from bot.http.client import Reply
from bot.providers.interface import Ticket
from bot.providers.ranges import (
    LARGEST_STORED,
    MOST_PICTURE,
    Amount,
    Charge,
    Duration,
    Link,
    Moment,
    Odd,
    Percentage,
    Seed,
    Share,
    Text,
    read_charge,
)


class Everything(Reply):
    seed: Seed = None
    cost: Amount = None
    progress: Share = None
    percentage: Percentage = None
    took: Duration = None
    at: Moment = None
    text: Text = None
    link: Link = None


HOSTILE: list[Any] = [
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    -(10**400),
    1e300,
    -1e300,
    "9",
    [9],
    {},
    True,
    None,
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("field", Everything.model_fields)
def test_no_value_spoils_a_reply(field: str, value: Any) -> None:
    reply = Everything.model_validate({field: value})
    read = getattr(reply, field)
    assert read is None or isinstance(read, str | Odd) or 0 <= read <= LARGEST_STORED


@pytest.mark.parametrize("seed", [0, 7, 2**32, LARGEST_STORED])
def test_a_seed_that_can_be_stored_is_one(seed: int) -> None:
    assert Everything(seed=seed).seed == seed


@pytest.mark.parametrize("seed", [LARGEST_STORED + 1, 10**30, -1, 1.5])
def test_a_seed_that_cannot_is_odd(seed: Any) -> None:
    assert isinstance(Everything(seed=seed).seed, Odd)


@pytest.mark.parametrize(
    ("cost", "charge"),
    [
        (None, Charge()),
        (6.0, Charge(cost=read_charge(6, 10_000, MOST_PICTURE).cost)),
        (0, Charge(cost=read_charge(0, 10_000, MOST_PICTURE).cost)),
        (1000, Charge(cost=read_charge(1000, 10_000, MOST_PICTURE).cost)),
        (1001, Charge(odd="1001.0")),
        (9e14, Charge(odd="900000000000000.0")),
        (1e300, Charge(odd="1e+300")),
        (-1, Charge(odd="-1")),
        (10**400, Charge(odd="a number of 401 digits")),
    ],
)
def test_a_price_that_cannot_be_is_none(cost: Any, charge: Charge) -> None:
    assert read_charge(Everything(cost=cost).cost, 10_000, MOST_PICTURE) == charge


def test_an_estimate_below_zero_is_none() -> None:
    assert read_charge(Everything(cost=-1).cost, 10_000, MOST_PICTURE, receipt=True) == Charge()


def test_a_receipt_of_an_earlier_version_is_read_without_its_impossible_cost() -> None:
    stored = f'{{"provider": "bfl", "remote_id": "1", "cost": {10**304}}}'
    assert Ticket.model_validate_json(stored).cost is None
    assert Ticket.model_validate_json('{"provider": "bfl", "remote_id": "1", "cost": 60000}').cost == 60_000


@pytest.mark.parametrize(("percentage", "share"), [(0, 0), (0.4, 0.4), (1, 1), (40, 0.4), (100, 1), (400, 1)])
def test_progress_is_a_share(percentage: float, share: float) -> None:
    assert Everything(progress=percentage).progress == share


@pytest.mark.parametrize("moment", [-1, 1e12, 253_402_300_799])
def test_a_time_of_another_age_is_unknown(moment: float) -> None:
    assert Everything(at=moment).at is None


def test_texts_and_links_have_a_length() -> None:
    assert Everything(text="x" * 1_001).text is None
    assert Everything(link="https://x/" + "y" * 9_000).link is None
