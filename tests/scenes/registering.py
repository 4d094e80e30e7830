"""What a member and a moderator do to have an image registered, in a few verbs, on the bot's own services."""

from typing import Any

from bot.workflows.base.types import Origin
from bot.workflows.registering.types import UNDO, RegistrationView
from bot.workflows.reviewing.types import Moderator
from standins.chain.accounts import ADA
from storage.registering import registrations
from storage.registering.registrations import Registration
from tests.scenes.community import Community, job_of

WALLET = ADA.address
_ids = iter(range(10**17, 10**18, 7_000_003))


def origin(community: Community, who: int | None = None) -> Origin:
    """As of a command that Ada gives in the studio."""
    return Origin(next(_ids), who or community.ada.id, community.guild.id, community.studio.id, None, nsfw=False)


def mia(community: Community, **different: Any) -> Moderator:
    """The moderator, as Discord describes her at a press."""
    description: dict[str, Any] = {
        "user_id": community.mia.id,
        "role_ids": frozenset({community.role.id}),
        "administrator": False,
        "guild_id": community.guild.id,
    }
    return Moderator(**description | different)


async def draft_registration(community: Community, image_id: str | None = None, **changes: Any) -> str:
    """A draft of Ada's about a picture that was drawn just now, with a title and a recipient; its id."""
    await community.decide(moderator_role_id=community.role.id, review_channel_id=community.review.id)
    if image_id is None:
        card = await community.drawn()
        image_id = f"{job_of(card)}-1"
    service = community.app.services.registering.registrations
    view = await service.begin(origin(community), image_id, name="Ada")
    wording = {"title": "A lighthouse", "recipient": WALLET, **changes}
    await service.edit(view.registration.id, by=community.ada.id, **wording)
    return view.registration.id


async def submit_registration(community: Community, image_id: str | None = None, **changes: Any) -> str:
    """The same, submitted, with the moderators asked."""
    registration_id = await draft_registration(community, image_id, **changes)
    await submit(community, registration_id)
    return registration_id


async def submit(community: Community, registration_id: str) -> None:
    """Submit a draft as it is."""
    service = community.app.services.registering.registrations
    view = await service.draft(registration_id, by=community.ada.id)
    assert view.terms, view.missing
    await service.submit(registration_id, by=community.ada.id, digest=view.terms.digest, channel_id=community.studio.id)
    await community.pass_time(1)


async def approve(community: Community, registration_id: str, who: Moderator | None = None) -> None:
    registration = await load_registration(community, registration_id)
    assert registration.digest
    await community.app.services.reviewing.decisions.decide(
        registration_id, who or mia(community), approve=True, digest=registration.digest
    )


async def approve_registration(community: Community, registration_id: str) -> None:
    """Approved, with the time over in which that can be taken back, and whatever follows done."""
    await approve(community, registration_id)
    await community.pass_time(UNDO + 1)
    await community.pass_time(10)


async def load_registration(community: Community, registration_id: str) -> Registration:
    """Its row as it is now."""
    async with community.app.database.read() as db:
        registration = await registrations.find(db, registration_id)
    assert registration
    return registration


async def read_cards(community: Community, registration_id: str) -> RegistrationView:
    """What its cards show now."""
    view = await community.app.services.registering.registrations.views.of(registration_id)
    assert view
    return view
