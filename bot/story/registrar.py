"""Registers images: tries a mint, finds an earlier one, reads its outcome, compares the chain with what was meant."""

from dataclasses import dataclass

from bot.errors import BotError, Broken, Unavailable
from bot.story.collection import Collection, Collections, NewCollection
from bot.story.licences import LicenceKey, PILTerms
from bot.story.mints import Check, Mint, Parent, Registered, call_for
from bot.story.node import contracts
from bot.story.node.chain import Call, Chain, LogEntry, Receipt, together
from bot.story.node.networks import Network
from bot.story.node.reverts import Duplicate, Revert
from bot.story.node.values import Address, Wei, bytes_of, checksummed, coins
from bot.story.reading import Reading
from bot.story.sending.sender import Sender
from bot.story.sending.types import Mined, Reverted
from bot.story.sending.wallet import Wallet

__all__ = (  # all that a workflow needs, in one place
    "Check",
    "Collection",
    "DryRun",
    "Duplicate",
    "Mined",
    "Mint",
    "Parent",
    "ReadBack",
    "Readiness",
    "Registered",
    "Registrar",
    "Reverted",
)

TYPICAL_GAS = 1_250_000
"""Units that a registration with licence terms uses. Measured in 2026: 1,172,297 to 1,489,314."""
FEW = 20
"""Registrations left at which the admin is told."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether images can be registered right now."""

    checks: tuple[Check, ...]
    balance: Wei | None
    registrations_left: int | None
    """At the fees of this moment; None where either is not known."""

    @property
    def ready(self) -> bool:
        return all(check.good for check in self.checks)

    @property
    def runs_low(self) -> bool:
        return self.registrations_left is not None and self.registrations_left < FEW


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a registration would cost now; that there is one means that it would work."""

    gas: int
    fee: Wei
    """At the fees of this moment."""
    sentence: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the chain says about an IP asset, beside what was registered."""

    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        return all(check.good for check in self.checks)


