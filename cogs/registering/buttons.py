"""What the buttons of a registration do: those of its draft, which its member alone sees, and those of its card."""

import contextlib
import io
import json
from collections.abc import Awaitable, Callable

import discord

from bot.cards.base.words import quoted
from bot.cards.registering.details import registration_details
from bot.cards.registering.draft import discarded_card, registration_draft_card, submitted_card
from bot.discord.buttons import YES, Answer, Press, given
from bot.discord.client import Client, Interaction
from bot.errors import Refused
from bot.story import metadata
from bot.values import Frozen
from bot.workflows.registering.types import Details, DraftView, RegistrationView, Terms
from cogs.base.asking import check_place, moderates, reply
from cogs.registering.finding import details_of, registration_of, show_registration
from cogs.registering.forms import (
    answer_form,
    creators_form,
    creators_in,
    licence_form,
    licence_in,
    recipient_form,
    text_form,
)
from storage.base import drafts
from storage.registering import wallets

KEPT = 1800.0
"""Seconds for which a form that was not accepted is remembered, so that nobody types it twice."""
_LINK = "(a link to the picture on IPFS, which is known when it is pinned)"


class _Typed(Frozen):
    said: dict[str, str]


# The draft's forms.


async def open_text(interaction: Interaction, registration_id: str) -> None:
    details, kept = await _opened(interaction, registration_id, "text")
    await interaction.response.send_modal(text_form(registration_id, details, kept))


async def texted(interaction: Interaction, registration_id: str) -> None:
    async def changes(said: dict[str, str]) -> dict[str, object]:
        return {
            "title": said.get("title", ""),
            "description": said.get("description", ""),
            "tags": metadata.tags_of(said.get("tags", "")),
            "public_prompt": said.get("prompt") == YES,
        }

    await _changed(interaction, registration_id, "text", changes)


async def open_licence(interaction: Interaction, registration_id: str) -> None:
    details, kept = await _opened(interaction, registration_id, "licence")
    coin = interaction.client.services.registering.wallets.network.coin
    await interaction.response.send_modal(licence_form(registration_id, details, coin, kept))


async def licensed(interaction: Interaction, registration_id: str) -> None:
    async def changes(said: dict[str, str]) -> dict[str, object]:
        return {"licence": licence_in(said)}

    await _changed(interaction, registration_id, "licence", changes)


async def open_creators(interaction: Interaction, registration_id: str) -> None:
    details, kept = await _opened(interaction, registration_id, "creators")
    await interaction.response.send_modal(creators_form(registration_id, details, kept))


async def credited(interaction: Interaction, registration_id: str) -> None:
    async def changes(said: dict[str, str]) -> dict[str, object]:
        async with interaction.client.services.kit.database.read() as db:
            linked = await wallets.find(db, interaction.user.id)
        return {"creators": creators_in(said.get("creators", ""), linked.address if linked else None)}

    await _changed(interaction, registration_id, "creators", changes)


async def open_recipient(interaction: Interaction, registration_id: str) -> None:
    details, kept = await _opened(interaction, registration_id, "recipient")
    await interaction.response.send_modal(recipient_form(registration_id, details, kept))


async def directed(interaction: Interaction, registration_id: str) -> None:
    async def changes(said: dict[str, str]) -> dict[str, object]:
        return {"recipient": said.get("recipient", "").strip() or None}

    await _changed(interaction, registration_id, "recipient", changes)


async def derive(interaction: Interaction, subject: str) -> None:
    registration_id, _, wanted = subject.partition(":")
    await details_of(interaction, registration_id)
    registrations = interaction.client.services.registering.registrations
    view = await registrations.edit(registration_id, by=interaction.user.id, derivative=wanted == "on")
    await _show_draft(interaction, view)


async def _opened(interaction: Interaction, registration_id: str, form: str) -> tuple[Details, dict[str, str]]:
    """What the draft says, and what was typed into that form and not accepted."""
    details, services = await details_of(interaction, registration_id), interaction.client.services
    key, owner = _key(registration_id, form), interaction.user.id
    async with services.kit.database.read() as db:
        content = await drafts.find(db, draft_id=key, owner_id=owner, now=services.kit.clock.now())
    return details, _Typed.model_validate_json(content).said if content else {}


