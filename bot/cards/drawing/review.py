"""What moderators see of a request that costs more than their community's limit."""

from bot.cards.base.layout import Card, compose, row, text
from bot.cards.base.words import counted, model_label, money, quoted
from bot.cards.reviewing.card import COLOURS, decisions, heading, state_of, where
from bot.workflows.drawing.types import RequestView
from storage.reviewing.reviews import Review, ReviewState

PROMPT = 1000
"""Characters of a prompt: a moderator decides on it, so there are more than on the member's own card."""


def spending_review_card(review: Review, view: RequestView) -> Card:
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
