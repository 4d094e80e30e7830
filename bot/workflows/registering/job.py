"""Registers an approved image: pins its bytes and its metadata, mints and registers in one transaction, reads it back.

A job that sleeps while people decide; each change of state is a compare-and-set, and what must not happen twice is
saved before it happens. Its card follows from what the database says.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from pydantic import JsonValue

from bot.errors import Broken, Refused, Unavailable
from bot.jobs.journal import Journal
from bot.jobs.worker import Later, Park
from bot.jobs.worker import Outcome as JobOutcome
from bot.pinning.pins import Proven
from bot.story import metadata
from bot.story.node.reverts import Duplicate
from bot.story.registrar import Registered
from bot.story.sending.sender import Reverted
from bot.values import Frozen
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Posted
from bot.workflows.registering.drafts import mint_of, rehearsal
from bot.workflows.registering.pinned_files import EXTENSIONS, JSON, PinnedFiles, StoredFile
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import (
    STEP_CARD,
    STEP_TRIED,
    Outcome,
    RegistrationView,
    Serialised,
    Tried,
)
from bot.workflows.registering.views import RegistrationViews, transaction_id
from bot.workflows.reviewing.questions import ask_moderators
from storage.base import jobs
from storage.base.jobs import Job, State
from storage.database import Connection
from storage.registering import registrations
from storage.registering.registrations import UNDER_WAY, RegistrationState
from storage.reviewing import audit
from storage.reviewing.reviews import Review, ReviewState

log = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds until a card that could not be edited is edited again."""
TRIED_AGAIN = 300.0
"""Seconds until the chain is asked again what it would say, where it could not be asked."""
READ_BACK_FOR = 3600.0
"""Seconds after its confirmation for which a registration that cannot be read back is tried again."""


class Shown(Frozen):
    """That the moderators' card was brought up to date once; a later look may do better."""

    shown: bool


