"""Training sets: “Add to training set” on a message, and the forms that add, caption and remove pictures."""

import hashlib
import re
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ui import FileUpload, Select, TextInput

from bot import limits
from bot.cards.base.words import counted
from bot.discord.buttons import Answer, Attached, Form, Press, acknowledge, chosen, files, given
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.pictures.names import Kind, kind_of, quoted, stem
from bot.values import Frozen
from bot.workflows.base.types import Upload, job_id
from bot.workflows.finetuning.drafts import Source
from bot.workflows.finetuning.intake import Taken
from bot.workflows.finetuning.types import CONSENT, OPEN, FinetuneView
from cogs.base.asking import age_restricted, attached, stored
from cogs.base.finding import IMAGE_ID, channel_of, finetune_of, image_of, in_sight, linked, pointer, request_of
from cogs.finetuning.changing import show_changed
from storage.base import drafts, jobs
from storage.drawing.images import Image
from storage.finetuning import finetunes
from storage.finetuning.finetunes import Finetune

FORM_LIFE = 1800.0
"""Seconds for which a form may stay open."""
MOST_SAID = 1900
"""Characters of an answer, with room below Discord's limit."""
MOST_LINKS = 10
MOST_NAMED = 6

_NUMBERED = re.compile(r"\s*(\d{1,2})\s*[:.)]\s?(.*)")
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


class Found(Frozen):
    """The pictures of one message, kept while a form asks where they go."""

    link: str
    contributor_id: int
    age_restricted: bool
    files: tuple[File, ...] = ()
    images: tuple[str, ...] = ()
    """Ids of the bot's own pictures."""


# Forms with files.


def upload_form(verb: str, subject: str, title: str, *, consent: bool = False) -> Form:
    """Pictures and their captions, by upload or by link. `consent`: whoever sends it confirms that they may be used."""
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


def uploaded(interaction: Interaction) -> list[Upload]:
    """The files of a sent form."""
    return [_upload(interaction.client, each) for given_files in files(interaction).values() for each in given_files]


async def found_at(interaction: Interaction, links: str) -> list[Found]:
    """The pictures of the messages that are linked.

    Raises:
        Refused: a link that leads to no pictures, or to what the asker cannot see.
    """
    typed = list(dict.fromkeys(links.replace(",", " ").split()))
    if len(typed) > MOST_LINKS:
        raise Refused(f"Give at most {MOST_LINKS} links at once.")
    return [await found_on(interaction, await linked(interaction, link), by_link=True) for link in typed]


def _reads_messages(client: Client) -> bool:
    """Whether Discord shows the bot what others attach, beyond messages whose menu was used (Message Content)."""
    flags = client.application_flags
    return flags.gateway_message_content or flags.gateway_message_content_limited


async def found_on(interaction: Interaction, message: discord.Message, *, by_link: bool = False) -> Found:
    """The pictures of a message. Those that the bot itself made are the asker's contribution.

    Raises:
        Refused: it has none.
    """
    own = interaction.client.user is not None and message.author.id == interaction.client.user.id
    channel = await channel_of(interaction, message.channel.id)
    found = Found(
        link=f"https://discord.com/channels/{interaction.guild_id}/{message.channel.id}/{message.id}",
        contributor_id=interaction.user.id if own else message.author.id,
        age_restricted=age_restricted(channel),
    )
    if own:
        images = tuple(image.id for image in await _drawn(interaction, pointer(interaction, message)))
        found = found.model_copy(update={"images": images})
    else:
        usable = [each for each in message.attachments if kind_of(each.filename) in {Kind.PICTURE, Kind.CAPTION}]
        kept = tuple(File(name=each.filename, url=each.url, size=each.size) for each in usable)
        found = found.model_copy(update={"files": kept})
    if not found.files and not found.images:
        if not own and by_link and not _reads_messages(interaction.client):
            raise Refused(
                "The bot may not read what others have posted by a link. Right-click the message › Apps › "
                "“Add to training set” works."
            )
        raise Refused("That message has no JPEG, PNG or WebP attached.")
    return found


