"""Licences: what each says, and what it is on the chain."""

import pytest

from bot.errors import Refused
from bot.story.licences import (
    Licence,
    LicenceKey,
    PILTerms,
    fee_of,
    licence_in,
    sentence,
    sentence_of_terms,
    share_of,
    terms_of,
)
from bot.story.node.values import NOBODY, address, coins
from standins.chain import NCSR

COIN = 10**18
EXAMPLES = [
    Licence(key=LicenceKey.NON_COMMERCIAL),
    Licence(key=LicenceKey.COMMERCIAL_USE, minting_fee=COIN // 20),
    Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=3, revenue_share=2.5),
    Licence(key=LicenceKey.COMMERCIAL_REMIX),
    Licence(key=LicenceKey.CC_BY),
]


def test_the_non_commercial_licence_is_storys_own_first_one_to_the_byte() -> None:
    assert terms_of(Licence(key=LicenceKey.NON_COMMERCIAL)) == PILTerms(*NCSR)  # pyright: ignore[reportArgumentType]


def test_a_commercial_remix_has_its_share_in_millionths_of_a_percent_and_royalties_in_wrapped_coins() -> None:
    terms = terms_of(Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=7, revenue_share=5))

    assert terms
    assert terms.commercial_rev_share == 5_000_000
    assert terms.default_minting_fee == 7
    assert (terms.royalty_policy, terms.currency) == (
        "0xBe54FB168b3c982b7AaE60dB6CF75Bd8447b390E",
        "0x1514000000000000000000000000000000000000",
    )
    assert terms.commercial_use
    assert terms.derivatives_reciprocal


@pytest.mark.parametrize("licence", EXAMPLES, ids=lambda each: each.key)
def test_a_licence_is_recognised_on_the_chain_and_survives_storage(licence: Licence) -> None:
    terms = terms_of(licence)
    assert terms
    assert licence_in(terms) == licence
    assert sentence_of_terms(terms) == sentence(licence)
    assert Licence.model_validate_json(licence.model_dump_json()) == licence


def test_no_licence_is_no_terms() -> None:
    assert terms_of(Licence(key=LicenceKey.NONE)) is None
    assert "without asking its owner" in sentence(Licence(key=LicenceKey.NONE))


def test_strange_terms_are_described_by_what_they_say() -> None:
    strange = PILTerms(commercial_use=True, default_minting_fee=COIN, commercial_rev_share=10_000_000, uri="ipfs://x")

    assert licence_in(strange) is None
    description = sentence_of_terms(strange)
    assert "fee of 1 IP" in description
    assert "10 %" in description


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (LicenceKey.NONE, "may not"),
        (LicenceKey.NON_COMMERCIAL, "nobody may train AI"),
        (LicenceKey.COMMERCIAL_USE, "nobody may remix it or train AI"),
        (LicenceKey.COMMERCIAL_REMIX, "nobody may train AI"),
        (LicenceKey.CC_BY, "also to earn money and to train AI"),
    ],
)
def test_each_says_in_one_sentence_whether_ai_may_be_trained_on_it(key: LicenceKey, words: str) -> None:
    text = sentence(Licence(key=key))
    assert words in text
    assert text.count(".") == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"key": "non_commercial", "minting_fee": 1}, "has no minting fee"),
        ({"key": "cc_by", "revenue_share": 1}, "has no revenue share"),
        ({"key": "commercial_use", "revenue_share": 1}, "has no revenue share"),
        ({"key": "commercial_remix", "revenue_share": 100.5}, "between 0 and 100"),
        ({"key": "commercial_remix", "revenue_share": float("nan")}, "between 0 and 100"),
        ({"key": "commercial_remix", "revenue_share": 0.0000001}, "six digits"),
        ({"key": "commercial_use", "minting_fee": -1}, "between 0 and"),
        ({"key": "commercial_use", "minting_fee": 10**30}, "between 0 and"),
    ],
)
def test_an_impossible_licence_is_refused_in_words(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        Licence.model_validate(wrong)


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("", 0),
        ("0", 0),
        ("0.05", COIN // 20),
        (" 1.5 IP", COIN * 3 // 2),
        ("0.000000000000000001", 1),
        ("123456789.123456789123456789", 123456789123456789123456789),
        ("00.10", COIN // 10),
        ("0,05", COIN // 20),
        ("３．５ＩＰ", COIN * 7 // 2),
        ("1,50 IP", COIN * 3 // 2),
    ],
)
def test_a_fee_is_exact_to_the_last_wei(text: str, wei: int) -> None:
    assert fee_of(text) == wei


@pytest.mark.parametrize(
    "text", ["0,0,5", "1,000", "-1", "1e3", "one", "1 0", "0x10", ".", "1.2.3", "NaN", "9" * 70, "١"]
)
def test_what_is_no_number_is_no_fee(text: str) -> None:
    with pytest.raises(Refused, match="number of IP coins"):
        fee_of(text)


def test_a_fee_below_a_wei_or_above_all_coins_is_refused() -> None:
    with pytest.raises(Refused, match="18 digits"):
        fee_of("0.0000000000000000001")
    with pytest.raises(Refused, match=r"1,000,000,000"):
        fee_of("1000000001")


def test_a_share_is_typed_in_percent() -> None:
    assert share_of("2.5 %") == share_of("2,5") == share_of("２，５％") == 2.5
    assert share_of("33,333") == 33.333
    assert share_of("") == 0
    for wrong in ("101", "-1", "2,,5", "all"):
        with pytest.raises(Refused, match="between 0 and 100"):
            share_of(wrong)


@pytest.mark.parametrize(
    ("wei", "text"),
    [
        (0, "0 IP"),
        (1, "less than 0.000001 IP"),
        (COIN, "1 IP"),
        (1234 * COIN + COIN // 2, "1,234.5 IP"),
        (10**12, "0.000001 IP"),
    ],
)
def test_an_amount_is_said_so_that_people_can_read_it(wei: int, text: str) -> None:
    assert coins(wei, "IP") == text


GOOD = "0xc32A8a0FF3beDDDa58393d022aF433e78739FAbc"


@pytest.mark.parametrize("text", [GOOD, GOOD.lower(), "0x" + GOOD[2:].upper(), f"  {GOOD}\n"])
def test_an_address_gets_its_one_spelling(text: str) -> None:
    assert address(text) == GOOD


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD[:-1], "40 digits"),
        (GOOD[2:], "40 digits"),
        (GOOD.replace("c32A", "C32A"), "typing mistake"),
        (GOOD.replace("e78739", "e7839"), "40 digits"),  # the typo that a tutorial of Story's has
        (NOBODY, "zero address"),
        ("ada.eth", "40 digits"),
        ("0x" + "é" * 40, "40 digits"),
    ],
)
def test_a_mistyped_address_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        address(text)
