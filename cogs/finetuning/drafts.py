"""Finds the draft that is pressed on, and shows on its card what has changed."""

from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.finetuning.types import OPEN, FinetuneView
from cogs.base.changes import show_card
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
    """Bring a finetune's card up to date. Who pressed on another message gets a link to the card."""
    view = await interaction.client.services.finetuning.views.of(finetune_id)
    assert view, "finetunes keep their row for ever"
    await show_card(interaction, view)
    return view
