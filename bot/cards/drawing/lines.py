"""Lines that the cards of requests and of sweeps have in common."""

from collections.abc import Sequence

from bot.cards.base.lines import DANGER, charged
from bot.cards.base.words import counted, duration, listed, model_label, money, quoted, sentence
from bot.discord.buttons import PressButton, button
from bot.errors import Refused
from bot.providers import catalogue
from bot.workflows.drawing.types import PictureView, RequestView, Stage
from storage.drawing.images import Image

PROMPT = 600
"""Characters of a prompt that a card shows; “Details” and “Edit prompt” have more."""
REASON = 400
"""Characters of a reason why something failed."""
MOST_REASONS = 4
"""Of one card; “Details” knows of every picture."""


def prompt_of(view: RequestView) -> str | None:
    shown = quoted(view.request.prompt, PROMPT)
    return f"> {shown}" if shown else None


def facts_of(view: RequestView) -> list[str | None]:
    """What draws it, and how much of it."""
    count, request = len(view.pictures), view.request
    sweep = request.sweep
    return [
        model_label(request.model),
        f"finetune {quoted(request.finetune_name, 60)}" if request.finetune_name else None,
        counted(count) if count > 1 and not view.images else None,
        f"{counted(len(sweep.strengths), 'strength')} × {counted(len(sweep.seeds), 'seed')}" if sweep else None,
        "made from another picture" if request.parent_image_id else None,
    ]


def cost_of(view: RequestView) -> str:
    """What was charged; where that is not known of every picture, with the estimate of the others."""
    if view.cost is not None:
        return money(view.cost)
    likely = sum(
        picture.job.cost_estimated if picture.job.cost_actual is None else picture.job.cost_actual
        for picture in view.pictures
    )
    return f"about {money(likely)}"


def seeds_of(view: RequestView, images: Sequence[Image]) -> str | None:
    """With which seeds they were drawn; nothing where the model has none."""
    seeds = [f"`{image.seed}`" if image.seed is not None else "unknown" for image in images]
    if set(seeds) <= {"unknown"} and not _has_seed(view.request.model):
        return None
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(seeds)}"


def _has_seed(key: str) -> bool:
    try:
        return catalogue.find(key).parameter("seed") is not None
    except Refused:
        return False


def times_of(view: RequestView) -> list[str | None]:
    """How long it was drawn, and apart from that how long a moderator was waited for."""
    drawn, asked = view.seconds, view.asked_for
    return [
        duration(drawn) if drawn is not None else None,
        f"agreed to after {duration(asked)}" if asked is not None else None,
    ]


def twice(view: RequestView) -> PressButton:
    return button("img:retry", view.job.id, "Try again (may be charged twice)", style=DANGER)


def missing(view: RequestView, names: Sequence[str] = ()) -> list[str]:
    """One line for each reason why pictures are missing, with what it cost. `names` say which, instead of numbers."""
    several = len(view.pictures) > 1
    reasons: dict[str, list[str]] = {}
    room = REASON if len(view.pictures) <= MOST_REASONS else 100
    for number, picture in enumerate(view.pictures, 1):
        if picture.image is None:
            reasons.setdefault(_reason(picture, room), []).append(names[number - 1] if names else str(number))
    if not several or (len(reasons) == 1 and not view.images):
        return list(reasons)
    noun = ("", "") if names else ("Picture ", "Pictures ")
    lines = [
        f"{noun[len(which) > 1]}{listed(which)} {'are' if len(which) > 1 else 'is'} missing: {reason}"
        for reason, which in list(reasons.items())[:MOST_REASONS]
    ]
    if len(reasons) > MOST_REASONS:
        lines.append("Others are missing for other reasons: see “Details”.")
    return lines


def _reason(picture: PictureView, room: int) -> str:
    match picture.stage:
        case Stage.CANCELLED:
            return "cancelled. It was not charged."
        case Stage.DRAWN:
            return "deleted."
        case _:
            why = picture.job.error or "The image service did not say why."
            return f"{sentence(why, room)} {charged(picture.job.cost_actual)}"
