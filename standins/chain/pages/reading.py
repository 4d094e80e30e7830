"""What the pages show, read from the chain by calls to contracts and from logs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from standins.chain.accounts import ACCOUNTS
from standins.chain.ledger.blocks import Block, Mined
from standins.chain.ledger.chain import Chain
from standins.chain.ledger.evm import Request, check
from standins.chain.ledger.transactions import Refusal
from standins.chain.pages import licences
from standins.chain.pages.licences import Licence
from standins.chain.story import PUBLIC_COLLECTION, Contract, contracts

_REGISTERED: Final = keccak(text="IPRegistered(address,uint256,address,uint256,string,string,uint256)")
_EVENTS: Final = {
    "Transfer(address,address,uint256)": "Transfer",
    "MetadataUpdate(uint256)": "Metadata of a token changed",
    "RoleGranted(bytes32,address,address)": "Role granted",
    "CollectionCreated(address)": "Collection created",
    "ERC6551AccountCreated(address,address,bytes32,uint256,address,uint256)": "Account of a token created",
    "IPAccountRegistered(address,address,uint256,address,uint256)": "IP account registered",
    "IPRegistered(address,uint256,address,uint256,string,string,uint256)": "IP asset registered",
    "NFTTokenURISet(address,string,bytes32)": "NFT metadata set",
    "MetadataURISet(address,string,bytes32)": "IP metadata set",
    "LicenseTermsAttached(address,address,address,uint256)": "Licence terms attached",
    "LicenseTermsRegistered(uint256,address,bytes)": "Licence terms registered",
}
_NAMES: Final = {keccak(text=signature): name for signature, name in _EVENTS.items()}


@dataclass(frozen=True)
class Asset:
    """An IP asset."""

    ip: ChecksumAddress
    owner: ChecksumAddress
    collection: ChecksumAddress
    collection_name: str
    token_id: int
    metadata_uri: str
    metadata_hash: bytes
    nft_uri: str
    nft_hash: bytes
    registered: int  # seconds since 1970
    licences: tuple[Licence, ...]
    parents: tuple[ChecksumAddress, ...]
    children: tuple[ChecksumAddress, ...]
    block: int
    transaction: bytes


@dataclass(frozen=True)
class Registration:
    """An IP asset at the moment of its registration."""

    ip: ChecksumAddress
    name: str
    block: Block
    mined: Mined


@dataclass(frozen=True)
class Holding:
    """What is at an address."""

    address: ChecksumAddress
    name: str
    balance: int  # wei
    sent: int  # transactions
    contract: bool
    assets: tuple[Registration, ...]


def asset(chain: Chain, ip: ChecksumAddress) -> Asset | None:
    """None where no IP asset has this id."""
    deployed = contracts()
    view, terms = deployed["CoreMetadataViewModule"], deployed["LicenseRegistry"]
    made = next((each for each in registrations(chain) if each.ip == ip), None)
    if not made:
        return None
    _, collection, token_id = _read(chain, deployed["IPAccount"], "token", at=ip)
    return Asset(
        ip=ip,
        owner=to_checksum_address(_read(chain, view, "getOwner", ip)),
        collection=to_checksum_address(collection),
        collection_name=_read(chain, deployed["SPGNFT"], "name", at=collection),
        token_id=token_id,
        metadata_uri=_read(chain, view, "getMetadataURI", ip),
        metadata_hash=_read(chain, view, "getMetadataHash", ip),
        nft_uri=_read(chain, view, "getNftTokenURI", ip),
        nft_hash=_read(chain, view, "getNftMetadataHash", ip),
        registered=_read(chain, view, "getRegistrationDate", ip),
        licences=tuple(
            _licence(chain, _read(chain, terms, "getAttachedLicenseTerms", ip, index)[1])
            for index in range(_read(chain, terms, "getAttachedLicenseTermsCount", ip))
        ),
        parents=_parents(chain, ip),
        children=tuple(each.ip for each in registrations(chain) if ip in _parents(chain, each.ip)),
        block=made.block.number,
        transaction=made.mined.transaction.hash,
    )


def registrations(chain: Chain) -> Iterator[Registration]:
    """All of them, the newest first."""
    registry = to_canonical_address(contracts()["IPAssetRegistry"].address)
    for block in reversed(chain.blocks):
        for mined in reversed(block.mined):
            for log in reversed(mined.logs):
                if log.address == registry and log.topics[0] == _REGISTERED:
                    ip, name, *_ = decode(["address", "string", "string", "uint256"], log.data)
                    yield Registration(to_checksum_address(ip), name, block, mined)


def holding(chain: Chain, address: ChecksumAddress) -> Holding:
    """What is at this address, and which IP assets are its own, as far as they are registered here."""
    raw = to_canonical_address(address)
    view = contracts()["CoreMetadataViewModule"]
    return Holding(
        address=address,
        name=name_of(address),
        balance=chain.balance(raw),
        sent=chain.nonce(raw),
        contract=bool(chain.code(raw)),
        assets=tuple(
            each
            for each in registrations(chain)
            if to_checksum_address(_read(chain, view, "getOwner", each.ip)) == address
        ),
    )


def name_of(address: ChecksumAddress) -> str:
    """Whose it is, or which contract, where that is known; else empty."""
    if address == PUBLIC_COLLECTION:
        return "Public collection"
    people = {account.address: account.name.capitalize() for account in ACCOUNTS.values()}
    return people.get(address) or {each.address: each.name for each in contracts().values()}.get(address, "")


def events(mined: Mined) -> list[tuple[str, ChecksumAddress]]:
    """What happened in a transaction, and in which contract."""
    return [
        (_NAMES.get(log.topics[0] if log.topics else b"", "Another event"), to_checksum_address(log.address))
        for log in mined.logs
    ]


def _parents(chain: Chain, ip: ChecksumAddress) -> tuple[ChecksumAddress, ...]:
    registry = contracts()["LicenseRegistry"]
    count = _read(chain, registry, "getParentIpCount", ip)
    return tuple(to_checksum_address(_read(chain, registry, "getParentIp", ip, index)) for index in range(count))


def _licence(chain: Chain, number: int) -> Licence:
    return licences.describe(number, _read(chain, contracts()["PILicenseTemplate"], "getLicenseTerms", number))


def _read(chain: Chain, contract: Contract, function: str, *arguments: Any, at: str | None = None) -> Any:
    to = to_canonical_address(at or contract.address)
    outcome = chain.call(Request(to=to, content=contract.call(function, *arguments)))
    try:
        check(outcome)
    except Refusal as error:
        raise LookupError(f"{function} of {contract.name} failed") from error
    returned = contract.returned(function, outcome.output)
    return returned[0] if len(returned) == 1 else returned
