"""The verbs of a member who registers an image: begin, say, submit, answer, withdraw, try again."""

from bot.errors import Refused
from bot.pictures.portrait import take_portrait
from bot.story import metadata
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import REVIEW_LIFE, Origin, job_id
from bot.workflows.base.work import Transaction
from bot.workflows.registering.drafts import Drafting
from bot.workflows.registering.types import KIND, UNDO, Details, DraftView, RegistrationView
from bot.workflows.registering.views import REGISTERED, RegistrationViews
from bot.workflows.registering.wording import changed
from bot.workflows.reviewing import trail
from bot.workflows.reviewing.verbs import Decisions
from storage.base.queue import NewJob
from storage.community import communities
from storage.database import Connection
from storage.drawing import images
from storage.drawing.images import Image
from storage.registering import registrations
from storage.registering.registrations import UNDER_WAY, WITHDRAWABLE, Registration, RegistrationState
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState

AGAIN = (RegistrationState.DENIED, RegistrationState.WITHDRAWN, RegistrationState.EXPIRED, RegistrationState.FAILED)
"""States after which the same image can be submitted anew."""


class Registrations:
    """Each verb is one transaction, and each says what is wrong in one sentence."""

    def __init__(self, kit: Kit, *, views: RegistrationViews, drafting: Drafting, decisions: Decisions) -> None:
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self._files = kit.files
        self._decoder = kit.decoder
        self._signals = kit.signals
        self._drafting = drafting
        self._decisions = decisions
        self.views = views

    def check_offered(self) -> None:
        """
        Raises:
            Refused: the admin has not set registration up; the sentence says what is missing.
        """
        self._drafting.check_offered()

    async def begin(self, origin: Origin, image_id: str, *, name: str) -> DraftView:
        """Take up a member's draft about an image of theirs, or make one. `name` is what they are called there.

        Raises:
            Refused: not their image, or it is registered, or about to be.
        """
        self.check_offered()
        async with self._database.read() as db:
            image = await images.find(db, image_id)
        if image is None or image.deleted_at is not None or image.guild_id != origin.guild_id:
            raise Refused("This picture is not there any more.")
        if image.owner_id != origin.user_id:
            raise Refused(f"Only <@{image.owner_id}>, who had this picture drawn, can register it.")
        await self._check_free(image.sha256)
        async with self._database.read() as db:
            known = await registrations.draft_of(db, image_id=image_id, owner_id=origin.user_id)
        if known is None:
            known = await self._new(image, origin, job_id(origin.interaction_id), _authored(name, origin.user_id), None)
        return await self._drafting.view(known)

    async def draft(self, registration_id: str, *, by: int) -> DraftView:
        """
        Raises:
            Refused: it is not theirs, or no draft any more.
        """
        async with self._database.read() as db:
            found = await registrations.find(db, registration_id)
        if found is None or found.owner_id != by:
            raise Refused("There is no such draft of yours.")
        if found.state is not RegistrationState.DRAFT:
            raise Refused("This is submitted already: its card in the channel says how far it is.")
        return await self._drafting.view(found)

    async def edit(self, registration_id: str, *, by: int, **changes: object) -> DraftView:
        """Change fields of what is said.

        Raises:
            Refused: one of them may not be so, and nothing was changed; or as `draft`.
        """
        view = await self.draft(registration_id, by=by)
        details = changed(view.details, changes)
        async with self._work() as tx:
            db, now = tx.db, tx.now
            if not await registrations.edit_draft(
                db, registration_id, owner_id=by, details=details.model_dump_json(), now=now
            ):
                raise Refused("This is submitted already: its card in the channel says how far it is.")
        return await self.draft(registration_id, by=by)

    async def discard(self, registration_id: str, *, by: int) -> None:
        """Forget a draft; raises as `draft`."""
        view = await self.draft(registration_id, by=by)
        async with self._work() as tx:
            db = tx.db
            if not await registrations.drop(db, registration_id):
                raise Refused("This is submitted already: its card in the channel says how far it is.")
            await tx.let_go([view.registration.preview])

    async def submit(self, registration_id: str, *, by: int, digest: str, channel_id: int) -> Registration:
        """Ask the moderators. Only what was shown is submitted: `digest` is of that, or its first characters.

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
        await self._drafting.try_out(terms)
        now = self._clock.now()
        async with self._work() as tx:
            db, now = tx.db, tx.now
            registration = view.registration
            community = await communities.find(db, registration.guild_id)
            await self._check_room(db, registration, community.member_registrations)
            if not self._files.exist([registration.sha256]):
                raise Refused("This picture was deleted meanwhile.")
            submitted = await registrations.move(
                db,
                registration_id,
                before=(RegistrationState.DRAFT,),
                after=RegistrationState.SUBMITTED,
                now=now,
                channel_id=channel_id,
                details=view.details.model_dump_json(),
                terms=terms.model_dump_json(),
                digest=terms.digest,
                submitted_at=now,
            )
            if not submitted:
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
                ),
            )
            await reviews.add(db, _question(registration, terms.digest, community.review_channel_id or channel_id, now))
            await audit.add(
                db,
                action="registration submitted",
                subject=registration_id,
                now=now,
                guild_id=registration.guild_id,
                actor_id=by,
                seen=terms.digest,
                details={"image": registration.sha256, "title": terms.content.title, "recipient": terms.recipient},
            )
            found = await registrations.find(db, registration_id)
        assert found, "it was submitted in this transaction"
        return found

    async def withdraw(self, registration_id: str, *, by: int) -> None:
        """Take back what was not signed yet; what was pinned is unpinned by its job.

        Raises:
            Refused: not theirs, over, or too late: it is signed.
        """
        view = await self._own(registration_id, by)
        now = self._clock.now()
        states = (*WITHDRAWABLE, RegistrationState.FAILED)
        async with self._work() as tx:
            db, now = tx.db, tx.now
            if not await registrations.move(
                db, registration_id, before=states, after=RegistrationState.WITHDRAWN, now=now
            ):
                found = await registrations.find(db, registration_id)
                raise Refused(_too_late(found.state if found else view.state))
            review = await reviews.find(db, registration_id)
            if review and review.state is ReviewState.OPEN:
                await trail.withdraw(tx, review, by=by)
            await audit.add(
                db,
                action="registration withdrawn",
                subject=registration_id,
                now=now,
                guild_id=view.registration.guild_id,
                actor_id=by,
            )
            await tx.revive(registration_id)

    async def answer(self, registration_id: str, *, by: int, text: str) -> None:
        """Answer what a moderator has asked; raises as `Decisions.answer`."""
        await self._own(registration_id, by)
        await self._decisions.answer(registration_id, by, text)

    async def again(self, registration_id: str, *, by: int, interaction_id: int, channel_id: int) -> DraftView:
        """A new draft that says the same, after the earlier one came to nothing.

        Raises:
            Refused: not theirs, still under way, registered, or the picture is gone.
        """
        self.check_offered()
        view = await self._own(registration_id, by)
        if view.state not in AGAIN:
            raise Refused("This is still under way, or registered already.")
        registration = view.registration
        await self._check_free(registration.sha256)
        async with self._database.read() as db:
            image = await images.find(db, registration.image_id)
            known = await registrations.draft_of(db, image_id=registration.image_id, owner_id=by)
        if known is not None:
            return await self._drafting.view(known)
        if image is None or image.deleted_at is not None:
            raise Refused("This picture is not there any more.")
        origin = Origin(interaction_id, by, registration.guild_id, channel_id, None, nsfw=False)
        new = await self._new(image, origin, job_id(interaction_id), view.details, registration.id)
        return await self._drafting.view(new)

    async def retry(self, registration_id: str, *, by: int, moderator: bool) -> None:
        """Once more what a moderator has approved and something outside has stopped; they approved no less than this.

        Raises:
            Refused: neither the owner nor a moderator, or it has not failed.
        """
        view = await self.views.of(registration_id)
        if view is None or not (moderator or view.registration.owner_id == by):
            raise Refused("Only its owner and the moderators can try this again.")
        now = self._clock.now()
        async with self._work() as tx:
            db, now = tx.db, tx.now
            await self._check_free_in(db, view.registration.sha256)
            if view.registration.approval_id is None or not await registrations.move(
                db,
                registration_id,
                before=(RegistrationState.FAILED,),
                after=RegistrationState.APPROVED,
                now=now,
                tries=view.registration.tries + 1,
                undo_until=now,
                error=None,
            ):
                raise Refused("Only a registration that has failed can be tried again.")
            await audit.add(
                db,
                action="registration tried again",
                subject=registration_id,
                now=now,
                guild_id=view.registration.guild_id,
                actor_id=by,
                seen=view.registration.digest,
            )
            await tx.revive(registration_id)  # its job may be telling of the failure just now

    async def _own(self, registration_id: str, by: int) -> RegistrationView:
        view = await self.views.of(registration_id)
        if view is None:
            raise Refused("There is no such registration.")
        if view.registration.owner_id != by:
            raise Refused(f"Only <@{view.registration.owner_id}>, who submitted this, can do that.")
        return view

    async def _new(
        self, image: Image, origin: Origin, registration_id: str, details: Details, previous_id: str | None
    ) -> Registration:
        path = self._files.path(image.sha256)
        portrait = await self._decoder.run(take_portrait, path)
        preview = await self._files.store(portrait.preview)
        now = self._clock.now()
        new = Registration(
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
            db = tx.db
            await registrations.add(db, new)
        return new

    async def _check_free(self, sha256: str) -> None:
        """
        Raises:
            Refused: these very bytes are registered, or about to be.
        """
        async with self._database.read() as db:
            await self._check_free_in(db, sha256)

    async def _check_free_in(self, db: Connection, sha256: str) -> None:
        """The same in a transaction that changes it."""
        for other in await registrations.with_bytes(db, sha256, states=REGISTERED):
            if other.state is RegistrationState.CONFIRMED and other.ip_id:
                link = self._drafting.network.ip_link(other.ip_id)
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


def _authored(name: str, user_id: int) -> Details:
    try:
        return Details(author=metadata.line(name, "A name", cap=metadata.LONGEST_NAME))
    except Refused:  # made of characters that nobody sees
        return Details(author=f"Discord member {user_id}")


def _question(registration: Registration, digest: str, channel_id: int, now: float) -> Review:
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


async def settle_registration(tx: Transaction, review: Review, *, undo: float = UNDO) -> None:
    """What a decision changes: an approved image is registered when nobody takes that back for `undo` seconds, the
    others are not.
    """
    db, now = tx.db, tx.now
    match review.state:
        case ReviewState.APPROVED:
            after, columns = RegistrationState.APPROVED, {"undo_until": now + undo, "approval_id": review.id}
        case ReviewState.EXPIRED:
            after, columns = RegistrationState.EXPIRED, {}
        case _:
            after, columns = RegistrationState.DENIED, {"error": review.reason}
    await registrations.move(db, review.subject, before=(RegistrationState.SUBMITTED,), after=after, now=now, **columns)
    await tx.wake(review.subject)


async def undo_approval(tx: Transaction, review: Review) -> bool:
    """Take an approval back while nothing is pinned; False when it is too late."""
    undone = await registrations.move(
        tx.db,
        review.subject,
        before=(RegistrationState.APPROVED,),
        after=RegistrationState.SUBMITTED,
        now=tx.now,
        undo_until=None,
        approval_id=None,
    )
    if undone:
        await tx.wake(review.subject)
    return undone
