"""What is read from the forms of a registration: people type names, shares and links as they like."""

import pytest

from bot.errors import Refused
from bot.story.licences import LABELS, Licence, LicenceKey, sentence
from bot.story.metadata import Creator, Profile
from bot.workflows.registering.drafting.parsing import parse_creators, parse_licence, write_creators
from bot.workflows.registering.types import Details
from cogs.registering.forms import creators_form, licence_form, text_form

ADA = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BEN = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


@pytest.mark.parametrize(
    "typed",
    [
        f"Ada, {ADA}, 60%\nBen, {BEN}, 40%",
        f"Ada, {ADA.lower()}, 60 %\n\n  Ben | {BEN} | 40  ",
        f"Ada | 60 | {ADA}\nBen | 40,0 % | {BEN}",
        f"Ada, me, 60\nBen, {BEN}, 40.00%",
    ],
)
def test_a_line_a_person_however_it_is_typed(typed: str) -> None:
    people = parse_creators(typed, ADA)
    assert [(each.name, each.address, each.share) for each in people] == [("Ada", ADA, 60), ("Ben", BEN, 40)]


def test_descriptions_and_links_are_told_by_what_they_look_like() -> None:
    (ada,) = parse_creators(
        f"Ada Lovelace | {ADA} | 100 | wrote the prompt, and more | https://x.com/ada https://ada.example/me", None
    )
    assert ada.description == "wrote the prompt, and more"
    assert ada.profiles == (
        Profile(platform="X", url="https://x.com/ada"),
        Profile(platform="ada.example", url="https://ada.example/me"),
    )
    (ben,) = parse_creators(f"Ben, {BEN}, 100%, drew the sketch, in ink, https://www.instagram.com/ben", None)
    assert ben.description == "drew the sketch, in ink"
    assert ben.profiles[0].platform == "Instagram"


def test_who_gives_no_shares_has_equal_ones() -> None:
    assert [each.share for each in parse_creators(f"Ada, {ADA}\nBen, {BEN}", None)] == [50, 50]
    third = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
    shares = [each.share for each in parse_creators(f"Ada, {ADA}\nBen, {BEN}\nCy, {third}", None)]
    assert shares == [33.34, 33.33, 33.33]


@pytest.mark.parametrize(
    ("typed", "phrase"),
    [
        (f"Ada, {ADA}, 60\nBen, 0x123, 40", "Line 2: A wallet address is 0x and then 40 digits"),
        (f"Ada, {ADA}, 60\nBen, 40", "Line 2: Ben has no wallet."),
        (f"Ada, {ADA}, 60\n\nBen, {BEN}", "Line 3 has no share."),
        (f", {ADA}, 60", "Line 1 has no name."),
        ("Ada, me, 100", "Line 1 says “me”, but you have linked no wallet."),
        (f"Ada, {ADA[:-1]}D, 100", "Line 1: There is a typing mistake"),
        (f"Ada, {ADA}, 100, http://x.com/ada", "Line 1: A link begins with https://"),
        (f"Ada, {ADA}, 101", "Line 1: A creator's share is between 0 and 100"),
        (f"Ada, {ADA}, 33.333\nBen, {BEN}, 66.667", "Line 1: A creator's share is between 0 and 100 percent, with"),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_line(typed: str, phrase: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_creators(typed, None)
    assert str(refused.value).startswith(phrase)


def test_what_the_form_shows_is_read_as_the_same_people() -> None:
    people = (
        Creator(
            name="Ada, Countess",
            address=ADA,
            share=33.34,
            description="wrote it, twice",
            profiles=(Profile(platform="X", url="https://x.com/ada"),),
        ),
        Creator(name="Ben", address=BEN, share=66.66),
    )
    assert parse_creators(write_creators(people), None) == people
    assert parse_creators("", None) == ()


def test_a_form_has_what_was_said_or_what_was_typed_last_and_not_taken() -> None:
    details = Details(title="A cat", tags=("sea", "night"), public_prompt=True)
    payload = str(text_form("id", details, {}).to_dict())
    assert "A cat" in payload
    assert "sea, night" in payload
    kept = str(text_form("id", details, {"title": "A dog", "tags": "x" * 60, "prompt": ""}).to_dict())
    assert "A dog" in kept
    assert "'default': False" in kept
    assert "Ada, 0x12" in str(creators_form("id", details, {"creators": "Ada, 0x12"}).to_dict())
    licence = Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=5 * 10**16, revenue_share=2.5)
    form = str(licence_form("id", Details(licence=licence), "IP", {}).to_dict())
    assert "'value': '0.05'" in form
    assert "'value': '2.5'" in form


def test_every_licence_is_in_the_form_in_a_plain_sentence() -> None:
    form = licence_form("id", Details(), "IP", {}).to_dict()
    words = form["components"][0]["content"]
    for key in LicenceKey:
        begins, _, _ = sentence(Licence(key=key)).partition(", also to earn money, ")
        assert f"**{LABELS[key]}:** {begins}" in words
    (select,) = [
        each["component"] for each in form["components"] if each.get("component", {}).get("custom_id") == "licence"
    ]
    assert [option["value"] for option in select["options"]] == [key.value for key in LicenceKey]
    assert [option["value"] for option in select["options"] if option["default"]] == ["non_commercial"]


def test_a_licence_is_read_with_its_fee_and_share() -> None:
    answers = {"licence": "commercial_remix", "fee": "0.05 IP", "share": "2.5 %"}
    assert parse_licence(answers) == Licence(key=LicenceKey.COMMERCIAL_REMIX, minting_fee=5 * 10**16, revenue_share=2.5)
    for wrong in ({"fee": "a lot"}, {"share": "200"}, {"licence": "cc_by"}, {"licence": "none at all"}):
        with pytest.raises(Refused):
            parse_licence(answers | wrong)
