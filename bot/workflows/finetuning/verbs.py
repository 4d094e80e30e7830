"""Who may use a finetune, and what its owner, its contributors and the admin can do with it."""

from collections.abc import Collection, Sequence

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import FinetuneRef, MicroUSD
from bot.providers.training import Started
from bot.workflows.base.kit import Kit
from bot.workflows.base.work import UnitOfWork
from bot.workflows.finetuning.consent import ask_to_keep, drop_pictures, return_to_draft
from bot.workflows.finetuning.drafts import check_description, check_name
from bot.workflows.finetuning.sheets import ContactSheets
from bot.workflows.finetuning.starting import call_back
from bot.workflows.finetuning.training_job import SETTLED, Ordered
from bot.workflows.finetuning.types import STRENGTH, FinetuneView, Progress, usual_model
from bot.workflows.finetuning.views import FinetuneViews
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs, ledger, queue, steps
from storage.base.jobs import Job, State
from storage.community import communities
from storage.database import Connection
from storage.finetuning import finetunes, training_images
from storage.finetuning.finetunes import Share, Visibility
from storage.finetuning.transitions import Event, FinetuneState
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

MOST_SHARES = 20


class Finetunes:
    """The verbs on finetunes. `by` is the member who presses; whether they may is checked here."""

    def __init__(self, kit: Kit, *, views: FinetuneViews, sheets: ContactSheets) -> None:
        self._work = kit.work
        self._sheets = sheets
        self.views = views

    async def usable(self, finetune_id: str, *, guild_id: int, user_id: int, roles: Sequence[int]) -> FinetuneView:
        """A finetune that this member may draw with at this moment.

        Raises:
            Refused: it is not ready, frozen, gone, or not shared with them.
        """
        async with self._work.read() as db:
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

    async def may_use(self, finetune_id: str, *, user_id: int, roles: Sequence[int]) -> bool:
        """Whether a member may draw with it: it is theirs, or shared with them, one of their roles or all."""
        async with self._work.read() as db:
            return await finetunes.may_use(db, finetune_id, user_id=user_id, roles=roles)

    async def rename(self, view: FinetuneView, *, by: int, name: str | None, description: str | None) -> None:
        """Change the name, or the description that is put into prompts.

        Raises:
            Refused: not the owner, or the name is taken.
        """
        self._check_owner(view, by)
        finetune_id, new_name = view.finetune.id, check_name(name) if name is not None else None
        async with self._work() as tx:
            await _check_not_deleted(tx, view)
            if new_name is not None and not await finetunes.rename(tx.db, finetune_id, name=new_name, now=tx.now):
                raise Refused(f"This server has a finetune called “{new_name}” already.")
            if description is not None:
                await finetunes.update(tx.db, finetune_id, now=tx.now, description=check_description(description))

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
            await _check_not_deleted(tx, view)
            await finetunes.share(tx.db, view.finetune.id, visibility, list(shares))

    async def keep(self, view: FinetuneView, *, by: int, model: str | None, strength: float | None) -> None:
        """Make a model or a strength the usual one.

        Raises:
            Refused: not the owner, or the model does not draw with it, or has no such strength.
        """
        self._check_owner(view, by)
        values: dict[str, object] = {}
        if model is not None:
            if model not in view.trainer.models:
                raise Refused("That model does not draw with this finetune.")
            values["model"] = model
        if strength is not None:
            parameter = catalogue.find(model or usual_model(view)).parameter(STRENGTH)
            if parameter is None:
                raise Refused(f"{view.trainer.label} has no strength to set.")
            values["strength"] = parameter.read(strength)
        async with self._work() as tx:
            await _check_not_deleted(tx, view)
            await finetunes.update(tx.db, view.finetune.id, now=tx.now, **values)

    async def delete(self, view: FinetuneView, *, by: int, moderator: bool = False) -> None:
        """Delete it here and, by the worker, at its provider. Nobody can draw with it from now on.

        Raises:
            Refused: neither the owner nor a moderator, or its training was ordered and is not over.
        """
        if not moderator:
            self._check_owner(view, by)
        finetune_id = view.finetune.id
        async with self._work() as tx:
            await queue.cancel_waiting(tx.db, job_id=finetune_id, now=tx.now)
            if await queue.has_unfinished(tx.db, parent_id=finetune_id):
                raise Refused("It is being trained just now, which nobody can stop. Delete it when that is over.")
            await remove(tx, finetune_id, Event.DELETE, by=by)

    async def train_again(self, view: FinetuneView, *, by: int) -> None:
        """Go back to the draft of a finetune that expired, with all its pictures.

        Raises:
            Refused: not the owner, or it has not expired.
        """
        self._check_owner(view, by)
        async with self._work() as tx:
            if not await return_to_draft(tx, view.finetune.id, Event.RENEW):
                raise Refused("Only a finetune that has expired can be trained again.")
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
            if await _call_back_untrained(tx, finetune.id):
                removed = await training_images.remove_of(tx.db, finetune.id, contributor_id=by)
                if removed:
                    await drop_pictures(tx, finetune.id, removed)
                count = len(removed)
            else:
                count = await training_images.withdraw(tx.db, finetune.id, contributor_id=by, now=tx.now)
                if count:
                    await finetunes.freeze(tx.db, finetune.id, by=by, now=tx.now)
                    community = await communities.find(tx.db, finetune.guild_id)
                    channel_id = community.review_channel_id or view.job.channel_id
                    if not await ask_to_keep(tx, view, by=by, channel_id=channel_id, count=count):
                        raise Refused("Please try again in a second.")
            if not count:
                raise Refused("None of its pictures is yours.")
            await tx.wake(finetune.id)
        await self._sheets.draw(finetune.id)
        return count

    async def charge_outcome(
        self, job_id: str, *, by: int, charged: MicroUSD | None, reference: str | None, refunded: MicroUSD | None
    ) -> None:
        """Store what the admin has learned from a provider about a job whose outcome is unknown.

        `reference` is the finetune's id (or trigger word) there, where a training turns out to have been taken: the
        bot goes on waiting for it.

        Raises:
            Refused: there is no such job, or nothing about it is unknown.
        """
        if charged is not None and reference is not None:
            raise Refused("Give either what it was charged, or where it is: what it costs is known when it is over.")
        async with self._work() as tx:
            job = await jobs.find(tx.db, job_id)
            if job is None or job.parent_id is None:
                raise Refused(
                    f"There is no job `{job_id[:20]}`: give the id of a picture or a training, like `3k9x2f-1`."
                )
            now, note = tx.now, f"by the admin {by}"
            if refunded is not None and not await ledger.refund(
                tx.db, job_id=job.id, amount=refunded, now=now, note=note
            ):
                raise Refused("This job was never ordered, or its refund is put down already.")
            if charged is not None:
                if not job.state.ended or job.cost_actual is not None:
                    raise Refused("What this job has cost is known already.")
                await ledger.charge(tx.db, job_id=job.id, amount=charged, now=now, note=note)
                await jobs.set_cost(tx.db, job_id=job.id, cost=charged)
                await return_to_draft(tx, job.parent_id, Event.CLEAR_UP)
                await tx.wake(job.parent_id)
            if reference is not None:
                await self._reopen(tx, job, reference.strip())

    async def _reopen(self, tx: UnitOfWork, job: Job, reference: str) -> None:
        """Go on waiting for the newest training, which turned out to have been taken."""
        view = await self.views.read(tx.db, job.parent_id) if job.parent_id else None
        newest = view.training if view else None
        unknown = job.state is State.UNKNOWN and job.cost_actual is None
        if view is None or newest is None or newest.id != job.id or not unknown or not reference:
            raise Refused("Only the newest training of a finetune can be found again, while its outcome is unknown.")
        progress = Progress().model_dump_json()
        if not await finetunes.move(tx.db, view.finetune.id, Event.FIND_AGAIN, now=tx.now, progress=progress):
            raise Refused("This finetune is not waiting for anybody to find out what became of it.")
        ref = FinetuneRef(
            provider=view.trainer.provider,
            remote_id=reference,
            region=view.spec.region,
            trigger=reference if view.trainer.prefix else _phrase(view),
            option=view.trainer.option,
        )
        receipt = Ordered(started=Started(ref=ref), at=tx.now)
        await steps.overwrite(tx.db, job_id=job.id, name=SETTLED, result=receipt.model_dump_json(), now=tx.now)
        await queue.reopen(tx.db, job_id=job.id, now=tx.now)
        tx.wake_worker()

    def _check_owner(self, view: FinetuneView, by: int) -> None:
        if view.finetune.state is FinetuneState.DELETED:
            raise Refused("This finetune is deleted.")
        if view.finetune.owner_id != by:
            raise Refused(f"Only <@{view.finetune.owner_id}>, who made this finetune, can do that.")


