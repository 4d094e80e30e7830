"""The card of a finetune: its draft, its training, and what can be done with it."""

from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import DANGER, DONE, PRIMARY, UNSURE, WAITING, footer, forecast_of, joined, small
from bot.cards.base.words import counted, escaped, model_label, moment, money, sentence
from bot.cards.finetuning.draft import draft_card, empty_card
from bot.cards.finetuning.parts import (
    code,
    contributors_of,
    introduction,
    name_of,
    once_more,
    price_of,
    samples_of,
    sheet_of,
    shown_subject,
    strength_of,
    trigger_of,
    what_of,
)
from bot.discord.buttons import PressButton, button
from bot.errors import Refused
from bot.providers import catalogue
from bot.workflows.base.files import FilePaths
from bot.workflows.finetuning.types import FinetuneView, usual_model
from storage.base.jobs import NEVER, State
from storage.finetuning.transitions import FinetuneState
from storage.reviewing.reviews import ReviewState

_BAR = 10


def finetune_card(view: FinetuneView, paths: FilePaths) -> Card:
    """The one card of a finetune, in each of its states."""
    match view.finetune.state:
        case FinetuneState.DRAFT:
            return draft_card(view, paths) if view.pictures else empty_card(view)
        case FinetuneState.ASKING:
            return _asking_card(view, paths)
        case FinetuneState.TRAINING:
            return _training_card(view, paths)
        case FinetuneState.UNKNOWN:
            return _unknown_card(view)
        case FinetuneState.READY:
            return _ready_card(view, paths)
        case FinetuneState.EXPIRED:
            return _expired_card(view)
        case FinetuneState.DELETED:
            return _deleted_card(view)


def can_be_stopped(view: FinetuneView) -> bool:
    """Its training has not been ordered, as far as is known here; pressing Stop finds out."""
    training = view.training
    return training is not None and training.state in {State.WAITING, State.PARKED} and not view.ordered


# The training.


def _asking_card(view: FinetuneView, paths: FilePaths) -> Card:
    sheet = sheet_of(view, paths)
    price = "The price of this training is not published" if view.price is None else f"It costs {price_of(view)}"
    above = f", and more than {money(view.limit)} needs a moderator's yes" if view.limit is not None else ""
    closes = ""
    if view.review and view.review.state is ReviewState.OPEN:
        closes = f" The approval request closes {moment(view.review.expires_at, 'R')}."
    return compose(
        [
            text(f"### {name_of(view)}: waiting for a moderator", *introduction(view)),
            *([gallery(sheet)] if sheet else []),
            text(
                f"{price}{above}. Nothing is ordered or charged until then.{closes}",
                small(contributors_of(view)),
                footer(view.job),
            ),
            *row([button("fin:stop", view.finetune.id, "Back to the draft"), _details_button(view)]),
        ],
        colour=WAITING,
        files=sheet,
    )


def _training_card(view: FinetuneView, paths: FilePaths) -> Card:
    sheet, waits = sheet_of(view, paths), can_be_stopped(view)
    forecast = view.forecast
    ahead = f"{counted(forecast.ahead, 'training')} ahead. " if waits and forecast and forecast.ahead else ""
    expected = None
    if forecast:
        expected = f"{ahead}{joined(forecast_of(forecast))}"
    state = (
        "It is not ordered yet, so nothing is charged, and you can still stop it."
        if waits
        else f"It is at {escaped(view.trainer.label)}, and cannot be stopped any more."
    )
    return compose(
        [
            text(f"### {name_of(view)}: {'in the queue' if waits else 'training'}", *introduction(view)),
            *([gallery(sheet)] if sheet else []),
            text(
                _bar(view.progress.share) if view.progress.share is not None else None,
                state,
                expected,
                sentence(view.progress.inferred, 300) if view.progress.inferred else _retry_text(view),
                "You will be told here when it is ready, even if that takes days.",
            ),
            text(small(contributors_of(view), price_of(view)), footer(view.job)),
            *row([*([button("fin:stop", view.finetune.id, "Stop")] if waits else []), _details_button(view)]),
        ],
        colour=WAITING,
        files=sheet,
    )


def _bar(share: float) -> str:
    share = min(max(share, 0.0), 1.0)
    full = int(share * _BAR)
    return f"{'▰' * full}{'▱' * (_BAR - full)} {share:.0%}"


def _retry_text(view: FinetuneView) -> str | None:
    """Why the training waits for another try, and until when."""
    job = view.training
    if job is None or job.state is not State.WAITING or not job.error:
        return None
    again = f" Trying again {moment(job.due_at, 'R')}." if 0 < job.due_at < NEVER else ""
    return f"{sentence(job.error, 300)}{again}"


def _unknown_card(view: FinetuneView) -> Card:
    label = escaped(view.trainer.label)
    why = view.progress.inferred or "The answer to the order was lost."
    return compose(
        [
            text(f"### {name_of(view)}: it may have been charged", *introduction(view)),
            text(
                sentence(why, 400),
                f"Nobody can tell from here whether {label} has taken the training. The bot does not order it a second "
                "time by itself. The admin can look at the account there and tell the bot what they find.",
                once_more(view),
            ),
            text(small(contributors_of(view)), footer(view.job)),
            *row(
                [
                    button(
                        "fin:again",
                        shown_subject(view),
                        "Train again (may be charged twice)",
                        style=DANGER,
                        disabled=view.blocked,
                    ),
                    _details_button(view),
                ]
            ),
        ],
        colour=UNSURE,
    )


