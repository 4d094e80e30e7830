"""What the cards of approval requests have in common, while they are open and after they were decided."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import ui

from bot.cards.base.layout import row
from bot.cards.base.words import moment, quoted, sentence
from bot.discord.buttons import PressButton, button
from storage.base.jobs import Job
from storage.reviewing.reviews import Exchange, Review, ReviewState

DIGEST = 12
"""Characters of the digest that a button carries: a decision is bound to what this card shows."""
OPEN_ENDED = 365 * 86_400.0
"""Seconds. A question that is open for longer waits until somebody decides: its end is nothing to tell."""
MOST_TALK = 3
"""Questions and answers that a card shows."""
TALK = 500
"""Characters of the last of them: as many as one may have."""


COLOURS = {
    ReviewState.OPEN: discord.Colour.blurple(),
    ReviewState.APPROVED: discord.Colour.green(),
    ReviewState.DENIED: discord.Colour.red(),
    ReviewState.WITHDRAWN: None,
    ReviewState.EXPIRED: None,
}


def heading(review: Review, question: str) -> str:
    match review.state:
        case ReviewState.OPEN:
            return f"### {question}"
        case ReviewState.APPROVED:
            return "### Approved"
        case ReviewState.DENIED:
            return "### Denied"
        case ReviewState.WITHDRAWN:
            return "### Withdrawn"
        case ReviewState.EXPIRED:
            return "### Closed without an answer"


def state_of(review: Review, waiting: str, *, override: str | None = None) -> list[str]:
    """Who has decided what; while it is open, `waiting` says what it holds up.

    `override` is why the decider should not have decided, where the admin's override let them.
    """
    if review.state is ReviewState.OPEN:
        closes = closing_of(review)
        lines = [f"{waiting} It closes {closes}." if closes else waiting]
        if review.claimed_by and review.claimed_until:
            lines.append(f"<@{review.claimed_by}> has this one until {moment(review.claimed_until, 't')}.")
        return lines
    by = f" by <@{review.decided_by}>" if review.decided_by else ""
    when = f" {moment(review.decided_at, 'f')}" if review.decided_at else ""
    lines = [f"{review.state.value.capitalize()}{by}{when}."]
    if override:
        lines.append(f"Decided under the admin's override: {sentence(override)}")
    if review.reason:
        lines.append(f"Reason: {quoted(review.reason, 600)}")
    return lines


def closing_of(review: Review) -> str | None:
    """When an open question closes by itself; None for one that waits until somebody decides."""
    if review.expires_at - review.created_at > OPEN_ENDED:
        return None
    return moment(review.expires_at, "R")


def talk_of(exchanges: Iterable[Exchange]) -> list[str]:
    """What moderators have asked and the member has answered, oldest first: the last in full, and what led to it."""
    lines: list[str] = []
    last = [*exchanges][-MOST_TALK:]
    for place, exchange in enumerate(last, start=1):
        most = TALK if place == len(last) else TALK // 5
        lines.append(
            f"<@{exchange.asked_by}> asked {moment(exchange.asked_at, 'R')}: {quoted(exchange.question, most)}"
        )
        lines.append("*Not answered yet.*" if exchange.answer is None else f"Answer: {quoted(exchange.answer, most)}")
    return lines


def where(job: Job, what: str = "The request") -> str:
    """A link to the card of what is asked about."""
    if job.message_id is None:
        return f"-# In <#{job.channel_id}>"
    return f"-# [{what}](https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id})"


def decisions(review: Review, *, ask: bool = False, approve: str = "Approve", deny: str = "Deny") -> list[PressButton]:
    """The buttons of an open question. `ask` where the member can be asked something about it."""
    subject = f"{review.id}:{review.digest[:DIGEST]}"
    return [
        button("rev:ok", subject, approve, style=discord.ButtonStyle.success),
        button("rev:deny", subject, deny, style=discord.ButtonStyle.danger),
        *([button("rev:ask", review.id, "Ask")] if ask else []),
        button("rev:claim", review.id, "Claim"),
    ]


def undo_row(review: Review) -> list[ui.Item[Any]]:
    """The way back after an approval; no row where there is none to take back."""
    approved = review.state is ReviewState.APPROVED
    return row([button("rev:undo", review.id, "Undo", style=discord.ButtonStyle.danger)] if approved else [])
