"""The machine: py-evm with the state of the chain, one block after another. It knows no pool and no JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from eth.abc import ComputationAPI, VirtualMachineAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.forks.cancun import CancunVM
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from standins.chain.ledger.blocks import Block, Header, Log, Mined, bloom
from standins.chain.ledger.transactions import Refusal, Transaction
from standins.chain.story import CHAIN_ID

GAS_LIMIT: Final = 36_000_000
MINER: Final = bytes.fromhex("5747000000000000000000000000000000000001")
_ESTIMATE_SLACK: Final = 0.015  # geth stops halving when it is this near
_STIPEND: Final = 2300  # gas

_OUTCOMES: Final = 5000
_outcomes: "dict[tuple[bytes, Request, int], Outcome]" = {}
"""Of earlier calls, by the block's hash, the call and its gas, of all chains of this process: a block's hash commits to
all that a call can see, and many tests make the same blocks. A call takes py-evm tens of milliseconds."""


class _Rules(MiningChain):
    chain_id = CHAIN_ID
    vm_configuration = ((0, CancunVM),)  # pyright: ignore[reportAssignmentType]


@dataclass(frozen=True)
class Request:
    """What `eth_call` and `eth_estimateGas` take."""

    sender: bytes = bytes(20)
    to: bytes = b""
    content: bytes = b""
    value: int = 0
    gas: int | None = None
    max_fee: int = 0  # wei; without one the call is free


@dataclass(frozen=True)
class Outcome:
    """Of a call."""

    output: bytes
    gas_used: int
    refund: int
    error: VMError | None


@dataclass(frozen=True)
class Edit:
    """A change of the state that no transaction made: as a development node's own methods make them."""

    address: bytes
    balance: int | None = None
    code: bytes | None = None
    storage: Mapping[int, int] | None = None


