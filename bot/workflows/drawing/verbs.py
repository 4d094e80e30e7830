"""Accepts what members ask for, and changes it while it is under way. All is checked before anything is stored."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.pictures.decode import Reference, prepare_reference
from bot.providers import catalogue
from bot.providers.interface import MicroUSD
from bot.providers.parameters import MEGAPIXEL, Parameter
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import CARDS, REVIEW_LIFE, Origin, Upload, job_id
from bot.workflows.base.uploads import fetch_upload
from bot.workflows.base.work import UnitOfWork
from bot.workflows.community import limits
from bot.workflows.drawing.defaults import Asked, with_defaults
from bot.workflows.drawing.generations import (
    FinetuneInUse,
    count_pictures,
    generations_of,
    specimen,
)
from bot.workflows.drawing.types import ImageRequest, PictureOrder, RequestView
from bot.workflows.drawing.views import SHEET, Sheet, lane_of
from bot.workflows.finetuning.types import STRENGTH, FinetuneView
from bot.workflows.finetuning.verbs import Finetunes
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs, queue, steps
from storage.base.jobs import Job
from storage.base.queue import NewJob
from storage.community import communities, members
from storage.community.communities import Community
from storage.database import Connection
from storage.drawing import images
from storage.drawing.images import Image
from storage.registering.transitions import RegistrationState
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState


@dataclass(frozen=True)
class CheckedRequest:
    """A request as it will be drawn: the catalogue, the finetune and the community agree to it."""

    request: ImageRequest
    finetune: FinetuneInUse | None
    community: Community
    megapixels: Mapping[str, float]
    """Of the images put in, by role; those of uploads are known once they are fetched."""

    @property
    def price(self) -> MicroUSD:
        """Of one picture, at most."""
        generation = specimen(self.request, self.finetune).model_copy(update={"inputs": {}})
        return catalogue.estimate(generation, input_megapixels=sum(self.megapixels.values()))

    @property
    def cost(self) -> int:
        """Of all its pictures, in micro-USD."""
        return self.price * self.request.count

    def with_upload(self, role: str, sha256: str, reference: Reference) -> "CheckedRequest":
        """The same with a stored upload as one of its inputs."""
        size = reference.width * reference.height / MEGAPIXEL
        request = self.request.model_copy(update={"inputs": self.request.inputs | {role: sha256}})
        return replace(self, request=request, megapixels={**self.megapixels, role: size})


class Requests:
    """The verbs of a member: ask, cancel, delete, vary. Each is one transaction."""

    def __init__(self, kit: Kit, *, finetunes: Finetunes) -> None:
        self._finetunes = finetunes
        self._work = kit.work
        self._files = kit.files
        self._decoder = kit.decoder
        self._signals = kit.signals
        self._clock = kit.clock

    async def compose(
        self, origin: Origin, asked: Asked, finetune: FinetuneView | None = None, *, sized: bool = False
    ) -> ImageRequest:
        """The request that a command asks for, with the defaults of who asks and of where.

        Raises:
            Refused: there is no such model, or it takes no “reference_strength” or “mask”.
        """
        async with self._work.read() as db:
            community = await communities.find(db, origin.guild_id)
            defaults = await members.find(db, origin.user_id)
        return with_defaults(asked, defaults, community, nsfw=origin.nsfw, finetune=finetune, sized=sized)

    async def check(self, origin: Origin, request: ImageRequest, uploads: Collection[str] = ()) -> CheckedRequest:
        """The request as it would be drawn, and what that would cost; nothing is stored.

        `uploads` are the roles for which images come with it.

        Raises:
            Refused: with one sentence about what is wrong.
        """
        async with self._work.read() as db:
            community = await communities.find(db, origin.guild_id)
            pixels = await images.sizes(db, request.inputs.values())
        self._check_inputs(request)
        finetune = None
        if request.finetune is not None:
            view = await self._finetunes.usable(
                request.finetune, guild_id=origin.guild_id, user_id=origin.user_id, roles=origin.role_ids
            )
            finetune = FinetuneInUse.of(view)
            request = finetune.complete(request)
        request = _with_checked_parameters(request, finetune, community, origin, uploads)
        sizes = {role: pixels[sha256] / MEGAPIXEL for role, sha256 in request.inputs.items() if sha256 in pixels}
        checked = CheckedRequest(request, finetune, community, sizes)
        async with self._work.read() as db:
            await _check_limits(db, origin, checked, now=self._clock.now())
        return checked

    async def accept(self, origin: Origin, request: ImageRequest, uploads: Mapping[str, Upload] | None = None) -> Job:
        """Check a request, keep what it needs, and queue its pictures. The same interaction is one request for ever.

        `uploads` are files for the model's image roles; they are fetched when all else is in order.

        Raises:
            Refused: with one sentence about what is wrong. Nothing was stored or charged.
            Unavailable: the bot is about to restart.
        """
        self._signals.check_accepting()
        uploads = uploads or {}
        async with self._work.read() as db:
            earlier = await jobs.find(db, job_id(origin.interaction_id))
        if earlier is not None:
            return earlier
        checked = await self.check(origin, request, uploads)
        async with self._files.kept_if_named() as stored:
            for role, upload in uploads.items():
                reference = await self._fetch(upload)
                stored.append(await self._files.store(reference.content))
                checked = checked.with_upload(role, stored[-1], reference)
            async with self._work() as tx:
                # Both again: another transaction may have deleted an input, or used up a limit, since `check`.
                self._check_inputs(checked.request)
                await _check_limits(tx.db, origin, checked, now=tx.now)
                return await _queue(tx, origin, checked)

    async def cancel(self, job: Job, *, by: int) -> int:
        """Cancel what was not yet ordered from a provider; how many pictures that were."""
        async with self._work() as tx:
            cancelled = await queue.cancel_waiting(tx.db, job_id=job.id, now=tx.now)
            review = await reviews.find(tx.db, job.id)
            if cancelled and review and review.state is ReviewState.OPEN:
                await withdraw(tx, review, by=by)
            await tx.wake_parent(job.id)
        return cancelled

    async def count_registrations(self, job: Job) -> Mapping[RegistrationState, int]:
        """How many of a request's images are registered, or on their way, by how far that is."""
        async with self._work.read() as db:
            counted = await images.count_registrations(db, job_id=job.id)
        return {RegistrationState(state): number for state, number in counted.items()}

    async def delete(self, job: Job, *, by: int) -> bool:
        """Delete a request's images and what was uploaded for it, where nothing else needs the files.

        False when the images were gone already.
        """
        async with self._work() as tx:
            compared = await steps.find(tx.db, job_id=job.id, name=SHEET)
            sheet = Sheet.model_validate_json(compared.result).sha256 if compared and compared.result else None
            deleted = await images.delete(tx.db, job_id=job.id, by=by, now=tx.now)
            uploaded = ImageRequest.model_validate_json(job.request).inputs.values()
            await tx.let_go([*deleted, *uploaded, sheet])
        return bool(deleted)

    async def move_card(self, job: Job, *, message_id: int, channel_id: int) -> None:
        """Make another message the card of a request, finetune or registration from now on."""
        async with self._work() as tx:
            await jobs.set_message(tx.db, job_id=job.id, message_id=message_id, channel_id=channel_id)

    async def find(self, wanted: str | int) -> Job | None:
        """A request by its id, or by the id of the message that is its card."""
        async with self._work.read() as db:
            job = await jobs.find_by_message(db, wanted) if isinstance(wanted, int) else await jobs.find(db, wanted)
        return job if job and job.parent_id is None else None

    async def image(self, image_id: str) -> Image | None:
        """One image that is not deleted."""
        async with self._work.read() as db:
            image = await images.find(db, image_id)
        return image if image and image.deleted_at is None else None

    def vary(self, request: ImageRequest, image: Image) -> ImageRequest:
        """The same request with `image` as its model's input and seeds of chance.

        Raises:
            Refused: the model takes no image.
        """
        model = catalogue.find(request.model)
        if not model.roles:
            raise Refused(f"{model.label} draws from words alone, so it cannot vary a picture. Try “Edit” instead.")
        parameters = dict(request.parameters)
        if model.parameter("image_prompt_strength"):
            parameters.setdefault("image_prompt_strength", 0.3)
        return request.made_from(image, role=model.roles[0].name).model_copy(
            update={"seed": None, "parameters": parameters}
        )

    def _check_inputs(self, request: ImageRequest) -> None:
        """
        Raises:
            Refused: a picture that the request is made from was deleted.
        """
        if not self._files.exist(request.inputs.values()):
            raise Refused("The picture that this is made from was deleted. Nothing was charged.")

    async def _fetch(self, upload: Upload) -> Reference:
        async with self._files.temporary() as path:
            await fetch_upload(upload, path, most=catalogue.LARGEST_INPUT)
            return await self._decoder.run(prepare_reference, path)


