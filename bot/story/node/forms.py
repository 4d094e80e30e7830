"""The form and the range of each answer of a node, looked at before anything is done with it.

A node, or a gateway before it, answers oddly now and then: null, a page, a number that no chain has. What has not its
form is no answer: the question is asked again later.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

MOST_COUNTED: Final = 2**53
"""For blocks, nonces and gas: no chain comes so far, and the database can hold it with one more."""
MOST_WEI: Final = 10**30
"""A million million coins: a thousand times as many as there are."""
HIGHEST_PRICE: Final = 10**18
"""Wei for a unit of gas: a whole coin."""
LEAST_GAS: Final = 21_000
"""Units that any transaction uses."""
SMALLEST_BLOCK: Final = 5_000
LARGEST_BLOCK: Final = 2**40
"""Units of gas that fit into a block: Ethereum's lower bound (the Yellow Paper, 2024), and more than any chain has."""
MOST_LOGS: Final = 10_000
LONGEST_QUANTITY: Final = 66
"""Characters of 2^256 - 1 in hex, with 0x."""


def _read_quantity(value: str | int) -> int:
    if isinstance(value, int):
        return value
    digits = value.removeprefix("0x")
    if digits == value or not (digits.isascii() and digits.isalnum()) or len(value) > LONGEST_QUANTITY:
        raise ValueError("no quantity")
    return int(digits, 16)


def _check_within(least: int, most: int) -> Callable[[str | int], str | int]:
    def check(value: str | int) -> str | int:
        if not least <= _read_quantity(value) <= most:
            raise ValueError("out of range")
        return value

    return check


Quantity = StrictStr | StrictInt
Count = Annotated[Quantity, AfterValidator(_check_within(0, MOST_COUNTED))]
Amount = Annotated[Quantity, AfterValidator(_check_within(0, MOST_WEI))]
Price = Annotated[Quantity, AfterValidator(_check_within(0, HIGHEST_PRICE))]
UsedGas = Annotated[Quantity, AfterValidator(_check_within(LEAST_GAS, LARGEST_BLOCK))]
BlockGas = Annotated[Quantity, AfterValidator(_check_within(SMALLEST_BLOCK, LARGEST_BLOCK))]
Status = Annotated[Quantity, AfterValidator(_check_within(0, 1))]
Bytes = Annotated[str, StringConstraints(strict=True, pattern=r"^0x([0-9a-fA-F]{2})*$")]
Bytes20 = Annotated[str, StringConstraints(strict=True, pattern=r"^0x[0-9a-fA-F]{40}$")]
Bytes32 = Annotated[str, StringConstraints(strict=True, pattern=r"^0x[0-9a-fA-F]{64}$")]


class _Form(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class BlockForm(_Form):
    """A block. A pending one has neither number nor hash, and is never asked for."""

    number: Count
    hash: Bytes32
    gas_limit: BlockGas
    base_fee_per_gas: Price


class TransactionForm(_Form):
    """A transaction, which has no block while it waits."""

    hash: Bytes32
    sender: Bytes20 = Field(alias="from")
    block_number: Count | None = None


class LogForm(_Form):
    """One event of a mined transaction."""

    address: Bytes20
    topics: list[Bytes32] = Field(max_length=4)
    data: Bytes
    transaction_hash: Bytes32
    block_number: Count
    block_hash: Bytes32


class ReceiptForm(_Form):
    """A receipt; some nodes give one without a block for a transaction that waits."""

    transaction_hash: Bytes32
    block_number: Count | None
    block_hash: Bytes32 | None
    status: Status
    gas_used: UsedGas
    effective_gas_price: Price | None = None
    logs: list[LogForm] = Field(max_length=MOST_LOGS)


_FORMS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "eth_blockNumber": TypeAdapter(Count),
    "eth_call": TypeAdapter(Bytes),
    "eth_chainId": TypeAdapter(Count),
    "eth_estimateGas": TypeAdapter(Count),
    "eth_getBalance": TypeAdapter(Amount),
    "eth_getBlockByNumber": TypeAdapter(BlockForm | None),
    "eth_getCode": TypeAdapter(Bytes),
    "eth_getLogs": TypeAdapter(Annotated[list[LogForm], Field(max_length=MOST_LOGS)]),
    "eth_getTransactionByHash": TypeAdapter(TransactionForm | None),
    "eth_getTransactionCount": TypeAdapter(Count),
    "eth_getTransactionReceipt": TypeAdapter(ReceiptForm | None),
    "eth_maxPriorityFeePerGas": TypeAdapter(Price),
    "eth_sendRawTransaction": TypeAdapter(Bytes32),
}


def check_form(method: str, result: object) -> None:
    """Check that an answer is one to this method. Of a method that is not listed here, everything is.

    Raises:
        ValueError: it is none. The error's text leaves the answer out.
    """
    form = _FORMS.get(method)
    if form is None:
        return
    try:
        form.validate_python(result)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{method}: {'.'.join(map(str, first['loc']))} {first['type']}") from None
