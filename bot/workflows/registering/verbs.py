"""What a member can ask for who registers an image: begin, edit, submit, answer, withdraw, try again."""

from typing import Any

from bot.errors import Refused
from bot.pictures.portrait import take_portrait
from bot.story import metadata
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import REVIEW_LIFE, Origin, job_id
from bot.workflows.base.work import UnitOfWork
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.registering.drafting.terms import Drafts
from bot.workflows.registering.drafting.wording import change_details
from bot.workflows.registering.types import KIND, UNDO, Details, DraftView, RegistrationView
from bot.workflows.registering.views import REGISTERED, RegistrationViews
from bot.workflows.reviewing import trail
from bot.workflows.reviewing.verbs import Decisions
from storage.base.queue import NewJob
from storage.community import communities
from storage.database import Connection
from storage.drawing import images
from storage.drawing.images import Image
from storage.registering import registrations
from storage.registering.registrations import Registration
from storage.registering.transitions import UNDER_WAY, Event, RegistrationState
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

AGAIN = (RegistrationState.DENIED, RegistrationState.WITHDRAWN, RegistrationState.EXPIRED, RegistrationState.FAILED)
"""States after which the same image can be submitted anew."""
NEWEST = 100
"""Pictures of a member that are offered for registering."""
_SUBMITTED_ALREADY = "This is submitted already: its card in the channel says how far it is."


