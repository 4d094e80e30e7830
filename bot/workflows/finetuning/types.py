"""Values of finetuning: a finetune's draft, its training, and what it can do when it is ready."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.pictures.training_sets.linting import Finding, Severity
from bot.providers.interface import FinetuneRef, MicroUSD
from bot.providers.trainer_entries import Trainer
from bot.providers.training import FinetuneSpec, Inspection
from bot.values import Frozen
from bot.workflows.base.types import Forecast
from storage.base.jobs import Job, State
from storage.base.ledger import LedgerEntry
from storage.drawing.images import Image
from storage.finetuning.finetunes import Finetune, Sample, Share, Visibility
from storage.finetuning.training_images import TrainingImage
from storage.finetuning.transitions import OPEN, FinetuneState
from storage.reviewing.reviews import Review

__all__ = [
    "CONSENT",
    "LOST_AFTER",
    "OPEN",
    "STRENGTH",
    "FinetuneDetails",
    "FinetuneState",
    "FinetuneView",
    "OpenDraft",
    "Progress",
    "Share",
    "TrainingOrder",
    "Visibility",
    "order_of",
    "usual_model",
]

CONSENT = (
    "You may use these pictures: they are yours, or whoever made them has agreed, and everybody who can be "
    "recognised on them has agreed to be trained on."
)
"""What is confirmed before a training begins, and by a member who adds pictures to another's training set."""
LOST_AFTER = 7 * 86_400.0
"""Seconds after which a training is not waited for any more."""
STRENGTH = "finetune_strength"
"""The parameter that says how much of a finetune goes into a picture."""


class TrainingOrder(Frozen):
    """One try to train, stored as its job's JSON: what was shown when it was confirmed, whatever changes later."""

    finetune_id: str
    spec: FinetuneSpec
    training_set: str
    """SHA-256 of the stored ZIP."""


class Progress(Frozen):
    """How far a training is, as of the last look at it."""

    share: float | None = None
    """0 to 1, where the provider says."""
    ordered_at: float | None = None
    ready_by: float | None = None
    errors: int = 0
    """Looks in a row that saw an error, which may pass."""
    error_at: float | None = None
    missing_since: float | None = None
    inferred: str | None = None
    """Why the last try failed, or is unknown, in a sentence for the member."""
    samples: int = 0
    """Of a pack: pictures that were drawn at the last look."""
    drawing_since: float | None = None
    captions_alone: tuple[str, ...] = ()
    """Of a draft: the names of caption files without a picture of that name."""


@dataclass(frozen=True)
class FinetuneView:
    """A finetune with all that its cards show. Each card is a function of this and of nothing else."""

    job: Job
    finetune: Finetune
    spec: FinetuneSpec
    trainer: Trainer
    pictures: tuple[TrainingImage, ...]
    inspections: tuple[Inspection | None, ...]
    """What a provider saw on each picture; None where it was not asked."""
    findings: tuple[Finding, ...]
    price: MicroUSD | None
    """Of a training; None where the trainer publishes no prices."""
    tries: tuple[Job, ...]
    """Each training that was started, oldest first."""
    progress: Progress
    forecast: Forecast | None
    review: Review | None
    limit: int | None
    """What may be spent here without a moderator, in millionths of a dollar; known where one was asked."""
    samples: tuple[Sample, ...]
    shares: tuple[Share, ...]
    others: tuple[Trainer, ...]
    """The other trainers that are set up here."""

    @property
    def ended(self) -> bool:
        return self.job.state.ended

    @property
    def images(self) -> Sequence[Image]:
        """Its card shows a contact sheet and samples, which are small: no copies of them are ever needed."""
        return ()

    @property
    def training(self) -> Job | None:
        """The newest try."""
        return self.tries[-1] if self.tries else None

    @property
    def ref(self) -> FinetuneRef | None:
        return FinetuneRef.model_validate_json(self.finetune.ref) if self.finetune.ref else None

    @property
    def usable(self) -> bool:
        return self.finetune.state is FinetuneState.READY and self.finetune.frozen_at is None

    @property
    def blocked(self) -> bool:
        """Something has to be put right before it can be trained."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def ordered(self) -> bool:
        """Its newest training has left for its trainer, and cannot be called back any more."""
        if self.training is None or self.finetune.state is not FinetuneState.TRAINING:
            return False
        accepted = self.finetune.ref is not None or self.progress.ordered_at is not None
        return accepted or self.progress.inferred is not None or self.training.holds_slot

    @property
    def untrained(self) -> bool:
        """Nothing was trained with its pictures: what its contributors take back is simply removed."""
        waits = self.finetune.state in {FinetuneState.ASKING, FinetuneState.TRAINING} and not self.ordered
        return self.finetune.state is FinetuneState.DRAFT or waits

    @property
    def contributors(self) -> tuple[int, ...]:
        """Who gave pictures, in the order of their first."""
        return tuple(dict.fromkeys(picture.contributor_id for picture in self.pictures))

    @property
    def withdrawn(self) -> int:
        """Pictures that their contributors have taken back after they were trained on."""
        return sum(picture.withdrawn_at is not None for picture in self.pictures)

    @property
    def cost(self) -> int | None:
        """What its trainings were charged; None where that is not known of each."""
        costs = [each.cost_actual for each in self.tries if each.state is not State.CANCELLED]
        return None if None in costs else sum(cost or 0 for cost in costs)

    def is_shown(self, digest: str) -> bool:
        """Whether this is what was shown with a digest that begins so."""
        return len(digest) >= 8 and self.digest.startswith(digest)

    @property
    def digest(self) -> str:
        """SHA-256 of what is confirmed by starting the training: pictures, captions, settings and price."""
        content = {
            "spec": self.spec.model_dump(mode="json", exclude={"id"}),
            "pictures": [[picture.sha256, picture.caption] for picture in self.pictures],
            "price": self.price,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class FinetuneDetails:
    """What is shown of a finetune only to a member who asks for it."""

    entries: tuple[LedgerEntry, ...]
    """The ledger's, of its trainings."""
    facts: Mapping[str, str]
    """Its trainer's own words."""


@dataclass(frozen=True)
class OpenDraft:
    """A draft that a member may add pictures to."""

    id: str
    name: str
    owner_id: int
    channel_id: int
    """The channel of its card."""


def usual_model(view: FinetuneView) -> str:
    """Which model draws with it where nobody chooses one."""
    return view.finetune.model or view.trainer.models[0]


def order_of(job: Job) -> TrainingOrder:
    return TrainingOrder.model_validate_json(job.request)
