"""Blocks, transactions, receipts and logs as JSON-RPC shows them."""

from typing import Any

from eth_utils.address import to_checksum_address

from standins.chain.ledger.blocks import Block, Log, Mined
from standins.chain.ledger.transactions import Transaction
from standins.chain.story import CHAIN_ID

Json = dict[str, Any]


def number(value: int) -> str:
    """A quantity: no leading zeros."""
    return hex(value)


def text(value: bytes) -> str:
    """Bytes."""
    return "0x" + value.hex()


def block(of: Block, *, whole: bool) -> Json:
    """With whole transactions, or only their hashes."""
    header: Any = of.header
    return {
        "number": number(of.number),
        "hash": text(of.hash),
        "parentHash": text(header.parent_hash),
        "nonce": text(header.nonce),
        "sha3Uncles": text(header.uncles_hash),
        "logsBloom": text(header.bloom.to_bytes(256)),
        "transactionsRoot": text(header.transaction_root),
        "stateRoot": text(header.state_root),
        "receiptsRoot": text(header.receipt_root),
        "miner": to_checksum_address(header.coinbase),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": text(header.extra_data),
        "mixHash": text(header.mix_hash),
        "size": number(600 + sum(len(mined.transaction.raw) for mined in of.mined)),
        "gasLimit": number(header.gas_limit),
        "gasUsed": number(header.gas_used),
        "timestamp": number(header.timestamp),
        "baseFeePerGas": number(header.base_fee_per_gas),
        "withdrawalsRoot": text(header.withdrawals_root),
        "withdrawals": [],
        "blobGasUsed": number(header.blob_gas_used),
        "excessBlobGas": number(header.excess_blob_gas),
        "parentBeaconBlockRoot": text(header.parent_beacon_block_root),
        "uncles": [],
        "transactions": [
            transaction(mined.transaction, block=of, place=place) if whole else text(mined.transaction.hash)
            for place, mined in enumerate(of.mined)
        ],
    }


def transaction(of: Transaction, *, block: Block | None = None, place: int = 0) -> Json:
    """A transaction, in its block or waiting."""
    signed: Any = of.signed
    shown: Json = {
        "type": number(of.kind),
        "chainId": number(CHAIN_ID),
        "hash": text(of.hash),
        "from": to_checksum_address(of.sender),
        "to": to_checksum_address(of.to) if of.to else None,
        "nonce": number(of.nonce),
        "gas": number(of.gas),
        "value": number(of.value),
        "input": text(of.content),
        "gasPrice": number(block.mined[place].price if block else of.max_fee),
        "r": number(signed.r),
        "s": number(signed.s),
        "v": number(signed.y_parity if of.kind else signed.v),
        "blockHash": text(block.hash) if block else None,
        "blockNumber": number(block.number) if block else None,
        "transactionIndex": number(place) if block else None,
    }
    if of.kind:
        shown["yParity"] = number(signed.y_parity)
        shown["accessList"] = [
            {"address": to_checksum_address(address), "storageKeys": [text(slot.to_bytes(32)) for slot in slots]}
            for address, slots in signed.access_list
        ]
    if of.kind == 2:
        shown["maxFeePerGas"] = number(of.max_fee)
        shown["maxPriorityFeePerGas"] = number(of.tip)
    return shown


def receipt(of: Block, place: int) -> Json:
    """What became of the transaction at this place in the block."""
    mined = of.mined[place]
    return {
        "type": number(mined.transaction.kind),
        "status": number(mined.status),
        "transactionHash": text(mined.transaction.hash),
        "transactionIndex": number(place),
        "blockHash": text(of.hash),
        "blockNumber": number(of.number),
        "from": to_checksum_address(mined.transaction.sender),
        "to": to_checksum_address(mined.transaction.to) if mined.transaction.to else None,
        "contractAddress": to_checksum_address(mined.created) if mined.created else None,
        "cumulativeGasUsed": number(mined.cumulative_gas),
        "gasUsed": number(mined.gas_used),
        "effectiveGasPrice": number(mined.price),
        "logsBloom": text(mined.bloom.to_bytes(256)),
        "logs": logs(of, place),
    }


def logs(of: Block, place: int) -> list[Json]:
    """The logs of the transaction at this place in the block."""
    first = sum(len(mined.logs) for mined in of.mined[:place])
    mined = of.mined[place]
    return [_log(log, mined, of, place, first + index) for index, log in enumerate(mined.logs)]


def _log(log: Log, mined: Mined, of: Block, place: int, index: int) -> Json:
    return {
        "address": to_checksum_address(log.address),
        "topics": [text(topic) for topic in log.topics],
        "data": text(log.data),
        "blockNumber": number(of.number),
        "blockHash": text(of.hash),
        "blockTimestamp": number(of.header.timestamp),
        "transactionHash": text(mined.transaction.hash),
        "transactionIndex": number(place),
        "logIndex": number(index),
        "removed": False,
    }
