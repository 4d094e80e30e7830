"""The messages of a registration are there once, whatever is cut off between posting and writing that down."""

from dataclasses import replace

import pytest

from storage.base.jobs import State
from storage.registering.transitions import RegistrationState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, text_of
from tests.scenes.registering import approve, load_registration, read_cards, submit_registration


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    return await make_community(story={})


async def test_a_card_and_its_news_are_found_again_after_a_crash(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    view = await read_cards(owls, registration_id)
    delivery = owls.app.services.delivery
    before = len(owls.cards)
    lost = replace(view, job=replace(view.job, message_id=None))
    assert (await delivery.put_card(lost)).message_id == view.job.message_id
    first = await delivery.announce(view, "expired", "0")
    assert (await delivery.announce(view, "expired", "0")).message_id == first.message_id
    second = await delivery.announce(view, "expired", "1")
    assert second.message_id != first.message_id, "another occasion"
    assert len(owls.cards) == before + 2


async def test_a_card_goes_on_after_its_end_when_it_is_tried_again(owls: Community) -> None:
    view = await read_cards(owls, await submit_registration(owls))
    delivery = owls.app.services.delivery
    failed = replace(view.registration, state=RegistrationState.FAILED, error="No coins.")
    assert await delivery.show(replace(view, registration=failed, job=replace(view.job, state=State.FAILED)))
    assert "No coins." in text_of(owls.cards[-1])
    assert await delivery.show(view)
    assert "waiting for a moderator" in text_of(owls.cards[-1])


async def test_a_card_that_is_gone_is_posted_anew(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    view = await read_cards(owls, registration_id)
    card = next(message for message in owls.cards if message.id == view.job.message_id)
    await card.delete()
    posted = await owls.app.services.delivery.put_card(view)
    assert posted.message_id != view.job.message_id
    assert "waiting for a moderator" in text_of(owls.cards[-1])


async def test_the_card_still_works_after_a_restart_of_the_bot(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    await owls.restart()
    card = owls.cards[-1]
    assert "Withdraw" in buttons_of(card)
    await approve(owls, registration_id)
    await owls.pass_time(1)
    assert "can be undone until" in text_of(owls.cards[-1])
    await owls.ada.click(owls.cards[-1], label="Withdraw")
    await owls.clock.settle()
    assert "withdrawn" in text_of(owls.cards[-1])
    assert (await load_registration(owls, registration_id)).state == "withdrawn"
