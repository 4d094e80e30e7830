"""Finds the finetune that a member points at, and whether they may know of it."""

from bot.discord.buttons import Answer, acknowledge, answered_as
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.finetuning.types import FinetuneState, FinetuneView
from cogs.base.asking import roles_of
from cogs.base.finding import in_sight
from cogs.reviewing.moderators import moderates

BEFORE = (FinetuneState.DRAFT, FinetuneState.ASKING, FinetuneState.TRAINING, FinetuneState.UNKNOWN)
"""States of a finetune in which its card is for all who see the channel."""


async def finetune_of(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The finetune with that id, of this community, that the asker may know of.

    Raises:
        Refused: there is none, in the same words as where it is not shared with them.
    """
    return await _for_asker(interaction, await interaction.client.services.finetuning.views.of(finetune_id))


async def finetune_named(interaction: Interaction, text: str) -> FinetuneView:
    """The finetune of that name or id, that the asker may know of.

    Raises:
        Refused: there is none, in the same words as where it is not shared with them.
    """
    assert interaction.guild_id, "commands are in communities only"
    views = interaction.client.services.finetuning.views
    typed = text.strip()
    view = await views.find_by_name(interaction.guild_id, typed) or await views.of(typed.strip("`").lower())
    return await _for_asker(interaction, view)


async def check_known(interaction: Interaction, finetune_id: str) -> None:
    """Acknowledge, and look once more whether the asker may know of it, before a refusal that would say that it exists.

    Raises:
        Refused: they may not, in the same words as where there is none.
    """
    if answered_as(interaction) is None:
        await acknowledge(interaction, Answer.PRIVATE)
    await finetune_of(interaction, finetune_id)


async def usable_named(interaction: Interaction, text: str) -> FinetuneView:
    """The finetune of that name, which the asker may draw with just now.

    Raises:
        Refused: there is none, or it is not ready, frozen, or not shared with them.
    """
    view = await finetune_named(interaction, text)
    return await usable_of(interaction, view.finetune.id)


async def usable_of(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The finetune with that id, which the asker may draw with just now.

    Raises:
        Refused: there is none, or it is not ready, frozen, or not shared with them.
    """
    assert interaction.guild_id, "commands and buttons are in communities only"
    return await interaction.client.services.finetuning.finetunes.usable(
        finetune_id, guild_id=interaction.guild_id, user_id=interaction.user.id, roles=roles_of(interaction)
    )


async def _for_asker(interaction: Interaction, view: FinetuneView | None) -> FinetuneView:
    if (
        view is None
        or view.job.guild_id != interaction.guild_id
        or view.finetune.state is FinetuneState.DELETED
        or not await _may_know(interaction, view)
    ):
        raise Refused("There is no such finetune here, or it is not shared with you.")
    return view


async def _may_know(interaction: Interaction, view: FinetuneView) -> bool:
    """Its owner, its contributors, the moderators, and who may draw with it; until it is ready, who sees its card."""
    user_id = interaction.user.id
    if user_id == view.finetune.owner_id or user_id in view.contributors:
        return True
    finetunes = interaction.client.services.finetuning.finetunes
    if await finetunes.may_use(view.finetune.id, user_id=user_id, roles=roles_of(interaction)):
        return True
    if await moderates(interaction):
        return True
    return view.finetune.state in BEFORE and await in_sight(interaction, view.job.channel_id)
