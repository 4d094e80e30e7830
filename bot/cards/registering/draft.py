"""The private card of a draft: what would be published of an image for good."""

import discord

from bot import limits
from bot.cards.base.layout import Card, compose, gallery, row, text
from bot.cards.base.lines import DANGER, SUCCESS, UNSURE, WAITING, small
from bot.cards.base.words import counted, escaped, listed, quoted, sentence
from bot.cards.finetuning.parts import code, within
from bot.cards.registering.parts import FREE, LEAST, NAME, address_link, other_link, preview_of, roomy, title_of
from bot.discord.buttons import PressButton, button
from bot.story.licences import sentence as licence_sentence
from bot.story.metadata import Generation
from bot.workflows.base.files import FilePaths
from bot.workflows.drawing.types import RequestView
from bot.workflows.registering.types import DraftView

DIGEST = 12
"""Characters of the digest that the button carries: what is submitted is what the card shows."""
_TYPES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}


def registration_draft_card(view: DraftView, paths: FilePaths) -> Card:
    """All that can be changed, all that becomes public, and what is missing."""
    files = preview_of(view.registration, paths, spoiler=view.request.spoiler, title=view.details.title)
    shown = [gallery(files)] if files else []

    def draw(room: int) -> Card:
        return compose(
            [
                text(
                    f"### {title_of(view.details.title)}: a registration to submit",
                    f"On {escaped(view.network.label)}, of picture {code(view.image.id, 24)}. Only you see this.",
                ),
                *shown,
                text(*_wording_lines(view, room)),
                text(*_licence_lines(view, room)),  # its list goes on until the text ends
                text(_recipient_line(view), _parent_line(view)),
                text(*_public_lines(view, room)),
                text(*_ending_lines(view)),
                *row(_edit_buttons(view)),
                *row(_end_buttons(view)),
            ],
            colour=UNSURE if view.missing else WAITING,
            files=files,
        )

    return roomy(draw)


def picture_question(view: RequestView) -> Card:
    """Asks which picture of a request is to be registered, where a form cannot ask."""
    numbered = [button("reg:begin", image.id, f"Picture {number}") for number, image in enumerate(view.images, 1)]
    rows = [row(numbered[at : at + limits.ROW_BUTTONS]) for at in range(0, len(numbered), limits.ROW_BUTTONS)]
    heading = "### Which picture do you want to register?"
    return compose(
        [text(heading, "You see everything before you submit it."), *(item for each in rows for item in each)]
    )


def submitted_card(view_id: str, channel_id: int, title: str) -> Card:
    """What the draft becomes when it is submitted."""
    return compose(
        [
            text(
                f"### {title_of(title)}: submitted",
                f"The moderators are asked now. Its card is coming in <#{channel_id}>, where you can follow it and "
                "withdraw it until it is signed.",
                FREE,
                f"-# `{view_id}`",
            ),
            *row([button("reg:show", view_id, "Where it stands")]),
        ],
        colour=WAITING,
    )


def discard_question(registration_id: str, title: str) -> Card:
    """Asked before a draft is discarded; it takes the draft's place, so there is a way back."""
    return compose(
        [
            text(
                f"### Discard {title_of(title)}?",
                "Gone for good: its title, description, tags, licence, creators and recipient as you have written "
                "them. The picture itself stays.",
            ),
            *row(
                [
                    button("reg:discarded", registration_id, "Discard for good", style=DANGER),
                    button("reg:draft", registration_id, "Back to the draft"),
                ]
            ),
        ],
        colour=UNSURE,
    )


def discarded_card(title: str) -> Card:
    """What the draft becomes when it is discarded. The picture itself stays."""
    rest = "Nothing was submitted, pinned or charged. The picture is still there."
    return compose([text(f"### {title_of(title)}: discarded", rest)])


def _wording_lines(view: DraftView, room: int) -> list[str]:
    """The words, as they would be published."""
    details, request = view.details, view.request
    lines = [
        f"**Description:** {quoted(details.description, room)}" if details.description else "**Description:** none"
    ]
    lines.append(f"**Tags:** {quoted(', '.join(details.tags), 150)}" if details.tags else "**Tags:** none")
    if request.prompt.strip():
        prompt = quoted(request.prompt, min(room, 300))
        lines.append(
            f"**Prompt, which becomes public:** {prompt}" if details.public_prompt else "**Prompt:** stays private"
        )
    return lines


def _licence_lines(view: DraftView, room: int) -> list[str | None]:
    """Licence and people."""
    details, network = view.details, view.network
    derived = view.parent is not None and view.parent_refusal is None and details.derivative
    if derived:
        licence = "**Licence:** that of the picture it is derived from"
    else:
        terms = licence_sentence(details.licence, network.coin)
        licence = f"**Licence, {escaped(details.licence.label)}:** {terms}"
    return [licence, *_creator_lines(view, room)]


def _creator_lines(view: DraftView, room: int) -> list[str]:
    if not view.details.creators:
        if view.wallet is None:
            return [
                "**Creator:** none, because you have linked no wallet. The description names you, "
                + quoted(view.details.author, NAME)
                + ". `/wallet link`, or an address in “Creators”, makes you its creator."
            ]
        wallet = address_link(view.wallet, view.network, short=True)
        return [f"**Creator:** you alone, as {quoted(view.details.author, NAME)} ({wallet})"]
    lines = [
        f"- {quoted(each.name, NAME)}, {each.share:g} %, {address_link(each.address, view.network, short=True)}"
        + (f", {counted(len(each.profiles), 'link')}" if each.profiles else "")
        + (f": {quoted(each.description, min(room, 80))}" if each.description and room > LEAST else "")
        for each in view.details.creators
    ]
    return ["**Creators:**", *within(lines, room=max(room * 3, 300), most=10, more="creator")]


