"""`/verify`, and “Verify this picture” on a message: whether it is registered, by whom, and under what licence."""

import re
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.cards.base.words import counted
from bot.cards.registering.verdict import verdict_card
from bot.discord.attachments import MessageFile, files_of
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Client, Interaction
from bot.errors import Refused, Unavailable
from bot.pictures.names import Kind
from bot.workflows.registering.verification import Verdict
from cogs.base.asking import attached, reply
from cogs.base.finding import IMAGE_ID, LINK, is_own, linked, pointer
from cogs.base.options import Pointer
from cogs.drawing.finding import image_of, request_of
from cogs.registering.finding import registration_of

MOST = 12
"""Pictures of one message that are looked at: as many as a request has at most, and more than can be attached."""
TOO_MANY = f"Only the first {MOST} pictures of a message are looked at."
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
        self, interaction: Interaction, image: discord.Attachment | None = None, link: Pointer | None = None
    ) -> None:
        """Find out whether a picture is registered as IP, by whom and under which licence, or what it looks like."""
        if (image is None) == (link is None):
            raise Refused("Say which picture: either attach an image, or give a link or an id with “link”.")
        await acknowledge(interaction, Answer.PRIVATE)
        if image is not None:
            verdicts = await _of_files(interaction, [image])
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
        return await _of_message(interaction, await linked(interaction, text), by_link=True)
    if match := _IP_ID.fullmatch(text):
        return [await services.registering.verification.of_ip(match[1], guild_id=interaction.guild_id)]
    text = text.lower()
    if not re.fullmatch(r"[0-9a-z-]{1,40}", text):
        raise Refused(
            "Give a link to a message, an IP id (0x and 40 digits), or the id of a registration or of one of the bot's "
            "pictures. Other websites are not looked at: download the picture and attach it."
        )
    return await _of_pointer(interaction, text)


async def _of_message(
    interaction: Interaction, message: discord.Message, *, by_link: bool = False
) -> Sequence[Verdict]:
    """Of the bot's own messages what they show; of all others the files that they have or forward.

    Raises:
        Refused: there is no picture.
    """
    if is_own(interaction, message):
        return await _of_pointer(interaction, pointer(interaction, message))
    pictures = [each for each in files_of(message) if each.is_usable(Kind.PICTURE)]
    if not pictures and by_link:
        raise Refused(
            "That message has no JPEG, PNG or WebP that the bot can see by a link. Right-click it › Apps › “Verify "
            "this picture” shows it to the bot; or download the picture and attach it to `/verify`."
        )
    if not pictures:
        raise Refused(
            "That message has no JPEG, PNG or WebP. A video, a sticker and the preview of a web page are not looked "
            "at: download the picture and attach it to `/verify`."
        )
    return await _of_files(interaction, pictures)


async def _of_files(interaction: Interaction, files: Sequence[discord.Attachment | MessageFile]) -> Sequence[Verdict]:
    """
    Raises:
        Refused: there is one file, and it cannot be looked at. Of several, its verdict says so.
        Unavailable: likewise.
    """
    assert interaction.guild_id, "commands are in communities only"
    client, verification = interaction.client, interaction.client.services.registering.verification
    verdicts: list[Verdict] = []
    for upload in (attached(client, each) for each in files[:MOST]):
        try:
            verdicts.append(await verification.of_upload(upload, guild_id=interaction.guild_id))
        except (Refused, Unavailable) as error:
            if len(files) == 1:
                raise
            verdicts.append(Verdict(upload.name, None, None, unseen=str(error)))
    if rest := files[MOST:]:
        verdicts.append(Verdict(counted(len(rest), "more picture"), None, None, unseen=TOO_MANY))
    return verdicts


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
        for image_id, sha256 in pictures
    ]


async def setup(client: Client) -> None:
    await client.add_cog(Verify(client))
    client.tree.add_command(verify_message)
