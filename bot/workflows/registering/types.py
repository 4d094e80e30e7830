"""Values of registering: what a member says of an image, what is submitted, how far a registration is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import rfc8785

from bot.story.licences import Licence, LicenceKey
from bot.story.metadata import Content, Creator
from bot.story.node.networks import Network
from bot.story.registrar import Parent, ReadBack, Registered
from bot.values import Frozen
from bot.workflows.base.types import Forecast
from bot.workflows.drawing.types import ImageRequest
from storage.base.jobs import Job
from storage.drawing.images import Image
from storage.registering.registrations import Registration
from storage.registering.transitions import RegistrationState
from storage.reviewing.reviews import Exchange, Review, ReviewState

KIND = "register"
"""Of the jobs, of the questions to moderators and of the lane."""
UNDO = 60.0
"""Seconds for which an approval can be taken back before anything is pinned."""
AT_ONCE = 24
"""Registrations that are pinned, signed and waited for at once; the others wait for their turn."""
STEP_TRIED = "tried"


class Details(Frozen):
    """What a member says about an image, stored as a registration's JSON."""

    author: str = "A member"
    """Their name in the community when they began: the creator where they name none and have linked a wallet."""
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    public_prompt: bool = False
    """The prompt goes into the metadata, where everybody can read it for good."""
    licence: Licence = Licence(key=LicenceKey.NON_COMMERCIAL)
    creators: tuple[Creator, ...] = ()
    """Empty for the member alone: with their linked wallet, or else by name in the description."""
    recipient: str | None = None
    """None for the member's linked wallet or, where there is none, the community's."""
    derivative: bool = True
    """Register it as a derivative where it was made from a registered image."""


class Picture(Frozen):
    """Where an image comes from, as moderators see it when they decide."""

    prompt: str
    model: str
    """Its label."""
    seed: str | None = None
    finetune: str | None = None
    """The name of the model that was trained here."""
    trained_by: int | None = None
    trainer: str | None = None
    training_pictures: int = 0
    contributors: tuple[int, ...] = ()
    media_type: str
    width: int
    height: int
    bytes: int
    made_from: str | None = None
    """The id of the image that it edits or varies."""


class Terms(Frozen):
    """What is fixed when a registration is submitted: what its card shows, and what an approval is bound to."""

    network: str
    chain_id: int
    collection: str
    """Address, in its checksum spelling."""
    gateway: str
    """Whose address is in the links of the metadata: an origin, without a slash at its end."""
    recipient: str
    recipient_from: str
    """`given`, `linked` or `community`: why it is that address."""
    licence: Licence
    parents: tuple[Parent, ...] = ()
    content: Content
    """What becomes public, but for the links to the pinned image."""
    picture: Picture
    sha256: str

    def link(self, cid: str) -> str:
        """Where a pinned file is to be found, for good."""
        return f"{self.gateway}/ipfs/{cid}"

    @property
    def digest(self) -> str:
        """SHA-256 of all of it in its canonical form (RFC 8785).

        What has its default is left out: a field that a later version adds changes no digest that was approved.
        """
        return hashlib.sha256(
            rfc8785.dumps(_spell_numbers(self.model_dump(mode="json", exclude_defaults=True)))
        ).hexdigest()


def _spell_numbers(value: Any) -> Any:
    """The JSON with its whole numbers as text: fees in wei have more digits than RFC 8785 allows a number."""
    match value:
        case dict():
            return {name: _spell_numbers(each) for name, each in cast("dict[str, Any]", value).items()}
        case list():
            return [_spell_numbers(each) for each in cast("list[Any]", value)]
        case bool():
            return value
        case int():
            return str(value)
        case _:
            return value


class Tried(Frozen):
    """What the chain said when it was tried before the moderators were asked."""

    sentence: str
    fee: int | None
    """In wei, at the fees of that moment; None where it would not work."""
    good: bool


class Serialised(Frozen):
    """The metadata files as they are pinned and hashed: names of stored files."""

    ip_metadata: str
    nft_metadata: str


class Outcome(Frozen):
    """What has become of a registration, stored as its JSON."""

    registered: Registered
    at: float
    chain: ReadBack | None = None
    """What the chain says of it afterwards; None until it was asked."""
    files: tuple[tuple[str, bool], ...] = ()
    """Each pinned file, read back through its gateway, and whether it has the bytes that it should."""
    unread: str | None = None
    """Why it could not be read back; nobody knows then."""

    @property
    def was_read(self) -> bool:
        """Reading it back came to an end, whatever came of it."""
        return self.chain is not None or self.unread is not None

    @property
    def proven(self) -> bool:
        """All that was read back agrees."""
        return self.chain is not None and self.chain.good and len(self.files) == 3 and all(ok for _, ok in self.files)


@dataclass(frozen=True)
class Alike:
    """Another registration of the same bytes, or of a picture that looks the same."""

    registration: Registration
    exact: bool


@dataclass(frozen=True)
class DraftView:
    """A registration that its member still writes, with what would be submitted."""

    registration: Registration
    details: Details
    image: Image
    request: ImageRequest
    network: Network
    terms: Terms | None
    """What would be submitted; None where something is missing."""
    missing: str | None
    """What is missing, in a sentence."""
    parent: Registration | None
    """The registered image that this one was made from."""
    parent_refusal: str | None
    """Why it cannot be its derivative all the same."""
    wallet: str | None
    """The member's linked one."""


@dataclass(frozen=True)
class RegistrationView:
    """A registration that was submitted, with all that its cards show. Each card is a function of this alone."""

    job: Job
    registration: Registration
    details: Details
    terms: Terms
    network: Network
    request: ImageRequest | None
    """None where the image's request is gone from the records."""
    spoiler: bool
    review: Review | None
    talk: tuple[Exchange, ...]
    dry_run: Tried | None
    """None until it was tried."""
    alike: tuple[Alike, ...]
    denials: tuple[Review, ...]
    """Earlier ones, of these bytes, newest first."""
    outcome: Outcome | None
    attempts: tuple[str, ...]
    """Hashes of what was signed, oldest first."""
    overridden: str | None
    """Why the decider should not have decided, where the admin's override let them."""

    @property
    def ended(self) -> bool:
        return self.job.state.ended

    @property
    def images(self) -> Sequence[Image]:
        """Its card shows a small preview: no copies of it are ever needed."""
        return ()

    @property
    def forecast(self) -> Forecast | None:
        return None

    @property
    def state(self) -> RegistrationState:
        return self.registration.state

    @property
    def claimed(self) -> int | None:
        """The moderator who has it in hand."""
        open_one = self.review is not None and self.review.state is ReviewState.OPEN
        return self.review.claimed_by if open_one and self.review else None

    @property
    def question(self) -> Exchange | None:
        """What a moderator has asked and nobody answered yet."""
        unanswered = self.state is RegistrationState.SUBMITTED and self.talk and self.talk[-1].answer is None
        return self.talk[-1] if unanswered else None
