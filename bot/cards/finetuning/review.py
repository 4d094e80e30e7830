"""What moderators see of a training that costs more than the limit, and of a withdrawn consent."""

from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import small
from bot.cards.base.words import counted, escaped, listed, money, quoted
from bot.cards.finetuning.draft import list_findings
from bot.cards.finetuning.parts import (
    MOST_PEOPLE,
    contributors_of,
    duration_of,
    given_by,
    name_of,
    price_of,
    settings_of,
    sheet_of,
    trigger_of,
    what_of,
    within,
)
from bot.cards.reviewing.card import COLOURS, decisions, heading, state_of, where
from bot.workflows.base.files import FilePaths
from bot.workflows.finetuning.types import FinetuneView
from storage.reviewing.reviews import Review, ReviewState


def training_review_card(review: Review, view: FinetuneView, paths: FilePaths) -> Card:
    """May this be trained? With all that is agreed to."""
    sheet = sheet_of(view, paths)
    if view.price is None:
        price = f"{escaped(view.trainer.label)} publishes no prices, so nobody can say beforehand what it costs"
        limit = f"; above {money(view.limit)}, moderators decide" if view.limit is not None else ""
    else:
        price = f"It costs {price_of(view)}"
        limit = f", above this server's limit of {money(view.limit)}" if view.limit is not None else ""
    settings = within(settings_of(view), room=500, most=12, more="setting")
    agreed = sum(picture.consented_at is not None for picture in view.pictures)
    owner = f"<@{review.requested_by}>"
    if agreed == len(view.pictures) and agreed:
        people = dict.fromkeys(f"<@{picture.consented_by or picture.contributor_id}>" for picture in view.pictures)
        consent = f"That they may be used for training is confirmed by {listed([*people][:MOST_PEOPLE])}."
    else:
        consent = f"That they may be used is confirmed for {agreed} of {counted(len(view.pictures))}."
    return compose(
        [
            text(
                heading(review, "May this be trained?"),
                f"{owner} would like to train **{name_of(view)}**, {what_of(view)}, with "
                f"{escaped(view.trainer.label)} ({duration_of(view)}). {price}{limit}.",
                f"It learns to: {quoted(view.spec.instruction, 150)}" if view.spec.instruction else None,
                f"> {quoted(view.finetune.description, 300)}" if view.finetune.description else None,
            ),
            *([gallery(sheet)] if sheet else []),
            text(
                f"{contributors_of(view)}. {consent}",
                "**The checks found:**" if view.findings else None,
                *list_findings(view, room=500),
                small(f"trigger word {trigger_of(view)}", *settings),
                *state_of(review, "Nothing is ordered or charged until you decide."),
                where(view.job, "The finetune"),
                f"-# `{review.id}`",
            ),
            *(row(decisions(review)) if review.state is ReviewState.OPEN else []),
        ],
        colour=COLOURS[review.state],
        files=sheet,
    )


def consent_review_card(review: Review, view: FinetuneView, paths: FilePaths) -> Card:
    """May what was trained on withdrawn pictures be kept?"""
    sheet, who = sheet_of(view, paths), f"<@{review.requested_by}>"
    taken = sum(picture.withdrawn_at is not None for picture in given_by(view, review.requested_by))
    gone = f"{taken} of {counted(len(view.pictures))}" if view.pictures else "pictures"
    label = escaped(view.trainer.label)
    return compose(
        [
            text(
                heading(review, "May this finetune be kept?"),
                f"{who} has withdrawn {gone} that **{name_of(view)}** by <@{view.finetune.owner_id}> was trained on. "
                "What was learned from them cannot be taken out of it.",
            ),
            *([gallery(sheet)] if sheet else []),
            text(
                "**Keep the finetune**: everybody who could draw with it can again.\n"
                f"**Delete the finetune**: nobody can draw with it any more, its pictures are removed here, and "
                f"{label} is asked to delete it."
                if review.state is ReviewState.OPEN
                else _decision_text(review),
                *state_of(review, "Nobody can draw with it until you decide. Neither costs anything."),
                where(view.job, "The finetune"),
                f"-# `{review.id}`",
            ),
            *(
                row(decisions(review, approve="Keep the finetune", deny="Delete the finetune"))
                if review.state is ReviewState.OPEN
                else []
            ),
        ],
        colour=COLOURS[review.state],
        files=sheet,
    )


def _decision_text(review: Review) -> str | None:
    match review.state:
        case ReviewState.APPROVED:
            return "It is kept."
        case ReviewState.DENIED:
            return "It is deleted."
        case _:
            return "It stays frozen."
