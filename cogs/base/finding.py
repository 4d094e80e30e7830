"""Finds what a member points at, by its id, a link or a message, and whether it may be shown to them here.

Discord gives three seconds for the first answer, and its REST may take longer. So nothing here asks REST before an
interaction is answered. A form is opened with what the database and the gateway's cache say; its sending is
acknowledged first, and then everything is checked again, with REST where the cache does not know.
"""

import re

import discord

from bot.discord.buttons import PATTERN, Answer, Subject, acknowledge, answered_as, custom_ids
from bot.discord.client import Interaction
from bot.discord.permissions import age_restricted
from bot.errors import Refused
from bot.workflows.base.cards import CardView, Image, Job
from bot.workflows.base.types import PICTURES

LINK = re.compile(r"<?https://(?:\w+\.)?discord(?:app)?\.com/channels/(\d{15,20})/(\d{15,20})/(\d{15,20})>?")
IMAGE_ID = re.compile(r"(?P<job>[0-9a-z]{1,20})-(?P<position>[1-9][0-9]?)")
JOB_ID = re.compile(r"[0-9a-z]{1,20}")


async def find_view(interaction: Interaction, job_id: str, *, kind: str) -> CardView:
    """What has the card with that id, of this community, of that kind of job, and fit for this channel.

    Raises:
        Refused: there is none, or it was made in an age-restricted channel and this is none.
    """
    services = interaction.client.services
    view = await services.views.of(job_id)
    if view is None or view.job.kind != kind or view.job.guild_id != interaction.guild_id:
        raise Refused(f"There is no request `{job_id[:20]}` in this server.")
    if await _is_for_adults(interaction, view.job, if_unknown=services.faces.of(view).made_for_adults(view)):
        raise Refused("This was made in an age-restricted channel and can only be shown in one.")
    return view


async def find_image(interaction: Interaction, image_id: str) -> tuple[CardView, Image]:
    """The image with that id, and its request.

    Raises:
        Refused: there is none here, or it was made in an age-restricted channel and this is none.
    """
    parts = IMAGE_ID.fullmatch(image_id)
    if not parts:
        raise Refused(f"`{image_id[:20]}` is not the id of a picture.")
    view = await find_view(interaction, parts["job"], kind=PICTURES)
    image = next((image for image in view.images if image.id == image_id), None)
    if image is None:
        raise Refused("This picture is not there any more, or was never finished.")
    return view, image


async def check_age(interaction: Interaction, job: Job) -> None:
    """
    Raises:
        Refused: its card is in an age-restricted channel, and this is none.
    """
    if await _is_for_adults(interaction, job):
        raise Refused("This belongs to an age-restricted channel and can only be shown in one.")


async def _is_for_adults(interaction: Interaction, job: Job, *, if_unknown: bool = False) -> bool:
    """Whether it belongs to an age-restricted channel, and this is none.

    `if_unknown` is what counts where its channel is gone, or is not in the cache before the first answer.
    """
    if job.channel_id == interaction.channel_id or age_restricted(interaction.channel):
        return False
    if job.age_restricted:
        return True
    channel = await channel_of(interaction, job.channel_id)
    return if_unknown if channel is None else age_restricted(channel)


async def linked(interaction: Interaction, text: str) -> discord.Message:
    """The message that a link leads to, where the asker can see it, too.

    Raises:
        Refused: it is no link, leads elsewhere, or the message cannot be seen by both.
    """
    link = LINK.fullmatch(text.strip())
    if link is None:
        raise Refused(f"“{text.strip()[:60]}” is no link to a message. Right-click a message for its link.")
    guild_id, channel_id, message_id = (int(each) for each in link.groups())
    if guild_id != interaction.guild_id:
        raise Refused("That message is in another server.")
    if not await in_sight(interaction, channel_id):
        raise Refused("That message is gone, or you or the bot cannot see it.")
    return await _message(interaction, channel_id, message_id)


async def pointed_at(interaction: Interaction, text: str) -> str:
    """The id of a request or of an image, from what a member typed: the id itself, or a link to a message.

    Raises:
        Refused: it is neither, or leads to no message of this bot.
    """
    typed = text.strip().strip("`").removeprefix("#")
    link = LINK.fullmatch(typed)
    if link is None:
        typed = typed.lower()
        if JOB_ID.fullmatch(typed) or IMAGE_ID.fullmatch(typed):
            return typed
        raise Refused("Give the id of a request (it is on its card), of one picture (`id-2`), or a link to a message.")
    guild_id, channel_id, message_id = (int(each) for each in link.groups())
    if guild_id != interaction.guild_id:
        raise Refused("That message is in another server.")
    job = await interaction.client.services.views.find_by_message(message_id)
    return job.id if job else pointer(interaction, await _message(interaction, channel_id, message_id))


def is_own(interaction: Interaction, message: discord.Message) -> bool:
    """Whether this bot has posted that message."""
    return interaction.client.user is not None and message.author.id == interaction.client.user.id


async def foreign_message(interaction: Interaction, text: str) -> discord.Message | None:
    """Somebody else's message that a link leads to; None where the text is no link, or one to a message of this bot.

    Raises:
        Refused: the message cannot be seen by both, or its channel is age-restricted and this is none.
    """
    link = LINK.fullmatch(text.strip())
    if link is None or await interaction.client.services.views.find_by_message(int(link[3])):
        return None
    message = await linked(interaction, text)
    if is_own(interaction, message):
        return None
    if age_restricted(await channel_of(interaction, message.channel.id)) and not age_restricted(interaction.channel):
        raise Refused("That message is in an age-restricted channel, and this is none.")
    return message


