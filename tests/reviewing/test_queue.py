"""The review queue: who may decide, once, on what they saw, and what the member reads of it."""

import asyncio
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, InteractionResult
from sqlalchemy.exc import OperationalError

from bot.discord.delivery import DiscordDelivery
from bot.errors import Lacking, MachineTrouble, Refused
from bot.workflows.base.cards import CardView
from bot.workflows.base.types import REVIEW_LIFE, Origin
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.reviewing.feature import ROUND
from bot.workflows.reviewing.types import Moderator
from storage.base.jobs import State
from storage.reviewing.reviews import Review, ReviewState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, job_of, private, text_of

DIGEST = 12


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A community where every request is asked about."""
    community = await make_community()
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    return community


async def ask_moderators(community: Community, **options: Any) -> discord.Message:
    """The question about Ada's newest request, as the moderators have it."""
    await community.imagine(**options)
    await community.clock.settle()
    return community.review.history()[-1]


async def deny(community: Community, question: discord.Message, reason: str) -> InteractionResult:
    form = await community.mia.click(question, label="Deny")
    result = await community.mia.submit_modal(form, {"reason": reason})
    await community.pass_time(2)
    return result


async def fetch_question(community: Community) -> discord.Message:
    """Olga's own copy of the oldest question, which stays as it is when the question is decided."""
    listed = await community.olga.slash(community.studio, "review")
    assert listed.response
    return listed.response.message


async def test_only_what_is_dearer_than_the_limit_waits(community: Community) -> None:
    await community.decide(confirm_above=60_000)
    await community.imagine()
    await community.clock.settle()
    assert (community.ordered(), community.review.history()) == (1, [])

    question = await ask_moderators(community, count=2)
    text = text_of(question)
    assert text.startswith("### May this be drawn?\n")
    assert f"<@{community.ada.id}> would like 2 pictures from FLUX 1.1 \\[pro\\] Ultra, for about $0.12" in text
    assert "above this server's limit of $0.06." in text
    assert "Nothing is drawn or charged until you decide." in text
    assert community.cards[-1].jump_url in text
    assert buttons_of(question).keys() == {"Approve", "Deny", "Claim"}
    waiting = text_of(community.cards[-1])
    assert waiting.startswith("### Waiting for a moderator\n")
    assert "Nothing is drawn or charged until then." in waiting
    await community.pass_time(60)
    assert community.ordered() == 1


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_is_approved_is_drawn_and_the_question_says_by_whom(community: Community, restarted: bool) -> None:
    question = await ask_moderators(community)
    if restarted:
        await community.restart()
    await community.mia.click(question, label="Approve")
    await community.pass_time(20)
    assert community.card.attachments
    assert f"Approved by <@{community.mia.id}>" in text_of(community.review.history()[-1])
    assert buttons_of(community.review.history()[-1]) == {}
    assert community.ordered() == 1


async def test_a_denial_reaches_the_member_with_its_reason_and_costs_nothing(community: Community) -> None:
    await deny(community, await ask_moderators(community), "Too dear, *sorry*.")
    text = text_of(community.card)
    assert text.startswith("### A moderator said no\n")
    assert f"<@{community.mia.id}> decided: Too dear, \\*sorry\\*." in text
    assert "Nothing was charged." in text
    assert "Ask for less with a new command, or for something else with “Edit prompt”." in text
    assert "Reason: Too dear, \\*sorry\\*." in text_of(community.review.history()[-1])
    view = await community.view(job_of(community.card))
    assert (view.state, view.cost, community.ordered()) == (State.CANCELLED, 0, 0)


@pytest.mark.parametrize("reason", ["   ", "\n\t"])
async def test_a_denial_needs_a_reason(community: Community, reason: str) -> None:
    answer = await deny(community, await ask_moderators(community), reason)
    assert private(answer) == "Please give a reason: the member will read it."
    assert text_of(community.card).startswith("### Waiting for a moderator")


async def test_a_claimed_question_is_for_half_an_hour_its_claimants(community: Community) -> None:
    question = await ask_moderators(community)
    await community.mia.click(question, label="Claim")
    assert f"<@{community.mia.id}> has this one until" in text_of(community.review.history()[-1])
    answer = private(await community.olga.click(question, label="Approve"))
    assert answer.startswith(f"<@{community.mia.id}> has this one until <t:")
    await community.clock.leap(1801)
    await community.olga.click(question, label="Approve")
    await community.pass_time(20)
    assert f"Approved by <@{community.olga.id}>" in text_of(community.review.history()[-1])


