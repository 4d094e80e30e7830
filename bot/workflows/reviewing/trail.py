"""The audit trail of a question to the moderators: each thing that happens to it is a row, in the same transaction."""

from pydantic import JsonValue

from bot.workflows.base.work import UnitOfWork
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState


async def note(tx: UnitOfWork, review: Review, what: str, *, by: int | None, **details: JsonValue) -> None:
    """Write into the audit what happened to a question, and what its card showed."""
    await tx.audit(
        f"{review.kind} {what}",
        review.subject,
        guild_id=review.guild_id,
        actor_id=by,
        seen=review.digest,
        details={"review": review.id, **details},
    )


async def withdraw(tx: UnitOfWork, review: Review, *, by: int) -> bool:
    """Close an open question because what it asks about is called back; False when it was decided first."""
    state = ReviewState.WITHDRAWN
    withdrawn = await reviews.decide(
        tx.db, review.id, state=state, digest=review.digest, by=by, reason=None, now=tx.now
    )
    if withdrawn is None:
        return False
    await note(tx, review, state, by=by)
    return True
