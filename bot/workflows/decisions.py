"""What moderators decide: who may, once, on what they saw; and what follows from it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.clock import Clock
from bot.errors import Refused
from bot.jobs.worker import Worker
from storage import communities, jobs, queue, reviews
from storage.database import Connection, Database
from storage.reviews import Review, ReviewState

CLAIM = 1800.0
"""Seconds for which a claimed question is one moderator's."""

Consequence = Callable[[Connection, Review, float], Awaitable[None]]
"""What a decision changes, in the same transaction; given the decided review and the time."""

Objection = Callable[[Connection, Review, int], Awaitable[str | None]]
"""Why a person may not decide on a review, though they are a moderator; None where they may."""


@dataclass(frozen=True)
class Moderator:
    """Who presses, as Discord says at this very press."""

    user_id: int
    role_ids: frozenset[int]
    administrator: bool


class Decisions:
    """The review queue. For each kind of question, `consequences` says what a decision does, and `objections` who
    may not decide on it, administrators among them."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        worker: Worker,
        consequences: Mapping[str, Consequence],
        objections: Mapping[str, Objection] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._consequences = consequences
        self._objections = objections or {}

    async def find(self, review_id: str) -> Review:
        """
        Raises:
            Refused: there is no such question.
        """
        async with self._database.read() as db:
            review = await reviews.find(db, review_id)
        if review is None:
            raise Refused("This approval request is not in the bot's records any more.")
        return review

    async def may_decide(self, guild_id: int, who: Moderator) -> bool:
        """Read again at every press: a role may have been taken away since the card was posted."""
        async with self._database.read() as db:
            community = await communities.find(db, guild_id)
        return who.administrator or (
            community.moderator_role_id is not None and community.moderator_role_id in who.role_ids
        )

    async def check_may_decide(self, guild_id: int, who: Moderator) -> None:
        """
        Raises:
            Refused: `who` is no moderator there, or not any more.
        """
        if not await self.may_decide(guild_id, who):
            raise Refused("Only this server's moderators can decide this.")

    async def claim(self, review_id: str, who: Moderator) -> Review:
        """Reserve a question for half an hour.

        Raises:
            Refused: it is decided, or another moderator holds it; the sentence says who and until when.
        """
        review = await self._guarded(review_id, who)
        now = self._clock.now()
        async with self._database.write() as db:
            claimed = await reviews.claim(db, review_id, by=who.user_id, now=now, until=now + CLAIM)
            review = await reviews.find(db, review_id) or review
        if not claimed:
            raise Refused(_taken(review))
        return review

    async def decide(
        self, review_id: str, who: Moderator, *, approve: bool, digest: str, reason: str | None = None
    ) -> Review:
        """Approve or deny what the card with that digest showed, once. `digest` may be its first characters.

        Raises:
            Refused: somebody else decided or holds it, the card is outdated, or `who` may not.
        """
        review = await self._guarded(review_id, who)
        if len(digest) < 8 or not review.digest.startswith(digest):
            raise Refused("What this card shows has changed since. Please use the newest card.")
        if not approve and not (reason or "").strip():
            raise Refused("Please give a reason: the member will read it.")
        if review.requested_by == who.user_id and not who.administrator:
            raise Refused("Nobody decides on their own request. Another moderator has to.")
        now = self._clock.now()
        async with self._database.write() as db:
            if (objects := self._objections.get(review.kind)) and (why := await objects(db, review, who.user_id)):
                raise Refused(why)
            decided = await reviews.decide(
                db,
                review_id,
                state=ReviewState.APPROVED if approve else ReviewState.DENIED,
                digest=review.digest,
                by=who.user_id,
                reason=reason,
                now=now,
            )
            review = await reviews.find(db, review_id) or review
            if decided:
                await self._consequences[review.kind](db, review, now)
        if not decided:
            raise Refused(_taken(review))
        self._worker.wake()
        return review

    async def expire(self) -> list[Review]:
        """Close the questions that nobody answered in time; never as approved."""
        now = self._clock.now()
        async with self._database.write() as db:
            closed = await reviews.expire(db, now=now)
            for review in closed:
                await self._consequences[review.kind](db, review, now)
        if closed:
            self._worker.wake()
        return closed

    async def _guarded(self, review_id: str, who: Moderator) -> Review:
        review = await self.find(review_id)
        await self.check_may_decide(review.guild_id, who)
        return review


async def settle_spending(db: Connection, review: Review, now: float) -> None:
    """A request above the community's limit: draw it, or let it go."""
    if review.state is ReviewState.APPROVED:
        for child in await jobs.children(db, review.subject):
            await queue.wake(db, job_id=child.id, now=now)
    else:
        await queue.cancel_waiting(db, job_id=review.subject, now=now)
        await queue.wake_if_last(db, parent_id=review.subject, now=now)


def _taken(review: Review) -> str:
    if review.state is ReviewState.OPEN and review.claimed_by and review.claimed_until:
        return f"<@{review.claimed_by}> has this one until <t:{review.claimed_until:.0f}:t>."
    if review.decided_by and review.decided_at:
        return f"Already {review.state} by <@{review.decided_by}> <t:{review.decided_at:.0f}:R>."
    return f"This is {review.state} already."
