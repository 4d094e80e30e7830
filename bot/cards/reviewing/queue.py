"""The steps of a walk through the queue, the results of several denials, and the reminders in the review channel."""

from collections.abc import Sequence

import discord

from bot import limits
from bot.cards.base.faces import Faces
from bot.cards.base.layout import Card, compose, extended, row, text
from bot.cards.base.words import counted, moment, quoted, sentence, shortened
from bot.cards.reviewing.card import closing_of
from bot.discord.buttons import button
from bot.workflows.base.cards import CardView
from bot.workflows.reviewing.reminders import Reminder
from bot.workflows.reviewing.types import Denial, Step
from storage.reviewing.reviews import Review, ReviewState

MOST_LINES = 10
"""Questions that a reminder names one by one."""
EMPTY = "Nothing waits for a decision."


def title_of(faces: Faces, review: Review, view: CardView | None, limit: int = 60) -> str:
    """What is asked about, as plain text on one line."""
    title = shortened(" ".join(faces.title(view).split()), limit)
    return f"{faces.kind_of(review)}: {title}" if title else faces.kind_of(review)


def walk_card(card: Card, review: Review, step: Step) -> Card:
    """A question's card with the way through the queue."""
    note, standing = None, step.standing
    if review.state is ReviewState.OPEN and standing.bar:
        note = f"**You cannot decide this one.** {sentence(standing.bar)}"
    elif review.state is ReviewState.OPEN and standing.objection:
        note = (
            f"{sentence(standing.objection)} The admin's override lets you decide all the same; it is written down as "
            "decided under it."
        )
    place, count = step.place, step.count
    label = f"{place} of {count}" if place else f"{count} left"
    buttons = row(
        [
            button("rev:prev", review.id, "Previous", disabled=count < 2),
            button("rev:look", review.id, label, disabled=True),
            button("rev:next", review.id, "Next", disabled=count < 1 or (count == 1 and place is not None)),
            button("rev:several", review.id, "Deny several", style=discord.ButtonStyle.danger, disabled=count < 1),
            *([button("rev:reasons", review.id, "Saved reasons")] if step.reasons else []),
        ]
    )
    # A text that has no room here is shown at a press of the card's buttons.
    fits = card.view.content_length() + len(note or "") <= limits.CARD_CHARACTERS
    return extended(card, [*([text(note)] if note and fits else []), *buttons])


def queue_is_empty() -> Card:
    """What a moderator sees who has walked to the end."""
    return compose([text(EMPTY)])


def choices_text(faces: Faces, questions: Sequence[tuple[Review, CardView | None]]) -> str:
    """Who has asked for what, for a form that can say names only beside its choices."""
    lines = [
        f"{place}. <@{review.requested_by}>, {moment(review.created_at, 'R')}: "
        f"{quoted(title_of(faces, review, view, 40), 60)}"
        for place, (review, view) in enumerate(questions, start=1)
    ]
    return shortened("\n".join(["What would you like to deny?", *lines]), limits.CARD_CHARACTERS)


def choice_of(faces: Faces, place: int, review: Review, view: CardView | None, *, now: float) -> tuple[str, str]:
    """The label and the description of one choice."""
    label = shortened(f"{place}. {title_of(faces, review, view, 80)}", limits.CHOICE_CHARACTERS)
    waited = now - review.created_at
    age = f"{waited / 86_400:.0f} days" if waited >= 2 * 86_400 else f"{waited / 3600:.0f} hours"
    return label, f"Waiting for {age if waited >= 2 * 3600 else counted(max(1, round(waited / 60)), 'minute')}"


def denials_text(faces: Faces, denials: Sequence[tuple[Denial, CardView | None]]) -> str:
    """Which were denied, and why others were not."""
    done = [each for each in denials if each[0].refusal is None]
    late = [each for each in denials if each[0].refusal is not None]
    lines = [
        f"Denied {counted(len(done), 'request')}. Their members read the reason; nothing was charged for them."
        if done
        else "Nothing was denied.",
        *(f"- {_named(faces, denial, view)}" for denial, view in done),
        *(["Not denied:"] if late else []),
        *(f"- {_named(faces, denial, view)}: {denial.refusal}" for denial, view in late),
    ]
    return shortened("\n".join(lines), limits.ANSWER_CHARACTERS)


def _named(faces: Faces, denial: Denial, view: CardView | None) -> str:
    if denial.review is None:
        return f"`{denial.review_id}`"
    return f"{quoted(title_of(faces, denial.review, view), 80)} (<@{denial.review.requested_by}>)"


def reminder_card(faces: Faces, reminder: Reminder) -> Card:
    """The reminder in the review channel of questions that wait."""
    waiting, count = reminder.reviews, len(reminder.reviews)
    called = f"<@&{reminder.called}>: " if reminder.called else ""
    verb = "waits" if count == 1 else "wait"
    if reminder.daily:
        since = f"since {moment(waiting[0].created_at, 'f')}"
        summary = (
            f"{counted(count, 'request')} still {verb} for a moderator, {'' if count == 1 else 'the oldest '}{since}."
        )
        lines: list[str] = []
    else:
        summary = f"{called}{counted(count, 'request')} {verb} for a moderator."
        lines = [_line(faces, review) for review in waiting[:MOST_LINES]]
        if count > MOST_LINES:
            lines.append(f"- and {counted(count - MOST_LINES, 'other')}")
    return compose(
        [
            text(summary, *lines, reminder.note, "-# Approve or deny, and this stops. `/review` shows all that waits."),
            *row([button("rev:look", f"{reminder.first_id}:{reminder.number}", "Review")]),
        ],
        colour=discord.Colour.gold(),
    )


def _line(faces: Faces, review: Review) -> str:
    card = f"https://discord.com/channels/{review.guild_id}/{review.channel_id}/{review.message_id}"
    closes = closing_of(review)
    named = f"[{faces.kind_of(review)}]({card})" if review.message_id else faces.kind_of(review)
    return f"- {named} of <@{review.requested_by}>, asked {moment(review.created_at, 'R')}" + (
        f", closes {closes}" if closes else ""
    )
