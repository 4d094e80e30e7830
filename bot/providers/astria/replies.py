"""Astria's answers. A nullable field may be null, missing or malformed without spoiling the others.

Source: docs.astria.ai, Astria's own command line client, and real answers of 2024 and 2025 that people have published.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar, cast

from pydantic import BeforeValidator, Field, JsonValue, RootModel, TypeAdapter, ValidationError, model_validator

from bot.http.answers import clean
from bot.http.client import Reply
from bot.providers.interface import FinetuneRef, Look, Status
from bot.providers.ranges import (
    LONGEST_DRAWING,
    LONGEST_LINK,
    MOST_PICTURE,
    MOST_TRAINING,
    Amount,
    Balance,
    Charge,
    Count,
    Odd,
    Seed,
    Text,
    read_charge,
    read_moment,
)
from bot.providers.training import Inspection, Pack, Started, Training

R = TypeVar("R", bound=Reply)

MILLICENT = 10
"""Micro-USD: 100,000 millicents are one dollar."""

_MODERATED = re.compile(r"nsfw|moderat|safety|inappropriate|explicit|sensitive|prohibited", re.IGNORECASE)

_COMPLAINTS: Mapping[str, str] = {
    "includes_multiple_people": "several people",
    "blurry": "blurry",
    "wearing_sunglasses": "sunglasses",
    "wearing_hat": "a hat",
    "funny_face": "a funny face",
    "low_resolution": "low resolution",
    "low_quality": "low quality",
    "full_body_image_or_longshot": "full body or long shot",
    "selfie": "a selfie",
}
_NO_REASON = "it does not say why"
_CLASS_DETECTED = frozenset({"man", "woman", "boy", "girl", "baby", "cat", "dog"})


def _id(value: object) -> object:
    """Ids are integers; everywhere in the bot they are text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _said(value: object) -> str | None:
    """What a `user_error` says; one that is set and no text has happened all the same."""
    if value in (None, "", False):
        return None
    return clean(value) or _NO_REASON if isinstance(value, str) else _NO_REASON


def _links(value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str) and 0 < len(item) <= LONGEST_LINK)


Id = Annotated[str, BeforeValidator(_id), Field(pattern=r"^[0-9]{1,18}$")]
Said = Annotated[str | None, BeforeValidator(_said)]
Links = Annotated[tuple[str, ...], BeforeValidator(_links)]


def _unwrap(value: object, name: str) -> object:
    """Callbacks are wrapped in reality and bare in the documentation: an answer is read either way."""
    if not isinstance(value, dict):
        return value
    inner = cast("dict[str, object]", value).get(name)
    return cast("object", inner if isinstance(inner, dict) else value)


class Tune(Reply):
    """A finetune. There is no status: which moments are set says what has happened."""

    id: Id
    title: Text = None
    name: Text = None
    token: Text = None
    steps: Count = None
    branch: Text = None
    model_type: Text = None
    base_tune_id: Count = None
    base_pack_id: Count = None
    created_at: Text = None
    started_training_at: Text = None
    trained_at: Text = None
    failed_at: Text = None
    user_error: Said = None
    eta: Text = None
    expires_at: Text = None
    cost_mc: Amount = None
    orig_images: Links = ()

    @model_validator(mode="before")
    @classmethod
    def unwrap(cls, value: object) -> object:
        return _unwrap(value, "tune")

    @property
    def charge(self) -> Charge:
        return read_charge(self.cost_mc, MILLICENT, MOST_TRAINING)

    def ref(self, *, trigger: str = "") -> FinetuneRef:
        """`trigger` is ours; Astria's own is read where we know none."""
        own = f"{self.token} {self.name}" if self.token and self.name else ""
        return FinetuneRef(provider="astria", remote_id=self.id, trigger=trigger or own)

    def started(self, *, trigger: str) -> Started:
        return Started(ref=self.ref(trigger=trigger), cost=self.charge.cost, odd_cost=self.charge.odd)

    def training(self, *, now: float, samples: tuple[str, ...] = ()) -> Training:
        """What one look found; `now` in Unix seconds.

        A training that is run again resets `started_training_at` to after `trained_at`: neither's order says anything.
        """
        expires_at = moment(self.expires_at)
        if self.failed_at or self.user_error:
            status = Status.FAILED
        elif expires_at is not None and expires_at <= now:
            status = Status.MISSING
        elif self.trained_at:
            status = Status.READY
        else:
            status = Status.RUNNING if self.started_training_at else Status.WAITING
        return Training(
            status=status,
            ready_by=None if self.trained_at else moment(self.eta),
            expires_at=expires_at,
            samples=samples,
            reasons=(clean(self.user_error),) if self.user_error else (),
            # Of one that failed, the object still names its price: what came back of it, Astria does not say.
            cost=None if status is Status.FAILED else self.charge.cost,
            odd_cost=self.charge.odd,
        )

    def facts(self) -> dict[str, str]:
        """Facts about the finetune for people: name to value."""
        facts = {
            "Title": self.title,
            "Class": self.name,
            "Token": self.token,
            "Steps": None if self.steps is None else f"{self.steps:g}",
            "Pictures": str(len(self.orig_images)) if self.orig_images else None,
            "Branch": self.branch,
            "Ordered": self.created_at,
            "Trained": self.trained_at,
            "Failed": self.failed_at,
            "Error": self.user_error,
            "Deleted on": self.expires_at,
            "Cost": None if self.charge.cost is None else f"${self.charge.cost / 1_000_000:.2f}",
        }
        return {"Number": self.id} | {fact: clean(value) for fact, value in facts.items() if value}


