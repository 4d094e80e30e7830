"""The card of a request, from the queue to its pictures, and the card of one picture by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from discord.ui import Item

from bot.cards.base.layout import Card, CardFile, Copy, compose, gallery, row, text
from bot.cards.base.lines import (
    DANGER,
    DONE,
    FAILED,
    PRIMARY,
    UNSURE,
    WAITING,
    charged,
    footer,
    forecast_of,
    joined,
    small,
)
from bot.cards.base.words import counted, model_label, moment, money, quoted, sentence, shortened
from bot.cards.drawing.lines import cost_of, facts_of, missing, prompt_of, seeds_of, times_of, twice
from bot.cards.drawing.sweep import sweep_card
from bot.discord.buttons import PressButton, button
from bot.workflows.base.files import FilePaths
from bot.workflows.drawing.types import RequestView, Stage
from storage.base.jobs import NEVER, State
from storage.drawing.images import Image
from storage.reviewing.reviews import ReviewState

ALT = 400
"""Characters of a prompt in the alt text."""


def request_card(view: RequestView, paths: FilePaths, copies: Mapping[str, Copy] | None = None) -> Card:
    """The one card of a request. `copies` are smaller files to show instead, by the SHA-256 of the original."""
    if not view.ended:
        return _under_way(view)
    if view.deleted:
        return _deleted(view)
    if view.images and view.request.sweep:
        return sweep_card(view, paths)
    if view.images:
        return _drawn(view, paths, copies or {})
    return _nothing_drawn(view)


def image_card(view: RequestView, image: Image, paths: FilePaths, copies: Mapping[str, Copy] | None = None) -> Card:
    """One image of a request by itself."""
    files = _files(view, [image], paths, copies or {})
    several = len(view.images) > 1
    heading = f"### Picture {view.images.index(image) + 1} of {len(view.images)}" if several else "### One picture"
    buttons = [*_vary([image]), button("img:edit", image.id, "Edit")]
    buttons += [button("img:again", view.job.id, "Again"), button("img:info", view.job.id, "Details")]
    buttons.append(button("reg:begin", image.id, "Register"))
    return compose(
        [
            text(heading, prompt_of(view)),
            gallery(files),
            text(
                small(model_label(view.request.model), seeds_of(view, [image]), f"{image.width} × {image.height}"),
                _copied(image.sha256 in (copies or {})),
                f"-# `{image.id}`",
            ),
            *row(buttons),
        ],
        colour=DONE,
        files=files,
    )


def _under_way(view: RequestView) -> Card:
    stages = [picture.stage for picture in view.pictures]
    drawn = stages.count(Stage.DRAWN)
    progress = f"{drawn} of {len(stages)} drawn" if len(stages) > 1 else None
    if Stage.ASKING in stages:
        heading = "### Waiting for a moderator"
        state = "This costs more than members here may spend without asking. Nothing is drawn or charged until then."
        if view.review and view.review.state is ReviewState.OPEN:
            state += f" The approval request closes {moment(view.review.expires_at, 'R')}."
    elif Stage.DRAWING in stages or drawn:
        heading = "### Drawing"
        state = joined(progress, forecast_of(view.forecast))
    else:
        ahead = view.forecast.ahead if view.forecast else 0
        heading = "### In the queue"
        state = joined(f"{counted(ahead)} ahead" if ahead else "Next in line", forecast_of(view.forecast))
    stoppable = any(stage in {Stage.ASKING, Stage.WAITING} for stage in stages)
    return compose(
        [
            text(heading, prompt_of(view)),
            text(state, _retrying(view)),
            text(small(*facts_of(view), f"about {money(view.job.cost_estimated)}"), footer(view.job)),
            *row([button("img:cancel", view.job.id, "Cancel")] if stoppable else []),
        ],
        colour=WAITING,
    )


def _retrying(view: RequestView) -> str | None:
    """Why a picture waits for another try, and until when."""
    for picture in view.pictures:
        job = picture.job
        if job.state is State.WAITING and job.error:
            again = f" Trying again {moment(job.due_at, 'R')}." if 0 < job.due_at < NEVER else ""
            return f"{sentence(job.error)}{again}"
    return None


def _drawn(view: RequestView, paths: FilePaths, copies: Mapping[str, Copy]) -> Card:
    images = view.images
    files = _files(view, images, paths, copies)
    unsure = view.state is State.UNKNOWN
    below = [
        button("img:again", view.job.id, "Again"),
        button("img:prompt", view.job.id, "Edit prompt"),
        button("img:info", view.job.id, "Details"),
        button("img:delete", view.job.id, "Delete", style=DANGER),
    ]
    if unsure:
        below.insert(0, twice(view))
    items: list[Item[Any]] = [
        text(*_whose(view), prompt_of(view)),
        gallery(files),
        text(
            *missing(view),
            small(*facts_of(view), seeds_of(view, images), *times_of(view), cost_of(view)),
            _copied(any(image.sha256 in copies for image in images)),
            footer(view.job),
        ),
    ]
    if len(images) > 1:
        items += row([button("img:pick", each.id, f"Pick {n}", style=PRIMARY) for n, each in enumerate(images, 1)])
        items += row(_vary(images))
        edits = [button("img:edit", each.id, f"Edit {n}") for n, each in enumerate(images, 1)]
        items += row([*edits, button("reg:choose", view.job.id, "Register")])
    else:
        register = button("reg:begin", images[0].id, "Register")
        items += row([*_vary(images), button("img:edit", images[0].id, "Edit"), register])
    return compose([*items, *row(below)], colour=UNSURE if unsure else DONE, files=files)


def _nothing_drawn(view: RequestView) -> Card:
    job, colour = view.job, None
    prompt = button("img:prompt", job.id, "Edit prompt")
    match view.state:
        case State.UNKNOWN:
            heading, colour, buttons = "### It may have been charged", UNSURE, [twice(view), prompt]
            reasons = missing(view)
            advice = "Nobody can tell any more whether it was drawn. Trying again may cost the same once more."
        case State.FAILED:
            heading, colour, reasons = "### It could not be drawn", FAILED, missing(view)
            buttons = [prompt, button("img:retry", job.id, "Try again", style=PRIMARY)]
            advice = "Try again later; “Edit prompt” sends it with other words."
            if view.lost:
                heading = "### It was drawn, and then lost"
                advice = "Drawing it again costs the same once more."
            if view.cost and any(picture.settled for picture in view.pictures):
                heading = "### It was charged, and never came"
        case _:
            heading, reason, advice = _cancelled(view)
            reasons = [*([reason] if reason else []), charged(view.cost)]
            buttons = [prompt] if reason else [prompt, button("img:again", job.id, "Again")]
    return compose(
        [
            text(heading, prompt_of(view)),
            text(*reasons, advice),
            text(small(*facts_of(view)), footer(job)),
            *row([*buttons, button("img:info", job.id, "Details")]),
        ],
        colour=colour,
    )


def _cancelled(view: RequestView) -> tuple[str, str | None, str]:
    """Heading, reason and advice; the reason is None where it was the member's own doing."""
    review = view.review
    if review and review.state is ReviewState.DENIED:
        by = f"<@{review.decided_by}>" if review.decided_by else "A moderator"
        reason = f"{by} decided: {quoted(review.reason, 400)}" if review.reason else f"{by} decided without a reason."
        return (
            "### A moderator said no",
            reason,
            "Ask for less with a new command, or for something else with “Edit prompt”.",
        )
    if review and review.state is ReviewState.EXPIRED:
        return (
            "### No moderator answered in time",
            "The approval request was closed.",
            "Ask a moderator, then send it again with “Edit prompt”.",
        )
    return "### Cancelled", None, "“Again” puts it back into the queue."


