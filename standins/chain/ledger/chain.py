"""The chain: blocks, a pool before them, and the things that happen to a chain. No HTTP, no JSON, one thread."""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Literal

from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from eth_utils.address import to_canonical_address

from standins.chain import story
from standins.chain.accounts import ACCOUNTS, COIN
from standins.chain.ledger.blocks import Block, Header, Mined
from standins.chain.ledger.evm import Building, Edit, Evm, Outcome, Request, with_root
from standins.chain.ledger.pool import Pool
from standins.chain.ledger.store import Store
from standins.chain.ledger.transactions import Refusal, Transaction, decode

Tag = int | Literal["latest", "pending"]
_GIFT: Final = 1_000 * COIN


class Chain:
    """Not thread-safe: `ChainServer` runs all its calls in one thread."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        state: Path | None = None,
        automine: bool = True,
        base_fee: int = 10**9,
    ) -> None:
        self.clock = clock
        self.automine = automine
        self.lowest_base_fee = base_fee  # wei; a quiet chain of today would otherwise come down to nothing
        self.next_base_fee: int | None = None  # wei, of the next block only
        self.lag = 0  # blocks by which the node that is asked is behind
        self.doomed = 0  # how many of the next transactions to be mined will revert, whatever they do
        self.pool = Pool()
        self._store = Store(state)
        self._evm = Evm(self._store.nodes)
        self._blocks = self._store.blocks()
        self._places: dict[bytes, tuple[int, int]] = {}
        self._reorganisations = 0
        if self._blocks:
            self._evm.resume()
            self._root = self._store.root()
            self._put_back(decode(raw) for raw in self._store.pool())
        else:
            self._begin()
        self._index(self._blocks)

    # What the chain is

    @property
    def blocks(self) -> list[Block]:
        """All blocks that the node answers from: `lag` hides the last ones."""
        return self._blocks[: len(self._blocks) - self.lag] if self.lag else self._blocks

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def block(self, tag: Tag) -> Block | None:
        """By number, or the latest."""
        blocks = self.blocks
        if not isinstance(tag, int):
            return blocks[-1]
        return blocks[tag] if 0 <= tag < len(blocks) else None

    def block_by_hash(self, hash_: bytes) -> Block | None:
        return next((block for block in reversed(self.blocks) if block.hash == hash_), None)

    def mined(self, hash_: bytes) -> tuple[Block, int] | None:
        """The block that a transaction is in, and its place there."""
        number, place = self._places.get(hash_, (-1, 0))
        block = self.block(number)
        return (block, place) if block else None

    @property
    def coming_base_fee(self) -> int:
        """Wei: of the next block."""
        if self.next_base_fee is not None:
            return self.next_base_fee
        return max(calculate_expected_base_fee_per_gas(self._blocks[-1].header), self.lowest_base_fee)

    def balance(self, address: bytes, tag: Tag = "latest") -> int:
        return self._evm.balance(self._state(tag), address)

    def nonce(self, address: bytes, tag: Tag = "latest") -> int:
        """How many transactions of it are mined, or with "pending", are there without a gap."""
        nonce = self._evm.nonce(self._state(tag), address)
        return self.pool.next_nonce(address, nonce) if tag == "pending" and not self.lag else nonce

    def code(self, address: bytes, tag: Tag = "latest") -> bytes:
        return self._evm.code(self._state(tag), address)

    def storage(self, address: bytes, slot: int, tag: Tag = "latest") -> int:
        return self._evm.storage(self._state(tag), address, slot)

    def call(self, request: Request, tag: Tag = "latest") -> Outcome:
        return self._evm.call(self._state(tag), request)

    def estimate(self, request: Request, tag: Tag = "latest") -> int:
        return self._evm.estimate(self._state(tag), request)

    # What people do

    def submit(self, raw: bytes) -> bytes:
        """Take in a signed transaction; gives its hash.

        Raises:
            Refusal: as geth refuses.
        """
        transaction = decode(raw)
        self._take_in(transaction)
        self._save()
        if self.automine:
            self.mine()
        return transaction.hash

    def mine(self, count: int = 1) -> list[Block]:
        """Mine so many blocks: into the first goes what there is room for."""
        first = len(self._blocks)
        for _ in range(count):
            self._mine(waiting=True)
        self._save(since=first)
        return self._blocks[first:]

    # What happens to a chain

    def drop(self, hash_: bytes) -> bool:
        """Lose a waiting transaction; whether there was one."""
        dropped = self.pool.remove(hash_) is not None
        self._save()
        return dropped

    def reorganise(self, depth: int, *, back_to_pool: bool = False) -> list[Transaction]:
        """Let the last blocks never have been; as many empty ones take their place.

        Their transactions are gone, or wait again. Gives them.
        """
        depth = min(depth, len(self._blocks) - 1)
        kept = len(self._blocks) - depth
        undone = self._blocks[kept:]
        del self._blocks[kept:]
        self._root = bytes(self._blocks[-1].header.state_root)
        self._reorganisations += 1
        transactions = [mined.transaction for block in undone for mined in block.mined]
        for transaction in transactions:
            del self._places[transaction.hash]
        for _ in undone:
            self._mine(waiting=False)
        if back_to_pool:
            self._put_back(transactions)
        self._save(since=kept)
        return transactions

    def replace(self, hash_: bytes) -> bytes:
        """Have the sender of a waiting transaction send itself nothing instead, for a better fee; gives the new hash.

        Only for senders whose key everybody knows.
        """
        old = self.pool.get(hash_)
        assert old, "there is no such transaction in the pool"
        owner = next(each for each in ACCOUNTS.values() if to_canonical_address(each.address) == old.sender)
        return self.submit(
            owner.sign(
                {
                    "chainId": story.CHAIN_ID,
                    "nonce": old.nonce,
                    "to": owner.address,
                    "value": 0,
                    "gas": 21_000,
                    "maxFeePerGas": old.max_fee * 3 // 2 + 1,
                    "maxPriorityFeePerGas": old.tip * 3 // 2 + 1,
                }
            )
        )

    def edit(self, edit: Edit) -> None:
        """Change the latest state directly. A reorganisation of the present block undoes it."""
        self._root = self._evm.edited(self._state("latest"), [edit])
        self._save()

    def close(self) -> None:
        self._store.close()

    # Inside

    def _begin(self) -> None:
        accounts: dict[bytes, dict[str, object]] = {
            to_canonical_address(account.address): {"balance": _GIFT, "nonce": 0, "code": b"", "storage": {}}
            for account in ACCOUNTS.values()
        }
        for address, code in story.codes().items():
            accounts[to_canonical_address(address)] = {"balance": 0, "nonce": 1, "code": code, "storage": {}}
        genesis = self._evm.begin(accounts, timestamp=int(self.clock()) - 1, base_fee=self.lowest_base_fee)
        self._blocks.append(genesis)
        self._root = bytes(genesis.header.state_root)
        for raw in story.sign_setup():
            self._take_in(decode(raw))
        self._mine(waiting=True)
        self._save(since=0)

    def _take_in(self, transaction: Transaction) -> None:
        header = with_root(self._blocks[-1].header, self._root)
        self.pool.add(
            transaction,
            nonce=self._evm.nonce(header, transaction.sender),
            balance=self._evm.balance(header, transaction.sender),
        )

    def _put_back(self, transactions: Iterable[Transaction]) -> None:
        for transaction in transactions:
            with contextlib.suppress(Refusal):  # another one has its place, or the money is gone
                self._take_in(transaction)

    def _mine(self, *, waiting: bool) -> None:
        parent = self._blocks[-1].header
        header = self._evm.draft(
            parent,
            root=self._root,
            timestamp=max(int(self.clock()), parent.timestamp + 1),
            base_fee=self.coming_base_fee,
            extra=b"sandbox" + (b" again %d" % self._reorganisations if self._reorganisations else b""),
        )
        self.next_base_fee = None
        building = self._evm.build(header)
        if waiting:
            self._fill(building, header.base_fee_per_gas)
        block = building.finish()
        self._evm.keep(block)
        self._blocks.append(block)
        self._root = bytes(block.header.state_root)
        self._index([block])

    def _fill(self, building: Building, base_fee: int) -> None:
        passed_over: set[bytes] = set()
        while best := self.pool.best(
            base_fee=base_fee, gas=building.gas_left, nonce_of=building.state.get_nonce, but=passed_over
        ):
            try:
                self._run(building, best)
            except Refusal:
                passed_over.add(best.sender)  # the money is gone meanwhile
            self.pool.remove(best.hash)

    def _run(self, building: Building, transaction: Transaction) -> Mined:
        if not self.doomed:
            return building.add(transaction)
        # What it wants is forbidden for just this long.
        self.doomed -= 1
        registry = to_canonical_address(story.contracts()["IPAssetRegistry"].address)
        slot = story.storage_slot("IPAssetRegistry", "paused")
        before = building.state.get_storage(registry, slot)
        building.state.set_storage(registry, slot, 1)
        mined = building.add(transaction)
        building.state.set_storage(registry, slot, before)
        return mined

    def _state(self, tag: Tag) -> Header:
        block = self.block(tag)
        if not block:
            raise Refusal("header not found")
        return with_root(block.header, self._root) if block is self._blocks[-1] else block.header

    def _index(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            for place, mined in enumerate(block.mined):
                self._places[mined.transaction.hash] = (block.number, place)

    def _save(self, *, since: int | None = None) -> None:
        blocks = self._blocks[since:] if since is not None else ()
        self._store.save(root=self._root, pool=[each.raw for each in self.pool], since=since, blocks=blocks)
