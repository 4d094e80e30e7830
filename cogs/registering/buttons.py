"""What the buttons of a registration do: those of its draft, which its member alone sees, and those of its card."""

import io
from functools import partial

import discord

from bot.cards.base.words import quoted
from bot.cards.registering.details import registration_details
from bot.cards.registering.draft import (
    discard_question,
    discarded_card,
    registration_draft_card,
    submitted_card,
)
from bot.discord.buttons import Answer, Press, Subject, read_fields
from bot.discord.client import Client, Interaction, Showable
from bot.discord.permissions import age_restricted
from bot.errors import Refused
from bot.workflows.registering.drafting.draft_card import FormName
from bot.workflows.registering.drafting.exact import load_files, plan_files
from bot.workflows.registering.types import Details, DraftView, RegistrationView
from cogs.base.asking import check_place, reply
from cogs.registering.finding import registration_of, show_registration
from cogs.registering.forms import answer_form, creators_form, licence_form, recipient_form, text_form
from cogs.reviewing.moderators import moderates

# The draft's forms.


async def open_text(interaction: Interaction, subject: Subject) -> None:
    details, typed = await _load_form(interaction, subject, "text")
    await interaction.response.send_modal(text_form(subject, details, typed))


async def open_licence(interaction: Interaction, subject: Subject) -> None:
    details, typed = await _load_form(interaction, subject, "licence")
    coin = interaction.client.services.registering.wallets.network.coin
    await interaction.response.send_modal(licence_form(subject, details, coin, typed))


async def open_creators(interaction: Interaction, subject: Subject) -> None:
    details, typed = await _load_form(interaction, subject, "creators")
    await interaction.response.send_modal(creators_form(subject, details, typed))


async def open_recipient(interaction: Interaction, subject: Subject) -> None:
    details, typed = await _load_form(interaction, subject, "recipient")
    await interaction.response.send_modal(recipient_form(subject, details, typed))


async def set_derivative(interaction: Interaction, subject: Subject) -> None:
    registrations, owner = interaction.client.services.registering.registrations, interaction.user.id
    await registrations.details(subject.id, by=owner, guild_id=interaction.guild_id)
    await _show_draft(interaction, await registrations.edit(subject.id, by=owner, derivative=subject.detail == "on"))


async def _load_form(interaction: Interaction, registration_id: str, form: FormName) -> tuple[Details, dict[str, str]]:
    draft_card = interaction.client.services.registering.draft_card
    return await draft_card.open_form(registration_id, form, by=interaction.user.id, guild_id=interaction.guild_id)


async def send_form(interaction: Interaction, registration_id: str, *, form: FormName) -> None:
    draft_card = interaction.client.services.registering.draft_card
    view = await draft_card.send_form(
        registration_id, form, read_fields(interaction), by=interaction.user.id, guild_id=interaction.guild_id
    )
    await _show_draft(interaction, view)


async def _show_draft(interaction: Interaction, view: DraftView) -> None:
    await reply(interaction, registration_draft_card(view, interaction.client.services.kit.files))


# The draft's end.


async def submit(interaction: Interaction, subject: Subject) -> None:
    """Ask the moderators, with what the card showed. Where that is refused, the card shows the draft as it is now."""
    check_place(interaction)
    assert interaction.channel_id, "buttons are in a channel"
    submission = await interaction.client.services.registering.draft_card.submit(
        subject.id,
        by=interaction.user.id,
        guild_id=interaction.guild_id,
        digest=subject.detail,
        channel_id=interaction.channel_id,
        age_restricted=age_restricted(interaction.channel),
    )
    if submission.draft is not None:
        await _show_draft(interaction, submission.draft)
        raise Refused(submission.refusal)
    await reply(interaction, submitted_card(subject.id, interaction.channel_id, submission.title))


async def open_discarding(interaction: Interaction, subject: Subject) -> None:
    registrations, owner = interaction.client.services.registering.registrations, interaction.user.id
    details = await registrations.details(subject.id, by=owner, guild_id=interaction.guild_id)
    await reply(interaction, discard_question(subject.id, details.title))


async def show_draft(interaction: Interaction, subject: Subject) -> None:
    registrations, owner = interaction.client.services.registering.registrations, interaction.user.id
    await registrations.details(subject.id, by=owner, guild_id=interaction.guild_id)
    await _show_draft(interaction, await registrations.draft(subject.id, by=owner))


async def discard(interaction: Interaction, subject: Subject) -> None:
    registrations, owner = interaction.client.services.registering.registrations, interaction.user.id
    details = await registrations.details(subject.id, by=owner, guild_id=interaction.guild_id)
    await registrations.discard(subject.id, by=owner)
    await reply(interaction, discarded_card(details.title))


