"""The metadata that are published about an image: Story's IPA metadata and the NFT's ERC-721 metadata.

Both are made here once, as bytes (RFC 8785), and stored; what is pinned, hashed and registered is those bytes.

Source: docs.story.foundation/concepts/ip-asset/ipa-metadata-standard (November 2025), EIP-721, and for `attributes`
docs.opensea.io/docs/metadata-standards.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Self

import rfc8785
from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from bot.errors import Refused
from bot.story.node.values import Hash, address
from bot.values import Frozen

Json = Mapping[str, object]

LONGEST_TITLE: Final = 100  # characters
LONGEST_DESCRIPTION: Final = 2000
LONGEST_NAME: Final = 100
LONGEST_LINK: Final = 300
MOST_TAGS: Final = 10
LONGEST_TAG: Final = 50
MOST_CREATORS: Final = 10
MOST_LINKS: Final = 5
MOST_PARENTS: Final = 16

MEDIA_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})

_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064"
    r"\u2066-\u206f\u2800\u3164\ufeff\uffa0\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that make a text look other than it is: controls, invisible ones, changes of direction, broken halves."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Profile(Frozen):
    """Where else a creator is to be found."""

    platform: Annotated[str, AfterValidator(lambda text: line(text, "A platform's name", cap=50))]
    url: Annotated[str, AfterValidator(lambda text: link(text))]  # noqa: PLW0108 - defined below


class Creator(Frozen):
    """Who made it, and their share of the credit."""

    name: Annotated[str, AfterValidator(lambda text: line(text, "A creator's name", cap=LONGEST_NAME))]
    address: Annotated[str, AfterValidator(lambda text: str(address(text)))]
    share: float
    """Percent, with at most two digits after the point; all creators' shares are 100 together."""
    description: Annotated[str, AfterValidator(lambda text: prose(text, "A creator's description", cap=500))] = ""
    profiles: tuple[Profile, ...] = ()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        share = Decimal(str(self.share))
        if not share.is_finite() or not 0 <= share <= 100 or share != round(share, 2):
            raise Refused("A creator's share is between 0 and 100 percent, with at most two digits after the point.")
        if len(self.profiles) > MOST_LINKS:
            raise Refused(f"A creator has at most {MOST_LINKS} links.")
        return self


class Generation(Frozen):
    """How it was drawn. All of it becomes public."""

    provider: str
    model: str
    prompt: str | None = None
    """Only where the member wants it public."""
    seed: int | None = None
    finetune: str | None = None
    """The finetune's name in this community."""
    finetune_strength: float | None = None
    trigger: str | None = None
    trained_by: str | None = None
    training_set: str | None = None
    """SHA-256 of the training set's ZIP."""


class ParentLink(Frozen):
    """An IP asset that this one descends from, and how (a word of the standard: DERIVED_FROM, GENERATED_FROM, …)."""

    ip_id: Annotated[str, AfterValidator(lambda text: str(address(text)))]
    type: str = "DERIVED_FROM"


class Content(Frozen):
    """Everything that will be public and permanent, but for the link to the image, which is known once it is pinned.

    Raises (when made):
        Refused: a text that is missing, too long or deceptive, a wrong address or link, shares that are not 100 %.
    """

    registration_id: str = Field(min_length=1)
    """In the NFT's metadata, so that their hash is this registration's alone: two equal images never collide."""
    title: Annotated[str, AfterValidator(lambda text: line(text, "A title", cap=LONGEST_TITLE))]
    description: Annotated[str, AfterValidator(lambda text: prose(text, "A description", cap=LONGEST_DESCRIPTION))] = ""
    created_at: float
    """When the image was made, in Unix seconds."""
    sha256: str
    """Of the image's bytes, 64 hex digits."""
    media_type: str
    creators: tuple[Creator, ...]
    """Empty where nobody who made it has an address of their own: the standard wants one for each creator."""
    tags: tuple[str, ...] = ()
    generation: Generation | None = None
    parents: tuple[ParentLink, ...] = ()
    community: str | None = None
    """The name of the community where it was made."""
    external_url: Annotated[str | None, AfterValidator(lambda text: None if text is None else link(text))] = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError("sha256 must be 64 lower-case hex digits")
        if self.media_type not in MEDIA_TYPES:
            raise Refused(f"Images of the type {self.media_type} cannot be registered.")
        if len(self.creators) > MOST_CREATORS:
            raise Refused(f"An image has at most {MOST_CREATORS} creators.")
        together = sum((Decimal(str(creator.share)) for creator in self.creators), Decimal(0))
        if self.creators and together != 100:
            raise Refused(f"The creators' shares are {together.normalize():f} % together. They must be 100 %.")
        if len({creator.address for creator in self.creators}) < len(self.creators):
            raise Refused("Two creators have the same wallet address.")
        if len(self.parents) > MOST_PARENTS:
            raise Refused(f"An image has at most {MOST_PARENTS} parents.")
        _check_tags(self.tags)
        return self


@dataclass(frozen=True, slots=True)
class Metadata:
    """The two files. Their SHA-256 are what goes on the chain."""

    ip: bytes
    nft: bytes


