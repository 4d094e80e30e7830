"""Stand-ins of Story's contracts: compiled from `contracts/`, and how a new chain comes to have them."""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from standins.chain.accounts import STORY

CHAIN_ID: Final = 1315
NOBODY: Final = "0x0000000000000000000000000000000000000000"
MINTER_ROLE: Final = (1).to_bytes(32)
"""Story's own; not the hash of its name, as in other collections."""

PUBLIC_COLLECTION: Final = to_checksum_address("0xc32A8a0FF3beDDDa58393d022aF433e78739FAbc")
"""The collection in which every account may mint, as on Story's test network."""

_SOURCES: Final = Path(__file__).parent / "contracts"
_VIEW: Final = "0xB3F88038A983CeA5753E11D144228Ebb5eACdE20"
_PROXY: Final = "363d3d373d3d3d363d73{}5af43d82803e903d91602b57fd5bf3"  # ERC-1167
_EVM: Final = "cancun"
_NAMES: Final = {
    "RegistrationWorkflows": "REGISTRATION_WORKFLOWS",
    "LicenseAttachmentWorkflows": "LICENSE_ATTACHMENT_WORKFLOWS",
    "DerivativeWorkflows": "DERIVATIVE_WORKFLOWS",
    "IPAssetRegistry": "IP_ASSET_REGISTRY",
    "CoreMetadataModule": "CORE_METADATA_MODULE",
    "CoreMetadataViewModule": "CORE_METADATA_VIEW_MODULE",
    "LicensingModule": "LICENSING_MODULE",
    "LicenseRegistry": "LICENSE_REGISTRY",
    "PILicenseTemplate": "PI_LICENSE_TEMPLATE",
    "SPGNFT": "SPG_NFT",
    "WIP": "WIP",
    "ERC6551Registry": "ERC6551_REGISTRY",
    "IPAccount": "IP_ACCOUNT",
}

NCSR: Final = (
    True, NOBODY, 0, 0, False, False, NOBODY, b"", 0, 0, True, True, False, True, 0, NOBODY,
    "https://github.com/piplabs/pil-document/blob/998c13e6ee1d04eb817aefd1fe16dfe8be3cd7a2/off-chain-terms/NCSR.json",
)  # fmt: skip
"""Non-commercial social remixing: the terms with the number 1."""


@dataclass(frozen=True)
class Contract:
    """A stand-in: what it is called, where it lives, its code and its interface."""

    name: str
    address: ChecksumAddress
    code: bytes
    abi: list[dict[str, Any]]

    def call(self, function: str, *arguments: Any) -> bytes:
        """The input of a call to it."""
        abi = self._function(function)
        types = [collapse_if_tuple(each) for each in abi["inputs"]]
        selector = keccak(text=f"{function}({','.join(types)})")[:4]
        return selector + encode(types, arguments)

    def returned(self, function: str, output: bytes) -> tuple[Any, ...]:
        """What such a call gave back."""
        return decode([collapse_if_tuple(each) for each in self._function(function)["outputs"]], output)

    def _function(self, name: str) -> Any:
        return next(each for each in self.abi if each["type"] == "function" and each["name"] == name)


@lru_cache(maxsize=1)
def contracts() -> Mapping[str, Contract]:
    """All of them by name. The first call on a machine compiles them, which takes some seconds."""
    compiled = _load_compiled() or _compile()
    addresses = _read_addresses()
    return {
        name: Contract(name, addresses[name], bytes.fromhex(compiled[name]["code"][2:]), compiled[name]["abi"])
        for name in _NAMES
    }


def codes() -> dict[ChecksumAddress, bytes]:
    """The code that a chain has from its beginning, by address."""
    code_by_address = {contract.address: contract.code for contract in contracts().values()}
    code_by_address[PUBLIC_COLLECTION] = bytes.fromhex(_PROXY.format(contracts()["SPGNFT"].address[2:].lower()))
    return code_by_address


