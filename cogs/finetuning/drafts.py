"""Finds the draft that is pressed on, and shows on its card what has changed."""

from discord import InteractionResponseType

from bot.discord.buttons import say
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.finetuning.types import OPEN, FinetuneView
from cogs.finetuning.finding import finetune_of


async def draft_of(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The draft with that id.

    Raises:
        Refused: it is no draft any more, or the asker may not know of it.
    """
    view = await finetune_of(interaction, finetune_id)
    if view.finetune.state not in OPEN:
        raise Refused("This finetune is not being put together any more.")
    return view


async def own_draft(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The asker's own draft with that id.

    Raises:
        Refused: it is no draft any more, or somebody else's.
    """
    view = await draft_of(interaction, finetune_id)
    if view.finetune.owner_id != interaction.user.id:
        raise Refused(f"Only <@{view.finetune.owner_id}> can change this draft.")
    return view


async def show_changed(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """Bring a finetune's card up to date. Whoever pressed on another message gets a link to the card."""
    services = interaction.client.services
    view = await services.finetuning.views.of(finetune_id)
    assert view, "finetunes keep their row for ever"
    await services.delivery.show(view)
    silent = interaction.response.type is InteractionResponseType.deferred_message_update
    card_id, pressed = view.job.message_id, interaction.message
    if silent and card_id is not None and pressed is not None and pressed.id != card_id:
        job = view.job
        await say(interaction, f"Done: https://discord.com/channels/{job.guild_id}/{job.channel_id}/{card_id}")
    return view
