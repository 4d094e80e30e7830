"""What waits for a moderator's decision. Every change of state is a compare-and-set."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import RowMapping

from storage.database import Connection, change, row, rows


class ReviewState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Review:
    """One question to the moderators.

    `kind` says what `subject` is the id of and what a decision does. `digest` is the SHA-256 of what the
    card showed: a decision counts only for that.
    """

    id: str
    kind: str
    state: ReviewState
    guild_id: int
    channel_id: int
    message_id: int | None
    requested_by: int
    subject: str
    digest: str
    created_at: float
    expires_at: float
    claimed_by: int | None = None
    claimed_until: float | None = None
    decided_by: int | None = None
    decided_at: float | None = None
    reason: str | None = None


_COLUMNS = """id, kind, state, guild_id, channel_id, message_id, requested_by, subject, digest, created_at, expires_at,
    claimed_by, claimed_until, decided_by, decided_at, reason"""


def _review(found: RowMapping) -> Review:
    columns: dict[str, Any] = dict(found)
    columns.update(state=ReviewState(found["state"]))
    return Review(**columns)


async def add(db: Connection, review: Review) -> bool:
    """Ask the moderators; False when that question was asked already."""
    added = await change(
        db,
        f"""
        INSERT INTO reviews ({_COLUMNS})
        VALUES (:id, :kind, :state, :guild_id, :channel_id, :message_id, :requested_by, :subject, :digest,
            :created_at, :expires_at, :claimed_by, :claimed_until, :decided_by, :decided_at, :reason)
        ON CONFLICT (id) DO NOTHING
        """,
        asdict(review),
    )
    return added == 1


async def find(db: Connection, review_id: str) -> Review | None:
    found = await row(db, f"SELECT {_COLUMNS} FROM reviews WHERE id = :id", {"id": review_id})
    return _review(found) if found else None


async def newest_about(db: Connection, subject: str) -> Review | None:
    """The last question about something, decided or not."""
    found = await row(
        db,
        f"SELECT {_COLUMNS} FROM reviews WHERE subject = :subject ORDER BY created_at DESC, id DESC LIMIT 1",
        {"subject": subject},
    )
    return _review(found) if found else None


async def open_about(db: Connection, subject: str) -> list[Review]:
    """What is not decided yet about something, oldest first."""
    found = await rows(
        db,
        f"SELECT {_COLUMNS} FROM reviews WHERE subject = :subject AND state = 'open' ORDER BY created_at, id",
        {"subject": subject},
    )
    return [_review(each) for each in found]


async def about(db: Connection, subject: str) -> list[Review]:
    """Every question about something, oldest first."""
    found = await rows(
        db, f"SELECT {_COLUMNS} FROM reviews WHERE subject = :subject ORDER BY created_at, id", {"subject": subject}
    )
    return [_review(each) for each in found]


async def open_ones(db: Connection, guild_id: int, *, limit: int) -> list[Review]:
    """What a community's moderators have not decided yet, oldest first."""
    found = await rows(
        db,
        f"""
        SELECT {_COLUMNS} FROM reviews WHERE guild_id = :guild_id AND state = 'open' ORDER BY created_at LIMIT :limit
        """,
        {"guild_id": guild_id, "limit": limit},
    )
    return [_review(each) for each in found]


async def set_message(db: Connection, review_id: str, *, message_id: int, channel_id: int) -> None:
    await change(
        db,
        "UPDATE reviews SET message_id = :message_id, channel_id = :channel_id WHERE id = :id",
        {"id": review_id, "message_id": message_id, "channel_id": channel_id},
    )


async def claim(db: Connection, review_id: str, *, by: int, now: float, until: float) -> bool:
    """Reserve an open question for one moderator until `until`; False when another holds it or it is decided."""
    changed = await change(
        db,
        """
        UPDATE reviews SET claimed_by = :by, claimed_until = :until
        WHERE id = :id AND state = 'open' AND (claimed_by IS NULL OR claimed_by = :by OR claimed_until < :now)
        """,
        {"id": review_id, "by": by, "now": now, "until": until},
    )
    return changed == 1


async def decide(
    db: Connection, review_id: str, *, state: ReviewState, digest: str, by: int, reason: str | None, now: float
) -> bool:
    """Close an open question, once; False when somebody did before, another moderator holds it, its time is over,
    or the card showed something else."""
    changed = await change(
        db,
        """
        UPDATE reviews SET state = :state, decided_by = :by, decided_at = :now, reason = :reason
        WHERE id = :id AND state = 'open' AND digest = :digest AND expires_at >= :now
            AND (claimed_by IS NULL OR claimed_by = :by OR claimed_until < :now OR :state = 'withdrawn')
        """,
        {"id": review_id, "state": state, "digest": digest, "by": by, "now": now, "reason": reason},
    )
    return changed == 1


async def expire(db: Connection, *, now: float) -> list[Review]:
    """Close the questions whose time is over; never as approved."""
    found = await rows(
        db,
        f"""
        UPDATE reviews SET state = 'expired', decided_at = :now WHERE state = 'open' AND expires_at < :now
        RETURNING {_COLUMNS}
        """,
        {"now": now},
    )
    return [_review(each) for each in found]
