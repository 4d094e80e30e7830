"""The card of a draft: what can still be changed, what the checks found, the price and the time."""

import re
from collections.abc import Sequence
from typing import Any

from discord.ui import Item

from bot import limits
from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import DANGER, FAILED, PRIMARY, SUCCESS, WAITING, footer
from bot.cards.base.words import counted, escaped, listed, money, quoted, sentence, shortened
from bot.cards.finetuning.parts import (
    contributors_of,
    duration_of,
    failure_of,
    introduction,
    name_of,
    price_of,
    settings_of,
    sheet_of,
    shown_subject,
    within,
)
from bot.discord.buttons import PressButton, button
from bot.pictures.training_sets.linting import Finding, Severity
from bot.providers.trainer_entries import MOST_PICTURES
from bot.workflows.base.files import FilePaths
from bot.workflows.finetuning.types import CONSENT, FinetuneView, OpenDraft
from storage.base.jobs import State
from storage.reviewing.reviews import ReviewState

MOST_FINDINGS = 8
MOST_OTHERS = 3
_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.HINT: "💡"}
_GRAVEST = tuple(_MARKS)
_NUMBERED = re.compile(r"\bpictures? \d", re.IGNORECASE)
"""A sentence that says itself which pictures it is about."""


def empty_card(view: FinetuneView) -> Card:
    """A draft that nobody has put a picture into yet: how to."""
    finetune_id = view.finetune.id
    return compose(
        [
            text(f"### {name_of(view)}: no pictures yet", *introduction(view)),
            text(
                *_refusal_lines(view),
                *failure_of(view),
                f"{escaped(view.trainer.label)} needs at least {counted(view.trainer.fewest)}; "
                f"{view.trainer.advised} or more work well, {MOST_PICTURES} are the most. "
                "There are two ways to add them:\n"
                f"- “Add pictures” takes up to {MOST_PICTURES} pictures with their .txt captions, or one ZIP.\n"
                "- Or right-click a message › Apps › “Add to training set”.",
                _who_adds(view),
            ),
            text("Nothing is charged before you press Start, which comes with the first picture.", footer(view.job)),
            *row([button("fin:add", finetune_id, "Add pictures", style=PRIMARY), *_settings(view), _discard(view)]),
        ],
        colour=WAITING,
    )


def draft_question(form_id: str, drafts: Sequence[OpenDraft], *, consent: bool) -> Card:
    """Asks which draft a message's pictures go into, where a form cannot ask. `consent`: some are another member's."""
    buttons = [
        button("fin:into", f"{form_id}:{each.id}", shortened(each.name, 40)) for each in drafts[: limits.CHOICES]
    ]
    rows = [row(buttons[at : at + limits.ROW_BUTTONS]) for at in range(0, len(buttons), limits.ROW_BUTTONS)]
    confirmed = f"By adding to another member's training set you confirm: {CONSENT}" if consent else None
    return compose([text("### Which training set?", confirmed), *(item for each in rows for item in each)])


