"""Story's contracts: where they are, and the few of their functions and events that the bot uses.

The addresses are the same on both networks. The signatures are written by hand; each selector and topic is made from
them, and a test compares all of these with the published ones.

Source: docs.story.foundation/developers/deployed-smart-contracts, protocol 1.3 (November 2025).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from bot.errors import Broken
from bot.story.node.values import Address, Hash, checksummed

REGISTRATION_WORKFLOWS: Final = Address("0xbe39E1C756e921BD25DF86e7AAa31106d1eb0424")
LICENSE_ATTACHMENT_WORKFLOWS: Final = Address("0xcC2E862bCee5B6036Db0de6E06Ae87e524a79fd8")
DERIVATIVE_WORKFLOWS: Final = Address("0x9e2d496f72C547C2C535B167e06ED8729B374a4f")
IP_ASSET_REGISTRY: Final = Address("0x77319B4031e6eF1250907aa00018B8B1c67a244b")
CORE_METADATA_VIEW: Final = Address("0xB3F88038A983CeA5753E11D144228Ebb5eACdE20")
LICENSE_REGISTRY: Final = Address("0x529a750E02d8E2f15649c13D69a465286a780e24")
LICENSE_TEMPLATE: Final = Address("0x2E896b0b2Fdb7457499B56AAaA4AE55BCB4Cd316")
"""Of the programmable IP licence (PIL), the only template that the bot reads."""
ACCOUNT_REGISTRY: Final = Address("0x000000006551c19487814612e58FE06813775758")
"""ERC-6551's own, the same on every chain."""
ACCOUNT_IMPLEMENTATION: Final = Address("0x00b800138e4D82D1eea48b414d2a2A8Aee9A33b1")

NEEDED: Final[Mapping[str, Address]] = {
    "RegistrationWorkflows": REGISTRATION_WORKFLOWS,
    "LicenseAttachmentWorkflows": LICENSE_ATTACHMENT_WORKFLOWS,
    "DerivativeWorkflows": DERIVATIVE_WORKFLOWS,
    "IPAssetRegistry": IP_ASSET_REGISTRY,
    "CoreMetadataViewModule": CORE_METADATA_VIEW,
    "LicenseRegistry": LICENSE_REGISTRY,
    "PILicenseTemplate": LICENSE_TEMPLATE,
}
"""Where there has to be code before anything is registered."""

MINTER_ROLE: Final = Hash("0x" + f"{1:064x}")
"""Of SPG collections: the number 1, not the hash of its name (SPGNFTLib of protocol-periphery)."""
ADMIN_ROLE: Final = Hash("0x" + "0" * 64)
"""OpenZeppelin's DEFAULT_ADMIN_ROLE: who made the collection."""

UNLIMITED_SUPPLY: Final = 2**32 - 1

LEAST_FOR_A_MINT: Final = 250_000
"""Units of gas, about half of the least that was measured (November 2026: ten in one call, 525,936 each)."""
LEAST_FOR_A_COLLECTION: Final = 150_000
"""Units of gas. Measured in November 2026: 673,699."""

_IP_METADATA = "(string,bytes32,string,bytes32)"
_PIL_TERMS = (
    "(bool,address,uint256,uint256,bool,bool,address,bytes,uint32,uint256,bool,bool,bool,bool,uint256,address,string)"
)
_LICENSING_CONFIG = "(bool,uint256,address,bytes,uint32,bool,uint32,address)"
_MAKE_DERIVATIVE = "(address[],address,uint256[],bytes,uint256,uint32,uint32)"
_INIT_PARAMS = "(string,string,string,string,uint32,uint256,address,address,address,bool,bool)"


@dataclass(frozen=True)
class Function:
    """One function of a contract, by its types."""

    name: str
    takes: tuple[str, ...]
    gives: tuple[str, ...] = ()
    least_gas: int = 0
    """Units that no call of it can do with less than, where that is known: a bound for odd estimates."""
    selector: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", keccak(text=self.signature)[:4])

    @property
    def signature(self) -> str:
        return f"{self.name}({','.join(self.takes)})"

    def encode(self, *arguments: object) -> str:
        """The call's data, as 0x and hex."""
        return "0x" + (self.selector + encode(self.takes, arguments)).hex()

    def understands(self, answer: bytes) -> bool:
        """Whether an answer has the form that this function gives."""
        try:
            self.decode(answer)
        except Broken:
            return False
        return True

    def decode(self, answer: bytes) -> tuple[Any, ...]:
        """
        Raises:
            Broken: the contract answers in another form: it is not the one that it should be.
        """
        try:
            return decode(self.gives, answer)
        except (DecodingError, OverflowError, UnicodeDecodeError) as error:
            raise Broken(f"The contract does not understand {self.name}: it is of another kind.") from error


class Log(Protocol):
    """What a contract has written down in a receipt."""

    @property
    def address(self) -> Address: ...
    @property
    def topics(self) -> Sequence[bytes]: ...
    @property
    def content(self) -> bytes: ...