class Registrations:
    """Each verb is one transaction. A refusal is one sentence for the member."""

    def __init__(self, kit: Kit, *, views: RegistrationViews, drafts: Drafts, decisions: Decisions) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._files = kit.files
        self._decoder = kit.decoder
        self._signals = kit.signals
        self._drafts = drafts
        self._decisions = decisions
        self.views = views

    def check_offered(self) -> None:
        """
        Raises:
            Refused: the admin has not set registration up; the sentence says what is missing.
        """
        self._drafts.check_offered()

    async def begin(self, origin: Origin, image_id: str, *, name: str) -> DraftView:
        """Take up a member's draft about an image of theirs, or make one. `name` is what they are called there.

        Raises:
            Refused: not their image, or it is registered, or about to be.
        """
        self.check_offered()
        async with self._work.read() as db:
            image = await images.find(db, image_id)
        if image is None or image.deleted_at is not None or image.guild_id != origin.guild_id:
            raise Refused("This picture is not there any more.")
        if image.owner_id != origin.user_id:
            raise Refused(f"Only <@{image.owner_id}>, who had this picture drawn, can register it.")
        await self._check_free(image.sha256)
        async with self._work.read() as db:
            draft = await registrations.draft_of(db, image_id=image_id, owner_id=origin.user_id)
        if draft is None:
            details = _name_author(name, origin.user_id)
            draft = await self._add_draft(image, origin, job_id(origin.interaction_id), details, None)
        return await self._drafts.view(draft)

    async def draft(self, registration_id: str, *, by: int) -> DraftView:
        """
        Raises:
            Refused: it is not theirs, it is no draft any more, registration is not set up, or the picture is gone.
        """
        async with self._work.read() as db:
            registration = await registrations.find(db, registration_id)
        return await self._drafts.view(_check_draft(registration, by))

    async def details(self, registration_id: str, *, by: int, guild_id: int | None) -> Details:
        """What a member's own draft says. Only the database is asked: a form has to appear within 3 seconds.

        Raises:
            Refused: it is not theirs, or no draft any more.
        """
        async with self._work.read() as db:
            registration = await registrations.find(db, registration_id)
        if registration is not None and registration.guild_id != guild_id:
            registration = None
        return Details.model_validate_json(_check_draft(registration, by).details)

    async def newest_pictures(self, guild_id: int, owner_id: int) -> list[tuple[str, str]]:
        """Ids and prompts of a member's newest pictures in a community."""
        async with self._work.read() as db:
            newest = await images.newest(db, guild_id=guild_id, owner_id=owner_id, limit=NEWEST)
        return [(image.id, ImageRequest.model_validate_json(request).prompt) for image, request in newest]

    async def edit(self, registration_id: str, *, by: int, **changes: object) -> DraftView:
        """Change fields of the details.

        Raises:
            Refused: a value is not allowed and nothing was changed, or this is no draft of theirs.
        """
        view = await self.draft(registration_id, by=by)
        details = change_details(view.details, changes)
        async with self._work() as tx:
            if not await registrations.edit_draft(
                tx.db, registration_id, owner_id=by, details=details.model_dump_json(), now=tx.now
            ):
                raise Refused(_SUBMITTED_ALREADY)
        return await self.draft(registration_id, by=by)

    async def discard(self, registration_id: str, *, by: int) -> None:
        """Forget a draft.

        Raises:
            Refused: this is no draft of theirs.
        """
        view = await self.draft(registration_id, by=by)
        async with self._work() as tx:
            if not await registrations.drop(tx.db, registration_id):
                raise Refused(_SUBMITTED_ALREADY)
            await tx.let_go([view.registration.preview])

    async def submit(
        self, registration_id: str, *, by: int, digest: str, channel_id: int, age_restricted: bool = False
    ) -> Registration:
        """Ask the moderators. Only what was shown is submitted: `digest` is of that, or its first characters.

        The card comes into that channel, which is `age_restricted` or not.

        Raises:
            Refused: something is missing, has changed, or the chain would refuse it; nothing was submitted.
            Unavailable: the bot is about to restart.
        """
        self._signals.check_accepting()
        self.check_offered()
        view = await self.draft(registration_id, by=by)
        terms = view.terms
        if terms is None:
            raise Refused(view.missing or "Something is missing.")
        if len(digest) < 8 or not terms.digest.startswith(digest):
            raise Refused("What the draft shows has changed since. Please look at it again, then press Submit.")
        await self._check_free(view.registration.sha256)
        await self._drafts.try_out(terms)
        registration = view.registration
        async with self._work() as tx:
            db, now = tx.db, tx.now
            community = await communities.find(db, registration.guild_id)
            await self._check_room(db, registration, community.member_registrations)
            if not self._files.exist([registration.sha256]):
                raise Refused("This picture was deleted meanwhile.")
            moved = await registrations.move(
                db,
                registration_id,
                Event.SUBMIT,
                now=now,
                channel_id=channel_id,
                details=view.details.model_dump_json(),
                terms=terms.model_dump_json(),
                digest=terms.digest,
                submitted_at=now,
            )
            if not moved:
                raise Refused("This was submitted already.")
            await tx.add_job(
                NewJob(
                    id=registration_id,
                    kind=KIND,
                    guild_id=registration.guild_id,
                    channel_id=channel_id,
                    owner_id=by,
                    request="{}",
                    lane=KIND,
                    age_restricted=age_restricted,
                )
            )
            channel_of_review = community.review_channel_id or channel_id
            await reviews.add(db, _question_about(registration, terms.digest, channel_of_review, now))
            await tx.audit(
                "registration submitted",
                registration_id,
                guild_id=registration.guild_id,
                actor_id=by,
                seen=terms.digest,
                details={"image": registration.sha256, "title": terms.content.title, "recipient": terms.recipient},
            )
            submitted = await registrations.find(db, registration_id)
        assert submitted, "it was submitted in this transaction"
        return submitted

    async def withdraw(self, registration_id: str, *, by: int) -> None:
        """Take back what was not signed yet; what was pinned is unpinned by its job.

        Raises:
            Refused: not theirs, over, or too late: it is signed.
        """
        view = await self._load_own(registration_id, by)
        async with self._work() as tx:
            if not await registrations.move(tx.db, registration_id, Event.WITHDRAW, now=tx.now):
                registration = await registrations.find(tx.db, registration_id)
                raise Refused(_too_late(registration.state if registration else view.state))
            review = await reviews.find(tx.db, registration_id)
            if review and review.state is ReviewState.OPEN:
                await trail.withdraw(tx, review, by=by)
            await tx.audit("registration withdrawn", registration_id, guild_id=view.registration.guild_id, actor_id=by)
            await tx.revive(registration_id)

    async def answer(self, registration_id: str, *, by: int, text: str) -> None:
        """Answer what a moderator has asked.

        Raises:
            Refused: not theirs, nothing is asked (any more), or the answer is empty.
        """
        await self._load_own(registration_id, by)
        await self._decisions.answer(registration_id, by, text)

    async def again(self, registration_id: str, *, by: int, interaction_id: int, channel_id: int) -> DraftView:
        """A new draft that says the same, after the earlier one came to nothing.

        Raises:
            Refused: not theirs, still under way, registered, or the picture is gone.
        """
        self.check_offered()
        view = await self._load_own(registration_id, by)
        if view.state not in AGAIN:
            raise Refused("This is still under way, or registered already.")
        registration = view.registration
        await self._check_free(registration.sha256)
        async with self._work.read() as db:
            image = await images.find(db, registration.image_id)
            draft = await registrations.draft_of(db, image_id=registration.image_id, owner_id=by)
        if draft is not None:
            return await self._drafts.view(draft)
        if image is None or image.deleted_at is not None:
            raise Refused("This picture is not there any more.")
        origin = Origin(interaction_id, by, registration.guild_id, channel_id, None, nsfw=False)
        draft = await self._add_draft(image, origin, job_id(interaction_id), view.details, registration.id)
        return await self._drafts.view(draft)

    async def retry(self, registration_id: str, *, by: int, moderator: bool) -> None:
        """Once more what a moderator has approved and something outside has stopped; they approved no less than this.

        Raises:
            Refused: neither the owner nor a moderator, or it has not failed.
        """
        view = await self.views.of(registration_id)
        if view is None or not (moderator or view.registration.owner_id == by):
            raise Refused("Only its owner and the moderators can try this again.")
        registration = view.registration
        async with self._work() as tx:
            await self._check_free_in(tx.db, registration.sha256)
            if registration.approval_id is None or not await registrations.move(
                tx.db, registration_id, Event.RETRY, now=tx.now, tries=registration.tries + 1, undo_until=tx.now
            ):
                raise Refused("Only a registration that has failed can be tried again.")
            await tx.audit(
                "registration tried again",
                registration_id,
                guild_id=registration.guild_id,
                actor_id=by,
                seen=registration.digest,
            )
            await tx.revive(registration_id)  # its job may be telling of the failure just now

    async def _load_own(self, registration_id: str, by: int) -> RegistrationView:
        view = await self.views.of(registration_id)
        if view is None:
            raise Refused("There is no such registration.")
        if view.registration.owner_id != by:
            raise Refused(f"Only <@{view.registration.owner_id}>, who submitted this, can do that.")
        return view

    async def _add_draft(
        self, image: Image, origin: Origin, registration_id: str, details: Details, previous_id: str | None
    ) -> Registration:
        path = self._files.path(image.sha256)
        portrait = await self._decoder.run(take_portrait, path)
        preview = await self._files.store(portrait.preview)
        now = self._clock.now()
        draft = Registration(
            id=registration_id,
            guild_id=origin.guild_id,
            channel_id=origin.channel_id,
            owner_id=origin.user_id,
            state=RegistrationState.DRAFT,
            image_id=image.id,
            sha256=image.sha256,
            preview=preview,
            fingerprint=portrait.fingerprint,
            details=details.model_dump_json(),
            created_at=now,
            changed_at=now,
            previous_id=previous_id,
        )
        async with self._work() as tx:
            await registrations.add(tx.db, draft)
        return draft

    async def _check_free(self, sha256: str) -> None:
        """
        Raises:
            Refused: these very bytes are registered, or about to be.
        """
        async with self._work.read() as db:
            await self._check_free_in(db, sha256)

    async def _check_free_in(self, db: Connection, sha256: str) -> None:
        """The same in a transaction that changes it."""
        for other in await registrations.with_bytes(db, sha256, states=REGISTERED):
            if other.state is RegistrationState.CONFIRMED and other.ip_id:
                link = self._drafts.network.ip_link(other.ip_id)
                raise Refused(f"This very picture is registered already: {link}")
            raise Refused(f"This very picture is being registered already (`{other.id}`).")

    async def _check_room(self, db: Connection, registration: Registration, most: int) -> None:
        under_way = await registrations.of_owner(
            db, guild_id=registration.guild_id, owner_id=registration.owner_id, states=UNDER_WAY, limit=most + 1
        )
        if len(under_way) >= most:
            raise Refused(
                f"You have {len(under_way)} registrations under way, and {most} at once is the limit here. "
                "Wait for a decision, or withdraw one."
            )
        await self._check_free_in(db, registration.sha256)


