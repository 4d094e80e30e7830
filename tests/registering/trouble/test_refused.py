"""Where Discord refuses the messages of a registration: said, looked at again, and shown when it takes them."""

import pytest

from bot.workflows.base.undelivered import LOOK_AGAIN
from storage.base import jobs, steps
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, text_of
from tests.scenes.registering import approve_registration, submit_registration


@pytest.fixture
async def owls(make_community: MakeCommunity) -> Community:
    return await make_community(story={})


def refuse(owls: Community, method: str) -> None:
    owls.env.inject_error(method, "/channels/*", status=403, code=50013, times=None)


async def test_a_draft_is_shown_without_its_picture_where_none_is_let_in(owls: Community) -> None:
    card = await owls.drawn()
    owls.refusals.filtered.add(owls.studio.id)
    result = await owls.ada.slash(owls.studio, "register", image=f"{job_of(card)}-1")
    assert result.response
    text = text_of(result.response.message)
    assert "The pictures cannot be shown here." in text
    assert "mistake" not in text


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_card_that_could_not_be_posted_is_posted_when_it_can_be(owls: Community, restarted: bool) -> None:
    await owls.drawn()
    refuse(owls, "POST")
    registration_id = await submit_registration(owls, f"{job_of(owls.card)}-1")
    assert len(owls.cards) == 1
    answer = await owls.ada.slash(owls.studio, "history")
    assert any(f"`{registration_id}`" in each.content for each in answer.followups)
    owls.env.backend.faults.clear()
    if restarted:
        await owls.restart()
    await owls.pass_time(2 * LOOK_AGAIN)
    assert any("waiting for a moderator" in text_of(each) for each in owls.cards)
    assert "Approve" in buttons_of(owls.review.history()[-1])


async def test_a_card_that_an_older_version_gave_up_is_posted(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    (card,) = [each for each in owls.cards if "waiting for a moderator" in text_of(each)]
    await card.delete()
    async with owls.app.database.write() as db:
        await steps.finish(db, job_id=registration_id, name="card", result='{"message_id":0,"channel_id":1}', now=0)
        job = await jobs.find(db, registration_id)
        assert job
        await db.exec_driver_sql("UPDATE jobs SET message_id = NULL WHERE id = ?", (registration_id,))
    await owls.restart()
    await approve_registration(owls, registration_id)
    assert any("Registered" in text_of(each) or "registered" in text_of(each) for each in owls.cards[1:])


async def test_edits_that_were_refused_for_an_hour_are_made_up_for(owls: Community) -> None:
    registration_id = await submit_registration(owls)
    refuse(owls, "PATCH")
    refuse(owls, "POST")
    await approve_registration(owls, registration_id)
    await owls.skip(3600.0)
    assert "Approve" in buttons_of(owls.review.history()[-1])
    owls.env.backend.faults.clear()
    await owls.skip(2 * LOOK_AGAIN, step=LOOK_AGAIN)
    await owls.pass_time(90)
    assert "Approve" not in buttons_of(owls.review.history()[-1])
    texts = [text_of(each) for each in owls.cards]
    assert not any("waiting for a moderator" in each for each in texts)
    assert any(f"<@{owls.ada.id}>" in each for each in texts)
