"""What is pinned where, and for which registration: needed to take it back."""

from dataclasses import asdict, dataclass

from storage.base.columns import columns, insert, read
from storage.database import Connection, change, row, rows


@dataclass(frozen=True)
class PinRow:
    """One file at one service. `pin_id` is what that service needs for unpinning it.

    A row is written before the file is sent (`pinned_at`), so that it can be taken back after any crash. Only a row
    with `confirmed_at` says that the service has the file: it has answered with the file's CID then.
    """

    registration_id: str
    sha256: str
    service: str
    cid: str
    pin_id: str | None
    pinned_at: float
    unpinned_at: float | None = None
    confirmed_at: float | None = None


@dataclass(frozen=True)
class MissingPin:
    """A file of a registered image that a service is not known to have."""

    registration_id: str
    role: str
    """`image`, `ip` or `nft`."""
    sha256: str
    cid: str
    """Under which it is registered."""


_COLUMNS = columns(PinRow)


async def save(db: Connection, pin: PinRow) -> None:
    """Keep where a file is pinned; pinned again, the newest counts."""
    await change(
        db,
        f"""
        {insert("pins", PinRow)}
        ON CONFLICT (registration_id, sha256, service)
        DO UPDATE SET cid = :cid, pin_id = :pin_id, pinned_at = :pinned_at, unpinned_at = NULL,
            confirmed_at = :confirmed_at
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


_MISSING = """
    FROM (
        SELECT id, 'image' AS role, sha256, image_cid AS cid FROM registrations WHERE state = 'confirmed'
        UNION ALL
        SELECT id, 'ip', ip_metadata, ip_cid FROM registrations WHERE state = 'confirmed'
        UNION ALL
        SELECT id, 'nft', nft_metadata, nft_cid FROM registrations WHERE state = 'confirmed'
    ) AS files LEFT JOIN pins
        ON pins.registration_id = files.id AND pins.sha256 = files.sha256 AND pins.service = :service
            AND pins.unpinned_at IS NULL
    WHERE files.cid IS NOT NULL AND pins.confirmed_at IS NULL
"""
"""Files of registered images alone: those of others may be taken back while they are sent."""


async def missing_at(db: Connection, service: str, *, limit: int) -> list[MissingPin]:
    """Files of registered images that a service is not known to have, those first that were tried longest ago."""
    records = await rows(
        db,
        f"""
        SELECT files.id AS registration_id, files.role, files.sha256, files.cid {_MISSING}
        ORDER BY COALESCE(pins.pinned_at, 0), files.id, files.role LIMIT :limit
        """,
        {"service": service, "limit": limit},
    )
    return [read(MissingPin, each) for each in records]


async def count_missing_at(db: Connection, service: str) -> int:
    """How many those are."""
    record = await row(db, f"SELECT COUNT(*) AS number {_MISSING}", {"service": service})
    return record["number"] if record else 0
