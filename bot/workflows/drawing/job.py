"""A request: wait for its pictures, then show them."""

import logging
from dataclasses import replace
from functools import partial

from bot.errors import Broken, Refused
from bot.jobs.journal import Journal
from bot.jobs.worker import Later, Outcome, Park
from bot.pictures.contact_sheet import draw_labelled_grid
from bot.trouble import recognise
from bot.workflows.base.cards import PlaceGone
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Posted
from bot.workflows.base.undelivered import Undelivered
from bot.workflows.drawing.types import RequestView, Stage
from bot.workflows.drawing.views import SHEET, RequestViews, Sheet
from bot.workflows.reviewing.questions import ask_moderators
from storage.base import jobs
from storage.base.jobs import Job
from storage.reviewing.reviews import Review, ReviewState

log = logging.getLogger(__name__)


class RequestJob:
    """The recipe of the jobs of kind `imagine`. The last of its pictures wakes it."""

    def __init__(self, kit: Kit, *, views: RequestViews) -> None:
        self._files = kit.files
        self._decoder = kit.decoder
        self._work = kit.work
        self._views = views
        self._delivery = kit.delivery
        self._undelivered = Undelivered(kit)

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        view = await self._views.of(job.id)
        if view is None:
            raise Broken("This request has lost its row.")
        review = view.review
        if review:
            await self._ask(view, review)
        if not view.ended:
            raise Park
        if view.request.sweep is not None and view.images:
            sheet = await step(SHEET, Sheet, partial(self._draw_sheet, view))
            view = replace(view, sheet=sheet.sha256)
        try:
            await step("delivered", Posted, partial(self._deliver, view))
        except PlaceGone as error:
            sentence = f"{error} Use `/show {job.id}` where the bot may post."
            finished = f"Your request `{job.id}` is finished. {sentence}"
            await self._undelivered.note(job.owner_id, job.id, finished, error)
            return Outcome(view.state, view.cost, sentence)
        except (Refused, Broken) as error:
            log.warning("Request %s cannot be shown just now: %s", job.id, error)
            sentence = f"Your request `{job.id}` is finished, and its card does not show it yet. {error}"
            sentence += f" Use `/show {job.id}` where the bot may post."
            await self._undelivered.note(job.owner_id, job.id, sentence, error)
            raise Later(self._undelivered.next_look(job.id)) from error
        await self._undelivered.settle(job.owner_id, job.id)
        return Outcome(view.state, view.cost, _first_error(view))

    async def _ask(self, view: RequestView, review: Review) -> None:
        """Ask the moderators, once. Nobody reads that they could not be asked where nothing is to be decided any more.

        Raises:
            Later: the question could not be posted; `/review` finds it meanwhile.
        """
        subject = f"asking {review.id}"
        if review.state is ReviewState.OPEN and review.message_id is None:
            try:
                await ask_moderators(self._delivery, self._work, review, view)
            except (Refused, Broken) as error:
                log.warning("The moderators cannot be asked about %s: %s", view.job.id, error)
                sentence = f"The moderators could not be asked about your request `{view.job.id}`. {error}"
                await self._undelivered.note(
                    view.job.owner_id, subject, f"{sentence} They find it with `/review`.", error
                )
                raise Later(self._undelivered.next_look(subject)) from error
        await self._undelivered.settle(view.job.owner_id, subject)

    async def _draw_sheet(self, view: RequestView) -> Sheet:
        """All of a sweep's pictures on one sheet: a row for each strength, a column for each seed.

        A picture that is missing or damaged costs the sheet, and not the request, which is paid for.

        Raises:
            MachineTrouble: the sheet can be drawn when that is over.
        """
        assert view.request.sweep
        sweep = view.request.sweep
        drawn = {image.position: self._files.path(image.sha256) for image in view.images}
        try:
            sheet = await self._decoder.run(
                draw_labelled_grid,
                [drawn.get(position) for position in range(len(view.pictures))],
                row_labels=[f"{strength:g}" for strength in sweep.strengths],
                column_labels=[f"seed {seed}" for seed in sweep.seeds],
            )
            return Sheet(sha256=await self._files.store(sheet.content))
        except (Refused, Broken, OSError) as error:
            if isinstance(error, OSError) and (trouble := recognise(error)) is not None:
                raise trouble from error
            log.warning("The sheet of request %s could not be made: %s", view.job.id, error)
            return Sheet()

    async def _deliver(self, view: RequestView) -> Posted:
        posted = await self._delivery.finish(view)
        if (posted.message_id, posted.channel_id) != (view.job.message_id, view.job.channel_id):
            async with self._work() as tx:
                await jobs.set_message(
                    tx.db, job_id=view.job.id, message_id=posted.message_id, channel_id=posted.channel_id
                )
        return posted


def _first_error(view: RequestView) -> str | None:
    """The first reason why a picture is missing."""
    failed = (picture.job.error for picture in view.pictures if picture.stage in {Stage.FAILED, Stage.UNKNOWN})
    return next(failed, None)