async def _check_not_deleted(tx: UnitOfWork, view: FinetuneView) -> None:
    """Checked again in the transaction that changes a finetune: it may have been deleted meanwhile."""
    finetune = await finetunes.find(tx.db, view.finetune.id)
    if finetune is None or finetune.deleted_at is not None:
        raise Refused("This finetune is deleted.")


async def _call_back_untrained(tx: UnitOfWork, finetune_id: str) -> bool:
    """Whether nothing was trained with its pictures; what only waits to be ordered is called back for that."""
    finetune = await finetunes.find(tx.db, finetune_id)
    if finetune is not None and finetune.state in {FinetuneState.ASKING, FinetuneState.TRAINING}:
        await call_back(tx, finetune_id, by=finetune.owner_id)
        finetune = await finetunes.find(tx.db, finetune_id)
    return finetune is not None and finetune.state is FinetuneState.DRAFT


async def remove(tx: UnitOfWork, finetune_id: str, event: Event, *, by: int) -> bool:
    """Mark a finetune deleted, so that its job deletes its files, and asks its provider to delete it.

    False where the event cannot happen any more.
    """
    if not await finetunes.move(tx.db, finetune_id, event, now=tx.now, deleted_at=tx.now, deleted_by=by):
        return False
    await queue.cancel_waiting(tx.db, job_id=finetune_id, now=tx.now)
    for review in await reviews.open_about(tx.db, finetune_id):
        await withdraw(tx, review, by=by)
    await tx.wake(finetune_id)
    return True


async def apply_decision_on_consent(tx: UnitOfWork, review: Review) -> None:
    """After a contributor has withdrawn: approved keeps the finetune, denied deletes it; else it stays frozen.

    Where several have, it is frozen until the last of them is decided.
    """
    if review.state is ReviewState.APPROVED:
        others = await reviews.open_about(tx.db, review.subject)
        if not any(other.kind == review.kind for other in others):
            await finetunes.unfreeze(tx.db, review.subject)
        await tx.wake(review.subject)
    elif review.state is ReviewState.DENIED:
        await remove(tx, review.subject, Event.DELETE, by=review.decided_by or 0)


async def object_to_consent(db: Connection, review: Review, user_id: int) -> str | None:
    """Why this person may not decide on a withdrawn consent, though they are a moderator."""
    finetune = await finetunes.find(db, review.subject)
    if finetune is not None and finetune.owner_id == user_id:
        return "Nobody decides whether their own finetune is kept. Another moderator has to."
    return None


def _phrase(view: FinetuneView) -> str:
    return f"{view.spec.trigger} {view.spec.class_name}" if view.trainer.class_needed else view.spec.trigger
