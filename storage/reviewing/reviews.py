"""What waits for a moderator's decision. Every change of state is a compare-and-set."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from storage.base.columns import columns, insert, read
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
    reminders: int = 0
    """How often the moderators were reminded of it."""
    reminded_at: float | None = None


@dataclass(frozen=True)
class Exchange:
    """A moderator's question to the member about a review, and the answer, None until there is one."""

    asked_by: int
    question: str
    asked_at: float
    answer: str | None
    answered_at: float | None


_COLUMNS = columns(Review)


async def add(db: Connection, review: Review) -> bool:
    """Ask the moderators; False when that question was asked already."""
    added = await change(db, f"{insert('reviews', Review)} ON CONFLICT (id) DO NOTHING", asdict(review))
    return added == 1


async def find(db: Connection, review_id: str) -> Review | None:
    record = await row(db, f"SELECT {_COLUMNS} FROM reviews WHERE id = :id", {"id": review_id})
    return read(Review, record) if record else None


async def newest_about(db: Connection, subject: str) -> Review | None:
    """The last question about something, decided or not."""
    record = await row(
        db,
        f"SELECT {_COLUMNS} FROM reviews WHERE subject = :subject ORDER BY created_at DESC, id DESC LIMIT 1",
        {"subject": subject},
    )
    return read(Review, record) if record else None


async def open_about(db: Connection, subject: str) -> list[Review]:
    """What is not decided yet about something, oldest first."""
    records = await rows(
        db,
        f"SELECT {_COLUMNS} FROM reviews WHERE subject = :subject AND state = 'open' ORDER BY created_at, id",
        {"subject": subject},
    )
    return [read(Review, each) for each in records]


async def about(db: Connection, subject: str) -> list[Review]:
    """Every question about something, oldest first."""
    records = await rows(
        db, f"SELECT {_COLUMNS} FROM reviews WHERE subject = :subject ORDER BY created_at, id", {"subject": subject}
    )
    return [read(Review, each) for each in records]


async def open_ones(db: Connection, guild_id: int, *, limit: int) -> list[Review]:
    """What a community's moderators have not decided yet, oldest first."""
    records = await rows(
        db,
        f"""
        SELECT {_COLUMNS} FROM reviews WHERE guild_id = :guild_id AND state = 'open' ORDER BY created_at LIMIT :limit
        """,
        {"guild_id": guild_id, "limit": limit},
    )
    return [read(Review, each) for each in records]


async def set_message(db: Connection, review_id: str, *, message_id: int | None, channel_id: int) -> None:
    """Where its card is, or is to be posted where `message_id` is None."""
    await change(
        db,
        "UPDATE reviews SET message_id = :message_id, channel_id = :channel_id WHERE id = :id",
        {"id": review_id, "message_id": message_id, "channel_id": channel_id},
    )


async def claim(db: Connection, review_id: str, *, by: int, now: float, until: float) -> Review | None:
    """Reserve an open question for one moderator until `until`; None when another holds it or it is decided."""
    claimed = await row(
        db,
        f"""
        UPDATE reviews SET claimed_by = :by, claimed_until = :until
        WHERE id = :id AND state = 'open' AND (claimed_by IS NULL OR claimed_by = :by OR claimed_until < :now)
        RETURNING {_COLUMNS}
        """,
        {"id": review_id, "by": by, "now": now, "until": until},
    )
    return read(Review, claimed) if claimed else None


async def decide(
    db: Connection, review_id: str, *, state: ReviewState, digest: str, by: int, reason: str | None, now: float
) -> Review | None:
    """Close an open question, once; None when somebody did before, another moderator holds it, its time is over,
    or the card showed something else."""
    decided = await row(
        db,
        f"""
        UPDATE reviews SET state = :state, decided_by = :by, decided_at = :now, reason = :reason
        WHERE id = :id AND state = 'open' AND digest = :digest AND (expires_at >= :now OR :state = 'withdrawn')
            AND (claimed_by IS NULL OR claimed_by = :by OR claimed_until < :now OR :state = 'withdrawn')
        RETURNING {_COLUMNS}
        """,
        {"id": review_id, "state": state, "digest": digest, "by": by, "now": now, "reason": reason},
    )
    return read(Review, decided) if decided else None


