"""Values of drawing: what a member asked for, and how far it is."""

from dataclasses import dataclass
from enum import StrEnum

from bot.providers.interface import Cost, Generation
from bot.values import Frozen
from bot.workflows.base.types import Forecast
from storage.base.jobs import Job, State
from storage.drawing.images import Image
from storage.reviewing.reviews import Review, ReviewState

MOST_SWEPT = 12
"""Pictures of a sweep: more would be too small to compare on one sheet."""


class Sweep(Frozen):
    """One prompt over several strengths and seeds of a finetune, shown as one sheet."""

    strengths: tuple[float, ...]
    """A row of the sheet each."""
    seeds: tuple[int, ...]
    """A column each."""


class ImageRequest(Frozen):
    """What a member asked for, stored as the request's JSON. Its pictures differ in their seed alone."""

    prompt: str
    model: str
    """A key of the catalogue."""
    parameters: dict[str, bool | int | float | str] = {}
    """By the provider's names, without the seed."""
    seed: int | None = None
    """Of the first picture, the next ones count on from it; None for chance."""
    count: int = 1
    inputs: dict[str, str] = {}
    """Role to the SHA-256 of a stored file."""
    parent_image_id: str | None = None
    """The image that this edits or varies."""
    spoiler: bool = False
    finetune: str | None = None
    """The id of the finetune that draws it. The prompt is as the member typed it, without its trigger word."""
    finetune_name: str | None = None
    """What it was called then."""
    sweep: Sweep | None = None

    def made_from(self, image: Image, *, role: str) -> "ImageRequest":
        """The same request with one of the bot's own images as an input."""
        return self.model_copy(update={"inputs": self.inputs | {role: image.sha256}, "parent_image_id": image.id})


class PictureOrder(Frozen):
    """One picture of a request, stored as its job's JSON."""

    generation: Generation
    parent_image_id: str | None = None
    finetune: str | None = None
    """The id of the finetune that draws it, which must still be ready when its turn comes."""


class Kept(Frozen):
    """How the drawing of a picture ended: with stored bytes, or with `error`."""

    sha256: str | None = None
    error: str | None = None
    charged: bool = False
    """It was finished, so that it costs what the receipt said, unless there is a `cost`."""
    cost: Cost = None
    """What the provider said at its end that it was charged, 0 included; None where it did not say."""
    seconds: float | None = None
    """From the order to its end at the provider; None where nobody was looking then."""


class Stage(StrEnum):
    """How far one picture is, in a member's words."""

    ASKING = "asking"
    """A moderator has to agree first."""
    WAITING = "waiting"
    DRAWING = "drawing"
    DRAWN = "drawn"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """It may have been charged."""


@dataclass(frozen=True)
class PictureView:
    """One picture of a request as it is now."""

    job: Job
    image: Image | None
    """None until it is drawn, and again when it was deleted."""
    ordered_at: float | None = None
    """When a provider was asked for it; from then on it cannot be called back."""
    kept: Kept | None = None
    """How its drawing ended."""

    @property
    def lost(self) -> bool:
        """It was finished and charged, and could not be kept."""
        return self.kept is not None and self.kept.charged and self.kept.sha256 is None

    @property
    def seconds(self) -> float | None:
        """How long it took to draw, the queue before it and any waiting for people apart."""
        if self.kept is not None and self.kept.seconds is not None:
            return self.kept.seconds
        began = self.job.created_at if self.ordered_at is None else self.ordered_at
        return None if self.job.ended_at is None else max(self.job.ended_at - began, 0.0)

    @property
    def settled(self) -> bool:
        """Nobody could tell what it cost, until the admin looked it up in the provider's bill."""
        return self.job.state is State.UNKNOWN and self.job.cost_actual is not None

    @property
    def stage(self) -> Stage:
        match self.job.state:
            case State.PARKED:
                return Stage.ASKING
            case State.WAITING:
                return Stage.DRAWING if self.job.holds_slot or self.ordered_at else Stage.WAITING
            case State.RUNNING:
                return Stage.DRAWING
            case State.DONE:
                return Stage.DRAWN
            case State.FAILED if self.job.cost_actual is None:
                return Stage.UNKNOWN
            case State.UNKNOWN if self.settled:
                return Stage.FAILED
            case _:
                return Stage(self.job.state.value)


@dataclass(frozen=True)
class RequestView:
    """A request with all that its card shows. The card is a function of this and of nothing else."""

    job: Job
    request: ImageRequest
    pictures: tuple[PictureView, ...]
    forecast: Forecast | None = None
    review: Review | None = None
    limit: int | None = None
    """What a request may cost here without a moderator, in millionths of a dollar; known where one was asked."""
    deleted_by: int | None = None
    """Who deleted its images, where that is known."""
    sheet: str | None = None
    """Of a finished sweep: the SHA-256 of its sheet, a JPEG."""

    @property
    def ended(self) -> bool:
        return all(picture.job.state.ended for picture in self.pictures)

    @property
    def deleted(self) -> bool:
        """Every image that there was is deleted."""
        drawn = [picture for picture in self.pictures if picture.stage is Stage.DRAWN]
        return bool(drawn) and all(picture.image is None for picture in drawn)

    @property
    def images(self) -> list[Image]:
        return [picture.image for picture in self.pictures if picture.image]

    def image(self, image_id: str) -> Image:
        """Its image with that id, which has to be one of `images`."""
        return next(image for image in self.images if image.id == image_id)

    @property
    def uncertain(self) -> bool:
        """A picture of it may have been charged though it is not there."""
        return self.state is State.UNKNOWN

    @property
    def state(self) -> State:
        """The result of the request, from the results of its pictures."""
        stages = {picture.stage for picture in self.pictures}
        if not self.ended:
            return State.RUNNING if Stage.DRAWING in stages else State.WAITING
        for stage, state in (
            (Stage.UNKNOWN, State.UNKNOWN),
            (Stage.DRAWN, State.DONE),
            (Stage.FAILED, State.FAILED),
        ):
            if stage in stages:
                return state
        return State.CANCELLED

    @property
    def cost(self) -> int | None:
        """What was charged, in millionths of a dollar; None where it is not known for every picture."""
        costs = [picture.job.cost_actual for picture in self.pictures]
        charged = [cost for cost in costs if cost is not None]
        return sum(charged) if len(charged) == len(costs) else None

    @property
    def seconds(self) -> float | None:
        """How long the slowest of its pictures took to draw."""
        return max((each.seconds for each in self.pictures if each.image and each.seconds is not None), default=None)

    @property
    def asked_for(self) -> float | None:
        """For how many seconds it waited until a moderator agreed; None where none was asked."""
        review = self.review
        if review is None or review.state is not ReviewState.APPROVED or review.decided_at is None:
            return None
        return max(review.decided_at - review.created_at, 0.0)

    @property
    def lost(self) -> bool:
        """Pictures of it were finished and charged, and could not be kept."""
        return any(picture.lost for picture in self.pictures)
