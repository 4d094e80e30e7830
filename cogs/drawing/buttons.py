"""What the buttons of a card do: pick, vary, edit, ask again, look closer, cancel, delete."""

import discord
from discord.ui import Select, TextInput

from bot import limits
from bot.cards.base.words import money
from bot.cards.drawing.deletion import deletion_card, deletion_question
from bot.cards.drawing.details import request_details
from bot.discord.attachments import MessageFile
from bot.discord.buttons import Answer, Form, Press, Subject, mark_answered, read_fields
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.providers import catalogue
from bot.values import Frozen
from bot.workflows.community.models import INPUT, model_named
from bot.workflows.drawing.types import ImageRequest, RequestView, Stage
from cogs.base.asking import attached, reply
from cogs.base.finding import permissions_in
from cogs.drawing.asking import draw
from cogs.drawing.finding import image_of, request_of
from cogs.reviewing.moderators import moderates


class EditedFile(Frozen):
    """A file of a message; Discord keeps it for some hours, at this link."""

    name: str
    url: str
    size: int


class EditedFiles(Frozen):
    """The pictures of somebody's message, kept while a form asks what should be different."""

    files: tuple[EditedFile, ...]


async def pick(interaction: Interaction, image_id: str) -> None:
    """Post one picture by itself."""
    view, image = await image_of(interaction, image_id)
    await interaction.client.services.delivery.answer(interaction, view, image)
    mark_answered(interaction)


async def vary(interaction: Interaction, image_id: str) -> None:
    """The same request again, with this picture put in."""
    view, image = await image_of(interaction, image_id)
    await draw(interaction, interaction.client.services.drawing.requests.vary(view.request, image))


async def again(interaction: Interaction, job_id: str) -> None:
    """The same request with seeds of chance."""
    view = await request_of(interaction, job_id)
    await draw(interaction, view.request.model_copy(update={"seed": None}))


async def retry(interaction: Interaction, job_id: str) -> None:
    """What was not drawn, once more. Where that may be paid for twice, only its owner decides it."""
    view = await request_of(interaction, job_id)
    if view.uncertain and interaction.user.id != view.job.owner_id:
        raise Refused(f"Only <@{view.job.owner_id}> can try this again: it may be charged twice.")
    if not view.ended:
        raise Refused("This is still under way.")
    missing = [picture for picture in view.pictures if picture.stage is not Stage.DRAWN]
    if not missing:
        raise Refused("All of its pictures are drawn. “Again” draws it with other seeds.")
    request = view.request
    if request.sweep is not None and len(missing) < len(view.pictures):
        raise Refused("A part of this comparison is drawn, and only a new one can have the rest. Nothing was charged.")
    if len(missing) < len(view.pictures):
        request = request.model_copy(update={"count": len(missing), "seed": None})
    await draw(interaction, request)


async def open_prompt(interaction: Interaction, job_id: str) -> None:
    """A form with the prompt as it was."""
    view = await request_of(interaction, job_id)
    form = Form("img:prompted", job_id, "Edit the prompt")
    written = view.request.prompt
    if len(written) > limits.FIELD_CHARACTERS:
        raise Refused(
            f"This prompt has {len(written):,} characters, and a form takes {limits.FIELD_CHARACTERS:,}: it would "
            "be cut. Send it with `/imagine` instead, with your changes."
        )
    limit = min(catalogue.find(view.request.model).prompt_limit, limits.FIELD_CHARACTERS)
    prompt = TextInput[Form](
        style=discord.TextStyle.paragraph, default=written, max_length=max(limit, len(written)), required=True
    )
    form.ask("prompt", "Prompt", prompt, "All other settings stay; the seeds are new.")
    await interaction.response.send_modal(form)


async def prompted(interaction: Interaction, job_id: str) -> None:
    """The same request with the prompt of the form."""
    view = await request_of(interaction, job_id)
    await draw(
        interaction, view.request.model_copy(update={"prompt": read_fields(interaction)["prompt"], "seed": None})
    )


