"""Delivery, over real sockets to a small Discord: what members see, whatever goes wrong on the way."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path

import discord
import pytest

from bot.discord.delivery import TOKEN
from bot.errors import Refused, Unavailable
from bot.workflows.base.types import Forecast, Posted
from standins.base.faults import Fault, Trouble, answers
from standins.discord import (
    dropped,
    expired_token,
    failing,
    held,
    lost_answer,
    rate_limited,
)
from standins.discord.rules import FILE_LIMIT
from standins.discord.state import READ_HISTORY, SEND_MESSAGES
from storage.base import jobs, queue
from storage.base.jobs import State
from storage.base.queue import NewJob
from storage.reviewing import reviews
from storage.reviewing.reviews import ReviewState
from tests.drawing.test_cards import ID, MODERATOR, a_review, a_view
from tests.scenes.delivering import (
    Bot,
    Place,
    a_large_picture,
    a_picture,
    a_place,
    buttons,
    waiting,
    words,
)

TOKEN_LIVES = 15 * 60


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with a_place(tmp_path) as made:
        yield made


# While it waits.


async def test_the_answer_to_the_command_becomes_the_card(place: Place) -> None:
    interaction = await place.ask()
    place.delivery.remember(ID, interaction)
    await place.delivery.show(place.here(waiting(), place.messages[0]))
    assert "3 pictures ahead" in words(place.messages[0])
    assert buttons(place.messages[0]) == [f"1:img:cancel:{ID}"]
    assert place.requested("message.edit", "followup.edit") == ["followup.edit"], "interactions have no global limit"


async def test_a_card_is_edited_only_when_it_says_something_else(place: Place) -> None:
    card = await place.card()
    view = place.here(waiting(), card)
    assert await place.delivery.refresh(view)
    for _ in range(5):
        await place.clock.turn(10)
        assert await place.delivery.refresh(view)
    assert card.edits == 1
    assert await place.delivery.refresh(place.here(waiting(ahead=2), card))
    assert [each.changed for each in card.history] == [True, True, True]


async def test_a_card_is_edited_once_in_three_seconds_and_what_was_put_off_is_kept(place: Place) -> None:
    card = await place.card()
    assert await place.delivery.refresh(place.here(waiting(ahead=9), card))
    await place.clock.turn(2.9)
    assert not await place.delivery.refresh(place.here(waiting(ahead=8), card)), "to be done later"
    await place.clock.turn(0.2)
    assert await place.delivery.refresh(place.here(waiting(ahead=8), card))
    assert "8 pictures ahead" in words(card)


async def test_all_cards_share_a_budget_that_the_end_of_a_request_does_not_wait_for(place: Place) -> None:
    delivery = place.restarted(edits_per_second=2.0)
    cards = [await place.card() for _ in range(4)]
    views = [place.here(waiting(), card, id=f"job{n}") for n, card in enumerate(cards)]
    assert [await delivery.refresh(view) for view in views] == [True, True, False, False]
    done = await place.drawn(a_picture(), message=cards[2])
    await delivery.finish(done)
    assert cards[2].attachments
    await place.clock.turn(0.5)
    assert [await delivery.refresh(view) for view in views] == [True, True, True, False]


async def test_a_forecast_that_wavers_is_no_news_and_one_that_is_over_is_not_counted_up(place: Place) -> None:
    card = await place.card()
    for likely in (100.0, 104.0, 90.0, 110.0):
        await place.clock.turn(4)
        assert await place.delivery.refresh(place.here(waiting(likely=likely), card))
    assert card.edits == 1
    await place.clock.turn(4)
    assert await place.delivery.refresh(place.here(waiting(likely=300.0), card))
    assert card.edits == 2
    await place.clock.turn(400)
    overdue = a_view(State.RUNNING, forecast=Forecast(0, place.clock.now(), place.clock.now()))
    assert await place.delivery.refresh(place.here(overdue, card))
    assert "Taking longer than usual." in words(card)


async def test_a_card_that_was_deleted_or_cannot_be_reached_is_left_alone_while_it_waits(place: Place) -> None:
    card = await place.card()
    place.server.delete_message(card)
    for ahead in (9, 8, 7):
        await place.clock.turn(4)
        assert await place.delivery.refresh(place.here(waiting(ahead=ahead), card))
    assert place.requested("message.edit", "message.create") == ["message.edit"]


async def test_trouble_while_it_waits_is_swallowed_and_mended_by_the_next_round(place: Place) -> None:
    card = await place.card()
    view = place.here(waiting(), card)
    place.server.faults.append(Fault("message.edit", failing(503)))
    assert not await place.delivery.refresh(view)
    await place.clock.turn(4)
    assert await place.delivery.refresh(view)
    assert "3 pictures ahead" in words(card)


# When it ends.


async def test_the_end_of_a_request_replaces_its_card_with_the_very_bytes(place: Place) -> None:
    interaction = await place.ask()
    card = place.messages[0]
    place.delivery.remember(ID, interaction)
    contents = [a_picture("red"), a_picture("blue")]
    view = await place.drawn(*contents, message=card)
    await place.delivery.show(place.here(waiting(), card))
    posted = await place.delivery.finish(view)
    assert posted == Posted(message_id=card.id, channel_id=place.server.channel.id)
    assert [each.file.content for each in card.attachments] == contents
    assert [each.description for each in card.attachments] == [f"a cat on the moon ({n} of 2)" for n in (1, 2)]
    assert f"1:img:pick:{ID}-2" in buttons(card)
    assert place.requested("message.edit", "message.create") == []


async def test_a_card_of_any_age_is_edited_by_its_id(place: Place) -> None:
    interaction = await place.ask()
    place.delivery.remember(ID, interaction)
    await place.clock.turn(TOKEN_LIVES)
    await place.delivery.finish(await place.drawn(a_picture(), message=place.messages[0]))
    assert place.requested("message.edit", "followup.edit") == ["message.edit"]
    assert len(place.messages[0].attachments) == 1


async def test_a_token_that_died_early_costs_nothing(place: Place) -> None:
    interaction = await place.ask()
    place.delivery.remember(ID, interaction)
    place.server.faults.append(Fault("followup.edit", expired_token()))
    await place.delivery.finish(await place.drawn(a_picture(), message=place.messages[0]))
    assert len(place.messages[0].attachments) == 1


async def test_a_token_is_forgotten_once_it_is_dead(place: Place) -> None:
    for number in range(10):
        place.delivery.remember(f"job-{number}", await place.ask())
        await place.clock.leap(TOKEN / 2)
    assert len(vars(place.delivery)["_tokens"]) <= 3


async def test_a_living_token_outlives_what_another_request_brings(place: Place) -> None:
    place.delivery.remember(ID, await place.ask())
    card = place.messages[0]
    await place.clock.turn(60)
    place.delivery.remember("another", await place.ask())
    await place.delivery.finish(await place.drawn(a_picture(), message=card))
    assert place.requested("message.edit", "followup.edit") == ["followup.edit"]


async def test_where_the_card_is_gone_the_pictures_come_on_a_new_message(place: Place) -> None:
    card = await place.card()
    place.server.delete_message(card)
    posted = await place.delivery.finish(await place.drawn(a_picture(), message=card))
    assert [each.id for each in place.messages] == [posted.message_id]
    assert place.messages[0].attachments
    nonce = place.messages[0].nonce
    assert isinstance(nonce, str)
    assert ID in nonce
    assert len(nonce) <= 25


@pytest.mark.parametrize("fault", [lost_answer(503), dropped(committed=True)], ids=["503", "dropped"])
@pytest.mark.parametrize("later", [1.0, 3600.0], ids=["in the nonce's time", "an hour later"])
async def test_a_post_whose_answer_was_lost_is_found_again_and_not_repeated(
    place: Place, fault: Trouble, later: float
) -> None:
    view = await place.drawn(a_picture(), a_picture("blue"))
    place.server.faults.append(Fault("message.create", fault))
    with pytest.raises(Unavailable):
        await place.delivery.finish(view)
    await place.clock.turn(later)
    posted = await place.restarted().finish(view)
    assert [each.id for each in place.messages] == [posted.message_id]


async def test_without_the_history_the_nonce_still_prevents_a_second_post(place: Place) -> None:
    place.server.channel.app_permissions &= ~READ_HISTORY
    view = await place.drawn(a_picture())
    place.server.faults.append(Fault("message.create", lost_answer(503)))
    with pytest.raises(Unavailable):
        await place.delivery.finish(view)
    posted = await place.restarted().finish(view)
    assert [each.id for each in place.messages] == [posted.message_id]


async def test_a_copy_or_a_single_picture_is_not_taken_for_the_card(place: Place) -> None:
    view = await place.drawn(a_picture(), a_picture("blue"))
    await place.delivery.answer(await place.ask(), view, view.images[0])
    card = await place.card()
    place.server.delete_message(card)
    posted = await place.delivery.finish(replace(view, job=replace(view.job, message_id=card.id)))
    assert posted.message_id == place.messages[-1].id
    assert len(place.messages) == 2


async def test_finishing_twice_is_the_same_as_once(place: Place) -> None:
    card = await place.card()
    view = await place.drawn(a_picture(), message=card)
    assert await place.delivery.finish(view) == await place.restarted().finish(view)
    assert len(place.messages) == 1
    assert len(card.attachments) == 1


async def test_a_message_that_was_told_a_sentence_can_still_become_the_card(place: Place) -> None:
    for lives in (0, TOKEN_LIVES):  # through the interaction, and by the message's id
        interaction = await place.ask()
        place.delivery.remember(ID, interaction)
        await interaction.edit_original_response(content="…")
        await place.clock.turn(lives)
        await place.delivery.finish(await place.drawn(a_picture(), message=place.messages[-1]))
        assert place.messages[-1].attachments
        assert place.messages[-1].content == ""


async def test_the_end_goes_to_where_the_card_was_moved_meanwhile(place: Place) -> None:
    former, latter = await place.card(), await place.card()
    view = await place.drawn(a_picture(), message=former)
    job = view.job
    new = NewJob(job.id, job.kind, job.guild_id, job.channel_id, job.owner_id, "{}", "cards", message_id=former.id)
    async with place.database.write() as db:
        await queue.add(db, new, now=place.clock.now())
        await jobs.set_message(db, job_id=job.id, message_id=latter.id, channel_id=job.channel_id)
    posted = await place.delivery.finish(view)
    assert posted.message_id == latter.id
    assert (len(former.attachments), len(latter.attachments)) == (0, 1)


async def test_nothing_that_comes_late_overwrites_the_end(place: Place) -> None:
    card = await place.card()
    await place.delivery.finish(await place.drawn(a_picture(), message=card))
    await place.delivery.show(place.here(waiting(), card))
    assert await place.delivery.refresh(place.here(waiting(ahead=1), card))
    assert card.edits == 1


async def test_an_edit_under_way_does_not_overtake_the_end(place: Place) -> None:
    place.delivery.remember(ID, await place.ask())
    card, gate = place.messages[0], asyncio.Event()
    place.server.faults.append(Fault("followup.edit", held(gate, before=True)))
    early = asyncio.create_task(place.delivery.refresh(place.here(waiting(), card)))
    while not place.requested("followup.edit"):  # noqa: ASYNC110 - it has arrived and nothing is done that could be told
        await asyncio.sleep(0)
    await place.clock.turn(TOKEN_LIVES)  # the end goes another way, which discord.py would not keep in order
    end = asyncio.create_task(place.delivery.finish(await place.drawn(a_picture(), message=card)))
    assert not await place.delivery.refresh(place.here(waiting(ahead=1), card)), "its turn has not come"
    gate.set()
    await asyncio.gather(early, end)
    assert place.requested("followup.edit", "message.edit") == ["followup.edit", "message.edit"]
    assert card.attachments


# What goes wrong.


async def test_a_missing_permission_is_named(place: Place) -> None:
    place.server.channel.app_permissions &= ~SEND_MESSAGES
    with pytest.raises(Refused, match=rf"<#{place.server.channel.id}>.*Send Messages"):
        await place.delivery.finish(await place.drawn(a_picture()))


async def test_a_deleted_channel_is_said_to_be_gone(place: Place) -> None:
    card = await place.card()
    place.server.delete_channel(place.server.channel)
    with pytest.raises(Refused, match="is gone"):
        await place.delivery.finish(await place.drawn(a_picture(), message=card))


@pytest.mark.parametrize("fault", [failing(503), dropped(committed=False), rate_limited(0.1, cloudflare=True)])
async def test_trouble_at_discord_is_nobodys_fault_and_the_next_try_delivers(place: Place, fault: Trouble) -> None:
    card = await place.card()
    view = await place.drawn(a_picture(), message=card)
    place.server.faults.append(Fault("message.edit", fault))
    with pytest.raises(Unavailable):
        await place.delivery.finish(view)
    await place.delivery.finish(view)
    assert card.attachments


async def test_a_long_limit_is_waited_for_by_the_worker(place: Place) -> None:
    card = await place.card()
    place.server.faults.append(Fault("message.edit", rate_limited(120)))
    with pytest.raises(Unavailable) as error:
        await place.delivery.finish(await place.drawn(a_picture(), message=card))
    assert error.value.retry_after == pytest.approx(120)


async def test_before_the_bot_is_connected_delivery_waits(place: Place) -> None:
    with pytest.raises(Unavailable, match="not connected"):
        await place.restarted(Bot()).finish(await place.drawn(a_picture()))


# Large files.


async def test_a_picture_too_large_for_discord_is_shown_as_a_copy_and_kept_as_it_is(place: Place) -> None:
    card = await place.card()
    large = a_large_picture(1900)
    assert len(large) > FILE_LIMIT
    view = await place.drawn(a_picture(), large, message=card)
    await place.delivery.finish(view)
    assert [each.filename for each in card.attachments] == [f"{ID}-1.jpg", f"{ID}-2.jpg"]
    assert card.attachments[0].file.content == a_picture()
    assert card.attachments[1].size < FILE_LIMIT
    assert "smaller copy" in words(card)
    assert await place.media.read(view.images[1].sha256) == large
    assert list(place.media.path("0" * 64).parents[2].glob("tmp/*")) == [], "copies are for one try"


async def test_pictures_that_are_too_large_together_are_shown_as_copies_largest_first(place: Place) -> None:
    card = await place.card()
    contents = [a_large_picture(1700), a_large_picture(1750), a_large_picture(1650)]
    await place.delivery.finish(await place.drawn(*contents, message=card))
    assert [each.filename.endswith("png") for each in card.attachments] == [True, False, True]


async def test_where_discord_finds_a_picture_too_large_all_the_same_it_gets_a_smaller_one(place: Place) -> None:
    card = await place.card()
    too_large = answers(413, {"message": "Request entity too large", "code": 40005})
    place.server.faults.append(Fault("message.edit", too_large))
    await place.delivery.finish(await place.drawn(a_large_picture(1000), message=card))
    assert card.attachments[0].size <= 2 * 1024 * 1024
    assert "smaller copy" in words(card)


# Copies and deletion.


async def test_an_old_request_is_shown_again_with_its_buttons(place: Place) -> None:
    view = await place.drawn(a_picture(), a_picture("blue"))
    posted = await place.delivery.answer(await place.ask(), view)
    assert posted.message_id == place.messages[0].id
    assert len(place.messages[0].attachments) == 2
    assert f"1:img:again:{ID}" in buttons(place.messages[0])


async def test_a_private_answer_never_becomes_a_public_one(place: Place) -> None:
    interaction = await place.ask(private=True)
    await place.delivery.answer(interaction, await place.drawn(a_picture()))
    assert place.messages[0].ephemeral
    place.server.faults.append(Fault("followup.edit", expired_token()))
    with pytest.raises(Refused, match="try again"):
        await place.delivery.answer(interaction, await place.drawn(a_picture()))
    assert len(place.messages) == 1


async def test_deleting_takes_the_pictures_from_the_card_and_posts_nothing_where_it_is_gone(place: Place) -> None:
    card = await place.card()
    view = await place.drawn(a_picture(), message=card)
    await place.delivery.finish(view)
    deleted = replace(view, pictures=tuple(replace(each, image=None) for each in view.pictures))
    assert await place.delivery.show(deleted)
    assert (card.attachments, buttons(card)) == ([], [])
    assert "deleted" in words(card)
    place.server.delete_message(card)
    assert await place.delivery.show(deleted)
    assert place.messages == []


async def test_who_deletes_is_told_where_the_card_could_not_be_changed(place: Place) -> None:
    card = await place.card()
    view = await place.drawn(a_picture(), message=card)
    await place.delivery.finish(view)
    place.server.faults.append(Fault("message.edit", failing(503)))
    deleted = replace(view, pictures=tuple(replace(each, image=None) for each in view.pictures))
    assert not await place.delivery.show(deleted)
    assert card.attachments
    assert await place.delivery.show(deleted)
    assert card.attachments == []


# Moderators.


async def test_a_question_is_asked_once_and_shows_its_decision(place: Place) -> None:
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=place.server.channel.id)
    place.server.faults.append(Fault("message.create", lost_answer(503)))
    with pytest.raises(Unavailable):
        await place.delivery.ask(review, view)
    await place.clock.turn(3600)
    posted = await place.restarted().ask(review, view)
    assert [each.id for each in place.messages] == [posted.message_id]
    assert f"1:rev:claim:{ID}" in buttons(place.messages[0])
    decided = replace(review, state=ReviewState.APPROVED, decided_by=MODERATOR, message_id=posted.message_id)
    assert await place.delivery.decided(decided, view)
    assert f"Approved by <@{MODERATOR}>" in words(place.messages[0])
    assert buttons(place.messages[0]) == []


async def test_a_decision_is_shown_even_before_the_question_is_saved_and_never_raises(place: Place) -> None:
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=place.server.channel.id)
    assert not await place.delivery.decided(review, view), "there is no card yet"
    await place.delivery.ask(review, view)
    claimed = replace(review, claimed_by=MODERATOR, claimed_until=place.clock.now() + 1800)
    assert await place.delivery.decided(claimed, view)
    assert f"<@{MODERATOR}> has this one" in words(place.messages[0])
    place.server.faults.append(Fault("message.edit", failing(503)))
    assert not await place.delivery.decided(replace(review, state=ReviewState.EXPIRED), view)


async def test_what_is_decided_while_the_question_is_on_its_way_is_shown_on_it(place: Place) -> None:
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=place.server.channel.id)
    gate = asyncio.Event()
    place.server.faults.append(Fault("message.create", held(gate, before=True)))
    asking = asyncio.create_task(place.delivery.ask(review, view))
    while not place.requested("message.create"):  # noqa: ASYNC110 - it has arrived and nothing is done that could be told
        await asyncio.sleep(0)
    decided = replace(review, state=ReviewState.APPROVED, decided_by=MODERATOR, decided_at=place.clock.now())
    async with place.database.write() as db:
        await reviews.add(db, decided)
    assert not await place.delivery.decided(decided, view), "there is no card yet"
    gate.set()
    await asking
    assert f"Approved by <@{MODERATOR}>" in words(place.messages[0])
    assert buttons(place.messages[0]) == []


async def test_a_question_that_went_elsewhere_shows_its_decision_there(place: Place) -> None:
    """The records name the channel that it should have gone to until the one where it is has been written down."""
    view, review = place.here(a_view(State.PARKED)), a_review(channel_id=404)
    await place.delivery.ask(replace(review, channel_id=place.server.channel.id), view)
    assert await place.delivery.decided(replace(review, state=ReviewState.DENIED, decided_by=MODERATOR), view)
    assert f"Denied by <@{MODERATOR}>" in words(place.messages[0])


# What is left behind.


def views_in_memory() -> Iterator[object]:
    gc.collect()
    return (each for each in gc.get_objects() if isinstance(each, discord.ui.LayoutView))


async def test_a_delivered_card_leaves_nothing_in_memory_but_its_id(place: Place) -> None:
    card = await place.card()
    await place.delivery.show(place.here(waiting(), card))
    await place.delivery.finish(await place.drawn(a_picture(), message=card))
    await place.delivery.ask(a_review(channel_id=place.server.channel.id), place.here(a_view(State.PARKED)))
    assert list(views_in_memory()) == [], "discord.py keeps no view of a card"
    remembered = {name: len(each) for name, each in vars(place.delivery).items() if hasattr(each, "__len__")}
    assert remembered == {"_locks": 0, "_tokens": 0, "_shown": 0, "_finished": 1, "_asked": 1}
