"""What moderators decide: who may, once, on what they saw; what follows from it; and that it is written down."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from bot.errors import Refused
from bot.workflows.base.kit import Kit
from bot.workflows.reviewing.trail import note
from bot.workflows.reviewing.types import Attempt, Denial, Moderator, QuestionRules, Standing
from storage.community import communities
from storage.community.communities import Community
from storage.database import Connection
from storage.reviewing import late_cards, reviews
from storage.reviewing.reviews import Review, ReviewState

CLAIM = 1800.0
"""Seconds for which a claimed question is one moderator's."""
AGAIN = 86_400.0
"""Seconds that a question stays open at least, when its decision was taken back."""
MOST_QUESTION = 500
MOST_ANSWER = 500
"""Characters of what a moderator asks and a member answers."""
MOST_REASONS = 20
"""Reasons that a community keeps for later."""


class Decisions:
    """The review queue. `rules` say for each kind of question what a decision does, and who may not decide on it.

    Nobody decides on their own request, administrators excepted; for overridable kinds see `QuestionRules`. Whatever is
    decided, asked, answered or taken back is a row of the audit, in the same transaction.
    """

    def __init__(self, kit: Kit, *, rules: Mapping[str, QuestionRules]) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._rules = rules

    # Who may.

    async def find(self, review_id: str) -> Review:
        """
        Raises:
            Refused: there is no such question.
        """
        async with self._work.read() as db:
            return await _find(db, review_id)

    async def is_moderator(self, who: Moderator) -> bool:
        """Read again at every press: a role may have been taken away since the card was posted."""
        async with self._work.read() as db:
            return _moderates(await communities.find(db, who.guild_id), who)

    async def check_moderator(self, who: Moderator) -> None:
        """
        Raises:
            Refused: `who` is no moderator there, or not any more.
        """
        if not await self.is_moderator(who):
            raise Refused(_NO_MODERATOR)

    async def check_may_decide(self, review_id: str, who: Moderator) -> None:
        """
        Raises:
            Refused: there is no such question, `who` is no moderator, or must not decide on it while it is open.
        """
        async with self._work.read() as db:
            review, community = await self._find_moderated(db, review_id, who)
            standing = await self._standing(db, review, who, community)
        if review.state is ReviewState.OPEN and standing.bar:
            raise Refused(standing.bar)

    async def standing(self, review: Review, who: Moderator) -> Standing:
        """Whether this moderator may decide on that question, as things are now."""
        async with self._work.read() as db:
            return await self._standing(db, review, who, await communities.find(db, review.guild_id))

    async def _standing(self, db: Connection, review: Review, who: Moderator, community: Community) -> Standing:
        rules = self._rules.get(review.kind)  # None for a kind that only a newer version of the bot knows
        objection = await rules.objection(db, review, who.user_id) if rules and rules.objection else None
        if rules and rules.overridable:
            return Standing(objection, overridden=objection is not None and community.own_decisions)
        if review.requested_by == who.user_id and not who.administrator:
            return Standing("Nobody decides on their own request. Another moderator has to.")
        return Standing(objection)

    # What they do.

    async def note_card(self, review: Review, *, message_id: int, channel_id: int) -> Review:
        """Where a question's card is, as its pressed button says: the bot may have ended before it could note that."""
        async with self._work() as tx:
            await reviews.set_message(tx.db, review.id, message_id=message_id, channel_id=channel_id)
        return replace(review, message_id=message_id, channel_id=channel_id)

    async def attempt(self, review_id: str, who: Moderator, change: Awaitable[Review]) -> Attempt:
        """Await one of the verbs below; where it refuses a moderator, say why, and how the question stands now.

        Raises:
            Refused: the verb has refused somebody who is no moderator of the question's community.
        """
        try:
            return Attempt(await change)
        except Refused as error:
            async with self._work.read() as db:
                review, _ = await self._find_moderated(db, review_id, who)
            return Attempt(review, str(error))

    async def claim(self, review_id: str, who: Moderator) -> Review:
        """Reserve a question for half an hour.

        Raises:
            Refused: it is decided, or another moderator holds it; the sentence says who and until when.
        """
        async with self._work() as tx:
            review = await self._find_unbarred(tx.db, review_id, who)
            until = tx.now + CLAIM
            claimed = await reviews.claim(tx.db, review_id, by=who.user_id, now=tx.now, until=until)
            if claimed is None:
                raise Refused(_taken(review, tx.now))
            await note(tx, claimed, "claimed", by=who.user_id, until=str(round(until)))
            await tx.wake(claimed.subject)
        return claimed

    async def decide(
        self, review_id: str, who: Moderator, *, approve: bool, digest: str, reason: str | None = None
    ) -> Review:
        """Approve or deny what the card with that digest showed, once. `digest` may be its first characters.

        Raises:
            Refused: somebody else decided or holds it, the card is outdated, or `who` may not.
        """
        reason = (reason or "").strip() or None
        async with self._work() as tx:
            review, community = await self._find_moderated(tx.db, review_id, who)
            if len(digest) < 8 or not review.digest.startswith(digest):
                raise Refused("What this card shows has changed since. Please use the newest card.")
            if not approve and reason is None:
                raise Refused("Please give a reason: the member will read it.")
            standing = await self._standing(tx.db, review, who, community)
            if standing.bar:
                raise Refused(standing.bar)
            state = ReviewState.APPROVED if approve else ReviewState.DENIED
            decided = await reviews.decide(
                tx.db, review_id, state=state, digest=review.digest, by=who.user_id, reason=reason, now=tx.now
            )
            if decided is None:
                raise Refused(_taken(review, tx.now))
            details: dict[str, JsonValue] = {"reason": reason} if reason else {}
            if standing.overridden:
                details |= {"override": True, "objection": standing.objection}
            await note(tx, decided, state, by=who.user_id, **details)
            await self._rules[decided.kind].consequence(tx, decided)
            await tx.wake(decided.subject)
        return decided

    async def deny_several(self, digests: Mapping[str, str], who: Moderator, *, reason: str) -> list[Denial]:
        """Deny some of a community's questions for one reason, each by itself: what was too late says so.

        `digests` are by the questions' ids, with the (first characters of the) digests of what was seen of them.

        Raises:
            Refused: there is no reason, or `who` is no moderator.
        """
        await self.check_moderator(who)
        if not reason.strip():
            raise Refused("Please give a reason: the members will read it.")
        denials: list[Denial] = []
        for review_id, digest in digests.items():
            async with self._work.read() as db:
                review = await reviews.find(db, review_id)
            if review is None or review.guild_id != who.guild_id:
                denials.append(Denial(review_id, None, _FORGOTTEN))
                continue
            denial = self.decide(review_id, who, approve=False, digest=digest, reason=reason)
            attempt = await self.attempt(review_id, who, denial)
            denials.append(Denial(review_id, attempt.review, attempt.refusal))
        return denials

    async def ask(self, review_id: str, who: Moderator, question: str) -> Review:
        """Ask the member something; the question waits for the answer, and nobody is reminded of it meanwhile.

        Raises:
            Refused: there is no question in it, it is decided, another moderator holds it, one is unanswered already,
                or `who` may not decide on it.
        """
        question = question.strip()[:MOST_QUESTION]
        if not question:
            raise Refused("Please write what you would like to know: the member will read it.")
        async with self._work() as tx:
            review = await self._find_unbarred(tx.db, review_id, who)
            if not await reviews.ask(tx.db, review_id, by=who.user_id, question=question, now=tx.now):
                waits = review.state is ReviewState.OPEN and any(
                    each.answer is None for each in await reviews.talk(tx.db, review_id)
                )
                raise Refused("The member has not answered the last question yet." if waits else _taken(review, tx.now))
            await note(tx, review, "asked", by=who.user_id, question=question)
            await tx.wake(review.subject)
        return review

    async def answer(self, review_id: str, by: int, text: str) -> Review:
        """Answer what was asked, as the member whose request it is.

        Raises:
            Refused: it is somebody else's, nothing is asked (any more), or the answer is empty.
        """
        text = text.strip()[:MOST_ANSWER]
        async with self._work() as tx:
            review = await _find(tx.db, review_id)
            if review.requested_by != by:
                raise Refused(f"Only <@{review.requested_by}>, whose request this is, can answer.")
            if not text:
                raise Refused("Please write an answer: the moderators will read it.")
            if not await reviews.answer(tx.db, review_id, answer=text, now=tx.now):
                decided = review.state is not ReviewState.OPEN
                raise Refused(
                    _taken(review, tx.now) if decided else "Nothing is asked just now, or it is answered already."
                )
            await note(tx, review, "answered", by=by, answer=text)
            await tx.wake(review.subject)
        return review

    async def undo(self, review_id: str, who: Moderator) -> Review:
        """Take an approval back, also another moderator's: the question is open again.

        Raises:
            Refused: it is too late, it is not approved, approvals of that kind cannot be taken back, or `who` is no
                moderator.
        """
        async with self._work() as tx:
            review, _ = await self._find_moderated(tx.db, review_id, who)
            rules = self._rules.get(review.kind)
            if rules is None or rules.undo is None:
                raise Refused("This decision cannot be taken back.")
            if review.state is ReviewState.OPEN:
                raise Refused("This is open: nothing is decided that could be taken back.")
            if review.state is not ReviewState.APPROVED:
                raise Refused(f"Only an approval can be taken back. {_taken(review, tx.now)}")
            expires_at = max(review.expires_at, tx.now + AGAIN)
            reopened = await reviews.reopen(
                tx.db, review_id, state=ReviewState.APPROVED, expires_at=expires_at, now=tx.now
            )
            if reopened is None or not await rules.undo(tx, reopened):
                raise Refused("It is too late to take this approval back: the bot has begun to carry it out.")
            await note(tx, reopened, "undone", by=who.user_id, approved_by=str(review.decided_by))
            await tx.wake(reopened.subject)
        return reopened

    async def expire(self) -> list[Review]:
        """Close the questions that nobody answered in time; never as approved. Their cards are late until shown."""
        async with self._work() as tx:
            closed = await reviews.expire(tx.db, now=tx.now)
            for review in closed:
                if review.message_id is not None:
                    await late_cards.add(tx.db, review.id)
                await note(tx, review, ReviewState.EXPIRED, by=None)
                await self._rules[review.kind].consequence(tx, review)
                await tx.wake(review.subject)
        return closed

    # Reasons that are saved.

    async def saved_reasons(self, guild_id: int) -> tuple[str, ...]:
        """Reasons that a community's moderators have saved, the newest first."""
        async with self._work.read() as db:
            return (await communities.find(db, guild_id)).saved_reasons

    async def save_reason(self, who: Moderator, reason: str) -> None:
        """Offer a reason at later denials; the oldest one makes room for it.

        Raises:
            Refused: `who` is no moderator.
        """
        reason = reason.strip()
        await self._set_reasons(who, lambda saved: [reason, *(each for each in saved if each != reason)])

    async def forget_reasons(self, who: Moderator, reasons: Collection[str]) -> None:
        """
        Raises:
            Refused: `who` is no moderator.
        """
        await self._set_reasons(who, lambda saved: [each for each in saved if each not in reasons])

    async def _set_reasons(self, who: Moderator, change: Callable[[Sequence[str]], Sequence[str]]) -> None:
        async with self._work() as tx:
            community = await communities.find(tx.db, who.guild_id)
            if not _moderates(community, who):
                raise Refused(_NO_MODERATOR)
            saved = tuple(change(community.saved_reasons))[:MOST_REASONS]
            changed = community.model_copy(update={"saved_reasons": saved})
            await communities.save(tx.db, who.guild_id, changed, by=who.user_id, now=tx.now)

    # Inside a transaction.

    async def _find_moderated(self, db: Connection, review_id: str, who: Moderator) -> tuple[Review, Community]:
        """The question, which is one of the community that `who` moderates.

        Raises:
            Refused: there is no such question there, or `who` is no moderator.
        """
        review = await _find(db, review_id)
        if review.guild_id != who.guild_id:
            raise Refused("This approval request is another server's.")
        community = await communities.find(db, review.guild_id)
        if not _moderates(community, who):
            raise Refused(_NO_MODERATOR)
        return review, community

    async def _find_unbarred(self, db: Connection, review_id: str, who: Moderator) -> Review:
        """The question, which `who` may reserve or ask about.

        Raises:
            Refused: they may not.
        """
        review, community = await self._find_moderated(db, review_id, who)
        rules = self._rules.get(review.kind)
        if rules and rules.overridable:  # who must not decide must not keep others from it, either
            standing = await self._standing(db, review, who, community)
            if standing.bar:
                raise Refused(standing.bar)
        return review


_NO_MODERATOR = "Only this server's moderators can decide this."
_FORGOTTEN = "This approval request is not in the bot's records any more."


async def _find(db: Connection, review_id: str) -> Review:
    review = await reviews.find(db, review_id)
    if review is None:
        raise Refused(_FORGOTTEN)
    return review


def _moderates(community: Community, who: Moderator) -> bool:
    return who.administrator or (
        community.moderator_role_id is not None and community.moderator_role_id in who.role_ids
    )


def _taken(review: Review, now: float) -> str:
    """Why it was too late: who has decided, and when."""
    if review.state is ReviewState.OPEN and review.claimed_by and (review.claimed_until or 0.0) >= now:
        assert review.claimed_until
        return f"<@{review.claimed_by}> has this one until <t:{review.claimed_until:.0f}:t>."
    if review.state is ReviewState.OPEN:
        return "Nobody has answered this in time: it is just being closed."
    if review.decided_by and review.decided_at:
        return f"Already {review.state} by <@{review.decided_by}> <t:{review.decided_at:.0f}:R>."
    return f"This is {review.state} already."
