"""Living with finetunes: who may use one, and what its owner, its contributors and the admin can do with it."""

from collections.abc import Collection, Sequence

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import FinetuneRef, MicroUSD
from bot.providers.training import Started
from bot.workflows.base.kit import Kit
from bot.workflows.base.work import Transaction
from bot.workflows.finetuning.consent import draft_again, drop_pictures, fallen_back, question
from bot.workflows.finetuning.drafts import checked_description, checked_name
from bot.workflows.finetuning.sheets import Sheets
from bot.workflows.finetuning.starting import call_back
from bot.workflows.finetuning.training_job import SETTLED, Ordered
from bot.workflows.finetuning.types import FinetuneView, Progress
from bot.workflows.finetuning.views import FinetuneViews
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs, ledger, queue, steps
from storage.base.jobs import State
from storage.community import communities
from storage.database import Connection
from storage.finetuning import finetunes, training_images
from storage.finetuning.finetunes import FinetuneState, Share, Visibility
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

MOST_SHARES = 20


class Finetunes:
    """The verbs on finetunes that are there. Who presses is told by the caller, and checked here."""

    def __init__(self, kit: Kit, *, views: FinetuneViews, sheets: Sheets) -> None:
        self._sheets = sheets
        self._files = kit.files
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self._signals = kit.signals
        self.views = views

    async def usable(self, finetune_id: str, *, guild_id: int, user_id: int, roles: Sequence[int]) -> FinetuneView:
        """A finetune that this member may draw with at this moment.

        Raises:
            Refused: it is not ready, frozen, gone, or not shared with them.
        """
        async with self._database.read() as db:
            may = await finetunes.may_use(db, finetune_id, user_id=user_id, roles=roles)
        view = await self.views.of(finetune_id)
        if view is None or view.finetune.guild_id != guild_id or not may:
            raise Refused("There is no such finetune here, or it is not shared with you.")
        name = view.finetune.name
        if view.finetune.frozen_at is not None:
            raise Refused(f"“{name}” is frozen: somebody has withdrawn their pictures, and a moderator has to decide.")
        match view.finetune.state:
            case FinetuneState.READY:
                return view
            case FinetuneState.EXPIRED:
                raise Refused(f"“{name}” has expired at its trainer. Its owner can train it again.")
            case _:
                raise Refused(f"“{name}” is not ready yet.")

    async def rename(self, view: FinetuneView, *, by: int, name: str | None, description: str | None) -> None:
        """Change the name, or the description that is put into prompts.

        Raises:
            Refused: not the owner, or the name is taken.
        """
        self._check_owner(view, by)
        now = self._clock.now()
        async with self._work() as tx:
            db, now = tx.db, tx.now
            await self._check_there(db, view)
            if name is not None and not await finetunes.rename(db, view.finetune.id, name=checked_name(name), now=now):
                raise Refused(f"This server has a finetune called “{checked_name(name)}” already.")
            if description is not None:
                await finetunes.update(db, view.finetune.id, now=now, description=checked_description(description))

    async def share(
        self, view: FinetuneView, *, by: int, visibility: Visibility, shares: Collection[Share] = ()
    ) -> None:
        """Decide who may draw with it, in place of what was decided before.

        Raises:
            Refused: not the owner, or more than 20 members and roles.
        """
        self._check_owner(view, by)
        if len(shares) > MOST_SHARES:
            raise Refused(f"A finetune is shared with at most {MOST_SHARES} members and roles, or with everybody.")
        async with self._work() as tx:
            db = tx.db
            await self._check_there(db, view)
            await finetunes.share(db, view.finetune.id, visibility, list(shares))

    async def keep(self, view: FinetuneView, *, by: int, model: str | None, strength: float | None) -> None:
        """Make a model or a strength the usual one.

        Raises:
            Refused: not the owner, or the model does not draw with it, or has no such strength.
        """
        self._check_owner(view, by)
        columns: dict[str, object] = {}
        if model is not None:
            if model not in view.trainer.models:
                raise Refused("That model does not draw with this finetune.")
            columns["model"] = model
        if strength is not None:
            parameter = catalogue.find(model or view.finetune.model or view.trainer.models[0]).parameter(
                "finetune_strength"
            )
            if parameter is None:
                raise Refused(f"{view.trainer.label} has no strength to set.")
            columns["strength"] = parameter.read(strength)
        async with self._work() as tx:
            db, now = tx.db, tx.now
            await self._check_there(db, view)
            await finetunes.update(db, view.finetune.id, now=now, **columns)

    async def delete(self, view: FinetuneView, *, by: int, moderator: bool = False) -> None:
        """Delete it here and, by the worker, at its provider. Nobody can draw with it from now on.

        Raises:
            Refused: neither the owner nor a moderator, or its training was ordered and is not over.
        """
        if not moderator:
            self._check_owner(view, by)
        finetune_id, now = view.finetune.id, self._clock.now()
        async with self._work() as tx:
            db, now = tx.db, tx.now
            await queue.cancel_waiting(db, job_id=finetune_id, now=now)
            if await queue.has_unfinished(db, parent_id=finetune_id):
                raise Refused("It is being trained just now, which nobody can stop. Delete it when that is over.")
            await remove(tx, finetune_id, by=by)

    async def train_again(self, view: FinetuneView, *, by: int) -> None:
        """Go back to the draft of a finetune that expired, with all its pictures.

        Raises:
            Refused: not the owner, or it has not expired.
        """
        self._check_owner(view, by)
        async with self._work() as tx:
            db, now = tx.db, tx.now
            if not await finetunes.move(
                db,
                view.finetune.id,
                before=(FinetuneState.EXPIRED,),
                after=FinetuneState.DRAFT,
                now=now,
            ):
                raise Refused("Only a finetune that has expired can be trained again.")
            await finetunes.update(
                db, view.finetune.id, now=now, ref=None, ready_at=None, expires_at=None, progress=None
            )
            await draft_again(tx, view.finetune.id)
            await tx.wake(view.finetune.id)

    async def withdraw(self, view: FinetuneView, *, by: int) -> int:
        """Take back what a contributor gave; how many pictures that were.

        From a draft they are removed at once, and a training that has not left for its trainer goes back to its draft.
        What was trained on cannot be taken out of a model: it is frozen until a moderator has decided.

        Raises:
            Refused: none of its pictures is theirs.
        """
        finetune = view.finetune
        async with self._work() as tx:
            db, now = tx.db, tx.now
            if await self._call_back_untrained(tx, finetune.id):
                removed = await training_images.remove_of(db, finetune.id, contributor_id=by)
                if removed:
                    await drop_pictures(tx, finetune.id, removed)
                count = len(removed)
            else:
                count = await training_images.withdraw(db, finetune.id, contributor_id=by, now=now)
                if count:
                    await finetunes.freeze(db, finetune.id, by=by, now=now)
                    community = await communities.find(db, finetune.guild_id)
                    channel_id = community.review_channel_id or view.job.channel_id
                    asked = question(view, by=by, channel_id=channel_id, count=count, now=now)
                    if not await reviews.add(db, asked):
                        raise Refused("Please try again in a second.")
            if not count:
                raise Refused("None of its pictures is yours.")
            await tx.wake(finetune.id)
        await self._sheets.draw(finetune.id)
        return count

    async def _call_back_untrained(self, tx: Transaction, finetune_id: str) -> bool:
        """Whether nothing was trained with its pictures; what only waits to be ordered is called back for that."""
        finetune = await finetunes.find(tx.db, finetune_id)
        if finetune is not None and finetune.state in {FinetuneState.ASKING, FinetuneState.TRAINING}:
            await call_back(tx, finetune_id, by=finetune.owner_id)
            finetune = await finetunes.find(tx.db, finetune_id)
        return finetune is not None and finetune.state is FinetuneState.DRAFT

    async def settle(
        self, job_id: str, *, by: int, charged: MicroUSD | None, reference: str | None, refunded: MicroUSD | None
    ) -> None:
        """Put down what the admin has found out at a provider about a job whose outcome is unknown.

        `reference` is the finetune's id (or trigger word) there, where a training turns out to have been taken: the
        bot goes on waiting for it.

        Raises:
            Refused: there is no such job, or nothing about it is unknown.
        """
        if charged is not None and reference is not None:
            raise Refused("Give either what it was charged, or where it is: what it costs is known when it is over.")
        async with self._work() as tx:
            db, now = tx.db, tx.now
            job = await jobs.find(db, job_id)
            if job is None or job.parent_id is None:
                raise Refused(
                    f"There is no job `{job_id[:20]}`: give the id of a picture or a training, like `3k9x2f-1`."
                )
            note = f"by the admin {by}"
            if refunded is not None and not await ledger.refund(db, job_id=job.id, amount=refunded, now=now, note=note):
                raise Refused("This job was never ordered, or its refund is put down already.")
            if charged is not None:
                if job.state.ended and job.cost_actual is None:
                    await ledger.charge(db, job_id=job.id, amount=charged, now=now, note=note)
                    await jobs.set_cost(db, job_id=job.id, cost=charged)
                    await self._settled(tx, job.parent_id)
                else:
                    raise Refused("What this job has cost is known already.")
            if reference is not None:
                await self._reopen(db, job_id, reference.strip(), now)
                tx.wake_worker()

    async def _settled(self, tx: Transaction, finetune_id: str) -> None:
        """Go back to the draft where nothing about a finetune is unknown any more."""
        db, now = tx.db, tx.now
        if await fallen_back(db, finetune_id) is FinetuneState.DRAFT:
            before, after = (FinetuneState.UNKNOWN,), FinetuneState.DRAFT
            if await finetunes.move(db, finetune_id, before=before, after=after, now=now):
                await finetunes.update(db, finetune_id, now=now, ref=None, progress=None)
                await draft_again(tx, finetune_id)
        await tx.wake(finetune_id)

    async def _reopen(self, db: Connection, job_id: str, reference: str, now: float) -> None:
        """Go on waiting for the newest training, which turned out to have been taken."""
        job = await jobs.find(db, job_id)
        view = await self.views.read(db, job.parent_id) if job and job.parent_id else None
        newest = view.training if view else None
        unknown = job is not None and job.state is State.UNKNOWN and job.cost_actual is None
        if view is None or newest is None or newest.id != job_id or not unknown or not reference:
            raise Refused("Only the newest training of a finetune can be found again, while its outcome is unknown.")
        if not await finetunes.move(
            db, view.finetune.id, before=(FinetuneState.UNKNOWN,), after=FinetuneState.TRAINING, now=now
        ):
            raise Refused("This finetune is not waiting for anybody to find out what became of it.")
        ref = FinetuneRef(
            provider=view.trainer.provider,
            remote_id=reference,
            region=view.spec.region,
            trigger=reference if view.trainer.prefix else _phrase(view),
            option=view.trainer.option,
        )
        ordered = Ordered(started=Started(ref=ref), at=now)
        await steps.settle(db, job_id=job_id, name=SETTLED, result=ordered.model_dump_json(), now=now)
        await queue.reopen(db, job_id=job_id, now=now)
        await finetunes.update(db, view.finetune.id, now=now, ref=None, progress=Progress().model_dump_json())

    async def _check_there(self, db: Connection, view: FinetuneView) -> None:
        """Again, in the transaction that changes it.

        Raises:
            Refused: it was deleted meanwhile.
        """
        found = await finetunes.find(db, view.finetune.id)
        if found is None or found.deleted_at is not None:
            raise Refused("This finetune is deleted.")

    def _check_owner(self, view: FinetuneView, by: int) -> None:
        if view.finetune.state is FinetuneState.DELETED:
            raise Refused("This finetune is deleted.")
        if view.finetune.owner_id != by:
            raise Refused(f"Only <@{view.finetune.owner_id}>, who made this finetune, can do that.")


