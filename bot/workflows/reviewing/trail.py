"""The audit trail of a question to the moderators: each thing that happens to it is a row, in the same transaction."""

from pydantic import JsonValue

from storage.database import Connection
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState


async def note(db: Connection, review: Review, what: str, *, by: int | None, now: float, **details: JsonValue) -> None:
    """Write into the audit what happened to a question, and what its card showed."""
    await audit.add(
        db,
        action=f"{review.kind} {what}",
        subject=review.subject,
        guild_id=review.guild_id,
        actor_id=by,
        seen=review.digest,
        details={"review": review.id, **details},
        now=now,
    )


async def withdraw(db: Connection, review: Review, *, by: int, now: float) -> bool:
    """Close an open question because what it asks about is called back; False when it was decided first."""
    state = ReviewState.WITHDRAWN
    if not await reviews.decide(db, review.id, state=state, digest=review.digest, by=by, reason=None, now=now):
        return False
    await note(db, review, state, by=by, now=now)
    return True
