"""Proving that a wallet is a member's: a message in EIP-4361's format ("Sign-In with Ethereum"), signed by it.

The text is built and kept here, and its signature checked with eth_account. The `siwe` package, which reads such
messages, wants web3 below 8 (siwe 4.4, November 2026); all that it would add is reading, and a text that we have made
ourselves needs none.
"""

import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from bot.errors import Refused
from bot.story.node.values import Address

LIFETIME = 600.0
"""Seconds for which a message can be signed."""

_ALPHABET = string.ascii_letters + string.digits
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Of the curve. A signature's `s` above it could be written as another valid one: wallets make none (EIP-2)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a member is asked to sign. `message` is kept word for word: a signature is of exactly this text."""

    message: str
    nonce: str
    expires_at: float
    """Unix seconds."""


def challenge(
    *, address: Address, domain: str, uri: str, statement: str, chain_id: int, request_id: str, now: float
) -> Challenge:
    """A new message for the owner of `address`, good for ten minutes.

    `domain` is who asks (a host name), `uri` what it is for, `request_id` the member for whom it is made, so that it
    proves nothing about another. To be good only once, it is kept, and deleted when it was used.
    """
    assert "\n" not in domain + uri + statement + request_id, "one line each (EIP-4361)"
    nonce = "".join(secrets.choice(_ALPHABET) for _ in range(20))
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


def recover_address(message: str, signature: str) -> Address:
    """Whose signature of `message` this is. Signatures of contract wallets (EIP-1271) are none in this sense.

    Raises:
        Refused: it is no signature, or one that could be written in two ways.
    """
    given = signature.strip().strip('"')
    given = given if given.startswith("0x") else f"0x{given}"
    if not _SIGNATURE.fullmatch(given):
        raise Refused(
            "That is no signature: it should be 0x and then 130 digits from 0-9 and a-f. Copy all of it. (Wallets that "
            "are contracts sign in another way, which this bot cannot check: use an ordinary wallet.)"
        )
    raw = bytes.fromhex(given[2:])
    if raw[64] not in {0, 1, 27, 28} or not 0 < int.from_bytes(raw[32:64]) <= _HALF_ORDER:
        raise Refused("That signature has an odd form. Sign the message again in your wallet.")
    try:
        return Address(Account.recover_message(encode_defunct(text=message), signature=raw))
    except (BadSignature, ValidationError, ValueError) as error:
        raise Refused("That signature cannot be checked. Sign the message again in your wallet.") from error


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