async def show_json(interaction: Interaction, subject: Subject) -> None:
    """The metadata as files, for those who may see them: exactly those that are pinned, once they are."""
    services = interaction.client.services
    if await services.registering.views.of(subject) is None:
        draft = await services.registering.registrations.draft(subject, by=interaction.user.id)
        if draft.terms is None:
            raise Refused(draft.missing or "Something is missing yet.")
        sentence = "This is what would be published beside the picture, and nothing else."
        await _hand_over(interaction, plan_files(draft.terms), sentence)
        return
    view = await registration_of(interaction, subject)
    if files := await load_files(services.kit.files, view.registration):
        sentence = "These are the very files: their SHA-256 is on the chain, once registered."
    else:
        files = plan_files(view.terms)
        sentence = "This is what is published beside the picture when a moderator agrees, and nothing else."
    await _hand_over(interaction, files, sentence)


async def _hand_over(interaction: Interaction, files: dict[str, bytes], sentence: str) -> None:
    attachments = [discord.File(io.BytesIO(content), filename=name) for name, content in files.items()]
    await interaction.edit_original_response(content=sentence, attachments=attachments)


# The card.


async def withdraw(interaction: Interaction, subject: Subject) -> None:
    services = interaction.client.services
    await registration_of(interaction, subject)
    await services.registering.registrations.withdraw(subject, by=interaction.user.id)
    view = await show_registration(interaction, subject)
    if view.review:
        await services.delivery.decided(view.review, view)


async def open_answer(interaction: Interaction, subject: Subject) -> None:
    view = await registration_of(interaction, subject.id)
    if view.registration.owner_id != interaction.user.id:
        raise Refused(f"Only <@{view.registration.owner_id}>, whose request this is, can answer.")
    if view.question is None:
        raise Refused("Nothing is asked just now, or it is answered already.")
    question, moderator = quoted(view.question.question, 1000), f"<@{view.question.asked_by}>"
    await interaction.response.send_modal(answer_form(subject.id, question, moderator))


async def send_answer(interaction: Interaction, subject: Subject) -> None:
    services = interaction.client.services
    await registration_of(interaction, subject)
    text = read_fields(interaction)["answer"]
    await services.registering.registrations.answer(subject, by=interaction.user.id, text=text)
    view = await show_registration(interaction, subject)
    if view.review:
        await services.delivery.decided(view.review, view)
    await interaction.edit_original_response(content="Your answer is with the moderators.")


async def draft_again(interaction: Interaction, subject: Subject) -> None:
    """A new draft with the same words."""
    await registration_of(interaction, subject.id)
    check_place(interaction)
    assert interaction.channel_id, "buttons are in a channel"
    view = await interaction.client.services.registering.registrations.again(
        subject.id, by=interaction.user.id, interaction_id=interaction.id, channel_id=interaction.channel_id
    )
    await _show_draft(interaction, view)


async def retry(interaction: Interaction, subject: Subject) -> None:
    """Once more under the same approval."""
    await registration_of(interaction, subject.id)
    await interaction.client.services.registering.registrations.retry(
        subject.id, by=interaction.user.id, moderator=await moderates(interaction)
    )
    await show_registration(interaction, subject.id)


async def open_details(interaction: Interaction, subject: Subject) -> None:
    """The subject of a button on a piece of news names its occasion, too."""
    await show_details(interaction, await registration_of(interaction, subject.id))


async def show_details(interaction: Interaction, view: RegistrationView) -> None:
    """All that is known about a registration, for the asker alone."""
    await interaction.edit_original_response(content=registration_details(view))


async def setup(client: Client) -> None:
    client.showables["register"] = Showable(registration_of, show_details)
    for verb, press in {
        "reg:text": Press(open_text, Answer.FORM),
        "reg:texted": Press(partial(send_form, form="text"), Answer.SILENT),
        "reg:licence": Press(open_licence, Answer.FORM),
        "reg:licensed": Press(partial(send_form, form="licence"), Answer.SILENT),
        "reg:creators": Press(open_creators, Answer.FORM),
        "reg:credited": Press(partial(send_form, form="creators"), Answer.SILENT),
        "reg:recipient": Press(open_recipient, Answer.FORM),
        "reg:directed": Press(partial(send_form, form="recipient"), Answer.SILENT),
        "reg:derive": Press(set_derivative, Answer.SILENT),
        "reg:submit": Press(submit, Answer.SILENT),
        "reg:discard": Press(open_discarding, Answer.SILENT),
        "reg:discarded": Press(discard, Answer.SILENT),
        "reg:draft": Press(show_draft, Answer.SILENT),
        "reg:json": Press(show_json),
        "reg:withdraw": Press(withdraw, Answer.SILENT),
        "reg:answer": Press(open_answer, Answer.FORM),
        "reg:answered": Press(send_answer),
        "reg:again": Press(draft_again),
        "reg:retry": Press(retry, Answer.SILENT),
        "reg:show": Press(open_details),
    }.items():
        client.presses.register(verb, press)