def build(content: Content, image_url: str) -> Metadata:
    """The metadata of an image that lies at `image_url`. Equal content and address are equal bytes."""
    return Metadata(ip=_serialise(_ip(content, image_url)), nft=_serialise(_nft(content, image_url)))


def hash_of(content: bytes) -> Hash:
    return Hash("0x" + hashlib.sha256(content).hexdigest())


def tags_of(text: str) -> tuple[str, ...]:
    """Tags as a member typed them, with commas between, each once.

    Raises:
        Refused: too many, or one that is too long.
    """
    tags = tuple(dict.fromkeys(filter(None, (" ".join(tag.split()).lstrip("#") for tag in text.split(",")))))
    _check_tags(tags)
    return tags


def line(text: str, what: str, *, cap: int) -> str:
    """A text of one line, its spaces put in order.

    Raises:
        Refused: it is empty, longer than `cap` characters, or holds characters that make it look other than it is.
    """
    tidy = prose(" ".join(text.split()), what, cap=cap)
    if not tidy:
        raise Refused(f"{what} is missing.")
    return tidy


def prose(text: str, what: str, *, cap: int) -> str:
    """A text that may be empty and have several lines.

    Raises:
        Refused: it is longer than `cap` characters, or holds characters that make it look other than it is.
    """
    tidy = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(tidy) > cap:
        raise Refused(f"{what} has at most {cap} characters; this one has {len(tidy)}.")
    if _HIDDEN.search(tidy):
        raise Refused(
            f"{what} has invisible characters in it, which would make it look other than it is. Type it anew."
        )
    return tidy


def link(text: str) -> str:
    """A link that people may follow.

    Raises:
        Refused: it is no https link, or one that could lead elsewhere than it seems.
    """
    given = text.strip()
    try:
        url = URL(given)
        fine = url.scheme == "https" and "." in (url.host or "") and not url.user and not url.password
    except ValueError:
        fine = False
    if not fine or len(given) > LONGEST_LINK or re.search(r"[\s<>\"\\]", given) or _HIDDEN.search(given):
        raise Refused("A link begins with https:// and then a website's name, such as https://example.com/me")
    return given


def _check_tags(tags: Sequence[str]) -> None:
    if len(tags) > MOST_TAGS:
        raise Refused(f"An image has at most {MOST_TAGS} tags; these are {len(tags)}.")
    for tag in tags:
        line(tag, "A tag", cap=LONGEST_TAG)


def _ip(content: Content, image_url: str) -> Json:
    image_hash = "0x" + content.sha256
    return _drop_empty(
        {
            "title": content.title,
            "description": content.description,
            "createdAt": _moment(content.created_at),
            "image": image_url,
            "imageHash": image_hash,
            "mediaUrl": image_url,
            "mediaHash": image_hash,
            "mediaType": content.media_type,
            "creators": [_creator(each) for each in content.creators] or None,
            "ipType": "image",
            "tags": list(content.tags) or None,
            "relationships": [{"parentIpId": each.ip_id, "type": each.type} for each in content.parents] or None,
            "generation": _generation(content.generation),
        }
    )


def _nft(content: Content, image_url: str) -> Json:
    generation = content.generation
    attributes = {
        "Registration": content.registration_id,
        "Community": content.community,
        "Provider": generation and generation.provider,
        "Model": generation and generation.model,
        "Finetune": generation and generation.finetune,
        "Creators": ", ".join(creator.name for creator in content.creators),
        "SHA-256": content.sha256,
    }
    return _drop_empty(
        {
            "name": content.title,
            "description": content.description,
            "image": image_url,
            "external_url": content.external_url,
            "attributes": [{"trait_type": name, "value": value} for name, value in attributes.items() if value],
        }
    )


def _creator(creator: Creator) -> Json:
    return _drop_empty(
        {
            "name": creator.name,
            "address": creator.address,
            "contributionPercent": _number(creator.share),
            "description": creator.description or None,
            "socialMedia": [{"platform": each.platform, "url": each.url} for each in creator.profiles] or None,
        }
    )


def _generation(generation: Generation | None) -> Json | None:
    """Numbers as text: seeds have up to 64 bits, of which JSON's readers keep 53."""
    if generation is None:
        return None
    strength = generation.finetune_strength
    return _drop_empty(
        {
            "provider": generation.provider,
            "model": generation.model,
            "prompt": generation.prompt,
            "seed": None if generation.seed is None else str(generation.seed),
            "finetune": generation.finetune,
            "finetuneStrength": None if strength is None else f"{Decimal(str(strength)).normalize():f}",
            "triggerWord": generation.trigger or None,
            "trainedBy": generation.trained_by,
            "trainingSetHash": generation.training_set and "0x" + generation.training_set.removeprefix("0x"),
        }
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(share: float) -> int | float:
    return int(share) if share == int(share) else share


def _drop_empty(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _serialise(value: Json) -> bytes:
    return rfc8785.dumps(value)  # pyright: ignore[reportArgumentType]
