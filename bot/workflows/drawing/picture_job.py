"""One picture: order it, wait for it, keep its bytes."""

import logging

from bot.errors import Broken, Refused, Unavailable, Uncertain
from bot.jobs.journal import Journal
from bot.jobs.pace import Spread, pause
from bot.jobs.worker import Outcome
from bot.pictures.decode import check_generated
from bot.providers import catalogue
from bot.providers.interface import Generation, Look, Provider, Status, Ticket
from bot.providers.parameters import Model
from bot.values import Frozen
from bot.workflows.base.kit import Kit
from bot.workflows.drawing.types import PictureOrder
from storage.base.jobs import Job, State
from storage.drawing import images
from storage.drawing.images import Image
from storage.finetuning import finetunes
from storage.finetuning.finetunes import FinetuneState

log = logging.getLogger(__name__)

UNKNOWN_FOR = 30.0
"""Seconds for which a provider may not know a task: one that it has just accepted, or has mislaid."""
LOST_AFTER = 1200.0
"""Seconds after which a picture is not waited for any more."""
FETCHED_FOR = 600.0
"""Seconds after its order for which a picture that arrives damaged is fetched again: free, unlike drawing it."""
FOLLOWED_FROM = 10.0
"""Seconds after its order until which the wait for a picture must have begun to say how long such pictures take."""


class Ordered(Frozen):
    """The provider's receipt, and when it came."""

    ticket: Ticket
    at: float


class Kept(Frozen):
    """How the drawing ended: with stored bytes, or with `error`."""

    sha256: str | None = None
    error: str | None = None
    charged: bool = False


class PictureJob:
    """The recipe of the jobs of kind `draw`."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._providers = kit.providers
        self._files = kit.files
        self._decoder = kit.decoder
        self._pace = kit.pace
        self._callbacks = kit.callbacks

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        order = PictureOrder.model_validate_json(job.request)
        ordered = await step.pay("ordered", Ordered, lambda: self._order(job, order), request=order.generation)
        kept = await step("kept", Kept, lambda: self._collect(job, order, ordered, step))
        cost = (ordered.ticket.cost if ordered.ticket.cost is not None else job.cost_estimated) if kept.charged else 0
        return Outcome(State.DONE if kept.sha256 else State.FAILED, cost, kept.error)

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise Broken(f"The image service {name!r} is not set up any more.")
        return provider

    async def _order(self, job: Job, order: PictureOrder) -> Ordered:
        generation = order.generation
        if order.finetune is not None:
            await self._check_finetune(order.finetune)
        provider = self._provider(catalogue.find(generation.model).provider)
        inputs = {role: await self._files.read(sha256) for role, sha256 in generation.inputs.items()}
        ticket = await provider.generate(generation, inputs, self._callbacks.of(provider.name, job.id))
        return Ordered(ticket=ticket, at=self._clock.now())

    async def _check_finetune(self, finetune_id: str) -> None:
        """Again, when its turn has come: hours may have passed since it was asked for.

        Raises:
            Refused: nobody may draw with it any more.
        """
        async with self._work.read() as db:
            finetune = await finetunes.find(db, finetune_id)
        if finetune is None or finetune.state is not FinetuneState.READY or finetune.frozen_at is not None:
            raise Refused("The finetune that was to draw this was deleted, has expired or is frozen.")

    async def _collect(self, job: Job, order: PictureOrder, ordered: Ordered, step: Journal) -> Kept:
        """Wait until the picture is ready and store its bytes: the link to them dies within minutes."""
        async with self._work.read() as db:
            image = await images.find(db, job.id)
        if image is not None:  # kept, and then interrupted before that was noted
            return Kept(sha256=image.sha256, charged=True)
        provider = self._provider(ordered.ticket.provider)
        look = await self._wait(job, order.generation, provider, ordered)
        await step.release_slot()
        match look.status:
            case Status.READY:
                return await self._keep(job, order, ordered, look)
            case Status.MODERATED_INPUT:
                raise Refused(_moderated("your request", look.reasons))
            case Status.MODERATED_OUTPUT:
                raise Refused(_moderated("the finished picture", look.reasons))
            case _:
                return Kept(error="The image service failed to draw this.")

    async def _wait(self, job: Job, generation: Generation, provider: Provider, ordered: Ordered) -> Look:
        model = catalogue.find(generation.model)
        spread = await self._pace.spread(model.key, prior(model))
        followed = self._clock.now() < ordered.at + FOLLOWED_FROM
        looked_at: float | None = None
        seen_at = self._clock.now()
        hinted = self._callbacks.hints.watch(job.id)
        while True:
            waited = self._clock.now() - ordered.at
            if looked_at is not None or waited < spread.p10:
                hinted.clear()
                await self._clock.wait(hinted, max(pause(waited, spread), model.least_pause))
                waited = self._clock.now() - ordered.at
            look = await provider.job_status(ordered.ticket)
            if look.status is Status.READY and followed:
                await self._pace.add(model.key, _duration(waited, looked_at, look), now=self._clock.now())
            if look.status.ended:
                return look
            if look.status is not Status.MISSING:
                seen_at = self._clock.now()
            elif self._clock.now() > seen_at + UNKNOWN_FOR:
                raise Uncertain("The image service has lost track of this picture.")
            if waited > LOST_AFTER:
                raise Uncertain("The image service never finished this picture.")
            looked_at = waited

    async def _keep(self, job: Job, order: PictureOrder, ordered: Ordered, look: Look) -> Kept:
        provider = self._provider(ordered.ticket.provider)
        async with self._files.temporary() as path:
            try:
                await provider.fetch_output(look.urls[0], path)
                try:
                    picture = await self._decoder.run(check_generated, path)
                except Broken as error:
                    if self._clock.now() < ordered.at + FETCHED_FOR:
                        raise Unavailable("The finished picture arrived damaged.") from error
                    raise
            except Broken as error:
                log.warning("Job %s: the finished picture could not be kept: %s", job.id, error)
                return Kept(error=f"The finished picture could not be collected: {error}", charged=True)
            size = path.stat().st_size
            sha256 = await self._files.adopt(path)
        image = Image(
            id=job.id,
            job_id=job.root_id,
            position=job.position,
            guild_id=job.guild_id,
            owner_id=job.owner_id,
            sha256=sha256,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            bytes=size,
            seed=_seed(order.generation, look),
            parent_image_id=order.parent_image_id,
            created_at=self._clock.now(),
        )
        async with self._work() as tx:
            await images.add(tx.db, image)
        return Kept(sha256=sha256, charged=True)


def _seed(generation: Generation, look: Look) -> int | None:
    asked = generation.parameters.get("seed")
    return look.seed if look.seed is not None else asked if isinstance(asked, int) else None


def _duration(waited: float, looked_at: float | None, look: Look) -> float:
    """How long the picture took, in seconds, as well as it can be known from outside.

    Where it is ready at a later look, it became ready since the look before. Where it is ready at the very first, it
    may have been ready long ago: without the provider's own figure a tenth is taken off, so that the first look
    moves forward until it comes too early again.
    """
    if looked_at is not None:
        return (waited + looked_at) / 2
    return min(look.seconds, waited) if look.seconds is not None else waited * 0.9


def _moderated(what: str, reasons: tuple[str, ...]) -> str:
    why = f" ({', '.join(reasons)})" if reasons else ""
    return f"The image service's moderation turned {what} down{why}. Please try other words."


def prior(model: Model) -> Spread:
    """How long the model takes where there is no history yet."""
    return Spread(model.seconds.p10, model.seconds.p50, model.seconds.p90)