def _check_draft(registration: Registration | None, owner_id: int) -> Registration:
    """
    Raises:
        Refused: it is not theirs, or no draft any more.
    """
    if registration is None or registration.owner_id != owner_id:
        raise Refused("There is no such draft of yours.")
    if registration.state is not RegistrationState.DRAFT:
        raise Refused(_SUBMITTED_ALREADY)
    return registration


def _name_author(name: str, user_id: int) -> Details:
    try:
        return Details(author=metadata.line(name, "A name", cap=metadata.LONGEST_NAME))
    except Refused:  # made of characters that nobody sees
        return Details(author=f"Discord member {user_id}")


def _question_about(registration: Registration, digest: str, channel_id: int, now: float) -> Review:
    return Review(
        id=registration.id,
        kind=KIND,
        state=ReviewState.OPEN,
        guild_id=registration.guild_id,
        channel_id=channel_id,
        message_id=None,
        requested_by=registration.owner_id,
        subject=registration.id,
        digest=digest,
        created_at=now,
        expires_at=now + REVIEW_LIFE,
    )


def _too_late(state: RegistrationState) -> str:
    if state in {RegistrationState.SIGNED, RegistrationState.SENT}:
        return "Too late to withdraw: it is signed, and what is written on a chain cannot be taken back."
    if state is RegistrationState.CONFIRMED:
        return "It is registered, and what is written on a chain cannot be taken back."
    return f"It is {state} already."


async def apply_decision_on_registration(tx: UnitOfWork, review: Review, *, undo: float = UNDO) -> None:
    """Approve, deny or close a registration as its review says. An approval can be undone for `undo` seconds."""
    values: dict[str, Any] = {}
    match review.state:
        case ReviewState.APPROVED:
            event, values = Event.APPROVE, {"approval_id": review.id, "undo_until": tx.now + undo}
        case ReviewState.EXPIRED:
            event = Event.EXPIRE
        case _:
            event, values = Event.DENY, {"error": review.reason}
    await registrations.move(tx.db, review.subject, event, now=tx.now, **values)
    await tx.wake(review.subject)


async def undo_approval(tx: UnitOfWork, review: Review) -> bool:
    """Take an approval back while nothing is pinned; False when it is too late."""
    undone = await registrations.move(tx.db, review.subject, Event.UNDO, now=tx.now)
    if undone:
        await tx.wake(review.subject)
    return undone
