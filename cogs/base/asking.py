"""From an interaction to a request under way: who asks, where, and what the bot may do there."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import discord

from bot.cards.base.layout import Card
from bot.discord.buttons import Answer, acknowledge, card_of, settle
from bot.discord.client import Client, Interaction
from bot.discord.permissions import age_restricted, missing
from bot.errors import Refused, Unavailable
from bot.workflows.base.types import Origin, Upload
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.reviewing.verbs import Moderator
from storage.drawing.images import Image


async def draw(interaction: Interaction, request: ImageRequest, uploads: Mapping[str, Upload] | None = None) -> None:
    """Accept a request, and make the answer to this interaction its card.

    Raises:
        Refused: as `Requests.accept`; or the bot could not deliver here.
    """
    services = interaction.client.services
    check_place(interaction)
    if not interaction.response.is_done():
        await acknowledge(interaction, Answer.PUBLIC)
    job = await services.drawing.requests.accept(origin(interaction), request, uploads)
    settle(interaction)
    services.delivery.remember(job.id, interaction)
    view = await services.drawing.views.of(job.id)
    assert view, "it was accepted just now"
    await services.delivery.show(view)


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
        Refused: it may not; the sentence names what is missing.
    """
    lacking = missing(interaction.app_permissions, interaction.channel)
    if lacking:
        raise Refused(
            f"The bot could not deliver here: it lacks {', '.join(f'“{name}”' for name in lacking)} in this channel. "
            "Please ask someone who manages the server to allow it."
        )


def moderator(interaction: Interaction) -> Moderator:
    """The presser as Discord describes them at this very press."""
    permissions = interaction.permissions
    return Moderator(
        user_id=interaction.user.id,
        role_ids=frozenset(roles_of(interaction)),
        administrator=permissions.administrator or permissions.manage_guild,
    )


async def moderates(interaction: Interaction) -> bool:
    assert interaction.guild_id, "commands and buttons are in communities only"
    return await interaction.client.services.reviewing.decisions.may_decide(
        interaction.guild_id, moderator(interaction)
    )


async def check_moderator(interaction: Interaction) -> None:
    """
    Raises:
        Refused: the presser is no moderator here.
    """
    assert interaction.guild_id, "commands and buttons are in communities only"
    await interaction.client.services.reviewing.decisions.check_may_decide(interaction.guild_id, moderator(interaction))


async def reply(interaction: Interaction, card: Card) -> None:
    """Make a card the answer that only the asker sees."""
    files = card.open_files()
    try:
        await interaction.edit_original_response(view=card.view, attachments=files)
    finally:
        for file in files:
            file.close()


def attached(client: Client, url: str, *, name: str, size: int) -> Upload:
    """A file that a member attached, by the signed link that Discord gave for it; good for some hours."""

    async def save(path: Path) -> None:
        try:
            content = await client.http.get_from_cdn(url)
        except (discord.NotFound, discord.Forbidden) as error:
            raise Refused(f"Discord no longer has “{name[:60]}”. Please attach it again.") from error
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"Discord did not hand over “{name[:60]}”. Please try again.") from error
        await asyncio.to_thread(path.write_bytes, content)

    return Upload(name=name, size=size, save=save)


def stored(client: Client, image: Image) -> Upload:
    """A picture that the bot has, exactly as its provider made it."""

    async def save(path: Path) -> None:
        content = await client.services.kit.files.read(image.sha256)
        await asyncio.to_thread(path.write_bytes, content)

    return Upload(name=f"{image.id}.{image.extension}", size=image.bytes, save=save)