async def _drawn(interaction: Interaction, subject: str) -> Sequence[Image]:
    if IMAGE_ID.fullmatch(subject):
        _, image = await image_of(interaction, subject)
        return [image]
    return (await request_of(interaction, subject)).images


async def add_found(interaction: Interaction, finetune_id: str, found: Found, *, consented: bool = False) -> str:
    """Put the pictures of a message into a draft; a sentence about what came of it.

    Raises:
        Refused: as `Trainings.add`, or adults-only pictures would be shown to all.
    """
    view = await finetune_of(interaction, finetune_id)
    if found.age_restricted and not age_restricted(await channel_of(interaction, view.job.channel_id)):
        raise Refused("Pictures of an age-restricted channel only go into a finetune that is put together in one.")
    client = interaction.client
    uploads = [_upload(client, Attached(each.name, each.url, each.size)) for each in found.files]
    for image_id in found.images:
        _, image = await image_of(interaction, image_id)
        uploads.append(stored(client, image))
    source = Source(
        contributor_id=found.contributor_id, added_by=interaction.user.id, link=found.link, consented=consented
    )
    return taken_text(await client.services.finetuning.drafts.add(finetune_id, uploads, source), view)


async def add_all(interaction: Interaction, finetune_id: str, found: Sequence[Found], *, consented: bool) -> list[str]:
    """As `add_found`, for several messages; one that cannot be used does not stand in the way of the others."""
    said: list[str] = []
    for each in found:
        try:
            said.append(await add_found(interaction, finetune_id, each, consented=consented))
        except Refused as error:
            said.append(f"{each.link}: {error}")
    return said


def taken_text(taken: Taken, before: FinetuneView | None = None) -> str:
    """What came of the files that were given. `before` is the finetune as it was, with pictures that captions fit."""
    there = {stem(picture.name) for picture in before.pictures} if before else set[str]()
    found = [name for name in taken.captions if name in there]
    alone = [quoted(f"{name}.txt") for name in taken.captions if name not in there]
    counts = [counted(len(taken.pictures))] if taken.pictures else []
    if found:
        one = len(found) == 1
        where = "a picture that is there already" if one else "pictures that are there already"
        counts.append(f"{counted(len(found), 'caption')} for {where}")
    lines = [f"Taken: {' and '.join(counts)}." if counts else "Nothing was taken."]
    if alone:
        more = f" and {len(alone) - MOST_NAMED} more" if len(alone) > MOST_NAMED else ""
        lines.append(f"No picture is called like {', '.join(alone[:MOST_NAMED])}{more}.")
    return "\n".join([*lines, *taken.left_out])


def shortened(lines: Sequence[str]) -> str:
    """The lines, as far as they fit into one answer."""
    text = "\n".join(line for line in lines if line)
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}…"


def _upload(client: Client, file: Attached) -> Upload:
    return attached(client, file.url, name=file.name, size=file.size)


# Presses.


async def open_add(interaction: Interaction, finetune_id: str) -> None:
    view = await finetune_of(interaction, finetune_id)
    owner = view.finetune.owner_id
    if owner != interaction.user.id and not view.finetune.open_to_others:
        raise Refused(f"Only <@{owner}> can add pictures, unless they press “Let others add”.")
    form = upload_form("fin:added", finetune_id, "Add pictures", consent=owner != interaction.user.id)
    await interaction.response.send_modal(form)


async def added(interaction: Interaction, finetune_id: str) -> None:
    view = await finetune_of(interaction, finetune_id)
    uploads, links = uploaded(interaction), given(interaction).get("links", "")
    if not uploads and not links.strip():
        raise Refused("No file and no link was given, so nothing has changed.")
    messages = await found_at(interaction, links)
    who = interaction.user.id
    consented = view.finetune.owner_id != who  # the form said so; the owner confirms when the training is started
    said: list[str] = []
    if uploads:
        source = Source(contributor_id=who, added_by=who, consented=consented)
        taken = await interaction.client.services.finetuning.drafts.add(finetune_id, uploads, source)
        said.append(taken_text(taken, view))
    said += await add_all(interaction, finetune_id, messages, consented=consented)
    await show_changed(interaction, finetune_id)
    await interaction.edit_original_response(content=shortened(said))


