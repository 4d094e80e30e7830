"""Shows a question after a press, and as a step of the walk through the queue."""

from collections.abc import Awaitable, Sequence

from bot.cards.base.layout import Card
from bot.cards.reviewing.queue import queue_is_empty, walk_card
from bot.discord.buttons import custom_ids
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.base.cards import CardView
from bot.workflows.reviewing.types import Review
from cogs.base.asking import reply
from cogs.reviewing.moderators import moderator

_WALK = ("1:rev:prev:", "1:rev:next:")
"""The buttons by which a card is known as a step of the walk through the queue."""


async def show_change(interaction: Interaction, review_id: str, change: Awaitable[Review]) -> None:
    """Show what a moderator's press has changed.

    Raises:
        Refused: it has changed nothing; the card that was pressed shows how the question stands all the same.
    """
    attempt = await interaction.client.services.reviewing.decisions.attempt(review_id, moderator(interaction), change)
    await _show_everywhere(interaction, attempt.review)
    if attempt.refusal is not None:
        raise Refused(attempt.refusal)


async def show_first(interaction: Interaction, questions: Sequence[Review]) -> bool:
    """Make the answer the first of these steps whose subject still exists; False where there is none."""
    for review in questions:
        view = await interaction.client.services.views.of(review.subject)
        if view is not None:
            await reply(interaction, await _step_card(interaction, review, view))
            return True
    return False


async def walk_on(interaction: Interaction, questions: Sequence[Review]) -> None:
    """Turn the card that was pressed into the first of these steps, or into the end of the walk."""
    if not await show_first(interaction, questions):
        await reply(interaction, queue_is_empty())


async def _show_everywhere(interaction: Interaction, review: Review) -> None:
    """Bring the question's card and the request's up to date, and the copy of the question that was pressed."""
    services = interaction.client.services
    view = await services.views.of(review.subject)
    if view is None:
        return
    pressed = interaction.message
    if pressed and review.message_id is None and not pressed.flags.ephemeral:
        review = await services.reviewing.decisions.note_card(
            review, message_id=pressed.id, channel_id=pressed.channel.id
        )
    shown = await services.delivery.decided(review, view)
    if not view.ended:  # else the worker shows its end
        await services.delivery.refresh(view)
    if pressed and (pressed.id != review.message_id or not shown):
        walks = any(each.startswith(_WALK) for each in custom_ids(pressed.components))
        card = await _step_card(interaction, review, view) if walks else services.faces.review_card(review, view)
        await reply(interaction, card)


async def _step_card(interaction: Interaction, review: Review, view: CardView) -> Card:
    services = interaction.client.services
    step = await services.reviewing.queue.step(review, moderator(interaction))
    return walk_card(services.faces.review_card(review, view), review, step)
