"""Brings each transaction of one wallet onto the chain exactly once.

A transaction is prepared (it would work, and can be paid), signed into the database together with whatever its caller
changes there, sent, and awaited until it is final. Each step can be repeated at any time, also by another process
after a crash.
"""

from functools import cached_property

from bot.clock import Clock
from bot.errors import Broken, Refused, Unavailable
from bot.story.node.chain import Call, Chain, Fees, Receipt, Standing, together
from bot.story.node.heads import Heads
from bot.story.node.reverts import Revert
from bot.story.node.rpc import NAME
from bot.story.node.values import Address, Hash, Wei, coins
from bot.story.sending.attempts import Attempts
from bot.story.sending.nonces import FREED, Nonces
from bot.story.sending.types import Held, Mined, Prepared, Reverted, Rules, Signed, Waiting
from bot.story.sending.wallet import Wallet, gas_of
from bot.values import Frozen
from storage.database import Connection, Database
from storage.registering import transactions
from storage.registering.transactions import Attempt, Transaction, TransactionState
from storage.reviewing import audit

LONGEST_ROUND = 3.0
"""Seconds after which those who wait look again, though there is no new block."""


class _Reason(Frozen):
    """Why it reverted, as it is stored."""

    selector: str = ""
    sentence: str = ""


class Sender:
    """Signs and sends the transactions of one wallet on one chain, and waits until each is final; several may be open.

    Without a database it can send nothing.
    """

    def __init__(
        self,
        chain: Chain,
        wallet: Wallet,
        database: Database | None,
        clock: Clock,
        *,
        rules: Rules | None = None,
        heads: Heads | None = None,
    ) -> None:
        self._chain = chain
        self._wallet = wallet
        self._tables = database
        self._clock = clock
        self._rules = rules or Rules()
        self._heads = heads or Heads(chain, clock)

    async def prepare(self, call: Call) -> Prepared:
        """Look whether a call would work, and what it needs.

        Raises:
            Unavailable: the node does not answer, fees are above the cap, or the wallet has too little.
            Refused, Broken: it would be refused, and why.
            Duplicate (an Uncertain): it is registered already; look it up.
        """
        await self._chain.check()
        address = self._wallet.address
        gas, fees, nonce, balance = await together(
            self._chain.estimate(call, sender=address),
            self._chain.fees(),
            self._chain.nonce(address),
            self._chain.balance(address),
        )
        if isinstance(gas, Revert):
            raise gas.raised()
        limit = fees.limit_for(gas)
        await self._check_enough(call, limit)
        prepared = Prepared(
            call=call, gas=limit, max_fee=fees.max_fee, tip=fees.tip, base_fee=fees.base, chain_nonce=nonce
        )
        needed = prepared.worst_cost + await self._reserved()
        if balance < needed:
            raise Unavailable(self._too_little(balance, needed), retry_after=60)
        return prepared

    async def sign(self, db: Connection, transaction_id: str, prepared: Prepared) -> Signed:
        """Choose a nonce, sign and save, in the caller's database transaction. What is signed stays as it is."""
        attempts = await transactions.attempts_of(db, transaction_id)
        if attempts:
            return _signed_of(attempts[-1])
        chain_id = self._chain.network.chain_id
        transaction = Transaction(
            id=transaction_id,
            chain_id=chain_id,
            sender=self._wallet.address,
            to_address=prepared.call.to,
            input=prepared.call.data,
            gas=prepared.gas,
            created_at=self._clock.now(),
        )
        await transactions.add(db, transaction)
        following = await transactions.next_nonce(db, sender=self._wallet.address, chain_id=chain_id)
        fees = Fees(base=prepared.base_fee, max_fee=prepared.max_fee, tip=prepared.tip)
        nonce = max(following, prepared.chain_nonce)
        return _signed_of(await self._attempts.sign(db, transaction, nonce=nonce, fees=fees))

    async def save(self, transaction_id: str, prepared: Prepared) -> Signed:
        """`sign`, in a transaction of its own, for what an admin has asked for."""
        async with self._database.write() as db:
            is_new = await transactions.find(db, transaction_id) is None
            signed = await self.sign(db, transaction_id, prepared)
            if is_new:
                await self._note_in_audit(db, "transaction signed", transaction_id, signed)
            return signed

    async def is_signed(self, transaction_id: str) -> bool:
        """Whether there is such a transaction: then it is sent and awaited, and never prepared again."""
        async with self._database.read() as db:
            return await transactions.find(db, transaction_id) is not None

    async def has_reverted(self, transaction_id: str) -> bool:
        """Whether it came to nothing, for good: what it was for needs another transaction, under another id."""
        async with self._database.read() as db:
            transaction = await transactions.find(db, transaction_id)
        return transaction is not None and transaction.state is TransactionState.REVERTED

    async def broadcast(self, transaction_id: str) -> Hash:
        """Send the saved bytes. It is safe to repeat.

        Raises:
            Unavailable: the node did not take it yet; again later.
        """
        transaction, attempts = await self._load(transaction_id)
        latest = attempts[-1]
        if transaction.state is not TransactionState.OPEN:
            return Hash(transaction.mined_hash or latest.hash)
        sent = await self._attempts.send(latest)
        self._nonces.note(transaction_id, sent)
        if sent.standing is Standing.TURNED_DOWN and transaction.sender == self._wallet.address:
            sent = await self._nonces.mend(transaction, latest) or sent
        if sent.standing in {Standing.NO_COINS, Standing.TURNED_DOWN}:
            raise Unavailable(self._nonces.trouble(transaction_id) or sent.reason, retry_after=30)
        return Hash(
            (await self._load(transaction_id))[1][-1].hash
        )  # a nonce that is used, or a fee that is too low, is what `await_final` puts right

    async def await_final(self, transaction_id: str) -> Mined | Reverted:
        """Wait (up to `rules.patience` seconds) until it is final, sending again or replacing what got lost.

        Raises:
            Unavailable: it is still under way; ask again after `retry_after`.
        """
        until = self._clock.monotonic() + self._rules.patience
        while True:
            head = await self._heads.number()
            end = await self._look(transaction_id, head)
            if end is not None:
                return end
            await self._push(transaction_id)
            trouble = self._nonces.trouble(transaction_id)
            if trouble is not None:
                raise Unavailable(trouble, retry_after=30)
            if self._clock.monotonic() >= until:
                raise Unavailable("The transaction is on its way, and in no final block yet.", retry_after=5)
            await self._next_block(head)

    async def look_after(self) -> None:
        """Send what was signed and is waited for by nobody just now, replace what is stuck, and keep what has ended.

        Raises:
            Unavailable: the node does not answer.
        """
        unfinished = await self._load_open()
        if unfinished:
            head = await self._heads.number()
            try:
                for transaction, _ in unfinished:
                    await self._look(transaction.id, head)
            finally:
                await self._nonces.tend()

    async def waiting(self) -> Waiting:
        """The nonces of the wallet that are signed and not final. It changes nothing.

        Raises:
            Unavailable: the node does not answer.
        """
        await self._chain.check()
        unfinished = await self._load_open()
        used = await self._chain.nonce(self._wallet.address)
        at_node = await together(*(self._chain.transaction(Hash(attempt.hash)) for _, attempt in unfinished))
        return Waiting(
            used,
            tuple(
                Held(attempt.nonce, transaction.id, Hash(attempt.hash), gas_of(attempt.raw), int(attempt.max_fee), on)
                for (transaction, attempt), on in zip(unfinished, (each is not None for each in at_node), strict=True)
            ),
        )

    async def free(self, nonce: int) -> Mined | Reverted:
        """Use a nonce up with a transfer of nothing to the wallet itself: what had it is signed anew with the next one.

        Asked again after a crash, it goes on with what was begun.

        Raises:
            Refused: the nonce is used already, or nothing of this wallet waits for it.
            Unavailable: the node does not answer, or it is not final yet; ask again for the same.
        """
        await self._chain.check()
        address, chain_id = self._wallet.address, self._chain.network.chain_id
        transaction_id = f"{FREED}{chain_id}:{address}:{nonce}"
        if not await self.is_signed(transaction_id):
            used = await self._chain.nonce(address)
            highest = max((attempt.nonce for _, attempt in await self._load_open()), default=used)
            if nonce < used:
                raise Refused(f"Nonce {nonce} is used already: the next one is {used}.")
            if nonce > highest:
                raise Refused(f"No transaction of the bot waits for nonce {nonce} or for one after it.")
            nothing = Call(to=address, data="0x")
            gas, fees = await together(self._chain.estimate(nothing, sender=address), self._chain.fees())
            if isinstance(gas, Revert):
                raise gas.raised()
            now = self._clock.now()
            new = Transaction(transaction_id, chain_id, address, address, nothing.data, fees.limit_for(gas), now)
            async with self._database.write() as db:
                if await transactions.add(db, new):
                    signed = _signed_of(await self._attempts.sign(db, new, nonce=nonce, fees=fees))
                    await self._note_in_audit(db, "nonce freed", transaction_id, signed)
        await self.broadcast(transaction_id)
        return await self.await_final(transaction_id)

    async def _note_in_audit(self, db: Connection, action: str, subject: str, signed: Signed) -> None:
        """Write down what an admin has had signed on the command line, in the transaction that keeps it."""
        details = {"wallet": self._wallet.address, "nonce": signed.nonce, "hash": signed.tx_hash}
        await audit.add(db, action=action, subject=subject, now=self._clock.now(), details=details)

    @property
    def _database(self) -> Database:
        if self._tables is None:
            raise Broken("What is sent has to be saved first, and there is no database here.")
        return self._tables

    @cached_property
    def _attempts(self) -> Attempts:
        return Attempts(self._chain, self._wallet, self._database, self._clock)

    @cached_property
    def _nonces(self) -> Nonces:
        return Nonces(self._chain, self._wallet, self._attempts, self._heads, self._database, self._clock)

    async def _push(self, transaction_id: str) -> None:
        """Send the transaction again, or replace it, where something keeps it out of the blocks."""
        transaction, attempts = await self._load(transaction_id)
        if transaction.sender == self._wallet.address:
            await self._nonces.tend()
        else:  # the wallet was changed meanwhile: the saved bytes are all that can still be sent
            self._nonces.note(transaction_id, await self._attempts.send(attempts[-1]))

    async def _next_block(self, head: int) -> None:
        until = self._clock.monotonic() + LONGEST_ROUND
        while self._clock.monotonic() < until:
            await self._clock.sleep(self._heads.interval)
            if await self._heads.number() != head:
                return

    async def _look(self, transaction_id: str, head: int) -> Mined | Reverted | None:
        """The final outcome of a transaction; None while it is open."""
        transaction, attempts = await self._load(transaction_id)
        if transaction.state is not TransactionState.OPEN:
            return _end_of(transaction)
        receipt = await self._find_receipt(attempts)
        needed = self._rules.confirmations - 1
        if receipt is None or max(head, receipt.block) - receipt.block < needed:
            return None
        if await self._chain.block_hash(receipt.block) != receipt.block_hash:
            return None  # the block is no part of the chain any more
        if needed and await self._chain.block_hash(receipt.block + needed) is None:
            return None  # the newest block's number was not right
        if await self._find_receipt(attempts) != receipt:
            return None  # what is final is said twice: one odd answer would be kept for ever
        return await self._keep(transaction, attempts, receipt)

    async def _find_receipt(self, attempts: list[Attempt]) -> Receipt | None:
        """The receipt that says what became of a transaction: of an attempt that worked, or of one that did not."""
        receipts = [receipt for each in attempts if (receipt := await self._chain.receipt(Hash(each.hash)))]
        return next((each for each in receipts if each.worked), receipts[-1] if receipts else None)

    async def _keep(self, transaction: Transaction, attempts: list[Attempt], receipt: Receipt) -> Mined | Reverted:
        mined = next(each for each in attempts if each.hash == receipt.tx_hash)
        reason = None if receipt.worked else await self._reason(transaction, gas_of(mined.raw), receipt)
        async with self._database.write() as db:
            await transactions.end(
                db,
                transaction.id,
                state=TransactionState.MINED if receipt.worked else TransactionState.REVERTED,
                mined_hash=receipt.tx_hash,
                block_number=receipt.block,
                block_hash=receipt.block_hash,
                gas_used=receipt.gas_used,
                gas_price=str(receipt.gas_price),
                error=reason.model_dump_json() if reason else None,
                now=self._clock.now(),
            )
            kept = await transactions.find(db, transaction.id)
        assert kept, "a transaction is never deleted"
        return _end_of(kept)

    async def _reason(self, transaction: Transaction, gas: int, receipt: Receipt) -> _Reason:
        """Why it reverted: the same call, on the state after its block, or on today's where a node has that no more."""
        if receipt.gas_used * 64 >= gas * 63:
            return _Reason(sentence="The transaction ran out of gas.")
        call = Call(to=Address(transaction.to_address), data=transaction.input)
        sender = Address(transaction.sender)
        try:
            answer = await self._chain.call(call, sender=sender, block=receipt.block)
        except Unavailable:
            answer = await self._chain.call(call, sender=sender)
        if isinstance(answer, Revert):
            return _Reason(selector=answer.selector, sentence=answer.sentence)
        if isinstance(await self._chain.call(call, sender=sender, gas=gas), Revert):
            return _Reason(sentence="The transaction ran out of gas.")  # in a call inside it, which leaves some over
        return _Reason(sentence="The contract refused, for a reason that has passed.")

    async def _load(self, transaction_id: str) -> tuple[Transaction, list[Attempt]]:
        async with self._database.read() as db:
            transaction = await transactions.find(db, transaction_id)
            attempts = await transactions.attempts_of(db, transaction_id)
        if transaction is None or not attempts:
            raise Broken(f"There is no transaction {transaction_id}.")
        if transaction.chain_id != self._chain.network.chain_id:
            raise Broken(
                f"This transaction was signed for the chain {transaction.chain_id}, and the bot is now set up for "
                f"{self._chain.network.chain_id}. Set STORY_NETWORK back until it is finished."
            )
        return transaction, attempts

    async def _reserved(self) -> Wei:
        """The most that all open transactions of this wallet may still cost, in wei."""
        unfinished = await self._load_open()
        return sum(transaction.gas * int(attempt.max_fee) for transaction, attempt in unfinished)

    async def _load_open(self) -> list[tuple[Transaction, Attempt]]:
        async with self._database.read() as db:
            return await transactions.open_of(db, sender=self._wallet.address, chain_id=self._chain.network.chain_id)

    async def _check_enough(self, call: Call, limit: int) -> None:
        """Try a call with the gas that it will have: an estimate that is too low would be paid for and mint nothing.

        Raises:
            Unavailable: it does not work with that, and does with more.
            Refused, Broken, Duplicate (an Uncertain): it would be refused by now whatever it has.
        """
        address = self._wallet.address
        if not isinstance(await self._chain.call(call, sender=address, gas=limit), Revert):
            return
        answer = await self._chain.call(call, sender=address)
        if isinstance(answer, Revert):
            raise answer.raised()
        raise Unavailable(f"{NAME} says that {limit:,} units of gas are enough, and they are not.", retry_after=10)

    def _too_little(self, balance: Wei, needed: Wei) -> str:
        network = self._chain.network
        faucet = f" They are free at {network.faucet}." if network.faucet else ""
        return (
            f"The bot's wallet {self._wallet.address} has {coins(balance, network.coin)}, and may need "
            f"{coins(needed, network.coin)} for this and what is under way. Send it "
            f"{coins(needed - balance, network.coin)} or more.{faucet}"
        )


def _signed_of(attempt: Attempt) -> Signed:
    return Signed(transaction_id=attempt.transaction_id, tx_hash=Hash(attempt.hash), nonce=attempt.nonce)


def _end_of(transaction: Transaction) -> Mined | Reverted:
    assert transaction.mined_hash is not None
    assert transaction.block_hash is not None
    gas_used = transaction.gas_used or 0
    end = Mined(
        tx_hash=Hash(transaction.mined_hash),
        block=transaction.block_number or 0,
        block_hash=Hash(transaction.block_hash),
        gas_used=gas_used,
        paid=gas_used * int(transaction.gas_price or 0),
    )
    if transaction.state is TransactionState.MINED:
        return end
    reason = _Reason.model_validate_json(transaction.error or "{}")
    return Reverted(**end.model_dump(), **reason.model_dump())