async def open_edit(interaction: Interaction, image_id: str) -> None:
    """A form that asks what should be different."""
    _, image = await image_of(interaction, image_id)
    await interaction.response.send_modal(await edit_form(interaction, [image.id]))


async def edited(interaction: Interaction, image_id: str) -> None:
    """An edit of the picture that the form is about, or that was chosen in it."""
    fields = read_fields(interaction)
    view, image = await image_of(interaction, fields.get("picture") or image_id)
    model = model_named(fields.get("model") or catalogue.USUAL_EDITOR)
    request = ImageRequest(prompt=fields["instruction"], model=model.key, spoiler=view.request.spoiler)
    await draw(interaction, request.made_from(image, role=INPUT))


async def edited_file(interaction: Interaction, form_id: str) -> None:
    """An edit of a file of somebody's message."""
    fields = read_fields(interaction)
    files = await interaction.client.services.forms.find(form_id, interaction.user.id, EditedFiles)
    if files is None:
        raise Refused("This form was open for too long. Please start again from the message.")
    chosen = fields.get("picture") or "0"
    file = files.files[int(chosen)]
    model = model_named(fields.get("model") or catalogue.USUAL_EDITOR)
    upload = attached(interaction.client, MessageFile(file.name, file.url, file.size))
    await draw(interaction, ImageRequest(prompt=fields["instruction"], model=model.key), {INPUT: upload})


async def edit_form(
    interaction: Interaction, choices: list[str], *, verb: str = "img:edited", subject: str | None = None
) -> Form:
    """What should be different, by which model, and in which of several pictures: `choices` are their values.

    Raises:
        Refused: the community allows no model that edits.
    """
    assert interaction.guild_id, "buttons are in communities only"
    models = await interaction.client.services.community.communities.allowed_editors(interaction.guild_id)
    offered = [model for model in models if model.key in catalogue.FORM_EDITORS] or models
    form = Form(verb, subject or choices[0], "Edit this picture")
    instruction = TextInput[Form](
        style=discord.TextStyle.paragraph,
        max_length=min(model.prompt_limit for model in offered),
        placeholder="Make it night, with the windows lit",
    )
    form.ask("instruction", "What should be different?", instruction)
    if len(choices) > 1:
        pictures = [
            discord.SelectOption(label=f"Picture {place}", value=value, default=place == 1)
            for place, value in enumerate(choices[: limits.CHOICES], 1)
        ]
        form.ask("picture", "Which picture?", Select[Form](options=pictures))
    options = [
        discord.SelectOption(
            label=model.label[: limits.CHOICE_CHARACTERS],
            value=model.key,
            description=f"{money(model.price.first)} · {model.good_for}"[: limits.CHOICE_CHARACTERS],
            default=model is offered[0],
        )
        for model in offered[: limits.CHOICES]
    ]
    form.ask("model", "Model", Select[Form](options=options))
    return form


async def info(interaction: Interaction, job_id: str) -> None:
    """All that is known about a request, for the presser alone."""
    view = await request_of(interaction, job_id)
    await interaction.edit_original_response(content=request_details(view))


async def cancel(interaction: Interaction, job_id: str) -> None:
    """Cancel what was not yet ordered."""
    services = interaction.client.services
    view = await request_of(interaction, job_id)
    if interaction.user.id != view.job.owner_id and not await moderates(interaction):
        raise Refused(f"Only <@{view.job.owner_id}> and the moderators can cancel this.")
    cancelled = await services.drawing.requests.cancel(view.job, by=interaction.user.id)
    view = await services.drawing.views.of(job_id) or view
    if cancelled and not view.ended:
        await services.delivery.refresh(view)
    if cancelled and view.review:
        await services.delivery.decided(view.review, view)
    await interaction.edit_original_response(content=_cancelled(view, cancelled))