async def apply_decision_on_spending(tx: UnitOfWork, review: Review) -> None:
    """A request above the community's limit: draw it, or cancel it."""
    if review.state is ReviewState.APPROVED:
        for child in await jobs.children(tx.db, review.subject):
            await tx.wake(child.id)
    else:
        await queue.cancel_waiting(tx.db, job_id=review.subject, now=tx.now)
        await tx.wake_parent(review.subject)


def _with_checked_parameters(
    request: ImageRequest,
    finetune: FinetuneInUse | None,
    community: Community,
    origin: Origin,
    uploads: Collection[str],
) -> ImageRequest:
    """The request with each value in its own type and range, as the catalogue and the community allow it."""
    model = catalogue.find(request.model)
    limits.check_model(community, model)
    count = count_pictures(request)
    parameters = dict(request.parameters)
    safety = model.parameter("safety_tolerance")
    if safety is not None and safety.maximum is not None:
        parameters["safety_tolerance"] = _checked_safety(safety, parameters.get(safety.name), community, origin)
    request = request.model_copy(update={"prompt": request.prompt.strip(), "parameters": parameters, "count": count})
    generation = catalogue.check(specimen(request, finetune, inputs=dict.fromkeys(uploads, "")))
    varied = {"seed", *({STRENGTH} if request.sweep else ())}  # what differs between its pictures
    parameters = {name: value for name, value in generation.parameters.items() if name not in varied}
    return request.model_copy(update={"parameters": parameters})


