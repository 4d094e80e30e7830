"""The pictures that a member gives for a training set: in a form, or on messages that they point at."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import discord
from discord.ui import FileUpload, TextInput

from bot import limits
from bot.cards.base.words import counted
from bot.discord.attachments import MessageFile, files_of
from bot.discord.buttons import Form, read_files
from bot.discord.client import Client, Interaction
from bot.discord.permissions import age_restricted
from bot.errors import Refused
from bot.pictures.names import Kind, quoted
from bot.values import Frozen
from bot.workflows.base.cards import Image
from bot.workflows.base.types import PICTURES, Upload
from bot.workflows.finetuning.drafts import Added, Source
from bot.workflows.finetuning.types import CONSENT, FinetuneView
from cogs.base.asking import attached
from cogs.base.finding import IMAGE_ID, channel_of, find_image, find_view, is_own, linked, pointer
from cogs.finetuning.finding import finetune_of

FORM_LIFE = 1800.0
"""Seconds for which a form may stay open."""
MOST_SAID = 1900
"""Characters of an answer, with room below Discord's limit."""
MOST_LINKS = 10
MOST_NAMED = 6

_FIELDS = {
    "pictures": "Pictures 1–10",
    "more": "Pictures 11–20",
    "captions": "Captions (.txt) 1–10",
    "more_captions": "Captions (.txt) 11–20",
    "links": "Or links to messages with pictures",
}


class File(Frozen):
    """A file of a message; Discord keeps it for some hours, at this link."""

    name: str
    url: str
    size: int


class MessagePictures(Frozen):
    """The pictures of one message, kept while a form asks where they go."""

    link: str
    contributor_id: int | None
    """Who posted them; None of a forwarded message, which does not say whose it was."""
    age_restricted: bool
    files: tuple[File, ...] = ()
    images: tuple[str, ...] = ()
    """Ids of the bot's own pictures."""
    forwarded_from: tuple[int, int, int] | None = None
    """The community, channel and message that it was forwarded from; ids of Discord."""


def upload_form(verb: str, subject: str, title: str, *, consent: bool = False) -> Form:
    """Pictures and their captions, by upload or by link. `consent`: the sender confirms that they may be used."""
    form = Form(verb, subject, title)
    if consent:
        form.say(f"By sending this you confirm: {CONSENT}")
    for name, label in _FIELDS.items():
        if name == "links":
            field = TextInput[Form](style=discord.TextStyle.paragraph, required=False, max_length=1000)
            form.ask(name, label, field, "With spaces between; right-click a message for its link.")
        elif not (consent and name == "more_captions"):  # Discord has room for five
            why = (
                "Called like their pictures: beach.txt for beach.jpg."
                if "captions" in name
                else "JPEG, PNG or WebP; or one ZIP of them."
            )
            form.ask(name, label, FileUpload[Form](required=False, min_values=0, max_values=limits.FIELD_FILES), why)
    return form


def uploaded_files(interaction: Interaction) -> list[Upload]:
    """The files of a sent form."""
    return [attached(interaction.client, each) for files in read_files(interaction).values() for each in files]


async def find_linked_pictures(interaction: Interaction, links: str) -> list[MessagePictures]:
    """The pictures of the messages that are linked.

    Raises:
        Refused: a link that leads to no pictures, or to what the asker cannot see.
    """
    typed = list(dict.fromkeys(links.replace(",", " ").split()))
    if len(typed) > MOST_LINKS:
        raise Refused(f"Give at most {MOST_LINKS} links at once.")
    return [await find_pictures(interaction, await linked(interaction, link), by_link=True) for link in typed]


async def find_pictures(
    interaction: Interaction, message: discord.Message, *, by_link: bool = False
) -> MessagePictures:
    """The pictures of a message. Those that the bot itself made are the asker's contribution.

    Raises:
        Refused: it has none.
    """
    own = is_own(interaction, message)
    channel = await channel_of(interaction, message.channel.id)
    pictures = MessagePictures(
        link=f"https://discord.com/channels/{interaction.guild_id}/{message.channel.id}/{message.id}",
        contributor_id=interaction.user.id if own else message.author.id,
        age_restricted=age_restricted(channel),
    )
    if own:
        images = await _list_own_images(interaction, pointer(interaction, message))
        pictures = pictures.model_copy(update={"images": images})
    else:
        usable = [each for each in files_of(message) if each.is_usable(Kind.PICTURE, Kind.CAPTION)]
        files = tuple(File(name=each.name, url=each.url, size=each.size) for each in usable)
        pictures = pictures.model_copy(update={"files": files})
    if message.message_snapshots:
        origin = message.reference
        place = (origin.guild_id or 0, origin.channel_id, origin.message_id or 0) if origin else (0, 0, 0)
        pictures = pictures.model_copy(update={"contributor_id": None, "forwarded_from": place})
    if not pictures.files and not pictures.images:
        if not own and by_link and not interaction.client.reads_messages:
            raise Refused(
                "The bot may not read what others have posted by a link. Right-click the message › Apps › "
                "“Add to training set” works."
            )
        raise Refused("That message has no JPEG, PNG or WebP attached.")
    return pictures


