"""SPG collections: making one, describing one, and what a wallet may do in it."""

import hashlib
import json
from dataclasses import dataclass

from bot.errors import BotError, Broken, Refused, Unavailable
from bot.story.node import contracts
from bot.story.node.chain import Call, Chain, together
from bot.story.node.contracts import UNLIMITED_SUPPLY
from bot.story.node.values import NOBODY, Address, Wei, bytes_of, checksummed, trim_text
from bot.story.sending.sender import Sender
from bot.story.sending.types import Mined
from bot.story.sending.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as the chain knows it now."""

    address: Address
    name: str
    symbol: str
    minting_open: bool
    public: bool
    """Anybody may mint in it."""
    mint_fee: Wei
    """In its own token, which is not the network's coin."""
    may_mint: bool
    """The bot's wallet may."""
    owned_by_wallet: bool
    """The bot's wallet administers it."""
    supply: int | None
    """Tokens minted so far."""


@dataclass(frozen=True, slots=True)
class NewCollection:
    """What is to be made. Its owner is the bot's wallet; minting is open and costs nothing."""

    name: str
    symbol: str
    contract_uri: str
    """Where its own description lies (ERC-7572); may be empty."""
    mint_fee_recipient: Address
    public: bool = False


class Collections:
    """The collections of one network, seen by one wallet."""

    def __init__(self, chain: Chain, wallet: Wallet, sender: Sender) -> None:
        self._chain = chain
        self._wallet = wallet
        self._sender = sender

    async def describe(self, address: Address) -> Collection:
        """
        Raises:
            Refused: there is no collection at this address.
            Unavailable: the node does not answer.
        """
        await self._chain.check()
        if not await self._chain.has_code(address):
            raise Refused(f"There is no contract at {address} on {self._chain.network.label}.")
        try:
            is_open, public, fee, minter, admin = await together(
                self._chain.read(address, contracts.MINT_OPEN),
                self._chain.read(address, contracts.PUBLIC_MINTING),
                self._chain.read(address, contracts.MINT_FEE),
                self._chain.read(address, contracts.HAS_ROLE, bytes_of(contracts.MINTER_ROLE), self._wallet.address),
                self._chain.read(address, contracts.HAS_ROLE, bytes_of(contracts.ADMIN_ROLE), self._wallet.address),
            )
        except Broken as error:
            raise Refused(f"The contract at {address} is no collection made by Story's workflows (SPG).") from error
        return Collection(
            address=address,
            name=await self._text(address, contracts.NAME),
            symbol=await self._text(address, contracts.SYMBOL),
            minting_open=bool(is_open[0]),
            public=bool(public[0]),
            mint_fee=int(fee[0]),
            may_mint=bool(public[0] or minter[0]),
            owned_by_wallet=bool(admin[0]),
            supply=await self._supply(address),
        )

    async def create(self, new: NewCollection) -> Collection:
        """Make one. Asked for the same again, the first is finished and returned: it is saved before it is sent.

        Raises:
            Unavailable: it is not final yet, or cannot be sent now; ask again for the same.
            Refused, Broken: the chain does not let it be made.
        """
        transaction_id = await self._last_try(new)
        if not await self._sender.is_signed(transaction_id):
            await self._sender.save(transaction_id, await self._sender.prepare(_creation(new, self._wallet.address)))
        await self._sender.broadcast(transaction_id)
        end = await self._sender.await_final(transaction_id)
        if not isinstance(end, Mined):
            raise Broken(f"The collection was not made. {end.sentence}")
        receipt = await self._chain.receipt(end.tx_hash)
        if receipt is None:
            raise Unavailable("The node does not have the collection's receipt just now.")
        for log in receipt.logs:
            event = contracts.COLLECTION_CREATED.read(log, by=contracts.REGISTRATION_WORKFLOWS)
            if event:
                return await self.describe(checksummed(event["spgNftContract"]))
        raise Broken(f"The transaction {end.tx_hash} has made no collection.")

    async def _last_try(self, new: NewCollection) -> str:
        """The transaction that makes it: the first that did not revert."""
        facts = json.dumps([new.name, new.symbol, new.contract_uri, new.mint_fee_recipient, new.public])
        digest = hashlib.sha256(facts.encode()).hexdigest()[:16]
        number = 1
        while await self._sender.has_reverted(transaction_id := f"{self._label(digest)}:{number}"):
            number += 1
        return transaction_id

    def _label(self, digest: str) -> str:
        return f"collection:{self._chain.network.chain_id}:{self._wallet.address}:{digest}"

    async def _text(self, address: Address, function: contracts.Function) -> str:
        try:
            return trim_text(str((await self._chain.read(address, function))[0]))
        except Unavailable:
            raise
        except BotError:  # not every stand-in of an ERC-721 has a name
            return ""

    async def _supply(self, address: Address) -> int | None:
        try:
            return int((await self._chain.read(address, contracts.TOTAL_SUPPLY))[0])
        except Unavailable:
            raise
        except BotError:
            return None


def _creation(new: NewCollection, owner: Address) -> Call:
    facts = (
        new.name,
        new.symbol,
        "",  # each token has its own address, whole
        new.contract_uri,
        UNLIMITED_SUPPLY,
        0,
        NOBODY,
        new.mint_fee_recipient,
        owner,
        True,
        new.public,
    )
    return Call(to=contracts.REGISTRATION_WORKFLOWS, data=contracts.CREATE_COLLECTION.encode(facts))
