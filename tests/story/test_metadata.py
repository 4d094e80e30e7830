"""Metadata: what will be public for good, as bytes that are always the same."""

import hashlib
import json
from typing import Any

import pytest

from bot.errors import Refused
from bot.story.metadata import Content, Creator, Generation, ParentLink, Profile, build, tags_of

IMAGE = "https://ipfs.io/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
ADA = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BEN = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


def a_content(**different: Any) -> Content:
    fields: dict[str, Any] = {
        "registration_id": "r-1",
        "title": "Lighthouse at dusk",
        "description": "Drawn for the spring contest.",
        "created_at": 1_800_000_000.9,
        "sha256": hashlib.sha256(b"the picture").hexdigest(),
        "media_type": "image/jpeg",
        "creators": (Creator(name="Ada", address=ADA, share=100),),
        "tags": ("lighthouse", "dusk"),
    }
    return Content(**fields | different)


def test_ip_metadata_have_what_storys_standard_asks_for() -> None:
    creators = (
        Creator(
            name="Ada",
            address=ADA.lower(),
            share=66.67,
            description="Painter",
            profiles=(Profile(platform="Website", url="https://ada.example/me"),),
        ),
        Creator(name="Ben", address=BEN, share=33.33),
    )
    parents = (ParentLink(ip_id=BEN, type="GENERATED_FROM"),)
    generation = Generation(provider="bfl", model="flux-pro-1.1", seed=2**63, finetune="Ippy", finetune_strength=1.20)

    metadata = build(a_content(creators=creators, parents=parents, generation=generation), IMAGE)

    image_hash = "0x" + hashlib.sha256(b"the picture").hexdigest()
    assert json.loads(metadata.ip) == {
        "title": "Lighthouse at dusk",
        "description": "Drawn for the spring contest.",
        "createdAt": "2027-01-15T08:00:00Z",
        "image": IMAGE,
        "imageHash": image_hash,
        "mediaUrl": IMAGE,
        "mediaHash": image_hash,
        "mediaType": "image/jpeg",
        "creators": [
            {
                "name": "Ada",
                "address": ADA,
                "contributionPercent": 66.67,
                "description": "Painter",
                "socialMedia": [{"platform": "Website", "url": "https://ada.example/me"}],
            },
            {"name": "Ben", "address": BEN, "contributionPercent": 33.33},
        ],
        "ipType": "image",
        "tags": ["lighthouse", "dusk"],
        "relationships": [{"parentIpId": BEN, "type": "GENERATED_FROM"}],
        "generation": {
            "provider": "bfl",
            "model": "flux-pro-1.1",
            "seed": "9223372036854775808",
            "finetune": "Ippy",
            "finetuneStrength": "1.2",
        },
    }


def test_nobody_is_a_creator_without_an_address_of_their_own() -> None:
    metadata = build(a_content(creators=(), description="Made by Ada."), IMAGE)
    ip, nft = json.loads(metadata.ip), json.loads(metadata.nft)
    assert "creators" not in ip
    assert ip["description"] == "Made by Ada."
    assert "Creators" not in [each["trait_type"] for each in nft["attributes"]]


def test_nft_metadata_are_erc_721_with_trait_types_and_this_registrations_id() -> None:
    nft = json.loads(build(a_content(external_url="https://example.com/r-1"), IMAGE).nft)

    assert {name: nft[name] for name in ("name", "description", "image", "external_url")} == {
        "name": "Lighthouse at dusk",
        "description": "Drawn for the spring contest.",
        "image": IMAGE,
        "external_url": "https://example.com/r-1",
    }
    assert {"trait_type": "Registration", "value": "r-1"} in nft["attributes"]
    assert all(set(each) == {"trait_type", "value"} for each in nft["attributes"])


def test_the_same_content_is_the_same_bytes() -> None:
    one, other = build(a_content(), IMAGE), build(Content.model_validate_json(a_content().model_dump_json()), IMAGE)

    assert one == other
    assert b": " not in one.ip


def test_two_registrations_of_one_image_have_different_nft_metadata() -> None:
    one, other = build(a_content(), IMAGE), build(a_content(registration_id="r-2"), IMAGE)

    assert one.ip == other.ip
    assert one.nft != other.nft


