"""What is pinned where, and for which registration: needed to take it back."""

from dataclasses import asdict, dataclass

from storage.base.columns import columns, insert, read
from storage.database import Connection, change, row, rows


@dataclass(frozen=True)
class PinRow:
    """One file at one service. `pin_id` is what that service needs for unpinning it."""

    registration_id: str
    sha256: str
    service: str
    cid: str
    pin_id: str | None
    pinned_at: float
    unpinned_at: float | None = None


_COLUMNS = columns(PinRow)


async def save(db: Connection, pin: PinRow) -> None:
    """Keep where a file is pinned; pinned again, the newest counts."""
    await change(
        db,
        f"""
        {insert("pins", PinRow)}
        ON CONFLICT (registration_id, sha256, service)
        DO UPDATE SET cid = :cid, pin_id = :pin_id, pinned_at = :pinned_at, unpinned_at = NULL
        """,
        asdict(pin),
    )


async def of_registration(db: Connection, registration_id: str) -> list[PinRow]:
    """All that is pinned for it and not taken back."""
    records = await rows(
        db,
        f"SELECT {_COLUMNS} FROM pins WHERE registration_id = :id AND unpinned_at IS NULL ORDER BY pinned_at",
        {"id": registration_id},
    )
    return [read(PinRow, each) for each in records]


async def needed_elsewhere(db: Connection, pin: PinRow) -> bool:
    """Whether another registration has the same bytes pinned at the same service: a service pins bytes once."""
    record = await row(
        db,
        """
        SELECT 1 AS one FROM pins WHERE sha256 = :sha256 AND service = :service AND registration_id <> :registration_id
            AND unpinned_at IS NULL LIMIT 1
        """,
        {"sha256": pin.sha256, "service": pin.service, "registration_id": pin.registration_id},
    )
    return record is not None


async def mark_unpinned(db: Connection, pin: PinRow, *, now: float) -> None:
    await change(
        db,
        """
        UPDATE pins SET unpinned_at = :now
        WHERE registration_id = :registration_id AND sha256 = :sha256 AND service = :service
        """,
        {"registration_id": pin.registration_id, "sha256": pin.sha256, "service": pin.service, "now": now},
    )
