"""Licence terms in words, from the numbers on the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

_FIELDS: Final = (
    "transferable", "royalty_policy", "minting_fee", "expiration", "commercial_use", "commercial_attribution",
    "checker", "checker_data", "revenue_share", "revenue_ceiling", "derivatives_allowed", "derivatives_attribution",
    "derivatives_approval", "derivatives_reciprocal", "derivative_ceiling", "currency", "uri",
)  # fmt: skip
_WHOLE: Final = 100_000_000  # a share of all revenue
_COIN: Final = 10**18


@dataclass(frozen=True)
class Licence:
    """Terms as a person reads them."""

    number: int
    name: str
    sentences: tuple[str, ...]
    uri: str


def describe(number: int, terms: Sequence[Any]) -> Licence:
    """Put the terms with this number into words."""
    value: dict[str, Any] = dict(zip(_FIELDS, terms, strict=True))
    return Licence(number, _name(value), tuple(_sentences(value)), value["uri"])


def _name(value: dict[str, Any]) -> str:
    if not value["commercial_use"]:
        return "Non-commercial remixing" if value["derivatives_allowed"] else "Non-commercial use"
    if not value["derivatives_allowed"]:
        return "Commercial use"
    if value["revenue_share"] or value["minting_fee"]:
        return "Commercial remixing"
    return "Commercial remixing without a share"


def _sentences(value: dict[str, Any]) -> list[str]:
    sentences: list[str] = []
    if value["commercial_use"]:
        credit = ", with credit" if value["commercial_attribution"] else ""
        sentences.append(f"It may be used commercially{credit}.")
    else:
        sentences.append("It may not be used commercially.")
    if not value["derivatives_allowed"]:
        sentences.append("Nothing may be made out of it.")
    else:
        wishes: list[str] = []
        if value["derivatives_attribution"]:
            wishes.append("with credit")
        if value["derivatives_approval"]:
            wishes.append("after its owner approved")
        if value["derivatives_reciprocal"]:
            wishes.append("under the same terms")
        sentences.append(", ".join(["Others may remix it", *wishes]) + ".")
    if value["revenue_share"]:
        sentences.append(f"{100 * value['revenue_share'] / _WHOLE:g} % of what that earns goes to its owner.")
    if value["minting_fee"]:
        sentences.append(f"A licence costs {value['minting_fee'] / _COIN:g} WIP.")
    elif value["commercial_use"]:
        sentences.append("A licence costs nothing.")
    if value["expiration"]:
        sentences.append("The licence ends one day.")
    return sentences