def _deleted(view: RequestView) -> Card:
    match view.deleted_by:
        case None:
            who = "Its pictures were deleted."
        case view.job.owner_id:
            who = "Its pictures were deleted by their owner."
        case _:
            who = f"Its pictures were deleted by a moderator, <@{view.deleted_by}>."
    return compose([text("### Deleted", who, footer(view.job))])


def _files(view: RequestView, images: Sequence[Image], paths: FilePaths, copies: Mapping[str, Copy]) -> list[CardFile]:
    alt = shortened(" ".join(view.request.prompt.split()), ALT) or "A generated picture"
    files: list[CardFile] = []
    for place, image in enumerate(images, 1):
        shown = copies.get(image.sha256) or Copy(paths.path(image.sha256), image.extension)
        files.append(
            CardFile(
                path=shown.path,
                filename=f"{image.id}.{shown.extension}",
                spoiler=view.request.spoiler,
                description=f"{alt} ({place} of {len(images)})" if len(images) > 1 else alt,
            )
        )
    return files


def _vary(images: Sequence[Image]) -> list[PressButton]:
    several = len(images) > 1
    return [button("img:vary", each.id, f"Vary {n}" if several else "Vary") for n, each in enumerate(images, 1)]


def _whose(view: RequestView) -> list[str]:
    drawn, asked = len(view.images), len(view.pictures)
    heading = f"{drawn} of {asked} pictures" if drawn < asked else counted(drawn)
    return [f"### {heading} for <@{view.job.owner_id}>"]


def _copied(copied: bool) -> str | None:
    return "-# Shown as a smaller copy, because the original is too large to be posted here." if copied else None
