"""The values of everything about Story: stored as JSON, and with addresses in one spelling."""

import re
from typing import NewType

from eth_utils.address import is_checksum_address, to_checksum_address

from bot.errors import Refused

Address = NewType("Address", str)
"""20 bytes as 0x and 40 hex digits, in the spelling that carries its own checksum (EIP-55)."""

Hash = NewType("Hash", str)
"""32 bytes as 0x and 64 lower-case hex digits."""

Wei = int
"""Coins, in 10^-18 of one."""

NOBODY = Address("0x" + "0" * 40)

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def address(text: str) -> Address:
    """An address that a person typed or pasted.

    All-lower or all-upper digits carry no checksum and are taken; mixed ones must be right.

    Raises:
        Refused: it is none, is mistyped, or is the zero address.
    """
    given = text.strip()
    if not _ADDRESS.fullmatch(given):
        raise Refused("A wallet address is 0x and then 40 digits from 0-9 and a-f. Copy it from your wallet.")
    digits = given[2:]
    if digits not in {digits.lower(), digits.upper()} and not is_checksum_address(given):
        raise Refused(f"There is a typing mistake in {given}: its checksum is wrong. Copy it from your wallet again.")
    if not int(digits, 16):
        raise Refused("The zero address is nobody's wallet.")
    return Address(to_checksum_address("0x" + digits.lower()))


def checksummed(value: str | bytes) -> Address:
    """An address from the chain, in its one spelling."""
    return Address(to_checksum_address(value))


def bytes_of(value: Hash) -> bytes:
    return bytes.fromhex(value[2:])


def coins(amount: Wei, coin: str, *, places: int = 6) -> str:
    """An amount for people, never rounded to nothing: "0.0031 IP", "less than 0.000001 IP"."""
    unit = 10 ** (18 - places)
    if 0 < amount < unit:
        return f"less than {_plain(unit)} {coin}"
    return f"{_plain(amount // unit * unit)} {coin}"


def _plain(amount: Wei) -> str:
    whole, rest = divmod(amount, 10**18)
    fraction = f"{rest:018d}".rstrip("0")
    return f"{whole:,}.{fraction}" if fraction else f"{whole:,}"


def trim_text(text: str, *, cap: int = 300) -> str:
    """What somebody has written on the chain, on one line of at most `cap` characters, without control characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[:cap])
    return line if len(text) <= cap else line[: cap - 1] + "…"