def _details_button(view: FinetuneView) -> PressButton:
    return button("fin:show", view.finetune.id, "Details")


# What has become of it.


def _ready_card(view: FinetuneView, paths: FilePaths) -> Card:
    finetune, samples, frozen = view.finetune, samples_of(view, paths), view.finetune.frozen_at is not None
    strength = strength_of(view)
    heading = "frozen" if frozen else "ready to draw"
    buttons: list[PressButton] = []
    if not frozen:
        buttons.append(button("fin:try", finetune.id, "Draw with it", style=PRIMARY))
        if strength:
            buttons.append(button("fin:sweep", finetune.id, "Compare strengths"))
    buttons += [_details_button(view), button("fin:share", finetune.id, "Share")]
    return compose(
        [
            text(
                f"### {name_of(view)}: {heading}",
                f"A{what_of(view)[1:]} by <@{finetune.owner_id}>, trained with {escaped(view.trainer.label)}.",
            ),
            text(*(_frozen_lines(view) if frozen else how_to_use(view))),
            *([gallery(samples)] if samples else []),
            text(
                f"{escaped(view.trainer.label)} deletes it {moment(finetune.expires_at, 'R')}; "
                "it can be trained again then."
                if finetune.expires_at
                else None,
                small(model_label(usual_model(view)), _cost_text(view), contributors_of(view)),
                footer(view.job),
            ),
            *row(buttons),
        ],
        colour=UNSURE if frozen else DONE,
        files=samples,
    )


def how_to_use(view: FinetuneView) -> list[str | None]:
    """The command, the trigger word and the strength."""
    strength = strength_of(view)
    usual = view.finetune.strength if view.finetune.strength is not None else strength and strength.default
    usually = f" (usually {usual:g})" if isinstance(usual, (int, float)) else ""
    return [
        f"Draw with {code(f'/imagine finetune:{view.finetune.name} prompt:…')}",
        "Give it a picture to change, too." if _edits_pictures(view) else None,
        f"The bot puts its trigger word {trigger_of(view)} into the prompt by itself, unless you write it there.",
        f"**Strength**{usually}: raise it where the likeness is weak, lower it where pictures look distorted or "
        "ignore the prompt."
        if strength
        else None,
    ]


def _edits_pictures(view: FinetuneView) -> bool:
    try:
        return any(role.required for role in catalogue.find(usual_model(view)).roles)
    except Refused:
        return False


def _frozen_lines(view: FinetuneView) -> list[str]:
    who = f"<@{view.finetune.frozen_by}>" if view.finetune.frozen_by else "A contributor"
    return [
        f"{who} has withdrawn {counted(view.withdrawn)} that it was trained on.",
        "Nobody can draw with it until a moderator has decided whether it is kept or deleted. Nothing is charged.",
    ]


def _cost_text(view: FinetuneView) -> str:
    return f"training cost {money(view.cost)}" if view.cost is not None else "what the training cost is not known"


def _expired_card(view: FinetuneView) -> Card:
    label, when = escaped(view.trainer.label), view.finetune.expires_at
    again = bool(view.pictures)
    now = "nobody here knows how much" if view.price is None else price_of(view)
    end = f" on {moment(when, 'D')}" if when else ", or does not know it any more"
    return compose(
        [
            text(
                f"### {name_of(view)}: expired",
                f"{label} has deleted it{end}. Nobody can draw with it now. Nothing more was charged.",
                f"Its {counted(len(view.pictures))} and its settings are still here. Training it again costs what a "
                f"training costs now ({now}); you see it all before you start."
                if again
                else "Its pictures are gone as well.",
                footer(view.job),
            ),
            *row(
                [
                    *([button("fin:anew", view.finetune.id, "Train it again", style=PRIMARY)] if again else []),
                    _details_button(view),
                ]
            ),
        ]
    )


def _deleted_card(view: FinetuneView) -> Card:
    finetune = view.finetune
    match finetune.deleted_by:
        case 0:
            who = "Nobody changed this draft for 30 days, so it was deleted with its pictures."
        case None:
            who = "It was deleted."
        case finetune.owner_id:
            who = "It was deleted by its owner."
        case _:
            who = f"It was deleted by a moderator, <@{finetune.deleted_by}>."
    if view.pictures:
        here = " Its files are being deleted."
    elif finetune.deleted_by == 0:
        here = ""
    else:
        here = " Its training set and its samples are gone from here."
    why = view.progress.inferred
    kept = f"{escaped(view.trainer.label)} still has it: {sentence(why, 300)}" if why and finetune.ref else None
    if view.cost:
        paid = f"What its training cost stays charged ({money(view.cost)})."
    else:
        paid = "Nothing was charged." if view.cost == 0 else "What its training was charged is not known here."
    return compose(
        [
            text(
                f"### {name_of(view)}: deleted",
                f"{who}{here}",
                kept,
                paid,
                footer(view.job),
            )
        ]
    )
