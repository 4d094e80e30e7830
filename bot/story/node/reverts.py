"""Why a contract said no: its error data, read into a sentence and one of the four errors.

web3 decodes no custom errors, and the workflows' own descriptions leave out those of the contracts that they call: so
here is a table of all that a registration can meet. A test compares each selector with the published one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from bot.errors import BotError, Broken, Refused, Uncertain
from bot.http.answers import clean
from bot.story.node.values import checksummed


class Duplicate(Uncertain):
    """The collection has a token with this very metadata: ours from before a crash, or a stranger's. Look it up."""

    def __init__(self, sentence: str, token_id: int) -> None:
        super().__init__(sentence)
        self.token_id = token_id


@dataclass(frozen=True, slots=True)
class Revert:
    """A contract's refusal of a call, decoded from its error data."""

    name: str
    """The contract's own word; empty where it gave none."""
    selector: str
    """0x and 8 hex digits; empty where there was no data."""
    sentence: str
    error: type[BotError]
    token_id: int | None = None
    """Of a duplicate: the token that has this metadata already."""

    def raised(self) -> BotError:
        """The error to raise for this refusal."""
        if self.token_id is not None:
            return Duplicate(self.sentence, self.token_id)
        return self.error(self.sentence)


@dataclass(frozen=True, slots=True)
class _Known:
    takes: tuple[str, ...]
    error: type[BotError]
    sentence: str | Callable[..., str]


def _duplicate(_collection: str, token_id: int, _hash: bytes) -> str:
    return f"These metadata are registered already, as token {token_id} of the collection."


def _bad_receiver(receiver: str) -> str:
    return (
        f"The recipient {checksummed(receiver)} cannot take the token: it is a contract that does not accept "
        "NFTs. Choose another wallet."
    )


_FEE = (
    "The collection takes a fee for each mint, in a token that the bot does not pay with. Set its mint fee to 0, or "
    "use a collection without one."
)

_KNOWN: Final[Mapping[str, _Known]] = {
    "Workflow__CallerNotAuthorizedToMint": _Known(
        (),
        Broken,
        "The bot's wallet may not mint in this collection: it is private. Give it the minter role, or make a "
        "collection with it: python -m bot collection create.",
    ),
    "SPGNFT__MintingClosed": _Known(
        (), Broken, "Minting is closed in this collection. Its owner can open it again (setMintOpen)."
    ),
    "SPGNFT__MintingDenied": _Known((), Broken, "The collection does not let the bot's wallet mint."),
    "SPGNFT__MaxSupplyReached": _Known(
        (), Broken, "The collection is full. Make a new one: python -m bot collection create."
    ),
    "SPGNFT__DuplicatedNFTMetadataHash": _Known(("address", "uint256", "bytes32"), Uncertain, _duplicate),
    "ERC721InvalidReceiver": _Known(("address",), Refused, _bad_receiver),
    "ERC721NonexistentToken": _Known(("uint256",), Broken, "The collection has no such token."),
    "EnforcedPause": _Known(
        (), Broken, "Story has paused its contracts. Nothing can be registered until it ends that."
    ),
    "InsufficientAllowance": _Known((), Broken, _FEE),
    "InsufficientBalance": _Known((), Broken, _FEE),
    "ERC20InsufficientAllowance": _Known(("address", "uint256", "uint256"), Broken, _FEE),
    "ERC20InsufficientBalance": _Known(("address", "uint256", "uint256"), Broken, _FEE),
    "LicenseAttachmentWorkflows__NoLicenseTermsData": _Known(
        (), Broken, "The bot sent no licence terms where Story wants some."
    ),
    "LicenseRegistry__ParentIpNotRegistered": _Known(
        ("address",), Refused, "The image that this one descends from is not registered on Story."
    ),
    "LicenseRegistry__ParentIpUnmatchedLicenseTemplate": _Known(
        ("address", "address"),
        Refused,
        "The image that this one descends from has no such licence, and nothing can be registered as its derivative.",
    ),
}

_BY_SELECTOR: Final = {
    "0x" + keccak(text=f"{name}({','.join(entry.takes)})")[:4].hex(): (name, entry) for name, entry in _KNOWN.items()
}
_INCOMPATIBLE: Final = "0x4f7460bc"  # its name is not published with the workflows; seen with incompatible parents
SELECTORS: Final = frozenset(_BY_SELECTOR) | {_INCOMPATIBLE}

_ERROR: Final = "0x08c379a0"  # Error(string): Solidity's require with a text
_PANIC: Final = "0x4e487b71"  # Panic(uint256)
_PANICS: Final = {
    0x01: "an assertion failed",
    0x11: "a number was too large or too small",
    0x12: "a division by zero",
    0x21: "a value that is none of its kind",
    0x31: "nothing was left to take",
    0x32: "an index outside its list",
    0x41: "too much memory was asked for",
    0x51: "a function that was never set",
}


def decode_revert(data: str | bytes | None, *, to: str = "The contract") -> Revert:
    """What error data mean. Data that nobody knows, or none at all, are Broken: a human must look."""
    raw = _raw(data)
    if len(raw) < 4:
        return Revert(
            "", "", f"{to} refused without a reason. Perhaps there is no such contract at its address.", Broken
        )
    selector = "0x" + raw[:4].hex()
    if selector in _BY_SELECTOR:
        return _decode_known(selector, raw[4:])
    if selector == _INCOMPATIBLE:
        return Revert(
            "", selector, "The images that this one descends from have licences that exclude each other.", Refused
        )
    if selector == _ERROR:
        text = clean(str(_values(("string",), raw[4:], "")[0]))
        return Revert("Error", selector, f"{to} refused: {text or 'it does not say why'}.", Broken)
    if selector == _PANIC:
        code = int(_values(("uint256",), raw[4:], 0)[0])
        return Revert("Panic", selector, f"{to} failed: {_PANICS.get(code, f'panic {code}')}.", Broken)
    return Revert("", selector, f"{to} refused for a reason that this bot does not know ({selector}).", Broken)


def _decode_known(selector: str, arguments: bytes) -> Revert:
    name, meaning = _BY_SELECTOR[selector]
    try:
        values = decode(meaning.takes, arguments)
    except (DecodingError, OverflowError):
        return Revert(name, selector, f"The contract refused ({name}), and its reason is cut off.", Broken)
    sentence = meaning.sentence if isinstance(meaning.sentence, str) else meaning.sentence(*values)
    token_id = int(values[1]) if meaning.error is Uncertain else None
    return Revert(name, selector, sentence, meaning.error, token_id)


def _values(kinds: tuple[str, ...], data: bytes, otherwise: Any) -> tuple[Any, ...]:
    try:
        return decode(kinds, data)
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return (otherwise,)


def _raw(data: str | bytes | None) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return bytes.fromhex((data or "").removeprefix("0x"))
    except ValueError:
        return b""
