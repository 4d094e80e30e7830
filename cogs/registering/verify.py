"""`/verify`, and “Verify this picture” on a message: whether it is registered, by whom, and under what licence."""

import re
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.cards.registering.verdict import verdict_card
from bot.discord.attachments import is_usable, name_of
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.pictures.names import Kind
from bot.workflows.registering.verification import Verdict
from cogs.base.asking import attached, reply
from cogs.base.finding import IMAGE_ID, LINK, linked, pointer
from cogs.drawing.finding import image_of, request_of
from cogs.registering.finding import registration_of

MOST = 4
"""Pictures of one message that are looked at."""
_IP_ID = re.compile(r"(?:https://\S+/ipa/)?(0x[0-9a-fA-F]{40})")


class Verify(commands.Cog):
    def __init__(self, client: Client) -> None:
        self._client = client

    @app_commands.command()
    @app_commands.describe(
        image="A picture, exactly as you have it: a screenshot is another picture",
        link="Or a link to a message, an IP id (0x…), or the id of a registration or of one of the bot's pictures",
    )
    async def verify(
        self, interaction: Interaction, image: discord.Attachment | None = None, link: str | None = None
    ) -> None:
        """Find out whether a picture is registered as IP, by whom and under which licence, or what it looks like."""
        if (image is None) == (link is None):
            raise Refused("Say which picture: either attach an image, or give a link or an id with “link”.")
        await acknowledge(interaction, Answer.PRIVATE)
        if image is not None:
            verdicts = await _of_attachments(interaction, [image])
        else:
            verdicts = await _of_text(interaction, link or "")
        await reply(interaction, verdict_card(verdicts))


@app_commands.context_menu(name="Verify this picture")
async def verify_message(interaction: Interaction, message: discord.Message) -> None:
    """The same for the pictures of any message."""
    await acknowledge(interaction, Answer.PRIVATE)
    await reply(interaction, verdict_card(await _of_message(interaction, message)))


async def _of_text(interaction: Interaction, typed: str) -> Sequence[Verdict]:
    """
    Raises:
        Refused: it leads to nothing that could be looked up.
    """
    assert interaction.guild_id, "commands are in communities only"
    services, text = interaction.client.services, typed.strip().strip("`<>")
    if LINK.fullmatch(text):
        return await _of_message(interaction, await linked(interaction, text))
    if match := _IP_ID.fullmatch(text):
        return [await services.registering.verification.of_ip(match[1], guild_id=interaction.guild_id)]
    text = text.lower()
    if not re.fullmatch(r"[0-9a-z-]{1,40}", text):
        raise Refused(
            "Give a link to a message, an IP id (0x and 40 digits), or the id of a registration or of one of the bot's "
            "pictures. Other websites are not looked at: download the picture and attach it."
        )
    return await _of_pointer(interaction, text)


async def _of_message(interaction: Interaction, message: discord.Message) -> Sequence[Verdict]:
    """Of the bot's own messages what they show; of all others what is attached.

    Raises:
        Refused: there is no picture.
    """
    own = interaction.client.user is not None and message.author.id == interaction.client.user.id
    if own:
        return await _of_pointer(interaction, pointer(interaction, message))
    pictures = [each for each in message.attachments if is_usable(each, Kind.PICTURE)]
    if not pictures:
        raise Refused(
            "That message has no JPEG, PNG or WebP attached that the bot can see. Right-click it › Apps › “Verify this "
            "picture” shows it to the bot; or download the picture and attach it to `/verify`."
        )
    return await _of_attachments(interaction, pictures[:MOST])


async def _of_attachments(interaction: Interaction, attachments: Sequence[discord.Attachment]) -> Sequence[Verdict]:
    assert interaction.guild_id, "commands are in communities only"
    client = interaction.client
    return [
        await client.services.registering.verification.of_upload(
            attached(client, each.url, name=name_of(each), size=each.size), guild_id=interaction.guild_id
        )
        for each in attachments
    ]


async def _of_pointer(interaction: Interaction, subject: str) -> Sequence[Verdict]:
    """A registration, a request or one of its pictures, by its id.

    Raises:
        Refused: there is none, or the asker may not see it here.
    """
    assert interaction.guild_id, "commands are in communities only"
    registering, guild_id = interaction.client.services.registering, interaction.guild_id
    if await registering.views.of(subject):
        view = await registration_of(interaction, subject)
        return [await registering.verification.of_registration(view, guild_id=guild_id)]
    if IMAGE_ID.fullmatch(subject):
        _, image = await image_of(interaction, subject)
        pictures = [(image.id, image.sha256)]
    else:
        pictures = [(each.id, each.sha256) for each in (await request_of(interaction, subject)).images]
    if not pictures:
        raise Refused("That request has no picture.")
    return [
        await registering.verification.of_picture(f"Picture {image_id}", sha256, guild_id=guild_id)
        for image_id, sha256 in pictures[:MOST]
    ]


async def setup(client: Client) -> None:
    await client.add_cog(Verify(client))
    client.tree.add_command(verify_message)