@pytest.mark.parametrize("label", ["Approve", "Deny", "Claim"])
async def test_a_decided_question_says_who_decided_to_whoever_comes_late(community: Community, label: str) -> None:
    question = await ask_moderators(community)
    copy = await fetch_question(community)
    await community.mia.click(question, label="Approve")
    late = await community.olga.click(copy, label=label)
    if label == "Deny":
        late = await community.olga.submit_modal(late, {"reason": "No."})
    assert private(late).startswith(f"Already approved by <@{community.mia.id}> <t:")
    await community.pass_time(20)
    assert community.card.attachments


@pytest.mark.parametrize("label", ["Approve", "Deny", "Claim"])
async def test_who_is_no_moderator_or_no_longer_one_decides_nothing(community: Community, label: str) -> None:
    question = await ask_moderators(community)
    assert private(await community.ben.click(question, label=label)) == (
        "Only this server's moderators can decide this."
    )
    community.env.backend.get_guild(community.guild.id).members[community.mia.id].role_ids.clear()
    assert private(await community.mia.click(question, label=label)) == (
        "Only this server's moderators can decide this."
    )
    await community.pass_time(10)
    assert community.ordered() == 0
    assert text_of(question).startswith("### May this be drawn?")


async def test_who_loses_the_role_while_the_form_is_open_denies_nothing(community: Community) -> None:
    question = await ask_moderators(community)
    form = await community.mia.click(question, label="Deny")
    await community.decide(moderator_role_id=None)
    assert "Only this server's moderators" in private(await community.mia.submit_modal(form, {"reason": "No."}))
    assert text_of(community.card).startswith("### Waiting for a moderator")


async def test_nobody_decides_on_their_own_request_but_an_administrator(community: Community) -> None:
    await community.imagine(community.mia)
    await community.clock.settle()
    answer = private(await community.mia.click(community.review.history()[-1], label="Approve"))
    assert answer == "Nobody decides on their own request. Another moderator has to."

    await community.imagine(community.olga)
    await community.clock.settle()
    await community.olga.click(community.review.history()[-1], label="Approve")
    await community.pass_time(20)
    assert community.cards[-1].attachments


async def test_of_moderators_who_decide_at_once_one_decides_and_the_others_are_told_who(community: Community) -> None:
    await community.decide(member_pictures=200)
    decisions, requests = community.app.services.reviewing.decisions, community.app.services.drawing.requests
    winners: set[int] = set()
    for number in range(50):
        origin = Origin(10**17 + number, community.ada.id, community.guild.id, community.studio.id, None, nsfw=False)
        job = await requests.accept(origin, ImageRequest(prompt="a cat", model="flux-dev"))
        digest = (await decisions.find(job.id)).digest[:DIGEST]

        async def decide(who: int, review_id: str = job.id, digest: str = digest) -> str | None:
            moderator = Moderator(who, frozenset({community.role.id}), administrator=False, guild_id=community.guild.id)
            try:
                await decisions.decide(review_id, moderator, approve=who == 2, digest=digest, reason="No.")
            except Refused as error:
                return str(error)
            return None

        both = [2, 3] if number % 2 else [3, 2]
        sentences = await asyncio.gather(*map(decide, both))
        review = await decisions.find(job.id)
        winner, loser = sorted(zip(sentences, both, strict=True), key=lambda each: each[0] is not None)
        assert (winner[0], review.decided_by) == (None, winner[1])
        assert loser[0] == f"Already {review.state} by <@{winner[1]}> <t:{community.clock.now():.0f}:R>."
        assert review.state is (ReviewState.APPROVED if winner[1] == 2 else ReviewState.DENIED)
        view = await community.view(job.id)
        assert (view.pictures[0].job.state is State.CANCELLED) is (winner[1] == 3)
        winners.add(winner[1])
    assert winners == {2, 3}