async def open_captions(interaction: Interaction, finetune_id: str) -> None:
    view = await own_draft(interaction, finetune_id)
    lines = [f"{number}: {' '.join((each.caption or '').split())}" for number, each in enumerate(view.pictures, 1)]
    text = "\n".join(line.strip() for line in lines)
    if not view.pictures:
        raise Refused("There are no pictures yet. Add some first.")
    if len(text) > limits.FIELD_CHARACTERS:
        raise Refused("The captions are too long for a form. Upload .txt files with “Add pictures” instead.")
    form = Form("fin:captioned", f"{finetune_id}:{len(view.pictures)}.{_order(view)}", "Captions")
    field = TextInput[Form](
        style=discord.TextStyle.paragraph, default=text, max_length=limits.FIELD_CHARACTERS, required=False
    )
    form.ask("captions", "One line a picture, after its number", field, "An empty caption takes it away.")
    await interaction.response.send_modal(form)


async def captioned(interaction: Interaction, subject: str) -> None:
    finetune_id, _, shown = subject.partition(":")
    view = await own_draft(interaction, finetune_id)
    count, _, order = shown.partition(".")
    if not count.isdecimal() or _order(view, int(count)) != order:
        raise Refused("Pictures were removed meanwhile, so the numbers do not fit any more. Nothing was changed.")
    captions = numbered(given(interaction)["captions"])
    await interaction.client.services.finetuning.drafts.caption(finetune_id, captions, by=interaction.user.id)
    await show_changed(interaction, finetune_id)


def numbered(text: str) -> dict[int, str]:
    """The captions of lines such as “3: a cat on a chair”; a line without a number goes on with the one before.

    Raises:
        Refused: the first line has no number.
    """
    captions: dict[int, str] = {}
    last: int | None = None
    for line in text.splitlines():
        if found := _NUMBERED.fullmatch(line):
            last = int(found[1])
            captions[last] = found[2].strip()
        elif line.strip() and last is None:
            raise Refused("Begin each line with the picture's number, such as “3: a cat on a chair”.")
        elif line.strip() and last is not None:
            captions[last] = f"{captions[last]} {line.strip()}".strip()
    return captions


async def open_removal(interaction: Interaction, finetune_id: str) -> None:
    view = await draft_of(interaction, finetune_id)
    who = interaction.user.id
    options = [
        discord.SelectOption(label=f"{number} · {each.name}"[: limits.CHOICE_CHARACTERS], value=each.id)
        for number, each in enumerate(view.pictures, 1)
        if who in {view.finetune.owner_id, each.contributor_id}
    ]
    if not options:
        raise Refused("There are no pictures yet." if not view.pictures else "None of these pictures is yours.")
    form = Form("fin:removed", finetune_id, "Remove pictures")
    options = options[: limits.CHOICES]
    form.ask("pictures", "Which?", Select[Form](options=options, max_values=len(options)))
    await interaction.response.send_modal(form)


async def removed(interaction: Interaction, finetune_id: str) -> None:
    view = await draft_of(interaction, finetune_id)
    wanted, trainings = chosen(interaction, "pictures"), interaction.client.services.finetuning.drafts
    if not await trainings.remove(view.finetune.id, wanted, by=interaction.user.id):
        raise Refused("Those pictures are gone already.")
    await show_changed(interaction, finetune_id)


