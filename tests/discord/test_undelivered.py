"""What is paid for is shown for as long as its channel exists; what cannot be shown is said once, to its owner."""

from dataclasses import replace

import discord
import pytest
import simcord

from bot.errors import Refused
from bot.workflows.base.undelivered import KEPT, LOOK_AGAIN, Undelivered
from bot.workflows.finetuning.job import FinetuneJob
from bot.workflows.finetuning.sheets import ContactSheets
from standins.base.faults import Fault, loses_the_answer
from storage.base import notes
from storage.base.jobs import State
from storage.reviewing import reviews
from storage.reviewing.reviews import ReviewState
from tests.conftest import MakeCommunity
from tests.drawing.test_cards import a_review
from tests.scenes.community import Community, buttons_of, job_of, private, text_of
from tests.scenes.kiln import draft

HOUR = 3600.0


@pytest.fixture
async def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the admin is told, of a community that is made later."""
    alarms: list[str] = []

    async def tell(_client: discord.Client, _settings: object, sentence: str) -> None:
        alarms.append(sentence)

    monkeypatch.setattr("bot.app.tell_admin", tell)
    return alarms


@pytest.fixture
async def community(alarms: list[str], make_community: MakeCommunity) -> Community:
    return await make_community()


def refuse(community: Community, method: str = "*", *, status: int = 403, code: int = 50013) -> None:
    """Discord refuses such requests to channels and by interactions' tokens, until it `takes` them again."""
    for path in ("/channels/*", "/webhooks/*"):
        community.env.inject_error(method, path, status=status, code=code, times=None)


def take(community: Community) -> None:
    community.env.backend.faults.clear()