class Register:
    """The recipe of the jobs of kind `register`. `publishing` is None where registration is not set up (any more)."""

    def __init__(
        self, kit: Kit, *, files: PinnedFiles, views: RegistrationViews, publishing: Publishing | None
    ) -> None:
        """`changed` is told a registration whose card may say something else while its job goes on."""
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self._files = files
        self._views = views
        self._delivery = kit.delivery
        self._publishing = publishing
        self._changed = kit.changed
        self._alarm = kit.alarm
        self._told: set[str] = set()

    async def __call__(self, job: Job, step: Journal) -> JobOutcome:
        await step(STEP_CARD, Posted, partial(self._put_card, job.id))
        while True:
            view = await self._seen(job.id)
            try:
                ended = await self._advance(view, step)
            except (Refused, Broken) as error:
                if not await self._fail(view, error) and (await self._seen(job.id)).state is view.state:
                    raise
                continue
            if ended is not None:
                return ended
            self._changed(job.id)

    async def _advance(self, view: RegistrationView, step: Journal) -> JobOutcome | None:
        """One state further; the end, or None to look again.

        Raises:
            Park, Later, Unavailable: to be run again.
            Refused, Broken: it cannot be registered so.
        """
        match view.state:
            case RegistrationState.SUBMITTED:
                return await self._consult(view, step)
            case RegistrationState.APPROVED:
                return await self._begin(view, step)
            case RegistrationState.PINNING:
                return await self._pin(view, step)
            case RegistrationState.PINNED:
                return await self._sign(view)
            case RegistrationState.SIGNED:
                return await self._send(view)
            case RegistrationState.SENT:
                return await self._settle(view)
            case RegistrationState.CONFIRMED:
                return await self._confirm(view, step)
            case _:
                return await self._close(view, step)

    # People.

    async def _consult(self, view: RegistrationView, step: Journal) -> None:
        """Show the moderators what they have to decide, and sleep until they have."""
        if view.dry_run is None:
            await self._try(view, step)
            view = await self._seen(view.registration.id)
            if view.dry_run and view.review and view.review.message_id is not None:
                await self._delivery.decided(view.review, view)
        if view.review and view.review.state is ReviewState.OPEN:
            await self._quietly(
                step,
                f"asked {view.review.id}",
                partial(ask_moderators, self._delivery, self._database, view.review, view),
            )
        if view.question:
            once = str(len(view.talk))
            await self._quietly(step, f"question {once}", partial(self._delivery.announce, view, "asked", once))
        await self._show(view)
        if view.dry_run is None:
            raise Later(TRIED_AGAIN)
        raise Park

    async def _try(self, view: RegistrationView, step: Journal) -> None:
        """What the chain would say. Moderators are asked all the same when it cannot be reached."""
        try:
            await step(STEP_TRIED, Tried, lambda: self._tried(view))
        except Unavailable as error:
            log.info("Registration %s could not be tried: %s", view.registration.id, error)

    async def _tried(self, view: RegistrationView) -> Tried:
        try:
            run = await self._there(view).registrar.dry_run(rehearsal(view.terms))
        except (Refused, Broken) as error:
            return Tried(sentence=str(error), fee=None, good=False)
        return Tried(sentence=run.sentence, fee=run.fee, good=True)

    async def _begin(self, view: RegistrationView, step: Journal) -> None:
        """Wait until the approval cannot be taken back, then begin with what was approved and nothing else."""
        until, now = view.registration.undo_until or 0.0, self._clock.now()
        if now < until:
            await self._show(view)
            raise Later(until - now)
        self._there(view)
        approved = view.review is not None and view.review.state is ReviewState.APPROVED
        digests = {view.registration.digest, view.terms.digest, view.review.digest if view.review else None}
        if not approved or len(digests) > 1:
            raise Broken("What was approved is not what was submitted. Nothing was pinned or minted.")
        await self._move(view, RegistrationState.APPROVED, RegistrationState.PINNING, note="registration begun")
        await self._show_decided(view, step)

    async def _show_decided(self, view: RegistrationView, step: Journal, since: str = "") -> None:
        """Take the moderators' buttons away: nothing can be undone from here on; and show what has come of it `since`.
        Cosmetic, and done once each.
        """
        fresh = await self._seen(view.registration.id)
        if fresh.review:
            await step(f"decided {since}{fresh.registration.tries}", Shown, partial(self._decided, fresh.review, fresh))

    async def _decided(self, review: Review, view: RegistrationView) -> Shown:
        return Shown(shown=await self._delivery.decided(review, view))

    # IPFS.

    async def _pin(self, view: RegistrationView, step: Journal) -> None:
        """The image first, because the metadata name its address; then these, as the very bytes that are hashed."""
        there, terms, own = self._there(view), view.terms, view.registration.id
        kind = terms.content.media_type
        picture = StoredFile(terms.sha256, f"{own}.{EXTENSIONS[kind]}", kind)
        image = await step("image pinned", Proven, partial(self._files.pin, there, own, picture))
        made = metadata.build(terms.content, terms.link(image.cid))
        files = await step("serialised", Serialised, partial(self._files.keep_metadata, own, made))
        ip_file = StoredFile(files.ip_metadata, f"{own}-ip.json", JSON)
        nft_file = StoredFile(files.nft_metadata, f"{own}-nft.json", JSON)
        ip = await step("ip pinned", Proven, partial(self._files.pin, there, own, ip_file))
        nft = await step("nft pinned", Proven, partial(self._files.pin, there, own, nft_file))
        await self._move(
            view,
            RegistrationState.PINNING,
            RegistrationState.PINNED,
            note="registration pinned",
            image_cid=image.cid,
            ip_metadata=files.ip_metadata,
            ip_cid=ip.cid,
            nft_metadata=files.nft_metadata,
            nft_cid=nft.cid,
        )

    # The chain.

    async def _sign(self, view: RegistrationView) -> None:
        """Sign and save; in the same transaction it can no more be withdrawn."""
        there, mint = self._there(view), mint_of(view.registration, view.terms)
        known = await there.registrar.existing(mint)
        if known is not None:
            await self._registered(view, RegistrationState.PINNED, known)
            return
        try:
            prepared = await there.sender.prepare(await there.registrar.call_of(mint))
        except Duplicate as error:
            known = await there.registrar.existing(mint)  # one of ours may have landed since the first look
            if known is None:
                raise Broken("Somebody else has registered with these very metadata. Nothing was minted.") from error
            await self._registered(view, RegistrationState.PINNED, known)
            return
        now = self._clock.now()
        async with self._work() as tx:
            db, now = tx.db, tx.now
            moved = await registrations.move(
                db,
                view.registration.id,
                before=(RegistrationState.PINNED,),
                after=RegistrationState.SIGNED,
                now=now,
            )
            if moved:
                signed = await there.sender.sign(db, transaction_id(view.registration), prepared)
                await registrations.update(db, view.registration.id, now=now, tx_hash=signed.tx_hash)
                await self._write_down(db, view, "registration signed", {"hash": signed.tx_hash, "nonce": signed.nonce})

    async def _send(self, view: RegistrationView) -> None:
        sender = self._there(view).sender
        async with self._underway(view):
            tx_hash = await sender.broadcast(transaction_id(view.registration))
        await self._move(
            view, RegistrationState.SIGNED, RegistrationState.SENT, note="registration sent", tx_hash=tx_hash
        )

    async def _settle(self, view: RegistrationView) -> None:
        there = self._there(view)
        async with self._underway(view):
            mined = await there.sender.await_final(transaction_id(view.registration))
            if isinstance(mined, Reverted):  # these metadata may be registered, by a transaction whose receipt was lost
                known = await there.registrar.existing(mint_of(view.registration, view.terms))
            else:
                known = await there.registrar.outcome(mined)
        if known is None:
            assert isinstance(mined, Reverted), "what was mined has an outcome"
            raise Broken(f"{mined.sentence} Nothing was minted; the network's fee was paid by the bot's wallet.")
        await self._registered(view, RegistrationState.SENT, known)

    @asynccontextmanager
    async def _underway(self, view: RegistrationView) -> AsyncGenerator[None]:
        """What is signed may land whatever a node says: nothing but the chain's own word ends it as failed."""
        try:
            yield
        except (Refused, Broken) as error:
            if view.registration.id not in self._told:
                self._told.add(view.registration.id)
                await self._alarm(f"Registration `{view.registration.id}` is signed and cannot be followed: {error}")
            raise Unavailable(str(error), retry_after=120) from error

    async def _registered(self, view: RegistrationView, before: RegistrationState, found: Registered) -> None:
        outcome = Outcome(registered=found, at=self._clock.now())
        await self._move(
            view,
            before,
            RegistrationState.CONFIRMED,
            note="registration confirmed",
            about={"ip_id": found.ip_id, "token_id": str(found.token_id), "hash": found.tx_hash},
            outcome=outcome.model_dump_json(),
            token_id=str(found.token_id),
            ip_id=found.ip_id,
            confirmed_at=outcome.at,
            **({"tx_hash": found.tx_hash} if found.tx_hash else {}),
        )

    # The end.

    async def _confirm(self, view: RegistrationView, step: Journal) -> JobOutcome:
        """Tell its owner, then read everything back; the card has its tick only if all agrees."""
        view = await self._with_card(view, step)
        await self._quietly(step, "registered", partial(self._delivery.announce, view, "registered", "0"))
        await self._show_decided(view, step, "and registered")
        outcome = view.outcome
        assert outcome, "it is confirmed"
        if outcome.chain is None and outcome.unread is None:
            outcome = await self._read_back(view, outcome)
            async with self._work() as tx:
                db, now = tx.db, tx.now
                await registrations.update(db, view.registration.id, now=now, outcome=outcome.model_dump_json())
                await self._write_down(
                    db, view, "registration read back", {"agrees": None if outcome.unread else outcome.proven}
                )
            view = await self._seen(view.registration.id)
            if not outcome.proven:
                what = "could not be read back" if outcome.unread else "was read back and does not agree"
                await self._alarm(f"Registration `{view.registration.id}` {what}: see its card.")
        return await self._over(view, JobOutcome(State.DONE, 0))

    async def _read_back(self, view: RegistrationView, outcome: Outcome) -> Outcome:
        try:
            there = self._there(view)
            chain = await there.registrar.read_back(mint_of(view.registration, view.terms), outcome.registered)
            return outcome.model_copy(
                update={"chain": chain, "files": await self._files.read_back(there, view.registration)}
            )
        except (Refused, Broken) as error:
            return outcome.model_copy(update={"unread": str(error)})
        except Unavailable as error:
            if self._clock.now() - outcome.at < READ_BACK_FOR:
                raise
            return outcome.model_copy(update={"unread": str(error)})

    async def _close(self, view: RegistrationView, step: Journal) -> JobOutcome:
        """Denied, withdrawn, expired or failed: take back what was pinned, tell the owner, take the buttons away."""
        state, once = view.state, str(view.registration.tries)
        view = await self._with_card(view, step)
        if state is not RegistrationState.FAILED:
            await self._files.unpin(self._publishing, view.registration.id)
            await self._files.forget(view.registration)
        about = {
            RegistrationState.DENIED: "denied",
            RegistrationState.EXPIRED: "expired",
            RegistrationState.FAILED: "failed",
        }.get(state)
        if about:
            await self._quietly(step, f"{about} {once}", partial(self._delivery.announce, view, about, once))
        if view.review and view.review.message_id is not None:
            await step(f"closed {state} {once}", Shown, partial(self._decided, view.review, view))
        ends = {RegistrationState.WITHDRAWN: State.CANCELLED, RegistrationState.EXPIRED: State.CANCELLED}
        end = JobOutcome(ends.get(state, State.FAILED), 0, view.registration.error, unless_woken=True)
        return await self._over(view, end)

    async def _over(self, view: RegistrationView, outcome: JobOutcome) -> JobOutcome:
        await self._show(view)
        return outcome

    async def _fail(self, view: RegistrationView, error: Refused | Broken) -> bool:
        """It cannot be registered so, and can be tried again; False where somebody has taken it elsewhere meanwhile."""
        registration = view.registration
        async with self._work() as tx:
            db = tx.db
            failed = view.state in UNDER_WAY and await registrations.move(
                db,
                registration.id,
                before=(view.state,),
                after=RegistrationState.FAILED,
                now=self._clock.now(),
                error=str(error),
            )
            if failed:
                await self._write_down(db, view, "registration failed", {"why": str(error)})
        if isinstance(error, Broken):
            log.error("Registration %s failed: %s", registration.id, error, exc_info=error.__cause__)
            await self._alarm(f"Registration `{registration.id}` failed: {error}")
        return failed

    # What all of them need.

    def _there(self, view: RegistrationView) -> Publishing:
        """
        Raises:
            Broken: registration is not set up any more, or for another chain or collection than was approved.
            Unavailable: so it is, but a transaction is signed: what becomes of it is found out when that is put right.
        """
        there, terms = self._publishing, view.terms
        if there is None:
            why = "Registration is not set up any more."
        elif (there.chain_id, there.collection) != (terms.chain_id, terms.collection):
            why = "The bot registers on another network or in another collection by now than was approved."
        else:
            return there
        if view.state in {RegistrationState.SIGNED, RegistrationState.SENT, RegistrationState.CONFIRMED}:
            raise Unavailable(
                f"{why} This one is signed already: an admin has to restore the settings.", retry_after=600
            )
        raise Broken(f"{why} Nothing was minted: it has to be submitted again.")

    async def _seen(self, registration_id: str) -> RegistrationView:
        view = await self._views.of(registration_id)
        if view is None:
            raise Broken("This registration has lost its row.")
        return view

    async def _put_card(self, registration_id: str) -> Posted:
        """Its one card; without one where the bot may not post there any more, and the rest goes on."""
        view = await self._seen(registration_id)
        try:
            posted = await self._delivery.put_card(view)
        except (Refused, Broken) as error:
            log.warning("Registration %s has no card: %s", registration_id, error)
            return Posted(message_id=0, channel_id=view.job.channel_id)
        async with self._work() as tx:
            db = tx.db
            await jobs.set_message(
                db, job_id=registration_id, message_id=posted.message_id, channel_id=posted.channel_id
            )
        return posted

    async def _with_card(self, view: RegistrationView, step: Journal) -> RegistrationView:
        """Post its card anew where that is gone, before anybody is told of it."""
        registration = view.registration
        await step(f"card {view.state} {registration.tries}", Posted, partial(self._put_card, registration.id))
        return await self._seen(registration.id)

    async def _show(self, view: RegistrationView) -> None:
        """Bring the card up to date before the job sleeps or ends: nobody else mends an edit that was cut off."""
        if not await self._delivery.show(await self._seen(view.registration.id)):
            raise Later(RETRY)

    async def _quietly(self, step: Journal, name: str, post: Callable[[], Awaitable[Posted]]) -> None:
        """Post once; where the bot may not post, the rest goes on: the card and `/review` still tell."""
        try:
            await step(name, Posted, post)
        except (Refused, Broken) as error:
            log.warning("Nobody could be told of %r: %s", name, error)

    async def _move(
        self,
        view: RegistrationView,
        before: RegistrationState,
        after: RegistrationState,
        *,
        note: str,
        about: Mapping[str, JsonValue] | None = None,
        **columns: object,
    ) -> None:
        """One state further, unless somebody was quicker; the next look finds where it is then."""
        async with self._work() as tx:
            db, now = tx.db, tx.now
            if await registrations.move(db, view.registration.id, before=(before,), after=after, now=now, **columns):
                cids = {name: str(value) for name, value in columns.items() if name.endswith("_cid")}
                await self._write_down(db, view, note, {**cids, **(about or {})})

    async def _write_down(
        self, db: Connection, view: RegistrationView, action: str, about: Mapping[str, JsonValue]
    ) -> None:
        await audit.add(
            db,
            action=action,
            subject=view.registration.id,
            now=self._clock.now(),
            guild_id=view.registration.guild_id,
            seen=view.registration.digest,
            details=about,
        )
