"""Numbers and ratios as people type them: with a decimal comma, in full width, with spaces."""

import pytest

from bot.errors import Refused
from bot.providers.parameters import Kind, Parameter
from bot.values import normalise_number, split_numbers
from bot.workflows.registering.drafting.parsing import parse_creators
from cogs.finetuning.training_sets import read_numbered

STRENGTH = Parameter(name="strength", label="Strength", kind=Kind.NUMBER, help="", minimum=0, maximum=5)
SEED = Parameter(name="seed", label="Seed", kind=Kind.INTEGER, help="", minimum=0, maximum=2**32 - 1)
RATIO = Parameter(name="aspect_ratio", label="Aspect ratio", kind=Kind.RATIO, help="")
WALLET = "0x" + "ab" * 19 + "12"


@pytest.mark.parametrize("typed", ["3.5", "3,5", " 3,5 ", "３．５", "３，５", "+3,5"])
def test_a_decimal_comma_is_a_point(typed: str) -> None:
    assert normalise_number(typed).removeprefix("+") == "3.5"
    assert STRENGTH.read(typed) == 3.5


def test_what_may_be_one_or_a_thousand_is_not_guessed() -> None:
    assert normalise_number("1,000") == "1,000"
    assert normalise_number("0,125") == "0.125"
    assert normalise_number("33,333", below_thousand=True) == "33.333"
    with pytest.raises(Refused, match="Seed must be a whole number between 0 and 4294967295"):
        SEED.read("1,000")


@pytest.mark.parametrize("typed", ["1,2,3", "3,5,", "three", "", "3;5", "一"])
def test_what_is_no_number_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(Refused, match="Strength must be a number between 0 and 5"):
        STRENGTH.read(typed)


@pytest.mark.parametrize("typed", ["16:9", "16：9", "１６：９", "16 : 9", "16∶9", "16×9", "16X9", "16/9", "16x9"])
def test_a_ratio_has_any_colon(typed: str) -> None:
    assert RATIO.read(typed) == "16:9"


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("0.8, 1.6", ["0.8", "1.6"]),
        ("0.8,1.6", ["0.8", "1.6"]),
        ("0.8,1", ["0.8", "1"]),
        ("0,8 1,6", ["0,8", "1,6"]),
        ("0,8, 1,6", ["0,8", "1,6"]),
        ("0,8; 1", ["0,8", "1"]),
        ("０，８　１，６", ["0,8", "1,6"]),
        ("0.8、1.6", ["0.8", "1.6"]),
        ("0,1,2", ["0", "1", "2"]),
        ("", []),
    ],
)
def test_a_list_of_numbers_is_read_as_it_was_meant(typed: str, numbers: list[str]) -> None:
    assert split_numbers(typed) == numbers


@pytest.mark.parametrize(
    "lines",
    [
        f"Ada, {WALLET}, 33,5 %\nBen, {WALLET}, 66,5",
        f"Ada,{WALLET},33,5%\nBen,{WALLET},66.5",
        f"Ada，{WALLET}，３３．５％\nBen｜{WALLET}｜66，5 %",
        f"Ada | {WALLET} | 33,5 %\nBen | {WALLET} | 66,5 %",
    ],
)
def test_shares_have_a_decimal_comma_too(lines: str) -> None:
    assert [(each.name, each.share) for each in parse_creators(lines, None)] == [("Ada", 33.5), ("Ben", 66.5)]


def test_captions_are_numbered_with_any_colon() -> None:
    assert read_numbered("1：a cat\n２: a dog\n3、an owl") == {1: "a cat", 2: "a dog", 3: "an owl"}
