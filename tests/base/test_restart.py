"""A restart at any moment: what was under way goes on, nothing is drawn twice, and nobody waits for ever."""

import asyncio

import pytest

from standins.base.faults import Fault, waits
from storage.base.jobs import State
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, private, text_of


@pytest.mark.parametrize("after", [0, 0.5, 3, 7.5, 9.9, 10.5, 11])
async def test_a_request_goes_on_wherever_the_bot_was_stopped(community: Community, after: float) -> None:
    await community.imagine(count=2)
    if after:
        await community.pass_time(after)
    await community.restart()
    await community.pass_time(60)
    assert len(community.card.attachments) == 2
    assert text_of(community.card).startswith(f"### 2 pictures for <@{community.ada.id}>")
    assert (community.ordered(), len(community.bfl.tasks)) == (2, 2)
    assert (await community.view(job_of(community.card))).cost == 120_000


async def test_restarts_one_after_the_other_change_nothing(community: Community) -> None:
    await community.imagine(count=4)
    for _ in range(6):
        await community.pass_time(2)
        await community.restart()
    await community.pass_time(30)
    assert len(community.card.attachments) == 4
    assert community.ordered() == 4


async def test_an_order_that_is_just_leaving_is_answered_before_the_bot_stops(community: Community) -> None:
    taken, answered = asyncio.Event(), asyncio.Event()

    async def until() -> None:
        taken.set()
        await answered.wait()

    community.bfl.faults.append(Fault("submit", waits(until)))
    asking = asyncio.create_task(community.imagine())
    await taken.wait()
    stopping = asyncio.create_task(community.stop())
    await asyncio.sleep(0)
    answered.set()
    await asking
    await stopping
    await community.restart()
    await community.pass_time(30)
    assert community.card.attachments
    assert community.ordered() == 1


async def test_what_waits_in_the_queue_keeps_its_place_and_its_slots_are_free_afterwards(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(active_limit=2)
    await community.imagine(count=4)
    await community.imagine(community.ben)
    await community.pass_time(5)
    await community.restart()
    await community.pass_time(120)
    assert [len(card.attachments) for card in community.cards] == [4, 1]
    assert community.bfl.peak_active <= 2
    assert len(community.bfl.tasks) == 5


async def test_a_delivery_that_was_under_way_is_made_once(community: Community) -> None:
    await community.imagine()
    await community.pass_time(5)
    community.env.inject_error("PATCH", "*", status=503, times=2)
    await community.pass_time(7)
    await community.restart()
    await community.pass_time(60)
    assert len(community.cards) == 1
    assert community.card.attachments


async def test_what_ended_while_the_bot_was_away_is_collected(community: Community) -> None:
    await community.imagine()
    await community.pass_time(4)
    await community.stop()
    await community.clock.leap(120)
    await community.restart()
    await community.pass_time(10)
    assert community.card.attachments


async def test_what_expired_while_the_bot_was_away_was_charged_and_is_said_to_be(community: Community) -> None:
    await community.imagine()
    await community.pass_time(4)
    await community.stop()
    await community.clock.leap(3600)
    await community.restart()
    await community.pass_time(60)
    text = text_of(community.card)
    assert text.startswith("### It was drawn, and then lost\n")
    assert "It was charged ($0.06)." in text
    assert community.ordered() == 1


async def test_a_card_is_edited_by_its_id_when_the_interaction_is_long_over(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    await community.clock.leap(86_400)
    await community.mia.click(community.review.history()[0], label="Approve")
    await community.pass_time(30)
    assert community.card.attachments


async def test_a_drained_bot_takes_nothing_new_and_says_so_politely(community: Community) -> None:
    card = await community.drawn()
    await community.imagine()
    await community.pass_time(2)
    answer = private(await community.olga.slash(community.studio, "admin drain"))
    assert answer == "Only the bot's own admins can do this (the setting ADMIN_USER_IDS)."
    assert community.env.errors

    await community.app.worker.drain()
    shown = len(community.cards)
    sorry = "The bot is about to restart and takes nothing new. Please try again in a minute."
    assert private(await community.imagine(community.ben)) == sorry
    assert private(await community.ben.click(card, label="Again")) == sorry
    assert private(await community.ben.click(card, label="Vary")) == sorry
    assert community.env.errors
    assert len(community.cards) == shown
    assert job_of(card) in private(await community.ben.click(card, label="Details"))

    await community.restart()
    await community.pass_time(30)
    assert all(card.attachments for card in community.cards)
    assert community.ordered() == 2


async def test_an_admin_of_the_bot_drains_it_from_discord(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    await community.imagine()
    await community.pass_time(5)

    async def is_owner(_user: object) -> bool:
        return True

    monkeypatch.setattr(community.app.client, "is_owner", is_owner)
    reply = private(await community.olga.slash(community.studio, "admin drain"))
    assert reply.startswith("The bot is stopping. What it is working on goes on at the next start.")
    healthy = private(await community.olga.slash(community.studio, "admin doctor"))
    assert "The bot takes nothing new (drained)." in healthy
    assert "bfl: $100.00 left." in healthy
    view = await community.view(text_of(community.card).rpartition("-# `")[2].partition("`")[0])
    assert view.pictures[0].job.state is State.WAITING
    assert "Cancel" not in buttons_of(community.card)
