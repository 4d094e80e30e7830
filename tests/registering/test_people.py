"""People who change their minds at any moment, and many at once: one token for each registration that is confirmed.

Works like tests/registering/trouble/test_trouble.py.
"""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bot.errors import Refused
from bot.workflows.registering.types import UNDO
from standins.base.faults import Fault, Handler
from storage.registering.transitions import RegistrationState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, job_of
from tests.scenes.registering import WALLET, approve, load_registration, mia, origin, read_cards, submit_registration
from tests.scenes.registry import (
    CONFIRMED,
    FAILED,
    WITHDRAWN,
    begin_registration,
    chain_of,
    check_claims,
    collection_of,
    fine,
    follow_registration,
    pinata_of,
    remains,
    several,
    until,
)


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers."""
    return await make_community(story={})


# People who change their minds.


IN_TIME = (("upload", 0), ("upload", 1), ("upload", 2), ("eth_call", 0), ("eth_estimateGas", 0), ("eth_getBalance", 0))
TOO_LATE = (("eth_sendRawTransaction", 0), ("eth_getTransactionReceipt", 0), ("gateway", 0))


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
async def test_a_withdrawal_at_any_step_leaves_nothing_or_one_token(community: Community, first: bool) -> None:
    """Asked for while that request is on its way: before it is answered, or after it has done its work."""
    steps = [*IN_TIME, *TOO_LATE]
    for (at, place), registration_id in zip(steps, await several(community, len(steps)), strict=True):
        answered: list[str] = []

        async def withdraws(
            request: web.Request,
            handler: Handler,
            registration_id: str = registration_id,
            answered: list[str] = answered,
        ) -> web.StreamResponse:
            done = None if first else await handler(request)
            try:
                await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)
                answered.append("withdrawn")
            except Refused:
                answered.append("too late")
            return done or await handler(request)

        await approve(community, registration_id)
        await community.pass_time(UNDO - 1)
        if at in {"upload", "gateway"}:
            pinata_of(community).faults += [Fault(at, fine()) for _ in range(place)]
            pinata_of(community).faults.append(Fault(at, withdraws))
        else:
            chain_of(community).faults.append(Fault(at, withdraws))
        registration = await follow_registration(community, registration_id)
        late = (at, place) in TOO_LATE
        assert answered == (["too late"] if late else ["withdrawn"]), at
        assert registration.state is (CONFIRMED if late else WITHDRAWN), at
    await check_claims(community, tokens=len(TOO_LATE))


async def test_what_has_failed_can_be_withdrawn_and_its_pins_are_gone(community: Community) -> None:
    registration_id = await submit_registration(community)
    await chain_of(community).revert_next()
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is FAILED
    assert pinata_of(community).files
    await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)
    await community.pass_time(10)
    await check_claims(community, tokens=0)
    assert not pinata_of(community).files


@pytest.mark.parametrize("verb", ["retry", "withdraw"])
async def test_a_press_while_its_failure_is_still_being_told_is_not_lost(community: Community, verb: str) -> None:
    """The news have their button before the job has come to its end."""
    registration_id = await submit_registration(community)
    await chain_of(community).revert_next()
    service, delivery = community.app.services.registering.registrations, community.app.services.delivery
    announce = delivery.announce
    pressed: list[str] = []

    async def announced(view: Any, about: str, once: str) -> Any:
        posted = await announce(view, about, once)
        if about == "failed" and not pressed:
            pressed.append(about)
            try:
                if verb == "retry":
                    await service.retry(registration_id, by=community.ada.id, moderator=False)
                else:
                    await service.withdraw(registration_id, by=community.ada.id)
            except Refused as error:
                pressed.append(str(error))
        return posted

    delivery.announce = announced  # pyright: ignore[reportAttributeAccessIssue]
    await begin_registration(community, registration_id)
    registration = await follow_registration(community, registration_id)
    assert pressed
    if len(pressed) == 1:
        assert registration.state is (CONFIRMED if verb == "retry" else WITHDRAWN)
    await check_claims(community, tokens=int(registration.state is CONFIRMED))


async def test_an_undo_at_the_last_moment_is_either_in_time_or_refused(community: Community) -> None:
    outcomes: set[RegistrationState] = set()
    for early in (0.0, 0.001, 0.01):
        registration_id = await submit_registration(community, title=f"A lighthouse, {early} s")
        await approve(community, registration_id)
        await community.pass_time(UNDO - early - 0.0005)

        async def undo(registration_id: str = registration_id) -> bool:
            try:
                await community.app.services.reviewing.decisions.undo(registration_id, mia(community))
            except Refused:
                return False
            return True

        _, undone = await asyncio.gather(community.pass_time(early + 0.001), undo())
        await community.pass_time(15)
        state = (await load_registration(community, registration_id)).state
        assert state is (RegistrationState.SUBMITTED if undone else CONFIRMED)
        outcomes.add(state)
    await check_claims(community, tokens=len((await remains(community)).of(CONFIRMED)))


async def test_two_members_who_submit_the_same_picture_at_once_get_one_registration(community: Community) -> None:
    theirs = await twins(community)
    service = community.app.services.registering.registrations

    async def submit(registration_id: str, who: int) -> bool:
        view = await service.draft(registration_id, by=who)
        assert view.terms
        try:
            await service.submit(registration_id, by=who, digest=view.terms.digest, channel_id=community.studio.id)
        except Refused:
            return False
        return True

    done = await asyncio.gather(*(submit(registration_id, who) for registration_id, who in theirs))
    assert sorted(done) == [False, True]


async def test_of_two_failed_registrations_of_one_picture_one_can_be_tried_again(community: Community) -> None:
    (first, ada), (second, ben) = await twins(community)
    service = community.app.services.registering.registrations
    await chain_of(community).close_minting(collection_of(community), closed=False)
    for registration_id, who in ((first, ada), (second, ben)):
        view = await service.draft(registration_id, by=who)
        assert view.terms
        await service.submit(registration_id, by=who, digest=view.terms.digest, channel_id=community.studio.id)
        await chain_of(community).revert_next()
        await begin_registration(community, registration_id)
        assert (await follow_registration(community, registration_id)).state is FAILED

    async def retry(registration_id: str, who: int) -> bool:
        try:
            await service.retry(registration_id, by=who, moderator=False)
        except Refused:
            return False
        return True

    assert sorted(await asyncio.gather(retry(first, ada), retry(second, ben))) == [False, True]
    for registration_id in (first, second):
        await follow_registration(community, registration_id)
    await check_claims(community, tokens=1)


async def twins(community: Community) -> list[tuple[str, int]]:
    """Drafts of two members about pictures that are the same, byte for byte."""
    made: list[tuple[str, int]] = []
    for member in (community.ada, community.ben):
        card = await community.drawn(member, seed=7)
        await community.decide(moderator_role_id=community.role.id, review_channel_id=community.review.id)
        service = community.app.services.registering.registrations
        view = await service.begin(origin(community, member.id), f"{job_of(card)}-1", name="A")
        await service.edit(view.registration.id, by=member.id, title="A lighthouse", recipient=WALLET)
        made.append((view.registration.id, member.id))
    both = [await load_registration(community, registration_id) for registration_id, _ in made]
    assert both[0].sha256 == both[1].sha256
    return made


async def test_a_picture_that_its_owner_deletes_after_submission_is_registered_all_the_same(
    community: Community,
) -> None:
    registration_id = await submit_registration(community)
    await delete_picture(community, registration_id)
    await begin_registration(community, registration_id)
    assert (await follow_registration(community, registration_id)).state is CONFIRMED
    await check_claims(community, tokens=1)


async def test_a_picture_that_was_deleted_goes_when_its_registration_is_withdrawn(community: Community) -> None:
    registration_id = await submit_registration(community)
    await delete_picture(community, registration_id)
    await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)
    await community.pass_time(10)
    await check_claims(community, tokens=0)
    registration = await load_registration(community, registration_id)
    assert not community.app.services.kit.files.path(registration.sha256).exists()


async def delete_picture(community: Community, registration_id: str) -> None:
    """Its picture, by its owner."""
    image_id = (await load_registration(community, registration_id)).image_id
    job = await community.app.services.drawing.requests.find(image_id.rpartition("-")[0])
    assert job
    assert await community.app.services.drawing.requests.delete(job, by=community.ada.id)


# Many.


@pytest.mark.parametrize("automine", [True, False], ids=["mined at once", "in blocks"])
async def test_24_registrations_at_once_get_a_token_each(community: Community, automine: bool) -> None:
    many = await several(community, 24)
    pinata_of(community).per_minute = 1000
    chain = chain_of(community)
    await chain.automine(automine)
    for registration_id in many:
        await approve(community, registration_id)
    await community.pass_time(UNDO + 1)
    for registration_id in many:
        registration = await follow_registration(community, registration_id, within=1200, blocks=not automine)
        assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=24)


async def test_many_at_once_survive_a_chain_that_loses_a_third_of_them(community: Community) -> None:
    many = await several(community, 9)
    chain = chain_of(community)
    await chain.automine(False)
    for registration_id in many:
        await approve(community, registration_id)
    await community.pass_time(UNDO + 1)
    for registration_id in many:
        await until(community, registration_id, RegistrationState.SENT)
    for registration_id in many[::3]:
        await chain.drop((await read_cards(community, registration_id)).attempts[-1])
    for registration_id in many:
        registration = await follow_registration(community, registration_id, within=1200, blocks=True)
        assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=9)
