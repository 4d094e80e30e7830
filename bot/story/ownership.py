"""Proving that a wallet is a member's: a message that is made and kept here, signed by it (EIP-191).

On a web page of the bot's own, the message is EIP-4361's ("Sign-In with Ethereum"), whose first line names the page's
domain: wallets compare it with the page that asks, and call it phishing where it is another's. Without a page of its
own the bot asks for a plain text, which can be signed anywhere.

The `siwe` package, which reads EIP-4361's messages, wants web3 below 8 (siwe 4.4, November 2026); a text that we have
made ourselves needs no reading.
"""

import hmac
import json
import re
import secrets
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from bot.errors import Refused
from bot.story.node.values import Address

LIFETIME = 600.0
"""Seconds for which a message can be signed."""

_ALPHABET = string.ascii_letters + string.digits
_NOISE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\"'`“”„‘’«»]+")
"""What copying puts around or into a signature: spaces, ends of lines, quotes, invisible characters."""
_DIGITS = re.compile(r"(?:0[xX])?([0-9a-fA-F]*)")
_INSIDE = re.compile(r"(?<![0-9a-zA-Z])(?:0[xX])?([0-9a-fA-F]{130}|[0-9a-fA-F]{128})(?![0-9a-zA-Z])")
_ARMOURED = re.compile(r"-{3,}BEGIN ETHEREUM SIGNED MESSAGE-{3,}\s*\n(.*)\n-{3,}BEGIN SIGNATURE-{3,}(.*)", re.DOTALL)
"""How MyEtherWallet, MyCrypto and Etherscan wrap what was signed where they show it as text."""
_SIGNATURE_NAMES = ("sig", "signature", "signaturehash", "signature_hash", "sighash", "signedmessage")
_MESSAGE_NAMES = ("msg", "message")
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Of the curve. A signature's `s` above it could be written as another valid one: wallets make none (EIP-2)."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A signature as somebody has pasted it, in its 65 bytes (r, s, v), with the text that came along, if any."""

    signature: bytes
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a member is asked to sign. `message` is kept word for word: a signature is of exactly this text."""

    message: str
    nonce: str
    expires_at: float
    """Unix seconds."""


def challenge(
    *,
    address: Address,
    domain: str,
    uri: str,
    statement: str,
    chain_id: int,
    request_id: str,
    now: float,
    nonce: str | None = None,
) -> Challenge:
    """A new message of EIP-4361 for the owner of `address`, good for ten minutes.

    `domain` is the host (and port) of the page that asks, `uri` that page, `request_id` the member for whom it is made,
    so that it proves nothing about another. To be good only once, it is kept, and marked when it was used.
    """
    assert "\n" not in domain + uri + statement + request_id, "one line each (EIP-4361)"
    nonce = nonce or new_nonce()
    expires_at = now + LIFETIME
    message = f"""\
{domain} wants you to sign in with your Ethereum account:
{address}

{statement}

URI: {uri}
Version: 1
Chain ID: {chain_id}
Nonce: {nonce}
Issued At: {_moment(now)}
Expiration Time: {_moment(expires_at)}
Request ID: {request_id}"""
    return Challenge(message=message, nonce=nonce, expires_at=expires_at)


def plain_message(*, address: Address, account: str, chain_id: int, nonce: str, expires_at: float) -> str:
    """The same for a place that is not ours: it must not look like the request of a website to sign in."""
    return f"""\
I link my wallet to my Discord account.

Wallet: {address}
Discord account: {account}
Chain ID: {chain_id}
Nonce: {nonce}
Good until: {_moment(expires_at)}

Signing this costs nothing and moves nothing."""


def new_nonce() -> str:
    """Twenty letters and digits that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def read_signature(text: str) -> Pasted:
    """What somebody has pasted: bare, with anything that copying adds, in EIP-2098's short form, or as wallets and
    websites wrap it (JSON of MyCrypto, MyEtherWallet or Etherscan; their text between lines of dashes; r, s and v).

    Raises:
        Refused: it is no signature; the sentence says what it is instead.
    """
    given, message = _unwrap(text)
    compact = _DIGITS.fullmatch(_NOISE.sub("", given))
    digits = compact[1] if compact else ""
    if len(digits) not in {128, 130}:
        inside = {each.lower() for each in _INSIDE.findall(given)}
        if len(inside) != 1:
            raise Refused(_say_what_it_is(digits))
        (digits,) = inside
    raw = bytes.fromhex(digits)
    if len(raw) == 64:  # EIP-2098: the highest bit of s says which of the two keys
        s = int.from_bytes(raw[32:])
        raw = raw[:32] + (s & (1 << 255) - 1).to_bytes(32) + bytes([27 + (s >> 255)])
    if raw[64] not in {0, 1, 27, 28} or not 0 < int.from_bytes(raw[32:64]) <= _HALF_ORDER:
        raise Refused("That signature has an odd form. Sign the message again in your wallet.")
    return Pasted(raw[:64] + bytes([raw[64] % 27 + 27]), message)