async def _find_source(interaction: Interaction, pictures: MessagePictures, *, steps: int = 3) -> MessagePictures:
    """The same with who posted them. Of a forwarded message, the original is read: its author is the contributor.

    Raises:
        Refused: the original cannot be read, by the bot or by the asker.
    """
    if pictures.forwarded_from is None:
        return pictures
    guild_id, channel_id, message_id = pictures.forwarded_from
    link = f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"
    try:
        if not steps:
            raise Refused("It was forwarded too often.")
        if not guild_id:
            raise Refused("It was not posted in this server.")
        original = await linked(interaction, link)
    except Refused as error:
        raise Refused(
            "That message was forwarded, and a forwarded message does not say whose pictures it has. Nothing was "
            f"added, because its original cannot be read: {error} Ask whoever made the pictures to post them here."
        ) from error
    own = is_own(interaction, original)
    read = pictures.model_copy(
        update={
            "link": link,
            "contributor_id": interaction.user.id if own else original.author.id,
            "age_restricted": pictures.age_restricted or age_restricted(await channel_of(interaction, channel_id)),
            "forwarded_from": None,
        }
    )
    if own:
        return read.model_copy(
            update={"files": (), "images": await _list_own_images(interaction, pointer(interaction, original))}
        )
    if original.message_snapshots and original.reference:
        before = original.reference
        place = (before.guild_id or 0, before.channel_id, before.message_id or 0)
        read = read.model_copy(update={"contributor_id": None, "forwarded_from": place})
        return await _find_source(interaction, read, steps=steps - 1)
    return read


async def add_pictures(
    interaction: Interaction, view: FinetuneView, pictures: MessagePictures, *, consented: bool = False
) -> str:
    """Put the pictures of a message into a draft; a sentence about what came of it.

    Raises:
        Refused: it is no draft any more, is not open to this member, is full, or nothing can be used; or adults-only
            pictures would be shown to all.
    """
    pictures = await _find_source(interaction, pictures)
    assert pictures.contributor_id is not None, "the source is known by now"
    if pictures.age_restricted and not age_restricted(await channel_of(interaction, view.job.channel_id)):
        raise Refused("Pictures of an age-restricted channel only go into a finetune that is put together in one.")
    uploads = await _collect(interaction, pictures)
    source = Source(
        contributor_id=pictures.contributor_id, added_by=interaction.user.id, link=pictures.link, consented=consented
    )
    return added_text(await interaction.client.services.finetuning.drafts.add(view.finetune.id, uploads, source))


async def add_all_pictures(
    interaction: Interaction, finetune_id: str, messages: Sequence[MessagePictures], *, consented: bool
) -> list[str]:
    """Put the pictures of several messages into a draft; a line for each about what came of it, a refusal too."""
    lines: list[str] = []
    for pictures in messages:
        try:
            view = await finetune_of(interaction, finetune_id)
            lines.append(await add_pictures(interaction, view, pictures, consented=consented))
        except Refused as error:
            lines.append(f"{pictures.link}: {error}")
    return lines


def added_text(added: Added) -> str:
    """What came of the files that were given."""
    alone = [quoted(f"{name}.txt") for name in added.captions_alone]
    counts = [counted(added.pictures)] if added.pictures else []
    if added.captions:
        where = "a picture that is there already" if added.captions == 1 else "pictures that are there already"
        counts.append(f"{counted(added.captions, 'caption')} for {where}")
    lines = [f"Taken: {' and '.join(counts)}." if counts else "Nothing was taken."]
    if added.present:
        lines.append(f"{counted(added.present)} {_be(added.present)} in the training set already.")
    if added.twice:
        lines.append(f"{counted(added.twice)} {_be(added.twice)} the same as another one that you gave.")
    if alone:
        more = f" and {len(alone) - MOST_NAMED} more" if len(alone) > MOST_NAMED else ""
        lines.append(f"No picture is called like {', '.join(alone[:MOST_NAMED])}{more}.")
    return "\n".join([*lines, *added.left_out])


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def shortened(lines: Sequence[str]) -> str:
    """The lines, as far as they fit into one answer; those that do not are counted."""
    text, *rest = [line for text in lines for line in text.splitlines() if line] or [""]
    for position, line in enumerate(rest):
        if len(text) + len(line) + 1 > MOST_SAID:
            return f"{text[:MOST_SAID]}\n… and {counted(len(rest) - position, 'more line')}."
        text = f"{text}\n{line}"
    return text


async def _list_own_images(interaction: Interaction, subject: str) -> tuple[str, ...]:
    """The ids of the bot's own pictures that a message is about."""
    if IMAGE_ID.fullmatch(subject):
        _, image = await find_image(interaction, subject)
        return (image.id,)
    return tuple(image.id for image in (await find_view(interaction, subject, kind=PICTURES)).images)


async def _collect(interaction: Interaction, pictures: MessagePictures) -> list[Upload]:
    files = [MessageFile(each.name, each.url, each.size) for each in pictures.files]
    uploads = [attached(interaction.client, each) for each in files]
    for image_id in pictures.images:
        _, image = await find_image(interaction, image_id)
        uploads.append(_kept(interaction.client, image))
    return uploads


def _kept(client: Client, image: Image) -> Upload:
    """A picture that the bot has, exactly as its provider made it."""

    async def save(path: Path) -> None:
        content = await client.services.kit.files.read(image.sha256)
        await asyncio.to_thread(path.write_bytes, content)

    return Upload(name=f"{image.id}.{image.extension}", size=image.bytes, save=save)
