"""What a generation provider can be asked, in words that are the same for all of them.

The folder of each provider beside this file has its client. Nothing here retries: an error's type
says whether the worker may (bot/errors.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

from pydantic import BeforeValidator

from bot.providers.ranges import MicroUSD, stored_cost
from bot.values import Frozen

Cost = Annotated[MicroUSD | None, BeforeValidator(stored_cost)]
"""What something costs; None where that is not known, or what was said cannot be."""


class Status(StrEnum):
    """How far a provider is with one picture (or one training)."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    MODERATED_INPUT = "moderated input"
    MODERATED_OUTPUT = "moderated output"
    MISSING = "missing"
    """The provider does not know the task: just sent, expired, or never existed."""

    @property
    def ended(self) -> bool:
        return self not in {Status.WAITING, Status.RUNNING, Status.MISSING}


class FinetuneRef(Frozen):
    """A trained model (or one in training), as its provider knows it."""

    provider: str
    remote_id: str
    """BFL: `finetune_id`. Astria: the tune's integer, as text. Vimmerse: the trigger word that it made up."""
    region: str | None = None
    """The only host on which a BFL finetune exists."""
    trigger: str = ""
    """What has to stand in a prompt: a word, or for Astria the token and the class name ("ohwx man")."""
    task_id: str | None = None
    """Where the training is polled by another id than the model's (Vimmerse: its asset)."""
    option: str | None = None
    """Of Vimmerse: which kind of finetune it is, for that decides what draws with it."""


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a provider may say that something has changed. What it says there is a hint to look, and nothing else."""

    url: str = field(repr=False)
    """Unguessable, and the same at each try of one job: Astria tells requests apart by it, too."""
    secret: str = field(repr=False)


class Generation(Frozen):
    """One picture to draw. Checked by the catalogue before anything is stored or paid."""

    model: str
    """A key of the catalogue."""
    prompt: str
    parameters: dict[str, bool | int | float | str] = {}
    """By the provider's own names (`seed`, `aspect_ratio`, `safety_tolerance`, …). What is absent is not sent."""
    inputs: dict[str, str] = {}
    """Role (`image_prompt`, `input_image`, `control_image`, `image`, `mask`) to the SHA-256 of a stored file."""
    finetune: FinetuneRef | None = None


class Ticket(Frozen):
    """A provider's receipt for a picture that it draws."""

    provider: str
    remote_id: str
    polling_url: str | None = None
    region: str | None = None
    cost: Cost = None
    """What the provider says it charges when the picture is ready; None where it does not say."""
    odd_cost: str | None = None
    """What it says instead, where that cannot be."""


class Look(Frozen):
    """The state of a picture at one look."""

    status: Status
    progress: float | None = None
    """0 to 1; None where the provider does not say."""
    urls: tuple[str, ...] = ()
    """Links to the finished pictures. BFL's die 10 minutes after they are ready."""
    seed: int | None = None
    odd_seed: bool = False
    """The provider names a seed that none can be: with which one it was drawn is not known."""
    seconds: float | None = None
    """How long the drawing took, by the provider's own clock."""
    reasons: tuple[str, ...] = ()
    """Why it was moderated or failed, in the provider's words; text from outside, to be shown as text."""
    cost: Cost = None
    """What was charged in the end, 0 included, also for what was moderated; None where the provider does not say."""
    odd_cost: str | None = None
    """What it says instead, where that cannot be."""


class Provider(Protocol):
    """One generation service. Every method may raise Unavailable (wait, then try again) and Broken.

    What only some services can do is a protocol of its own; `isinstance` says whether a provider can do it.
    """

    @property
    def name(self) -> str: ...

    async def generate(
        self, generation: Generation, inputs: Mapping[str, bytes], callback: Callback | None = None
    ) -> Ticket:
        """Order one picture. This is the call that pays, and it is sent at most once.

        `inputs` holds the bytes of `generation.inputs`, by role. `callback` is a wish: a provider leaves it out where
        it would lose the way to poll.

        Raises:
            Refused: the provider will not draw this; nothing was charged.
            Unavailable: the request was certainly not taken (no connection, 429, 503); nothing was charged.
            Uncertain: the request may have been taken (a lost or unreadable answer): never repeat it.
            Broken: the admin must act (key, credits, endpoint withdrawn); nothing was charged.
        """
        ...

    async def job_status(self, ticket: Ticket) -> Look:
        """Look at a picture ordered earlier. Free, and safe to repeat."""
        ...

    async def fetch_output(self, url: str, into: Path) -> None:
        """Download a finished picture (or a sample of a finetune) to the file `into`, created or overwritten.

        No key is sent; host, size and time are limited.

        Raises:
            Unavailable: the download broke off; the link may still be good.
            Refused: never.
            Broken: the link is dead, leads to a foreign host, or the file is too large.
        """
        ...


@runtime_checkable
class TellsBalance(Protocol):
    """A provider that tells what is left on the account. It may raise Unavailable and Broken."""

    async def balance(self) -> MicroUSD: ...