async def _changed(
    interaction: Interaction,
    registration_id: str,
    form: str,
    changes: Callable[[dict[str, str]], Awaitable[dict[str, object]]],
) -> None:
    """Change the draft as the form says and show it; what cannot be so is kept for when the form is opened again.

    Raises:
        Refused: it cannot be so, and nothing was changed.
    """
    await details_of(interaction, registration_id)
    services, said, owner = interaction.client.services, given(interaction), interaction.user.id
    key, now = _key(registration_id, form), services.kit.clock.now()
    try:
        view = await services.registering.registrations.edit(registration_id, by=owner, **await changes(said))
    except Refused as error:
        async with services.kit.database.write() as db:
            content = _Typed(said=said).model_dump_json()
            await drafts.save(db, draft_id=key, owner_id=owner, content=content, now=now, expires_at=now + KEPT)
        raise Refused(f"{error} Nothing was changed; the form still has what you typed.") from error
    async with services.kit.database.write() as db:
        await drafts.take(db, draft_id=key, owner_id=owner, now=now)
    await _show_draft(interaction, view)


def _key(registration_id: str, form: str) -> str:
    return f"{registration_id}-{form}"


async def _show_draft(interaction: Interaction, view: DraftView) -> None:
    await reply(interaction, registration_draft_card(view, interaction.client.services.kit.files))


# The draft's end.


async def submit(interaction: Interaction, subject: str) -> None:
    """Ask the moderators, with what the card showed."""
    registration_id, _, digest = subject.partition(":")
    await details_of(interaction, registration_id)
    check_place(interaction)
    assert interaction.channel_id, "buttons are in a channel"
    registrations, owner = interaction.client.services.registering.registrations, interaction.user.id
    try:
        found = await registrations.submit(registration_id, by=owner, digest=digest, channel_id=interaction.channel_id)
    except Refused:
        with contextlib.suppress(Refused):  # it may say something else by now: who presses again should see that
            await _show_draft(interaction, await registrations.draft(registration_id, by=owner))
        raise
    title = Details.model_validate_json(found.details).title
    await reply(interaction, submitted_card(registration_id, interaction.channel_id, title))


async def discard(interaction: Interaction, registration_id: str) -> None:
    details = await details_of(interaction, registration_id)
    await interaction.client.services.registering.registrations.discard(registration_id, by=interaction.user.id)
    await reply(interaction, discarded_card(details.title))


async def exact(interaction: Interaction, registration_id: str) -> None:
    """The metadata as files, for whoever may see them: exactly those that are pinned, once they are."""
    services = interaction.client.services
    view = await services.registering.registrations.views.of(registration_id)
    if view is None:
        draft = await services.registering.registrations.draft(registration_id, by=interaction.user.id)
        if draft.terms is None:
            raise Refused(draft.missing or "Something is missing yet.")
        await _hand_over(
            interaction, _planned(draft.terms), "This is what would be published beside the picture, and nothing else."
        )
        return
    view = await registration_of(interaction, registration_id)
    made = await _made(interaction, view)
    if made is None:
        said = "This is what is published beside the picture when a moderator agrees, and nothing else."
        await _hand_over(interaction, _planned(view.terms), said)
    else:
        await _hand_over(interaction, made, "These are the very files: their SHA-256 is on the chain, once registered.")


async def _made(interaction: Interaction, view: RegistrationView) -> dict[str, bytes] | None:
    """The files as they were serialised; None before that."""
    media, registration = interaction.client.services.kit.files, view.registration
    if registration.ip_metadata is None or registration.nft_metadata is None:
        return None
    return {
        "ip-metadata.json": await media.read(registration.ip_metadata),
        "nft-metadata.json": await media.read(registration.nft_metadata),
    }


def _planned(terms: Terms) -> dict[str, bytes]:
    """The same before the picture has an address, laid out for reading."""
    made = metadata.build(terms.content, _LINK)
    return {"ip-metadata.json": _laid_out(made.ip), "nft-metadata.json": _laid_out(made.nft)}