class Evm:
    """State by its root, and the rules by which a block changes it. Past states stay."""

    def __init__(self, nodes: BaseDB) -> None:
        self._nodes = nodes
        self._chain: Any = _Rules  # until there is a genesis

    def begin(self, accounts: Mapping[bytes, dict[str, Any]], *, timestamp: int, base_fee: int) -> Block:
        """Make the genesis block."""
        self._chain = _Rules.from_genesis(
            AtomicDB(self._nodes),
            cast(
                "Any",
                {
                    "difficulty": 0,
                    "gas_limit": GAS_LIMIT,
                    "timestamp": timestamp,
                    "extra_data": b"",
                    "nonce": bytes(8),
                    "base_fee_per_gas": base_fee,
                },
            ),
            cast("Any", accounts),
        )
        return Block(self._chain.get_canonical_head(), ())

    def resume(self) -> None:
        """Go on with what the nodes hold."""
        self._chain = _Rules(AtomicDB(self._nodes))

    def draft(self, parent: Header, *, root: bytes, timestamp: int, base_fee: int, extra: bytes) -> Header:
        """The header of the next block, before anything is in it."""
        fork: Any = CancunVM
        header = fork.create_header_from_parent(
            parent, timestamp=timestamp, gas_limit=GAS_LIMIT, coinbase=MINER, difficulty=0, extra_data=extra
        )
        return header.copy(base_fee_per_gas=base_fee, state_root=root)

    def build(self, header: Header) -> "Building":
        """Begin the block with this header."""
        return Building(self._vm(header), header)

    def keep(self, block: Block) -> None:
        """Let later blocks refer to this one."""
        self._chain.chaindb.persist_header(block.header)

    def edited(self, header: Header, edits: Sequence[Edit]) -> bytes:
        """The root of the state with these changes."""
        state: Any = self._vm(header).state
        for edit in edits:
            address = Address(edit.address)
            if edit.balance is not None:
                state.set_balance(address, edit.balance)
            if edit.code is not None:
                state.set_code(address, edit.code)
            for slot, value in (edit.storage or {}).items():
                state.set_storage(address, slot, value)
        state.persist()
        return bytes(state.state_root)

    def balance(self, header: Header, address: bytes) -> int:
        return self._vm(header).state.get_balance(Address(address))

    def nonce(self, header: Header, address: bytes) -> int:
        return self._vm(header).state.get_nonce(Address(address))

    def code(self, header: Header, address: bytes) -> bytes:
        return bytes(self._vm(header).state.get_code(Address(address)))

    def storage(self, header: Header, address: bytes, slot: int) -> int:
        return self._vm(header).state.get_storage(Address(address), slot)

    def call(self, header: Header, request: Request, *, gas: int | None = None) -> Outcome:
        """Run a call against the state of that block; nothing of it stays.

        Raises:
            Refusal: it cannot begin.
        """
        limit = min(gas or request.gas or GAS_LIMIT, GAS_LIMIT)
        key = (bytes(header.hash), request, limit)
        outcome = _outcomes.get(key)
        if outcome is None:
            outcome = self._run(header.copy(base_fee_per_gas=0), request, limit)
            if len(_outcomes) >= _OUTCOMES:
                _outcomes.clear()
            _outcomes[key] = outcome
        return outcome

    def _run(self, header: Header, request: Request, limit: int) -> Outcome:
        vm: Any = self._vm(header)
        sender = Address(request.sender)
        unsigned = vm.create_unsigned_transaction(
            nonce=vm.state.get_nonce(sender),
            gas_price=0,
            gas=limit,
            to=Address(request.to),
            value=request.value,
            data=request.content,
        )
        if unsigned.intrinsic_gas > limit:
            raise Refusal(f"intrinsic gas too low: have {limit}, want {unsigned.intrinsic_gas}")
        if request.value and vm.state.get_balance(sender) < request.value:
            raise Refusal("insufficient funds for transfer")
        try:
            computation = vm.state.apply_transaction(SpoofTransaction(unsigned, from_=sender))
        except ValidationError as error:
            raise Refusal(str(error)) from error
        return _outcome(vm, unsigned, computation)

    def estimate(self, header: Header, request: Request) -> int:
        """How much gas the call needs, a little more than it uses, as geth finds it.

        Raises:
            Refusal: it reverts however much it has, or the sender cannot pay for that much.
        """
        most = request.gas or GAS_LIMIT
        if request.max_fee:
            free = self.balance(header, request.sender) - request.value
            if free < 0:
                raise Refusal("insufficient funds for transfer")
            most = min(most, free // request.max_fee)
        try:
            outcome = self.call(header, request, gas=most)
        except Refusal as error:
            if not error.message.startswith("intrinsic gas too low"):
                raise
            raise Refusal(f"gas required exceeds allowance ({most})") from error
        if isinstance(outcome.error, OutOfGas) and most < GAS_LIMIT:
            raise Refusal(f"gas required exceeds allowance ({most})")
        check(outcome)
        low, high = outcome.gas_used - 1, most
        likely = (outcome.gas_used + outcome.refund + _STIPEND) * 64 // 63
        if likely < high:
            if self.call(header, request, gas=likely).error:
                low = likely
            else:
                high = likely
        while low + 1 < high and (high - low) / high > _ESTIMATE_SLACK:
            middle = min((low + high) // 2, low * 2)
            if self.call(header, request, gas=middle).error:
                low = middle
            else:
                high = middle
        return high

    def _vm(self, header: Header) -> VirtualMachineAPI:
        return self._chain.get_vm(header)


class Building:
    """A block under construction."""

    def __init__(self, vm: VirtualMachineAPI, header: Header) -> None:
        self._vm: Any = vm
        self._header: Any = header
        self._mined: list[Mined] = []
        self._receipts: list[Any] = []

    @property
    def gas_left(self) -> int:
        return GAS_LIMIT - self._header.gas_used

    @property
    def state(self) -> Any:
        """The state so far, py-evm's own."""
        return self._vm.state

    def add(self, transaction: Transaction) -> Mined:
        """Run a transaction.

        Raises:
            Refusal: it cannot be in this block.
        """
        before = self._header.gas_used
        try:
            receipt, computation = self._vm.apply_transaction(self._header, transaction.signed)
        except ValidationError as error:
            raise Refusal(str(error)) from error
        self._header = self._vm.add_receipt_to_header(self._header, receipt)
        created = b"" if transaction.to or computation.is_error else bytes(computation.msg.storage_address)
        mined = Mined(
            transaction=transaction,
            status=0 if computation.is_error else 1,
            gas_used=receipt.gas_used - before,
            cumulative_gas=receipt.gas_used,
            price=transaction.price(self._header.base_fee_per_gas),
            logs=tuple(
                Log(bytes(log.address), tuple(topic.to_bytes(32) for topic in log.topics), bytes(log.data))
                for log in receipt.logs
            ),
            created=created,
        )
        self._mined.append(mined)
        self._receipts.append(receipt)
        return mined

    def finish(self) -> Block:
        """Close it."""
        transactions = tuple(each.transaction.signed for each in self._mined)
        filled = self._vm.set_block_transactions_and_withdrawals(
            self._vm.get_block(), self._header, transactions, tuple(self._receipts)
        )
        header = self._vm.finalize_block(filled).block.header
        return Block(header.copy(bloom=bloom([log for each in self._mined for log in each.logs])), tuple(self._mined))


def check(outcome: Outcome) -> None:
    """
    Raises:
        Refusal: the call went wrong: with code 3 and the reason where a contract reverted, as geth says it.
    """
    error = outcome.error
    if error is None:
        return
    if isinstance(error, Revert):
        raise Refusal(f"execution reverted{_spoken(outcome.output)}", code=3, reason=outcome.output)
    raise Refusal("out of gas" if isinstance(error, OutOfGas) else f"invalid execution: {type(error).__name__}")


def _spoken(reason: bytes) -> str:
    if reason[:4] != bytes.fromhex("08c379a0") or len(reason) < 68:
        return ""
    length = int.from_bytes(reason[36:68])
    return f": {reason[68 : 68 + length].decode(errors='replace')}"


def _outcome(vm: Any, transaction: Any, computation: ComputationAPI) -> Outcome:
    error = computation.error.with_traceback(None) if computation.is_error else None  # its frames hold the state
    return Outcome(
        output=bytes(computation.output),
        gas_used=vm.finalize_gas_used(transaction, computation),
        refund=computation.get_gas_refund(),
        error=error,
    )


def with_root(header: Header, root: bytes) -> Header:
    """The same block with another state after it."""
    return header.copy(state_root=root)
