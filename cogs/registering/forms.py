"""The forms of a registration's draft, and what is read from them: people type names, shares and links as they like."""

import re
from decimal import ROUND_DOWN, Decimal

import discord
from discord.ui import Checkbox, Select, TextInput

from bot import limits
from bot.discord.buttons import YES, Form
from bot.errors import Refused
from bot.story import metadata
from bot.story.licences import LABELS, Licence, LicenceKey, fee_of, sentence, share_of
from bot.story.metadata import Creator, Profile
from bot.story.node.values import address
from bot.workflows.registering.types import Details

MOST_ANSWER = 500
"""Characters of an answer to a moderator."""

_ADDRESS = re.compile(r"0x\S*", re.IGNORECASE)
_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*%?")
_ME = "me"
_PLATFORMS = {
    "x.com": "X",
    "twitter.com": "X",
    "instagram.com": "Instagram",
    "github.com": "GitHub",
    "youtube.com": "YouTube",
    "tiktok.com": "TikTok",
    "twitch.tv": "Twitch",
    "bsky.app": "Bluesky",
    "linkedin.com": "LinkedIn",
    "facebook.com": "Facebook",
    "artstation.com": "ArtStation",
    "deviantart.com": "DeviantArt",
}
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
    """Title, description, tags, and whether the prompt becomes public. `kept` is what was typed and not taken."""
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
    fee = kept.get("fee", _coins(now.minting_fee))
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


def licence_in(said: dict[str, str]) -> Licence:
    """
    Raises:
        Refused: a fee or share that is none, or that this kind of licence has not.
    """
    try:
        key = LicenceKey(said.get("licence", ""))
    except ValueError as error:
        raise Refused("That licence is not one of the list.") from error
    return Licence(key=key, minting_fee=fee_of(said.get("fee", "")), revenue_share=share_of(said.get("share", "")))


def creators_form(registration_id: str, details: Details, kept: dict[str, str]) -> Form:
    """One person a line; as forgiving as can be."""
    form = Form("reg:credited", registration_id, "Who made it")
    form.say(
        "One person a line: name, wallet, share, and if you like a description and links, with commas or | between:\n"
        "`Ada Lovelace, 0x…, 60%`\n"
        "`Ben | 0x… | 40 | drew the sketch | https://x.com/ben`\n"
        "“me” instead of a wallet is your linked one; without shares, all have the same. All of it becomes public, for "
        "good. Leave it empty to be named alone."
    )
    field = TextInput[Form](
        style=discord.TextStyle.paragraph,
        default=kept.get("creators", creators_text(details.creators))[: limits.FIELD_CHARACTERS] or None,
        max_length=limits.FIELD_CHARACTERS,
        required=False,
        placeholder="Ada Lovelace, 0x…, 60%",
    )
    form.ask("creators", "Creators", field, f"At most {metadata.MOST_CREATORS}; shares sum to 100 %.")
    return form


def creators_text(creators: tuple[Creator, ...]) -> str:
    """The lines that `creators_in` reads as these people."""
    lines: list[str] = []
    for each in creators:
        parts = [each.name, each.address, f"{each.share:g} %", " ".join(each.description.split())]
        parts.append(" ".join(profile.url for profile in each.profiles))
        lines.append(" | ".join(part for part in parts if part))
    return "\n".join(lines)


def creators_in(text: str, wallet: str | None) -> tuple[Creator, ...]:
    """The people of those lines. `wallet` is the member's linked one, which “me” stands for.

    Raises:
        Refused: a line that cannot be understood; the sentence says which.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    read = [_creator(number, line, wallet) for number, line in lines]
    given = [share for _, _, share, _, _ in read if share is not None]
    if read and not given:
        shares = _equal(len(read))
    elif len(given) < len(read):
        number = next(number for (number, _), (_, _, share, _, _) in zip(lines, read, strict=True) if share is None)
        raise Refused(f"Line {number} has no share. Give one to everybody, such as 40 %, or to nobody.")
    else:
        shares = given
    made: list[Creator] = []
    for (number, _), (name, where, _, about, links), share in zip(lines, read, shares, strict=True):
        try:
            made.append(
                Creator(
                    name=name,
                    address=where,
                    share=share,
                    description=about,
                    profiles=tuple(Profile(platform=_platform(link), url=link) for link in links),
                )
            )
        except Refused as error:
            raise Refused(f"Line {number}: {error}") from error
    return tuple(made)


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


def _creator(number: int, line: str, wallet: str | None) -> tuple[str, str, float | None, str, list[str]]:
    """Name, address, share, description and links of a line; which is which is told by what it looks like."""
    bar = "|" in line
    name, *parts = (part.strip() for part in line.split("|" if bar else ","))
    where: str | None = None
    share: float | None = None
    about: list[str] = []
    links: list[str] = []
    for part in parts:
        if where is None and _ADDRESS.fullmatch(part):
            where = _checked(number, part)
        elif where is None and part.casefold() == _ME:
            if wallet is None:
                raise Refused(f"Line {number} says “me”, but you have linked no wallet. `/wallet link` links one.")
            where = wallet
        elif share is None and (found := _SHARE.fullmatch(part)):
            share = float(found[1].replace(",", "."))
        else:
            words = part.split()
            links += [word for word in words if word.startswith(("https://", "http://"))]
            about.append(" ".join(word for word in words if not word.startswith(("https://", "http://"))))
    if not name:
        raise Refused(f"Line {number} has no name. Begin it with one, such as “Ada, 0x…, 60 %”.")
    if where is None:
        raise Refused(f"Line {number}: {name[:40]} has no wallet. Give its address, such as “{name[:40]}, 0x…, 60 %”.")
    return name, where, share, (" " if bar else ", ").join(part for part in about if part), links


def _checked(number: int, text: str) -> str:
    try:
        return address(text)
    except Refused as error:
        raise Refused(f"Line {number}: {error}") from error


def _equal(count: int) -> list[float]:
    """The same for all, in hundredths of a per cent; the first has what is left."""
    each = (Decimal(100) / count).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    return [float(100 - each * (count - 1)), *[float(each)] * (count - 1)]


def _platform(link: str) -> str:
    """What a link's website is called."""
    host = link.split("//", 1)[-1].split("/", 1)[0].lower().removeprefix("www.").partition(":")[0]
    return _PLATFORMS.get(host, host[:50] or "Website")


def _coins(wei: int) -> str:
    return f"{(Decimal(wei) / 10**18).normalize():f}" if wei else ""