async def expire(db: Connection, *, now: float) -> list[Review]:
    """Close the questions whose time is over; never as approved."""
    records = await rows(
        db,
        f"""
        UPDATE reviews SET state = 'expired', decided_at = :now WHERE state = 'open' AND expires_at < :now
        RETURNING {_COLUMNS}
        """,
        {"now": now},
    )
    return [read(Review, each) for each in records]


async def reopen(db: Connection, review_id: str, *, state: ReviewState, expires_at: float, now: float) -> Review | None:
    """Take a decision back: nobody holds the question, and its next reminder waits anew; None when it is not
    `state` any more."""
    reopened = await row(
        db,
        f"""
        UPDATE reviews SET state = 'open', decided_by = NULL, decided_at = NULL, reason = NULL,
            expires_at = :expires_at, claimed_by = NULL, claimed_until = NULL, reminded_at = :now
        WHERE id = :id AND state = :state
        RETURNING {_COLUMNS}
        """,
        {"id": review_id, "state": state, "expires_at": expires_at, "now": now},
    )
    return read(Review, reopened) if reopened else None


async def to_remind(db: Connection, *, waits: Sequence[float], now: float, limit: int) -> list[Review]:
    """Open questions that have waited longer for their next reminder than `waits` says: seconds before the first,
    between the first and the second, and so on; the last counts for all further ones.

    One that a moderator holds, or that waits for the member's answer, is left alone meanwhile.
    """
    cases = " ".join(f"WHEN {place} THEN :wait_{place}" for place in range(len(waits) - 1))
    records = await rows(
        db,
        f"""
        SELECT {_COLUMNS} FROM reviews WHERE state = 'open'
            AND (claimed_until IS NULL OR claimed_until < :now) AND expires_at >= :now
            AND COALESCE(reminded_at, created_at) + CASE reminders {cases} ELSE :wait_{len(waits) - 1} END <= :now
            AND NOT EXISTS (SELECT 1 FROM review_talk WHERE review_id = reviews.id AND answer IS NULL)
        ORDER BY created_at LIMIT :limit
        """,
        {"now": now, "limit": limit, **{f"wait_{place}": wait for place, wait in enumerate(waits)}},
    )
    return [read(Review, each) for each in records]


async def open_in(db: Connection, channel_id: int) -> list[Review]:
    """Open questions whose card is in that channel, oldest first."""
    records = await rows(
        db,
        f"SELECT {_COLUMNS} FROM reviews WHERE state = 'open' AND channel_id = :id ORDER BY created_at, id",
        {"id": channel_id},
    )
    return [read(Review, each) for each in records]


async def set_reminded(db: Connection, review_id: str, *, reminders: int, now: float) -> None:
    await change(
        db,
        "UPDATE reviews SET reminders = :reminders, reminded_at = :now WHERE id = :id",
        {"id": review_id, "reminders": reminders, "now": now},
    )


async def ask(db: Connection, review_id: str, *, by: int, question: str, now: float) -> bool:
    """Put a question to the member; False when it is decided, another moderator holds it, or one is unanswered."""
    asked = await change(
        db,
        """
        INSERT INTO review_talk (review_id, position, asked_by, question, asked_at)
        SELECT id, (SELECT COUNT(*) FROM review_talk WHERE review_id = reviews.id), :by, :question, :now FROM reviews
        WHERE id = :id AND state = 'open' AND expires_at >= :now
            AND (claimed_by IS NULL OR claimed_by = :by OR claimed_until < :now)
            AND NOT EXISTS (SELECT 1 FROM review_talk WHERE review_id = reviews.id AND answer IS NULL)
        """,
        {"id": review_id, "by": by, "question": question, "now": now},
    )
    return asked == 1


async def answer(db: Connection, review_id: str, *, answer: str, now: float) -> bool:
    """Keep the member's answer; False when nothing is asked any more."""
    answered = await change(
        db,
        """
        UPDATE review_talk SET answer = :answer, answered_at = :now
        WHERE review_id = :id AND answer IS NULL
            AND EXISTS (SELECT 1 FROM reviews WHERE id = :id AND state = 'open')
        """,
        {"id": review_id, "answer": answer, "now": now},
    )
    return answered == 1


async def talk(db: Connection, review_id: str) -> list[Exchange]:
    """What was asked and answered, oldest first."""
    records = await rows(
        db,
        """
        SELECT asked_by, question, asked_at, answer, answered_at FROM review_talk WHERE review_id = :id
        ORDER BY position
        """,
        {"id": review_id},
    )
    return [Exchange(**dict(each)) for each in records]
