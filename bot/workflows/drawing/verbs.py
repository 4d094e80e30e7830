"""Accepts what members ask for, and changes it while it is under way. All is checked before anything is stored."""

import hashlib
from collections.abc import Mapping
from typing import NoReturn

from bot.errors import Refused
from bot.pictures.decode import Reference, prepare_reference
from bot.providers import catalogue
from bot.providers.interface import MicroUSD
from bot.providers.parameters import MEGAPIXEL
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import CARDS, DAY, REVIEW_LIFE, Origin, Upload, job_id
from bot.workflows.base.work import Transaction
from bot.workflows.drawing.generations import STRENGTH, Loaded, count_of, generations, specimen
from bot.workflows.drawing.types import Drawing, ImageRequest
from bot.workflows.drawing.views import SHEET, Sheet, Views, lane_of
from bot.workflows.finetuning.verbs import Finetunes
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs, queue, steps
from storage.base.jobs import Job
from storage.base.queue import NewJob
from storage.community import communities
from storage.community.communities import Community
from storage.database import Connection
from storage.drawing import images
from storage.drawing.images import Image
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

OPEN_SAFETY = 3
"""The most permissive safety tolerance outside age-restricted channels."""


class Requests:
    """The verbs of a member: ask, cancel, delete, vary. Each is one transaction."""

    def __init__(self, kit: Kit, *, views: Views, finetunes: Finetunes) -> None:
        self._finetunes = finetunes
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self._files = kit.files
        self._decoder = kit.decoder
        self._signals = kit.signals
        self.views = views

    async def accept(self, origin: Origin, request: ImageRequest, uploads: Mapping[str, Upload] | None = None) -> Job:
        """Check a request, keep what it needs, and queue its pictures. The same interaction is one request for ever.

        `uploads` are files for the model's image roles; they are fetched when all else is in order.

        Raises:
            Refused: with one sentence about what is wrong. Nothing was stored or charged.
            Unavailable: the bot is about to restart.
        """
        self._signals.check_accepting()
        async with self._database.read() as db:
            known = await jobs.find(db, job_id(origin.interaction_id))
            community = await communities.find(db, origin.guild_id)
            drawn = await images.sizes(db, request.inputs.values())
        if known is not None:
            return known
        self._check_inputs(request)
        sizes = {role: drawn[sha] / MEGAPIXEL for role, sha in request.inputs.items() if sha in drawn}
        loaded = None
        if request.finetune is not None:
            loaded = await self._loaded(request.finetune, origin)
            request = loaded.settled(request)
        request = self._permitted(request, loaded, community, origin, uploads or {})
        await self._with_room(origin, community, request, self._estimate(request, loaded, sizes))
        async with self._files.kept_if_named() as stored:
            for role, upload in (uploads or {}).items():
                reference = await self._fetch(upload)
                sizes[role] = reference.width * reference.height / MEGAPIXEL
                stored.append(await self._files.store(reference.content))
                request = request.model_copy(update={"inputs": request.inputs | {role: stored[-1]}})
            cost = self._estimate(request, loaded, sizes)
            async with self._work() as tx:
                self._check_inputs(request)  # again: what is deleted, is deleted in a transaction like this one
                await self._check_room(tx.db, origin, community, request, cost)
                return await self._queue(tx, origin, community, request, loaded, cost)

    async def price(self, origin: Origin, request: ImageRequest) -> tuple[ImageRequest, MicroUSD]:
        """A request as it would be drawn, and what one of its pictures would cost; nothing is stored.

        Raises:
            Refused: as `accept`.
        """
        async with self._database.read() as db:
            community = await communities.find(db, origin.guild_id)
        loaded = await self._loaded(request.finetune, origin) if request.finetune else None
        request = loaded.settled(request) if loaded else request
        request = self._permitted(request, loaded, community, origin, {})
        cost = self._estimate(request, loaded, {})
        await self._with_room(origin, community, request, cost)
        return request, cost

    async def _loaded(self, finetune_id: str, origin: Origin) -> Loaded:
        view = await self._finetunes.usable(
            finetune_id, guild_id=origin.guild_id, user_id=origin.user_id, roles=origin.role_ids
        )
        return Loaded.of(view)

    async def cancel(self, job: Job, *, by: int) -> int:
        """Cancel what was not yet ordered from a provider; how many pictures that were."""
        async with self._work() as tx:
            db, now = tx.db, tx.now
            cancelled = await queue.cancel_waiting(db, job_id=job.id, now=now)
            review = await reviews.find(db, job.id)
            if cancelled and review and review.state is ReviewState.OPEN:
                await withdraw(tx, review, by=by)
            await tx.wake_parent(job.id)
        return cancelled

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

    async def find(self, wanted: str | int) -> Job | None:
        """A request by its id, or by the id of the message that is its card."""
        async with self._database.read() as db:
            job = await jobs.find_by_message(db, wanted) if isinstance(wanted, int) else await jobs.find(db, wanted)
        return job if job and job.parent_id is None else None

    async def image(self, image_id: str) -> Image | None:
        """One image that is not deleted."""
        async with self._database.read() as db:
            image = await images.find(db, image_id)
        return image if image and image.deleted_at is None else None

    def variation(self, request: ImageRequest, image: Image) -> ImageRequest:
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
        return request.model_copy(
            update={
                "seed": None,
                "parameters": parameters,
                "inputs": request.inputs | {model.roles[0].name: image.sha256},
                "parent_image_id": image.id,
            }
        )

    def _check_inputs(self, request: ImageRequest) -> None:
        """
        Raises:
            Refused: a picture that the request is made from was deleted.
        """
        if not self._files.exist(request.inputs.values()):
            raise Refused("The picture that this is made from was deleted. Nothing was charged.")

    async def _fetch(self, upload: Upload) -> Reference:
        if upload.size > catalogue.LARGEST_INPUT:
            raise Refused(
                f"“{upload.name[:60]}” has {upload.size / 1e6:.0f} MB. "
                f"Attach one of at most {catalogue.LARGEST_INPUT / 1e6:.0f} MB."
            )
        async with self._files.temporary() as path:
            await upload.save(path)
            return await self._decoder.run(prepare_reference, path)

    def _permitted(
        self,
        request: ImageRequest,
        loaded: Loaded | None,
        community: Community,
        origin: Origin,
        uploads: Mapping[str, Upload],
    ) -> ImageRequest:
        """The request as the catalogue and the community allow it."""
        model = catalogue.find(request.model)
        # The list is of models without a finetune: whoever may draw with a finetune, may draw with what it needs.
        if community.allowed_models is not None and not model.finetuned and model.key not in community.allowed_models:
            allowed = ", ".join(catalogue.find(key).label for key in community.allowed_models)
            raise Refused(f"{model.label} is not allowed in this server. Allowed: {allowed}.")
        count = count_of(request)
        parameters = dict(request.parameters)
        safety = model.parameter("safety_tolerance")
        if safety is not None and safety.maximum is not None:
            cap = min(community.safety_cap, int(safety.maximum))
            if not origin.nsfw:
                cap = min(cap, OPEN_SAFETY)
            chosen = int(safety.read(parameters.get("safety_tolerance", min(cap, 2))))  # a form says it as text
            if chosen > cap:
                _too_permissive(chosen, cap, community, origin)
            parameters["safety_tolerance"] = chosen
        request = request.model_copy(
            update={"prompt": request.prompt.strip(), "parameters": parameters, "count": count}
        )
        checked = catalogue.check(specimen(request, loaded, inputs=dict.fromkeys(uploads, "")))
        own = {"seed", *({STRENGTH} if request.sweep else ())}
        settled = {name: value for name, value in checked.parameters.items() if name not in own}
        return request.model_copy(update={"parameters": settled})

    def _estimate(self, request: ImageRequest, loaded: Loaded | None, sizes: Mapping[str, float]) -> MicroUSD:
        """Of one picture. `sizes` are megapixels of the images put in."""
        generation = specimen(request, loaded).model_copy(update={"inputs": {}})
        return catalogue.estimate(generation, input_megapixels=sum(sizes.values()))

    async def _with_room(self, origin: Origin, community: Community, request: ImageRequest, cost: MicroUSD) -> None:
        async with self._database.read() as db:
            await self._check_room(db, origin, community, request, cost)

    async def _check_room(
        self, db: Connection, origin: Origin, community: Community, request: ImageRequest, cost: MicroUSD
    ) -> None:
        """Refuse what is beyond the community's limits."""
        who, since = {"guild_id": origin.guild_id, "owner_id": origin.user_id}, self._clock.now() - DAY
        under_way = await jobs.count_by_member(db, **who)
        if under_way + request.count > community.member_pictures:
            raise Refused(
                f"You have {under_way} pictures under way, and {community.member_pictures} at once is the limit here. "
                "Please wait for some of them."
            )
        if community.member_daily is not None:
            today = await jobs.count_since(db, **who, since=since)
            if today + request.count > community.member_daily:
                raise Refused(
                    f"You have had {today} pictures in the last 24 hours; the limit here is {community.member_daily}."
                )
        if community.daily_budget is not None:
            spent = await jobs.spent(db, guild_id=origin.guild_id, since=since)
            if spent + cost * request.count > community.daily_budget:
                raise Refused("This server has spent its budget for 24 hours. Please try again later.")

    async def _queue(
        self,
        tx: Transaction,
        origin: Origin,
        community: Community,
        request: ImageRequest,
        loaded: Loaded | None,
        cost: MicroUSD,
    ) -> Job:
        db, now = tx.db, tx.now
        lane = lane_of(catalogue.find(request.model))
        asks = community.confirm_above is not None and cost * request.count > community.confirm_above
        new = NewJob(
            id=job_id(origin.interaction_id),
            kind="imagine",
            guild_id=origin.guild_id,
            channel_id=origin.channel_id,
            message_id=origin.message_id,
            owner_id=origin.user_id,
            request=request.model_dump_json(),
            lane=CARDS,
            cost_estimated=cost * request.count,
            parked=not asks,
        )
        if await tx.add_job(new):
            for position, generation in enumerate(generations(request, loaded)):
                drawing = Drawing(
                    generation=generation, parent_image_id=request.parent_image_id, finetune=request.finetune
                )
                child = NewJob(
                    id=f"{new.id}-{position + 1}",
                    kind="draw",
                    guild_id=origin.guild_id,
                    channel_id=origin.channel_id,
                    owner_id=origin.user_id,
                    request=drawing.model_dump_json(),
                    lane=lane,
                    parent_id=new.id,
                    position=position,
                    cost_estimated=cost,
                    parked=asks,
                )
                await tx.add_job(child)
            if asks:
                await reviews.add(db, _spending(new, community, origin, now))
        job = await jobs.find(db, new.id)
        assert job is not None, "it was added in this transaction"
        return job


def _spending(job: NewJob, community: Community, origin: Origin, now: float) -> Review:
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


def _too_permissive(chosen: int, cap: int, community: Community, origin: Origin) -> NoReturn:
    if not origin.nsfw and chosen <= community.safety_cap:
        raise Refused(f"A safety tolerance above {cap} is for age-restricted channels only.")
    raise Refused(f"The highest safety tolerance in this server is {cap}; you asked for {chosen}.")
