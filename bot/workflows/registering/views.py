"""Reads a registration with all that its cards show."""

from bot.pictures.fingerprint import look_alike
from bot.story.node.networks import NETWORKS, Network
from bot.workflows.base.kit import Kit
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.registering.types import STEP_TRIED, Alike, Details, Outcome, RegistrationView, Terms, Tried
from storage.base import jobs, steps
from storage.database import Connection
from storage.drawing import images
from storage.registering import registrations, transactions
from storage.registering.registrations import UNDER_WAY, Registration, RegistrationState
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState

REGISTERED = (*UNDER_WAY, RegistrationState.CONFIRMED)
"""States in which an image is registered, or about to be."""
NEAREST = 3
MOST_COMPARED = 5000
"""Registrations of a community that a new one is held against, the newest: some milliseconds."""
MOST_DENIALS = 3


class RegistrationViews:
    """Puts a registration, its question, its likes and its transaction together. Drafts have no view yet."""

    def __init__(self, kit: Kit, *, networks: dict[str, Network] | None = None) -> None:
        """`networks` are those whose links lead elsewhere than usual, by their keys."""
        self._database = kit.database
        self._networks = networks or {}

    async def of(self, registration_id: str) -> RegistrationView | None:
        """The registration with that id; None where there is none, or it is still a draft."""
        async with self._database.read() as db:
            return await self.read(db, registration_id)

    async def read(self, db: Connection, registration_id: str) -> RegistrationView | None:
        """The same inside a transaction: what it says is still so when that ends."""
        found = await registrations.find(db, registration_id)
        job = await jobs.find(db, registration_id)
        if found is None or job is None or found.terms is None:
            return None
        image = await images.find(db, found.image_id)
        request_job = await jobs.find(db, image.job_id) if image else None
        request = ImageRequest.model_validate_json(request_job.request) if request_job else None
        review = await reviews.find(db, registration_id)
        tried = await steps.find(db, job_id=registration_id, name=STEP_TRIED)
        terms = Terms.model_validate_json(found.terms)
        return RegistrationView(
            job=job,
            registration=found,
            details=Details.model_validate_json(found.details),
            terms=terms,
            network=self.network(terms.network),
            request=request,
            spoiler=request is not None and request.spoiler,
            review=review,
            talk=tuple(await reviews.talk(db, registration_id)),
            dry_run=Tried.model_validate_json(tried.result) if tried and tried.result else None,
            alike=tuple(await alike(db, found)),
            denials=tuple(await _denials(db, found)),
            outcome=Outcome.model_validate_json(found.outcome) if found.outcome else None,
            attempts=tuple(each.hash for each in await transactions.attempts_of(db, transaction_id(found))),
            overridden=await _overridden(db, found, review),
        )

    def network(self, key: str) -> Network:
        return self._networks.get(key) or NETWORKS[key]


def transaction_id(registration: Registration) -> str:
    """Of the transaction that its present try sends; a try that failed for good keeps its own."""
    return f"{registration.id}-{registration.tries}"


async def alike(db: Connection, registration: Registration) -> list[Alike]:
    """Others of the same bytes, wherever, and those of this community that look the same: exact ones first."""
    same = [
        Alike(each, exact=True)
        for each in await registrations.with_bytes(db, registration.sha256, states=REGISTERED)
        if each.id != registration.id
        and (each.guild_id == registration.guild_id or each.state is RegistrationState.CONFIRMED)
    ]
    known = await registrations.likenesses(db, registration.guild_id, states=REGISTERED, limit=MOST_COMPARED)
    alike_ids = [
        other
        for other, sha256, fingerprint in known
        if sha256 != registration.sha256 and look_alike(fingerprint, registration.fingerprint)
    ]
    near = [Alike(each, exact=False) for other in alike_ids[:NEAREST] if (each := await registrations.find(db, other))]
    return [*same, *near][:NEAREST]


async def _denials(db: Connection, registration: Registration) -> list[Review]:
    denied = await registrations.with_bytes(db, registration.sha256, states=[RegistrationState.DENIED])
    own = [each for each in denied if each.id != registration.id and each.guild_id == registration.guild_id]
    found = [await reviews.find(db, each.id) for each in reversed(own)]
    return [review for review in found if review and review.state is ReviewState.DENIED][:MOST_DENIALS]


async def _overridden(db: Connection, registration: Registration, review: Review | None) -> str | None:
    if review is None or review.decided_by is None:
        return None
    for entry in reversed(await audit.about(db, registration.id)):
        if entry.actor_id == review.decided_by and entry.at == review.decided_at:
            objection = entry.content.get("objection")
            return objection if isinstance(objection, str) else None
    return None