@lru_cache(maxsize=1)
def sign_setup() -> Sequence[bytes]:
    """The transactions that set the contracts up, signed: the first licence terms, and the public collection."""
    template, collection = contracts()["PILicenseTemplate"], contracts()["SPGNFT"]
    site = "https://story.foundation"
    public = ("Public collection", "SPG", "", site, 2**32 - 1, 0, NOBODY, NOBODY, STORY.address, True, True)
    calls = [
        (template.address, template.call("registerLicenseTerms", NCSR)),
        (PUBLIC_COLLECTION, collection.call("initialize", public)),
    ]
    return [
        STORY.sign(
            {
                "chainId": CHAIN_ID,
                "nonce": nonce,
                "to": to,
                "data": call,
                "value": 0,
                "gas": 2_000_000,
                "maxFeePerGas": 10 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
        )
        for nonce, (to, call) in enumerate(calls)
    ]


def ip_id(collection: str, token_id: int, *, chain_id: int = CHAIN_ID) -> ChecksumAddress:
    """The IP asset of a token, without a look at the chain: ERC-6551's address of its account."""
    deployed = contracts()
    creation = (
        bytes.fromhex("3d60ad80600a3d3981f3363d3d373d3d3d363d73")
        + to_canonical_address(deployed["IPAccount"].address)
        + bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
        + bytes(32)
        + chain_id.to_bytes(32)
        + to_canonical_address(collection).rjust(32, b"\0")
        + token_id.to_bytes(32)
    )
    registry = to_canonical_address(deployed["ERC6551Registry"].address)
    return to_checksum_address(keccak(b"\xff" + registry + bytes(32) + keccak(creation))[12:])


def storage_slot(contract: str, variable: str) -> int:
    """Where a contract keeps one of its variables."""
    return _load_layout(contract)[variable]


@lru_cache(maxsize=8)
def _load_layout(contract: str) -> dict[str, int]:
    layout = (_load_compiled() or _compile())[contract]["layout"]["storage_layout"]
    return {name: place["slot"] for name, place in layout.items() if "slot" in place}


def _read_addresses() -> dict[str, ChecksumAddress]:
    source = (_SOURCES / "protocol.vy").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^(\w+): constant\(address\) = (0x[0-9a-fA-F]{40})", source, re.MULTILINE))
    stated["CORE_METADATA_VIEW_MODULE"] = _VIEW
    return {name: to_checksum_address(stated[constant]) for name, constant in _NAMES.items()}


def _compile() -> dict[str, Any]:
    # Imported here, since the compiler takes a second to import and is seldom needed; by name, since it has no types.
    vyper: Any = import_module("vyper.compiler")
    sources = import_module("vyper.compiler.input_bundle").FilesystemInputBundle([_SOURCES])
    settings = import_module("vyper.compiler.settings").Settings(evm_version=_EVM)
    compiled: dict[str, Any] = {}
    for name in _NAMES:
        compiled[name] = vyper.compile_from_file_input(
            sources.load_file(f"{name}.vy"),
            input_bundle=sources,
            output_formats=["bytecode_runtime", "abi", "layout"],
            settings=settings,
        )
        compiled[name]["code"] = compiled[name].pop("bytecode_runtime")
    kept = _cache_path()
    try:
        kept.parent.mkdir(exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(compiled), encoding="utf-8")
        fresh.replace(kept)
    except OSError:
        pass  # a read-only checkout compiles at each start
    return compiled


def _load_compiled() -> dict[str, Any] | None:
    try:
        return json.loads(_cache_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _cache_path() -> Path:
    digest = hashlib.sha256(f"{metadata.version('vyper')} {_EVM}".encode())
    for source in sorted(_SOURCES.glob("*.vy")):
        digest.update(source.read_bytes())
    return Path(__file__).parent / "__pycache__" / f"contracts-{digest.hexdigest()[:16]}.json"
