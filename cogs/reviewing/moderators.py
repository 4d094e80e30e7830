"""Checks that the person who presses is a moderator of this community."""

from bot.discord.client import Interaction
from bot.workflows.reviewing.types import Moderator
from cogs.base.asking import roles_of


def moderator(interaction: Interaction) -> Moderator:
    """The presser as Discord describes them at this very press."""
    assert interaction.guild_id, "commands and buttons are in communities only"
    permissions = interaction.permissions
    return Moderator(
        user_id=interaction.user.id,
        role_ids=frozenset(roles_of(interaction)),
        administrator=permissions.administrator or permissions.manage_guild,
        guild_id=interaction.guild_id,
    )


async def moderates(interaction: Interaction) -> bool:
    """Whether the presser is a moderator here."""
    return await interaction.client.services.reviewing.decisions.is_moderator(moderator(interaction))


async def check_moderator(interaction: Interaction) -> None:
    """
    Raises:
        Refused: the presser is no moderator here.
    """
    await interaction.client.services.reviewing.decisions.check_moderator(moderator(interaction))
