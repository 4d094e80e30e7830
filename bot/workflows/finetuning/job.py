"""The job of a finetune: asks moderators, has pictures inspected, notifies its owner, removes what was deleted."""

import logging
from functools import partial

from bot.errors import Broken, Refused, Unavailable
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome, Park
from bot.providers.interface import FinetuneRef
from bot.providers.training import DeletesFinetunes, Inspection, InspectsPictures, TrainingPicture
from bot.values import Frozen
from bot.workflows.base.card_job import CardJob
from bot.workflows.base.kit import Kit
from bot.workflows.finetuning.consent import return_to_draft
from bot.workflows.finetuning.sheets import ContactSheets
from bot.workflows.finetuning.training_job import FAILED_THERE
from bot.workflows.finetuning.types import OPEN, FinetuneView, Progress
from bot.workflows.finetuning.views import FinetuneViews
from bot.workflows.reviewing.questions import ask_moderators
from storage.base import steps
from storage.base.jobs import Job, State
from storage.finetuning import finetunes, training_images
from storage.finetuning.training_images import TrainingImage
from storage.finetuning.transitions import Event, FinetuneState
from storage.reviewing import reviews
from storage.reviewing.reviews import ReviewState

log = logging.getLogger(__name__)


class Gone(Frozen):
    """The result of deleting a finetune at its provider."""

    kept_at_provider: str | None = None
    """Why its provider still has it."""


class Removed(Frozen):
    """The result of removing a deleted finetune's pictures from this disk."""


class Remains(Frozen):
    """What a failed training has left at its trainer."""

    ref: FinetuneRef


class FinetuneJob(CardJob[FinetuneView]):
    """The recipe of the jobs of kind `finetune`: it sleeps, and each change wakes it."""

    def __init__(self, kit: Kit, *, views: FinetuneViews, sheets: ContactSheets) -> None:
        super().__init__(kit, noun="finetune", load=views.of)
        self._work = kit.work
        self._files = kit.files
        self._providers = kit.providers
        self._sheets = sheets

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        view = await self.load_view(job.id)
        if view.finetune.state is FinetuneState.DELETED:
            if any(not each.state.ended for each in view.tries):
                raise Park  # its trainer deletes only what is finished; the end of the training wakes this job
            await step("removed", Removed, lambda: self._remove_pictures(view))
            await self._close_questions(step, await self.load_view(job.id))
            await self._clear_remains(view, step)
            deletion = await step("gone", Gone, lambda: self._delete(view))
            if deletion.kept_at_provider:
                await self.announce(step, "kept", view, "kept", "0")
            await self.show_card(job.id)
            return Outcome(State.DONE, view.cost)
        view = await self._conclude(view, step)
        if view.pictures and view.finetune.sheet is None and view.finetune.state is FinetuneState.DRAFT:
            await self._sheets.draw(job.id)
            view = await self.load_view(job.id)
        async with self._work.read() as db:
            questions = await reviews.open_about(db, job.id)
        for review in questions:
            await self.ask_once(review, view, partial(ask_moderators, self._delivery, self._work, review, view))
        await self._close_questions(step, view)
        for about, once in _list_news(view):
            contributor = int(once) if about == "added" else None
            await self.announce(step, f"{about} {once}", view, about, once, to=contributor)
        await self._inspect(view)
        await self.show_card(job.id)
        await self._clear_remains(view, step)
        raise Park

    async def _close_questions(self, step: Journal, view: FinetuneView) -> None:
        """Show on the moderators' cards which questions are withdrawn: nobody decides about them any more."""
        async with self._work.read() as db:
            asked = await reviews.about(db, view.finetune.id)
        for review in asked:
            await self.settle_question(review, view)
            if review.state is ReviewState.WITHDRAWN and review.message_id is not None:
                await self.show_decision(step, f"closed {review.id}", review, view)

    async def _conclude(self, view: FinetuneView, step: Journal) -> FinetuneView:
        """Go back to the draft if the newest training has failed.

        What its trainer has made of members' pictures is noted for `_clear_remains`, where the trainer itself has said
        that it failed: after an error of this bot it may be training still.
        """
        training, finetune_id = view.training, view.finetune.id
        if view.finetune.state is not FinetuneState.TRAINING or training is None or not training.state.ended:
            return view
        async with self._work.read() as db:
            failed_there = await steps.find(db, job_id=training.id, name=FAILED_THERE)
        if training.state is State.FAILED and (ref := view.ref) is not None and failed_there is not None:
            await step(f"remains {training.id}", Remains, partial(_note_remains, ref))
        progress = Progress(inferred=training.error or "The trainer did not say why.")
        async with self._work() as tx:
            await return_to_draft(tx, finetune_id, Event.FAIL, progress=progress.model_dump_json())
        return await self.load_view(finetune_id)

    async def _clear_remains(self, view: FinetuneView, step: Journal) -> None:
        """Delete at its trainer what each failed training has left there.

        Raises:
            Unavailable: the trainer does not answer; all else is done, and the job is run again.
        """
        for training in view.tries:
            remains = await step.recall(f"remains {training.id}", Remains)
            if remains is not None:
                await step(f"cleared {training.id}", Gone, partial(self._delete_at_provider, remains.ref))

    async def _inspect(self, view: FinetuneView) -> None:
        """Ask a provider that can do it what it sees on each picture; nothing depends on the answer."""
        provider = next((each for each in self._providers.values() if isinstance(each, InspectsPictures)), None)
        if view.finetune.state not in OPEN or provider is None:
            return
        for picture in view.pictures:
            if picture.inspection is None:
                try:
                    inspection = await self._inspect_one(view, provider, picture)
                except (Unavailable, Broken, Refused) as error:
                    log.info("The pictures of %s could not be inspected: %s", view.finetune.id, error)
                    return
                async with self._work() as tx:
                    await training_images.set_inspection(
                        tx.db, view.finetune.id, picture.id, inspection.model_dump_json()
                    )

    async def _inspect_one(self, view: FinetuneView, provider: InspectsPictures, picture: TrainingImage) -> Inspection:
        content = await self._files.read(picture.sha256)
        return await provider.inspect_image(
            TrainingPicture(f"{picture.id}.jpg", content), view.spec.class_name or "person"
        )

    async def _delete_at_provider(self, ref: FinetuneRef) -> Gone:
        """
        Raises:
            Unavailable: the provider does not answer.
        """
        provider = self._providers.get(ref.provider)
        if provider is None:
            return Gone()
        if not isinstance(provider, DeletesFinetunes):
            return Gone(kept_at_provider="This trainer deletes nothing: it stays on the trainer's own servers.")
        try:
            await provider.delete_finetune(ref)
        except (Refused, Broken) as error:
            return Gone(kept_at_provider=str(error))
        return Gone()

    async def _remove_pictures(self, view: FinetuneView) -> Removed:
        """Delete its pictures here, whatever its provider does. Safe to repeat."""
        finetune_id = view.finetune.id
        async with self._work() as tx:
            files = await training_images.remove_of(tx.db, finetune_id)
            files += await finetunes.delete_samples(tx.db, finetune_id)
            files += [sha256 for sha256 in (view.finetune.sheet, view.finetune.training_set) if sha256]
            await finetunes.update(tx.db, finetune_id, now=tx.now, sheet=None)
            await tx.let_go(files)
        return Removed()

    async def _delete(self, view: FinetuneView) -> Gone:
        """Delete it at its provider, and note for its card what came of that. Safe to repeat.

        Raises:
            Unavailable: the provider does not answer.
        """
        deletion = await self._delete_at_provider(view.ref) if view.ref is not None else Gone()
        async with self._work() as tx:
            progress = Progress(inferred=deletion.kept_at_provider).model_dump_json()
            await finetunes.update(tx.db, view.finetune.id, now=tx.now, progress=progress)
        return deletion


