"""What can be asked of a chain, each answer with a type; every way of failing is one of the four errors."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar, cast

from eth_utils.crypto import keccak
from web3 import AsyncWeb3
from web3.exceptions import BlockNotFound, TransactionNotFound, Web3Exception

from bot.errors import Unavailable
from bot.story.node.contracts import Function, least_gas_of
from bot.story.node.networks import NETWORKS, Network
from bot.story.node.reverts import Revert, decode_revert
from bot.story.node.rpc import NAME, Node, NodeRefusal, Unusable
from bot.story.node.values import Address, Hash, Wei, checksummed
from bot.values import Frozen

log = logging.getLogger(__name__)

T = TypeVar("T")

GWEI = 10**9
TIP = GWEI // 10
"""A unit of gas, offered where the node does not say what is usual."""

MOST_GAS = 2**24
"""Units of gas that one transaction may have: Ethereum's own limit (EIP-7825, 2025). The dearest that we know, a
derivative of 16 images, uses 12.9 million."""

Block = int | str
"""A number, or "latest"."""


class Call(Frozen):
    """A call of a contract. `data` is 0x and hex."""

    to: Address
    data: str


@dataclass(frozen=True, slots=True)
class Fees:
    """A unit of gas, in wei. `base` is burnt by the newest block, and may rise by an eighth with each."""

    base: Wei
    max_fee: Wei
    tip: Wei
    most_gas: int = MOST_GAS
    """Units that one transaction may have: what fits in a block, and never more than `MOST_GAS`."""

    def limit_for(self, estimate: int) -> int:
        """The limit to sign with: a fifth above the estimate.

        Raises:
            Unavailable: the estimate fits in no block, so that it or the block's size cannot be right.
        """
        if estimate > self.most_gas:
            raise Unavailable(
                f"{NAME} estimates the gas at {estimate:,} units, of which a block takes {self.most_gas:,}.",
                retry_after=10,
            )
        return min(estimate * 6 // 5, self.most_gas)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event, as it stands in a receipt."""

    address: Address
    topics: tuple[bytes, ...]
    content: bytes
    tx_hash: Hash
    block: int
    block_hash: Hash


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that is in a block."""

    tx_hash: Hash
    block: int
    block_hash: Hash
    worked: bool
    gas_used: int
    gas_price: Wei
    logs: tuple[LogEntry, ...]

    @property
    def paid(self) -> Wei:
        return self.gas_used * self.gas_price


@dataclass(frozen=True, slots=True)
class Known:
    """A transaction that the node has, in its pool or in a block."""

    tx_hash: Hash
    sender: Address
    block: int | None


@dataclass(frozen=True, slots=True)
class _Block:
    number: int
    hash: Hash
    base_fee: Wei
    gas_limit: int


class Standing(Enum):
    """What a node says of a transaction that it was sent."""

    TAKEN = auto()
    """The node has it, from now or from before."""
    NONCE_USED = auto()
    """By this one or by another."""
    TOO_CHEAP = auto()
    """For this moment, or beside another of the same nonce."""
    NO_COINS = auto()
    TURNED_DOWN = auto()


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to `send`, with the node's own words."""

    standing: Standing
    reason: str = ""


_WORDS: dict[Standing, tuple[str, ...]] = {
    # In the order in which they are looked for: geth says "insufficient funds for gas * price + value" and
    # "nonce too low: next nonce 5, tx nonce 4", anvil the same without the numbers, others still other texts.
    Standing.TAKEN: ("already known", "already imported", "known transaction", "already exists", "already in mempool"),
    Standing.NONCE_USED: ("nonce too low", "nonce is too low", "invalid nonce", "nonce has already been used"),
    Standing.NO_COINS: ("insufficient funds", "insufficient balance", "not enough funds", "lack of funds"),
    Standing.TOO_CHEAP: (
        "underpriced",
        "fee too low",
        "less than block base fee",
        "max fee per gas less than",
        "fee cap less than",
        "gas price too low",
        "below base fee",
    ),
}


