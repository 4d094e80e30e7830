"""`/settings`: a member's own defaults."""

from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.cards.community.settings import defaults_text
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Client, Interaction
from bot.providers.catalogue import RATIO
from bot.workflows.community.models import painter_named
from cogs.base.options import Choice, Ratio
from cogs.community.choices import FORMATS, Count, Safety, suggest_painters, suggest_ratios


class Account(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        model="Your usual model",
        aspect_ratio="Your usual shape, width to height",
        count="How many pictures you usually want",
        output_format="Your usual file format",
        safety_tolerance="How much the moderation usually lets pass, within what each server allows",
        spoiler="Whether your pictures are usually hidden until they are clicked",
        reset="Forget all that you chose before",
    )
    @app_commands.choices(output_format=FORMATS)
    @app_commands.autocomplete(model=suggest_painters, aspect_ratio=suggest_ratios)
    async def settings(
        self,
        interaction: Interaction,
        model: Choice | None = None,
        aspect_ratio: Ratio | None = None,
        count: Count | None = None,
        output_format: str | None = None,
        safety_tolerance: Safety | None = None,
        spoiler: bool | None = None,
        reset: bool = False,
    ) -> None:
        """Show or change what is used when you leave it out of /imagine."""
        await acknowledge(interaction, Answer.PRIVATE)
        options: dict[str, Any] = {
            "model": painter_named(model).key if model else None,
            "aspect_ratio": RATIO.read(aspect_ratio) if aspect_ratio else None,
            "count": count,
            "output_format": output_format,
            "safety_tolerance": safety_tolerance,
            "spoiler": spoiler,
        }
        changes = {name: value for name, value in options.items() if value is not None}
        members = self._client.services.community.members
        defaults = await members.change_defaults(interaction.user.id, changes, reset=reset)
        await interaction.edit_original_response(content=defaults_text(defaults))


async def setup(client: Client) -> None:
    await client.add_cog(Account(client))