async def draft_of(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """
    Raises:
        Refused: it is no draft any more.
    """
    view = await finetune_of(interaction, finetune_id)
    if view.finetune.state not in OPEN:
        raise Refused("This finetune is not being put together any more.")
    return view


async def own_draft(interaction: Interaction, finetune_id: str) -> FinetuneView:
    """
    Raises:
        Refused: it is no draft any more, or somebody else's.
    """
    view = await draft_of(interaction, finetune_id)
    if view.finetune.owner_id != interaction.user.id:
        raise Refused(f"Only <@{view.finetune.owner_id}> can change this draft.")
    return view


def _order(view: FinetuneView, count: int | None = None) -> str:
    """Which pictures have which numbers, as a few characters; further ones change nothing about the first `count`."""
    ids = " ".join(picture.id for picture in view.pictures[:count])
    return hashlib.sha256(ids.encode()).hexdigest()[:12]


# From a message.


@app_commands.context_menu(name="Add to training set")
async def add_message(interaction: Interaction, message: discord.Message) -> None:
    """Put the pictures of a message into the member's draft; where there are several, a form asks which."""
    open_ones = await _open_drafts(interaction)
    if not open_ones:
        raise Refused("There is no draft here that you can add pictures to. Make one with `/finetune create`.")
    if len(open_ones) == 1 and open_ones[0].owner_id == interaction.user.id:
        await acknowledge(interaction, Answer.PRIVATE)
        await _add_to(interaction, open_ones[0].id, await found_on(interaction, message))
        return
    found = await found_on(interaction, message)
    await interaction.response.send_modal(await _choice(interaction, open_ones, found))


async def chosen_draft(interaction: Interaction, draft_id: str) -> None:
    """The form was sent: the message's pictures go into the chosen draft."""
    services = interaction.client.services
    async with services.kit.database.read() as db:
        content = await drafts.find(db, draft_id=draft_id, owner_id=interaction.user.id, now=services.kit.clock.now())
    if content is None:
        raise Refused("This form was open for too long. Please start again from the message.")
    await _add_to(interaction, given(interaction)["finetune"], Found.model_validate_json(content))


async def _add_to(interaction: Interaction, finetune_id: str, found: Found) -> None:
    view = await finetune_of(interaction, finetune_id)
    said = await add_found(interaction, finetune_id, found, consented=view.finetune.owner_id != interaction.user.id)
    await show_changed(interaction, finetune_id)
    await interaction.edit_original_response(content=shortened([f"Training set of “{view.finetune.name}”: {said}"]))


async def _open_drafts(interaction: Interaction) -> list[Finetune]:
    """The drafts that the member may add pictures to, their own first."""
    assert interaction.guild_id, "commands are in communities only"
    who = interaction.user.id
    async with interaction.client.services.kit.database.read() as db:
        all_of_them = await finetunes.of_community(db, interaction.guild_id)
        found = [each for each in all_of_them if each.state in OPEN and (each.owner_id == who or each.open_to_others)]
        cards = {each.id: await jobs.find(db, each.id) for each in found}
    seen = [
        each
        for each in found
        if each.owner_id == who or ((card := cards[each.id]) and await in_sight(interaction, card.channel_id))
    ]
    return sorted(seen, key=lambda each: each.owner_id != who)


async def _choice(interaction: Interaction, open_ones: Sequence[Finetune], found: Found) -> Form:
    services, now = interaction.client.services, interaction.client.services.kit.clock.now()
    draft_id = job_id(interaction.id)
    async with services.kit.database.write() as db:
        await drafts.save(
            db,
            draft_id=draft_id,
            owner_id=interaction.user.id,
            content=found.model_dump_json(),
            now=now,
            expires_at=now + FORM_LIFE,
        )
    form = Form("fin:chosen", draft_id, "Add to training set")
    if any(each.owner_id != interaction.user.id for each in open_ones):
        form.say(f"By adding to another member's training set you confirm: {CONSENT}")
    options = [
        discord.SelectOption(label=each.name[: limits.CHOICE_CHARACTERS], value=each.id, default=place == 0)
        for place, each in enumerate(open_ones[: limits.CHOICES])
    ]
    form.ask("finetune", "Which training set?", Select[Form](options=options))
    return form


async def setup(client: Client) -> None:
    for verb, press in {
        "fin:add": Press(open_add, Answer.FORM),
        "fin:added": Press(added),
        "fin:captions": Press(open_captions, Answer.FORM),
        "fin:captioned": Press(captioned, Answer.SILENT),
        "fin:remove": Press(open_removal, Answer.FORM),
        "fin:removed": Press(removed, Answer.SILENT),
        "fin:chosen": Press(chosen_draft),
    }.items():
        client.presses.register(verb, press)
    client.tree.add_command(add_message)
