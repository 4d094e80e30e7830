"""Reads a request with all that its card shows."""

from collections.abc import Mapping
from dataclasses import replace

from bot.providers import catalogue
from bot.providers.parameters import Model
from bot.values import Frozen
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Forecast
from bot.workflows.drawing.picture_job import LOST_AFTER, prior
from bot.workflows.drawing.types import ImageRequest, Kept, PictureView, RequestView, Stage
from storage.base import jobs, queue, steps
from storage.base.jobs import State
from storage.base.queue import Lane
from storage.community import communities
from storage.drawing import images
from storage.reviewing import reviews

SHEET = "compared"
"""The step that draws the sheet of a finished sweep."""


class Sheet(Frozen):
    """The sheet of a sweep; None where nothing was drawn."""

    sha256: str | None = None


def lane_of(model: Model) -> str:
    """The queue of a model: its narrowest pool."""
    return model.pools[-1].name


class RequestViews:
    """Puts a request, its pictures, its place in the queue and its forecast together."""

    def __init__(self, kit: Kit, *, lanes: Mapping[str, Lane]) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._pace = kit.pace
        self._elapsed = kit.elapsed
        self._lanes = lanes

    async def newest(self, *, guild_id: int, owner_id: int, limit: int) -> list[RequestView]:
        """A member's newest requests in a community, newest first."""
        async with self._work.read() as db:
            ids = await jobs.newest(db, guild_id=guild_id, owner_id=owner_id, limit=limit)
        return [view for job_id in ids if (view := await self.of(job_id))]

    async def of(self, job_id: str) -> RequestView | None:
        """The request with that id, or None where there is none."""
        async with self._work.read() as db:
            job = await jobs.find(db, job_id)
            if job is None or job.kind != "imagine":
                return None
            stored = await images.of_job(db, job_id)
            drawn = {image.id: image for image in stored if image.deleted_at is None}
            children = await jobs.children(db, job_id)
            review = await reviews.find(db, job_id)
            limit = (await communities.find(db, job.guild_id)).confirm_above if review else None
            ordered = await steps.ordered(db, parent_id=job_id)
            compared = await steps.find(db, job_id=job_id, name=SHEET)
            results = await steps.results(db, parent_id=job_id, name="kept")
            kept = {child_id: Kept.model_validate_json(result) for child_id, result in results.items()}
            pictures = tuple(
                PictureView(child, drawn.get(child.id), ordered.get(child.id), kept.get(child.id)) for child in children
            )
            queued = [picture.job for picture in pictures if picture.stage is Stage.WAITING]
            ahead, busy = await queue.ahead(db, queued[0]) if queued else (0, 0)
        request = ImageRequest.model_validate_json(job.request)
        sheet = Sheet.model_validate_json(compared.result).sha256 if compared and compared.result else None
        deleted_by = next((image.deleted_by for image in stored if image.deleted_by), None)
        view = RequestView(job, request, pictures, review=review, limit=limit, deleted_by=deleted_by, sheet=sheet)
        if view.ended or any(picture.stage is Stage.ASKING for picture in pictures):
            return view
        return replace(view, forecast=await self._forecast(request, pictures, ahead, busy))

    async def _forecast(
        self, request: ImageRequest, pictures: tuple[PictureView, ...], ahead: int, busy: int
    ) -> Forecast:
        """The queue moves at the pace of the model: each slot serves one picture in the time that half of them take."""
        model = catalogue.find(request.model)
        spread = await self._pace.spread(model.key, prior(model))
        slots = self._slots(model)
        waiting = [picture for picture in pictures if picture.stage is Stage.WAITING]
        under_way = [picture for picture in pictures if not picture.job.state.ended]
        now = self._clock.now()
        next_try = max((each.job.due_at for each in under_way if each.job.state is State.WAITING), default=now)
        if not waiting:
            begin = max((self._find_start(each, now) for each in under_way), default=now)
            return Forecast(0, max(begin + spread.p50, next_try), max(begin + spread.p90, next_try)).at(now)
        places = max(ahead + busy + len(waiting) - slots, 0)
        begin = max(now + places / slots * spread.p50, next_try)
        latest = begin + spread.p90 + places / slots * (spread.p90 - spread.p50)
        return Forecast(ahead, begin + spread.p50, latest).at(now)

    def _find_start(self, picture: PictureView, now: float) -> float:
        """When it was ordered, by what the clock says now: it may have been set since."""
        if picture.ordered_at is None:
            return now
        return now - self._elapsed.since(picture.job.id, picture.ordered_at, most=LOST_AFTER)

    def _slots(self, model: Model) -> int:
        lane: Lane | None = self._lanes.get(lane_of(model))
        return max(min(lane.size, lane.pool_size), 1) if lane else 1
