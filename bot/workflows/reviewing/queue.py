"""The queue of a community's open questions, and a moderator's walk through it."""

from collections.abc import Sequence

from bot.workflows.base.kit import Kit
from bot.workflows.reviewing.types import Moderator, Step
from bot.workflows.reviewing.verbs import Decisions
from storage.reviewing import reviews
from storage.reviewing.reviews import Review

MOST_WALKED = 1000
"""Open questions of one community that the walk counts."""
ONE_BY_ONE = {"consent"}
"""Kinds that are not denied together: there a denial deletes something."""


class Queue:
    """Reads the open questions in the order in which a moderator is shown them: the oldest first, and around."""

    def __init__(self, kit: Kit, *, decisions: Decisions) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._decisions = decisions

    async def list_for(self, who: Moderator) -> list[Review]:
        """All, beginning with the oldest that this moderator may decide; with the oldest where there is none."""
        waiting, now = await self._open(who.guild_id), self._clock.now()
        for place, review in enumerate(waiting):
            held = review.claimed_by not in {None, who.user_id} and (review.claimed_until or 0) >= now
            if not held and (await self._decisions.standing(review, who)).bar is None:
                return [*waiting[place:], *waiting[:place]]
        return waiting

    async def list_from(self, guild_id: int, review_id: str) -> list[Review]:
        """All, beginning with this question; where it is decided, with the one behind its place."""
        after = await self.list_after(guild_id, review_id)
        return [*_named(after, review_id), *_others(after, review_id)]

    async def list_after(self, guild_id: int, review_id: str) -> list[Review]:
        """All, beginning behind this question's place, and ending with it if it is open."""
        async with self._work.read() as db:
            waiting = await reviews.open_ones(db, guild_id, limit=MOST_WALKED)
            review = await reviews.find(db, review_id)
        place = (review.created_at, review.id) if review and review.guild_id == guild_id else (0.0, "")
        behind = [each for each in waiting if (each.created_at, each.id) > place]
        return [*behind, *waiting[: len(waiting) - len(behind)]]

    async def list_before(self, guild_id: int, review_id: str) -> list[Review]:
        """All backwards, beginning before this question's place, and ending with it if it is open."""
        after = await self.list_after(guild_id, review_id)
        return [*reversed(_others(after, review_id)), *_named(after, review_id)]

    async def list_deniable(self, who: Moderator, review_id: str, *, most: int) -> list[Review]:
        """So many, from this question on, that this moderator may deny together."""
        deniable: list[Review] = []
        for review in await self.list_from(who.guild_id, review_id):
            if review.kind not in ONE_BY_ONE and (await self._decisions.standing(review, who)).bar is None:
                deniable.append(review)
            if len(deniable) == most:
                break
        return deniable

    async def step(self, review: Review, who: Moderator) -> Step:
        """Where in the queue a moderator is who looks at this question."""
        open_ids = [each.id for each in await self._open(who.guild_id)]
        return Step(
            place=open_ids.index(review.id) + 1 if review.id in open_ids else None,
            count=len(open_ids),
            standing=await self._decisions.standing(review, who),
            reasons=len(await self._decisions.saved_reasons(who.guild_id)),
        )

    async def _open(self, guild_id: int) -> list[Review]:
        async with self._work.read() as db:
            return await reviews.open_ones(db, guild_id, limit=MOST_WALKED)


def _named(waiting: Sequence[Review], review_id: str) -> list[Review]:
    return [review for review in waiting if review.id == review_id]


def _others(waiting: Sequence[Review], review_id: str) -> list[Review]:
    return [review for review in waiting if review.id != review_id]
