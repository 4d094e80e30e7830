"""The licences that a member can choose: what each says, and what it is on the chain.

They are Story's PIL flavours. Source: docs.story.foundation/concepts/programmable-ip-license/pil-flavors and the
texts in github.com/piplabs/pil-document (November 2025).
"""

import math
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, NamedTuple, Self

from pydantic import model_validator

from bot.errors import Refused
from bot.story.node.values import NOBODY, Address, Wei, coins
from bot.values import Frozen, normalise_number

ROYALTY_POLICY: Final = Address("0xBe54FB168b3c982b7AaE60dB6CF75Bd8447b390E")
"""Liquid absolute percentage (LAP), the same on both networks: a share of everything that descends from the IP."""
WRAPPED_IP: Final = Address("0x1514000000000000000000000000000000000000")
"""The ERC-20 form of the network's coin, in which fees and royalties are paid."""

SHARE_UNIT: Final = 1_000_000
"""What one percent is on the chain."""
HIGHEST_FEE: Final = 10**9 * 10**18
"""Wei; there are a thousand million coins in all, so that more is a mistake."""

_TEXTS = "https://github.com/piplabs/pil-document/blob/"


class LicenceKey(StrEnum):
    """Stored, and chosen in Discord: never renamed."""

    NONE = "none"
    NON_COMMERCIAL = "non_commercial"
    COMMERCIAL_USE = "commercial_use"
    COMMERCIAL_REMIX = "commercial_remix"
    CC_BY = "cc_by"


LABELS: Final = {
    LicenceKey.NONE: "No licence",
    LicenceKey.NON_COMMERCIAL: "Non-commercial social remixing",
    LicenceKey.COMMERCIAL_USE: "Commercial use",
    LicenceKey.COMMERCIAL_REMIX: "Commercial remix",
    LicenceKey.CC_BY: "Creative Commons Attribution (CC BY)",
}

_URIS = {
    LicenceKey.NON_COMMERCIAL: _TEXTS + "998c13e6ee1d04eb817aefd1fe16dfe8be3cd7a2/off-chain-terms/NCSR.json",
    LicenceKey.COMMERCIAL_USE: _TEXTS + "9a1f803fcf8101a8a78f1dcc929e6014e144ab56/off-chain-terms/CommercialUse.json",
    LicenceKey.COMMERCIAL_REMIX: _TEXTS
    + "ad67bb632a310d2557f8abcccd428e4c9c798db1/off-chain-terms/CommercialRemix.json",
    LicenceKey.CC_BY: _TEXTS + "998c13e6ee1d04eb817aefd1fe16dfe8be3cd7a2/off-chain-terms/CC-BY.json",
}


class PILTerms(NamedTuple):
    """A licence as the chain knows it, in the order of its struct. Equal values are one set of terms with one id."""

    transferable: bool = True
    royalty_policy: Address = NOBODY
    default_minting_fee: Wei = 0
    expiration: int = 0
    commercial_use: bool = False
    commercial_attribution: bool = False
    commercializer_checker: Address = NOBODY
    commercializer_checker_data: bytes = b""
    """Empty. Story's own SDKs send 20 zero bytes, and so get another id than 1 for the default terms."""
    commercial_rev_share: int = 0
    """In millionths of a percent."""
    commercial_rev_ceiling: int = 0
    derivatives_allowed: bool = False
    derivatives_attribution: bool = False
    derivatives_approval: bool = False
    derivatives_reciprocal: bool = False
    derivative_rev_ceiling: int = 0
    currency: Address = NOBODY
    uri: str = ""