def draft_card(view: FinetuneView, paths: FilePaths) -> Card:
    """What would be trained, what speaks against it, what it costs, and what is confirmed by starting it."""
    finetune_id, sheet, failed = view.finetune.id, sheet_of(view, paths), bool(view.progress.inferred)
    price = "Start training"
    if view.price is None:
        price += " (price not published)"
    else:
        price += f" for {money(view.price)}" if view.price else " for free"
    others = view.others[:MOST_OTHERS] if failed else ()
    change = [
        button("fin:add", finetune_id, "Add pictures"),
        button("fin:captions", finetune_id, "Captions"),
        button("fin:remove", finetune_id, "Remove"),
        *_settings(view),
    ]
    items: list[Item[Any]] = [text(f"### {name_of(view)}: a draft", *introduction(view))]
    if refusal := [*_refusal_lines(view), *failure_of(view), *_advice_lines(view, failed)]:
        items.append(text(*refusal))
    items += [gallery(sheet)] if sheet else []
    if checked := [*list_findings(view), *_list_inspections(view)]:
        items.append(text(*checked))
    settings = within(settings_of(view), room=500, most=12, more="setting")
    items += [
        text(
            f"{contributors_of(view)}.",
            _who_adds(view),
            f"Settings: {', '.join(settings)}." if settings else "Settings: all as usual.",
            f"**Price:** {'not published' if view.price is None else price_of(view)}. **Time:** {duration_of(view)}.",
        ),
        *row(change),
        text(
            f"Start asks you to confirm: {CONSENT}",
            "Something above has to be put right before it can start." if view.blocked else None,
            footer(view.job),
        ),
        *row([button("fin:start", shown_subject(view), price, style=SUCCESS, disabled=view.blocked), _discard(view)]),
        *row([button("fin:other", f"{finetune_id}:{each.key}", f"Use {each.label} instead") for each in others]),
    ]
    return compose(items, colour=FAILED if failed else WAITING, files=sheet)


def _settings(view: FinetuneView) -> list[PressButton]:
    """What can be changed of a draft besides its pictures."""
    others = "Close to others" if view.finetune.open_to_others else "Let others add"
    return [button("fin:options", view.finetune.id, "Options"), button("fin:open", view.finetune.id, others)]


def _discard(view: FinetuneView) -> PressButton:
    return button("fin:discard", view.finetune.id, "Discard", style=DANGER)


def _who_adds(view: FinetuneView) -> str | None:
    return "Everybody here may add pictures of their own." if view.finetune.open_to_others else None


def _refusal_lines(view: FinetuneView) -> list[str]:
    """Why moderators sent it back, where they did so to the newest try."""
    review, training = view.review, view.training
    if review is None or review.kind != "train" or training is None or training.state is not State.CANCELLED:
        return []
    if review.state is ReviewState.DENIED:
        by = f"<@{review.decided_by}>" if review.decided_by else "A moderator"
        why = f"said no: {quoted(review.reason, 150)}" if review.reason else "said no, without a reason."
        return [f"**{by} {why}** Nothing was charged. Change what was wrong, then press Start again."]
    if review.state is ReviewState.EXPIRED:
        return ["**No moderator answered in time.** Nothing was charged. Ask one, then press Start again."]
    return []


def _advice_lines(view: FinetuneView, failed: bool) -> list[str]:
    if not failed:
        return []
    advice = "Everything is still here: change what was wrong and start again"
    return [f"{advice}, or use another trainer." if view.others else f"{advice}."]


def list_findings(view: FinetuneView, *, room: int = 1100) -> list[str]:
    """What the checks found, the gravest first."""
    ordered = sorted(view.findings, key=lambda finding: _GRAVEST.index(finding.severity))
    return within(map(_finding_line, ordered), room=room, most=MOST_FINDINGS, more="finding")


def _finding_line(finding: Finding) -> str:
    line = f"{_MARKS[finding.severity]} {sentence(finding.sentence, 240)}"
    if not finding.pictures or _NUMBERED.search(finding.sentence):
        return line
    return f"{line} ({_number_text(finding.pictures)})"


def _number_text(pictures: tuple[int, ...]) -> str:
    shown = [str(number) for number in pictures[:6]]
    if len(pictures) > 6:
        shown.append(f"{len(pictures) - 6} more")
    return f"{'picture' if len(pictures) == 1 else 'pictures'} {listed(shown)}"


def _list_inspections(view: FinetuneView) -> list[str]:
    """What a provider complains of, picture by picture."""
    lines = [
        f"Picture {number}: {', '.join(quoted(each, 30) for each in inspection.complaints[:6])}"
        for number, inspection in enumerate(view.inspections, 1)
        if inspection and inspection.complaints
    ]
    return within(lines, room=450, most=MOST_FINDINGS, more="picture to look at")