def pointer(interaction: Interaction, message: discord.Message) -> str:
    """The id that a message of this bot carries in its buttons: of the image where it shows one, else of the request.

    Raises:
        Refused: it carries none, or is somebody else's: another bot can give its buttons any id.
    """
    if not is_own(interaction, message):
        raise Refused("That message is not from this bot.")
    presses = [each for custom_id in custom_ids(message.components) if (each := PATTERN.fullmatch(custom_id))]
    subjects: list[str] = []
    for noun in ("img:", "fin:", "reg:"):
        subjects = subjects or [Subject(each["subject"]).id for each in presses if each["verb"].startswith(noun)]
    images = {subject for subject in subjects if IMAGE_ID.fullmatch(subject)}
    requests = {subject.partition("-")[0] for subject in subjects}
    if len(requests) != 1:
        raise Refused("That message is none of this bot's pictures.")
    return (images if len(images) == 1 else requests).pop()


async def check_visible(interaction: Interaction, job: Job) -> None:
    """
    Raises:
        Refused: the asker may not see the channel that the request was made in. Its owner may have it anywhere.
    """
    member = interaction.user
    if job.owner_id == member.id or job.channel_id == interaction.channel_id:
        return
    assert answered_as(interaction) is not None, "what is shown is acknowledged first"
    channel = await channel_of(interaction, job.channel_id)
    if channel is None or not isinstance(member, discord.Member):
        raise Refused("The channel that this was made in is gone; only the one who asked for it can show it.")
    if not await _sees(member, channel):
        raise Refused("This was made in a channel that you cannot see.")


async def permissions_in(interaction: Interaction, channel_id: int) -> discord.Permissions:
    """What the presser may do in a channel or thread of this community; nothing where it is gone."""
    if channel_id == interaction.channel_id:
        return interaction.permissions
    channel, member = await channel_of(interaction, channel_id), interaction.user
    if channel is None or not isinstance(member, discord.Member) or _orphaned(channel):
        return discord.Permissions.none()
    return channel.permissions_for(member)


async def channel_of(interaction: Interaction, channel_id: int) -> "discord.abc.GuildChannel | discord.Thread | None":
    """A channel or thread of this community, archived ones too; None where it is gone or closed to the bot.

    Before the first answer it is None, too, where the cache does not have it.
    """
    assert interaction.guild, "commands and buttons are in communities only"
    here = interaction.channel
    if channel_id == interaction.channel_id and isinstance(here, (discord.abc.GuildChannel, discord.Thread)):
        return here
    channel = interaction.guild.get_channel_or_thread(channel_id)
    if channel is not None or answered_as(interaction) is None:
        return channel
    try:
        return await interaction.guild.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData):
        return None


async def in_sight(interaction: Interaction, channel_id: int) -> bool:
    """Whether the asker can see what is posted in a channel of this community.

    Before the first answer, what only REST knows counts as seen: `seen_at_once` says None there.
    """
    seen = seen_at_once(interaction, channel_id)
    if seen is not None or answered_as(interaction) is None:
        return seen is not False
    channel, member = await channel_of(interaction, channel_id), interaction.user
    return channel is not None and isinstance(member, discord.Member) and await _sees(member, channel)


def seen_at_once(interaction: Interaction, channel_id: int) -> bool | None:
    """The same as far as the gateway's cache knows: None for an archived thread, or the members of a private one."""
    if channel_id == interaction.channel_id:
        return True
    assert interaction.guild, "commands and buttons are in communities only"
    channel, member = interaction.guild.get_channel_or_thread(channel_id), interaction.user
    if channel is None:
        return None
    return isinstance(member, discord.Member) and _may_see(member, channel)


async def _sees(member: discord.Member, channel: "discord.abc.GuildChannel | discord.Thread") -> bool:
    seen = _may_see(member, channel)
    if seen is not None:
        return seen
    assert isinstance(channel, discord.Thread), "only threads have members of their own"
    try:
        await channel.fetch_member(member.id)
    except (discord.NotFound, discord.Forbidden):
        return False
    return True


def _may_see(member: discord.Member, channel: "discord.abc.GuildChannel | discord.Thread") -> bool | None:
    """By the permissions; None where that depends on who is in a private thread."""
    if _orphaned(channel):
        return False
    permissions = channel.permissions_for(member)
    if not (permissions.view_channel and permissions.read_message_history):
        return False
    private_thread = isinstance(channel, discord.Thread) and channel.is_private()
    return None if private_thread and not permissions.manage_threads else True


def _orphaned(channel: "discord.abc.GuildChannel | discord.Thread") -> bool:
    """A thread whose channel the bot does not see: who may do what in it is not known."""
    return isinstance(channel, discord.Thread) and channel.parent is None


async def _message(interaction: Interaction, channel_id: int, message_id: int) -> discord.Message:
    """Only Discord knows it, so who has not been answered is acknowledged first, privately."""
    if answered_as(interaction) is None:
        await acknowledge(interaction, Answer.PRIVATE)
    try:
        return await interaction.client.get_partial_messageable(channel_id).fetch_message(message_id)
    except (discord.NotFound, discord.Forbidden) as error:
        raise Refused("That message is gone, or the bot cannot see it.") from error
