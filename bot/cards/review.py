"""What moderators see of an approval request, while it is open and after it was decided."""

import discord

from bot.buttons import PressButton, button
from bot.cards.card import Card, compose, row, text
from bot.cards.words import counted, model_label, moment, money, quoted
from bot.workflows.request import RequestView
from storage.jobs import Job
from storage.reviews import Review, ReviewState

PROMPT = 1000
"""Characters of a prompt: a moderator decides on it, so there are more than on the member's own card."""
DIGEST = 12
"""Characters of the digest that a button carries: a decision is bound to what this card shows."""


def review_card(review: Review, view: RequestView) -> Card:
    request, count = view.request, len(view.pictures)
    above = f", above this server's limit of {money(view.limit)}" if view.limit is not None else ""
    asked = (
        f"<@{review.requested_by}> would like {counted(count)} from {model_label(request.model)}, "
        f"for about {money(view.job.cost_estimated)}{above}."
    )
    return compose(
        [
            text(
                heading(review, "May this be drawn?"),
                asked,
                f"> {quoted(request.prompt, PROMPT)}" if request.prompt.strip() else None,
            ),
            text(
                f"With {counted(len(request.inputs), 'image')} put in." if request.inputs else None,
                *state_of(review, "Nothing is drawn or charged until you decide."),
                where(view.job),
                f"-# `{review.id}`",
            ),
            *(row(decisions(review)) if review.state is ReviewState.OPEN else []),
        ],
        colour=COLOURS[review.state],
    )


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


def state_of(review: Review, waiting: str) -> list[str]:
    """Who has decided what; while it is open, `waiting` says what it holds up."""
    if review.state is ReviewState.OPEN:
        lines = [f"{waiting} It closes {moment(review.expires_at, 'R')}."]
        if review.claimed_by and review.claimed_until:
            lines.append(f"<@{review.claimed_by}> has this one until {moment(review.claimed_until, 't')}.")
        return lines
    by = f" by <@{review.decided_by}>" if review.decided_by else ""
    when = f" {moment(review.decided_at, 'f')}" if review.decided_at else ""
    lines = [f"{review.state.value.capitalize()}{by}{when}."]
    if review.reason:
        lines.append(f"Reason: {quoted(review.reason, 600)}")
    return lines


def where(job: Job, what: str = "The request") -> str:
    """A link to the card of what is asked about."""
    if job.message_id is None:
        return f"-# In <#{job.channel_id}>"
    return f"-# [{what}](https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id})"


def decisions(review: Review, *, approve: str = "Approve", deny: str = "Deny") -> list[PressButton]:
    subject = f"{review.id}:{review.digest[:DIGEST]}"
    return [
        button("rev:ok", subject, approve, style=discord.ButtonStyle.success),
        button("rev:deny", subject, deny, style=discord.ButtonStyle.danger),
        button("rev:claim", review.id, "Claim"),
    ]