@dataclass(frozen=True)
class Event:
    """One event of a contract: its fields in order, each with its type, the indexed ones marked."""

    name: str
    fields: tuple[tuple[str, str, bool], ...]
    topic: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic", keccak(text=self.signature))

    @property
    def signature(self) -> str:
        return f"{self.name}({','.join(kind for _, kind, _ in self.fields)})"

    def read(self, log: Log, *, by: Address) -> dict[str, Any] | None:
        """The fields of a log, or None where it is another event, or another contract's."""
        if log.address != by or not log.topics or log.topics[0] != self.topic:
            return None
        indexed = [(name, kind) for name, kind, is_indexed in self.fields if is_indexed]
        plain = [(name, kind) for name, kind, is_indexed in self.fields if not is_indexed]
        if len(log.topics) != len(indexed) + 1:
            return None
        try:
            values = decode([kind for _, kind in plain], log.content)
            by_name: dict[str, Any] = {
                name: decode([kind], topic)[0] for (name, kind), topic in zip(indexed, log.topics[1:], strict=True)
            }
        except (DecodingError, OverflowError, UnicodeDecodeError):
            return None
        return by_name | {name: value for (name, _), value in zip(plain, values, strict=True)}


CREATE_COLLECTION: Final = Function("createCollection", (_INIT_PARAMS,), ("address",), least_gas=LEAST_FOR_A_COLLECTION)
MINT: Final = Function(
    "mintAndRegisterIp",
    ("address", "address", _IP_METADATA, "bool"),
    ("address", "uint256"),
    least_gas=LEAST_FOR_A_MINT,
)
MINT_WITH_DEFAULT_TERMS: Final = Function(
    "mintAndRegisterIpAndAttachDefaultTerms",
    ("address", "address", _IP_METADATA, "bool"),
    ("address", "uint256"),
    least_gas=LEAST_FOR_A_MINT,
)
MINT_WITH_TERMS: Final = Function(
    "mintAndRegisterIpAndAttachPILTerms",
    ("address", "address", _IP_METADATA, f"({_PIL_TERMS},{_LICENSING_CONFIG})[]", "bool"),
    ("address", "uint256", "uint256[]"),
    least_gas=LEAST_FOR_A_MINT,
)
MINT_DERIVATIVE: Final = Function(
    "mintAndRegisterIpAndMakeDerivative",
    ("address", _MAKE_DERIVATIVE, _IP_METADATA, "address", "bool"),
    ("address", "uint256"),
    least_gas=LEAST_FOR_A_MINT,
)

TOKEN_BY_METADATA: Final = Function("getTokenIdByMetadataHash", ("bytes32",), ("uint256",))
HAS_ROLE: Final = Function("hasRole", ("bytes32", "address"), ("bool",))
MINT_FEE: Final = Function("mintFee", (), ("uint256",))
MINT_OPEN: Final = Function("mintOpen", (), ("bool",))
PUBLIC_MINTING: Final = Function("publicMinting", (), ("bool",))
OWNER_OF: Final = Function("ownerOf", ("uint256",), ("address",))
TOKEN_URI: Final = Function("tokenURI", ("uint256",), ("string",))
TOTAL_SUPPLY: Final = Function("totalSupply", (), ("uint256",))
NAME: Final = Function("name", (), ("string",))
SYMBOL: Final = Function("symbol", (), ("string",))

IS_REGISTERED: Final = Function("isRegistered", ("address",), ("bool",))

METADATA_URI: Final = Function("getMetadataURI", ("address",), ("string",))
METADATA_HASH: Final = Function("getMetadataHash", ("address",), ("bytes32",))
NFT_METADATA_HASH: Final = Function("getNftMetadataHash", ("address",), ("bytes32",))

ATTACHED_TERMS: Final = Function("getAttachedLicenseTerms", ("address", "uint256"), ("address", "uint256"))
ATTACHED_TERMS_COUNT: Final = Function("getAttachedLicenseTermsCount", ("address",), ("uint256",))
DEFAULT_TERMS: Final = Function("getDefaultLicenseTerms", (), ("address", "uint256"))
PARENT_IP: Final = Function("getParentIp", ("address", "uint256"), ("address",))
PARENT_IP_COUNT: Final = Function("getParentIpCount", ("address",), ("uint256",))

LICENSE_TERMS: Final = Function("getLicenseTerms", ("uint256",), (_PIL_TERMS,))

COLLECTION_CREATED: Final = Event("CollectionCreated", (("spgNftContract", "address", True),))
IP_REGISTERED: Final = Event(
    "IPRegistered",
    (
        ("ipId", "address", False),
        ("chainId", "uint256", True),
        ("tokenContract", "address", True),
        ("tokenId", "uint256", True),
        ("name", "string", False),
        ("uri", "string", False),
        ("registrationDate", "uint256", False),
    ),
)

FUNCTIONS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Function))
_LEAST_GAS: Final = {function.selector: function.least_gas for function in FUNCTIONS}
EVENTS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Event))


def least_gas_of(data: str) -> int:
    """The units of gas that no call with these data can do with less than: what its bytes cost (EIP-2028), or what
    is known of the function."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    zeros = raw.count(0)
    intrinsic = 21_000 + 4 * zeros + 16 * (len(raw) - zeros)
    return max(intrinsic, _LEAST_GAS.get(raw[:4], 0))


def ip_id_of(chain_id: int, collection: Address, token_id: int) -> Address:
    """The address of a token's IP account, as IPAssetRegistry.ipId would say: ERC-6551's CREATE2, with no salt."""
    code = (
        bytes.fromhex("3d60ad80600a3d3981f3363d3d373d3d3d363d73")
        + bytes.fromhex(ACCOUNT_IMPLEMENTATION[2:])
        + bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
        + encode(("bytes32", "uint256", "address", "uint256"), (bytes(32), chain_id, collection, token_id))
    )
    made = keccak(b"\xff" + bytes.fromhex(ACCOUNT_REGISTRY[2:]) + bytes(32) + keccak(code))
    return checksummed(made[12:])
