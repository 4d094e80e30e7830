"""What a provider that trains finetunes can be asked, in words that are the same for all of them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.errors import Refused
from bot.providers.interface import Callback, Cost, FinetuneRef, MicroUSD, Provider, Status
from bot.values import Frozen


class TrainedSubject(StrEnum):
    """What a finetune is of."""

    CHARACTER = "character"
    PRODUCT = "product"
    STYLE = "style"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class TrainingPicture:
    """One picture of a training set, as it is sent: a JPEG of at most one megapixel."""

    name: str
    """Ours: `0001.jpg`; its caption is called `0001.txt`."""
    content: bytes = field(repr=False)
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The pictures in their order, and the same as one ZIP: stored, flat, mode 0644, always the same bytes.

    A Kontext finetune reads the order as pairs: start, end, start, end, …
    """

    pictures: tuple[TrainingPicture, ...]
    archive: bytes = field(repr=False)


class FinetuneSpec(Frozen):
    """What is to be trained. Checked by `trainers.check` before anything is stored or paid."""

    id: str
    """Ours, unique to one try: it goes where the provider's lists show it, so that a lost answer can be looked for."""
    name: str
    """What the member calls it."""
    trainer: str
    """A key of the trainers."""
    subject: TrainedSubject
    trigger: str = ""
    """The word, or the prefix of it where the provider makes up its own."""
    class_name: str = ""
    """The noun of what is trained (man, cat, sunglasses), where the trainer wants one."""
    parameters: dict[str, bool | int | float | str] = {}
    """By the provider's own names (`iterations`, `learning_rate`, …). What is absent is not sent."""
    region: str | None = None
    instruction: str = ""
    """Of a Kontext finetune: the edit that leads from each start picture to its end ("turn the car red")."""
    pack: str | None = None
    """Of Astria: a pack that draws its pictures as soon as the training is over."""
    pack_cost: MicroUSD | None = None
    """What the pictures of that pack cost; None where Astria does not say."""

    @property
    def label(self) -> str:
        """What the provider's lists show: the name for people, the id for the search after a lost answer."""
        return f"{self.name[:60]} · {self.id}"


class Started(Frozen):
    """A provider's receipt for a training."""

    ref: FinetuneRef
    cost: Cost = None
    """What the provider says it charges; None where it does not say."""
    odd_cost: str | None = None
    """What it says instead, where that cannot be."""


class Training(Frozen):
    """The state of a finetune at one look."""

    status: Status
    """MISSING: the provider does not know it: just ordered, deleted, or expired there."""
    progress: float | None = None
    """0 to 1; None where the provider does not say."""
    ready_by: float | None = None
    """The provider's own guess, in Unix seconds."""
    expires_at: float | None = None
    """When the provider deletes it, in Unix seconds; None for never, or not known."""
    samples: tuple[str, ...] = ()
    """Links to pictures that the provider has drawn with it."""
    reasons: tuple[str, ...] = ()
    """Why it failed, in the provider's words; text from outside, to be shown as text."""
    cost: Cost = None
    """What was charged, as far as it says; of one that failed only where that is settled."""
    odd_cost: str | None = None
    trigger: str | None = None
    """Where the provider names it only now."""


class Inspection(Frozen):
    """What a provider sees on one picture."""

    complaints: tuple[str, ...] = ()
    """Each a short phrase in our words: "several people", "blurry", "sunglasses"."""
    class_name: str | None = None


class Pack(Frozen):
    """A collection of prompts at Astria that is drawn with a new finetune."""

    id: str
    title: str
    class_names: tuple[str, ...] = ()
    """Classes that the pack can draw; () where Astria does not say."""
    cost: MicroUSD | None = None
    """The highest of all classes."""
    costs: dict[str, MicroUSD] = {}
    """By class name, as far as they are known."""


@runtime_checkable
class TrainingProvider(Provider, Protocol):
    """A provider that trains. Every method may raise Unavailable (wait, then try again) and Broken."""

    async def create_finetune(
        self, spec: FinetuneSpec, training_set: TrainingSet, callback: Callback | None = None
    ) -> Started:
        """Begin a training. This is the call that pays, and it is sent at most once.

        Raises:
            Refused: the provider will not train this, or (with a sentence that says so) trains nothing any more;
                nothing was charged.
            Unavailable: certainly not taken; nothing was charged.
            Uncertain: it may have been taken: never repeat it; where a provider `ListsFinetunes`, look for it there.
            Broken: the admin must act (key, credits); nothing was charged.
        """
        ...

    async def finetune_status(self, ref: FinetuneRef) -> Training:
        """Look at a training. Free, and safe to repeat."""
        ...


@runtime_checkable
class ListsFinetunes(Protocol):
    """A provider that lists what the account has. Every method may raise Unavailable and Broken."""

    async def find_finetune(self, spec: FinetuneSpec) -> Started | None:
        """Look for a training whose receipt was lost, by `spec.label`; None where it is not (or not yet) listed.

        Raises:
            Refused: this server lists nothing any more.
        """
        ...

    async def list_finetunes(self, region: str | None = None) -> list[FinetuneRef]:
        """What the account has; at most the newest 500."""
        ...

    async def finetune_details(self, ref: FinetuneRef) -> dict[str, str]:
        """What the provider knows about a finetune, for people: name of the fact to its value."""
        ...


@runtime_checkable
class DeletesFinetunes(Protocol):
    """A provider that deletes finetunes when it is asked to. It may raise Unavailable and Broken."""

    async def delete_finetune(self, ref: FinetuneRef) -> None:
        """Delete it at the provider. One that is gone already is fine.

        Raises:
            Refused: this server deletes nothing any more.
        """
        ...


@runtime_checkable
class InspectsPictures(Protocol):
    """A provider that says what is on a picture: how many people, blur, sunglasses. It may raise any BotError."""

    async def inspect_image(self, picture: TrainingPicture, class_name: str) -> Inspection: ...


@runtime_checkable
class HasPacks(Protocol):
    """A provider with collections of prompts that are drawn with a new finetune. It may raise any BotError."""

    async def list_packs(self) -> list[Pack]: ...


class Withdrawn(Refused):
    """The server no longer has a training API (404, 405, 410): nothing was charged, and another trainer may do."""