class Chain:
    """One network, through one node. `fee_cap` is the most that may be paid for a unit of gas, in wei."""

    def __init__(self, node: Node, network: Network, *, fee_cap: Wei) -> None:
        self.network = network
        self._web3 = AsyncWeb3(node, middleware=[])
        self.fee_cap = fee_cap
        self._checked = False

    async def check(self) -> None:
        """Check that the node belongs to the network that is set up.

        A right answer is asked for once, a wrong one twice: of several nodes behind one address, one may be another
        chain's for a moment.

        Raises:
            Unusable: it belongs to another.
        """
        if self._checked:
            return
        chain_id = await self._ask(self._web3.eth.chain_id, int)
        if chain_id != self.network.chain_id:
            chain_id = await self._ask(self._web3.eth.chain_id, int)
        if chain_id != self.network.chain_id:
            other = next((each.label for each in NETWORKS.values() if each.chain_id == chain_id), "another network")
            raise Unusable(
                f"RPC_PROVIDER_URL is a node of {other} (chain id {chain_id}), and the bot is set up for "
                f"{self.network.label} (chain id {self.network.chain_id}). Change one of the two."
            )
        self._checked = True

    async def block_number(self) -> int:
        return await self._ask(self._web3.eth.block_number, int)

    async def block_hash(self, number: int) -> Hash | None:
        """The hash of a block of the chain as it is now; None where it has not come so far."""
        block = await self._find(self._web3.eth.get_block(cast("Any", number)), _read_block)
        if block is None:
            return None
        if block.number != number:
            raise Unavailable(f"{NAME} did not answer what it was asked.")
        return block.hash

    async def balance(self, address: Address) -> Wei:
        return await self._ask(self._web3.eth.get_balance(cast("Any", address)), int)

    async def has_code(self, address: Address) -> bool:
        """Whether there is a contract."""
        return await self._ask(self._web3.eth.get_code(cast("Any", address)), bool)

    async def nonce(self, address: Address) -> int:
        """How many transactions of that wallet are in blocks."""
        return await self._ask(self._web3.eth.get_transaction_count(cast("Any", address), "latest"), int)

    async def fees(self) -> Fees:
        """What to offer now: a tip, and twice the base fee, within the cap.

        Raises:
            Unavailable: the network asks for more than the cap.
        """
        newest, tip = await together(self._ask(self._web3.eth.get_block("latest"), _read_block), self._tip())
        base, tip = newest.base_fee, min(tip, self.fee_cap)
        if base + tip > self.fee_cap:
            raise Unavailable(
                f"The network's fees are {_gwei(base + tip)} gwei just now, above your cap of {_gwei(self.fee_cap)} "
                "(STORY_MAX_FEE_GWEI).",
                retry_after=60,
            )
        return Fees(
            base=base,
            max_fee=min(2 * base + tip, self.fee_cap),
            tip=tip,
            most_gas=min(newest.gas_limit, MOST_GAS),
        )

    async def estimate(self, call: Call, *, sender: Address) -> int | Revert:
        """The gas that a call would use on the newest state, or why it would be refused.

        Raises:
            Unavailable: the node does not answer, or with a number that cannot be right.
        """
        question = self._web3.eth.estimate_gas(cast("Any", {"from": sender, "to": call.to, "data": call.data}))
        gas = await self._try(question, int)
        if isinstance(gas, int) and not least_gas_of(call.data) <= gas <= MOST_GAS:
            raise Unavailable(f"{NAME} estimates the gas at {gas:,} units, which cannot be right.", retry_after=10)
        return gas

    async def call(
        self, call: Call, *, sender: Address | None = None, block: Block = "latest", gas: int | None = None
    ) -> bytes | Revert:
        """What a call would answer, or why it would be refused."""
        asked: dict[str, Any] = {"to": call.to, "data": call.data}
        if sender is not None:
            asked["from"] = sender
        if gas is not None:
            asked["gas"] = gas
        return await self._try(self._web3.eth.call(cast("Any", asked), cast("Any", block)), bytes)

    async def read(self, to: Address, function: Function, *arguments: object) -> tuple[Any, ...]:
        """Ask a contract a question.

        Raises:
            Refused, Broken: it refuses to answer, or there is no contract of that kind.
        """
        call = Call(to=to, data=function.encode(*arguments))
        answer = await self.call(call)
        if isinstance(answer, bytes) and not function.understands(answer):
            answer = await self.call(call)  # one such answer is the node's; two are the contract's
        if isinstance(answer, Revert):
            raise answer.raised()
        return function.decode(answer)

    async def send(self, raw: str) -> Sent:
        """Hand a signed transaction to the node, once.

        Raises:
            Unavailable: it did not answer; it may have taken it.
        """
        try:
            tx_hash = await self._put(self._web3.eth.send_raw_transaction(cast("Any", raw)), bytes)
        except NodeRefusal as refusal:
            standing = next((each for each, words in _WORDS.items() if refusal.says(*words)), Standing.TURNED_DOWN)
            return Sent(standing, refusal.reason)
        if tx_hash != keccak(hexstr=raw):
            raise Unavailable(f"{NAME} did not answer what it was asked.")
        return Sent(Standing.TAKEN)

    async def receipt(self, tx_hash: Hash) -> Receipt | None:
        """The receipt of a transaction; None while it is in no block."""
        receipt = await self._find(self._web3.eth.get_transaction_receipt(cast("Any", tx_hash)), _read_receipt)
        if receipt is not None and {receipt.tx_hash, *(log.tx_hash for log in receipt.logs)} != {tx_hash}:
            raise Unavailable(f"{NAME} did not answer what it was asked.")
        return receipt

    async def transaction(self, tx_hash: Hash) -> Known | None:
        """A transaction that the node has; None where it has none of that hash."""
        transaction = await self._find(self._web3.eth.get_transaction(cast("Any", tx_hash)), _read_transaction)
        if transaction is not None and transaction.tx_hash != tx_hash:
            raise Unavailable(f"{NAME} did not answer what it was asked.")
        return transaction

    async def logs(self, address: Address, topics: Sequence[str | None], *, first: int = 0) -> tuple[LogEntry, ...]:
        """A contract's events. Nodes refuse when they would have to look at too many blocks: that is Unavailable."""
        question: dict[str, Any] = {
            "address": address,
            "topics": list(topics),
            "fromBlock": hex(first),
            "toBlock": "latest",
        }
        events = await self._ask(self._web3.eth.get_logs(cast("Any", question)), lambda logs: tuple(map(_log, logs)))
        if not all(_is_asked_for(event, address, topics) for event in events):
            raise Unavailable(f"{NAME} did not answer what it was asked.")
        return events

    async def _tip(self) -> Wei:
        try:
            return await self._put(self._web3.eth.max_priority_fee, int)
        except (NodeRefusal, Unusable):  # not every node has the method; some say so with a bare 404
            return TIP

    async def _find(self, question: Awaitable[Any], read: Callable[[Any], T]) -> T | None:
        """What the node has under a hash; None where it has nothing."""
        try:
            return await self._put(question, read)
        except (TransactionNotFound, BlockNotFound):
            return None
        except NodeRefusal as refusal:
            if refusal.says("not found", "indexing", "unknown transaction") and not refusal.says("method"):
                return None
            raise Unavailable(f"{NAME} turned a question down: {refusal.reason}") from None

    async def _try(self, question: Awaitable[Any], read: Callable[[Any], T]) -> T | Revert:
        try:
            return await self._put(question, read)
        except NodeRefusal as refusal:
            if refusal.data or refusal.code == 3 or refusal.says("revert", "invalid opcode", "out of gas"):
                return decode_revert(refusal.data)
            raise Unavailable(f"{NAME} turned a question down: {refusal.reason}") from None

    async def _ask(self, question: Awaitable[Any], read: Callable[[Any], T]) -> T:
        """An answer; where the node refuses one, it is Unavailable."""
        try:
            return await self._put(question, read)
        except (TransactionNotFound, BlockNotFound):
            raise Unavailable(f"{NAME} has no answer just now.") from None
        except NodeRefusal as refusal:
            raise Unavailable(f"{NAME} turned a question down: {refusal.reason}") from None

    async def _put(self, question: Awaitable[Any], read: Callable[[Any], T]) -> T:
        try:
            return read(await question)
        except (TransactionNotFound, BlockNotFound):
            raise
        except (Web3Exception, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            log.warning("An answer of the node could not be read", exc_info=error)
            raise Unavailable(f"{NAME} answers in a form that this bot does not know.") from error


async def together(*questions: Awaitable[Any]) -> list[Any]:
    """The answers to questions asked at once. All are waited for before the first failure is raised."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers


def _gwei(amount: Wei) -> str:
    return f"{amount / GWEI:,.6g}"


def _hash(value: Any) -> Hash:
    return Hash("0x" + bytes(value).hex())


def _read_block(block: Any) -> _Block:
    return _Block(
        number=int(block["number"]),
        hash=_hash(block["hash"]),
        base_fee=int(block["baseFeePerGas"]),
        gas_limit=int(block["gasLimit"]),
    )


def _read_transaction(transaction: Any) -> Known:
    number = transaction.get("blockNumber")
    return Known(
        tx_hash=_hash(transaction["hash"]),
        sender=checksummed(transaction["from"]),
        block=None if number is None else int(number),
    )


def _read_receipt(receipt: Any) -> Receipt | None:
    if receipt["blockNumber"] is None:
        return None
    return Receipt(
        tx_hash=_hash(receipt["transactionHash"]),
        block=int(receipt["blockNumber"]),
        block_hash=_hash(receipt["blockHash"]),
        worked=int(receipt["status"]) == 1,
        gas_used=int(receipt["gasUsed"]),
        gas_price=int(receipt.get("effectiveGasPrice") or 0),
        logs=tuple(_log(each) for each in receipt["logs"]),
    )


def _is_asked_for(event: LogEntry, address: Address, topics: Sequence[str | None]) -> bool:
    """Whether an event is of that contract and has those topics; None stands for any."""
    given = ["0x" + topic.hex() for topic in event.topics]
    return event.address == address and all(
        asked is None or (place < len(given) and given[place] == asked.lower()) for place, asked in enumerate(topics)
    )


def _log(entry: Any) -> LogEntry:
    return LogEntry(
        address=checksummed(entry["address"]),
        topics=tuple(bytes(topic) for topic in entry["topics"]),
        content=bytes(entry["data"]),
        tx_hash=_hash(entry["transactionHash"]),
        block=int(entry["blockNumber"]),
        block_hash=_hash(entry["blockHash"]),
    )
