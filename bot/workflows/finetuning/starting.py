"""Starts a training once it is confirmed, and stops it while nothing is ordered. Only what was shown is started."""

import hashlib

from bot.errors import Refused, Unavailable
from bot.pictures.training_sets.linting import Severity
from bot.pictures.training_sets.preparing import build_archive
from bot.providers import trainers
from bot.providers.training import FinetuneSpec
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import REVIEW_LIFE
from bot.workflows.base.work import UnitOfWork
from bot.workflows.community.limits import check_budget
from bot.workflows.finetuning.consent import return_to_draft
from bot.workflows.finetuning.types import FinetuneView, TrainingOrder
from bot.workflows.finetuning.views import FinetuneViews
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs, queue
from storage.base.jobs import Job
from storage.base.queue import NewJob
from storage.community import communities
from storage.community.communities import Community
from storage.finetuning import finetunes, training_images
from storage.finetuning.transitions import Event
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState


def training_lane(provider: str) -> str:
    """The queue of a provider's trainings, which take hours: pictures have another one."""
    return f"{provider}-training"


class TrainingStarts:
    """The verbs of the owner of a draft that is complete."""

    def __init__(self, kit: Kit, *, views: FinetuneViews) -> None:
        self._work = kit.work
        self._files = kit.files
        self._decoder = kit.decoder
        self._signals = kit.signals
        self._views = views

    async def start(self, finetune_id: str, *, by: int, digest: str) -> Job:
        """Confirm that the pictures may be used, and train on them. `digest` may be its first characters.

        Above the community's limit, or where the price is not known and there is a limit, a moderator is asked first.

        Raises:
            Refused: not the owner, not what the card showed, something is wrong with the set, or over the budget;
                nothing was charged.
            Unavailable: the bot is about to restart.
        """
        self._signals.check_accepting()
        view = await self._views.of(finetune_id)
        if view is None or view.finetune.owner_id != by:
            raise Refused("Only the owner of a finetune can start its training.")
        if not view.is_shown(digest):
            raise Refused("What the card shows has changed since. Please look at it again, then press Start.")
        self._views.check_set_up(view.trainer)
        number = len(view.tries) + 1
        spec = trainers.check(
            view.spec.model_copy(update={"id": f"{finetune_id}-{number}"}), pictures=len(view.pictures) - view.withdrawn
        )
        if view.finetune.frozen_at is not None:
            raise Refused("Somebody has withdrawn their pictures: a moderator has to decide first.")
        if view.blocked:
            raise Refused(next(finding.sentence for finding in view.findings if finding.severity is Severity.ERROR))
        archive = await self._store_archive(view)
        async with self._work() as tx:
            community = await communities.find(tx.db, view.finetune.guild_id)
            fresh = await self._views.read(tx.db, finetune_id)  # the set took seconds to pack
            if fresh is None or fresh.digest != view.digest or fresh.finetune.frozen_at is not None:
                raise Refused("What the card shows has changed since. Please look at it again, then press Start.")
            if not self._files.exist([archive]):
                raise Unavailable("The training set has to be packed again. Please press Start once more.")
            guild_id, cost = view.finetune.guild_id, view.price or 0
            await check_budget(tx.db, community, guild_id=guild_id, cost=cost, now=tx.now)
            return await _queue_training(tx, view, spec, archive, community)

    async def stop(self, finetune_id: str, *, by: int) -> bool:
        """Take back what was not yet ordered; False when it is too late."""
        view = await self._views.of(finetune_id)
        if view is None or view.finetune.owner_id != by:
            raise Refused("Only the owner of a finetune can stop its training.")
        async with self._work() as tx:
            stopped = await call_back(tx, finetune_id, by=by)
            await tx.wake(finetune_id)
        return stopped

    async def _store_archive(self, view: FinetuneView) -> str:
        pictures = [picture for picture in view.pictures if picture.withdrawn_at is None]
        contents = [(await self._files.read(picture.sha256), picture.caption) for picture in pictures]
        return await self._files.store(await self._decoder.run(build_archive, contents))


async def _queue_training(
    tx: UnitOfWork, view: FinetuneView, spec: FinetuneSpec, archive: str, community: Community
) -> Job:
    finetune, limit = view.finetune, community.confirm_above
    unpriced = view.price is None and (limit is not None or community.daily_budget is not None)
    asks = unpriced or (limit is not None and view.price is not None and view.price > limit)
    event = Event.ASK if asks else Event.START
    values = {"training_set": archive, "spec": spec.model_dump_json()}
    if not await finetunes.move(tx.db, finetune.id, event, now=tx.now, **values):
        raise Refused("This training was started already.")
    await training_images.consent(tx.db, finetune.id, by=finetune.owner_id, now=tx.now)
    order = TrainingOrder(finetune_id=finetune.id, spec=spec, training_set=archive)
    new = NewJob(
        id=spec.id,
        kind="train",
        guild_id=finetune.guild_id,
        channel_id=view.job.channel_id,
        owner_id=finetune.owner_id,
        request=order.model_dump_json(),
        lane=training_lane(view.trainer.provider),
        parent_id=finetune.id,
        position=len(view.tries),
        cost_estimated=view.price or 0,
        parked=asks,
        age_restricted=bool(view.job.age_restricted),
    )
    if not await tx.add_job(new):
        raise Refused("This training was started already.")
    if asks:
        await reviews.add(tx.db, _question(view, spec, community, tx.now))
        await tx.wake(finetune.id)
    job = await jobs.find(tx.db, new.id)
    assert job is not None, "it was added in this transaction"
    return job


async def call_back(tx: UnitOfWork, finetune_id: str, *, by: int) -> bool:
    """Go back to the draft, if its training was not ordered yet; whether that was so."""
    if not await queue.cancel_waiting(tx.db, job_id=finetune_id, now=tx.now):
        return False
    await return_to_draft(tx, finetune_id, Event.CALL_BACK)
    review = await reviews.newest_about(tx.db, finetune_id)
    if review and review.state is ReviewState.OPEN:
        await withdraw(tx, review, by=by)
    return True


async def apply_decision_on_training(tx: UnitOfWork, review: Review) -> None:
    """Begin a training that costs more than the community's limit, or go back to the draft."""
    if review.state is ReviewState.APPROVED:
        await finetunes.move(tx.db, review.subject, Event.APPROVE, now=tx.now)
        for child in await jobs.children(tx.db, review.subject):
            await tx.wake(child.id)
    else:
        await queue.cancel_waiting(tx.db, job_id=review.subject, now=tx.now)
        await return_to_draft(tx, review.subject, Event.CALL_BACK)
        await tx.wake(review.subject)


def _question(view: FinetuneView, spec: FinetuneSpec, community: Community, now: float) -> Review:
    return Review(
        id=spec.id,
        kind="train",
        state=ReviewState.OPEN,
        guild_id=view.finetune.guild_id,
        channel_id=community.review_channel_id or view.job.channel_id,
        message_id=None,
        requested_by=view.finetune.owner_id,
        subject=view.finetune.id,
        digest=hashlib.sha256(f"{view.digest} {spec.id}".encode()).hexdigest(),
        created_at=now,
        expires_at=now + REVIEW_LIFE,
    )
