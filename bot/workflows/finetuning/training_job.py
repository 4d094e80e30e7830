"""One try to train a finetune: order it, look at it for hours or days, and keep what came of it."""

import logging
from dataclasses import dataclass
from functools import partial

from bot.errors import BotError, Broken, MachineTrouble, Refused, Unavailable, Uncertain
from bot.jobs.journal import Journal
from bot.jobs.pace import Spread
from bot.jobs.worker import Later, Outcome
from bot.pictures.decode import check_generated
from bot.pictures.training_sets.preparing import read_archive
from bot.providers import trainers
from bot.providers.interface import FinetuneRef, Status
from bot.providers.trainer_entries import Trainer
from bot.providers.training import ListsFinetunes, Started, Training, TrainingPicture, TrainingProvider, TrainingSet
from bot.values import Frozen
from bot.workflows.base.kit import Kit
from bot.workflows.base.troubles import Troubles, pause_after
from bot.workflows.finetuning.types import LOST_AFTER, Progress, TrainingOrder, order_of
from bot.workflows.finetuning.views import pace_key
from storage.base.jobs import Job, State
from storage.finetuning import finetunes
from storage.finetuning.finetunes import Sample
from storage.finetuning.transitions import Event, FinetuneState

log = logging.getLogger(__name__)

QUICKEST, SLOWEST = 10.0, 60.0
"""Seconds between two looks at a training, as the providers' own clients look or ask for."""
SEARCHED_EVERY = 300.0
"""Seconds between two searches for a training whose receipt was lost."""
SEARCHED_FOR = 86_400.0
"""Seconds for which it is searched: some providers list a finetune only when its training is over."""
ERROR_PAUSE = 30.0
"""Seconds between two looks that find an error, for an error may pass."""
MISSING_FOR = 6 * 3600.0
"""Seconds for which a provider may not know a training that it has accepted."""
TRIED_FOR = 6 * 3600.0
"""Seconds for which this process has asked in vain before it gives a training up: a wall clock that was set forward by
days ends none."""
BELIEVED_AFTER = 3600.0
"""The same for the search of a lost receipt, and for a trainer that says that it lists nothing."""
LEAST_PAUSE = 2.1
"""Seconds between two looks, whatever calls for one: Astria answers 429 to more, which costs thirty."""
DRAWN_WITHIN = 900.0
"""Seconds after its training in which a pack draws its pictures."""
MOST_SAMPLES = 10
"""Pictures of the trainer's that are kept: as many as a message can show."""
FAILED_THERE = "failed there"
"""The step that stores that the trainer itself said that the training failed."""
SETTLED = "settled"
"""The step that the admin does: where a training is whose receipt was lost. It counts for more than any receipt."""


class Ordered(Frozen):
    """The trainer's receipt, and when it came (or when the lost one was found)."""

    started: Started
    at: float


@dataclass
class TrainingWait:
    """What this process knows of a training that it waits for; the times are of the monotonic clock, in seconds."""

    since: float
    """When this process began to ask about it."""
    looked: float | None = None
    trouble: float | None = None
    """The first of the questions in a row that failed."""
    missing: float | None = None
    """The first of the looks in a row that did not find it."""
    error: float | None = None
    """The last look that found an error and was counted."""
    drawing: float | None = None
    """When its pack was first seen being drawn."""
    unfetched: float | None = None
    """When one of its pictures could first not be fetched."""


class FinalWord(Frozen):
    """The trainer's own word for how the training ended."""

    status: Status


