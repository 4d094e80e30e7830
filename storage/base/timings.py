"""How long things took here: from it the bot decides when to poll, and what to promise."""

from storage.database import Connection, change, rows

KEPT = 200
"""Newest measurements of each kind that count; older ones say little about a provider today."""


async def add(db: Connection, *, what: str, seconds: float, now: float) -> None:
    await change(
        db,
        "INSERT INTO timings (what, seconds, at) VALUES (:what, :seconds, :now)",
        {"what": what, "seconds": seconds, "now": now},
    )
    await change(
        db,
        """
        DELETE FROM timings WHERE what = :what AND id <= (
            SELECT id FROM timings WHERE what = :what ORDER BY id DESC LIMIT 1 OFFSET :kept)
        """,
        {"what": what, "kept": KEPT},
    )


async def newest(db: Connection, what: str) -> list[float]:
    """The newest measurements in seconds, oldest of them first."""
    records = await rows(
        db, "SELECT seconds FROM timings WHERE what = :what ORDER BY id DESC LIMIT :kept", {"what": what, "kept": KEPT}
    )
    return [each["seconds"] for each in reversed(records)]
