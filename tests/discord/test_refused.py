"""What Discord refuses, over real sockets: pictures go without, threads wake, nothing is for ever or comes twice."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards.base.layout import CardFile, compose, gallery, row, text, without_files
from bot.discord.buttons import button, custom_ids
from bot.errors import Refused, Unavailable
from bot.workflows.base.cards import PlaceGone
from standins.base.faults import Fault, Trouble, answers
from standins.discord import dropped, failing, forbidden, lost_answer
from standins.discord.state import ATTACH_FILES, VIEW_CHANNEL
from storage.base.jobs import State
from storage.reviewing import late_cards
from storage.reviewing.reviews import ReviewState
from tests.drawing.test_cards import ID, MODERATOR, a_review, a_view
from tests.scenes.delivering import Bot, Place, a_picture, a_place, buttons, waiting, words


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with a_place(tmp_path) as made:
        yield made


# What cannot be shown with pictures is shown without them.


@pytest.mark.parametrize("new", [False, True], ids=["edited", "posted"])
async def test_where_discords_filter_lets_no_picture_in_the_card_says_where_they_are(place: Place, new: bool) -> None:
    card = None if new else await place.card()
    place.server.channel.filters_files = True
    posted = await place.delivery.finish(await place.drawn(a_picture(), message=card))
    shown = place.messages[-1]
    assert (posted.message_id, shown.attachments) == (shown.id, [])
    assert "Discord's own filter does not let them into this channel." in words(shown)
    assert f"`/show {ID}`" in words(shown)
    assert f"1:img:again:{ID}" in buttons(shown)


async def test_without_the_permission_to_attach_files_the_card_names_it(place: Place) -> None:
    card = await place.card()
    place.server.channel.app_permissions &= ~ATTACH_FILES
    await place.delivery.finish(await place.drawn(a_picture(), message=card))
    assert "“Attach Files”" in words(card)
    assert f"`/show {ID}`" in words(card)


async def test_pictures_that_stay_too_large_as_smaller_copies_are_left_out(place: Place) -> None:
    card = await place.card()
    too_large = answers(413, {"message": "Request entity too large", "code": 40005})
    place.server.faults.append(Fault("message.edit", too_large, times=2))
    await place.delivery.finish(await place.drawn(a_picture(), message=card))
    assert card.attachments == []
    assert "too large for Discord, also as smaller copies" in words(card)


async def test_the_answer_to_a_command_is_shown_without_pictures_too(place: Place) -> None:
    place.server.channel.filters_files = True
    await place.delivery.answer(await place.ask(), await place.drawn(a_picture()))
    assert f"`/show {ID}`" in words(place.messages[-1])


def test_what_cannot_be_seen_whole_cannot_be_approved(tmp_path: Path) -> None:
    file = CardFile(tmp_path / "owl.jpg", "owl.jpg", spoiler=False, description="an owl")
    buttons = row([button("rev:ok", "7:abc", "Approve"), button("rev:deny", "7:abc", "Deny")])
    shown = without_files(compose([text("An owl"), gallery([file]), *buttons], files=[file]), "It is elsewhere.")
    assert shown.files == ()
    assert list(custom_ids(shown.view.children)) == ["1:rev:deny:7:abc"]
    assert "It is elsewhere." in str(shown.view.to_components())


# A refusal is for the moment; only what is gone is gone.


@pytest.mark.parametrize("fault", [forbidden(50013), forbidden(50001), answers(400, {"code": 50035, "message": "No"})])
async def test_a_card_whose_edit_was_refused_once_is_edited_again(place: Place, fault: Trouble) -> None:
    card = await place.card()
    place.server.faults.append(Fault("message.edit", fault))
    await place.delivery.refresh(place.here(waiting(ahead=9), card))
    await place.clock.turn(70)
    assert await place.delivery.refresh(place.here(waiting(ahead=2), card))
    assert "2 pictures ahead" in words(card)


async def test_a_refused_edit_is_not_repeated_each_second(place: Place) -> None:
    card = await place.card()
    place.server.channel.app_permissions &= ~VIEW_CHANNEL
    for ahead in range(20, 0, -1):
        await place.delivery.refresh(place.here(waiting(ahead=ahead), card))
        await place.clock.turn(3.5)
    assert len(place.requested("message.edit")) == 2


async def test_a_channel_that_is_gone_is_another_refusal_than_one_that_is_closed(place: Place) -> None:
    view = await place.drawn(a_picture())
    place.server.channel.app_permissions &= ~VIEW_CHANNEL
    with pytest.raises(Refused) as closed:
        await place.delivery.finish(view)
    assert not isinstance(closed.value, PlaceGone)
    place.server.delete_channel(place.server.channel)
    with pytest.raises(PlaceGone):
        await place.delivery.finish(view)


async def test_nothing_is_delivered_before_discord_has_named_its_channels(place: Place) -> None:
    fresh = Bot()
    async with fresh:
        await fresh.login("token")
        with pytest.raises(Unavailable, match="not connected"):
            await place.restarted(fresh).finish(await place.drawn(a_picture()))
        assert place.messages == []


# Threads.


async def test_a_thread_that_fell_asleep_is_woken_and_keeps_its_one_card(place: Place) -> None:
    thread = place.server.add_thread(place.server.channel, "owls")
    view = place.here(waiting(), None, channel_id=thread.id)
    posted = await place.delivery.put_card(view)
    thread.archived = True
    done = await place.drawn(a_picture())
    done = replace(done, job=replace(done.job, channel_id=thread.id, message_id=posted.message_id))
    assert await place.delivery.finish(done) == posted
    assert [len(each.attachments) for each in thread.messages] == [1]
    assert not thread.archived


@pytest.mark.parametrize("archived", [False, True])
async def test_a_locked_thread_is_named_and_nothing_is_broken(place: Place, archived: bool) -> None:
    thread = place.server.add_thread(place.server.channel, "owls")
    thread.locked, thread.archived = True, archived
    done = await place.drawn(a_picture())
    with pytest.raises(Refused, match="is locked"):
        await place.delivery.finish(replace(done, job=replace(done.job, channel_id=thread.id)))


# Nothing comes twice.


@pytest.mark.parametrize("fault", [lost_answer(503), dropped(committed=True)], ids=["503", "dropped"])
async def test_what_was_posted_before_a_crash_is_found_behind_hundreds_of_messages(
    place: Place, fault: Trouble
) -> None:
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=place.server.channel.id)
    place.server.faults.append(Fault("message.create", fault))
    with pytest.raises(Unavailable):
        await place.delivery.ask(review, view)
    await place.clock.turn(3600)
    for number in range(250):
        await place.server.say(place.server.member, place.server.channel, f"message {number}")
    posted = await place.restarted().ask(review, view)
    ours = [each.id for each in place.messages if each.author is place.server.world.bot]
    assert ours == [posted.message_id]


async def test_what_was_posted_and_not_written_down_is_known_without_a_search(place: Place) -> None:
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=place.server.channel.id)
    first = await place.delivery.ask(review, view)
    for number in range(150):
        await place.server.say(place.server.member, place.server.channel, f"message {number}")
    await place.clock.turn(3600)
    searches = len(place.requested("message.list"))
    assert await place.restarted().ask(review, view) == first
    assert len(place.requested("message.list")) == searches


async def test_a_decision_that_could_not_be_shown_is_kept_for_later(place: Place) -> None:
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=place.server.channel.id)
    posted = await place.delivery.ask(review, view)
    place.server.faults.append(Fault("message.edit", failing(503)))
    decided = replace(review, state=ReviewState.APPROVED, decided_by=MODERATOR, message_id=posted.message_id)
    assert not await place.delivery.decided(decided, view)
    async with place.database.read() as db:
        assert await late_cards.find_all(db) == [review.id]
    assert await place.delivery.decided(decided, view)
    async with place.database.read() as db:
        assert await late_cards.find_all(db) == []


async def test_who_gets_no_answer_reads_that_nothing_was_done(place: Place) -> None:
    interaction = await place.ask()
    place.server.faults.append(Fault("followup.edit", dropped(committed=False)))
    with pytest.raises(
        Unavailable, match=r"^Discord does not answer just now\. Nothing was done\. Please try again\.$"
    ):
        await place.delivery.answer(interaction, await place.drawn(a_picture()))