class TrainingJob:
    """The recipe of the jobs of kind `train`."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._files = kit.files
        self._providers = kit.providers
        self._decoder = kit.decoder
        self._pace = kit.pace
        self._callbacks = kit.callbacks
        self._elapsed = kit.elapsed
        self._troubles = Troubles(kit.clock, kit.alarm)
        self._watches: dict[str, TrainingWait] = {}

    async def __call__(self, job: Job, step: Journal) -> Outcome:
        order = order_of(job)
        trainer = trainers.find(order.spec.trainer)
        provider = await self._find_provider(job, trainer, step)
        receipt = await self._get_receipt(job, order, trainer, provider, step)
        await self._note_ref(order, receipt)
        await self._troubles.note_price(f"The training `{job.id}`", receipt.started.odd_cost)
        elapsed = self._elapsed.since(job.id, receipt.at, most=2 * LOST_AFTER)
        watch = self._watch(job)
        try:
            training = await self._look(order, trainer, provider, receipt, watch, elapsed)
        except Uncertain:
            self._watches.pop(job.id, None)
            raise
        except MachineTrouble:
            raise
        except BotError as error:  # a changed key, for example: the question failed, and the training goes on
            raise await self._ask_again(job, trainer, watch, error, give_up=elapsed > LOST_AFTER) from error
        await step.release_slot()
        await self._troubles.note_price(f"The training `{job.id}`", training.odd_cost)
        cost = training.cost if training.cost is not None else receipt.started.cost
        if training.status is Status.READY:
            if not await self._is_deleted(order):
                await self._keep_samples(order, provider, training, watch)
            self._watches.pop(job.id, None)
            await self._finish(order, trainer, elapsed, training)
            return Outcome(State.DONE, cost if cost is not None else job.cost_estimated or None)
        await step(FAILED_THERE, FinalWord, partial(_keep_word, training))
        self._watches.pop(job.id, None)
        settled = training.cost if training.cost is not None else 0 if trainer.failures_are_free else None
        return Outcome(State.FAILED, settled, _explain_failure(trainer, training))

    def _watch(self, job: Job) -> TrainingWait:
        return self._watches.setdefault(job.id, TrainingWait(since=self._clock.monotonic()))

    async def _ask_again(
        self, job: Job, trainer: Trainer, watch: TrainingWait, error: BotError, *, give_up: bool
    ) -> Later | Uncertain:
        """What to raise after a question that failed. Before it is given up, this process has asked for hours: what the
        wall clock says alone is not enough."""
        await self._troubles.note(trainer.provider, f"The training `{job.id}`", error)
        now = self._clock.monotonic()
        if give_up and now - watch.since > TRIED_FOR:
            return Uncertain(str(error))
        watch.trouble = now if watch.trouble is None else watch.trouble
        wait = pause_after(now - watch.trouble, error, shortest=QUICKEST, longest=SEARCHED_EVERY)
        log.info("The training %s is asked about again in %.0f s: %s", job.id, wait, error)
        return Later(wait, note=str(error))

    async def _find_provider(self, job: Job, trainer: Trainer, step: Journal) -> TrainingProvider:
        """
        Raises:
            Broken: it is not set up, and nothing was ordered.
            Later: it is not set up any more: what was ordered waits until the admin has mended that.
        """
        provider = self._providers.get(trainer.provider)
        if isinstance(provider, TrainingProvider):
            return provider
        missing = Broken(f"{trainer.label} is not set up any more.")
        if not await step.recall_payment():
            raise missing
        raise await self._ask_again(job, trainer, self._watch(job), missing, give_up=False)

    # The order.

    async def _get_receipt(
        self, job: Job, order: TrainingOrder, trainer: Trainer, provider: TrainingProvider, step: Journal
    ) -> Ordered:
        """The receipt. A lost one is searched for as long as the trainer may take to list it.

        Raises:
            Uncertain: nobody can tell whether it was ordered.
        """
        if (settlement := await step.recall(SETTLED, Ordered)) is not None:
            await step.recall_payment()
            return settlement
        try:
            return await step.pay("ordered", Ordered, lambda: self._order(job, order, provider), request=order)
        except Uncertain as error:
            lost = error  # the name of an exception ends with its block
        return await step("found", Ordered, lambda: self._search(job, order, trainer, provider, step, lost))

    async def _order(self, job: Job, order: TrainingOrder, provider: TrainingProvider) -> Ordered:
        async with self._work.read() as db:
            finetune = await finetunes.find(db, order.finetune_id)
        if finetune is None or finetune.state is not FinetuneState.TRAINING or finetune.frozen_at is not None:
            raise Refused("This training was called off before it was ordered.")
        archive = await self._files.read(order.training_set)
        members = await self._decoder.run(read_archive, archive)
        pictures = tuple(TrainingPicture(each.name, each.content, each.caption) for each in members)
        callback = self._callbacks.of(provider.name, job.id)
        started = await provider.create_finetune(order.spec, TrainingSet(pictures, archive), callback)
        self._elapsed.begin(job.id)
        return Ordered(started=started, at=self._clock.now())

    async def _search(
        self,
        job: Job,
        order: TrainingOrder,
        trainer: Trainer,
        provider: TrainingProvider,
        step: Journal,
        lost: Uncertain,
    ) -> Ordered:
        assert step.paid_at is not None, "it was begun, or nothing would be lost"
        why = f"{lost} The bot is looking for it at {trainer.label}; it is not ordered a second time."
        await self._note(order, Progress(inferred=why))
        if not isinstance(provider, ListsFinetunes):
            raise Uncertain(
                f"{lost} This trainer does not list its trainings: only its own website or support can tell."
            ) from lost
        watch, searched = self._watch(job), self._elapsed.since(f"{job.id} search", step.paid_at, most=SEARCHED_FOR)
        tried = self._clock.monotonic() - watch.since
        try:
            started = await provider.find_finetune(order.spec)
        except Refused as error:  # it says that it lists nothing; one odd answer says that, too
            if tried > BELIEVED_AFTER:
                raise Uncertain(f"{lost} {error}") from lost
            raise Later(SEARCHED_EVERY, note=str(error)) from error
        except MachineTrouble:
            raise
        except BotError as error:
            if searched > SEARCHED_FOR and tried > BELIEVED_AFTER:
                raise Uncertain(f"{lost} It could not be looked for: {error}") from lost
            await self._troubles.note(trainer.provider, f"The lost order `{job.id}`", error)
            raise Later(SEARCHED_EVERY, note=str(error)) from error
        self._troubles.end(trainer.provider)
        if started is not None:
            log.info("The training %s was found again at %s.", order.spec.id, trainer.label)
            return Ordered(started=started, at=step.paid_at)
        if searched > SEARCHED_FOR and tried > BELIEVED_AFTER:
            raise Uncertain(f"{lost} {trainer.label} does not list it after a day of looking.")
        raise Later(SEARCHED_EVERY)

    async def _note_ref(self, order: TrainingOrder, receipt: Ordered) -> None:
        """Store where the finetune is. What the admin has put down counts for more than the receipt."""
        async with self._work() as tx:
            finetune = await finetunes.find(tx.db, order.finetune_id)
            if finetune is None:
                raise Broken("This finetune has lost its row.")
            progress = Progress.model_validate_json(finetune.progress) if finetune.progress else Progress()
            noted = finetune.ref is not None and progress.ordered_at == receipt.at
            if noted or finetune.state is FinetuneState.READY:  # the job was interrupted before its end
                return
            ref = receipt.started.ref.model_copy(update={"option": trainers.find(order.spec.trainer).option})
            await finetunes.update(
                tx.db,
                order.finetune_id,
                now=tx.now,
                ref=ref.model_dump_json(),
                progress=Progress(ordered_at=receipt.at).model_dump_json(),
            )

    # The wait.

    async def _look(
        self,
        order: TrainingOrder,
        trainer: Trainer,
        provider: TrainingProvider,
        receipt: Ordered,
        watch: TrainingWait,
        elapsed: float,
    ) -> Training:
        """What became of the training, when it is over.

        Raises:
            Later: it is not.
            Uncertain: its trainer has lost track of it.
        """
        now = self._clock.monotonic()
        if watch.looked is not None and now < watch.looked + LEAST_PAUSE:  # a callback may come just after a look
            raise Later(watch.looked + LEAST_PAUSE - now)
        progress = await self._load_progress(order)
        usual = trainers.expect_seconds(trainer, order.spec.parameters)
        spread = await self._pace.spread(pace_key(trainer), Spread(usual.p10, usual.p50, usual.p90))
        if progress.share is None and progress.missing_since is None and elapsed < min(spread.p10, QUICKEST):
            raise Later(min(spread.p10, QUICKEST) - elapsed)
        watch.looked = now
        training = await provider.finetune_status(receipt.started.ref)
        watch.trouble = None
        self._troubles.end(trainer.provider)
        if training.status is not Status.MISSING:
            watch.missing = None
        if training.trigger:
            await self._store_trigger(order, training.trigger)
        match training.status:
            case Status.READY if order.spec.pack and await self._still_draws(order, progress, training, watch):
                raise Later(3 * QUICKEST)
            case Status.READY | Status.MODERATED_INPUT | Status.MODERATED_OUTPUT:
                return training
            case Status.FAILED:
                progress = await self._count_error(order, progress, watch)
                if progress.errors >= trainer.errors_believed_after:
                    return training
                raise Later(ERROR_PAUSE)
            case Status.MISSING:
                watch.missing = now if watch.missing is None else watch.missing
                since = progress.missing_since or self._clock.now()
                await self._note(order, progress.model_copy(update={"missing_since": since}))
                if now - watch.missing > MISSING_FOR:
                    raise Uncertain(f"{trainer.label} does not know this training any more.")
            case _:
                moved = {
                    "share": training.progress,
                    "ready_by": training.ready_by,
                    "errors": 0,
                    "missing_since": None,
                    "inferred": None,
                }
                await self._note(order, progress.model_copy(update=moved))
        if elapsed > LOST_AFTER and now - watch.since > TRIED_FOR:
            raise Uncertain(f"{trainer.label} never finished this training.")
        raise Later(_pause(elapsed, spread))

    async def _still_draws(
        self, order: TrainingOrder, progress: Progress, training: Training, watch: TrainingWait
    ) -> bool:
        """Whether a pack's pictures, which are paid for, are still being drawn: there were more than at the last look.

        No trainer says how many there will be. Where there are none, they are waited for `DRAWN_WITHIN`.
        """
        now, count = self._clock.monotonic(), len(training.samples)
        watch.drawing = now if watch.drawing is None else watch.drawing
        if now - watch.drawing > DRAWN_WITHIN or (count and count == progress.samples):
            return False
        since = progress.drawing_since or self._clock.now()
        await self._note(order, progress.model_copy(update={"samples": count, "drawing_since": since}))
        return True

    async def _count_error(self, order: TrainingOrder, progress: Progress, watch: TrainingWait) -> Progress:
        """One look more that found an error; looks that a hint brought close together count once."""
        now = self._clock.monotonic()
        if watch.error is None or progress.errors == 0 or now - watch.error >= ERROR_PAUSE - 1:
            watch.error = now
            progress = progress.model_copy(update={"errors": progress.errors + 1, "error_at": self._clock.now()})
            await self._note(order, progress)
        return progress

    async def _load_progress(self, order: TrainingOrder) -> Progress:
        async with self._work.read() as db:
            finetune = await finetunes.find(db, order.finetune_id)
        return Progress.model_validate_json(finetune.progress) if finetune and finetune.progress else Progress()

    async def _note(self, order: TrainingOrder, progress: Progress) -> None:
        if progress == await self._load_progress(order):
            return
        async with self._work() as tx:
            await finetunes.update(tx.db, order.finetune_id, now=tx.now, progress=progress.model_dump_json())

    async def _store_trigger(self, order: TrainingOrder, trigger: str) -> None:
        """Store the trigger word of a trainer that names it only after the order."""
        async with self._work() as tx:
            finetune = await finetunes.find(tx.db, order.finetune_id)
            if finetune is None or finetune.ref is None:
                return
            ref = FinetuneRef.model_validate_json(finetune.ref)
            if ref.trigger != trigger:
                ref = ref.model_copy(update={"trigger": trigger, "remote_id": ref.remote_id or trigger})
                await finetunes.update(tx.db, order.finetune_id, now=tx.now, ref=ref.model_dump_json())

    # The end.

    async def _finish(self, order: TrainingOrder, trainer: Trainer, elapsed: float, training: Training) -> None:
        async with self._work() as tx:
            expires_at = training.expires_at
            if expires_at is None and trainer.lifetime is not None and not order.spec.parameters.get("auto_extend"):
                expires_at = tx.now + trainer.lifetime
            finished = await finetunes.move(
                tx.db, order.finetune_id, Event.FINISH, now=tx.now, ready_at=tx.now, expires_at=expires_at
            )
        if finished:
            await self._pace.add(pace_key(trainer), elapsed, now=tx.now)

    async def _is_deleted(self, order: TrainingOrder) -> bool:
        async with self._work.read() as db:
            finetune = await finetunes.find(db, order.finetune_id)
        return finetune is None or finetune.state is FinetuneState.DELETED

    async def _keep_samples(
        self, order: TrainingOrder, provider: TrainingProvider, training: Training, watch: TrainingWait
    ) -> None:
        """Store pictures that the trainer has drawn. One that cannot be fetched for `DRAWN_WITHIN` is left out.

        Raises:
            Later: one could not be fetched.
        """
        now = self._clock.monotonic()
        for position, url in enumerate(training.samples[:MOST_SAMPLES]):
            async with self._files.temporary() as path:
                try:
                    await provider.fetch_output(url, path)
                    picture = await self._decoder.run(check_generated, path)
                except MachineTrouble:
                    raise
                except (Broken, Unavailable) as error:
                    log.info("A sample of %s could not be fetched: %s", order.spec.id, error)
                    watch.unfetched = now if watch.unfetched is None else watch.unfetched
                    if now - watch.unfetched > DRAWN_WITHIN:
                        continue
                    pause = pause_after(now - watch.unfetched, error, shortest=QUICKEST, longest=SLOWEST)
                    raise Later(pause, note="A picture of the trainer's could not be fetched yet.") from error
                sha256 = await self._files.adopt(path)
            sample = Sample(position=position, sha256=sha256, media_type=picture.media_type)
            async with self._work() as tx:
                await finetunes.add_sample(tx.db, order.finetune_id, sample)


async def _keep_word(training: Training) -> FinalWord:
    return FinalWord(status=training.status)


def _pause(waited: float, spread: Spread) -> float:
    """Seconds until the next look: about sixty looks in the usual time, closer where it is about to end."""
    usual = min(max(spread.p50 / 60, QUICKEST), SLOWEST)
    return QUICKEST if spread.p10 <= waited <= spread.p90 and usual < 2 * QUICKEST else usual


def _explain_failure(trainer: Trainer, training: Training) -> str:
    why = f" It says: {'; '.join(training.reasons)}." if training.reasons else " It does not say why."
    if training.status in {Status.MODERATED_INPUT, Status.MODERATED_OUTPUT}:
        return f"{trainer.label}'s moderation turned these pictures down.{why}"
    return f"{trainer.label} could not finish this training.{why}"
