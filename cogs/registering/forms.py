"""The forms of a registration's draft, and of the answer to a moderator."""

from decimal import Decimal

import discord
from discord.ui import Checkbox, Select, TextInput

from bot import limits
from bot.discord.buttons import YES, Form
from bot.story import metadata
from bot.story.licences import LABELS, Licence, LicenceKey, sentence
from bot.workflows.registering.drafting.parsing import write_creators
from bot.workflows.registering.types import Details

MOST_ANSWER = 500
"""Characters of an answer to a moderator."""

_MAY = {
    LicenceKey.COMMERCIAL_USE: (
        "Anyone may use it, also to earn money, with credit, for free or for the fee below; nobody may remix it or "
        "train AI on it."
    ),
    LicenceKey.COMMERCIAL_REMIX: (
        "Anyone may use and remix it, also to earn money, with credit, for free or for the fee below; the share below "
        "of what their remixes earn is yours, their remixes carry this same licence, and nobody may train AI on it."
    ),
}
"""Those whose terms are not complete before their fee and share are known."""
_SHORT = {
    LicenceKey.NONE: "Nobody may use, remix or train on it without asking you.",
    LicenceKey.NON_COMMERCIAL: "Free to share and remix with credit, never to earn money.",
    LicenceKey.COMMERCIAL_USE: "Free to use, also for money, with credit; a fee is possible; no remixes.",
    LicenceKey.COMMERCIAL_REMIX: "Free to use and remix, also for money; a fee and a share are possible.",
    LicenceKey.CC_BY: "Free for everything, also for money and AI training, with credit.",
}


def text_form(registration_id: str, details: Details, kept: dict[str, str]) -> Form:
    """Title, description, tags, and whether the prompt becomes public. `kept` is what was typed and not accepted."""
    form = Form("reg:texted", registration_id, "What is said about it, for good")
    title = TextInput[Form](
        default=kept.get("title", details.title) or None, max_length=metadata.LONGEST_TITLE, required=True
    )
    form.ask("title", "Title", title, "Public.")
    description = TextInput[Form](
        style=discord.TextStyle.paragraph,
        default=kept.get("description", details.description) or None,
        max_length=metadata.LONGEST_DESCRIPTION,
        required=False,
    )
    form.ask("description", "Description", description, "Public. May be empty.")
    tags = TextInput[Form](default=kept.get("tags", ", ".join(details.tags)) or None, max_length=600, required=False)
    form.ask("tags", "Tags", tags, f"Public. With commas between, at most {metadata.MOST_TAGS}.")
    public = kept.get("prompt") == YES if kept else details.public_prompt
    form.ask("prompt", "Publish the prompt, too", Checkbox[Form](default=public), "For good: it cannot be taken back.")
    return form


def licence_form(registration_id: str, details: Details, coin: str, kept: dict[str, str]) -> Form:
    """What others may do with it; each licence in a plain sentence."""
    form = Form("reg:licensed", registration_id, "What others may do with it")
    form.say("\n".join(f"**{LABELS[key]}:** {_MAY.get(key) or sentence(Licence(key=key), coin)}" for key in LicenceKey))
    now = details.licence
    chosen = kept.get("licence", now.key)
    options = [
        discord.SelectOption(label=LABELS[key], value=key.value, description=_SHORT[key], default=key.value == chosen)
        for key in LicenceKey
    ]
    form.ask("licence", "Licence", Select[Form](options=options), "It is written on the chain, for good.")
    fee = kept.get("fee", _write_coins(now.minting_fee))
    why = f"In {coin}, such as 0.05. Only for the two commercial licences; empty for none."
    form.ask("fee", "Fee for a licence", TextInput[Form](default=fee or None, max_length=30, required=False), why)
    share = kept.get("share", f"{Decimal(str(now.revenue_share)):f}" if now.revenue_share else "")
    why = "In per cent, such as 5. Only for “Commercial remix”; empty for none."
    form.ask(
        "share",
        "Your share of what remixes earn",
        TextInput[Form](default=share or None, max_length=12, required=False),
        why,
    )
    return form


def creators_form(registration_id: str, details: Details, kept: dict[str, str]) -> Form:
    """One person a line; as forgiving as can be."""
    form = Form("reg:credited", registration_id, "Who made it")
    form.say(
        "One person a line: name, wallet, share, and if you like a description and links, with commas or | between:\n"
        "`Ada Lovelace, 0x…, 60%`\n"
        "`Ben | 0x… | 40 | drew the sketch | https://x.com/ben`\n"
        "“me” instead of a wallet is your linked one; without shares, all have the same. All of it becomes public, for "
        "good. Leave it empty to be named alone: with your linked wallet or, without one, in the description."
    )
    field = TextInput[Form](
        style=discord.TextStyle.paragraph,
        default=kept.get("creators", write_creators(details.creators))[: limits.FIELD_CHARACTERS] or None,
        max_length=limits.FIELD_CHARACTERS,
        required=False,
        placeholder="Ada Lovelace, 0x…, 60%",
    )
    form.ask("creators", "Creators", field, f"At most {metadata.MOST_CREATORS}; shares sum to 100 %.")
    return form


def recipient_form(registration_id: str, details: Details, kept: dict[str, str]) -> Form:
    """Whose the token will be."""
    form = Form("reg:directed", registration_id, "Whom it will belong to")
    form.say(
        "Whoever has this wallet owns the IP asset: they can sell it and earn from its licence. Empty is your linked "
        "wallet or, where you have linked none, the community's."
    )
    field = TextInput[Form](
        default=kept.get("recipient", details.recipient or "") or None,
        max_length=60,
        required=False,
        placeholder="0x…",
    )
    form.ask("recipient", "Wallet address", field, "Check it well: what is sent to a wrong address is lost.")
    return form


def answer_form(registration_id: str, question: str, asked_by: str) -> Form:
    """What a moderator asks, and room for the answer."""
    form = Form("reg:answered", registration_id, "Answer a moderator")
    form.say(f"{asked_by} asks: {question}")
    field = TextInput[Form](style=discord.TextStyle.paragraph, max_length=MOST_ANSWER, required=True)
    form.ask("answer", "Your answer", field, "The moderators read it.")
    return form


def _write_coins(wei: int) -> str:
    return f"{(Decimal(wei) / 10**18).normalize():f}" if wei else ""
