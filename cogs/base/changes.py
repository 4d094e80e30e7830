"""Brings a card up to date after a press has changed what it shows."""

from discord import InteractionResponseType

from bot.discord.buttons import answered_as, say
from bot.discord.client import Interaction
from bot.workflows.base.cards import CardView


async def show_card(interaction: Interaction, view: CardView) -> None:
    """Bring the card up to date. Who pressed a button on another message gets a link to the card."""
    await interaction.client.services.delivery.show(view)
    silent = answered_as(interaction) is InteractionResponseType.deferred_message_update
    job, pressed = view.job, interaction.message
    if silent and job.message_id is not None and pressed is not None and pressed.id != job.message_id:
        await say(interaction, f"Done: https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id}")
