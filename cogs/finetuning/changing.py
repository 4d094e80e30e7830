"""What follows a change of a finetune: its card shows it."""

from discord import InteractionResponseType

from bot.discord.buttons import say
from bot.discord.client import Interaction
from bot.workflows.finetuning.types import FinetuneView


async def show_changed(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """Bring a finetune's card up to date. Who pressed on another message is told where the card is."""
    services = interaction.client.services
    view = await services.finetuning.views.of(finetune_id)
    assert view, "it was there just now"
    await services.delivery.show(view)
    silent = interaction.response.type is InteractionResponseType.deferred_message_update
    card_id, pressed = view.job.message_id, interaction.message
    if silent and card_id is not None and pressed is not None and pressed.id != card_id:
        job = view.job
        await say(interaction, f"Done: https://discord.com/channels/{job.guild_id}/{job.channel_id}/{card_id}")
    return view
