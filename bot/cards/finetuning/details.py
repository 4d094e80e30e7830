"""The details of one finetune, the list of all, and the question before one is deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

from discord.ui import Item

from bot import limits
from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import DANGER, PRIMARY, footer, forecast_of
from bot.cards.base.words import counted, escaped, listed, model_label, moment, money, quoted, sentence, shortened
from bot.cards.finetuning.parts import (
    MOST_PEOPLE,
    cost_of_try,
    duration_of,
    given_by,
    name_of,
    price_of,
    samples_of,
    settings_of,
    sheet_of,
    strength_of,
    subject_of,
    trigger_of,
    within,
)
from bot.discord.buttons import PressButton, button
from bot.workflows.base.files import FilePaths
from bot.workflows.finetuning.types import FinetuneView, usual_model
from storage.base.jobs import State
from storage.base.ledger import Entry, LedgerEntry
from storage.finetuning.finetunes import Visibility
from storage.finetuning.transitions import FinetuneState

_STATES = {
    FinetuneState.DRAFT: "a draft",
    FinetuneState.ASKING: "waiting for a moderator",
    FinetuneState.TRAINING: "training",
    FinetuneState.UNKNOWN: "may have been charged",
    FinetuneState.READY: "ready",
    FinetuneState.EXPIRED: "expired at its trainer",
    FinetuneState.DELETED: "deleted",
}
_UNFINISHED = (FinetuneState.DRAFT, FinetuneState.ASKING, FinetuneState.TRAINING, FinetuneState.UNKNOWN)
"""States in which its card is where it is worked on."""


def finetune_details(
    view: FinetuneView,
    paths: FilePaths,
    *,
    entries: Sequence[LedgerEntry],
    facts: Mapping[str, str],
    viewer_id: int,
) -> Card:
    """All that is known of one. `entries` are the ledger's of its trainings; `facts` are its provider's own words."""
    sheet, samples = sheet_of(view, paths), samples_of(view, paths)
    finetune, spec = view.finetune, view.spec
    settings = within(settings_of(view), room=450, most=12, more="setting")
    instruction = f"**Learns to** {quoted(spec.instruction, 150)}" if spec.instruction else None
    items: list[Item[Any]] = [
        text(
            f"### {name_of(view)}",
            f"**State** {_state_text(view)}",
            f"**Its card** is in <#{view.job.channel_id}>: {link}" if (link := _card_link(view)) else None,
            *_expected_lines(view),
            f"**Cost** {_cost_text(view, entries)}",
        ),
        text(
            f"**Of** {subject_of(view)}, trained with {escaped(view.trainer.label)} ({duration_of(view)})",
            f"**Trigger word** {trigger_of(view)}",
            f"**Settings** {', '.join(settings) if settings else 'all as usual'}",
            instruction,
            f"**Description** {quoted(finetune.description, 200)}" if finetune.description else None,
            f"**Draws with** {model_label(usual_model(view))}{_strength_text(view)}",
            f"**Who may draw with it** {_audience_text(view)}",
        ),
        text(*_set_lines(view)),
    ]
    items += [gallery([*sheet, *samples])] if sheet or samples else []
    if lines := _fact_lines(facts):
        items.append(text(f"**{escaped(view.trainer.label)} says**", *lines))
    items.append(text(footer(view.job)))
    return compose([*items, *row(_make_buttons(view, viewer_id))], files=(*sheet, *samples))


def finetune_list(views: Sequence[FinetuneView], user_id: int) -> str:
    """The finetunes of a member, those shared with them and those of everybody, fit for one message."""
    if not views:
        return "There are no finetunes that you may use yet. Begin one with `/finetune create`."
    groups: dict[str, list[str]] = {"Yours": [], "Shared with you": [], "Everybody's": []}
    for view in views:
        mine = view.finetune.owner_id == user_id
        everybody = view.finetune.visibility is Visibility.COMMUNITY
        groups["Yours" if mine else "Everybody's" if everybody else "Shared with you"].append(_list_line(view, mine))
    more = "-# and {} more: `/finetune show` finds each by its name"
    room = limits.ANSWER_CHARACTERS - len(more) - 4
    lines: list[str] = []
    shown = 0
    for title, members in groups.items():
        for place, line in enumerate(members):
            new = [f"**{title}**", line] if place == 0 else [line]
            room -= sum(len(each) + 1 for each in new)
            if room < 0:
                return "\n".join([*lines, more.format(len(views) - shown)])
            lines += new
            shown += 1
    return "\n".join(lines)


def list_drafts(views: Sequence[FinetuneView], user_id: int) -> list[PressButton]:
    """A button for each of the member's own drafts that shows its card again, wherever the old one has gone."""
    mine = [view for view in views if view.finetune.owner_id == user_id and view.finetune.state is FinetuneState.DRAFT]
    return [
        button("fin:card", view.finetune.id, f"Show “{shortened(view.finetune.name, 40)}” here")
        for view in mine[: limits.ROW_BUTTONS]
    ]


