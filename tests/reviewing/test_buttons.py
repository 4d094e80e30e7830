"""The buttons of an approval request that only some kinds have: Ask and Undo."""

from typing import Any

import discord
import pytest

from bot.cards.base.layout import compose, row
from bot.cards.reviewing.card import decisions, undo_row
from bot.workflows.base.work import UnitOfWork
from bot.workflows.drawing.verbs import apply_decision_on_spending
from bot.workflows.reviewing.types import QuestionRules
from storage.reviewing import audit, reviews
from storage.reviewing.reviews import Review, ReviewState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, private, text_of


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A community where every request is asked about."""
    community = await make_community()
    await community.decide(
        confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id, member_pictures=200
    )
    return community


async def ask_moderators(community: Community) -> Review:
    await community.imagine()
    await community.clock.settle()
    async with community.app.database.read() as db:
        (*_, review) = await reviews.open_ones(db, community.guild.id, limit=200)
    return review


async def found_again(community: Community, review: Review) -> Review:
    return await community.app.services.reviewing.decisions.find(review.id)


async def post_buttons(community: Community, buttons: Any) -> discord.Message:
    """A message of the bot with these buttons."""
    view = compose(buttons).view
    return await community.app.client.get_partial_messageable(community.review.id).send(view=view)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_moderator_asks_and_the_next_one_sees_that_it_is_not_answered(
    community: Community, restarted: bool
) -> None:
    review = await ask_moderators(community)
    card = await post_buttons(community, row(decisions(review, ask=True)))
    assert "Only this server's moderators" in private(await community.ben.click(card, label="Ask"))
    form = await community.mia.click(card, label="Ask")
    if restarted:
        await community.restart()
    await community.mia.submit_modal(form, {"question": "Which lighthouse?"})
    async with community.app.database.read() as db:
        (exchange,) = await reviews.talk(db, review.id)
    assert (exchange.asked_by, exchange.question, exchange.answer) == (community.mia.id, "Which lighthouse?", None)

    card = await post_buttons(community, row(decisions(review, ask=True)))
    again = await community.olga.click(card, label="Ask")
    reply = private(await community.olga.submit_modal(again, {"question": "And where?"}))
    assert reply == "The member has not answered the last question yet."


async def test_who_loses_the_role_while_the_form_is_open_asks_nothing(community: Community) -> None:
    review = await ask_moderators(community)
    card = await post_buttons(community, row(decisions(review, ask=True)))
    form = await community.mia.click(card, label="Ask")
    community.env.backend.get_guild(community.guild.id).members[community.mia.id].role_ids.clear()
    reply = private(await community.mia.submit_modal(form, {"question": "Which lighthouse?"}))
    assert "Only this server's moderators" in reply
    async with community.app.database.read() as db:
        assert await reviews.talk(db, review.id) == []


async def test_an_approval_is_taken_back_with_one_press_by_any_moderator_while_that_is_possible(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    possible = True

    async def undo(_tx: UnitOfWork, _review: Review) -> bool:
        return possible

    review = await ask_moderators(community)
    rules = {"spend": QuestionRules(apply_decision_on_spending, undo=undo)}
    monkeypatch.setattr(community.app.services.reviewing.decisions, "_rules", rules)
    await community.mia.click(community.review.history()[-1], label="Approve")
    buttons = undo_row(await found_again(community, review))
    card = await post_buttons(community, buttons)
    assert "Only this server's moderators" in private(await community.ben.click(card, label="Undo"))
    await community.olga.click(card, label="Undo")
    assert (await found_again(community, review)).state is ReviewState.OPEN
    assert text_of(community.review.history()[-2]).startswith("### May this be drawn?")

    await community.mia.click(community.review.history()[-2], label="Approve")
    possible = False
    card = await post_buttons(community, buttons)
    late = private(await community.olga.click(card, label="Undo"))
    assert late == "It is too late to take this approval back: the bot has begun to carry it out."
    assert (await found_again(community, review)).state is ReviewState.APPROVED


async def test_what_is_decided_has_no_undo_but_an_approval(community: Community) -> None:
    review = await ask_moderators(community)
    assert undo_row(review) == []
    card = await post_buttons(community, row(decisions(review)))
    form = await community.mia.click(card, label="Deny")
    await community.mia.submit_modal(form, {"reason": "No."})
    assert undo_row(await found_again(community, review)) == []


async def test_the_later_edit_of_a_card_shows_how_the_question_stands_by_then(community: Community) -> None:
    """Of two presses at once, the edit of the earlier one may be sent last."""
    before = await ask_moderators(community)
    await community.mia.click(community.review.history()[-1], label="Approve")
    view = await community.view(before.subject)
    assert await community.app.services.delivery.decided(before, view)
    assert text_of(community.review.history()[-1]).startswith("### Approved")


async def test_a_withdrawn_request_is_written_down_as_its_members(community: Community) -> None:
    review = await ask_moderators(community)
    await community.ada.click(community.card, label="Cancel")
    await community.pass_time(5)
    async with community.app.database.read() as db:
        written = [(entry.action, entry.actor_id) for entry in await audit.about(db, review.subject)]
    assert written == [("spend withdrawn", community.ada.id)]
