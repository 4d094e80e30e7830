"""Every question that is asked about transactions: what is to be on the chain, and each form in which it was signed."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from storage.base.columns import columns, insert, read
from storage.database import Connection, change, row, rows


class TransactionState(StrEnum):
    OPEN = "open"
    """Signed, and not final yet: whatever happens, it is still sent, looked for and settled."""
    MINED = "mined"
    """Final, and it worked."""
    REVERTED = "reverted"
    """Final, and it did not work."""


@dataclass(frozen=True)
class Transaction:
    """One row. `to_address` and `input` are what is to be done; `gas` is the limit. Times are Unix seconds.

    What is known of its end: `mined_hash` and what follows; `gas_price` is in wei, as text, and `error` JSON of why it
    did not work.
    """

    id: str
    chain_id: int
    sender: str
    to_address: str
    input: str
    gas: int
    created_at: float
    state: TransactionState = TransactionState.OPEN
    mined_hash: str | None = None
    block_number: int | None = None
    block_hash: str | None = None
    gas_used: int | None = None
    gas_price: str | None = None
    error: str | None = None
    ended_at: float | None = None


@dataclass(frozen=True)
class Attempt:
    """One signed form of a transaction. `raw` is what is sent, and sent again; fees are in wei a unit of gas, as text.

    Of the attempts of one transaction, the one signed last is the one that is meant; the others may still land.
    """

    hash: str
    transaction_id: str
    chain_id: int
    sender: str
    nonce: int
    raw: str
    max_fee: str
    tip: str
    signed_at: float
    sent_at: float | None = None


_COLUMNS = columns(Transaction)
_ATTEMPT = columns(Attempt)
_IS_MEANT = """NOT EXISTS (SELECT 1 FROM attempts AS later WHERE later.transaction_id = attempts.transaction_id
    AND later.signed_at > attempts.signed_at)"""


async def add(db: Connection, new: Transaction) -> bool:
    """Keep a new one; False when it is there already."""
    return await change(db, f"{insert('transactions', Transaction)} ON CONFLICT (id) DO NOTHING", asdict(new)) == 1


async def find(db: Connection, transaction_id: str) -> Transaction | None:
    record = await row(db, f"SELECT {_COLUMNS} FROM transactions WHERE id = :id", {"id": transaction_id})
    return read(Transaction, record) if record else None


async def add_attempt(db: Connection, attempt: Attempt) -> bool:
    """Keep a signed form; False when this very one is there already."""
    return await change(db, f"{insert('attempts', Attempt)} ON CONFLICT (hash) DO NOTHING", asdict(attempt)) == 1


async def attempts_of(db: Connection, transaction_id: str) -> list[Attempt]:
    """Every form in which it was signed, the newest last."""
    records = await rows(
        db,
        f"SELECT {_ATTEMPT} FROM attempts WHERE transaction_id = :id ORDER BY signed_at",
        {"id": transaction_id},
    )
    return [read(Attempt, each) for each in records]


async def mark_sent(db: Connection, tx_hash: str, *, now: float) -> None:
    """Say when a node had it last."""
    await change(db, "UPDATE attempts SET sent_at = :now WHERE hash = :hash", {"hash": tx_hash, "now": now})


async def set_gas(db: Connection, transaction_id: str, *, gas: int) -> None:
    """Give an unfinished one another limit of gas; those of its earlier attempts stay in their bytes."""
    await change(
        db,
        "UPDATE transactions SET gas = :gas WHERE id = :id AND state = 'open'",
        {"id": transaction_id, "gas": gas},
    )


async def end(
    db: Connection,
    transaction_id: str,
    *,
    state: TransactionState,
    mined_hash: str,
    block_number: int,
    block_hash: str,
    gas_used: int,
    gas_price: str,
    error: str | None,
    now: float,
) -> bool:
    """Keep how it ended; False when that is kept already."""
    changed = await change(
        db,
        """
        UPDATE transactions SET state = :state, mined_hash = :mined_hash, block_number = :block_number,
            block_hash = :block_hash, gas_used = :gas_used, gas_price = :gas_price, error = :error, ended_at = :now
        WHERE id = :id AND state = 'open'
        """,
        {
            "id": transaction_id,
            "state": state,
            "mined_hash": mined_hash,
            "block_number": block_number,
            "block_hash": block_hash,
            "gas_used": gas_used,
            "gas_price": gas_price,
            "error": error,
            "now": now,
        },
    )
    return changed == 1


async def open_of(db: Connection, *, sender: str, chain_id: int) -> list[tuple[Transaction, Attempt]]:
    """A wallet's unfinished ones, each with the form that is meant, by nonce."""
    wallet = {"sender": sender, "chain_id": chain_id}
    whole = await rows(
        db,
        f"SELECT {_COLUMNS} FROM transactions WHERE sender = :sender AND chain_id = :chain_id AND state = 'open'",
        wallet,
    )
    meant = await rows(
        db,
        f"""
        SELECT {_ATTEMPT} FROM attempts WHERE {_IS_MEANT} AND transaction_id IN (
            SELECT id FROM transactions WHERE sender = :sender AND chain_id = :chain_id AND state = 'open')
        ORDER BY nonce
        """,
        wallet,
    )
    by_id = {each["id"]: read(Transaction, each) for each in whole}
    return [(by_id[each["transaction_id"]], read(Attempt, each)) for each in meant]


async def next_nonce(db: Connection, *, sender: str, chain_id: int) -> int:
    """One above the highest nonce that is taken: by a form that is meant and may land, or that has landed.

    What was replaced by a form with another nonce does not count: otherwise one answer of a node with too high a number
    would leave a gap for ever.
    """
    record = await row(
        db,
        f"""
        SELECT MAX(attempts.nonce) AS highest
        FROM transactions JOIN attempts ON attempts.transaction_id = transactions.id
        WHERE transactions.sender = :sender AND transactions.chain_id = :chain_id
            AND (attempts.hash = transactions.mined_hash
                OR transactions.state = 'open' AND {_IS_MEANT})
        """,
        {"sender": sender, "chain_id": chain_id},
    )
    return record["highest"] + 1 if record and record["highest"] is not None else 0


async def at_nonce(db: Connection, *, sender: str, chain_id: int, nonce: int) -> list[Attempt]:
    """Everything that a wallet has signed with one nonce, the newest last."""
    records = await rows(
        db,
        f"""
        SELECT {_ATTEMPT} FROM attempts WHERE sender = :sender AND chain_id = :chain_id AND nonce = :nonce
        ORDER BY signed_at
        """,
        {"sender": sender, "chain_id": chain_id, "nonce": nonce},
    )
    return [read(Attempt, each) for each in records]
