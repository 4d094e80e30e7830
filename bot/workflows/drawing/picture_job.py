"""One picture: order it, wait for it, keep its bytes."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bot.errors import BotError, Broken, MachineTrouble, Refused, Uncertain
from bot.jobs.journal import Journal
from bot.jobs.pace import Spread, pause
from bot.jobs.worker import PAID_WAIT, Later, Outcome
from bot.pictures.decode import check_generated
from bot.providers import catalogue
from bot.providers.interface import Generation, Look, MicroUSD, Provider, Status, Ticket
from bot.providers.parameters import Model
from bot.values import Frozen, sha256_of
from bot.workflows.base.kit import Kit
from bot.workflows.base.troubles import SHORTEST, Troubles, pause_after
from bot.workflows.base.types import DAY
from bot.workflows.drawing.types import Kept, PictureOrder
from storage.base import notes
from storage.base.jobs import Job, State
from storage.drawing import images
from storage.drawing.images import Image
from storage.finetuning import finetunes
from storage.finetuning.finetunes import FinetuneState

log = logging.getLogger(__name__)

KEPT_FOR: Mapping[str, float] = {"bfl": 600.0, "astria": 30 * DAY}
"""Seconds for which a finished picture can be had, by provider. Vimmerse does not say: a day."""
LOST_AFTER = 1200.0
"""Seconds after which a provider whose pictures die soon has forgotten to finish one."""
UNKNOWN_FOR = 60.0
"""Seconds for which a provider may not know a task that it has just accepted."""
MISLAID_FOR = 600.0
"""The same for one that it has known before, or that is kept for days: what is finished can be had for that long."""
FOLLOWED_FROM = 10.0
"""Seconds after its order until which the wait for a picture must have begun to say how long such pictures take."""
LEAST_GAP = 2.1
"""Seconds between two looks that a callback brings close together: a 429 costs thirty."""
OVERDUE_FOR = 40.0
"""Seconds for which a picture is tried whose time was over before this process looked, by a clock that may be wrong."""
LAST_TRY = 10.0
"""Seconds before a finished picture is gone in which no further try is worth its while."""
ASKED_AGAIN = 1800.0
"""Longest pause in seconds between two questions about a picture that is kept for days."""
UNLISTED = Spread(5.0, 15.0, 60.0)
"""How long a model takes that the catalogue does not have any more."""


class Ordered(Frozen):
    """The provider's receipt, and when it came."""

    ticket: Ticket
    at: float


@dataclass(frozen=True)
class Ended:
    """What the look that found the end of it said."""

    cost: MicroUSD | None = None
    seconds: float | None = None


@dataclass
class PictureWait:
    """What this process knows of a picture that it waits for; the times are of the monotonic clock, in seconds."""

    since: float
    """When this process began to look."""
    followed: bool
    """It has looked from the beginning, so that it can tell how long the drawing took."""
    looked: float | None = None
    pending: float | None = None
    """Seconds after its order at which it was last seen unfinished."""
    seen: bool = False
    """The provider has known it."""
    missing: float | None = None
    """The first of the looks in a row that did not find it."""
    ready: float | None = None
    trouble: float | None = None
    """The first of the questions in a row that failed."""
    unfetched: float | None = None
    """When its file could first not be fetched."""
    ended: Ended | None = None