async def remove(
    tx: Transaction, finetune_id: str, *, by: int, before: Collection[FinetuneState] | None = None
) -> bool:
    """Mark a finetune deleted, and have its files and its provider seen to; False where it is not `before` any more."""
    db, now = tx.db, tx.now
    states = before or [state for state in FinetuneState if state is not FinetuneState.DELETED]
    if not await finetunes.move(db, finetune_id, before=list(states), after=FinetuneState.DELETED, now=now):
        return False
    await queue.cancel_waiting(db, job_id=finetune_id, now=now)
    for review in await reviews.open_about(db, finetune_id):
        await withdraw(tx, review, by=by)
    await finetunes.update(db, finetune_id, now=now, deleted_at=now, deleted_by=by)
    await tx.wake(finetune_id)
    return True


async def settle_consent(tx: Transaction, review: Review) -> None:
    """A contributor has withdrawn: approved keeps the finetune, denied deletes it; else it stays frozen.

    Where several have, it is frozen until the last of them is decided.
    """
    if review.state is ReviewState.APPROVED:
        others = await reviews.open_about(tx.db, review.subject)
        if not any(other.kind == review.kind for other in others):
            await finetunes.unfreeze(tx.db, review.subject)
        await tx.wake(review.subject)
    elif review.state is ReviewState.DENIED:
        await remove(tx, review.subject, by=review.decided_by or 0)


async def object_to_consent(db: Connection, review: Review, user_id: int) -> str | None:
    """Why this person may not decide on a withdrawn consent, though they are a moderator."""
    finetune = await finetunes.find(db, review.subject)
    if finetune is not None and finetune.owner_id == user_id:
        return "Nobody decides whether their own finetune is kept. Another moderator has to."
    return None


def _phrase(view: FinetuneView) -> str:
    return f"{view.spec.trigger} {view.spec.class_name}" if view.trainer.class_needed else view.spec.trigger
