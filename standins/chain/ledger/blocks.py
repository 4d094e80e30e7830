"""What the chain consists of: blocks, the transactions mined in them, and the logs that these left."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, TypeAlias

from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth_bloom.bloom import BloomFilter

from standins.chain.ledger.transactions import Transaction, decode

_rlp: Any = import_module("rlp")  # by name, since it has no types

Header: TypeAlias = Any
"""py-evm's own, of the fork in use; its interface does not name all of its fields."""


@dataclass(frozen=True)
class Log:
    """An event of a contract."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, eq=False)
class Mined:
    """A transaction with what became of it."""

    transaction: Transaction
    status: int  # 1 or 0
    gas_used: int
    cumulative_gas: int  # used in the block so far, with this one
    price: int  # wei for a unit of gas
    logs: tuple[Log, ...]
    created: bytes  # the address of a new contract, or empty

    @cached_property
    def bloom(self) -> int:
        """The filter over its logs."""
        return bloom(self.logs)


@dataclass(frozen=True, eq=False)
class Block:
    """A block with its transactions, in their order."""

    header: Header
    mined: tuple[Mined, ...]

    @property
    def number(self) -> int:
        return int(self.header.block_number)

    @cached_property
    def hash(self) -> bytes:
        return bytes(self.header.hash)

    def stored(self) -> tuple[bytes, str]:
        """Its header, and its transactions, for the archive."""
        return bytes(_rlp.encode(self.header)), json.dumps([_write_mined(each) for each in self.mined])

    @classmethod
    def restored(cls, header: bytes, mined: str) -> "Block":
        return cls(_rlp.decode(header, CancunBlockHeader), tuple(_read_mined(each) for each in json.loads(mined)))


def bloom(logs: Sequence[Log]) -> int:
    """The 2048-bit Bloom filter over the addresses and topics of these logs."""
    filter_ = BloomFilter()
    for log in logs:
        filter_.add(log.address)
        for topic in log.topics:
            filter_.add(topic)
    return int(filter_)


def _write_mined(mined: Mined) -> dict[str, Any]:
    return {
        "raw": mined.transaction.raw.hex(),
        "sender": mined.transaction.sender.hex(),
        "status": mined.status,
        "gas": mined.gas_used,
        "cumulative": mined.cumulative_gas,
        "price": mined.price,
        "created": mined.created.hex(),
        "logs": [[log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()] for log in mined.logs],
    }


def _read_mined(stored: dict[str, Any]) -> Mined:
    return Mined(
        transaction=decode(bytes.fromhex(stored["raw"]), sender=bytes.fromhex(stored["sender"])),
        status=stored["status"],
        gas_used=stored["gas"],
        cumulative_gas=stored["cumulative"],
        price=stored["price"],
        created=bytes.fromhex(stored["created"]),
        logs=tuple(
            Log(bytes.fromhex(address), tuple(bytes.fromhex(topic) for topic in topics), bytes.fromhex(data))
            for address, topics, data in stored["logs"]
        ),
    )
