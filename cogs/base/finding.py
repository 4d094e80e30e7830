"""Finds what a member points at, by its id, a link or a message, and whether it may be shown to them here."""

import re

import discord

from bot.discord.buttons import PATTERN, custom_ids
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.workflows.community.limits import OPEN_SAFETY
from bot.workflows.drawing.types import RequestView
from bot.workflows.finetuning.types import FinetuneView
from cogs.base.asking import age_restricted, moderates, roles_of
from storage.base.jobs import Job
from storage.drawing.images import Image
from storage.finetuning import finetunes
from storage.finetuning.finetunes import FinetuneState

LINK = re.compile(r"<?https://(?:\w+\.)?discord(?:app)?\.com/channels/(\d{15,20})/(\d{15,20})/(\d{15,20})>?")
IMAGE_ID = re.compile(r"(?P<job>[0-9a-z]{1,20})-(?P<position>[1-9][0-9]?)")
BEFORE = (FinetuneState.DRAFT, FinetuneState.ASKING, FinetuneState.TRAINING, FinetuneState.UNKNOWN)
"""States of a finetune in which its card is for all who see the channel."""
JOB_ID = re.compile(r"[0-9a-z]{1,20}")


async def request_of(interaction: Interaction, job_id: str) -> RequestView:
    """The request with that id, of this community and fit for this channel.

    Raises:
        Refused: there is none, or it was made in an age-restricted channel and this is none.
    """
    view = await interaction.client.services.drawing.views.of(job_id)
    if view is None or view.job.guild_id != interaction.guild_id:
        raise Refused(f"There is no request `{job_id[:20]}` in this server.")
    await _check_age(interaction, view)
    return view


async def image_of(interaction: Interaction, image_id: str) -> tuple[RequestView, Image]:
    """The image with that id, and its request; raises as `request_of`."""
    found = IMAGE_ID.fullmatch(image_id)
    if not found:
        raise Refused(f"`{image_id[:20]}` is not the id of a picture.")
    view = await request_of(interaction, found["job"])
    image = next((image for image in view.images if image.id == image_id), None)
    if image is None:
        raise Refused("This picture is not there any more, or was never finished.")
    return view, image


async def finetune_of(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The finetune with that id, of this community, that the asker may know of.

    Raises:
        Refused: there is none, in the same words as where it is not shared with them.
    """
    return await _for_asker(interaction, await interaction.client.services.finetuning.views.of(finetune_id))


async def finetune_named(interaction: Interaction, text: str) -> FinetuneView:
    """The finetune of that name or id; raises as `finetune_of`."""
    assert interaction.guild_id, "commands are in communities only"
    views = interaction.client.services.finetuning.views
    typed = text.strip()
    found = await views.find_by_name(interaction.guild_id, typed) or await views.of(typed.strip("`").lower())
    return await _for_asker(interaction, found)


async def usable_named(interaction: Interaction, text: str) -> FinetuneView:
    """The finetune of that name, which the asker may draw with just now.

    Raises:
        Refused: as `Finetunes.usable`.
    """
    view = await finetune_named(interaction, text)
    return await usable_of(interaction, view.finetune.id)


async def usable_of(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """The finetune with that id; raises as `usable_named`."""
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
    """Its owner, its contributors, the moderators, and whoever may draw with it; until then whoever sees its card."""
    user_id = interaction.user.id
    if user_id == view.finetune.owner_id or user_id in view.contributors:
        return True
    async with interaction.client.services.kit.database.read() as db:
        if await finetunes.may_use(db, view.finetune.id, user_id=user_id, roles=roles_of(interaction)):
            return True
    if view.finetune.state in BEFORE and await in_sight(interaction, view.job.channel_id):
        return True
    return await moderates(interaction)


async def check_age(interaction: Interaction, job: Job) -> None:
    """
    Raises:
        Refused: its card is in an age-restricted channel, and this is none.
    """
    if job.channel_id == interaction.channel_id or age_restricted(interaction.channel):
        return
    if age_restricted(await channel_of(interaction, job.channel_id)):
        raise Refused("This belongs to an age-restricted channel and can only be shown in one.")


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
    job = await interaction.client.services.drawing.requests.find(message_id)
    return job.id if job else pointer(interaction, await _message(interaction, channel_id, message_id))


def pointer(interaction: Interaction, message: discord.Message) -> str:
    """The id that a message of this bot carries in its buttons: of the image where it shows one, else of the request.

    Raises:
        Refused: it carries none, or is somebody else's: another bot can give its buttons any id.
    """
    if interaction.client.user is None or message.author.id != interaction.client.user.id:
        raise Refused("That message is not from this bot.")
    found = [each for custom_id in custom_ids(message.components) if (each := PATTERN.fullmatch(custom_id))]
    subjects = [each["subject"] for each in found if each["verb"].startswith("img:")]
    for others in ("fin:", "reg:"):
        subjects = subjects or [each["subject"].partition(":")[0] for each in found if each["verb"].startswith(others)]
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
    """A channel or thread of this community, archived ones too; None where it is gone or closed to the bot."""
    assert interaction.guild, "commands and buttons are in communities only"
    found = interaction.guild.get_channel_or_thread(channel_id)
    if found is not None:
        return found
    try:
        return await interaction.guild.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData):
        return None


async def _check_age(interaction: Interaction, view: RequestView) -> None:
    """What was made where only adults look stays there. Of a channel that is gone, the safety tolerance tells."""
    if view.job.channel_id == interaction.channel_id or age_restricted(interaction.channel):
        return
    channel = await channel_of(interaction, view.job.channel_id)
    tolerance = view.request.parameters.get("safety_tolerance")
    lenient = isinstance(tolerance, int) and tolerance > OPEN_SAFETY
    if age_restricted(channel) or (channel is None and lenient):
        raise Refused("This was made in an age-restricted channel and can only be shown in one.")


async def in_sight(interaction: Interaction, channel_id: int) -> bool:
    """Whether the asker can see what is posted in a channel of this community."""
    if channel_id == interaction.channel_id:
        return True
    channel, member = await channel_of(interaction, channel_id), interaction.user
    return channel is not None and isinstance(member, discord.Member) and await _sees(member, channel)


async def _sees(member: discord.Member, channel: "discord.abc.GuildChannel | discord.Thread") -> bool:
    if _orphaned(channel):
        return False
    permissions = channel.permissions_for(member)
    if not (permissions.view_channel and permissions.read_message_history):
        return False
    if isinstance(channel, discord.Thread) and channel.is_private() and not permissions.manage_threads:
        try:
            await channel.fetch_member(member.id)
        except (discord.NotFound, discord.Forbidden):
            return False
    return True


def _orphaned(channel: "discord.abc.GuildChannel | discord.Thread") -> bool:
    """A thread whose channel the bot does not see: who may do what in it is not known."""
    return isinstance(channel, discord.Thread) and channel.parent is None


async def _message(interaction: Interaction, channel_id: int, message_id: int) -> discord.Message:
    try:
        return await interaction.client.get_partial_messageable(channel_id).fetch_message(message_id)
    except (discord.NotFound, discord.Forbidden) as error:
        raise Refused("That message is gone, or the bot cannot see it.") from error