def _card_link(view: FinetuneView) -> str | None:
    """While its card is what it is put together, stopped or waited for on."""
    job = view.job
    if job.message_id is None or view.finetune.state not in _UNFINISHED:
        return None
    return f"https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id}"


def deletion_question(view: FinetuneView) -> Card:
    """Asked before a finetune is deleted for good."""
    label, trained = escaped(view.trainer.label), view.finetune.ref is not None
    if not trained:
        unsure = view.finetune.state is FinetuneState.UNKNOWN
        at_trainer = f"If {label} did take the training, its model stays there." if unsure else None
    elif not view.trainer.deletes:
        at_trainer = (
            f"{label} deletes nothing: the trained model stays on its servers, where nobody can use it from here."
        )
    else:
        at_trainer = f"{label} is asked to delete the trained model as well. Should that fail, its card says so."
    gone = [
        f"its {counted(len(view.pictures))} with their captions" if view.pictures else None,
        "the contact sheet" if view.finetune.sheet else None,
        counted(len(view.samples), "sample") if view.samples else None,
        "its settings",
    ]
    return compose(
        [
            text(
                f"### Delete {name_of(view)}?",
                f"Gone for good: {listed([each for each in gone if each])}. Nobody can draw with it any more.",
                at_trainer,
                "Pictures that were drawn with it stay where they are. Deleting costs nothing; nothing is paid back.",
            ),
            *row([button("fin:deleted", view.finetune.id, "Delete it for good", style=DANGER)]),
        ]
    )


def _state_text(view: FinetuneView) -> str:
    finetune = view.finetune
    state = _STATES[finetune.state]
    if finetune.frozen_at is not None and finetune.state is FinetuneState.READY:
        state = f"frozen: {counted(view.withdrawn)} withdrawn, and a moderator has to decide"
    if finetune.state is FinetuneState.TRAINING and view.progress.share is not None:
        state += f", {min(max(view.progress.share, 0.0), 1.0):.0%}"
    if finetune.state is FinetuneState.READY and finetune.ready_at:
        state += f", since {moment(finetune.ready_at, 'D')}"
    return state


def _expected_lines(view: FinetuneView) -> list[str | None]:
    expires = view.finetune.expires_at
    forecast = view.forecast
    return [
        f"**Expected** {forecast_of(forecast)}" if forecast else None,
        f"**Kept until** {moment(expires, 'f')}" if expires and view.finetune.state is FinetuneState.READY else None,
        f"**What happened** {sentence(view.progress.inferred, 200)}" if view.progress.inferred else None,
    ]


def _cost_text(view: FinetuneView, entries: Sequence[LedgerEntry]) -> str:
    """Estimated, charged and refunded, as the ledger has it."""
    if not entries:
        cost = f"{price_of(view)}; nothing was ordered yet" if view.training is None else cost_of_try(view.training)
        return cost.removesuffix(".")
    estimated = [entry.amount or 0 for entry in entries if entry.entry is Entry.ESTIMATE]
    charges = [entry.amount for entry in entries if entry.entry is Entry.CHARGE]
    refunds = [entry.amount or 0 for entry in entries if entry.entry is Entry.REFUND]
    amounts = [amount for amount in charges if amount is not None]
    unknown, open_ = len(charges) - len(amounts), len(estimated) - len(charges)
    expected = (
        "price not published" if view.price is None and not any(estimated) else f"estimated {money(sum(estimated))}"
    )
    parts = [
        expected,
        f"charged {money(sum(amounts))}" if amounts else None,
        f"{counted(unknown, 'training')} may have been charged, nobody knows how much" if unknown else None,
        f"{counted(open_, 'training')} not settled yet" if open_ > 0 else None,
        f"refunded {money(sum(refunds))}" if refunds else None,
    ]
    return ", ".join(part for part in parts if part)


