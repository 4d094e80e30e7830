"""The queue as members see it, and the provider's limits as BFL sees them."""

import itertools
import re

from standins.base.faults import Fault, answers
from standins.bfl import Task
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, private, text_of

ANY = 200
KONTEXT = "flux-kontext-max"


async def test_the_account_never_has_more_than_its_slots_at_work(make_community: MakeCommunity) -> None:
    community = await make_community(duration=4)
    await community.decide(member_pictures=ANY)
    for member, model in ((community.ada, "flux-dev"), (community.ben, "flux-2-pro"), (community.mia, KONTEXT)):
        for _ in range(3):
            await community.imagine(member, model=model, count=4)
    await community.pass_time(2)
    assert community.bfl.active == community.bfl.peak_active == 24
    await community.pass_time(40)
    assert sum(len(card.attachments) for card in community.cards) == 36
    assert community.bfl.peak_active == 24
    assert community.ordered() == 36, "none was ever turned away with 429"


async def test_kontext_max_has_six_of_them_and_does_not_hold_up_the_others(community: Community) -> None:
    await community.decide(member_pictures=ANY)
    for _ in range(3):
        await community.imagine(model="flux-kontext-max", count=4)
    await community.imagine(community.ben, model="flux-dev", count=4)
    await community.pass_time(5)
    active = [task.endpoint for task in community.bfl.tasks if task.status == "Pending"]
    assert (active.count("flux-kontext-max"), active.count("flux-dev")) == (6, 4)
    await community.pass_time(25)
    assert all(len(card.attachments) == 4 for card in community.cards)
    assert community.ordered() == 16


async def test_what_is_drawn_and_cannot_be_fetched_yet_holds_no_slot(community: Community) -> None:
    await community.decide(member_pictures=ANY)
    community.bfl.faults.append(Fault("sample", answers(503), times=ANY))
    for _ in range(2):
        await community.imagine(model=KONTEXT, count=4)
    await community.pass_time(60)
    assert not any(card.attachments for card in community.cards)
    assert community.ordered() == 8, "two more than the account draws at once: six are drawn"


async def test_a_card_shows_its_place_in_the_queue_and_that_it_moves(make_community: MakeCommunity) -> None:
    started = itertools.count()

    def one_after_the_other(_task: Task) -> float:
        return 3.0 + next(started)

    community = await make_community(duration=one_after_the_other)
    await community.decide(member_pictures=ANY)
    for _ in range(8):
        await community.imagine(model="flux-dev", count=4)
    await community.imagine(community.ben, model="flux-dev")
    await community.pass_time(2)
    places: list[int] = []
    for _ in range(15):
        text = text_of(community.cards[-2])
        found_place = re.search(r"(\d+) pictures? ahead", text)
        if found_place:
            assert "usually <t:" in text
            places.append(int(found_place[1]))
        await community.pass_time(1)
    assert places == sorted(places, reverse=True)
    assert len(set(places)) >= 2
    assert places[-1] <= 3
    await community.pass_time(40)
    assert all(card.attachments for card in community.cards)


async def test_many_of_one_member_cost_another_one_turn(make_community: MakeCommunity) -> None:
    community = await make_community(duration=4)
    await community.decide(member_pictures=ANY)
    for _ in range(15):
        await community.imagine(model="flux-dev", count=4)
    await community.imagine(community.ben, model="flux-dev")
    await community.pass_time(9.5)
    assert community.cards[-1].attachments, "it came with the second two dozen"
    assert sum(bool(card.attachments) for card in community.cards[:-1]) < 15


async def test_what_is_called_back_is_never_ordered(community: Community) -> None:
    await community.decide(member_pictures=ANY)
    for _ in range(6):
        await community.imagine(count=4)
    await community.imagine(count=4)
    await community.clock.settle()
    last = community.cards[-1]
    assert private(await community.ada.click(last, label="Cancel")).startswith("4 pictures were cancelled;")
    await community.pass_time(12)
    assert len(community.bfl.tasks) == 24
    assert text_of(community.cards[-1]).startswith("### Cancelled")
    assert buttons_of(community.cards[-1]).keys() == {"Edit prompt", "Again", "Details"}


async def test_a_request_that_is_called_back_in_part_shows_what_came(make_community: MakeCommunity) -> None:
    community = await make_community()
    await community.decide(member_pictures=ANY)
    for _ in range(5):
        await community.imagine(count=4)
    await community.imagine(community.ben, count=2)
    await community.imagine(count=4)
    await community.clock.settle()
    waiting = community.cards[-1]
    answer = private(await community.ada.click(waiting, label="Cancel"))
    assert answer == "2 pictures were cancelled; they cost nothing. 2 more are being drawn, which nobody can stop."
    await community.pass_time(30)
    text = text_of(community.cards[-1])
    assert text.startswith("### 2 of 4 pictures for")
    assert "Pictures 3 and 4 are missing: cancelled. It was not charged." in text
