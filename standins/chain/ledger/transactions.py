"""A signed transaction, as it came in and as it is shown; and the error that JSON-RPC answers with."""

from dataclasses import dataclass, field
from typing import Any, Final

from eth.abc import SignedTransactionAPI
from eth.vm.forks.cancun import CancunVM
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from standins.chain.story import CHAIN_ID

LARGEST: Final = 128 * 1024  # bytes that geth takes
_BUILDER: Final = CancunVM.get_transaction_builder()
_LEGACY, _ACCESS_LIST, _DYNAMIC_FEE = 0, 1, 2


class Refusal(Exception):
    """An error in the answer to a call: geth's own code and words, since clients match them."""

    def __init__(self, message: str, *, code: int = -32000, reason: bytes | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason  # what a contract reverted with


@dataclass(frozen=True, eq=False)
class Transaction:
    """Amounts are in wei."""

    raw: bytes
    hash: bytes
    sender: bytes
    kind: int  # 0, 1 (access list) or 2 (EIP-1559)
    nonce: int
    gas: int
    max_fee: int
    tip: int
    value: int
    to: bytes  # empty where a contract is created
    content: bytes
    signed: SignedTransactionAPI = field(repr=False)

    @property
    def cost(self) -> int:
        """The most that it can cost its sender."""
        return self.gas * self.max_fee + self.value

    def price(self, base_fee: int) -> int:
        """What it pays for a unit of gas in a block with that base fee."""
        return min(self.max_fee, base_fee + self.tip)


def decode(raw: bytes, *, sender: bytes | None = None) -> Transaction:
    """Read a raw transaction. Who signed it takes 5 ms to find out, unless it is known already.

    Raises:
        Refusal: no transaction, of an unknown kind, for another chain, or signed by nobody.
    """
    if len(raw) > LARGEST:
        raise Refusal(f"oversized data: transaction size {len(raw)}, limit {LARGEST}")
    kind = raw[0] if raw and raw[0] < 0x80 else _LEGACY
    if kind not in {_LEGACY, _ACCESS_LIST, _DYNAMIC_FEE} or not raw:
        raise Refusal("transaction type not supported" if raw else "typed transaction too short")
    try:
        signed: Any = _BUILDER.decode(raw)
    except Exception as error:  # rlp, py-evm and eth-utils each have their own
        raise Refusal(f"rlp: {type(error).__name__} in the transaction") from error
    chain_id = signed.chain_id
    if chain_id is None:
        raise Refusal("only replay-protected (EIP-155) transactions allowed over RPC")
    if chain_id != CHAIN_ID:
        raise Refusal(f"invalid sender: invalid chain id for signer: have {chain_id} want {CHAIN_ID}")
    try:
        sender = sender or bytes(signed.sender)
    except (ValidationError, ValueError, OverflowError) as error:
        raise Refusal("invalid sender: invalid transaction v, r, s values") from error
    return Transaction(
        raw=raw,
        hash=keccak(raw),
        sender=sender,
        kind=kind,
        nonce=signed.nonce,
        gas=signed.gas,
        max_fee=signed.max_fee_per_gas,
        tip=signed.max_priority_fee_per_gas,
        value=signed.value,
        to=bytes(signed.to),
        content=bytes(signed.data),
        signed=signed,
    )
