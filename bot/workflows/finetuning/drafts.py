"""A finetune before it is trained: its pictures and its settings. Each change is one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.errors import Refused, Unavailable
from bot.pictures.names import stem
from bot.pictures.training_sets.preparing import MOST_CAPTION
from bot.providers import trainers
from bot.providers.trainer_entries import MOST_PICTURES, Trainer
from bot.providers.training import FinetuneSpec
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import CARDS, Origin, Upload, job_id
from bot.workflows.base.work import UnitOfWork
from bot.workflows.finetuning.intake import Given, Intake, Taken
from bot.workflows.finetuning.sheets import ContactSheets
from bot.workflows.finetuning.types import OPEN, FinetuneView, OpenDraft, Progress
from bot.workflows.finetuning.views import FinetuneViews
from storage.base import jobs
from storage.base.jobs import Job
from storage.base.queue import NewJob
from storage.database import Connection
from storage.finetuning import finetunes, training_images
from storage.finetuning.finetunes import Finetune
from storage.finetuning.training_images import TrainingImage
from storage.finetuning.transitions import FinetuneState

LONGEST_NAME = 40
LONGEST_DESCRIPTION = 300
MOST_DRAFTS = 5
"""Drafts of one member in one community: each may hold 20 pictures."""


_NO_DRAFT = "This finetune is not being put together any more: what it is trained on stays as it was shown."


@dataclass(frozen=True)
class Source:
    """Where pictures come from: who gave them, who put them into the set, and whether consent was confirmed."""

    contributor_id: int
    added_by: int
    link: str | None = None
    consented: bool = False


@dataclass(frozen=True)
class Added:
    """What came of files that were given for a draft."""

    pictures: int = 0
    """New in the set."""
    present: int = 0
    """Pictures that were in the set already."""
    twice: int = 0
    """Pictures that were given more than once together."""
    captions: int = 0
    """Captions of pictures that were in the set already."""
    captions_alone: tuple[str, ...] = ()
    """Names, without their ending, of captions that fit no picture."""
    left_out: tuple[str, ...] = ()
    """One sentence for each file that cannot be used."""


class TrainingDrafts:
    """The verbs of those who put a training set together."""

    def __init__(self, kit: Kit, *, views: FinetuneViews, sheets: ContactSheets) -> None:
        self._work = kit.work
        self._files = kit.files
        self._signals = kit.signals
        self._intake = Intake(kit)
        self._sheets = sheets
        self.views = views

    async def create(
        self, origin: Origin, spec: FinetuneSpec, uploads: Sequence[Upload] = (), *, description: str = ""
    ) -> tuple[Job, Added]:
        """Open a draft, with the pictures that came with it. The same interaction is one draft for ever.

        Raises:
            Refused: the name is taken, a setting is out of range, or nothing of what was given can be used; nothing
                was stored.
            Unavailable: the bot is about to restart, or Discord did not hand a file over.
        """
        self._signals.check_accepting()
        name = check_name(spec.name)
        spec = trainers.check_settings(spec.model_copy(update={"name": name}))
        self._check_trainer(spec.trainer)
        finetune_id = job_id(origin.interaction_id)
        async with self._work.read() as db:
            earlier = await jobs.find(db, finetune_id)
            if earlier is None:
                await self._check_free(db, origin, name)
        if earlier is not None:
            return earlier, Added()
        taken, added = await self._intake.take(uploads), Added()
        async with self._work() as tx:
            await self._check_free(tx.db, origin, name)
            new = NewJob(
                id=finetune_id,
                kind="finetune",
                guild_id=origin.guild_id,
                channel_id=origin.channel_id,
                message_id=origin.message_id,
                owner_id=origin.user_id,
                request="{}",
                lane=CARDS,
                parked=True,
                age_restricted=origin.nsfw,
            )
            if await tx.add_job(new):
                await finetunes.add(tx.db, _new_draft(new, spec, check_description(description), tx.now))
                source = Source(origin.user_id, origin.user_id)
                added = await self._keep(tx, finetune_id, taken, source)
            job = await jobs.find(tx.db, finetune_id)
        assert job is not None, "it was added in this transaction"
        await self._sheets.draw(finetune_id)
        return job, added

    async def check_free(self, origin: Origin, name: str) -> None:
        """Whether a draft of that name could be opened, before anybody uploads anything for it.

        Raises:
            Refused: the name is taken or none, or the member has as many drafts as there may be.
        """
        async with self._work.read() as db:
            await self._check_free(db, origin, check_name(name))

    async def add(self, finetune_id: str, uploads: Sequence[Upload], source: Source) -> Added:
        """Put pictures, and captions for pictures that it has, into a draft.

        Raises:
            Refused: it is no draft any more, is not open to this member, is full, or nothing can be used.
            Unavailable: the bot is about to restart, or Discord did not hand a file over.
        """
        self._signals.check_accepting()
        view = await self._load_draft(finetune_id)
        self._check_may_add(view, source.added_by)
        if len(view.pictures) >= MOST_PICTURES and not any(upload.name.lower().endswith(".txt") for upload in uploads):
            raise Refused(f"This training set has {MOST_PICTURES} pictures, the most there can be. Remove some first.")
        taken = await self._intake.take(uploads)
        async with self._work() as tx:
            await self._check_still_draft(tx, finetune_id)
            added = await self._keep(tx, finetune_id, taken, source)
        await self._sheets.draw(finetune_id)
        return added

    async def list_open(self, guild_id: int, *, user_id: int) -> list[OpenDraft]:
        """The drafts of a community that a member may add pictures to, their own first."""
        async with self._work.read() as db:
            drafts = [
                OpenDraft(finetune.id, finetune.name, finetune.owner_id, job.channel_id)
                for finetune in await finetunes.of_community(db, guild_id)
                if finetune.state in OPEN
                and (finetune.owner_id == user_id or finetune.open_to_others)
                and (job := await jobs.find(db, finetune.id))
            ]
        return sorted(drafts, key=lambda draft: draft.owner_id != user_id)

    async def remove(self, finetune_id: str, image_ids: Collection[str], *, by: int) -> int:
        """Take pictures out of a draft; how many of them were in it.

        Raises:
            Refused: it is not the member's draft: others may remove only what they gave.
        """
        view = await self._load_draft(finetune_id)
        chosen = [picture for picture in view.pictures if picture.id in image_ids]
        if view.finetune.owner_id != by and any(picture.contributor_id != by for picture in chosen):
            raise Refused("You can remove only the pictures that you gave.")
        async with self._work() as tx:
            await self._check_still_draft(tx, finetune_id)
            removed = [await training_images.remove(tx.db, finetune_id, picture.id) for picture in chosen]
            await tx.let_go(removed)
            await self._mark_changed(tx, finetune_id)
        await self._sheets.draw(finetune_id)
        return len(chosen)

    async def caption(self, finetune_id: str, captions: Mapping[int, str], *, by: int) -> None:
        """Set captions by the pictures' numbers; an empty one takes a caption away.

        Raises:
            Refused: it is not the member's draft, there is no such picture, or a caption is too long.
        """
        view = await self._load_own_draft(finetune_id, by)
        for number, text in captions.items():
            if not 1 <= number <= len(view.pictures):
                raise Refused(f"There is no picture {number}: there are {len(view.pictures)}.")
            if len(text) > MOST_CAPTION:
                raise Refused(f"The caption of picture {number} is longer than {MOST_CAPTION:,} characters.")
        async with self._work() as tx:
            await self._check_still_draft(tx, finetune_id)
            for number, text in captions.items():
                caption = " ".join(text.split()) or None
                await training_images.set_caption(tx.db, finetune_id, view.pictures[number - 1].id, caption)
            await self._mark_changed(tx, finetune_id)
        await self._sheets.draw(finetune_id)

    async def configure(self, finetune_id: str, spec: FinetuneSpec, *, by: int, description: str | None = None) -> None:
        """Change how a draft will be trained.

        Raises:
            Refused: it is not the member's draft, or a setting is out of range.
        """
        await self._load_own_draft(finetune_id, by)
        spec = trainers.check_settings(spec)
        self._check_trainer(spec.trainer)
        values: dict[str, object] = {"spec": spec.model_dump_json()}
        if description is not None:
            values["description"] = check_description(description)
        async with self._work() as tx:
            await self._check_still_draft(tx, finetune_id)
            await finetunes.update(tx.db, finetune_id, now=tx.now, **values)

    async def use_trainer(self, finetune_id: str, trainer_key: str, *, by: int) -> None:
        """Train the draft elsewhere; settings that the other trainer does not know are left out.

        Raises:
            Refused: it is not the member's draft, or the other trainer is not set up here.
        """
        view = await self._load_own_draft(finetune_id, by)
        trainer = self._check_trainer(trainer_key)
        adapted = trainers.adapt(view.spec, trainer).model_copy(update={"region": self.views.home(trainer)})
        await self.configure(finetune_id, adapted, by=by)

    async def open_to_others(self, finetune_id: str, *, by: int) -> bool:
        """Let other members add pictures, or not any more; which of the two it is now.

        Raises:
            Refused: it is not the member's draft.
        """
        view = await self._load_own_draft(finetune_id, by)
        is_open = not view.finetune.open_to_others
        async with self._work() as tx:
            await self._check_still_draft(tx, finetune_id)
            await finetunes.update(tx.db, finetune_id, now=tx.now, open_to_others=is_open)
        return is_open

    def _check_trainer(self, key: str) -> Trainer:
        trainer = trainers.find(key)
        self.views.check_set_up(trainer)
        return trainer

    async def _check_free(self, db: Connection, origin: Origin, name: str) -> None:
        if await finetunes.find_by_name(db, origin.guild_id, name):
            raise Refused(
                f"This server has a finetune called “{name}” already. Choose another name; "
                "if it is yours, `/finetune show` has it."
            )
        drafts = [
            each
            for each in await finetunes.of_state(db, FinetuneState.DRAFT)
            if each.guild_id == origin.guild_id and each.owner_id == origin.user_id
        ]
        if len(drafts) >= MOST_DRAFTS:
            raise Refused(f"You have {len(drafts)} drafts here. Train or discard one first: “{drafts[0].name}”, say.")

    async def _load_draft(self, finetune_id: str) -> FinetuneView:
        view = await self.views.of(finetune_id)
        if view is None or view.finetune.state is not FinetuneState.DRAFT:
            raise Refused(_NO_DRAFT)
        return view

    async def _load_own_draft(self, finetune_id: str, by: int) -> FinetuneView:
        view = await self._load_draft(finetune_id)
        if view.finetune.owner_id != by:
            raise Refused(f"Only <@{view.finetune.owner_id}> can change this draft.")
        return view

    def _check_may_add(self, view: FinetuneView, who: int) -> None:
        if view.finetune.owner_id != who and not view.finetune.open_to_others:
            raise Refused(f"Only <@{view.finetune.owner_id}> can add pictures, unless they press “Let others add”.")

    async def _check_still_draft(self, tx: UnitOfWork, finetune_id: str) -> None:
        """Checked again in the transaction that changes the draft: a press of Start may have been first."""
        finetune = await finetunes.find(tx.db, finetune_id)
        if finetune is None or finetune.state is not FinetuneState.DRAFT:
            raise Refused(_NO_DRAFT)

    async def _keep(self, tx: UnitOfWork, finetune_id: str, taken: Taken, source: Source) -> Added:
        """Put what was taken into the set, if there is room; each picture once. A caption may come later."""
        pictures = await training_images.of_finetune(tx.db, finetune_id)
        room, stored = MOST_PICTURES - len(pictures), {each.sha256: each for each in pictures}
        given_once = {given.sha256: given for given in reversed(taken.pictures)}
        new = {sha256: given for sha256, given in reversed(given_once.items()) if sha256 not in stored}
        if len(new) > room:
            raise Refused(
                f"That would be {len(pictures) + len(new)} pictures; a training set has at most {MOST_PICTURES}. "
                f"Give {room} or fewer."
            )
        for given in new.values():
            if not self._files.exist([given.sha256]):
                raise Unavailable("Somebody has just deleted one of these pictures. Please give them again.")
            await training_images.add(tx.db, _new_image(finetune_id, given, source, tx.now))
        by_stem = {stem(picture.name): picture.id for picture in pictures}
        captions = {by_stem[name]: text for name, text in taken.captions.items() if name in by_stem}
        for sha256, given in given_once.items():
            if sha256 in stored and given.caption and given.caption != stored[sha256].caption:
                captions[stored[sha256].id] = given.caption
        for image_id, text in captions.items():
            await training_images.set_caption(tx.db, finetune_id, image_id, text)
        await self._note_captions_alone(tx, finetune_id, taken)
        await self._mark_changed(tx, finetune_id)
        return Added(
            pictures=len(new),
            present=len(given_once) - len(new),
            twice=len(taken.pictures) - len(given_once),
            captions=len(captions),
            captions_alone=tuple(name for name in taken.captions if name not in by_stem),
            left_out=taken.left_out,
        )

    async def _note_captions_alone(self, tx: UnitOfWork, finetune_id: str, taken: Taken) -> None:
        finetune = await finetunes.find(tx.db, finetune_id)
        progress = Progress.model_validate_json(finetune.progress) if finetune and finetune.progress else Progress()
        stems = {stem(picture.name) for picture in await training_images.of_finetune(tx.db, finetune_id)}
        alone = tuple(sorted({*progress.captions_alone, *(f"{name}.txt" for name in taken.captions)}))
        progress = progress.model_copy(
            update={"captions_alone": tuple(name for name in alone if stem(name) not in stems)[:MOST_PICTURES]}
        )
        await finetunes.update(tx.db, finetune_id, now=tx.now, progress=progress.model_dump_json())

    async def _mark_changed(self, tx: UnitOfWork, finetune_id: str) -> None:
        """Have its job make its contact sheet and its card anew, and let go of the old sheet."""
        finetune = await finetunes.find(tx.db, finetune_id)
        await finetunes.update(tx.db, finetune_id, now=tx.now, sheet=None)
        await tx.let_go([finetune.sheet if finetune else None])
        await tx.wake(finetune_id)


def _new_draft(job: NewJob, spec: FinetuneSpec, description: str, now: float) -> Finetune:
    return Finetune(
        id=job.id,
        guild_id=job.guild_id,
        owner_id=job.owner_id,
        name=spec.name,
        state=FinetuneState.DRAFT,
        spec=spec.model_dump_json(),
        description=description,
        created_at=now,
        changed_at=now,
    )


def _new_image(finetune_id: str, given: Given, source: Source, now: float) -> TrainingImage:
    return TrainingImage(
        finetune_id=finetune_id,
        id=given.sha256[:16],
        position=0,
        sha256=given.sha256,
        name=given.name,
        caption=given.caption,
        bytes=len(given.prepared.content),
        width=given.prepared.width,
        height=given.prepared.height,
        original_sha256=given.original_sha256,
        original_width=given.prepared.original_width,
        original_height=given.prepared.original_height,
        fingerprint=given.prepared.fingerprint,
        contributor_id=source.contributor_id,
        added_by=source.added_by,
        source=source.link,
        inspection=None,
        added_at=now,
        consented_at=now if source.consented else None,
        consented_by=source.added_by if source.consented else None,
    )


def check_name(typed: str) -> str:
    """
    Raises:
        Refused: too long, empty, or not to be shown.
    """
    name = " ".join(typed.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused(f"A finetune's name has 1 to {LONGEST_NAME} characters.")
    return name


def check_description(typed: str) -> str:
    """
    Raises:
        Refused: too long.
    """
    text = " ".join(typed.split())
    if len(text) > LONGEST_DESCRIPTION:
        raise Refused(f"The description of the subject has at most {LONGEST_DESCRIPTION} characters.")
    return text
