"""What each job was expected to cost, what it did cost, and what came back: entries that are added, never changed.

Only an amount that nobody knew may be filled in later, by the admin who has looked at the provider's bill.
"""

from dataclasses import dataclass
from enum import StrEnum

from storage.database import Connection, change, rows


class Entry(StrEnum):
    ESTIMATE = "estimate"
    """What was expected, written down before the order left."""
    CHARGE = "charge"
    """What the provider took, as far as is known when the job ends; without an amount where nobody knows."""
    REFUND = "refund"
    """What came back of it."""


@dataclass(frozen=True)
class LedgerEntry:
    """One line; `amount` in millionths of a dollar."""

    job_id: str
    entry: Entry
    amount: int | None
    note: str
    at: float


async def estimate(db: Connection, *, job_id: str, now: float) -> None:
    """The job's order is about to leave: what it should cost. Written once a job, whatever is tried again."""
    await change(
        db,
        """
        INSERT INTO ledger (job_id, guild_id, owner_id, entry, amount, note, at)
        SELECT id, guild_id, owner_id, 'estimate', cost_estimated, '', :now FROM jobs WHERE id = :id
        ON CONFLICT (job_id, entry) DO NOTHING
        """,
        {"id": job_id, "now": now},
    )


async def charge(db: Connection, *, job_id: str, amount: int | None, now: float, note: str = "") -> None:
    """What a job has cost, if it was ever ordered; an amount that was unknown is filled in."""
    await _add(db, Entry.CHARGE, job_id, amount, note, now)


async def refund(db: Connection, *, job_id: str, amount: int, now: float, note: str) -> bool:
    """What came back; False where the job was never ordered, or that is noted already."""
    return await _add(db, Entry.REFUND, job_id, amount, note, now)


async def _add(db: Connection, entry: Entry, job_id: str, amount: int | None, note: str, now: float) -> bool:
    changed = await change(
        db,
        """
        INSERT INTO ledger (job_id, guild_id, owner_id, entry, amount, note, at)
        SELECT job_id, guild_id, owner_id, :entry, :amount, :note, :now FROM ledger
        WHERE job_id = :id AND entry = 'estimate'
        ON CONFLICT (job_id, entry) DO UPDATE SET amount = :amount, note = :note, at = :now
            WHERE ledger.amount IS NULL
        """,
        {"id": job_id, "entry": entry, "amount": amount, "note": note, "now": now},
    )
    return changed == 1


async def of_job(db: Connection, job_id: str) -> list[LedgerEntry]:
    """The lines of one job, in the order in which they were written."""
    records = await rows(
        db,
        "SELECT job_id, entry, amount, note, at FROM ledger WHERE job_id = :id ORDER BY id",
        {"id": job_id},
    )
    return [
        LedgerEntry(each["job_id"], Entry(each["entry"]), each["amount"], each["note"], each["at"]) for each in records
    ]
