"""Training sets: “Add to training set” on a message, and the forms that add, caption and remove pictures."""

import hashlib
import re
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ui import Select, TextInput

from bot import limits
from bot.cards.finetuning.draft import draft_question
from bot.discord.buttons import (
    Answer,
    Form,
    Press,
    Subject,
    acknowledge,
    answered_as,
    read_choices,
    read_fields,
)
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.workflows.base.types import job_id
from bot.workflows.finetuning.drafts import Source
from bot.workflows.finetuning.types import CONSENT, FinetuneView, OpenDraft
from cogs.base.asking import reply
from cogs.base.finding import in_sight, seen_at_once
from cogs.finetuning.drafts import draft_of, own_draft, show_changed
from cogs.finetuning.finding import finetune_of
from cogs.finetuning.pictures import (
    FORM_LIFE,
    MessagePictures,
    add_all_pictures,
    add_pictures,
    added_text,
    find_linked_pictures,
    find_pictures,
    shortened,
    upload_form,
    uploaded_files,
)

_NUMBERED = re.compile(r"\s*(\d{1,2})\s*[:.)：．）、]\s?(.*)")


async def open_add(interaction: Interaction, finetune_id: str) -> None:
    view = await finetune_of(interaction, finetune_id)
    owner = view.finetune.owner_id
    if owner != interaction.user.id and not view.finetune.open_to_others:
        raise Refused(f"Only <@{owner}> can add pictures, unless they press “Let others add”.")
    form = upload_form("fin:added", finetune_id, "Add pictures", consent=owner != interaction.user.id)
    await interaction.response.send_modal(form)


async def add(interaction: Interaction, finetune_id: str) -> None:
    """The form was sent: its files and the pictures of its links go into the draft."""
    view = await finetune_of(interaction, finetune_id)
    uploads, links = uploaded_files(interaction), read_fields(interaction).get("links", "")
    if not uploads and not links.strip():
        raise Refused("No file and no link was given, so nothing has changed.")
    messages = await find_linked_pictures(interaction, links)
    who = interaction.user.id
    consented = view.finetune.owner_id != who  # the form asked others for it; the owner confirms at the start
    lines: list[str] = []
    if uploads:
        source = Source(contributor_id=who, added_by=who, consented=consented)
        added = await interaction.client.services.finetuning.drafts.add(finetune_id, uploads, source)
        lines.append(added_text(added))
    lines += await add_all_pictures(interaction, finetune_id, messages, consented=consented)
    await show_changed(interaction, finetune_id)
    await interaction.edit_original_response(content=shortened(lines))


async def open_captions(interaction: Interaction, finetune_id: str) -> None:
    view = await own_draft(interaction, finetune_id)
    lines = [f"{number}: {' '.join((each.caption or '').split())}" for number, each in enumerate(view.pictures, 1)]
    text = "\n".join(line.strip() for line in lines)
    if not view.pictures:
        raise Refused("There are no pictures yet. Add some first.")
    if len(text) > limits.FIELD_CHARACTERS:
        raise Refused("The captions are too long for a form. Upload .txt files with “Add pictures” instead.")
    form = Form("fin:captioned", f"{finetune_id}:{len(view.pictures)}.{_hash_order(view)}", "Captions")
    field = TextInput[Form](
        style=discord.TextStyle.paragraph, default=text, max_length=limits.FIELD_CHARACTERS, required=False
    )
    form.ask("captions", "One line a picture, after its number", field, "An empty caption takes it away.")
    await interaction.response.send_modal(form)


async def caption(interaction: Interaction, subject: Subject) -> None:
    """The form was sent. Its subject says how many pictures had which order when it was opened."""
    view = await own_draft(interaction, subject.id)
    count, _, order = subject.detail.partition(".")
    if not count.isdecimal() or _hash_order(view, int(count)) != order:
        raise Refused("Pictures were removed meanwhile, so the numbers do not fit any more. Nothing was changed.")
    captions = read_numbered(read_fields(interaction)["captions"])
    await interaction.client.services.finetuning.drafts.caption(subject.id, captions, by=interaction.user.id)
    await show_changed(interaction, subject.id)


def read_numbered(text: str) -> dict[int, str]:
    """The captions of lines such as “3: a cat on a chair”; a line without a number goes on with the one before.

    Raises:
        Refused: the first line has no number.
    """
    captions: dict[int, str] = {}
    last: int | None = None
    for line in text.splitlines():
        if numbered := _NUMBERED.fullmatch(line):
            last = int(numbered[1])
            captions[last] = numbered[2].strip()
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
    form.ask(
        "pictures",
        "Which ones shall be deleted?",
        Select[Form](options=options, max_values=len(options)),
        "They are gone from here for good, with their captions. To have one back, add it again.",
    )
    await interaction.response.send_modal(form)


