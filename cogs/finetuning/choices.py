"""What a member can choose a finetune, or what draws with it, from."""

from discord.app_commands import Choice

from bot import limits
from bot.discord.client import Interaction
from bot.providers.parameters import Model
from cogs.base.asking import roles_of
from cogs.community.choices import suggest_of


async def suggest_ready(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """The finetunes that the asker may draw with just now, newest first."""
    return await _suggest_finetunes(interaction, typed, ready=True)


async def suggest_finetunes(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """What the asker owns or may use, also what is not trained yet."""
    return await _suggest_finetunes(interaction, typed, ready=False)


async def suggest_drawing(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """What draws with the finetune that the option `name` names."""
    return await suggest_of(interaction, await models_of(interaction, interaction.namespace.name), typed)


async def models_of(interaction: Interaction, name: str | None) -> list[Model]:
    """What draws with the finetune of that name; nothing where the asker may not."""
    assert interaction.guild_id, "commands are in communities only"
    if not name:
        return []
    return await interaction.client.services.finetuning.choices.load_models(
        name, guild_id=interaction.guild_id, user_id=interaction.user.id, roles=roles_of(interaction)
    )


async def _suggest_finetunes(interaction: Interaction, typed: str, *, ready: bool) -> list[Choice[str]]:
    assert interaction.guild_id, "commands are in communities only"
    choices = await interaction.client.services.finetuning.choices.search(
        typed, guild_id=interaction.guild_id, user_id=interaction.user.id, roles=roles_of(interaction), ready=ready
    )
    return [
        Choice(name=f"{each.name} — {each.obstacle}" if each.obstacle else each.name, value=each.name)
        for each in choices[: limits.CHOICES]
    ]
