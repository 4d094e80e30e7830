"""Who is published as a creator, and with which address: their own, or none."""

import json
from typing import Any

import pytest

from bot.cards.registering.draft import registration_draft_card
from bot.errors import Refused
from bot.story.metadata import LONGEST_DESCRIPTION, Creator
from standins.chain.accounts import ADA, BEN
from storage.registering import registrations, wallets
from storage.registering.wallets import LinkedWallet
from tests.conftest import MakeCommunity
from tests.registering.test_cards import words
from tests.scenes.community import Community
from tests.scenes.registering import approve_registration, draft_registration, load_registration, submit
from tests.scenes.registry import CONFIRMED


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild whose bot registers, with a wallet of the community's."""
    made = await make_community(story={})
    await made.decide(wallet=BEN.address)
    return made


async def link_wallet(community: Community) -> None:
    async with community.app.database.write() as db:
        await wallets.save(db, LinkedWallet(community.ada.id, ADA.address, "", "", 0.0))


async def publish(community: Community, **changes: Any) -> dict[str, Any]:
    """The IP metadata of a registration with these details, as they were pinned."""
    registration_id = await draft_registration(community, **changes)
    await submit(community, registration_id)
    await approve_registration(community, registration_id)
    registration = await load_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    assert registration.ip_metadata
    return json.loads(await community.app.services.kit.files.read(registration.ip_metadata))


async def test_without_a_wallet_nobody_is_published_with_the_communitys(community: Community) -> None:
    published = await publish(community, recipient=None, description="A lighthouse at dusk.")
    assert "creators" not in published
    assert published["description"] == "A lighthouse at dusk.\n\nMade by Ada."
    assert BEN.address not in json.dumps(published)


async def test_without_a_wallet_nobody_is_published_with_the_recipients(community: Community) -> None:
    published = await publish(community, recipient=BEN.address)
    assert "creators" not in published
    assert published["description"] == "Made by Ada."
    assert BEN.address not in json.dumps(published)


async def test_a_linked_wallet_is_its_creators_whoever_gets_it(community: Community) -> None:
    await link_wallet(community)
    published = await publish(community, recipient=BEN.address)
    assert published["creators"] == [{"name": "Ada", "address": ADA.address, "contributionPercent": 100}]
    assert published["description"] == ""


async def test_who_gives_an_address_is_a_creator_with_that_one(community: Community) -> None:
    creators = (Creator(name="Ada Lovelace", address=ADA.address, share=100),)
    published = await publish(community, recipient=None, creators=creators)
    assert [each["address"] for each in published["creators"]] == [ADA.address]


async def test_a_name_that_finds_no_room_in_the_description_is_asked_about(community: Community) -> None:
    registration_id = await draft_registration(community, description="x" * LONGEST_DESCRIPTION)
    service = community.app.services.registering.registrations
    view = await service.draft(registration_id, by=community.ada.id)
    assert view.terms is None
    assert view.missing
    assert "no room" in view.missing
    with pytest.raises(Refused, match="shorten that by 14 characters"):
        await service.submit(registration_id, by=community.ada.id, digest="0" * 12, channel_id=community.studio.id)


async def test_what_was_approved_with_an_older_bots_creators_is_registered_as_it_was_approved(
    community: Community,
) -> None:
    """Its terms are stored, and its digest is of them."""
    registration_id = await draft_registration(community, recipient=None)
    creators = (Creator(name="Ada", address=BEN.address, share=100),)
    service = community.app.services.registering.registrations
    await service.edit(registration_id, by=community.ada.id, creators=creators)
    await submit(community, registration_id)
    async with community.app.database.write() as db:
        registration = await registrations.find(db, registration_id)
        assert registration
        details = json.loads(registration.details) | {"creators": []}
        await registrations.update(db, registration_id, now=0.0, details=json.dumps(details))
    await approve_registration(community, registration_id)
    registration = await load_registration(community, registration_id)
    assert registration.state is CONFIRMED, registration.error
    assert registration.ip_metadata
    published = json.loads(await community.app.services.kit.files.read(registration.ip_metadata))
    assert published["creators"][0]["address"] == BEN.address


async def test_the_draft_says_who_its_creator_is(community: Community) -> None:
    registration_id = await draft_registration(community)
    service = community.app.services.registering.registrations
    files = community.app.services.kit.files
    text = words(registration_draft_card(await service.draft(registration_id, by=community.ada.id), files))
    assert "**Creator:** none, because you have linked no wallet. The description names you, Ada" in text
    assert "your name, in the description" in text
    await link_wallet(community)
    text = words(registration_draft_card(await service.draft(registration_id, by=community.ada.id), files))
    assert "**Creator:** you alone, as Ada" in text
    assert "the creator's name, wallet and share" in text