class Prompt(Reply):
    """A picture, ordered or drawn. It has ended when it has pictures or an error."""

    id: Id
    images: Links = ()
    user_error: Said = None
    seed: Seed = None
    started_training_at: Text = None
    trained_at: Text = None
    cost_mc: Amount = None

    @model_validator(mode="before")
    @classmethod
    def unwrap(cls, value: object) -> object:
        return _unwrap(value, "prompt")

    @property
    def charge(self) -> Charge:
        drawn = bool(self.images or self.user_error)
        return read_charge(self.cost_mc, MILLICENT, MOST_PICTURE, receipt=not drawn)

    @property
    def look(self) -> Look:
        """The state of the picture."""
        if self.images:
            odd_seed = isinstance(self.seed, Odd)
            return Look(
                status=Status.READY,
                urls=self.images,
                seed=None if isinstance(self.seed, Odd) else self.seed,
                odd_seed=odd_seed,
                seconds=self._seconds,
                cost=self.charge.cost,
                odd_cost=self.charge.odd,
            )
        if self.user_error:
            moderated = _MODERATED.search(self.user_error)
            status = Status.MODERATED_INPUT if moderated else Status.FAILED
            return Look(status=status, reasons=(clean(self.user_error),))
        return Look(status=Status.RUNNING if self.started_training_at or self.trained_at else Status.WAITING)

    @property
    def _seconds(self) -> float | None:
        started, ended = moment(self.started_training_at), moment(self.trained_at)
        if started is None or ended is None or not 0 <= ended - started <= LONGEST_DRAWING:
            return None
        return ended - started


class Account(Reply):
    usd_balance_mc: Balance


class Listing(RootModel[list[JsonValue]]):
    """A bare list, as Astria answers; what in it cannot be read is passed over."""

    @property
    def tunes(self) -> list[Tune]:
        return _read(Tune, self.root)

    @property
    def prompts(self) -> list[Prompt]:
        return _read(Prompt, self.root)

    @property
    def packs(self) -> list[Pack]:
        return [read.pack for read in _read(_Pack, self.root)]


class _Pack(Reply):
    id: Id
    title: Text = None
    slug: Text = None
    cost_mc_hash: JsonValue = None

    @property
    def pack(self) -> Pack:
        """Its cost depends on the class: this is the highest."""
        millicents = self.cost_mc_hash if isinstance(self.cost_mc_hash, dict) else {}
        prices = TypeAdapter(dict[str, Amount]).validate_python(millicents)
        costs = {
            clean(name, cap=60): read_charge(price, MILLICENT, MOST_TRAINING).cost for name, price in prices.items()
        }
        priced = {name: cost for name, cost in costs.items() if cost is not None}
        return Pack(
            id=self.id,
            title=clean(self.title or self.slug or f"Pack {self.id}"),
            class_names=tuple(costs),
            cost=max(priced.values(), default=None),
            costs=priced,
        )


class Inspected(Reply):
    """What Astria sees on a picture: a flag for each thing that may be wrong with it, any of which may be missing."""

    includes_multiple_people: JsonValue = None
    blurry: JsonValue = None
    wearing_sunglasses: JsonValue = None
    wearing_hat: JsonValue = None
    funny_face: JsonValue = None
    low_resolution: JsonValue = None
    low_quality: JsonValue = None
    full_body_image_or_longshot: JsonValue = None
    selfie: JsonValue = None
    name: Text = None

    @property
    def inspection(self) -> Inspection:
        """Real answers hold `true` as well as `"true"`."""
        flags = cast("dict[str, object]", self.model_dump())
        complaints = tuple(words for flag, words in _COMPLAINTS.items() if str(flags[flag]).lower() == "true")
        name = (self.name or "").lower()
        return Inspection(complaints=complaints, class_name=name if name in _CLASS_DETECTED else None)


class Anything(RootModel[JsonValue]):
    """An answer whose content is not read."""


def moment(text: str | None) -> float | None:
    """Unix seconds of a time such as 2023-10-02T14:32:40.363Z; None where there is none, or it is no time."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read_moment(read.replace(tzinfo=read.tzinfo or UTC))


def _read(kind: type[R], items: list[JsonValue]) -> list[R]:
    """The items that are valid; the others are left out."""
    read: list[R] = []
    for item in items:
        try:
            read.append(kind.model_validate(item))
        except ValidationError:
            continue
    return read
