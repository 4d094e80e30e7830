"""Copies at a second pinning service: what is said to be there is there, and what is not is sent until it is."""

import logging

import pytest

from bot.assembly.publishing import pins_of
from bot.command_line.doctor import count_missing_pins
from bot.http import client as http
from standins.base.faults import Fault, hangs_up, malformed
from standins.kubo import KuboServer
from storage.base.columns import read
from storage.database import change, rows
from storage.registering.pins import PinRow
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.registering import approve_registration, load_registration, submit_registration
from tests.scenes.registry import CONFIRMED


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot pins at Pinata and on an IPFS node."""
    return await make_community(story={}, mirrored=True)


def node_of(community: Community) -> KuboServer:
    assert community.services.kubo
    return community.services.kubo


async def copies(community: Community) -> dict[str, PinRow]:
    """The rows about the node, by CID."""
    async with community.app.database.read() as db:
        records = await rows(db, "SELECT * FROM pins WHERE service = 'kubo'", {})
    return {each.cid: each for each in (read(PinRow, record) for record in records)}


async def confirmed_registration(community: Community) -> str:
    registration_id = await submit_registration(community)
    await approve_registration(community, registration_id)
    assert (await load_registration(community, registration_id)).state is CONFIRMED
    return registration_id


async def lacking(community: Community) -> dict[str, int]:
    """What `doctor` says that each service lacks."""
    async with http.session() as session:
        return await count_missing_pins(community.settings, pins_of(community.settings, session))


async def test_what_a_mirror_has_is_confirmed_when_it_is_pinned(community: Community) -> None:
    await confirmed_registration(community)
    held = {each.cid for each in node_of(community).files if each.pinned}
    rows = await copies(community)
    assert len(rows) == 3
    assert {cid for cid, row in rows.items() if row.confirmed_at is not None} == held
    assert await lacking(community) == {}


async def test_a_mirror_that_was_away_gets_its_copies_when_it_is_back(
    community: Community, caplog: pytest.LogCaptureFixture
) -> None:
    node = node_of(community)
    node.faults += [Fault("add", hangs_up(), times=1000)]
    with caplog.at_level(logging.WARNING):
        await confirmed_registration(community)
        await community.skip(1800, step=300)
    assert not node.files
    assert all(row.confirmed_at is None for row in (await copies(community)).values())
    assert await lacking(community) == {"The IPFS node": 3}
    assert await community.app.services.registering.count_missing_pins() == {"The IPFS node": 3}
    alarms = [each.getMessage() for each in caplog.records if "did not take a copy" in each.getMessage()]
    assert len(alarms) == 1, alarms
    assert "tried again every 5 minutes" in alarms[0]

    node.faults.clear()
    await community.skip(600, step=300)
    rows = await copies(community)
    assert {each.cid for each in node.files if each.pinned} == set(rows)
    assert all(row.confirmed_at is not None for row in rows.values())
    assert await lacking(community) == {}


async def test_a_restart_forgets_no_missing_copy(community: Community) -> None:
    node = node_of(community)
    node.faults += [Fault("add", malformed(), times=1000)]
    await confirmed_registration(community)
    await community.restart()
    node.faults.clear()
    await community.skip(600, step=300)
    assert len([each for each in node.files if each.pinned]) == 3
    assert await lacking(community) == {}


async def test_a_mirror_that_is_set_up_later_gets_what_was_registered_before(community: Community) -> None:
    """Or whose rows an older bot has written before it pinned anything."""
    node = node_of(community)
    node.faults += [Fault("add", hangs_up(), times=1000)]
    await confirmed_registration(community)
    async with community.app.database.write() as db:
        assert await change(db, "DELETE FROM pins WHERE service = 'kubo'", {}) == 3
    node.faults.clear()
    assert await lacking(community) == {"The IPFS node": 3}
    await community.skip(600, step=300)
    assert len([each for each in node.files if each.pinned]) == 3
    assert await lacking(community) == {}


async def test_a_mirror_that_names_the_file_otherwise_is_never_said_to_have_it(community: Community) -> None:
    node_of(community).quirks.wrong_cid = True
    await confirmed_registration(community)
    await community.skip(600, step=300)
    assert all(row.confirmed_at is None for row in (await copies(community)).values())
    assert await lacking(community) == {"The IPFS node": 3}
    node_of(community).quirks.wrong_cid = False
    await community.skip(600, step=300)
    assert await lacking(community) == {}


async def test_what_was_withdrawn_is_sent_to_no_mirror(community: Community) -> None:
    node_of(community).faults += [Fault("add", hangs_up(), times=3)]
    registration_id = await submit_registration(community)
    await community.app.services.registering.registrations.withdraw(registration_id, by=community.ada.id)
    await community.skip(1800, step=300)
    assert not node_of(community).files
    assert await lacking(community) == {}
