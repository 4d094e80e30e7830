"""The review queue: approve, deny with a reason, claim; and `/review` for the oldest question."""

import discord
from discord import app_commands
from discord.ext import commands
from discord.ui import TextInput

from bot import cards
from bot.buttons import Answer, Form, Press, acknowledge, given
from bot.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.request import RequestView
from cogs.asking import moderates, moderator
from storage import communities, reviews
from storage.reviews import Review

MOST_REASON = 500
"""Characters of a reason: the member reads it on their card."""


async def approve(interaction: Interaction, subject: str) -> None:
    review_id, _, digest = subject.partition(":")
    await _check_community(interaction, review_id)
    decisions = interaction.client.services.decisions
    await _show_decided(
        interaction, await decisions.decide(review_id, moderator(interaction), approve=True, digest=digest)
    )


async def open_denial(interaction: Interaction, subject: str) -> None:
    """A form that asks for the reason. Who may not decide does not get as far as typing one."""
    review_id, _, _ = subject.partition(":")
    await _check_community(interaction, review_id)
    if not await moderates(interaction):
        raise Refused("Only this community's moderators can decide this.")
    form = Form("rev:denied", subject, "Deny this request")
    reason = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_REASON, required=True)
    form.ask("reason", "Why?", reason, "The member will read this.")
    await interaction.response.send_modal(form)


async def denied(interaction: Interaction, subject: str) -> None:
    review_id, _, digest = subject.partition(":")
    await _check_community(interaction, review_id)
    reason = given(interaction)["reason"]
    decisions = interaction.client.services.decisions
    review = await decisions.decide(review_id, moderator(interaction), approve=False, digest=digest, reason=reason)
    await _show_decided(interaction, review)


async def claim(interaction: Interaction, review_id: str) -> None:
    await _check_community(interaction, review_id)
    review = await interaction.client.services.decisions.claim(review_id, moderator(interaction))
    await _show_decided(interaction, review)


class Reviews(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    async def review(self, interaction: Interaction) -> None:
        """Show the question that has waited longest for a moderator."""
        await acknowledge(interaction, Answer.PRIVATE)
        services = self._client.services
        assert interaction.guild_id, "commands are in communities only"
        if not await moderates(interaction):
            raise Refused("Only this community's moderators can decide.")
        async with services.database.read() as db:
            waiting = await reviews.open_ones(db, interaction.guild_id, limit=1)
        view = await services.requests.views.of(waiting[0].subject) if waiting else None
        if view is None:
            await interaction.edit_original_response(content="Nothing waits for a decision.")
            return
        await _answer(interaction, waiting[0], view)


async def _check_community(interaction: Interaction, review_id: str) -> None:
    review = await interaction.client.services.decisions.find(review_id)
    if review.guild_id != interaction.guild_id:
        raise Refused("This question is another community's.")


async def _show_decided(interaction: Interaction, review: Review) -> None:
    """Bring the question's card and the request's up to date, and the copy of the question that was pressed."""
    services = interaction.client.services
    view = await services.requests.views.of(review.subject)
    if view is None:
        return
    if interaction.message and interaction.message.id != review.message_id:
        await _answer(interaction, review, view)
    await services.delivery.decided(review, view)
    if not view.ended:  # else the worker shows its end
        await services.delivery.refresh(view)


async def _answer(interaction: Interaction, review: Review, view: RequestView) -> None:
    async with interaction.client.services.database.read() as db:
        community = await communities.find(db, review.guild_id)
    card = cards.review_card(review, view, limit=community.confirm_above)
    await interaction.edit_original_response(view=card.view)


async def setup(client: Client) -> None:
    for verb, press in {
        "rev:ok": Press(approve, Answer.SILENT),
        "rev:deny": Press(open_denial, Answer.FORM),
        "rev:denied": Press(denied, Answer.SILENT),
        "rev:claim": Press(claim, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
    await client.add_cog(Reviews(client))
