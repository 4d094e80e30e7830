"""A request: wait for its pictures, then show them."""

import logging
from dataclasses import replace
from functools import partial

from bot.errors import Broken, Refused
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome, Park
from bot.pictures.contact_sheet import draw_labelled_grid
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Posted
from bot.workflows.drawing.types import RequestView, Stage
from bot.workflows.drawing.views import SHEET, RequestViews, Sheet
from bot.workflows.reviewing.questions import ask_moderators
from storage.base import jobs
from storage.base.jobs import Job
from storage.reviewing.reviews import ReviewState

log = logging.getLogger(__name__)


class RequestJob:
    """The recipe of the jobs of kind `imagine`. The last of its pictures wakes it."""

    def __init__(self, kit: Kit, *, views: RequestViews) -> None:
        self._files = kit.files
        self._decoder = kit.decoder
        self._work = kit.work
        self._views = views
        self._delivery = kit.delivery

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        view = await self._views.of(job.id)
        if view is None:
            raise Broken("This request has lost its row.")
        review = view.review
        if review and review.state is ReviewState.OPEN:
            try:
                await step("asked", Posted, partial(ask_moderators, self._delivery, self._work, review, view))
            except (Refused, Broken) as error:  # /review still finds it
                log.warning("The moderators cannot be asked about %s: %s", job.id, error)
        if not view.ended:
            raise Park
        if view.request.sweep is not None and view.images:
            sheet = await step(SHEET, Sheet, partial(self._draw_sheet, view))
            view = replace(view, sheet=sheet.sha256)
        try:
            await step("delivered", Posted, partial(self._deliver, view))
        except Refused as error:
            return Outcome(view.state, view.cost, f"{error} Use `/show {job.id}` where the bot may post.")
        return Outcome(view.state, view.cost, _first_error(view))

    async def _draw_sheet(self, view: RequestView) -> Sheet:
        """All of a sweep's pictures on one sheet: a row for each strength, a column for each seed."""
        assert view.request.sweep
        sweep = view.request.sweep
        drawn = {image.position: self._files.path(image.sha256) for image in view.images}
        sheet = await self._decoder.run(
            draw_labelled_grid,
            [drawn.get(position) for position in range(len(view.pictures))],
            row_labels=[f"{strength:g}" for strength in sweep.strengths],
            column_labels=[f"seed {seed}" for seed in sweep.seeds],
        )
        return Sheet(sha256=await self._files.store(sheet.content))

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
