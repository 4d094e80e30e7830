"""What the tests of registrations that meet trouble have in common: waiting for an end, and what must be true then."""

import pytest
from aiohttp import web

from bot.workflows.registering.types import UNDO
from standins.base.faults import Handler, Trouble
from standins.chain import ChainServer
from standins.pinata import PinataServer
from storage.registering.registrations import Registration, RegistrationState
from tests.crash.registering.registry_claims import broken_claims
from tests.crash.remains import Remains, look
from tests.scenes.community import Community, buttons_of, job_of
from tests.scenes.registering import approve, load_registration, read_cards, submit_registration

CONFIRMED, FAILED, WITHDRAWN = RegistrationState.CONFIRMED, RegistrationState.FAILED, RegistrationState.WITHDRAWN


def chain_of(community: Community) -> ChainServer:
    assert community.services.chain
    return community.services.chain


def pinata_of(community: Community) -> PinataServer:
    assert community.services.pinata
    return community.services.pinata


def collection_of(community: Community) -> str:
    assert community.services.collection
    return community.services.collection


async def begin_registration(community: Community, registration_id: str) -> None:
    """Approved, and the time over in which that can be taken back."""
    await approve(community, registration_id)
    await community.pass_time(UNDO + 1)


async def follow_registration(
    community: Community, registration_id: str, *, within: float = 600, blocks: bool = False
) -> Registration:
    """Its row when it has come to an end; with `blocks`, a block comes every two seconds."""
    for _ in range(int(within / 2)):
        registration = await load_registration(community, registration_id)
        if (
            registration.state in {CONFIRMED, FAILED, WITHDRAWN}
            and (await read_cards(community, registration_id)).ended
        ):
            break
        await community.pass_time(2)
        if blocks:
            await chain_of(community).mine()
    return await load_registration(community, registration_id)


async def until(community: Community, registration_id: str, *states: RegistrationState, within: float = 300) -> None:
    """Let time pass until it is in one of these states."""
    for _ in range(int(within * 2)):
        if (await load_registration(community, registration_id)).state in states:
            return
        await community.pass_time(0.5)
    pytest.fail(f"it is {(await load_registration(community, registration_id)).state}")


async def remains(community: Community) -> Remains:
    return await look(community.folder, chain_of(community), pinata_of(community), collection_of(community))


async def check_claims(community: Community, *, tokens: int) -> Remains:
    """Everything that must be true at the end, and that there are so many tokens."""
    remaining = await remains(community)
    messages = [*community.studio.history(), *community.review.history()]
    complaints = broken_claims(remaining, [each for message in messages for each in buttons_of(message).values()])
    assert not complaints, "\n".join(complaints)
    assert len(remaining.tokens) == tokens, remaining.tokens
    return remaining


async def retry_registration(community: Community, registration_id: str) -> Registration:
    """“Try again”, and what has become of it."""
    await community.app.services.registering.registrations.retry(registration_id, by=community.ada.id, moderator=False)
    return await follow_registration(community, registration_id)


async def send_registration(community: Community) -> str:
    """A registration whose transaction waits in the pool; no block comes by itself."""
    registration_id = await submit_registration(community)
    await chain_of(community).automine(False)
    await begin_registration(community, registration_id)
    await until(community, registration_id, RegistrationState.SENT)
    return registration_id


async def several(community: Community, count: int) -> list[str]:
    """So many submitted registrations of as many pictures."""
    await community.decide(
        moderator_role_id=community.role.id,
        review_channel_id=community.review.id,
        member_registrations=100,
        member_pictures=100,
    )
    made: list[str] = []
    while len(made) < count:
        card = await community.drawn(count=4)
        pictures = [f"{job_of(card)}-{number}" for number in range(1, min(4, count - len(made)) + 1)]
        made += [await submit_registration(community, image_id) for image_id in pictures]
    return made


def fine() -> Trouble:
    """None: the next trouble befalls a later request."""

    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    return trouble