async def test_a_question_that_nobody_answers_is_closed_and_nothing_is_drawn(community: Community) -> None:
    await ask_moderators(community)
    copy = await fetch_question(community)
    await community.clock.leap(REVIEW_LIFE + 1)
    await community.pass_time(5)
    assert private(await community.olga.click(copy, label="Approve")) == "This is expired already."
    text = text_of(community.card)
    assert text.startswith("### No moderator answered in time\n")
    assert "Nothing was charged." in text
    assert text_of(community.review.history()[-1]).startswith("### Closed without an answer")
    assert community.ordered() == 0


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT", {}, OSError("disk full")),
        MachineTrouble("The bot's database is busy just now.", lacking=Lacking.DATABASE),
    ],
    ids=["database", "machine"],
)
async def test_a_closed_question_whose_card_fails_does_not_keep_the_others_from_being_shown(
    community: Community, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    first, second = await ask_moderators(community), await ask_moderators(community)
    decided = DiscordDelivery.decided

    async def fail_first(self: DiscordDelivery, review: Review, view: CardView) -> bool:
        if review.message_id == first.id:
            raise error
        return await decided(self, review, view)

    monkeypatch.setattr(DiscordDelivery, "decided", fail_first)
    await community.clock.leap(REVIEW_LIFE + 1)
    await community.pass_time(5)
    cards = {message.id: text_of(message) for message in community.review.history()}
    assert cards[second.id].startswith("### Closed without an answer")

    monkeypatch.setattr(DiscordDelivery, "decided", decided)
    await community.pass_time(2 * ROUND)
    assert not [message for message in community.review.history() if "Approve" in buttons_of(message)]


async def test_a_request_that_is_called_back_closes_its_question(community: Community) -> None:
    await ask_moderators(community)
    copy = await fetch_question(community)
    await community.ada.click(community.card, label="Cancel")
    await community.pass_time(5)
    assert text_of(community.review.history()[-1]).startswith("### Withdrawn")
    assert private(await community.olga.click(copy, label="Approve")).startswith("Already withdrawn by <@")
    assert text_of(community.card).startswith("### Cancelled\n")
    await community.pass_time(20)
    assert community.ordered() == 0


async def test_without_a_review_channel_the_question_stands_where_the_request_is(community: Community) -> None:
    await community.decide(review_channel_id=None)
    await community.imagine()
    await community.clock.settle()
    card, question = community.cards
    assert text_of(card).startswith("### Waiting for a moderator")
    await community.mia.click(question, label="Approve")
    await community.pass_time(20)
    assert community.cards[0].attachments


async def test_the_oldest_question_can_be_fetched_and_decided_anywhere(community: Community) -> None:
    await ask_moderators(community, prompt="first")
    await ask_moderators(community, prompt="second")
    listed = await community.mia.slash(community.studio, "review")
    assert listed.ephemeral
    assert listed.response
    assert "> first" in text_of(listed.response.message)
    await community.mia.click(listed.response.message, label="Approve")
    await community.pass_time(20)
    assert [bool(card.attachments) for card in community.cards] == [True, False]
    assert "Only this server's moderators" in private(await community.ben.slash(community.studio, "review"))
    assert community.env.errors


async def test_an_empty_queue_says_so(community: Community) -> None:
    assert private(await community.mia.slash(community.studio, "review")) == "Nothing waits for a decision."


async def test_where_the_review_channel_is_gone_the_question_stands_where_the_request_is(community: Community) -> None:
    await delete(community, community.review)
    await community.imagine()
    await community.pass_time(5)
    card, question = community.cards
    assert text_of(card).startswith("### Waiting for a moderator")
    await community.mia.click(question, label="Approve")
    await community.pass_time(20)
    assert community.cards[0].attachments
    assert text_of(community.cards[1]).startswith("### Approved")


async def test_where_nobody_can_be_asked_a_moderator_still_finds_the_question_and_the_pictures_arrive(
    community: Community,
) -> None:
    await community.decide(review_channel_id=None)
    community.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await community.imagine()
    await community.pass_time(5)
    copy = await fetch_question(community)
    await community.olga.click(copy, label="Approve")
    await community.pass_time(20)
    assert community.card.attachments


async def delete(community: Community, channel: ChannelHandle) -> None:
    text_channel = community.app.client.get_channel(channel.id)
    assert isinstance(text_channel, discord.TextChannel)
    await text_channel.delete()


async def test_a_decision_of_days_later_leaves_all_the_time_for_the_delivery(community: Community) -> None:
    question = await ask_moderators(community)
    await community.clock.leap(3 * 86_400)
    await community.mia.click(question, label="Approve")
    await community.pass_time(5)
    community.env.inject_error("*", "/channels/*", status=503, times=2)
    await community.pass_time(60)
    assert community.card.attachments
