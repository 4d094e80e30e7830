"""The review queue: approve, deny with a reason, claim; and `/review` for the oldest approval request."""

from collections.abc import Awaitable

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import TextInput

from bot import cards
from bot.buttons import Answer, Form, Press, acknowledge, given
from bot.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.shown import Shown
from cogs.asking import check_moderator, moderates, moderator, reply
from storage import reviews
from storage.reviews import Review

MOST_REASON = 500
"""Characters of a reason: the member reads it on their card."""


async def approve(interaction: Interaction, subject: str) -> None:
    review_id, _, digest = subject.partition(":")
    await _check_community(interaction, review_id)
    decisions = interaction.client.services.decisions
    await _show(
        interaction, review_id, decisions.decide(review_id, moderator(interaction), approve=True, digest=digest)
    )


async def open_denial(interaction: Interaction, subject: str) -> None:
    """A form that asks for the reason. Who may not decide does not get as far as typing one."""
    review_id, _, _ = subject.partition(":")
    await _check_community(interaction, review_id)
    await check_moderator(interaction)
    form = Form("rev:denied", subject, "Deny this request")
    reason = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_REASON, required=True)
    form.ask("reason", "Why?", reason, "The member will read this.")
    await interaction.response.send_modal(form)


async def denied(interaction: Interaction, subject: str) -> None:
    review_id, _, digest = subject.partition(":")
    await _check_community(interaction, review_id)
    reason = given(interaction)["reason"]
    decisions = interaction.client.services.decisions
    denial = decisions.decide(review_id, moderator(interaction), approve=False, digest=digest, reason=reason)
    await _show(interaction, review_id, denial)


async def claim(interaction: Interaction, review_id: str) -> None:
    await _check_community(interaction, review_id)
    await _show(interaction, review_id, interaction.client.services.decisions.claim(review_id, moderator(interaction)))


class Reviews(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    async def review(self, interaction: Interaction) -> None:
        """Show the approval request that has waited longest for a moderator."""
        await acknowledge(interaction, Answer.PRIVATE)
        services = self._client.services
        assert interaction.guild_id, "commands are in communities only"
        await check_moderator(interaction)
        async with services.database.read() as db:
            waiting = await reviews.open_ones(db, interaction.guild_id, limit=1)
        view = await services.views_any.of(waiting[0].subject) if waiting else None
        if view is None:
            await interaction.edit_original_response(content="Nothing waits for a decision.")
            return
        await _answer(interaction, waiting[0], view)


async def _check_community(interaction: Interaction, review_id: str) -> None:
    review = await interaction.client.services.decisions.find(review_id)
    if review.guild_id != interaction.guild_id:
        raise Refused("This approval request is another server's.")


async def _show(interaction: Interaction, review_id: str, change: Awaitable[Review]) -> None:
    """Show what a moderator's press has changed; what it was too late for shows the card that was pressed, too."""
    try:
        review = await change
    except Refused:
        if await moderates(interaction):
            await _show_decided(interaction, await interaction.client.services.decisions.find(review_id))
        raise
    await _show_decided(interaction, review)


async def _show_decided(interaction: Interaction, review: Review) -> None:
    """Bring the question's card and the request's up to date, and the copy of the question that was pressed."""
    services = interaction.client.services
    view = await services.views_any.of(review.subject)
    if view is None:
        return
    shown = await services.delivery.decided(review, view)
    if not view.ended:  # else the worker shows its end
        await services.delivery.refresh(view)
    if interaction.message and (interaction.message.id != review.message_id or not shown):
        await _answer(interaction, review, view)


async def _answer(interaction: Interaction, review: Review, view: Shown) -> None:
    await reply(interaction, cards.review_card_for(review, view, interaction.client.services.media))


async def setup(client: Client) -> None:
    for verb, press in {
        "rev:ok": Press(approve, Answer.SILENT),
        "rev:deny": Press(open_denial, Answer.FORM),
        "rev:denied": Press(denied, Answer.SILENT),
        "rev:claim": Press(claim, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
    await client.add_cog(Reviews(client))
