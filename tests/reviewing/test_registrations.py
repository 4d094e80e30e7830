"""Moderators and registrations: who must not decide, the admin's override, taking an approval back, the queue."""

import pytest

from bot.errors import Refused
from bot.workflows.registering.types import UNDO
from storage.registering.registrations import RegistrationState
from storage.reviewing import audit
from storage.reviewing.reviews import ReviewState
from tests.conftest import MakeCommunity
from tests.reviewing.test_walk import walk
from tests.scenes.community import Community, buttons_of, private, text_of
from tests.scenes.registering import load_registration, mia, submit_registration

OWN = "Nobody decides on their own image. Another moderator has to."


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    """A community that can register images, and in which Ada is a moderator, too."""
    community = await make_community(story={})
    community.env.backend.get_guild(community.guild.id).members[community.ada.id].role_ids.append(community.role.id)
    return community


async def test_who_registers_meets_their_own_in_the_queue_with_the_reason_why_they_cannot_decide(
    owls: Community,
) -> None:
    registration_id = await submit_registration(owls)
    queue = await walk(owls, owls.ada)
    assert f"**You cannot decide this one.** {OWN}" in queue.text
    for label in ("Approve", "Deny", "Ask", "Claim"):
        assert private(await queue.press(label)) == OWN
    assert (await owls.app.services.reviewing.decisions.find(registration_id)).state is ReviewState.OPEN
    assert (await load_registration(owls, registration_id)).state is RegistrationState.SUBMITTED


async def test_with_the_admins_override_they_decide_and_card_and_audit_say_so(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    await owls.decide(own_decisions=True)
    queue = await walk(owls, owls.ada)
    assert "The admin's override lets you decide all the same" in queue.text
    await queue.press("Approve")
    assert f"Decided under the admin's override: {OWN}" in text_of(owls.review.history()[0])
    async with owls.app.database.read() as db:
        entries = [each for each in await audit.about(db, registration_id) if each.action == "register approved"]
    assert [(each.actor_id, each.content["override"], each.content["objection"]) for each in entries] == [
        (owls.ada.id, True, OWN)
    ]


async def test_who_denies_their_own_is_not_told_by_name_what_they_did(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    await owls.decide(own_decisions=True)
    review = await owls.app.services.reviewing.decisions.find(registration_id)
    ada = mia(owls, user_id=owls.ada.id)
    await owls.app.services.reviewing.decisions.ask(registration_id, ada, "Is this mine?")
    await owls.pass_time(5)
    await owls.app.services.reviewing.decisions.decide(
        registration_id, ada, approve=False, digest=review.digest, reason="A slip."
    )
    await owls.pass_time(5)
    assert (await load_registration(owls, registration_id)).state is RegistrationState.DENIED
    assert not [each for each in owls.cards if text_of(each).startswith(f"<@{owls.ada.id}>:")]


async def test_an_approval_can_be_taken_back_for_a_minute_and_not_later(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    card = owls.review.history()[0]
    await owls.mia.click(card, label="Approve")
    await owls.clock.settle()
    card = owls.review.history()[0]
    assert "Undo" in buttons_of(card)
    await owls.pass_time(UNDO - 2)
    await owls.olga.click(card, label="Undo")
    await owls.pass_time(1)
    card = owls.review.history()[0]
    assert text_of(card).startswith("### May this be registered")
    await owls.pass_time(UNDO)
    assert (await load_registration(owls, registration_id)).state is RegistrationState.SUBMITTED

    await owls.mia.click(card, label="Approve")
    await owls.clock.settle()
    await owls.pass_time(UNDO + 1)
    await owls.pass_time(20)
    assert (await load_registration(owls, registration_id)).state is RegistrationState.CONFIRMED
    assert "Undo" not in buttons_of(owls.review.history()[0])
    with pytest.raises(Refused, match="It is too late to take this approval back"):
        await owls.app.services.reviewing.decisions.undo(registration_id, mia(owls))


async def test_several_registrations_are_denied_together_and_each_member_reads_why(owls: Community) -> None:
    first = await submit_registration(owls, title="One")
    second = await submit_registration(owls, title="Another")
    queue = await walk(owls)
    form = await queue.press("Deny several")
    values = [
        f"{each}:{(await owls.app.services.reviewing.decisions.find(each)).digest[:12]}" for each in (first, second)
    ]
    (reply,) = await queue.send(form, {"which": values, "reason": "No lighthouses, please."})
    assert reply.startswith("Denied 2 requests.")
    assert "Registration\\: Another" in reply
    assert queue.text == "Nothing waits for a decision."
    for each in (first, second):
        assert (await load_registration(owls, each)).state is RegistrationState.DENIED
    assert sum("No lighthouses, please." in text_of(each) for each in owls.cards) >= 2