def _laid_out(content: bytes) -> bytes:
    return json.dumps(json.loads(content), indent=2, ensure_ascii=False).encode()


async def _hand_over(interaction: Interaction, files: dict[str, bytes], said: str) -> None:
    attachments = [discord.File(io.BytesIO(content), filename=name) for name, content in files.items()]
    await interaction.edit_original_response(content=said, attachments=attachments)


# The card.


async def withdraw(interaction: Interaction, registration_id: str) -> None:
    view = await registration_of(interaction, registration_id)
    services = interaction.client.services
    await services.registering.registrations.withdraw(registration_id, by=interaction.user.id)
    view = await show_registration(interaction, registration_id)
    if view.review:
        await services.delivery.decided(view.review, view)


async def open_answer(interaction: Interaction, subject: str) -> None:
    registration_id, _, _ = subject.partition(":")
    view = await registration_of(interaction, registration_id)
    if view.registration.owner_id != interaction.user.id:
        raise Refused(f"Only <@{view.registration.owner_id}>, whose request this is, can answer.")
    if view.question is None:
        raise Refused("Nothing is asked just now, or it is answered already.")
    asked = view.question
    await interaction.response.send_modal(
        answer_form(registration_id, quoted(asked.question, 1000), f"<@{asked.asked_by}>")
    )


async def answered(interaction: Interaction, registration_id: str) -> None:
    services = interaction.client.services
    await registration_of(interaction, registration_id)
    await services.registering.registrations.answer(
        registration_id, by=interaction.user.id, text=given(interaction)["answer"]
    )
    view = await show_registration(interaction, registration_id)
    if view.review:
        await services.delivery.decided(view.review, view)
    await interaction.edit_original_response(content="Your answer is with the moderators.")


async def again(interaction: Interaction, subject: str) -> None:
    """A new draft with the same words."""
    registration_id, _, _ = subject.partition(":")
    services = interaction.client.services
    await registration_of(interaction, registration_id)
    check_place(interaction)
    assert interaction.channel_id, "buttons are in a channel"
    view = await services.registering.registrations.again(
        registration_id, by=interaction.user.id, interaction_id=interaction.id, channel_id=interaction.channel_id
    )
    await _show_draft(interaction, view)


async def retry(interaction: Interaction, subject: str) -> None:
    """Once more under the same approval."""
    registration_id, _, _ = subject.partition(":")
    await registration_of(interaction, registration_id)
    await interaction.client.services.registering.registrations.retry(
        registration_id, by=interaction.user.id, moderator=await moderates(interaction)
    )
    await show_registration(interaction, registration_id)


async def show(interaction: Interaction, subject: str) -> None:
    """Every hash, link and number. The subject of a button on a piece of news names its occasion, too."""
    registration_id, _, _ = subject.partition(":")
    view = await registration_of(interaction, registration_id)
    await interaction.edit_original_response(content=registration_details(view))


async def setup(client: Client) -> None:
    for verb, press in {
        "reg:text": Press(open_text, Answer.FORM),
        "reg:texted": Press(texted, Answer.SILENT),
        "reg:licence": Press(open_licence, Answer.FORM),
        "reg:licensed": Press(licensed, Answer.SILENT),
        "reg:creators": Press(open_creators, Answer.FORM),
        "reg:credited": Press(credited, Answer.SILENT),
        "reg:recipient": Press(open_recipient, Answer.FORM),
        "reg:directed": Press(directed, Answer.SILENT),
        "reg:derive": Press(derive, Answer.SILENT),
        "reg:submit": Press(submit, Answer.SILENT),
        "reg:discard": Press(discard, Answer.SILENT),
        "reg:json": Press(exact),
        "reg:withdraw": Press(withdraw, Answer.SILENT),
        "reg:answer": Press(open_answer, Answer.FORM),
        "reg:answered": Press(answered),
        "reg:again": Press(again),
        "reg:retry": Press(retry, Answer.SILENT),
        "reg:show": Press(show),
    }.items():
        client.presses.register(verb, press)
