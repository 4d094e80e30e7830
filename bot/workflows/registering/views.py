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
from storage.registering.registrations import Registration
from storage.registering.transitions import UNDER_WAY, RegistrationState
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState

REGISTERED = (*UNDER_WAY, RegistrationState.CONFIRMED)
"""States in which an image is registered, or about to be."""
NEAREST = 3
MOST_COMPARED = 5000
"""Registrations of a community that a new one is held against, the newest: some milliseconds."""
MOST_DENIALS = 3


class RegistrationViews:
    """Reads all rows that the cards of a registration show. A draft has no view yet."""

    def __init__(self, kit: Kit, *, networks: dict[str, Network] | None = None) -> None:
        """`networks` are those whose links lead elsewhere than usual, by their keys."""
        self._work = kit.work
        self._networks = networks or {}

    async def of(self, registration_id: str) -> RegistrationView | None:
        """The registration with that id; None where there is none, or it is still a draft."""
        async with self._work.read() as db:
            return await self.read(db, registration_id)

    async def read(self, db: Connection, registration_id: str) -> RegistrationView | None:
        """The same inside a transaction, so that nothing changes until that ends."""
        registration = await registrations.find(db, registration_id)
        job = await jobs.find(db, registration_id)
        if registration is None or job is None or registration.terms is None:
            return None
        image = await images.find(db, registration.image_id)
        request_job = await jobs.find(db, image.job_id) if image else None
        request = ImageRequest.model_validate_json(request_job.request) if request_job else None
        review = await reviews.find(db, registration_id)
        tried = await steps.find(db, job_id=registration_id, name=STEP_TRIED)
        terms = Terms.model_validate_json(registration.terms)
        return RegistrationView(
            job=job,
            registration=registration,
            details=Details.model_validate_json(registration.details),
            terms=terms,
            network=self.network(terms.network),
            request=request,
            spoiler=request is not None and request.spoiler,
            review=review,
            talk=tuple(await reviews.talk(db, registration_id)),
            dry_run=Tried.model_validate_json(tried.result) if tried and tried.result else None,
            alike=tuple(await _find_alike(db, registration)),
            denials=tuple(await _find_denials(db, registration)),
            outcome=Outcome.model_validate_json(registration.outcome) if registration.outcome else None,
            attempts=tuple(each.hash for each in await transactions.attempts_of(db, transaction_id(registration))),
            overridden=await _find_objection(db, registration, review),
        )

    def network(self, key: str) -> Network:
        return self._networks.get(key) or NETWORKS[key]


def transaction_id(registration: Registration) -> str:
    """Of the transaction that its present try sends; a try that failed for good keeps its own."""
    return f"{registration.id}-{registration.tries}"


async def _find_alike(db: Connection, registration: Registration) -> list[Alike]:
    """Registrations of the same bytes in any community, then those of this community that look the same."""
    same = [
        Alike(each, exact=True)
        for each in await registrations.with_bytes(db, registration.sha256, states=REGISTERED)
        if each.id != registration.id
        and (each.guild_id == registration.guild_id or each.state is RegistrationState.CONFIRMED)
    ]
    others = await registrations.likenesses(db, registration.guild_id, states=REGISTERED, limit=MOST_COMPARED)
    alike_ids = [
        other
        for other, sha256, fingerprint in others
        if sha256 != registration.sha256 and look_alike(fingerprint, registration.fingerprint)
    ]
    near = [Alike(each, exact=False) for other in alike_ids[:NEAREST] if (each := await registrations.find(db, other))]
    return [*same, *near][:NEAREST]


async def _find_denials(db: Connection, registration: Registration) -> list[Review]:
    denied = await registrations.with_bytes(db, registration.sha256, states=[RegistrationState.DENIED])
    own = [each for each in denied if each.id != registration.id and each.guild_id == registration.guild_id]
    denials = [await reviews.find(db, each.id) for each in reversed(own)]
    return [review for review in denials if review and review.state is ReviewState.DENIED][:MOST_DENIALS]


async def _find_objection(db: Connection, registration: Registration, review: Review | None) -> str | None:
    """Why the decider should not have decided, from the audit; None where there was no objection."""
    if review is None or review.decided_by is None:
        return None
    for entry in reversed(await audit.about(db, registration.id)):
        if entry.actor_id == review.decided_by and entry.at == review.decided_at:
            objection = entry.content.get("objection")
            return objection if isinstance(objection, str) else None
    return None