class Licence(Frozen):
    """What a member chose. Fee and share say something only where the kind of licence has them.

    Raises (when made):
        Refused: a share or fee that cannot be, or that this kind of licence has not.
    """

    key: LicenceKey
    minting_fee: Wei = 0
    """What each licensee pays once for a licence."""
    revenue_share: float = 0
    """Percent of what derivatives earn."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 0 <= self.minting_fee <= HIGHEST_FEE:
            raise Refused("A minting fee is between 0 and 1,000,000,000 IP.")
        if self.minting_fee and self.key not in {LicenceKey.COMMERCIAL_USE, LicenceKey.COMMERCIAL_REMIX}:
            raise Refused(f"“{LABELS[self.key]}” has no minting fee. Leave it empty, or choose a commercial licence.")
        if not math.isfinite(self.revenue_share) or not 0 <= self.revenue_share <= 100:
            raise Refused("A revenue share is between 0 and 100 percent.")
        if self.revenue_share and self.key is not LicenceKey.COMMERCIAL_REMIX:
            raise Refused(f"“{LABELS[self.key]}” has no revenue share. Leave it empty, or choose “Commercial remix”.")
        if _units(self.revenue_share) is None:
            raise Refused("A revenue share has at most six digits after the point.")
        return self

    @property
    def label(self) -> str:
        return LABELS[self.key]


def fee_of(text: str) -> Wei:
    """A fee as a member typed it, in coins: "0.05", "0,05". Nothing is a fee of 0.

    Raises:
        Refused: it is no such number.
    """
    given = normalise_number(normalise_number(text).removesuffix("IP"))
    if not given:
        return 0
    amount = _decimal(given)
    if amount is None or amount < 0:
        raise Refused("A minting fee is a number of IP coins, with a point before its fraction: 0.05")
    wei = amount * 10**18
    if wei != wei.to_integral_value():
        raise Refused("A minting fee has at most 18 digits after the point.")
    if wei > HIGHEST_FEE:
        raise Refused("A minting fee is between 0 and 1,000,000,000 IP.")
    return int(wei)


def share_of(text: str) -> float:
    """A revenue share as a member typed it, in percent: "5", "2.5 %", "2,5". Nothing is a share of 0.

    Raises:
        Refused: it is no such number.
    """
    given = normalise_number(normalise_number(text).removesuffix("%"), below_thousand=True)
    if not given:
        return 0
    share = _decimal(given)
    if share is None or not 0 <= share <= 100:
        raise Refused(
            "A revenue share is a number between 0 and 100, in percent, with a point before its fraction: 2.5"
        )
    return float(share)


def terms_of(licence: Licence) -> PILTerms | None:
    """The licence on the chain, the same on both networks; None where no terms are attached."""
    commercial = PILTerms(
        royalty_policy=ROYALTY_POLICY,
        commercial_use=True,
        commercial_attribution=True,
        currency=WRAPPED_IP,
        default_minting_fee=licence.minting_fee,
        uri=_URIS.get(licence.key, ""),
    )
    match licence.key:
        case LicenceKey.NONE:
            return None
        case LicenceKey.NON_COMMERCIAL:
            return _remixable(PILTerms(uri=_URIS[licence.key]))
        case LicenceKey.COMMERCIAL_USE:
            return commercial
        case LicenceKey.COMMERCIAL_REMIX:
            return _remixable(commercial)._replace(commercial_rev_share=_units(licence.revenue_share) or 0)
        case LicenceKey.CC_BY:
            return _remixable(commercial)


def sentence(licence: Licence, coin: str = "IP") -> str:
    """What it means, in one sentence that a member understands."""
    fee = f"for a fee of {coins(licence.minting_fee, coin, places=18)}" if licence.minting_fee else "for free"
    match licence.key:
        case LicenceKey.NONE:
            return (
                "Nobody is given a licence: others may look at it, and may not use it, remix it or train AI on it "
                "without asking its owner."
            )
        case LicenceKey.NON_COMMERCIAL:
            return (
                "Anyone may share and remix it for free, with credit and without earning money from it; their remixes "
                "carry this same licence, and nobody may train AI on it."
            )
        case LicenceKey.COMMERCIAL_USE:
            return (
                f"Anyone may use it, also to earn money, {fee} and with credit; nobody may remix it or train AI on it."
            )
        case LicenceKey.COMMERCIAL_REMIX:
            share = f"{_percent(licence.revenue_share)} of what their remixes earn is its owner's, "
            return (
                f"Anyone may use and remix it, also to earn money, {fee} and with credit; "
                f"{share if licence.revenue_share else ''}their remixes carry this same licence, and nobody may train "
                "AI on it."
            )
        case LicenceKey.CC_BY:
            return (
                "Anyone may use and remix it for free, also to earn money and to train AI, if they give credit; "
                "their remixes carry this same licence."
            )


def sentence_of_terms(terms: PILTerms, coin: str = "IP") -> str:
    """The same for terms read from the chain, which anybody may have made."""
    licence = licence_in(terms)
    if licence is not None:
        return sentence(licence, coin)
    uses = "also to earn money" if terms.commercial_use else "without earning money from it"
    remixes = "remixed" if terms.derivatives_allowed else "not remixed"
    fee = f", for a fee of {coins(terms.default_minting_fee, coin, places=18)}" if terms.default_minting_fee else ""
    share = (
        f"; {_percent(terms.commercial_rev_share / SHARE_UNIT)} of what remixes earn is its owner's"
        if terms.commercial_rev_share
        else ""
    )
    return f"It may be used {uses} and {remixes}{fee}{share}; its own terms say the rest."


def licence_in(terms: PILTerms) -> Licence | None:
    """Which of our licences these terms are; None for terms of another kind."""
    for key in LicenceKey:
        try:
            licence = Licence(
                key=key,
                minting_fee=terms.default_minting_fee,
                revenue_share=terms.commercial_rev_share / SHARE_UNIT,
            )
        except Refused:
            continue
        if terms_of(licence) == terms:
            return licence
    return None


def _remixable(terms: PILTerms) -> PILTerms:
    return terms._replace(derivatives_allowed=True, derivatives_attribution=True, derivatives_reciprocal=True)


def _units(share: float) -> int | None:
    """A share in the chain's units, None where it has more digits than they hold."""
    units = Decimal(str(share)) * SHARE_UNIT
    return int(units) if units == units.to_integral_value() else None


def _percent(share: float) -> str:
    return f"{Decimal(str(share)).normalize():f} %"


def _decimal(text: str) -> Decimal | None:
    if len(text) > 60 or not text.isascii() or not set(text) <= set("0123456789."):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
