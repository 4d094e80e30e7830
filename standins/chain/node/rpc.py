"""JSON-RPC's methods: what is asked in, what the chain says out."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from eth_utils.crypto import keccak

from standins.chain.ledger.blocks import Block
from standins.chain.ledger.chain import Chain, Tag
from standins.chain.ledger.evm import Request, check
from standins.chain.ledger.transactions import Refusal
from standins.chain.node import shown
from standins.chain.node.shown import number, text
from standins.chain.story import CHAIN_ID

INVALID: Final = -32602
UNKNOWN: Final = -32601
_TIP: Final = 10**9  # wei: what the node suggests
_TAGS: Final = {"latest", "safe", "finalized", "pending"}
_MOST_LOGS: Final = 10_000
Params = Sequence[Any]


def answer(chain: Chain, method: str, params: Params) -> Any:
    """
    Raises:
        Refusal: with the code and the words of a real node.
    """
    answer_method = _METHODS.get(method)
    if not answer_method:
        raise Refusal(f"the method {method} does not exist/is not available", code=UNKNOWN)
    try:
        return answer_method(chain, params)
    except IndexError as error:
        raise Refusal("missing value for required argument", code=INVALID) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Refusal(f"invalid argument: {error}", code=INVALID) from error


def _block_by_number(chain: Chain, params: Params) -> Any:
    block = chain.block(_tag(params[0]))
    return shown.block(block, whole=bool(params[1])) if block else None


def _block_by_hash(chain: Chain, params: Params) -> Any:
    block = chain.block_by_hash(_bytes(params[0], 32))
    return shown.block(block, whole=bool(params[1])) if block else None


def _block_receipts(chain: Chain, params: Params) -> Any:
    block = chain.block(_tag(params[0]))
    return [shown.receipt(block, place) for place in range(len(block.mined))] if block else None


def _transaction(chain: Chain, params: Params) -> Any:
    hash_ = _bytes(params[0], 32)
    if place_mined := chain.mined(hash_):
        block, place = place_mined
        return shown.transaction(block.mined[place].transaction, block=block, place=place)
    waiting = chain.pool.get(hash_)
    return shown.transaction(waiting) if waiting and not chain.lag else None


def _receipt(chain: Chain, params: Params) -> Any:
    place_mined = chain.mined(_bytes(params[0], 32))
    return shown.receipt(*place_mined) if place_mined else None


def _call(chain: Chain, params: Params) -> str:
    outcome = chain.call(_request(params[0]), _at(params, 1))
    check(outcome)
    return text(outcome.output)


def _estimate(chain: Chain, params: Params) -> str:
    return number(chain.estimate(_request(params[0]), _at(params, 1)))


def _fee_history(chain: Chain, params: Params) -> Any:
    last = chain.block(_tag(params[1]))
    if not last:
        raise Refusal("request beyond head block")
    count = min(int(params[0], 16) if isinstance(params[0], str) else params[0], last.number + 1)
    blocks = chain.blocks[last.number + 1 - count : last.number + 1]
    percentiles: Sequence[float] = params[2] if len(params) > 2 and params[2] else ()
    newest = last is chain.head
    following = chain.coming_base_fee if newest else chain.blocks[last.number + 1].header.base_fee_per_gas
    history: dict[str, Any] = {
        "oldestBlock": number(blocks[0].number),
        "baseFeePerGas": [number(block.header.base_fee_per_gas) for block in blocks] + [number(following)],
        "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
    }
    if percentiles:
        history["reward"] = [[number(_reward(block, each)) for each in percentiles] for block in blocks]
    return history


def _reward(block: Block, percentile: float) -> int:
    tips = sorted(mined.price - block.header.base_fee_per_gas for mined in block.mined)
    return tips[min(int(len(tips) * percentile / 100), len(tips) - 1)] if tips else 0


def _logs(chain: Chain, params: Params) -> Any:
    wanted: Mapping[str, Any] = params[0]
    if hash_ := wanted.get("blockHash"):
        block = chain.block_by_hash(_bytes(hash_, 32))
        if not block:
            raise Refusal("unknown block")
        blocks: Sequence[Block] = [block]
    else:
        first, last = (_number(chain, wanted.get(name) or "latest") for name in ("fromBlock", "toBlock"))
        if first > last:
            raise Refusal("invalid block range params", code=INVALID)
        blocks = chain.blocks[first : last + 1]
    addresses = _read_set(wanted.get("address"))
    topics = [_read_set(each) for each in cast("Sequence[Any]", wanted.get("topics") or ())]
    logs = [
        log
        for block in blocks
        for place in range(len(block.mined))
        for log in shown.logs(block, place)
        if _matches(log, addresses, topics)
    ]
    if len(logs) > _MOST_LOGS:
        raise Refusal(f"query returned more than {_MOST_LOGS} results", code=-32005)
    return logs


def _matches(log: Mapping[str, Any], addresses: set[str], topics: Sequence[set[str]]) -> bool:
    if addresses and log["address"].lower() not in addresses:
        return False
    if len(topics) > len(log["topics"]):
        return False
    return all(not wanted or topic in wanted for wanted, topic in zip(topics, log["topics"], strict=False))


_METHODS: Final[Mapping[str, Callable[[Chain, Params], Any]]] = {
    "web3_clientVersion": lambda _chain, _params: "fluxbot-sandbox/py-evm",
    "web3_sha3": lambda _chain, params: text(keccak(_bytes(params[0]))),
    "net_version": lambda _chain, _params: str(CHAIN_ID),
    "net_listening": lambda _chain, _params: True,
    "eth_chainId": lambda _chain, _params: number(CHAIN_ID),
    "eth_syncing": lambda _chain, _params: False,
    "eth_accounts": lambda _chain, _params: [],
    "eth_blockNumber": lambda chain, _params: number(chain.head.number),
    "eth_gasPrice": lambda chain, _params: number(chain.coming_base_fee + _TIP),
    "eth_maxPriorityFeePerGas": lambda _chain, _params: number(_TIP),
    "eth_feeHistory": _fee_history,
    "eth_getBalance": lambda chain, params: number(chain.balance(_address(params[0]), _at(params, 1))),
    "eth_getTransactionCount": lambda chain, params: number(chain.nonce(_address(params[0]), _at(params, 1))),
    "eth_getCode": lambda chain, params: text(chain.code(_address(params[0]), _at(params, 1))),
    "eth_getStorageAt": lambda chain, params: text(
        chain.storage(_address(params[0]), int(params[1], 16), _at(params, 2)).to_bytes(32)
    ),
    "eth_getBlockByNumber": _block_by_number,
    "eth_getBlockByHash": _block_by_hash,
    "eth_getBlockReceipts": _block_receipts,
    "eth_getTransactionByHash": _transaction,
    "eth_getTransactionReceipt": _receipt,
    "eth_getLogs": _logs,
    "eth_call": _call,
    "eth_estimateGas": _estimate,
    "eth_sendRawTransaction": lambda chain, params: text(chain.submit(_bytes(params[0]))),
}


def _request(given: Mapping[str, Any]) -> Request:
    def amount(name: str) -> int | None:
        value = given.get(name)
        return None if value is None else int(value, 16)

    return Request(
        sender=_address(given["from"]) if given.get("from") else bytes(20),
        to=_address(given["to"]) if given.get("to") else b"",
        content=_bytes(given.get("input") or given.get("data") or "0x"),
        value=amount("value") or 0,
        gas=amount("gas"),
        max_fee=amount("maxFeePerGas") or amount("gasPrice") or 0,
    )


def _at(params: Params, place: int) -> Tag:
    return _tag(params[place]) if len(params) > place else "latest"


def _tag(given: Any) -> Tag:
    if isinstance(given, dict):
        given = given.get("blockNumber", "latest")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if given in _TAGS or given is None:
        return "pending" if given == "pending" else "latest"
    return 0 if given == "earliest" else int(str(given), 16)  # pyright: ignore[reportUnknownArgumentType]


def _number(chain: Chain, given: Any) -> int:
    tag = _tag(given)
    return tag if isinstance(tag, int) else chain.head.number


def _address(given: str) -> bytes:
    return _bytes(given, 20)


def _bytes(given: str, length: int | None = None) -> bytes:
    if not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", given):
        raise ValueError("hex string without 0x prefix or of odd length")
    value = bytes.fromhex(given[2:])
    if length is not None and len(value) != length:
        raise ValueError(f"hex string has length {len(given) - 2}, want {length * 2}")
    return value


def _read_set(given: Any) -> set[str]:
    if given is None:
        return set()
    many: list[str] = [given] if isinstance(given, str) else list(given)
    return {each.lower() for each in many}