def test_a_prompt_is_public_only_where_it_was_given() -> None:
    without = a_content(generation=Generation(provider="bfl", model="flux-dev"))
    with_it = a_content(generation=Generation(provider="bfl", model="flux-dev", prompt="a secret"))

    assert b"prompt" not in build(without, IMAGE).ip
    assert json.loads(build(with_it, IMAGE).ip)["generation"]["prompt"] == "a secret"


def test_every_change_of_the_content_changes_what_is_published() -> None:
    content = a_content()
    assert build(content, IMAGE) == build(Content.model_validate_json(content.model_dump_json()), IMAGE)
    changes: list[dict[str, Any]] = [
        {"title": "Lighthouse at dawn"},
        {"description": ""},
        {"sha256": "0" * 64},
        {"tags": ("lighthouse",)},
        {"created_at": 1_800_000_001},
        {"registration_id": "r-2"},
        {"creators": (Creator(name="Ada", address=BEN, share=100),)},
        {"generation": Generation(provider="bfl", model="flux-dev")},
        {"parents": (ParentLink(ip_id=BEN),)},
    ]
    published = {build(content, IMAGE), *(build(a_content(**change), IMAGE) for change in changes)}
    assert len(published) == len(changes) + 1


CREATOR = {"name": "Ada", "address": ADA, "share": 100}


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({"title": "  "}, "A title is missing"),
        ({"title": "x" * 101}, "at most 100 characters; this one has 101"),
        ({"title": "cat\u202egnp.exe"}, "invisible characters"),
        ({"title": "half \ud83d"}, "invisible characters"),
        ({"description": "x" * 2001}, "at most 2000"),
        ({"description": "bell \x07"}, "invisible characters"),
        ({"tags": tuple("abcdefghijk")}, "at most 10 tags; these are 11"),
        ({"tags": ("x" * 51,)}, "A tag has at most 50"),
        ({"media_type": "image/gif"}, "cannot be registered"),
        ({"creators": (CREATOR,) * 11}, "at most 10 creators"),
        ({"creators": (CREATOR | {"share": 60},)}, "60 % together"),
        ({"creators": (CREATOR | {"share": 33.333},)}, "two digits"),
        ({"creators": (CREATOR | {"share": -1},)}, "between 0 and 100"),
        ({"creators": (CREATOR | {"name": ""},)}, "name is missing"),
        ({"creators": (CREATOR | {"address": ADA[:-1] + "9"},)}, "typing mistake"),
        ({"creators": (CREATOR | {"share": 50}, CREATOR | {"share": 50})}, "same wallet"),
        ({"creators": (CREATOR | {"profiles": ({"platform": "X", "url": "http://x.com/a"},)},)}, "begins with https"),
        ({"creators": (CREATOR | {"profiles": ({"platform": "X", "url": "javascript:1"},)},)}, "begins with https"),
        ({"external_url": "https://user@evil.example"}, "begins with https"),
        ({"external_url": "https://localhost"}, "begins with https"),
        ({"external_url": "https://a.example/\u202ex"}, "begins with https"),
    ],
)
def test_what_must_not_become_permanent_is_refused_in_words(different: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        a_content(**different)


def test_texts_are_tidied_and_emoji_and_other_scripts_stay() -> None:
    content = a_content(title="  Phare  👩‍🎨 au\ncrépuscule ", description="eins\r\nzwei\u200dx")

    assert content.title == "Phare 👩‍🎨 au crépuscule"
    assert content.description == "eins\nzwei\u200dx"


def test_shares_that_floats_would_miss_are_100() -> None:
    three = tuple(
        Creator(name=str(number), address=f"0x{number:040x}", share=share)
        for number, share in enumerate([33.33, 33.33, 33.34], start=1)
    )
    assert a_content(creators=three).creators == three


def test_tags_are_split_at_commas_and_told_once() -> None:
    assert tags_of(" #cat, dog ,cat,, a  b") == ("cat", "dog", "a b")
    assert tags_of("") == ()
    with pytest.raises(Refused, match="at most 10 tags"):
        tags_of(",".join("abcdefghijk"))