async def open_deletion(interaction: Interaction, job_id: str) -> None:
    """Ask once more, and say what is lost. What is deleted already only has its card brought up to date."""
    view = await _deletable(interaction, job_id)
    pressed = interaction.message.id if interaction.message else None
    copy_id = pressed if pressed != view.job.message_id else None
    if view.images:
        registered = await interaction.client.services.drawing.requests.count_registrations(view.job)
        await reply(interaction, deletion_question(view, registered, copy_id))
    else:
        await reply(interaction, deletion_card(await _show_deleted(interaction, view, copy_id)))


async def delete(interaction: Interaction, subject: Subject) -> None:
    """Delete a request's pictures, here and on the disk. A copy of its card goes altogether: the subject names it."""
    view = await _deletable(interaction, subject.id)
    await interaction.client.services.drawing.requests.delete(view.job, by=interaction.user.id)
    copy_id = int(subject.detail) if subject.detail.isdecimal() else None
    await reply(interaction, deletion_card(await _show_deleted(interaction, view, copy_id)))


async def _deletable(interaction: Interaction, job_id: str) -> RequestView:
    view = await request_of(interaction, job_id)
    if not await _may_delete(interaction, view):
        raise Refused(f"Only <@{view.job.owner_id}> and the moderators can delete this.")
    if not view.ended:
        raise Refused("Some of it is still being drawn. Cancel it first, or wait for the rest.")
    return view


async def _show_deleted(interaction: Interaction, view: RequestView, copy_id: int | None) -> str:
    """Take the pictures out of the card, and a copy of it away; a sentence about what came of that."""
    services = interaction.client.services
    shown = await services.delivery.show(await services.drawing.views.of(view.job.id) or view)
    if shown and copy_id is not None:
        assert interaction.channel_id, "buttons are in a channel"
        copy = interaction.client.get_partial_messageable(interaction.channel_id).get_partial_message(copy_id)
        try:
            await copy.delete()
        except discord.NotFound:
            pass
        except discord.HTTPException:
            shown = False
    if not shown:
        return "The pictures are deleted, but Discord did not let the message be changed: press Delete again."
    return "The pictures are gone, and the card says so." if len(view.images) > 1 else "The picture is gone."


async def _may_delete(interaction: Interaction, view: RequestView) -> bool:
    """Its owner, a moderator, and members who may delete messages where the request was made."""
    if interaction.user.id == view.job.owner_id or await moderates(interaction):
        return True
    return (await permissions_in(interaction, view.job.channel_id)).manage_messages


def _cancelled(view: RequestView, cancelled: int) -> str:
    left = sum(not picture.job.state.ended for picture in view.pictures)
    if not cancelled:
        return "Too late to cancel: it is already being drawn." if left else "Too late to cancel: this is over already."
    pictures = "1 picture was cancelled; it" if cancelled == 1 else f"{cancelled} pictures were cancelled; they"
    rest = f" {left} more {'is' if left == 1 else 'are'} being drawn, which nobody can stop." if left else ""
    return f"{pictures} cost nothing.{rest}"


async def setup(client: Client) -> None:
    for verb, press in {
        "img:pick": Press(pick, Answer.PUBLIC),
        "img:vary": Press(vary, Answer.PUBLIC),
        "img:again": Press(again, Answer.PUBLIC),
        "img:retry": Press(retry, Answer.PUBLIC),
        "img:prompt": Press(open_prompt, Answer.FORM),
        "img:prompted": Press(prompted, Answer.PUBLIC),
        "img:edit": Press(open_edit, Answer.FORM),
        "img:edited": Press(edited, Answer.PUBLIC),
        "img:filed": Press(edited_file, Answer.PUBLIC),
        "img:info": Press(info),
        "img:cancel": Press(cancel),
        "img:delete": Press(open_deletion),
        "img:deleted": Press(delete, Answer.SILENT),
    }.items():
        client.presses.register(verb, press)
