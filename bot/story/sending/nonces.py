"""Keeps one wallet's nonces without a gap, whatever became of its transactions.

A chain takes a wallet's transactions by nonce, each exactly after the one before. So one that got lost, was outbid, or
has a number that somebody else used or that leaves a gap holds up itself or all behind it. Here all unfinished ones
are looked at together, and put right: sent again, replaced by the same with a higher fee, signed anew with the gas
that they need now, or signed anew with another nonce. What was signed before stays looked for, and
`allowDuplicates=False` on the chain is the last lock: of two that land, the second mints nothing.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from bot.clock import Clock
from bot.errors import Unavailable
from bot.story.node.chain import Call, Chain, Fees, Sent, Standing
from bot.story.node.contracts import least_gas_of
from bot.story.node.heads import Heads
from bot.story.node.reverts import Revert
from bot.story.node.values import Address, Hash
from bot.story.sending.attempts import Attempts, raise_fee
from bot.story.sending.wallet import Wallet, gas_of
from storage.database import Database
from storage.registering import transactions
from storage.registering.transactions import Attempt, Transaction, TransactionState

log = logging.getLogger(__name__)

EVERY = 3.0
"""Seconds between two rounds."""
LOST = 6.0
"""Seconds after which a transaction that is in no block is looked for in the pool: three blocks."""
GRACE = 10.0
"""Seconds for which what a node says about nonces must stay the same before anything is signed anew: of several nodes
behind one address, one may be behind."""
STUCK = 60.0
"""Seconds after which one that is next, and in the pool, is given a higher fee."""

FREED = "nonce:"
"""How the ids of transactions begin that do nothing but use a nonce up."""
ENOUGH_GAS = 3_000_000
"""Units for a transaction that must land so that its nonce is used, though its call would be refused now. A refused
mint uses about 55,000 of them."""

Open = tuple[Transaction, Attempt]


@dataclass(slots=True)
class _Watch:
    """What earlier rounds have seen of an attempt, in memory only: waiting times begin anew at a restart.

    Times are those of the clock that only runs forward.
    """

    since: float
    head: int
    looked_at: float = float("-inf")
    passed_over_since: float | None = None


class Nonces:
    """The unfinished transactions of one wallet."""

    def __init__(
        self, chain: Chain, wallet: Wallet, attempts: Attempts, heads: Heads, database: Database, clock: Clock
    ) -> None:
        self._chain = chain
        self._wallet = wallet
        self._attempts = attempts
        self._heads = heads
        self._database = database
        self._clock = clock
        self._round = asyncio.Lock()
        self._next_round = float("-inf")
        self._watches: dict[str, _Watch] = {}
        self._gaps: dict[int, float] = {}
        self._troubles: dict[str, str] = {}

    async def tend(self) -> None:
        """Check all unfinished transactions; send again or replace those that are stuck. At most once in `EVERY`.

        Raises:
            Unavailable: the node does not answer.
        """
        async with self._round:
            now = self._clock.monotonic()
            if now < self._next_round:
                return
            self._next_round = now + EVERY
            unfinished = await self._load_open()
            self._forget_all_but(unfinished)
            if not unfinished:
                return
            count = await self._chain.nonce(self._wallet.address)
            head = await self._heads.number()
            failures: list[Unavailable] = []
            for transaction, attempt in _in_turn(unfinished):
                watch = self._watches.setdefault(attempt.hash, _Watch(now, head))
                try:
                    if attempt.nonce < count:
                        await self._tend_passed_over(transaction, attempt, watch, count)
                    else:
                        await self._tend_waiting(transaction, attempt, watch, count=count, head=head)
                except Unavailable as error:  # those behind it are looked at all the same
                    failures.append(error)
            await self._fill_gaps(count)
            if failures:
                raise failures[0]

    async def mend(self, transaction: Transaction, attempt: Attempt) -> Sent | None:
        """Sign a transaction that the node has turned down anew, at its nonce, and send it; None where neither its gas
        nor its fee is what is wrong with it.

        Raises:
            Unavailable: the node does not answer, or has none of it.
        """
        fees = await self._chain.fees()
        gas = await self._find_gas(transaction, gas_of(attempt.raw), fees)
        is_dear = int(attempt.max_fee) > fees.max_fee * 5 // 4  # geth: "tx fee exceeds the configured cap"
        if gas is None and not is_dear:
            return None
        log.warning("The node refuses transaction %s with nonce %d: it is signed anew", transaction.id, attempt.nonce)
        return await self._sign_anew(
            transaction, attempt, nonce=attempt.nonce, count=0, fees=fees, gas=gas, outbids=not is_dear
        )

    async def _find_gas(self, transaction: Transaction, gas: int, fees: Fees) -> int | None:
        """The limit that a transaction needs now; None where the one that it has will do."""
        call = Call(to=Address(transaction.to_address), data=transaction.input)
        estimate = await self._chain.estimate(call, sender=self._wallet.address)
        if isinstance(estimate, Revert):
            is_possible = least_gas_of(call.data) <= gas <= fees.most_gas
            return None if is_possible else min(ENOUGH_GAS, fees.most_gas)
        limit = fees.limit_for(estimate)
        return None if estimate <= gas <= limit * 5 // 4 else limit

    def trouble(self, transaction_id: str) -> str | None:
        """A sentence on what keeps a transaction waiting; None where nothing does."""
        return self._troubles.get(transaction_id)

    def note(self, transaction_id: str, sent: Sent) -> None:
        """Remember why a node did not take a transaction."""
        match sent.standing:
            case Standing.NO_COINS:
                self._troubles[transaction_id] = (
                    f"The bot's wallet {self._wallet.address} has too little left for the fees. Send it some "
                    f"{self._chain.network.coin}."
                )
            case Standing.TURNED_DOWN:
                self._troubles[transaction_id] = f"The Story node does not take the transaction: {sent.reason}."
            case _:
                self._troubles.pop(transaction_id, None)

    async def _tend_passed_over(self, transaction: Transaction, attempt: Attempt, watch: _Watch, count: int) -> None:
        """Sign a transaction anew whose nonce another one has used. One that is in a block used it itself."""
        async with self._database.read() as db:
            own = await transactions.attempts_of(db, transaction.id)
        for each in own:
            at_node = await self._chain.transaction(Hash(each.hash))
            if at_node is not None and (at_node.block is not None or each.hash == attempt.hash):
                watch.passed_over_since = None
                return
        now = self._clock.monotonic()
        watch.passed_over_since = watch.passed_over_since or now
        if now - watch.passed_over_since >= GRACE:
            log.warning("Nonce %d of transaction %s was used by another transaction", attempt.nonce, transaction.id)
            await self._sign_anew(transaction, attempt, nonce=None, count=count)

    async def _tend_waiting(
        self, transaction: Transaction, attempt: Attempt, watch: _Watch, *, count: int, head: int
    ) -> None:
        """Send a transaction again that the pool has lost, and outbid one that is stuck. Its nonce is not used yet."""
        now = self._clock.monotonic()
        watch.passed_over_since = None
        if now - max(watch.looked_at, self._attempts.touched_at(attempt.hash)) < LOST:
            return
        watch.looked_at = now
        if await self._chain.transaction(Hash(attempt.hash)) is None:
            sent = await self._attempts.send(attempt)
            self.note(transaction.id, sent)
            if sent.standing is Standing.TOO_CHEAP:
                await self._outbid(transaction, attempt)
            elif sent.standing is Standing.TURNED_DOWN:
                await self.mend(transaction, attempt)
            return
        self._troubles.pop(transaction.id, None)
        is_late = now - watch.since >= STUCK and head >= watch.head + 2
        if is_late and (attempt.nonce == count or await self._is_too_cheap(attempt)):
            await self._outbid(transaction, attempt)

    async def _is_too_cheap(self, attempt: Attempt) -> bool:
        try:
            return int(attempt.max_fee) < (await self._chain.fees()).base
        except Unavailable:
            return True

    async def _outbid(self, transaction: Transaction, attempt: Attempt) -> None:
        """Replace a transaction by the same one with higher fees."""
        try:
            fees = await self._chain.fees()
        except Unavailable as error:
            self._troubles[transaction.id] = str(error)
            return
        if raise_fee(int(attempt.max_fee)) > self._chain.fee_cap:
            self._troubles[transaction.id] = (
                "The transaction offers as much as your cap on fees allows (STORY_MAX_FEE_GWEI), and waits until the "
                "network asks less."
            )
            return
        await self._sign_anew(transaction, attempt, nonce=attempt.nonce, count=0, fees=fees)

    async def _fill_gaps(self, count: int) -> None:
        """Sign the transaction with the highest nonce anew for a free one: a gap stops all nonces above it."""
        now = self._clock.monotonic()
        unfinished = await self._load_open()
        gaps = _gaps(count, [attempt.nonce for _, attempt in unfinished])
        self._gaps = {gap: self._gaps.get(gap, now) for gap in gaps}
        for gap in gaps:
            since = self._gaps[gap]
            landed = await self._landed_at(gap)
            if landed is not None:
                if now - since >= STUCK:  # its block is gone from the chain, long after it was final
                    log.warning("Nonce %d is free again: the bot sends its transaction once more", gap)
                    await self._attempts.send(landed)
            elif now - since >= GRACE and unfinished and unfinished[-1][1].nonce > gap:
                transaction, attempt = unfinished.pop()
                log.warning("No transaction has nonce %d: the bot signs %s anew with it", gap, transaction.id)
                await self._sign_anew(transaction, attempt, nonce=gap, count=count)

    async def _load_open(self) -> list[Open]:
        async with self._database.read() as db:
            return await transactions.open_of(db, sender=self._wallet.address, chain_id=self._chain.network.chain_id)

    async def _landed_at(self, nonce: int) -> Attempt | None:
        """The attempt with this nonce that is known to be in a block."""
        async with self._database.read() as db:
            signed = await transactions.at_nonce(
                db, sender=self._wallet.address, chain_id=self._chain.network.chain_id, nonce=nonce
            )
            for attempt in signed:
                transaction = await transactions.find(db, attempt.transaction_id)
                if transaction and transaction.mined_hash == attempt.hash:
                    return attempt
        return None

    async def _sign_anew(
        self,
        transaction: Transaction,
        attempt: Attempt,
        *,
        nonce: int | None,
        count: int,
        fees: Fees | None = None,
        gas: int | None = None,
        outbids: bool = True,
    ) -> Sent | None:
        """Sign it once more (with the next nonce, for None) and send it; nothing where it has changed meanwhile."""
        fees = fees or await self._chain.fees()
        async with self._database.write() as db:
            current = await transactions.find(db, transaction.id)
            own = await transactions.attempts_of(db, transaction.id)
            if current is None or current.state is not TransactionState.OPEN or own[-1].hash != attempt.hash:
                return None
            if gas is not None:
                await transactions.set_gas(db, transaction.id, gas=gas)
                current = replace(current, gas=gas)
            if nonce is None:
                following = await transactions.next_nonce(
                    db, sender=self._wallet.address, chain_id=transaction.chain_id
                )
                nonce = max(following, count)
            anew = await self._attempts.sign(db, current, nonce=nonce, fees=fees, outbids=outbids)
        log.info(
            "Transaction %s is signed anew: nonce %d, %d units of gas, at most %s wei each",
            transaction.id,
            anew.nonce,
            current.gas,
            anew.max_fee,
        )
        sent = await self._attempts.send(anew)
        self.note(transaction.id, sent)
        return sent

    def _forget_all_but(self, unfinished: list[Open]) -> None:
        hashes = {attempt.hash for _, attempt in unfinished}
        ids = {transaction.id for transaction, _ in unfinished}
        self._attempts.forget_all_but(hashes)
        self._watches = {key: watch for key, watch in self._watches.items() if key in hashes}
        self._troubles = {key: trouble for key, trouble in self._troubles.items() if key in ids}


def _in_turn(unfinished: list[Open]) -> list[Open]:
    """Those to look at. Where a nonce is being freed, the one that had it waits until that is done."""
    freed = {attempt.nonce for transaction, attempt in unfinished if transaction.id.startswith(FREED)}
    return [
        (transaction, attempt)
        for transaction, attempt in unfinished
        if attempt.nonce not in freed or transaction.id.startswith(FREED)
    ]


def _gaps(count: int, nonces: list[int]) -> list[int]:
    """The lowest free numbers from `count` up to the highest that is held, at most one for each that is held."""
    held = set(nonces)
    gaps: list[int] = []
    number = count
    while held and number < max(held) and len(gaps) < len(held):
        if number not in held:
            gaps.append(number)
        number += 1
    return gaps