async def channel_of(community: Community) -> discord.TextChannel:
    channel = community.app.client.get_channel(community.studio.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def a_thread(community: Community) -> simcord.ChannelHandle:
    """In a channel whose threads the bot does not manage."""
    everybody = community.guild.default_role
    parent = community.guild.create_text_channel(
        "threads", overwrites={everybody: discord.PermissionOverwrite(manage_threads=False)}
    )
    channel = community.app.client.get_channel(parent.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.create_thread(name="owls", type=discord.ChannelType.public_thread)
    return parent.threads[0]


def lock(community: Community, thread: simcord.ChannelHandle, **metadata: bool) -> None:
    community.env.backend.edit_channel(thread.id, {}, thread_metadata=metadata)


def sentences(result: simcord.InteractionResult) -> list[str]:
    return [each.content for each in (result.response, *result.followups) if each]


# Patience.


async def test_an_absence_is_no_patience_used_up(community: Community) -> None:
    await community.imagine()
    await community.pass_time(4)
    refuse(community, "PATCH", status=503, code=0)
    await community.pass_time(20)
    assert not community.card.attachments
    await community.stop()
    await community.clock.leap(11 * HOUR)
    await community.restart()
    await community.pass_time(5)
    take(community)
    await community.pass_time(200)
    assert community.card.attachments
    assert (await community.view(job_of(community.card))).state is State.DONE


async def test_a_delivery_is_tried_for_as_long_as_discord_is_away(community: Community) -> None:
    await community.imagine()
    await community.pass_time(4)
    refuse(community, "PATCH", status=503, code=0)
    await community.pass_time(20)
    await community.skip(13 * HOUR)
    take(community)
    await community.pass_time(200)
    assert community.card.attachments


# The place is gone.


async def test_where_the_channel_is_gone_its_owner_is_told_at_their_next_command(
    community: Community, alarms: list[str]
) -> None:
    await community.imagine()
    await community.pass_time(4)
    job_id = (await community.newest()).job.id
    await (await channel_of(community)).delete()
    await community.pass_time(20)
    assert len(community.files) == 1
    assert [job_id in each for each in alarms] == [True]
    await community.restart()

    other = await community.ben.slash(community.review, "history")
    assert not any(job_id in each for each in sentences(other)), "it is nobody else's business"
    answer = sentences(await community.ada.slash(community.review, "history"))
    assert f"Your request `{job_id}` is finished." in answer[-1]
    assert f"`/show {job_id}`" in answer[-1]
    assert len(sentences(await community.ada.slash(community.review, "history"))) == 1, "said once"

    shown = await community.ada.slash(community.review, "show", job=job_id)
    assert shown.response
    assert shown.response.message.attachments


async def test_what_came_after_all_is_not_told_of(community: Community, alarms: list[str]) -> None:
    await community.imagine()
    await community.pass_time(4)
    refuse(community, "PATCH")
    refuse(community, "POST")
    await community.pass_time(20)
    take(community)
    await community.pass_time(LOOK_AGAIN)
    assert community.card.attachments
    assert len(sentences(await community.ada.slash(community.studio, "history"))) == 1
    assert len(alarms) == 1, "the admin heard of it at once"


# A refusal is for the moment.


async def test_access_that_was_lost_and_given_back_ends_with_the_picture_and_the_decision(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    question = community.review.history()[-1]
    community.env.inject_error("*", "/channels/*", status=403, code=50001, times=None)
    copy = await community.mia.slash(community.studio, "review")
    assert copy.response
    await community.mia.click(copy.response.message, label="Approve")
    await community.pass_time(30)
    assert "Approve" in buttons_of(community.review.history()[-1])
    take(community)
    await community.skip(2 * LOOK_AGAIN, step=LOOK_AGAIN)
    await community.pass_time(5)
    assert community.card.attachments
    assert community.review.history()[-1].id == question.id
    assert text_of(community.review.history()[-1]).startswith("### Approved")


async def test_moderators_who_could_not_be_asked_are_asked_later(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id)
    community.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await community.imagine()
    await community.pass_time(5)
    (only,) = community.cards
    assert text_of(only).startswith("### Waiting for a moderator")
    take(community)
    await community.pass_time(LOOK_AGAIN)
    assert "Approve" in buttons_of(community.cards[-1])


async def test_a_question_whose_place_was_not_written_down_before_a_crash_shows_its_decision(
    community: Community,
) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    question = community.review.history()[-1]
    async with community.app.database.write() as db:
        await reviews.set_message(db, job_of(community.card), message_id=None, channel_id=community.review.id)
    await community.mia.click(question, label="Approve")
    async with community.app.database.read() as db:
        review = await reviews.find(db, job_of(community.card))
    assert review
    assert review.message_id == question.id


async def list_noted(community: Community) -> list[str]:
    async with community.app.database.read() as db:
        return list(await notes.beginning_with(db, "undelivered "))


async def test_a_question_that_is_decided_before_it_could_be_posted_leaves_no_note(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id)
    community.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await community.imagine()
    await community.pass_time(5)
    assert len(await list_noted(community)) == 1
    copy = await community.mia.slash(community.studio, "review")
    assert copy.response
    await community.mia.click(copy.response.message, label="Approve")
    take(community)
    await community.pass_time(LOOK_AGAIN)
    assert await list_noted(community) == []


async def test_a_note_of_a_finetunes_question_goes_with_the_question(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await draft(community)
    job = FinetuneJob(
        community.app.services.kit,
        views=community.app.services.finetuning.views,
        sheets=ContactSheets(community.app.services.kit),
    )
    question = replace(a_review(), id="q1", state=ReviewState.WITHDRAWN)
    undelivered = Undelivered(community.app.services.kit)
    await undelivered.note(view.job.owner_id, f"{view.job.id} asked q1", "They could not be asked.", Refused("No."))
    await job.settle_question(question, view)
    assert await list_noted(community) == []


@pytest.mark.parametrize("read", [True, False])
async def test_a_note_is_forgotten_after_its_time_whoever_has_read_it(community: Community, read: bool) -> None:
    undelivered = Undelivered(community.app.services.kit)
    await undelivered.note(community.ada.id, "x", "It is finished.", Refused("No."))
    if read:
        await undelivered.mark_read(community.ada.id, "x")
    await undelivered.sweep()
    assert len(await list_noted(community)) == 1
    await community.clock.leap(KEPT + 1)
    await undelivered.sweep()
    assert await list_noted(community) == []


# What Discord's filter does not let in.


async def test_a_request_whose_pictures_are_refused_says_where_they_are(community: Community) -> None:
    community.refusals.filtered.add(community.studio.id)
    await community.imagine()
    await community.pass_time(20)
    card = community.card
    assert card.attachments == []
    assert "Discord's own filter does not let them into this channel." in text_of(card)
    assert f"`/show {job_of(card)}`" in text_of(card)


async def test_an_audit_that_cannot_be_handed_over_is_no_mistake_of_the_bot(community: Community) -> None:
    community.refusals.filtered.add(community.studio.id)
    answer = private(await community.olga.slash(community.studio, "audit export"))
    assert "Discord's own filter" in answer
    assert community.env.errors


# Threads.


async def test_in_a_locked_thread_nothing_is_ordered(community: Community) -> None:
    thread = await a_thread(community)
    lock(community, thread, locked=True)
    answer = private(await community.ada.slash(thread, "imagine", prompt="a lighthouse"))
    assert "This thread is locked" in answer
    assert "Nothing was charged." in answer
    assert community.env.errors
    assert community.ordered() == 0


async def test_what_is_finished_in_a_thread_that_was_locked_meanwhile_is_kept(
    community: Community, alarms: list[str]
) -> None:
    thread = await a_thread(community)
    await community.ada.slash(thread, "imagine", prompt="a lighthouse")
    await community.pass_time(4)
    lock(community, thread, locked=True, archived=True)
    await community.pass_time(20)
    answer = sentences(await community.ada.slash(community.studio, "history"))[-1]
    assert "is locked or archived" in answer
    assert "`/show " in answer
    assert alarms == [], "there is nothing that the admin could mend"
    lock(community, thread, locked=False)
    await community.pass_time(LOOK_AGAIN)
    (card,) = [each for each in thread.history() if each.author.bot]
    assert card.attachments, "it was unlocked, and woken for the one card"


# Who decides, and where.


async def test_questions_of_a_deleted_review_channel_are_asked_anew_and_the_admin_is_told(
    community: Community, alarms: list[str]
) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    channel = community.app.client.get_channel(community.review.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    await community.pass_time(5)
    assert "Approve" in buttons_of(community.cards[-1])
    assert any("The channel for approval requests does not exist any more." in each for each in alarms)
    await community.clock.leap(4 * HOUR)
    await community.pass_time(61)
    reminder = text_of(community.cards[-1])
    assert reminder.startswith("1 request waits for a moderator.")
    assert "`/admin settings`" in reminder


async def test_a_channel_that_went_while_the_bot_was_away_is_noticed_by_the_reminder(community: Community) -> None:
    await community.decide(confirm_above=0, review_channel_id=community.review.id)
    await community.imagine()
    await community.clock.settle()
    await community.stop()
    community.env.backend.delete_channel(community.review.id)
    await community.clock.leap(5 * HOUR)
    await community.restart()
    await community.pass_time(70)
    texts = [text_of(each) for each in community.cards]
    assert any(each.startswith("1 request waits for a moderator.") for each in texts)
    assert any("Approve" in buttons_of(each) for each in community.cards)


async def test_a_deleted_role_and_channel_are_named_by_settings_and_doctor_and_not_called(community: Community) -> None:
    client = community.app.client
    client.services = replace(client.services, admin_user_ids=frozenset({community.olga.id}))
    await community.decide(confirm_above=0, moderator_role_id=12345, review_channel_id=67890)
    settings = private(await community.olga.slash(community.studio, "admin settings"))
    assert "the role that was chosen does not exist any more" in settings
    assert "the channel that was chosen does not exist any more" in settings
    doctor = private(await community.olga.slash(community.studio, "admin doctor"))
    assert "The moderators' role does not exist any more" in doctor
    assert "The channel for approval requests does not exist any more" in doctor
    await community.imagine()
    await community.clock.settle()
    for hours in (4, 20):
        await community.clock.leap(hours * HOUR)
        await community.pass_time(61)
    reminder = text_of(community.cards[-1])
    assert "<@&12345>" not in reminder
    assert "The moderators' role does not exist any more." in reminder


# What no pattern matches.


async def test_a_component_that_no_pattern_matches_is_answered(community: Community) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Old", custom_id="v0-old"))
    view.stop()
    message = await (await channel_of(community)).send("Hello", view=view)
    answer = private(await community.ada.click(message, label="Old"))
    assert answer == "This button belongs to a newer version of the bot. Please try again later."


# What was settled.


@pytest.mark.parametrize(("charged", "heading"), [(0.06, "It was charged, and never came"), (0.0, "It could not be")])
async def test_an_outcome_that_was_settled_is_not_unknown_any_more(
    community: Community, charged: float, heading: str
) -> None:
    client = community.app.client
    client.services = replace(client.services, admin_user_ids=frozenset({community.olga.id}))
    community.bfl.faults.append(Fault("submit", loses_the_answer()))
    await community.imagine()
    await community.pass_time(60)
    assert text_of(community.card).startswith("### It may have been charged")
    picture = f"{job_of(community.card)}-1"
    await community.olga.slash(community.studio, "admin settle", job=picture, charged_usd=charged)
    text = text_of(community.card)
    assert text.startswith(f"### {heading}")
    assert "Nobody can tell" not in text
    assert "charged twice" not in text


async def test_what_is_refused_for_weeks_is_looked_at_all_the_same(community: Community) -> None:
    undelivered = community.app.services.undelivered
    assert [undelivered.next_look("a card") for _ in range(2000)][-1] == LOOK_AGAIN