def _recipient_line(view: DraftView) -> str:
    network = view.network
    if view.terms:
        recipient = address_link(view.terms.recipient, network)
        match view.terms.recipient_from:
            case "given":
                return f"**It will belong to** {recipient}, as you have said."
            case "linked":
                return f"**It will belong to** {recipient}, your linked wallet."
            case _:
                return (
                    f"**It will belong to** {recipient}, the community's wallet: you have linked none. "
                    "“Recipient” or `/wallet link` changes that."
                )
    if view.details.recipient:
        return f"**It will belong to** {address_link(view.details.recipient, network)}, as you have said."
    if view.wallet:
        return f"**It will belong to** {address_link(view.wallet, network)}, your linked wallet."
    return "**It will belong to** the community's wallet, where one is set: you have linked none."


def _parent_line(view: DraftView) -> str | None:
    if view.parent is None:
        return None
    parent = other_link(view.parent, view.network)
    if view.parent_refusal:
        return f"It was made from {parent}, but cannot be registered as its derivative: {sentence(view.parent_refusal)}"
    if view.details.derivative:
        return f"**Derivative** of {parent}, which it was made from. It carries that one's licence."
    return f"It was made from {parent}, and will not be registered as its derivative: you have turned that off."


def _public_lines(view: DraftView, room: int) -> list[str]:
    """What nobody can take back, from what the metadata really hold."""
    image, kind = view.image, _TYPES.get(view.image.media_type, "file")
    size = f"{image.bytes / 1e6:.1f} MB" if image.bytes >= 100_000 else f"{max(image.bytes // 1000, 1)} KB"
    items = [f"the picture file itself ({kind}, {image.width} × {image.height}, {size})"]
    if view.terms is None:
        items += ["its title, description and tags", "the model, and the seed where it is known"]
        items += ["the prompt"] if view.details.public_prompt else []
        items += ["the creators' names, wallets and shares", "the wallet that it will belong to"]
    else:
        content = view.terms.content
        optional = [name for name, value in (("description", content.description), ("tags", content.tags)) if value]
        items.append(listed(["its title", *optional]))
        items.append("when it was made")
        items += _generation_items(content.generation)
        items.append(_creators_item(view))
        items += [f"this community's name, {quoted(content.community, 60)}"] if content.community else []
        items.append("the wallet that it will belong to")
    summary = (
        f"{items[0]}; {'; '.join(items[1:])}."
        if room > LEAST
        else f"{listed(items[:2])} and {len(items) - 2} more things."
    )
    return [
        f"**Public, and there for good, once it is registered:** {summary}",
        "Nobody can delete or change that afterwards, the admin neither. “Exact JSON” shows every word of it.",
    ]


def _generation_items(generation: Generation | None) -> list[str]:
    if generation is None:
        return []
    items = [f"the model ({quoted(generation.model, 40)}, {quoted(generation.provider, 30)})"]
    if generation.seed is not None:
        items.append(f"the seed (`{generation.seed}`)")
    if generation.finetune:
        items.append(f"the finetune's name ({quoted(generation.finetune, 40)})")
    facts = [
        *(["its strength"] if generation.finetune_strength is not None else []),
        *(["its trigger word"] if generation.trigger else []),
        *([f"who trained it ({quoted(generation.trained_by, 40)})"] if generation.trained_by else []),
        *(["the hash of its training set"] if generation.training_set else []),
    ]
    items += [listed(facts)] if facts else []
    items.append("the prompt" if generation.prompt else "not the prompt")
    return items


def _creators_item(view: DraftView) -> str:
    assert view.terms, "asked where there are terms"
    creators = view.terms.content.creators
    if not creators:
        return "your name, in the description"
    facts = ["name", "wallet", "share"] if len(creators) == 1 else ["names", "wallets", "shares"]
    if any(each.description for each in creators):
        facts.append("description" if len(creators) == 1 else "descriptions")
    if any(each.profiles for each in creators):
        facts.append("links")
    whose = "the creator's" if len(creators) == 1 else "the creators'"
    return f"{whose} {listed(facts)}"


def _ending_lines(view: DraftView) -> list[str | None]:
    if view.missing:
        first = f"**Before it can be submitted:** {sentence(view.missing)}"
    else:
        first = (
            "**Submit** asks the moderators. Nothing is pinned or minted before one of them has agreed to exactly this."
        )
    return [
        first,
        FREE,
        "By submitting you say that you may publish and license this picture.",
        small(f"`{view.registration.id}`"),
    ]


def _edit_buttons(view: DraftView) -> list[PressButton]:
    registration_id = view.registration.id
    wording = discord.ButtonStyle.primary if not view.details.title else discord.ButtonStyle.secondary
    buttons = [
        button("reg:text", registration_id, "Edit text", style=wording),
        button("reg:licence", registration_id, "Licence"),
        button("reg:creators", registration_id, "Creators"),
        button("reg:recipient", registration_id, "Recipient"),
    ]
    if view.parent is not None and view.parent_refusal is None:
        on = view.details.derivative
        buttons.append(
            button("reg:derive", f"{registration_id}:{'off' if on else 'on'}", "No derivative" if on else "Derivative")
        )
    return buttons


def _end_buttons(view: DraftView) -> list[PressButton]:
    registration_id, terms = view.registration.id, view.terms
    subject = f"{registration_id}:{terms.digest[:DIGEST]}" if terms else registration_id
    return [
        button("reg:submit", subject, "Submit", style=SUCCESS, disabled=terms is None or view.missing is not None),
        button("reg:json", registration_id, "Exact JSON", disabled=terms is None),
        button("reg:discard", registration_id, "Discard", style=DANGER),
    ]