class GivenUp(Exception):
    """Nothing is to be expected any more from asking again; the message is a sentence for the member."""


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
        self._elapsed = kit.elapsed
        self._troubles = Troubles(kit.clock, kit.alarm)
        self._watches: dict[str, PictureWait] = {}

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        order = PictureOrder.model_validate_json(job.request)
        ordered = await step.pay("ordered", Ordered, lambda: self._order(job, order), request=order.generation)
        await self._troubles.note_price(f"The picture `{job.id}`", ordered.ticket.odd_cost)
        try:
            kept = await step("kept", Kept, lambda: self._collect(job, order, ordered, step))
        except Uncertain:
            self._forget(job)
            raise
        self._forget(job)
        cost = kept.cost if kept.cost is not None else 0
        if kept.charged and kept.cost is None:
            cost = ordered.ticket.cost if ordered.ticket.cost is not None else job.cost_estimated
        return Outcome(State.DONE if kept.sha256 else State.FAILED, cost, kept.error)

    def _forget(self, job: Job) -> None:
        self._watches.pop(job.id, None)
        self._elapsed.forget(job.id)

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
        self._elapsed.begin(job.id)
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
        """Wait until the picture is ready and store its bytes: the link to them dies within minutes.

        Raises:
            Later: it is not there yet, or a question failed; the picture itself is ordered.
            Uncertain: it has not become ready, and nobody can tell any more whether it will.
        """
        async with self._work.read() as db:
            image = await images.find(db, job.id)
            arrived = await notes.find(db, images.ARRIVED + job.id)
        if image is not None:  # kept, and then interrupted before that was noted
            return Kept(sha256=image.sha256, charged=True, cost=await self._ask_for_cost(ordered))
        if arrived is not None:  # fetched, and then interrupted: its bytes are in the folder, and its link may be dead
            noted = json.loads(arrived)
            image = Image(**noted["image"])
            if await self._is_whole(image.sha256):
                return await self._add_image(image, Ended(**noted["ended"]))
        if (watch := self._watches.get(job.id)) is None:
            waited = self._elapsed.since(job.id, ordered.at, most=LOST_AFTER)
            watch = PictureWait(since=self._clock.monotonic(), followed=waited < FOLLOWED_FROM)
            self._watches[job.id] = watch
        try:
            look = await self._wait(job, order.generation, ordered, watch, step)
            ended = watch.ended = watch.ended or await self._note_end(job, ordered, watch, look)
            await step.release_slot()
            match look.status:
                case Status.READY:
                    return await self._keep(job, order, ordered, look, ended, watch)
                case Status.MODERATED_INPUT:
                    reason = _moderated("your request", look.reasons)
                case Status.MODERATED_OUTPUT:
                    reason = _moderated("the finished picture", look.reasons)
                case _:
                    reason = "The image service failed to draw this."
            return Kept(error=reason, cost=ended.cost)
        except GivenUp as given_up:
            async with self._work() as tx:
                await notes.delete(tx.db, images.ARRIVED + job.id)
            if watch.ready is None:
                raise Uncertain(str(given_up)) from given_up
            log.warning("Job %s: the finished picture could not be kept: %s", job.id, given_up)
            ended = watch.ended or Ended()
            reason = f"The finished picture could not be collected: {given_up}"
            return Kept(error=reason, charged=True, cost=ended.cost, seconds=ended.seconds)

    async def _ask_for_cost(self, ordered: Ordered) -> MicroUSD | None:
        """What a picture that is kept was charged, where its provider says so; the receipt's estimate stands else."""
        try:
            look = await self._provider(ordered.ticket.provider).job_status(ordered.ticket)
        except BotError:
            return None
        return look.cost

    async def _wait(
        self, job: Job, generation: Generation, ordered: Ordered, watch: PictureWait, step: Journal
    ) -> Look:
        """Look until it has ended: from memory while it is fresh, from the queue when a question fails.

        Raises:
            Later, GivenUp
        """
        model = _find_model(generation.model)
        spread = await self._pace.spread(model.key, prior(model)) if model else UNLISTED
        least_pause = model.least_pause if model else SHORTEST
        hinted = self._callbacks.hints.watch(job.id)
        begun = False
        while True:
            waited = self._elapsed.since(job.id, ordered.at, most=LOST_AFTER)
            if begun or (watch.looked is None and waited < spread.p10):
                await self._clock.wait(hinted, max(pause(waited, spread), least_pause))
            if watch.looked is not None and least_pause:  # a hint does not make a provider take questions faster
                await self._clock.sleep(watch.looked + min(least_pause, LEAST_GAP) - self._clock.monotonic())
            begun = True
            hinted.clear()
            look = await self._look(job, ordered, watch, step)
            waited = self._elapsed.since(job.id, ordered.at, most=LOST_AFTER)
            if look.status is Status.READY and watch.ready is None:
                kept_for = _kept_for(ordered.ticket.provider)
                watch.ready = self._clock.monotonic()
                if not watch.followed and waited - (look.seconds or kept_for) >= kept_for:
                    watch.ready -= kept_for - OVERDUE_FOR
                if watch.followed and model:
                    await self._pace.add(model.key, _duration(waited, watch.pending, look), now=self._clock.now())
            if look.status.ended:
                return look
            watch.pending = waited
            if self._clock.monotonic() - watch.since > LOST_AFTER:
                await step.release_slot()
                raise Later(min(ASKED_AGAIN, waited / 10))

    async def _look(self, job: Job, ordered: Ordered, watch: PictureWait, step: Journal) -> Look:
        """One question.

        Raises:
            Later: it failed, and is asked again.
            GivenUp
        """
        name = ordered.ticket.provider
        watch.looked = now = self._clock.monotonic()
        try:
            look = await self._provider(name).job_status(ordered.ticket)
        except MachineTrouble:
            raise
        except BotError as error:  # the question failed, not the picture, which is ordered
            await self._troubles.note(name, f"The picture `{job.id}`", error)
            watch.trouble = now if watch.trouble is None else watch.trouble
            if now - watch.since > LOST_AFTER:  # nobody draws that long: others may have its slot
                await step.release_slot()
            raise self._ask_again(job, name, watch, error, began=watch.trouble) from error
        self._troubles.end(name)
        watch.trouble = None
        if look.status is not Status.MISSING:
            watch.seen, watch.missing = True, None
        else:
            watch.missing = now if watch.missing is None else watch.missing
            patience = MISLAID_FOR if watch.seen or _kept_for(name) > MISLAID_FOR else UNKNOWN_FOR
            if now - watch.missing > patience:
                raise GivenUp("The image service has lost track of this picture.")
        if not look.status.ended and now - watch.since > max(LOST_AFTER, _kept_for(name)):
            raise GivenUp("The image service never finished this picture.")
        return look

    def _ask_again(self, job: Job, name: str, watch: PictureWait, error: BotError, *, began: float) -> Later | GivenUp:
        """What to raise after a question that failed, as all have since `began`: it is asked again for as long as the
        picture can still be had."""
        now = self._clock.monotonic()
        until = _kept_for(name) + (watch.since + LOST_AFTER if watch.ready is None else watch.ready)
        if now > until - LAST_TRY:
            return GivenUp(str(error))
        longest = PAID_WAIT if _kept_for(name) <= LOST_AFTER else ASKED_AGAIN
        wait = pause_after(now - began, error, longest=min(longest, until - now))
        log.info("Job %s is asked about again in %.1f s: %s", job.id, wait, error)
        return Later(wait, note=str(error))

    async def _note_end(self, job: Job, ordered: Ordered, watch: PictureWait, look: Look) -> Ended:
        await self._troubles.note_price(f"The picture `{job.id}`", look.odd_cost)
        if look.status is not Status.READY:
            return Ended(cost=look.cost)
        waited = self._elapsed.since(job.id, ordered.at, most=LOST_AFTER)
        return Ended(cost=look.cost, seconds=waited if watch.followed else look.seconds)

    async def _keep(
        self, job: Job, order: PictureOrder, ordered: Ordered, look: Look, ended: Ended, watch: PictureWait
    ) -> Kept:
        """
        Raises:
            Later, GivenUp: it could not be fetched. Its task is asked anew then, for its link may be another.
        """
        name = ordered.ticket.provider
        async with self._files.temporary() as path:
            try:
                await self._provider(name).fetch_output(look.urls[0], path)
                picture = await self._decoder.run(check_generated, path)
            except MachineTrouble:
                raise
            except BotError as error:
                watch.unfetched = self._clock.monotonic() if watch.unfetched is None else watch.unfetched
                raise self._ask_again(job, name, watch, error, began=watch.unfetched) from error
            image = Image(
                id=job.id,
                job_id=job.root_id,
                position=job.position,
                guild_id=job.guild_id,
                owner_id=job.owner_id,
                sha256=await asyncio.to_thread(sha256_of, path),
                media_type=picture.media_type,
                width=picture.width,
                height=picture.height,
                bytes=path.stat().st_size,
                seed=_seed(order.generation, look),
                parent_image_id=order.parent_image_id,
                created_at=self._clock.now(),
            )
            async with self._work() as tx:
                arrived = {"image": asdict(image), "ended": asdict(ended)}
                await notes.save(tx.db, images.ARRIVED + job.id, json.dumps(arrived))
            await self._files.adopt(path)
        return await self._add_image(image, ended)

    async def _is_whole(self, sha256: str) -> bool:
        try:
            await self._files.read(sha256)
        except Broken:
            return False
        return True

    async def _add_image(self, image: Image, ended: Ended) -> Kept:
        async with self._work() as tx:
            await images.add(tx.db, image)
            await notes.delete(tx.db, images.ARRIVED + image.id)
        return Kept(sha256=image.sha256, charged=True, cost=ended.cost, seconds=ended.seconds)


