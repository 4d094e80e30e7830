"""Transactions that wait, by geth's rules and in geth's words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from standins.chain.ledger.evm import GAS_LIMIT
from standins.chain.ledger.transactions import Refusal, Transaction

_BUMP: Final = 110  # per cent that a replacement has to offer, in both fees


@dataclass(frozen=True)
class _Waiting:
    transaction: Transaction
    arrived: int  # counts up


class Pool:
    """A transaction is here by its sender and nonce, once; those behind a gap wait until it is closed."""

    def __init__(self) -> None:
        self._senders: dict[bytes, dict[int, _Waiting]] = {}
        self._hashes: dict[bytes, Transaction] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(list(self._hashes.values()))

    def get(self, hash_: bytes) -> Transaction | None:
        return self._hashes.get(hash_)

    def add(self, transaction: Transaction, *, nonce: int, balance: int) -> Transaction | None:
        """Take it in, where `nonce` is the sender's next one on the chain; gives the one that it replaced.

        Raises:
            Refusal: it is known, cheap, too large, or cannot be paid for.
        """
        if transaction.hash in self._hashes:
            raise Refusal("already known")
        _check(transaction)
        if transaction.nonce < nonce:
            raise Refusal(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
        if balance < transaction.cost:
            short = transaction.cost - balance
            raise Refusal(
                "insufficient funds for gas * price + value: "
                f"balance {balance}, tx cost {transaction.cost}, overshot {short}"
            )
        waiting = self._senders.setdefault(transaction.sender, {})
        old = waiting[transaction.nonce].transaction if transaction.nonce in waiting else None
        queued = sum(each.transaction.cost for each in waiting.values()) - (old.cost if old else 0)
        if balance < queued + transaction.cost:
            raise Refusal(
                "insufficient funds for gas * price + value: "
                f"balance {balance}, queued cost {queued}, tx cost {transaction.cost}, "
                f"overshot {queued + transaction.cost - balance}"
            )
        if old:
            if transaction.max_fee * 100 < old.max_fee * _BUMP or transaction.tip * 100 < old.tip * _BUMP:
                raise Refusal("replacement transaction underpriced")
            del self._hashes[old.hash]
        self._arrivals += 1
        waiting[transaction.nonce] = _Waiting(transaction, self._arrivals)
        self._hashes[transaction.hash] = transaction
        return old

    def remove(self, hash_: bytes) -> Transaction | None:
        """Take it out; gives it, if it was there."""
        transaction = self._hashes.pop(hash_, None)
        if transaction:
            waiting = self._senders[transaction.sender]
            del waiting[transaction.nonce]
            if not waiting:
                del self._senders[transaction.sender]
        return transaction

    def next_nonce(self, sender: bytes, nonce: int) -> int:
        """The first one that is free, counting from the sender's next one on the chain."""
        waiting = self._senders.get(sender, {})
        while nonce in waiting:
            nonce += 1
        return nonce

    def best(self, *, base_fee: int, gas: int, nonce_of: Callable[[bytes], int], but: set[bytes]) -> Transaction | None:
        """The transaction that a miner takes next: the best tip, then the oldest. Senders in `but` are passed over."""
        ready: list[_Waiting] = []
        for sender, waiting in self._senders.items():
            if sender in but:
                continue
            first = waiting.get(nonce_of(sender))
            if first and first.transaction.max_fee >= base_fee and first.transaction.gas <= gas:
                ready.append(first)
        best = max(ready, key=lambda each: (each.transaction.price(base_fee), -each.arrived), default=None)
        return best.transaction if best else None


def _check(transaction: Transaction) -> None:
    if transaction.gas > GAS_LIMIT:
        raise Refusal("exceeds block gas limit")
    if transaction.tip > transaction.max_fee:
        raise Refusal(
            "max priority fee per gas higher than max fee per gas: "
            f"maxPriorityFeePerGas: {transaction.tip}, maxFeePerGas: {transaction.max_fee}"
        )
    intrinsic = transaction.signed.intrinsic_gas
    if transaction.gas < intrinsic:
        raise Refusal(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {intrinsic}")
    if transaction.tip < 1:
        raise Refusal(f"transaction underpriced: gas tip cap {transaction.tip}, minimum needed 1")
