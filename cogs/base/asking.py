"""What an interaction says: who asks, where, what they attach, and what the bot may do there."""

import asyncio
from pathlib import Path

import discord

from bot.cards.base.layout import Card, without_files
from bot.discord.attachments import MessageFile, download, name_of
from bot.discord.buttons import card_of
from bot.discord.client import Client, Interaction
from bot.discord.permissions import age_restricted, missing
from bot.discord.refusals import refusal_of_files
from bot.errors import Refused
from bot.workflows.base.types import Origin, Upload


def origin(interaction: Interaction) -> Origin:
    """Who asks and where; the answer that `acknowledge` has begun will be the card."""
    assert interaction.guild_id, "commands and buttons are in communities only"
    assert interaction.channel_id, "commands and buttons are in a channel"
    return Origin(
        interaction_id=interaction.id,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        message_id=card_of(interaction),
        nsfw=age_restricted(interaction.channel),
        role_ids=roles_of(interaction),
    )


def roles_of(interaction: Interaction) -> tuple[int, ...]:
    """The roles that the asker has at this moment."""
    member = interaction.user
    return tuple(role.id for role in member.roles) if isinstance(member, discord.Member) else ()


def check_place(interaction: Interaction) -> None:
    """Whether the bot may post here when the interaction is long over.

    Raises:
        Refused: it may not; the sentence names what is missing, or that the thread is locked.
    """
    channel, granted = interaction.channel, interaction.app_permissions
    if isinstance(channel, discord.Thread) and channel.locked and not granted.manage_threads:
        raise Refused(
            "This thread is locked, so the bot could not deliver here. Nothing was charged. Please ask in another "
            "channel, or have a moderator unlock it."
        )
    lacking = missing(granted, channel)
    if lacking:
        raise Refused(
            f"The bot could not deliver here: it lacks {', '.join(f'“{name}”' for name in lacking)} in this channel. "
            "Please ask someone who manages the server to allow it."
        )


async def reply(interaction: Interaction, card: Card) -> None:
    """Make a card the answer that only the asker sees; without its files where Discord refuses those alone."""
    try:
        await _reply(interaction, card)
    except discord.HTTPException as error:
        why = refusal_of_files(error)
        if not card.files or why is None:
            raise
        note = f"The pictures cannot be shown here. {why} Do the same in a channel that takes them."
        await _reply(interaction, without_files(card, note))


async def _reply(interaction: Interaction, card: Card) -> None:
    files = card.open_files()
    try:
        await interaction.edit_original_response(view=card.view, attachments=files)
    finally:
        for file in files:
            file.close()


def attached(client: Client, file: discord.Attachment | MessageFile) -> Upload:
    """A file that a member attached, or that a message shows, by the link that Discord gave for it; good for hours."""
    if isinstance(file, discord.Attachment):
        file = MessageFile(name_of(file), file.url, file.size, file.content_type or "")

    async def save(path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, await download(client, file))

    return Upload(name=file.name, size=file.size, save=save)
