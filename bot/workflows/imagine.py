"""A request: wait for its pictures, then show them."""

from bot.errors import Broken, Refused
from bot.jobs.journal import Journal
from bot.jobs.worker import Outcome, Park
from bot.workflows.request import Delivery, Posted, RequestView, Stage
from bot.workflows.views import Views
from storage import jobs, reviews
from storage.database import Database
from storage.jobs import Job
from storage.reviews import ReviewState


class Imagine:
    """The recipe of the jobs of kind `imagine`. The last of its pictures wakes it."""

    def __init__(self, *, database: Database, views: Views, delivery: Delivery) -> None:
        self._database = database
        self._views = views
        self._delivery = delivery

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        view = await self._views.of(job.id)
        if view is None:
            raise Broken("This request has lost its row.")
        if view.review and view.review.state is ReviewState.OPEN:
            await step("asked", Posted, lambda: self._ask(view))
        if not view.ended:
            raise Park
        try:
            await step("delivered", Posted, lambda: self._deliver(view))
        except Refused as error:
            return Outcome(view.state, view.cost, f"{error} Use `/show {job.id}` where the bot may post.")
        return Outcome(view.state, view.cost, _why(view))

    async def _ask(self, view: RequestView) -> Posted:
        assert view.review, "only asked where there is a review"
        posted = await self._delivery.ask(view.review, view)
        async with self._database.write() as db:
            await reviews.set_message(db, view.review.id, message_id=posted.message_id)
        return posted

    async def _deliver(self, view: RequestView) -> Posted:
        posted = await self._delivery.finish(view)
        if (posted.message_id, posted.channel_id) != (view.job.message_id, view.job.channel_id):
            async with self._database.write() as db:
                await jobs.set_message(
                    db, job_id=view.job.id, message_id=posted.message_id, channel_id=posted.channel_id
                )
        return posted


def _why(view: RequestView) -> str | None:
    """The first reason why a picture is missing."""
    failed = (picture.job.error for picture in view.pictures if picture.stage in {Stage.FAILED, Stage.UNKNOWN})
    return next(failed, None)
