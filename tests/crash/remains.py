"""What registrations have left behind when all is at rest: on the disk, on the chain and at the pinning service."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_canonical_address, to_checksum_address

from standins.chain import ChainServer
from standins.chain.ledger.chain import Chain
from standins.chain.ledger.evm import Request, check
from standins.chain.story import contracts, ip_id
from standins.pinata import PinataServer
from storage.registering.registrations import RegistrationState
from storage.reviewing import audit
from tests.crash.tables import Row, read_copy


@dataclass(frozen=True)
class Token:
    """A token of the collection, as the chain has it."""

    number: int
    owner: str
    uri: str
    ip_id: str
    is_registered: bool
    ip_uri: str
    ip_hash: str
    nft_hash: str


@dataclass(frozen=True)
class Remains:
    """The bot's tables, what the collection on the chain holds, and what is pinned."""

    folder: Path
    tables: dict[str, list[Row]]
    complaints: list[str]
    tokens: list[Token]
    pinata: PinataServer

    @property
    def registrations(self) -> list[Row]:
        """Those that were submitted."""
        return [each for each in self.tables["registrations"] if each["state"] != RegistrationState.DRAFT]

    def of(self, state: RegistrationState) -> list[Row]:
        return [each for each in self.registrations if each["state"] == state]

    def entries(self, registration_id: str, action: str) -> list[Row]:
        """What the audit says happened to it."""
        return [each for each in self.tables["audit"] if (each["subject"], each["action"]) == (registration_id, action)]


async def look(folder: Path, chain: ChainServer, pinata: PinataServer, collection: str) -> Remains:
    """All of it, without changing anything."""
    tokens = await chain.run(_tokens, chain.chain, collection)
    with read_copy(folder) as db:
        complaints = [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        complaints += [f"broken reference in {row[0]}" for row in db.execute("PRAGMA foreign_key_check")]
        complaints += [f"the audit: {fault}" for fault in audit.verify(db).faults]
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in names}  # noqa: S608
    return Remains(folder, tables, complaints, tokens, pinata)


def _tokens(chain: Chain, collection: str) -> list[Token]:
    def ask(contract: str, function: str, *arguments: Any, at: str | None = None) -> Any:
        described = contracts()[contract]
        request = Request(
            to=to_canonical_address(at or described.address), content=described.call(function, *arguments)
        )
        outcome = chain.call(request)
        check(outcome)
        return described.returned(function, outcome.output)[0]

    def token(number: int) -> Token:
        ip = ip_id(collection, number)
        view = "CoreMetadataViewModule"
        return Token(
            number=number,
            owner=to_checksum_address(ask("SPGNFT", "ownerOf", number, at=collection)),
            uri=ask("SPGNFT", "tokenURI", number, at=collection),
            ip_id=ip,
            is_registered=ask("IPAssetRegistry", "isRegistered", ip),
            ip_uri=ask(view, "getMetadataURI", ip),
            ip_hash=ask(view, "getMetadataHash", ip).hex(),
            nft_hash=ask(view, "getNftMetadataHash", ip).hex(),
        )

    return [token(number) for number in range(1, ask("SPGNFT", "totalSupply", at=collection) + 1)]