def find_signed(messages: Sequence[str], signature: bytes, wallet: Address) -> str | None:
    """Which of the messages this wallet has signed, as it was signed: copying may add an end of line or change each."""
    for message in messages:
        for variant in _spellings(message):
            if _recover(variant, signature) == wallet:
                return variant
    return None


def same_text(one: str, other: str) -> bool:
    """Whether both are one message, but for what copying changes."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def recover_address(message: str, signature: str) -> Address:
    """Whose signature of `message` this is. Signatures of contract wallets (EIP-1271) are none in this sense.

    Raises:
        Refused: it is no signature, or one that could be written in two ways.
    """
    signer = _recover(message, read_signature(signature).signature)
    if signer is None:
        raise Refused("That signature cannot be checked. Sign the message again in your wallet.")
    return signer


def signer_of(message: str, signature: bytes) -> Address | None:
    """Whose signature of `message` these 65 bytes are; None where they are nobody's."""
    return _recover(message, signature)


def check(kept: Challenge, *, address: Address, signature: str, now: float) -> None:
    """That the owner of `address` has signed the message, in time.

    Raises:
        Refused: it has expired, it is no signature, or another wallet's.
    """
    if now >= kept.expires_at:
        raise Refused("That message has expired: it can be signed for ten minutes. Ask for a new one.")
    signer = recover_address(kept.message, signature)
    if not hmac.compare_digest(signer, address):
        raise Refused(
            f"That signature is {signer}'s, or of another text. Sign exactly the message shown, with {address}."
        )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _recover(message: str, signature: bytes) -> Address | None:
    try:
        return Address(Account.recover_message(encode_defunct(text=message), signature=signature))
    except (BadSignature, ValidationError, ValueError):
        return None


def _spellings(message: str) -> Iterator[str]:
    windows = message.replace("\n", "\r\n")
    yield message
    yield f"{message}\n"
    yield windows
    yield f"{windows}\r\n"
    yield f"{message} "


def _unwrap(text: str) -> tuple[str, str | None]:
    """The signature as text, and the message that came with it."""
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, list) and len(cast("list[Any]", content)) == 1:
        content = cast("list[Any]", content)[0]
    if isinstance(content, dict):
        fields = {str(name).lower(): value for name, value in cast("dict[Any, Any]", content).items()}
        message = next((fields[name] for name in _MESSAGE_NAMES if isinstance(fields.get(name), str)), None)
        signature = next((fields[name] for name in _SIGNATURE_NAMES if isinstance(fields.get(name), str)), None)
        return signature or _join_parts(fields) or "", _decode(message) if message else None
    if armoured := _ARMOURED.search(text):
        return _ADDRESS.sub("", armoured[2], count=1) if _opens_with_address(armoured[2]) else armoured[2], armoured[1]
    return text, None


def _opens_with_address(text: str) -> bool:
    first = text.split(maxsplit=1)
    return bool(first) and _ADDRESS.fullmatch(first[0]) is not None


def _join_parts(fields: dict[str, Any]) -> str | None:
    """A signature that is given as r, s and v."""
    r, s, v = (fields.get(name) for name in "rsv")
    if not (isinstance(r, str) and isinstance(s, str)):
        return None
    try:
        parts = (int(r, 16), int(s, 16), int(v, 0) if isinstance(v, str) else int(cast("Any", v)))
        return parts[0].to_bytes(32).hex() + parts[1].to_bytes(32).hex() + parts[2].to_bytes(1).hex()
    except (TypeError, ValueError, OverflowError):
        return None


def _decode(message: str) -> str:
    """A message that is given in hex, as some websites do."""
    if not re.fullmatch(r"0[xX](?:[0-9a-fA-F]{2})+", message):
        return message
    return bytes.fromhex(message[2:]).decode(errors="replace")


def _say_what_it_is(digits: str) -> str:
    """Why what was pasted is no signature."""
    count = len(digits)
    if count == 64:
        return (
            "That has 64 digits, and a signature has 130. It may be the hash of a transaction; if it is your private "
            "key, give it to nobody, and move what the wallet has to a new one. Nothing was linked."
        )
    if count == 40:
        return "That is a wallet's address, not a signature. Sign the message first. Nothing was linked."
    if count > 130:
        return (
            "That is longer than a signature of a plain wallet: smart wallets sign in another way, which cannot be "
            "checked here. Nothing was linked. A registration's “Recipient” takes such a wallet without a proof."
        )
    what = f"it has {count} digits" if count else "there is no signature in it"
    return (
        f"That is no signature: {what}. It should be 0x and then 130 digits from 0-9 and a-f. Copy all of it. Nothing "
        "was linked."
    )
