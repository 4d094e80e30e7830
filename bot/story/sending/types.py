"""What is sent, what waits, and what becomes of it."""

from dataclasses import dataclass

from bot.story.node.chain import Call
from bot.story.node.values import Hash, Wei
from bot.values import Frozen


class Prepared(Frozen):
    """A call that would work right now, with what it needs. Good for about a minute; after that, prepare it anew."""

    call: Call
    gas: int
    """Limit, a fifth above the estimate."""
    max_fee: Wei
    """A unit of gas."""
    tip: Wei
    base_fee: Wei
    chain_nonce: int

    @property
    def worst_cost(self) -> Wei:
        return self.gas * self.max_fee


class Signed(Frozen):
    """A transaction that is saved and can be sent."""

    transaction_id: str
    tx_hash: Hash
    nonce: int


class Mined(Frozen):
    """A final transaction that worked."""

    tx_hash: Hash
    block: int
    block_hash: Hash
    gas_used: int
    paid: Wei


class Reverted(Frozen):
    """A final transaction that changed nothing; only the fee was paid."""

    tx_hash: Hash
    block: int
    block_hash: Hash
    gas_used: int
    paid: Wei
    selector: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A nonce that a transaction holds which is not final yet; the fee is in wei a unit of gas."""

    nonce: int
    transaction_id: str
    tx_hash: Hash
    gas: int
    max_fee: Wei
    at_node: bool
    """The node has it, in its pool or in a block."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wallet's nonces. `next_nonce` is the one that the chain takes next."""

    next_nonce: int
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """When something is final, and how long to wait for it."""

    confirmations: int = 2
    """Blocks, with its own: 1 is as soon as it is in one."""
    patience: float = 60.0
    """Seconds that `await_final` waits before it lets the worker ask again."""
