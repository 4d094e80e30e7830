"""Signing a transaction into the database, and sending what was signed."""

import logging
from collections.abc import Collection

from bot.clock import Clock
from bot.errors import Unavailable
from bot.story.node.chain import Chain, Fees, Sent, Standing
from bot.story.node.values import Address, Hash, Wei
from bot.story.sending.wallet import Wallet
from storage.database import Connection, Database
from storage.registering import transactions
from storage.registering.transactions import Attempt, Transaction

log = logging.getLogger(__name__)

INSTANT = 0.001
"""Seconds between two attempts of one transaction at the least: the one signed last is the one that is meant."""


class Attempts:
    """The signed forms of one wallet's transactions. Signed before sent, and what is sent again is the saved bytes."""

    def __init__(self, chain: Chain, wallet: Wallet, database: Database, clock: Clock) -> None:
        self._chain = chain
        self._wallet = wallet
        self._database = database
        self._clock = clock
        self._touched: dict[str, float] = {}

    async def sign(
        self, db: Connection, transaction: Transaction, *, nonce: int, fees: Fees, outbids: bool = True
    ) -> Attempt:
        """Sign it with this nonce, in the caller's transaction.

        Where something else was signed with the nonce before, this one offers enough more to take its place in the
        pool (within the cap), unless the caller knows that no pool has taken that.
        """
        max_fee, tip = fees.max_fee, fees.tip
        before = await transactions.at_nonce(
            db, sender=self._wallet.address, chain_id=transaction.chain_id, nonce=nonce
        )
        for other in before if outbids else ():
            max_fee = max(max_fee, raise_fee(int(other.max_fee)))
            tip = max(tip, raise_fee(int(other.tip)))
        max_fee = min(max_fee, self._chain.fee_cap)
        tip = min(tip, max_fee)
        signed = self._wallet.sign(
            chain_id=transaction.chain_id,
            nonce=nonce,
            to=Address(transaction.to_address),
            data=transaction.input,
            gas=transaction.gas,
            max_fee=max_fee,
            tip=tip,
        )
        own = await transactions.attempts_of(db, transaction.id)
        latest = own[-1].signed_at + INSTANT if own else 0.0
        attempt = Attempt(
            hash=signed.tx_hash,
            transaction_id=transaction.id,
            chain_id=transaction.chain_id,
            sender=self._wallet.address,
            nonce=nonce,
            raw=signed.raw,
            max_fee=str(max_fee),
            tip=str(tip),
            signed_at=max(self._clock.now(), latest),
        )
        await transactions.add_attempt(db, attempt)
        self._touched[attempt.hash] = self._clock.monotonic()
        return attempt

    def touched_at(self, tx_hash: str) -> float:
        """When this process signed or sent it last, by the clock that only runs forward; long ago for one of before."""
        return self._touched.get(tx_hash, float("-inf"))

    def forget_all_but(self, hashes: Collection[str]) -> None:
        """Forget when other attempts were touched."""
        self._touched = {tx_hash: at for tx_hash, at in self._touched.items() if tx_hash in hashes}

    async def send(self, attempt: Attempt) -> Sent:
        """Send the saved bytes. After any answer but a yes, the node is asked whether it has them all the same.

        Raises:
            Unavailable: it did not answer, and does not have them.
        """
        self._touched[attempt.hash] = self._clock.monotonic()
        try:
            sent = await self._chain.send(attempt.raw)
        except Unavailable:
            if not await self._has_arrived(attempt):
                raise
            sent = Sent(Standing.TAKEN)
        if sent.standing is not Standing.TAKEN and await self._has_arrived(attempt):
            sent = Sent(Standing.TAKEN)
        if sent.standing is Standing.TAKEN:
            async with self._database.write() as db:
                await transactions.mark_sent(db, attempt.hash, now=self._clock.now())
        else:
            log.info("The node did not take %s of %s: %s", attempt.hash, attempt.transaction_id, sent.reason)
        return sent

    async def _has_arrived(self, attempt: Attempt) -> bool:
        return await self._chain.transaction(Hash(attempt.hash)) is not None


def raise_fee(fee: Wei) -> Wei:
    """An eighth more, rounded up: nodes want a tenth more of both fees for a replacement."""
    return fee + fee // 8 + 1
