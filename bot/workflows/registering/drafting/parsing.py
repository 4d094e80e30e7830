"""Reads what members type into the forms of a draft: names, shares and links in any order and spelling."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from bot.errors import Refused
from bot.story.licences import Licence, LicenceKey, fee_of, share_of
from bot.story.metadata import Creator, Profile
from bot.story.node.values import address
from bot.values import normalise_number

_ADDRESS = re.compile(r"0x\S*", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"(?<![\w.])(\d{1,3}),(\d+)(?=\s*(?:[%％,]|$))")
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


@dataclass(frozen=True)
class _Line:
    """What one line says of a creator."""

    number: int
    name: str
    address: str
    share: float | None
    description: str
    links: list[str]


def parse_licence(fields: Mapping[str, str]) -> Licence:
    """The licence of a form's fields `licence`, `fee` and `share`.

    Raises:
        Refused: the fee or share is no number, or this kind of licence has none.
    """
    try:
        key = LicenceKey(fields.get("licence", ""))
    except ValueError as error:
        raise Refused("That licence is not one of the list.") from error
    return Licence(key=key, minting_fee=fee_of(fields.get("fee", "")), revenue_share=share_of(fields.get("share", "")))


def write_creators(creators: tuple[Creator, ...]) -> str:
    """The lines that `parse_creators` reads as these people."""
    lines: list[str] = []
    for each in creators:
        parts = [each.name, each.address, f"{each.share:g} %", " ".join(each.description.split())]
        parts.append(" ".join(profile.url for profile in each.profiles))
        lines.append(" | ".join(part for part in parts if part))
    return "\n".join(lines)


def parse_creators(text: str, wallet: str | None) -> tuple[Creator, ...]:
    """The people of those lines. `wallet` is the member's linked one, which “me” stands for.

    Raises:
        Refused: a line that cannot be understood; the sentence says which.
    """
    lines = [
        _parse_line(number, line.strip(), wallet) for number, line in enumerate(text.splitlines(), 1) if line.strip()
    ]
    shares = [line.share for line in lines if line.share is not None]
    if not shares and lines:
        shares = _equal_shares(len(lines))
    elif len(shares) < len(lines):
        number = next(line.number for line in lines if line.share is None)
        raise Refused(f"Line {number} has no share. Give one to everybody, such as 40 %, or to nobody.")
    return tuple(_make_creator(line, share) for line, share in zip(lines, shares, strict=True))


def _parse_line(number: int, text: str, wallet: str | None) -> _Line:
    """The parts of a line, each recognised by its form."""
    text = text.replace("，", ",").replace("｜", "|")
    bar = "|" in text
    if not bar:
        text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    name, *parts = (part.strip() for part in text.split("|" if bar else ","))
    where: str | None = None
    share: float | None = None
    about: list[str] = []
    links: list[str] = []
    for part in parts:
        if where is None and _ADDRESS.fullmatch(part):
            where = _parse_address(number, part)
        elif where is None and part.casefold() == _ME:
            if wallet is None:
                raise Refused(f"Line {number} says “me”, but you have linked no wallet. `/wallet link` links one.")
            where = wallet
        elif share is None and (match := _SHARE.fullmatch(unicodedata.normalize("NFKC", part))):
            share = float(normalise_number(match[1], below_thousand=True))
        else:
            words = part.split()
            links += [word for word in words if word.startswith(("https://", "http://"))]
            about.append(" ".join(word for word in words if not word.startswith(("https://", "http://"))))
    if not name:
        raise Refused(f"Line {number} has no name. Begin it with one, such as “Ada, 0x…, 60 %”.")
    if where is None:
        raise Refused(
            f"Line {number}: {name[:40]} has no wallet. Each creator is published with one: give its address, such as "
            f"“{name[:40]}, 0x…, 60 %”, or name {name[:40]} in the description instead."
        )
    return _Line(number, name, where, share, (" " if bar else ", ").join(part for part in about if part), links)


def _make_creator(line: _Line, share: float) -> Creator:
    try:
        return Creator(
            name=line.name,
            address=line.address,
            share=share,
            description=line.description,
            profiles=tuple(Profile(platform=_name_platform(link), url=link) for link in line.links),
        )
    except Refused as error:
        raise Refused(f"Line {line.number}: {error}") from error


def _parse_address(number: int, text: str) -> str:
    try:
        return address(text)
    except Refused as error:
        raise Refused(f"Line {number}: {error}") from error


def _equal_shares(count: int) -> list[float]:
    """The same for all, in hundredths of a per cent; the first has what is left."""
    each = (Decimal(100) / count).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    return [float(100 - each * (count - 1)), *[float(each)] * (count - 1)]


def _name_platform(link: str) -> str:
    """What a link's website is called."""
    host = link.split("//", 1)[-1].split("/", 1)[0].lower().removeprefix("www.").partition(":")[0]
    return _PLATFORMS.get(host, host[:50] or "Website")
