"""The cards of a comparison of strengths: its price before it is drawn, and its sheet of strengths and seeds."""

from typing import Any

from discord.ui import Item

from bot import limits
from bot.cards.base.layout import Card, CardFile, compose, gallery, row, text
from bot.cards.base.lines import DANGER, DONE, PRIMARY, UNSURE, WAITING, footer, small
from bot.cards.base.words import counted, listed, model_label, money, quoted
from bot.cards.drawing.lines import cost_of, facts_of, missing, prompt_of, times_of, twice
from bot.discord.buttons import button
from bot.workflows.base.files import FilePaths
from bot.workflows.drawing.types import ImageRequest, RequestView
from storage.base.jobs import State

MOST_KEPT = 10
"""Buttons to keep a strength: two rows."""


def sweep_card(view: RequestView, paths: FilePaths) -> Card:
    """A finished sweep, of which something was drawn: its sheet, and a button for each strength that is on it."""
    job, sweep = view.job, view.request.sweep
    assert sweep, "other requests have another card"
    columns = len(sweep.seeds)
    names = [f"{strength:g} with seed {seed}" for strength in sweep.strengths for seed in sweep.seeds]
    drawn = {place // columns for place, picture in enumerate(view.pictures) if picture.image}
    files = _sheet(view, paths)
    keeps = [
        button("fin:keep", f"{job.id}:{index}", f"Keep {strength:g}", style=PRIMARY)
        for index, strength in enumerate(sweep.strengths)
        if index in drawn
    ][:MOST_KEPT]
    unsure = view.state is State.UNKNOWN
    count = len(view.images)
    heading = f"{count} of {counted(len(view.pictures))}" if count < len(view.pictures) else counted(count)
    items: list[Item[Any]] = [text(f"### {heading} for <@{job.owner_id}>, strength by strength", prompt_of(view))]
    if files:
        items.append(gallery(files))
    items.append(
        text(
            f"Rows are strengths, from {sweep.strengths[0]:g} to {sweep.strengths[-1]:g}; columns are seeds. "
            "“Keep” makes a strength the usual one of this finetune."
            if files
            else "The sheet of this comparison could not be made. Its pictures are kept, and can be registered."
            if view.sheet is None
            else "The sheet of this comparison is not there any more.",
            *missing(view, names if len(names) == len(view.pictures) else ()),
            small(*facts_of(view), *times_of(view), cost_of(view)),
            footer(job),
        )
    )
    for start in range(0, len(keeps), limits.ROW_BUTTONS):
        items += row(keeps[start : start + limits.ROW_BUTTONS])
    below = [
        button("img:info", job.id, "Details"),
        button("reg:choose", job.id, "Register"),
        button("img:delete", job.id, "Delete", style=DANGER),
    ]
    return compose(
        [*items, *row([twice(view), *below] if unsure else below)], colour=UNSURE if unsure else DONE, files=files
    )


def sweep_offer(request: ImageRequest, price_each: int, guessed: bool, draft_id: str) -> Card:
    """What a sweep would cost, before anything is drawn. `price_each` is micro-USD, `guessed` if none is published."""
    sweep = request.sweep
    assert sweep, "only a sweep is offered like this"
    strengths = listed([f"{strength:g}" for strength in sweep.strengths])
    count = len(sweep.strengths) * len(sweep.seeds)
    name = quoted(request.finetune_name, 60) if request.finetune_name else "this finetune"
    prompt = quoted(request.prompt, 600)
    return compose(
        [
            text(f"### Compare strengths of {name}", f"> {prompt}" if prompt else None),
            text(
                f"**{counted(count)}, about {money(price_each * count)}**",
                "That is a guess: this service publishes no prices." if guessed else None,
                f"Strengths {strengths}, each with the same {counted(len(sweep.seeds), 'seed')}, on one sheet. "
                "Nothing is charged until you press the button.",
                small(model_label(request.model)),
            ),
            *row([button("fin:sweeping", draft_id, "Draw them", style=PRIMARY)]),
        ],
        colour=WAITING,
    )


def _sheet(view: RequestView, paths: FilePaths) -> tuple[CardFile, ...]:
    if view.sheet is None or not paths.path(view.sheet).exists():
        return ()
    return (
        CardFile(
            path=paths.path(view.sheet),
            filename=f"{view.job.id}-sheet.jpg",
            spoiler=view.request.spoiler,
            description=f"{counted(len(view.images))}, a row for each strength and a column for each seed",
        ),
    )
