"""`/audit`: who decided what, when, and on what they saw; for those who manage the server."""

import io
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.cards.reviewing.audit import audit_text, export_text
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.reviewing.audit import as_csv, as_json, day_of
from cogs.base.options import Day, Pointer

DAY = 86_400.0


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Audit(commands.GroupCog, group_name="audit", group_description="Who decided what in this server, and when"):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        format="CSV for a spreadsheet, JSON for a program; from JSON every hash can be computed again",
        since="The first day, such as 2026-11-01; otherwise from the beginning",
        until="The last day, such as 2026-11-30; otherwise up to now",
    )
    async def export(
        self,
        interaction: Interaction,
        format: Literal["csv", "json"] = "csv",  # noqa: A002 - the option's name
        since: Day | None = None,
        until: Day | None = None,
    ) -> None:
        """Send you the audit of this server as a file."""
        await acknowledge(interaction, Answer.PRIVATE)
        check_manager(interaction)
        assert interaction.guild_id, "commands are in communities only"
        start = day_of(since) if since else 0.0
        end = day_of(until) + DAY if until else None
        export = await self._client.services.reviewing.audit.export(interaction.guild_id, since=start, before=end)
        content = as_csv(export.entries) if format == "csv" else as_json(export)
        if len(content) > interaction.filesize_limit:
            raise Refused("That is more than Discord takes as one file. Ask for fewer days with “since” and “until”.")
        file = discord.File(io.BytesIO(content), filename=f"audit-{interaction.guild_id}.{format}")
        await interaction.edit_original_response(
            content=export_text(len(export.entries), export.head), attachments=[file]
        )

    @app_commands.command()
    @app_commands.describe(subject="The id of what was decided about, as it stands in small print on its card")
    async def show(self, interaction: Interaction, subject: Pointer) -> None:
        """Show what was decided about one request, by whom and when."""
        await acknowledge(interaction, Answer.PRIVATE)
        check_manager(interaction)
        subject = subject.strip().strip("`")
        assert interaction.guild_id, "commands are in communities only"
        entries = await self._client.services.reviewing.audit.entries_about(interaction.guild_id, subject)
        await interaction.edit_original_response(content=audit_text(subject, entries))


def check_manager(interaction: Interaction) -> None:
    """Discord's own rule for the command can be changed in its settings, so the bot asks, too.

    Raises:
        Refused: the asker does not manage the server.
    """
    if not interaction.permissions.manage_guild:
        raise Refused("Only those who may manage this server can read its audit.")


async def setup(client: Client) -> None:
    await client.add_cog(Audit(client))