async def _note_remains(ref: FinetuneRef) -> Remains:
    return Remains(ref=ref)


def _list_news(view: FinetuneView) -> list[tuple[str, str]]:
    """The news for its owner and contributors, each with its occasion; a pair is posted once."""
    finetune, training, review, news = view.finetune, view.training, view.review, list[tuple[str, str]]()
    ends = {
        (FinetuneState.READY, State.DONE): "ready",
        (FinetuneState.UNKNOWN, State.UNKNOWN): "unknown",
        (FinetuneState.DRAFT, State.FAILED): "failed",
        (FinetuneState.UNKNOWN, State.FAILED): "failed",
    }
    if training and finetune.frozen_at is None and (about := ends.get((finetune.state, training.state))):
        news.append((about, training.id))
    if finetune.state is FinetuneState.READY and finetune.warned_at is not None:
        news.append(("expiring", f"{finetune.warned_at:.0f}"))
    if finetune.state is FinetuneState.EXPIRED:
        news.append(("expired", f"{finetune.expires_at or finetune.changed_at:.0f}"))
    if finetune.state is FinetuneState.DRAFT:
        contributors = {each.contributor_id for each in view.pictures if each.added_by != each.contributor_id}
        news += [("added", str(contributor)) for contributor in sorted(contributors)]
    if finetune.frozen_at is not None and finetune.frozen_by != finetune.owner_id:  # nobody is told what they did
        news.append(("frozen", f"{finetune.frozen_at:.0f}"))
    if review and review.kind == "consent" and review.state is ReviewState.APPROVED and view.usable:
        news.append(("kept", review.id))
    return news