def _checked_safety(
    safety: Parameter, chosen: bool | int | float | str | None, community: Community, origin: Origin
) -> int:
    most = min(limits.safety_cap(community, nsfw=origin.nsfw), int(safety.maximum or 0))
    tolerance = int(safety.read(min(most, 2) if chosen is None else chosen))  # a form sends it as text
    limits.check_safety(community, tolerance, most=most, nsfw=origin.nsfw)
    return tolerance


async def _check_limits(db: Connection, origin: Origin, checked: CheckedRequest, *, now: float) -> None:
    """
    Raises:
        Refused: the member or the community would be beyond one of its limits.
    """
    community, guild_id = checked.community, origin.guild_id
    await limits.check_pictures(
        db, community, guild_id=guild_id, owner_id=origin.user_id, count=checked.request.count, now=now
    )
    await limits.check_budget(db, community, guild_id=guild_id, cost=checked.cost, now=now)


async def _queue(tx: UnitOfWork, origin: Origin, checked: CheckedRequest) -> Job:
    request, price = checked.request, checked.price
    asks = limits.needs_approval(checked.community, checked.cost)
    parent = NewJob(
        id=job_id(origin.interaction_id),
        kind="imagine",
        guild_id=origin.guild_id,
        channel_id=origin.channel_id,
        message_id=origin.message_id,
        owner_id=origin.user_id,
        request=request.model_dump_json(),
        lane=CARDS,
        cost_estimated=checked.cost,
        parked=not asks,
        age_restricted=origin.nsfw,
    )
    if await tx.add_job(parent):
        for position, generation in enumerate(generations_of(request, checked.finetune)):
            order = PictureOrder(
                generation=generation, parent_image_id=request.parent_image_id, finetune=request.finetune
            )
            child = NewJob(
                id=f"{parent.id}-{position + 1}",
                kind="draw",
                guild_id=origin.guild_id,
                channel_id=origin.channel_id,
                owner_id=origin.user_id,
                request=order.model_dump_json(),
                lane=lane_of(catalogue.find(request.model)),
                parent_id=parent.id,
                position=position,
                cost_estimated=price,
                parked=asks,
                age_restricted=origin.nsfw,
            )
            await tx.add_job(child)
        if asks:
            await reviews.add(tx.db, _spending_question(parent, checked.community, origin, tx.now))
    job = await jobs.find(tx.db, parent.id)
    assert job is not None, "it was added in this transaction"
    return job


def is_lenient(view: RequestView) -> bool:
    """Whether its safety tolerance is one that only age-restricted channels allow."""
    tolerance = view.request.parameters.get("safety_tolerance")
    return isinstance(tolerance, int) and tolerance > limits.OPEN_SAFETY


def _spending_question(job: NewJob, community: Community, origin: Origin, now: float) -> Review:
    return Review(
        id=job.id,
        kind="spend",
        state=ReviewState.OPEN,
        guild_id=origin.guild_id,
        channel_id=community.review_channel_id or origin.channel_id,
        message_id=None,
        requested_by=origin.user_id,
        subject=job.id,
        digest=hashlib.sha256(job.request.encode()).hexdigest(),
        created_at=now,
        expires_at=now + REVIEW_LIFE,
    )
