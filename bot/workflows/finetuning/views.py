"""Reads a finetune with all that its cards show."""

import contextlib
from collections.abc import Mapping, Sequence

from bot.errors import BotError, Refused
from bot.jobs.pace import Spread
from bot.pictures.training_sets.linting import Facts, Finding, Needs, Severity, lint
from bot.providers import trainers
from bot.providers.trainer_entries import Trainer
from bot.providers.training import FinetuneSpec, Inspection, ListsFinetunes, TrainedSubject
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Forecast
from bot.workflows.finetuning.types import LOST_AFTER, OPEN, FinetuneDetails, FinetuneView, Progress
from storage.base import jobs, ledger, queue, steps
from storage.base.jobs import Job, State
from storage.community import communities
from storage.database import Connection
from storage.finetuning import finetunes, training_images
from storage.finetuning.finetunes import Finetune
from storage.finetuning.training_images import TrainingImage
from storage.finetuning.transitions import FinetuneState
from storage.reviewing import reviews


class FinetuneViews:
    """Puts a finetune, its pictures, its trainings and its forecast together. `providers` are those set up here."""

    def __init__(self, kit: Kit, *, homes: Mapping[str, str] | None = None) -> None:
        """`homes` names the region of a provider where things are trained unless somebody chooses another."""
        self._homes = dict(homes or {})
        self._work = kit.work
        self._clock = kit.clock
        self._pace = kit.pace
        self._elapsed = kit.elapsed
        self._providers = kit.providers

    def offered(self) -> list[Trainer]:
        """The trainers that are set up here, the usual one first."""
        return trainers.offered(frozenset(self._providers))

    def find_trainer(self, typed: str | None) -> Trainer:
        """The trainer with that label or key; the usual one where none is typed.

        Raises:
            Refused: there is none of that name, it is not set up here, or none is.
        """
        offered = self.offered()
        if not offered:
            raise Refused("No trainer is set up here. The admin has to give the bot a trainer's key first.")
        if typed is None:
            return offered[0]
        wanted = typed.strip().casefold()
        labelled = [each for each in offered if each.label.casefold() == wanted]
        trainer = labelled[0] if labelled else trainers.find(wanted)
        self.check_set_up(trainer)
        return trainer

    def home(self, trainer: Trainer) -> str | None:
        """Where this trainer trains unless somebody chooses another place; None where there is no choice."""
        return self._homes.get(trainer.provider) if trainer.regions else None

    def check_set_up(self, trainer: Trainer) -> None:
        """
        Raises:
            Refused: the trainer is not set up here; the sentence names those that are.
        """
        if trainer.provider not in self._providers:
            labels = ", ".join(each.label for each in self.offered())
            raise Refused(
                f"{trainer.label} is not set up here. {f'There is: {labels}.' if labels else 'No trainer is.'}"
            )

    async def of(self, finetune_id: str) -> FinetuneView | None:
        """The finetune with that id, deleted ones too; None where there is none."""
        async with self._work.read() as db:
            return await self._read(db, finetune_id)

    async def read(self, db: Connection, finetune_id: str) -> FinetuneView | None:
        """The same inside a transaction: nothing of it changes before that ends."""
        return await self._read(db, finetune_id)

    async def find_by_name(self, guild_id: int, name: str) -> FinetuneView | None:
        """The finetune that is called so there and not deleted."""
        async with self._work.read() as db:
            finetune = await finetunes.find_by_name(db, guild_id, name)
            return await self._read(db, finetune.id) if finetune else None

    async def list_usable(self, *, guild_id: int, user_id: int, roles: Sequence[int], limit: int) -> list[FinetuneView]:
        """What a member owns or may draw with: their drafts, then the newest; at most `limit`."""
        async with self._work.read() as db:
            listed = await finetunes.list_usable(
                db, guild_id=guild_id, user_id=user_id, roles=roles, limit=limit, ready=False
            )
            drafts = await finetunes.of_state(db, FinetuneState.DRAFT)
            own = [each for each in drafts if each.guild_id == guild_id and each.owner_id == user_id]
            own.sort(key=lambda each: (each.created_at, each.id), reverse=True)
            ids = dict.fromkeys(each.id for each in [*own, *listed])
            views = [await self._read(db, each) for each in [*ids][:limit]]
        return [view for view in views if view]

    async def load_details(self, view: FinetuneView) -> FinetuneDetails:
        """What the ledger and its trainer say of a finetune. A trainer that does not answer says nothing."""
        async with self._work.read() as db:
            entries = [line for each in view.tries for line in await ledger.of_job(db, each.id)]
        provider = self._providers.get(view.trainer.provider)
        facts: dict[str, str] = {}
        if view.ref and view.finetune.state is FinetuneState.READY and isinstance(provider, ListsFinetunes):
            with contextlib.suppress(BotError):
                facts = await provider.finetune_details(view.ref)
        return FinetuneDetails(tuple(entries), facts)

    async def _read(self, db: Connection, finetune_id: str) -> FinetuneView | None:
        finetune = await finetunes.find(db, finetune_id)
        job = await jobs.find(db, finetune_id)
        if finetune is None or job is None:
            return None
        spec = FinetuneSpec.model_validate_json(finetune.spec)
        trainer = trainers.find(spec.trainer)
        pictures = await training_images.of_finetune(db, finetune_id)
        tries = await jobs.children(db, finetune_id)
        review = await reviews.newest_about(db, finetune_id)
        progress = Progress.model_validate_json(finetune.progress) if finetune.progress else Progress()
        findings: list[Finding] = []
        if finetune.state in (*OPEN, FinetuneState.ASKING):
            findings = await self._check_set(db, finetune, spec, trainer, pictures, progress)
        return FinetuneView(
            job=job,
            finetune=finetune,
            spec=spec,
            trainer=trainer,
            pictures=tuple(pictures),
            inspections=tuple(
                Inspection.model_validate_json(each.inspection) if each.inspection else None for each in pictures
            ),
            findings=tuple(findings),
            price=trainers.estimate(spec, pictures=sum(each.withdrawn_at is None for each in pictures)),
            tries=tuple(tries),
            progress=progress,
            forecast=await self._forecast(db, finetune, spec, trainer, tries, progress),
            review=review,
            limit=(await communities.find(db, finetune.guild_id)).confirm_above if review else None,
            samples=tuple(await finetunes.samples_of(db, finetune_id)),
            shares=tuple(await finetunes.shares_of(db, finetune_id)),
            others=tuple(each for each in self.offered() if each.key != trainer.key),
        )

    async def _check_set(
        self,
        db: Connection,
        finetune: Finetune,
        spec: FinetuneSpec,
        trainer: Trainer,
        pictures: Sequence[TrainingImage],
        progress: Progress,
    ) -> list[Finding]:
        taken = {
            FinetuneSpec.model_validate_json(other.spec).trigger
            for other in await finetunes.of_community(db, finetune.guild_id)
            if other.id != finetune.id and other.state not in {FinetuneState.DRAFT, FinetuneState.EXPIRED}
        } - {trainer.usual_trigger}  # who chose none has taken none
        needs = Needs(
            label=trainer.label,
            fewest=trainer.fewest,
            advised=trainer.advised,
            least_side=trainer.least_side,
            captions=trainer.captions,
            pairs=trainer.pairs,
            prefix=trainer.prefix,
        )
        findings = list(
            lint(
                [_facts(picture) for picture in pictures],
                needs,
                trigger=spec.trigger,
                taken_triggers=taken,
                captions_alone=progress.captions_alone,
            )
        )
        try:
            trainers.check(spec, pictures=max(len(pictures), trainer.fewest + trainer.fewest % 2))
        except Refused as error:
            findings.insert(0, Finding(Severity.ERROR, str(error)))
        if trainer.withdrawn:
            sentence = f"{trainer.label} has withdrawn training: starting may be refused, which costs nothing."
            findings.append(Finding(Severity.WARNING, sentence))
        if trainer.class_needed and spec.class_name == trainers.USUAL_CLASSES[TrainedSubject.CHARACTER]:
            better = f"{trainer.label} learns faster from a plain noun: say under Options whether it is a man, a cat, …"
            findings.append(Finding(Severity.HINT, better))
        return findings

    async def _forecast(
        self,
        db: Connection,
        finetune: Finetune,
        spec: FinetuneSpec,
        trainer: Trainer,
        tries: Sequence[Job],
        progress: Progress,
    ) -> Forecast | None:
        """When it will be ready, from this server's history; None where nothing is being trained."""
        if finetune.state is not FinetuneState.TRAINING or not tries or tries[-1].state.ended:
            return None
        usual = trainers.expect_seconds(trainer, spec.parameters)
        spread = await self._pace.spread(pace_key(trainer), Spread(usual.p10, usual.p50, usual.p90), db=db)
        now = self._clock.now()
        ordered_at = progress.ordered_at or (await steps.ordered(db, parent_id=finetune.id)).get(tries[-1].id)
        ahead = 0
        if ordered_at is None:
            waits = tries[-1].state is State.WAITING
            ahead = (await queue.ahead(db, tries[-1]))[0] if waits else 0
            ordered_at = now + ahead * spread.p50
        else:  # by what the clock says now: it may have been set since
            ordered_at = now - self._elapsed.since(tries[-1].id, ordered_at, most=2 * LOST_AFTER)
        likely, latest = ordered_at + spread.p50, ordered_at + spread.p90
        if progress.share and progress.ordered_at and progress.share > 0.05:
            likely = ordered_at + (now - ordered_at) / progress.share
        return Forecast(ahead, likely, max(latest, likely)).at(now)


def pace_key(trainer: Trainer) -> str:
    """The key of the durations of a trainer's trainings in `Pace`."""
    return f"train {trainer.key}"


def _facts(picture: TrainingImage) -> Facts:
    return Facts(
        name=picture.name,
        width=picture.original_width,
        height=picture.original_height,
        fingerprint=picture.fingerprint,
        sha256=picture.original_sha256,
        caption=picture.caption,
    )