def _strength_text(view: FinetuneView) -> str:
    strength = strength_of(view)
    if strength is None:
        return ", which has no strength to set"
    usual = view.finetune.strength if view.finetune.strength is not None else strength.default
    return f" at strength {usual:g}" if isinstance(usual, (int, float)) else ""


def _audience_text(view: FinetuneView) -> str:
    match view.finetune.visibility:
        case Visibility.COMMUNITY:
            return "everybody in this server"
        case Visibility.PRIVATE:
            return f"<@{view.finetune.owner_id}> alone"
        case Visibility.SHARED:
            whom = [f"<@{'&' if each.kind == 'role' else ''}{each.subject_id}>" for each in view.shares]
            shown = [*whom[:20], *([f"{len(whom) - 20} more"] if len(whom) > 20 else [])]
            return ", ".join([f"<@{view.finetune.owner_id}>", *shown])


def _set_lines(view: FinetuneView) -> list[str]:
    """The training set, and who gave what of it with whose consent."""
    sha256 = f", SHA-256 `{view.finetune.training_set[:12]}…`" if view.finetune.training_set else ""
    lines = [f"**Training set** {counted(len(view.pictures))}{sha256}"]
    lines += within(
        (_contribution_line(view, who) for who in view.contributors), room=900, most=MOST_PEOPLE, more="member"
    )
    return lines


def _contribution_line(view: FinetuneView, who: int) -> str:
    theirs = given_by(view, who)
    dates = sorted(picture.consented_at for picture in theirs if picture.consented_at is not None)
    missing, withdrawn = len(theirs) - len(dates), sum(picture.withdrawn_at is not None for picture in theirs)
    consent = f"consent given {moment(dates[-1], 'D')}" if dates else "consent not given yet"
    if dates and missing:
        consent += f", for {missing} not yet"
    taken = f", {withdrawn} withdrawn" if withdrawn else ""
    return f"- <@{who}>: {counted(len(theirs))}, {consent}{taken}"


def _fact_lines(facts: Mapping[str, str]) -> list[str]:
    lines = (f"- {quoted(name, 30)}: {quoted(value, 80)}" for name, value in facts.items())
    return within(lines, room=600, most=12, more="fact")


def _make_buttons(view: FinetuneView, viewer_id: int) -> list[PressButton]:
    finetune = view.finetune
    if finetune.state is FinetuneState.DELETED:
        return []
    theirs = [picture for picture in given_by(view, viewer_id) if picture.withdrawn_at is None]
    buttons = [button("fin:withdraw", finetune.id, "Withdraw my pictures")] if theirs else []
    if viewer_id == finetune.owner_id:
        if finetune.state in _UNFINISHED:
            buttons.insert(0, button("fin:card", finetune.id, "Show its card here", style=PRIMARY))
        buttons.append(button("fin:delete", finetune.id, "Delete", style=DANGER))
    return buttons


def _list_line(view: FinetuneView, mine: bool) -> str:
    whose = "" if mine else f" by <@{view.finetune.owner_id}>"
    waits = view.training is not None and view.training.state is State.WAITING and not view.training.holds_slot
    queued = (
        ", in the queue" if view.finetune.state is FinetuneState.TRAINING and waits and not view.finetune.ref else ""
    )
    state = shortened(_state_text(view), 80)
    link = f" · [card]({address})" if mine and (address := _card_link(view)) else ""
    return f"- **{name_of(view)}**{whose}: {state}{queued} · {escaped(view.trainer.label)} · {trigger_of(view)}{link}"