class Registrar:
    """Registers images on one network, into one collection."""

    def __init__(
        self, chain: Chain, wallet: Wallet, sender: Sender, *, network: Network, collection: Address | None
    ) -> None:
        """Without a collection, one can be made and described, and nothing registered."""
        self.network = network
        self.wallet_address = wallet.address
        self._collection = collection
        self._collections = Collections(chain, wallet, sender)
        self._chain = chain
        self._reading = Reading(chain)

    @property
    def collection(self) -> Address:
        """
        Raises:
            Broken: none is set up.
        """
        if self._collection is None:
            raise Broken("SPG_NFT_CONTRACT_ADDRESS is missing. Make a collection: python -m bot collection create.")
        return self._collection

    async def readiness(self) -> Readiness:
        """Look at everything that a registration needs. It raises nothing: what could not be asked is not good."""
        try:
            await self._chain.check()
        except BotError as error:
            return Readiness((Check("node", good=False, sentence=str(error)),), None, None)
        node = Check("node", good=True, sentence=f"The node is one of {self.network.label}.")
        code, collection, (purse, balance, left) = await together(
            self._check_code(), self._check_collection(), self._check_purse()
        )
        return Readiness((node, code, *collection, purse), balance, left)

    async def dry_run(self, mint: Mint) -> DryRun:
        """Try it on the chain's present state, without sending anything.

        Raises:
            Refused: the member can put it right (a recipient that cannot take it, a parent that allows no derivatives).
            Broken: the admin must look (minting is closed, the wallet may not mint).
            Duplicate (an Uncertain): it is registered already.
            Unavailable: the node does not answer, or fees are above the cap.
        """
        await self._chain.check()
        call = await self.call_of(mint)
        answer = await self._chain.call(call, sender=self.wallet_address)
        if isinstance(answer, Revert):
            raise answer.raised()
        gas, fees = await together(self._chain.estimate(call, sender=self.wallet_address), self._chain.fees())
        if isinstance(gas, Revert):
            raise gas.raised()
        fees.limit_for(gas)
        fee = gas * (fees.base + fees.tip)
        return DryRun(gas, fee, "The chain would take it.")

    async def call_of(self, mint: Mint) -> Call:
        """The call for `Sender.prepare`: mint, register and license in one transaction."""
        default: PILTerms | None = None
        if mint.licence.key is LicenceKey.NON_COMMERCIAL and not mint.parents:
            default = await self._reading.default_terms()  # asked each time: Story may choose others one day
        return call_for(mint, self.collection, default_terms=default)

    async def existing(self, mint: Mint) -> Registered | None:
        """What is registered already under this very metadata, if it is ours: the first thing to ask after a crash.

        In a public collection anybody can register our metadata before us. So what is found must have been sent by
        our wallet. Where the node no longer knows who sent it, or another minter of a private collection has (the
        bot's wallet before this one), it must be right in every value.

        Raises:
            Unavailable: the node does not answer.
        """
        await self._chain.check()
        digest = bytes_of(mint.nft_metadata_hash)
        token_id = int((await self._chain.read(self.collection, contracts.TOKEN_BY_METADATA, digest))[0])
        if token_id == 0:
            return None
        ip_id = contracts.ip_id_of(self.network.chain_id, self.collection, token_id)
        if not await self._reading.is_registered(ip_id):
            return None
        log = await self._registration_of(token_id)
        transaction = await self._chain.transaction(log.tx_hash) if log else None
        receipt = await self._chain.receipt(log.tx_hash) if log and transaction else None
        registered = await self._read_registered(ip_id, token_id, receipt)
        if transaction is not None and transaction.sender == self.wallet_address:
            return registered
        if transaction is not None and (await self._chain.read(self.collection, contracts.PUBLIC_MINTING))[0]:
            return None
        return registered if (await self.read_back(mint, registered)).good else None

    async def outcome(self, mined: Mined) -> Registered:
        """What a final transaction has registered.

        Raises:
            Broken: it has registered nothing in this collection, or not what it should.
            Unavailable: the node does not have its receipt.
        """
        receipt = await self._chain.receipt(mined.tx_hash)
        if receipt is None:
            raise Unavailable("The Story node does not have the transaction's receipt just now.", retry_after=5)
        for log in receipt.logs:
            event = contracts.IP_REGISTERED.read(log, by=contracts.IP_ASSET_REGISTRY)
            if not event or checksummed(event["tokenContract"]) != self.collection:
                continue
            ip_id, token_id = checksummed(event["ipId"]), int(event["tokenId"])
            if ip_id != contracts.ip_id_of(self.network.chain_id, self.collection, token_id):
                raise Broken(f"The chain has given token {token_id} the IP id {ip_id}, which is not its own.")
            return await self._read_registered(ip_id, token_id, receipt)
        raise Broken(f"The transaction {mined.tx_hash} has registered nothing in {self.collection}.")

    async def read_back(self, mint: Mint, registered: Registered) -> ReadBack:
        """Compare everything on the chain with what was meant: owner, metadata, licence, parents.

        Raises:
            Unavailable: the node does not answer.
        """
        return ReadBack(await self._reading.compare(mint, registered, collection=self.collection))

    async def terms_of(self, ip_id: Address) -> tuple[tuple[int, PILTerms], ...]:
        """The PIL terms attached to any IP asset, with their ids."""
        attached = await self._reading.terms_of(ip_id)
        return tuple((number, terms) for _, number, terms in attached if terms is not None)

    async def parent_of(self, ip_id: Address) -> Parent:
        """An IP asset as the parent of a derivative.

        Raises:
            Refused: it is none, has no licence, allows no derivatives or each only after asking, or wants a fee.
        """
        await self._chain.check()
        return await self._reading.parent(ip_id)

    async def create_collection(
        self, *, name: str, symbol: str, contract_uri: str, mint_fee_recipient: Address, public: bool
    ) -> Collection:
        """Make a collection that belongs to the wallet. A second call with the same values returns the first one.

        Raises:
            Unavailable: it is not final yet, or cannot be sent now; ask again for the same.
            Refused, Broken: the chain does not let it be made.
        """
        new = NewCollection(name, symbol, contract_uri, mint_fee_recipient, public)
        return await self._collections.create(new)

    async def describe_collection(self, address: Address) -> Collection:
        """What the chain says about a collection, which anybody may have made.

        Raises:
            Unavailable: the node does not answer.
            Refused: there is no such collection.
        """
        return await self._collections.describe(address)

    async def _read_registered(self, ip_id: Address, token_id: int, receipt: Receipt | None) -> Registered:
        return Registered(
            ip_id=ip_id,
            token_id=token_id,
            tx_hash=receipt and receipt.tx_hash,
            block=receipt and receipt.block,
            block_hash=receipt and receipt.block_hash,
            terms_ids=await self._terms_ids(ip_id),
            gas_used=receipt and receipt.gas_used,
            paid=receipt and receipt.paid,
        )

    async def _terms_ids(self, ip_id: Address) -> tuple[int, ...]:
        return tuple(number for _, number, _ in await self._reading.terms_of(ip_id))

    async def _registration_of(self, token_id: int) -> LogEntry | None:
        """When a token became an IP asset; None where the node does not look back so far."""
        topics = (
            "0x" + contracts.IP_REGISTERED.topic.hex(),
            f"0x{self.network.chain_id:064x}",
            "0x" + "0" * 24 + self.collection[2:].lower(),
            f"0x{token_id:064x}",
        )
        try:
            logs = await self._chain.logs(contracts.IP_ASSET_REGISTRY, topics)
        except Unavailable:
            return None
        return logs[-1] if logs else None

    async def _check_code(self) -> Check:
        try:
            answers = await together(*(self._chain.has_code(address) for address in contracts.NEEDED.values()))
        except BotError as error:
            return Check("contracts", good=False, sentence=str(error))
        missing = [name for name, has_code in zip(contracts.NEEDED, answers, strict=True) if not has_code]
        if missing:
            return Check("contracts", good=False, sentence=f"Story's contracts are not there: {', '.join(missing)}.")
        return Check("contracts", good=True, sentence="Story's contracts are where they should be.")

    async def _check_collection(self) -> tuple[Check, ...]:
        try:
            collection = await self._collections.describe(self.collection)
        except BotError as error:
            sentence = f"{error} Look at SPG_NFT_CONTRACT_ADDRESS, or make one: python -m bot collection create."
            return (Check("collection", good=False, sentence=sentence),)
        return (
            Check("collection", good=True, sentence=f"The collection is “{collection.name}” ({collection.symbol})."),
            _check(
                "minting",
                collection.minting_open,
                "Minting is open in it.",
                "Minting is closed in it. Its owner can open it again (setMintOpen).",
            ),
            _check(
                "rights",
                collection.may_mint,
                "The bot's wallet may mint in it.",
                f"The bot's wallet {self.wallet_address} may not mint in it. Give it the minter role, or make a "
                "collection with it: python -m bot collection create.",
            ),
            _check(
                "mint fee",
                collection.mint_fee == 0,
                "Minting in it costs no fee of its own.",
                "It takes a fee for each mint, which the bot does not pay. Set its mint fee to 0, or use another one.",
            ),
        )

    async def _check_purse(self) -> tuple[Check, Wei | None, int | None]:
        coin = self.network.coin
        try:
            balance = await self._chain.balance(self.wallet_address)
        except BotError as error:
            return Check("balance", good=False, sentence=str(error)), None, None
        has = f"The bot's wallet {self.wallet_address} has {coins(balance, coin)}"
        try:
            fees = await self._chain.fees()
        except BotError as error:
            return Check("balance", good=False, sentence=f"{has}. {error}"), balance, None
        left = balance // (TYPICAL_GAS * max(fees.base + fees.tip, 1))
        sentence = f"{has}: about {left:,} registrations at today's fees."
        if left < FEW:
            faucet = f" They are free at {self.network.faucet}." if self.network.faucet else ""
            sentence += f" Send it more coins.{faucet}"
        return Check("balance", good=left >= 1, sentence=sentence), balance, left


def _check(name: str, good: bool, well: str, badly: str) -> Check:
    return Check(name, good, well if good else badly)
