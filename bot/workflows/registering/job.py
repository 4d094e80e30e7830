"""Registers an approved image: pins its bytes and its metadata, mints and registers in one transaction, reads it back.

The job sleeps while people decide. Each change of state is a compare-and-set, and what must not happen twice is saved
before it happens. The card is a function of the database.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from pydantic import JsonValue

from bot.errors import Broken, MachineTrouble, Refused, Unavailable
from bot.jobs.journal import Journal
from bot.jobs.worker import Later, Park
from bot.jobs.worker import Outcome as JobOutcome
from bot.pinning.pins import Proven
from bot.story import metadata
from bot.story.node.reverts import Duplicate
from bot.story.node.rpc import Unusable
from bot.story.registrar import Registered
from bot.story.sending.types import Reverted
from bot.workflows.base.card_job import CardJob
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Posted
from bot.workflows.base.work import UnitOfWork
from bot.workflows.registering.drafting.terms import mint_of, rehearsal
from bot.workflows.registering.pinned_files import EXTENSIONS, JSON, PinnedFiles, StoredFile
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import (
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
from storage.registering import registrations
from storage.registering.transitions import UNDER_WAY, Event, RegistrationState
from storage.reviewing.reviews import ReviewState

log = logging.getLogger(__name__)

TRIED_AGAIN = 300.0
"""Seconds until the chain is asked again what it would say, where it could not be asked."""
READ_BACK_FOR = 3600.0
"""Seconds for which a registration that cannot be read back is tried again."""
DIFFERS_FOR = 60.0
"""Seconds for which what is read back must differ from what was meant before that is believed: a node may be some
blocks behind, a gateway may hand out a page of its own."""


class RegistrationJob(CardJob[RegistrationView]):
    """The recipe of the jobs of kind `register`. `publishing` is None where registration is not set up (any more)."""

    def __init__(
        self, kit: Kit, *, files: PinnedFiles, views: RegistrationViews, publishing: Publishing | None
    ) -> None:
        super().__init__(kit, noun="registration", load=views.of)
        self._work = kit.work
        self._clock = kit.clock
        self._changed = kit.changed
        self._alarm = kit.alarm
        self._machine = kit.machine
        self._files = files
        self._publishing = publishing
        self._undone_until: dict[str, tuple[float, float]] = {}
        """Of an approval: until when it can be taken back, in Unix seconds and in those of the monotonic clock."""
        self._alarmed: set[str] = set()
        """Ids of the registrations of which the admin knows that they wait."""
        self._read_since: dict[str, float] = {}
        self._differs_since: dict[str, float] = {}

    async def __call__(self, job: Job, step: Journal) -> JobOutcome:
        view = await self.load_view(job.id)
        if view.job.message_id is None:
            await self._put_card(view)
        if view.review:
            await self.settle_question(view.review, view)
        while True:
            view = await self.load_view(job.id)
            try:
                outcome = await self._advance(view, step)
            except Unusable as error:  # it says nothing of this image: an admin mends it, and the image goes on
                await self._alarm_once(job.id, f"Registration `{job.id}` waits: {error}")
                raise Unavailable(str(error), retry_after=120) from error
            except (Refused, Broken) as error:
                if not await self._fail(view, error) and (await self.load_view(job.id)).state is view.state:
                    raise
                continue
            if outcome is not None:
                self._forget(job.id)
                return outcome
            self._changed(job.id)

    async def _advance(self, view: RegistrationView, step: Journal) -> JobOutcome | None:
        """Go one state further; the job's outcome, or None to look again.

        Raises:
            Park, Later, Unavailable: the job has to be run again.
            Refused, Broken: the image cannot be registered in this way.
        """
        match view.state:
            case RegistrationState.SUBMITTED:
                return await self._consult_moderators(view, step)
            case RegistrationState.APPROVED:
                return await self._begin(view, step)
            case RegistrationState.PINNING:
                return await self._pin(view, step)
            case RegistrationState.PINNED:
                return await self._sign(view)
            case RegistrationState.SIGNED:
                return await self._send(view)
            case RegistrationState.SENT:
                return await self._await_final(view)
            case RegistrationState.CONFIRMED:
                return await self._confirm(view, step)
            case _:
                return await self._close(view, step)

    # People.

    async def _consult_moderators(self, view: RegistrationView, step: Journal) -> None:
        """Show the moderators what they have to decide, and sleep until they have decided."""
        if view.dry_run is None:
            await self._try_out(view, step)
            view = await self.load_view(view.registration.id)
            if view.dry_run and view.review and view.review.message_id is not None:
                await self._delivery.decided(view.review, view)
        if view.review and view.review.state is ReviewState.OPEN:
            ask = partial(ask_moderators, self._delivery, self._work, view.review, view)
            await self.ask_once(view.review, view, ask)
        if view.question and view.question.asked_by != view.registration.owner_id:  # nobody is told what they did
            once = str(len(view.talk))
            await self.announce(step, f"question {once}", view, "asked", once)
        await self.show_card(view.registration.id)
        if view.dry_run is None:
            raise Later(TRIED_AGAIN)
        raise Park

    async def _try_out(self, view: RegistrationView, step: Journal) -> None:
        """Ask the chain what it would say. Moderators are asked all the same when it does not answer."""
        try:
            await step(STEP_TRIED, Tried, partial(self._run_dry, view))
        except Unavailable as error:
            log.info("Registration %s could not be tried: %s", view.registration.id, error)

    async def _run_dry(self, view: RegistrationView) -> Tried:
        try:
            run = await self._publishing_for(view).registrar.dry_run(rehearsal(view.terms))
        except Unusable as error:
            raise Unavailable(str(error)) from error
        except (Refused, Broken) as error:
            return Tried(sentence=str(error), fee=None, good=False)
        return Tried(sentence=run.sentence, fee=run.fee, good=True)

    def _find_time_to_undo(self, registration_id: str, until: float) -> float:
        """Seconds for which the approval can be taken back; the wall clock may have been set since it was given."""
        running, left = self._clock.monotonic(), until - self._clock.now()
        if self._undone_until.get(registration_id, (0.0, 0.0))[0] != until:
            if left <= 0:
                return left
            self._undone_until[registration_id] = (until, running + left)
        return self._undone_until[registration_id][1] - running

    async def _begin(self, view: RegistrationView, step: Journal) -> None:
        """Wait until the approval cannot be taken back, then begin with what was approved and nothing else."""
        left = self._find_time_to_undo(view.registration.id, view.registration.undo_until or 0.0)
        if left > 0:
            await self.show_card(view.registration.id)
            raise Later(left)
        self._publishing_for(view)
        approved = view.review is not None and view.review.state is ReviewState.APPROVED
        digests = {view.registration.digest, view.terms.digest, view.review.digest if view.review else None}
        if not approved or len(digests) > 1:
            raise Broken("What was approved is not what was submitted. Nothing was pinned or minted.")
        await self._move(view, Event.BEGIN, action="registration begun")
        await self._show_review(view, step, "decided ")

    async def _show_review(self, view: RegistrationView, step: Journal, name: str) -> None:
        """Show on the moderators' card what has become of the approval, once in each try: nobody can undo it now."""
        view = await self.load_view(view.registration.id)
        if view.review:
            await self.show_decision(step, f"{name}{view.registration.tries}", view.review, view)

    # IPFS.

    async def _pin(self, view: RegistrationView, step: Journal) -> None:
        """Pin the image first, because the metadata name its address, then the very bytes of the metadata."""
        publishing, terms, own = self._publishing_for(view), view.terms, view.registration.id
        media_type = terms.content.media_type
        picture = StoredFile(terms.sha256, f"{own}.{EXTENSIONS[media_type]}", media_type)
        image = await step("image pinned", Proven, partial(self._files.pin, publishing, own, picture))
        built = metadata.build(terms.content, terms.link(image.cid))
        files = await step("serialised", Serialised, partial(self._files.keep_metadata, own, built))
        ip_file = StoredFile(files.ip_metadata, f"{own}-ip.json", JSON)
        nft_file = StoredFile(files.nft_metadata, f"{own}-nft.json", JSON)
        ip = await step("ip pinned", Proven, partial(self._files.pin, publishing, own, ip_file))
        nft = await step("nft pinned", Proven, partial(self._files.pin, publishing, own, nft_file))
        cids = {"image_cid": image.cid, "ip_cid": ip.cid, "nft_cid": nft.cid}
        await self._move(view, Event.PIN, action="registration pinned", details=cids, **cids, **files.model_dump())

    # The chain.

    async def _sign(self, view: RegistrationView) -> None:
        """Sign and save; from the same transaction on it cannot be withdrawn."""
        publishing, mint = self._publishing_for(view), mint_of(view.registration, view.terms)
        registered = await publishing.registrar.existing(mint)
        if registered is not None:
            await self._record(view, registered)
            return
        if self._machine is not None:
            await self._machine.check_room()
        try:
            prepared = await publishing.sender.prepare(await publishing.registrar.call_of(mint))
        except Duplicate as error:
            registered = await publishing.registrar.existing(mint)  # one of ours may have landed since the first look
            if registered is None:
                raise Broken("Somebody else has registered with these very metadata. Nothing was minted.") from error
            await self._record(view, registered)
            return
        async with self._work() as tx:
            if await registrations.move(tx.db, view.registration.id, Event.SIGN, now=tx.now):
                signed = await publishing.sender.sign(tx.db, transaction_id(view.registration), prepared)
                await registrations.update(tx.db, view.registration.id, now=tx.now, tx_hash=signed.tx_hash)
                await _audit(tx, view, "registration signed", {"hash": signed.tx_hash, "nonce": signed.nonce})

    async def _send(self, view: RegistrationView) -> None:
        sender = self._publishing_for(view).sender
        async with self._following(view):
            tx_hash = await sender.broadcast(transaction_id(view.registration))
        await self._move(view, Event.SEND, action="registration sent", tx_hash=tx_hash)

    async def _await_final(self, view: RegistrationView) -> None:
        publishing = self._publishing_for(view)
        async with self._following(view):
            mined = await publishing.sender.await_final(transaction_id(view.registration))
            if isinstance(mined, Reverted):  # these metadata may be registered, by a transaction whose receipt was lost
                registered = await publishing.registrar.existing(mint_of(view.registration, view.terms))
            else:
                registered = await publishing.registrar.outcome(mined)
        if registered is None:
            assert isinstance(mined, Reverted), "what was mined has an outcome"
            raise Broken(f"{mined.sentence} Nothing was minted; the network's fee was paid by the bot's wallet.")
        await self._record(view, registered)

    @asynccontextmanager
    async def _following(self, view: RegistrationView) -> AsyncGenerator[None]:
        """Try again whatever a node says of a signed transaction: only a final block ends it as failed.

        Raises:
            Unavailable: the node refused; the admin was told once.
        """
        try:
            yield
        except (Refused, Broken) as error:
            own = view.registration.id
            await self._alarm_once(own, f"Registration `{own}` is signed and cannot be followed: {error}")
            raise Unavailable(str(error), retry_after=120) from error

    async def _alarm_once(self, registration_id: str, sentence: str) -> None:
        if registration_id not in self._alarmed:
            self._alarmed.add(registration_id)
            await self._alarm(sentence)

    def _forget(self, registration_id: str) -> None:
        """What is remembered of a registration while it is under way."""
        self._alarmed.discard(registration_id)
        self._read_since.pop(registration_id, None)
        self._differs_since.pop(registration_id, None)

    async def _record(self, view: RegistrationView, registered: Registered) -> None:
        """Keep what is on the chain."""
        outcome = Outcome(registered=registered, at=self._clock.now())
        await self._move(
            view,
            Event.CONFIRM,
            action="registration confirmed",
            details={
                "ip_id": registered.ip_id,
                "token_id": str(registered.token_id),
                "hash": registered.tx_hash,
            },
            outcome=outcome.model_dump_json(),
            token_id=str(registered.token_id),
            ip_id=registered.ip_id,
            tx_hash=registered.tx_hash or view.registration.tx_hash,
            confirmed_at=outcome.at,
        )

    # The end.

    async def _confirm(self, view: RegistrationView, step: Journal) -> JobOutcome:
        """Tell its owner, then read everything back; the card has its tick only if all agrees."""
        view = await self._restore_card(view, step)
        await self.announce(step, "registered", view, "registered", "0")
        await self._show_review(view, step, "decided and registered")
        outcome = view.outcome
        assert outcome, "it is confirmed"
        if not outcome.was_read:
            outcome = await self._read_back(view, outcome)
            agrees = None if outcome.unread else outcome.proven
            async with self._work() as tx:
                own = view.registration.id
                await registrations.update(tx.db, own, now=tx.now, outcome=outcome.model_dump_json())
                await _audit(tx, view, "registration read back", {"agrees": agrees})
            if not outcome.proven:
                what = "could not be read back" if outcome.unread else "was read back and does not agree"
                await self._alarm(f"Registration `{view.registration.id}` {what}: see its card.")
        await self.show_card(view.registration.id)
        return JobOutcome(State.DONE, 0)

    async def _read_back(self, view: RegistrationView, outcome: Outcome) -> Outcome:
        """What is there now beside what was meant.

        Raises:
            Unavailable, Unusable: it cannot be read just now, or differs for the first time; look again later.
        """
        own, now = view.registration.id, self._clock.monotonic()
        since = self._read_since.setdefault(own, now)
        try:
            publishing = self._publishing_for(view)
            mint = mint_of(view.registration, view.terms)
            chain = await publishing.registrar.read_back(mint, outcome.registered)
            files = await self._files.read_back(publishing, view.registration)
        except MachineTrouble:
            raise
        except (Unavailable, Unusable) as error:
            if now - since < READ_BACK_FOR:
                raise
            return outcome.model_copy(update={"unread": str(error)})
        except (Refused, Broken) as error:
            return outcome.model_copy(update={"unread": str(error)})
        read = outcome.model_copy(update={"chain": chain, "files": files})
        if not read.proven and now - self._differs_since.setdefault(own, now) < DIFFERS_FOR:
            raise Unavailable("What was read back is not what was meant; it is read again.", retry_after=DIFFERS_FOR)
        return read

    async def _close(self, view: RegistrationView, step: Journal) -> JobOutcome:
        """Denied, withdrawn, expired or failed: take back what was pinned, tell the owner, take the buttons away."""
        state, once = view.state, str(view.registration.tries)
        view = await self._restore_card(view, step)
        if state is not RegistrationState.FAILED:
            await self._files.unpin(self._publishing, view.registration.id)
            await self._files.delete_image(view.registration)
        denied_by_owner = view.review and view.review.decided_by == view.registration.owner_id
        by_themselves = state is RegistrationState.DENIED and denied_by_owner
        if state is not RegistrationState.WITHDRAWN and not by_themselves:  # nobody is told what they did
            await self.announce(step, f"{state} {once}", view, state, once)
        if view.review and view.review.message_id is not None:
            await self.show_decision(step, f"closed {state} {once}", view.review, view)
        cancelled = state in {RegistrationState.WITHDRAWN, RegistrationState.EXPIRED}
        await self.show_card(view.registration.id)
        return JobOutcome(State.CANCELLED if cancelled else State.FAILED, 0, view.registration.error, unless_woken=True)

    async def _fail(self, view: RegistrationView, error: Refused | Broken) -> bool:
        """Let it fail, so that it can be tried again; False where somebody has moved it to another state meanwhile."""
        registration = view.registration
        async with self._work() as tx:
            failed = view.state in UNDER_WAY and await registrations.move(
                tx.db, registration.id, Event.FAIL, now=tx.now, seen=view.state, error=str(error)
            )
            if failed:
                await _audit(tx, view, "registration failed", {"why": str(error)})
        if isinstance(error, Broken):
            log.error("Registration %s failed: %s", registration.id, error, exc_info=error.__cause__)
            await self._alarm(f"Registration `{registration.id}` failed: {error}")
        return failed

    # What all of them need.

    def _publishing_for(self, view: RegistrationView) -> Publishing:
        """What registers on the chain and in the collection that were approved.

        Raises:
            Broken: registration is not set up any more, or for another chain or collection than was approved.
            Unavailable: the same, but a transaction is signed: its outcome is looked for when that is put right.
        """
        publishing, terms = self._publishing, view.terms
        if publishing is None:
            why = "Registration is not set up any more."
        elif (publishing.chain_id, publishing.collection) != (terms.chain_id, terms.collection):
            why = "The bot registers on another network or in another collection by now than was approved."
        else:
            return publishing
        if view.state in {RegistrationState.SIGNED, RegistrationState.SENT, RegistrationState.CONFIRMED}:
            raise Unavailable(
                f"{why} This one is signed already: an admin has to restore the settings.", retry_after=600
            )
        raise Broken(f"{why} Nothing was minted: it has to be submitted again.")

    async def _put_card(self, view: RegistrationView, step: Journal | None = None, name: str = "card") -> None:
        """Post its one card, once under that name of a step. Where Discord refuses that, the job goes on without."""
        post = partial(self._post_card, view)
        sentence = f"The card of your registration `{view.job.id}` could not be posted."
        await self.try_to_post(
            view,
            "card",
            partial(step, name, Posted, post) if step else post,
            f"{sentence} {{}} Use `/show {view.job.id}` where the bot may post.",
        )

    async def _post_card(self, view: RegistrationView) -> Posted:
        posted = await self._delivery.put_card(view)
        async with self._work() as tx:
            await jobs.set_message(
                tx.db, job_id=view.job.id, message_id=posted.message_id, channel_id=posted.channel_id
            )
        return posted

    async def _restore_card(self, view: RegistrationView, step: Journal) -> RegistrationView:
        """Post its card anew where that is gone, before anybody is told of it."""
        registration = view.registration
        await self._put_card(view, step, f"card {view.state} {registration.tries}")
        return await self.load_view(registration.id)

    async def _move(
        self,
        view: RegistrationView,
        event: Event,
        *,
        action: str,
        details: Mapping[str, JsonValue] | None = None,
        **values: object,
    ) -> None:
        """Let `event` happen in the state that was seen. Where somebody was quicker, the next look shows the state."""
        async with self._work() as tx:
            own = view.registration.id
            if await registrations.move(tx.db, own, event, now=tx.now, seen=view.state, **values):
                await _audit(tx, view, action, details)


async def _audit(
    tx: UnitOfWork, view: RegistrationView, action: str, details: Mapping[str, JsonValue] | None = None
) -> None:
    registration = view.registration
    await tx.audit(action, registration.id, guild_id=registration.guild_id, seen=registration.digest, details=details)