def _kept_for(provider: str) -> float:
    return KEPT_FOR.get(provider, DAY)


def _find_model(key: str) -> Model | None:
    """The model; None where the catalogue does not have it any more, which is no reason to lose what it draws."""
    try:
        return catalogue.find(key)
    except Refused:
        return None


def _seed(generation: Generation, look: Look) -> int | None:
    """With which seed it was drawn: as the provider says, else as it was asked to."""
    asked = generation.parameters.get("seed")
    if look.seed is not None or look.odd_seed:
        return look.seed
    return asked if isinstance(asked, int) else None


def _duration(waited: float, pending: float | None, look: Look) -> float:
    """How long the picture took, in seconds, as well as it can be known from outside.

    Where it is ready at a later look, it became ready since the look before. Where it is ready at the very first, it
    may have been ready long ago: without the provider's own figure a tenth is taken off, so that the first look
    moves forward until it comes too early again.
    """
    if pending is not None:
        return (waited + pending) / 2
    return min(look.seconds, waited) if look.seconds is not None else waited * 0.9


def _moderated(what: str, reasons: tuple[str, ...]) -> str:
    why = f" ({', '.join(reasons)})" if reasons else ""
    return f"The image service's moderation turned {what} down{why}. Please try other words."


def prior(model: Model) -> Spread:
    """How long the model takes where there is no history yet."""
    return Spread(model.seconds.p10, model.seconds.p50, model.seconds.p90)