async def remove(interaction: Interaction, finetune_id: str) -> None:
    """The form was sent: the chosen pictures are taken out of the draft."""
    view = await draft_of(interaction, finetune_id)
    picture_ids, drafts = read_choices(interaction, "pictures"), interaction.client.services.finetuning.drafts
    if not await drafts.remove(view.finetune.id, picture_ids, by=interaction.user.id):
        raise Refused("Those pictures are gone already.")
    await show_changed(interaction, finetune_id)


def _hash_order(view: FinetuneView, count: int | None = None) -> str:
    """Which pictures have which numbers, as a few characters; further ones change nothing about the first `count`."""
    ids = " ".join(picture.id for picture in view.pictures[:count])
    return hashlib.sha256(ids.encode()).hexdigest()[:12]


# From a message.


@app_commands.context_menu(name="Add to training set")
async def add_message(interaction: Interaction, message: discord.Message) -> None:
    """Put the pictures of a message into the member's draft; where there are several, a form asks which."""
    drafts = await _list_open_drafts(interaction)
    if not drafts:
        raise Refused("There is no draft here that you can add pictures to. Make one with `/finetune create`.")
    if len(drafts) == 1 and drafts[0].owner_id == interaction.user.id:
        if answered_as(interaction) is None:
            await acknowledge(interaction, Answer.PRIVATE)
        await _add_to(interaction, drafts[0].id, await find_pictures(interaction, message))
        return
    pictures, form_id = await find_pictures(interaction, message), job_id(interaction.id)
    await interaction.client.services.forms.keep(form_id, interaction.user.id, pictures, seconds=FORM_LIFE)
    if answered_as(interaction) is not None:
        others = any(each.owner_id != interaction.user.id for each in drafts)
        await reply(interaction, draft_question(form_id, drafts, consent=others))
    else:
        await interaction.response.send_modal(_choice_form(interaction, form_id, drafts))


async def add_to_chosen(interaction: Interaction, form_id: str) -> None:
    """The form was sent: the message's pictures go into the chosen draft."""
    await _add_kept(interaction, form_id, read_fields(interaction)["finetune"])


async def add_to_pressed(interaction: Interaction, subject: Subject) -> None:
    """The same by a button, whose subject names the pictures and the draft."""
    await _add_kept(interaction, subject.id, subject.detail)


async def _add_kept(interaction: Interaction, form_id: str, finetune_id: str) -> None:
    pictures = await interaction.client.services.forms.find(form_id, interaction.user.id, MessagePictures)
    if pictures is None:
        raise Refused("This form was open for too long. Please start again from the message.")
    await _add_to(interaction, finetune_id, pictures)


async def _add_to(interaction: Interaction, finetune_id: str, pictures: MessagePictures) -> None:
    view = await finetune_of(interaction, finetune_id)
    line = await add_pictures(interaction, view, pictures, consented=view.finetune.owner_id != interaction.user.id)
    await show_changed(interaction, finetune_id)
    await interaction.edit_original_response(content=shortened([f"Training set of “{view.finetune.name}”: {line}"]))


async def _list_open_drafts(interaction: Interaction) -> list[OpenDraft]:
    """The drafts that the member may add pictures to and whose cards they see, their own first.

    Where only REST knows whether they see one, the interaction is acknowledged first: then no form can be opened.
    """
    assert interaction.guild_id, "commands are in communities only"
    who = interaction.user.id
    drafts = await interaction.client.services.finetuning.drafts.list_open(interaction.guild_id, user_id=who)
    seen = {each.id: each.owner_id == who or seen_at_once(interaction, each.channel_id) for each in drafts}
    if None in seen.values():
        await acknowledge(interaction, Answer.PRIVATE)
    return [
        each
        for each in drafts
        if seen[each.id] or (seen[each.id] is None and await in_sight(interaction, each.channel_id))
    ]


def _choice_form(interaction: Interaction, form_id: str, drafts: Sequence[OpenDraft]) -> Form:
    form = Form("fin:chosen", form_id, "Add to training set")
    if any(each.owner_id != interaction.user.id for each in drafts):
        form.say(f"By adding to another member's training set you confirm: {CONSENT}")
    options = [
        discord.SelectOption(label=each.name[: limits.CHOICE_CHARACTERS], value=each.id, default=place == 0)
        for place, each in enumerate(drafts[: limits.CHOICES])
    ]
    form.ask("finetune", "Which training set?", Select[Form](options=options))
    return form


async def setup(client: Client) -> None:
    for verb, press in {
        "fin:add": Press(open_add, Answer.FORM),
        "fin:added": Press(add),
        "fin:captions": Press(open_captions, Answer.FORM),
        "fin:captioned": Press(caption, Answer.SILENT),
        "fin:remove": Press(open_removal, Answer.FORM),
        "fin:removed": Press(remove, Answer.SILENT),
        "fin:chosen": Press(add_to_chosen),
        "fin:into": Press(add_to_pressed),
    }.items():
        client.presses.register(verb, press)
    client.tree.add_command(add_message)
