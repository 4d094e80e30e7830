"""The disk is full, or nearly, while an image is registered: one token in the end, with the right hashes."""

import pytest

import storage.database
from bot.jobs import machine as machines
from bot.workflows.registering.types import UNDO
from storage.registering.transitions import RegistrationState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.disk import full_disk, held_database
from tests.scenes.registering import approve, load_registration, submit_registration
from tests.scenes.registry import (
    CONFIRMED,
    chain_of,
    check_claims,
    follow_registration,
    pinata_of,
    remains,
    send_registration,
)


@pytest.fixture
async def community(make_community: MakeCommunity, monkeypatch: pytest.MonkeyPatch) -> Community:
    """A guild whose bot registers; its database waits 20 ms for another program."""
    monkeypatch.setattr(storage.database, "BUSY", 20)
    return await make_community(story={})


async def test_a_disk_that_is_full_before_the_pins_is_waited_for(community: Community) -> None:
    registration_id = await submit_registration(community)
    await approve(community, registration_id)
    with full_disk():
        await community.pass_time(UNDO + 60)
    registration = await follow_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


async def test_a_database_that_is_held_while_the_transaction_is_mined_is_waited_for(community: Community) -> None:
    registration_id = await send_registration(community)
    with held_database(community.folder / "bot.db"):
        await chain_of(community).mine()
        await community.pass_time(40)
    registration = await follow_registration(community, registration_id, blocks=True)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)


async def test_nothing_is_pinned_or_minted_below_the_margin(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration_id = await submit_registration(community)
    free = [1_000_000]

    def look(_: object) -> int:
        return free[0]

    monkeypatch.setattr(machines, "free_bytes", look)
    await approve(community, registration_id)
    await community.pass_time(UNDO + 60)
    assert (await load_registration(community, registration_id)).state is RegistrationState.PINNING
    assert not [request for request in pinata_of(community).requests if request.kind == "upload"]
    assert not (await remains(community)).tokens

    free[0] = 10**12
    registration = await follow_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    await check_claims(community, tokens=1)
