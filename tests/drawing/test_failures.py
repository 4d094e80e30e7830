"""When BFL fails: what the member reads, what it cost, and that nothing was ordered twice."""

import json
from dataclasses import asdict

import discord
import pytest

from standins.base.faults import (
    Fault,
    Trouble,
    answers,
    corrupts,
    floods,
    hangs_up,
    html,
    loses_the_answer,
    malformed,
    redirects,
    rewrites,
    truncates,
)
from standins.bfl import giant_refusal
from storage.base import notes
from storage.base.jobs import State
from storage.drawing import images
from storage.drawing.images import Image
from tests.conftest import MakeCommunity
from tests.scenes.clock import START
from tests.scenes.community import Community, buttons_of, job_of, private, text_of

TWICE = "Try again (may be charged twice)"
FOR_EVER = 10_000


async def read_last_card(community: Community) -> str:
    """What Ada's card says at last. Whatever it is, no slot stays taken and the bot takes new work."""
    await community.imagine()
    await community.pass_time(90)
    text = text_of(community.card)
    view = await community.view(job_of(community.card))
    assert view.ended
    assert not any(picture.job.holds_slot for picture in view.pictures)
    return text


async def cost_of(community: Community) -> int | None:
    return (await community.view(job_of(community.card))).cost


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (answers(402, {"detail": "Insufficient credits."}), "is out of credits\\: the admin has to add some."),
        (answers(403, {"detail": "Not authenticated"}), "did not accept the key of this server's account"),
        (giant_refusal(), "The image service turned that down\\: image\\: Value error, Invalid base64 image."),
        (answers(422, {"detail": "Too odd"}), "The image service turned that down\\: Too odd."),
        (answers(404), "The image service no longer offers FLUX 1.1 \\[pro\\] Ultra."),
        (redirects("http://192.0.2.1/v1/flux"), "The image service has moved elsewhere (307)."),
    ],
    ids=["402", "403", "422 with an echo", "422", "404", "307"],
)
async def test_an_order_that_was_not_taken_costs_nothing_and_says_why(
    community: Community, fault: Trouble, reason: str
) -> None:
    community.bfl.faults.append(Fault("submit", fault))
    text = await read_last_card(community)
    assert text.startswith("### It could not be drawn\n> a lighthouse\n")
    assert reason in text
    assert text.lower().count("othing was charged.") == 1
    assert "Try again later; “Edit prompt” sends it with other words." in text
    assert "AAAA" not in text
    assert await cost_of(community) == 0
    assert community.ordered() == 1
    assert buttons_of(community.card).keys() == {"Edit prompt", "Try again", "Details"}

    await community.ben.click(community.card, label="Try again")
    await community.pass_time(15)
    assert community.cards[-1].attachments


@pytest.mark.parametrize(
    "fault",
    [answers(500), answers(502), answers(504), loses_the_answer(), hangs_up(), malformed(), html()],
    ids=["500", "502", "504", "answer lost", "reset", "JSON cut", "web page"],
)
async def test_an_order_that_may_have_been_taken_is_never_repeated_by_itself(
    community: Community, fault: Trouble
) -> None:
    community.bfl.faults.append(Fault("submit", fault))
    text = await read_last_card(community)
    assert text.startswith("### It may have been charged\n")
    assert text.count("It may have been charged.") == 1
    assert "Trying again may cost the same once more." in text
    assert buttons_of(community.card).keys() == {TWICE, "Edit prompt", "Details"}
    assert await cost_of(community) is None
    assert community.ordered() == 1

    refused = private(await community.ben.click(community.card, label=TWICE))
    assert refused == f"Only <@{community.ada.id}> can try this again: it may be charged twice."
    await community.restart()
    await community.pass_time(30)
    assert community.ordered() == 1

    await community.ada.click(community.card, label=TWICE)
    await community.pass_time(15)
    assert community.cards[-1].attachments
    assert community.ordered() == 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", [None, 60])
async def test_a_busy_service_is_waited_for_and_the_card_says_so(
    community: Community, status: int, wait: int | None
) -> None:
    community.bfl.faults.append(Fault("submit", answers(status, retry_after=wait), times=3))
    await community.imagine()
    await community.pass_time(5 if wait is None else 55)
    text = text_of(community.card)
    assert text.startswith("### In the queue\n")
    assert ("drawing as much for this server" if status == 429 else "is busy just now.") in text
    assert "Trying again <t:" in text
    assert buttons_of(community.card).keys() == {"Cancel"}
    if wait:
        assert f"Trying again <t:{START + 60:.0f}:R>" in text
        assert f"usually <t:{START + 70:.0f}:R>" in text
        assert community.ordered() == 1

    for _ in range(3):
        await community.clock.leap(60)
    await community.pass_time(30)
    assert community.card.attachments
    assert (community.ordered(), len(community.bfl.tasks)) == (4, 1)
    assert await cost_of(community) == 60_000


async def test_what_waits_for_a_busy_service_can_be_called_back(community: Community) -> None:
    community.bfl.faults.append(Fault("submit", answers(429, retry_after=60)))
    await community.imagine()
    await community.pass_time(10)
    answer = private(await community.ada.click(community.card, label="Cancel"))
    assert answer == "1 picture was cancelled; it cost nothing."
    await community.pass_time(100)
    assert community.ordered() == 1
    assert text_of(community.card).startswith("### Cancelled\n")


@pytest.mark.parametrize(
    ("prompt", "what", "reason"),
    [("a nude", "your request", "Sexual Content"), ("a gory fight", "the finished picture", "Violence")],
)
async def test_moderation_gives_its_reason_and_costs_nothing(
    community: Community, prompt: str, what: str, reason: str
) -> None:
    await community.imagine(prompt=prompt)
    await community.pass_time(30)
    text = text_of(community.card)
    assert text.startswith("### It could not be drawn\n")
    assert (
        f"The image service's moderation turned {what} down ({reason}). Please try other words. Nothing was charged."
        in text
    )
    assert await cost_of(community) == 0
    assert community.bfl.credits == 10_000
    assert community.ordered() == 1


async def test_of_four_pictures_those_that_came_are_shown_and_the_other_is_explained(community: Community) -> None:
    await community.imagine(count=4, seed=1)
    await community.clock.settle()
    by_seed = {task.seed: task for task in community.bfl.tasks}
    community.bfl.end(by_seed[2], "Content Moderated")
    community.bfl.end(by_seed[4], "Error")
    await community.pass_time(30)
    text = text_of(community.card)
    assert text.startswith(f"### 2 of 4 pictures for <@{community.ada.id}>")
    assert "Picture 2 is missing: The image service's moderation turned the finished picture down." in text
    assert "Picture 4 is missing: The image service failed to draw this. Nothing was charged." in text
    assert "seeds `1`, `3`" in text
    assert "$0.12\n" in text
    assert len(community.card.attachments) == 2


async def test_a_task_that_fails_can_be_tried_again(community: Community) -> None:
    await community.imagine()
    await community.clock.settle()
    community.bfl.end(community.bfl.tasks[0], "Error")
    await community.pass_time(30)
    assert "The image service failed to draw this. Nothing was charged." in text_of(community.card)
    await community.ada.click(community.card, label="Try again")
    await community.pass_time(30)
    assert community.cards[-1].attachments


@pytest.mark.parametrize(
    "fault",
    [
        answers(500),
        answers(502),
        answers(503, retry_after=5),
        answers(404),
        html(),
        malformed(),
        hangs_up(),
        rewrites(status="Task not found", result=None),
        rewrites(status="Reasoning", result=None),
        rewrites(progress="soon", details=7, preview=...),
    ],
    ids=["500", "502", "503", "404", "web page", "JSON cut", "reset", "unknown", "a new word", "odd fields"],
)
async def test_a_look_that_fails_is_repeated_and_the_picture_comes(community: Community, fault: Trouble) -> None:
    community.bfl.faults.append(Fault("poll", fault, times=3))
    await read_last_card(community)
    assert community.card.attachments
    assert community.ordered() == 1


async def test_a_task_that_is_known_only_after_a_while_is_waited_for(community: Community) -> None:
    community.bfl.quirks.appears_after = 25
    await read_last_card(community)
    assert community.card.attachments


async def test_a_task_that_is_mislaid_late_and_for_a_moment_is_not_given_up(make_community: MakeCommunity) -> None:
    community = await make_community(duration=90)
    await community.imagine()
    await community.pass_time(60)
    community.bfl.faults.append(Fault("poll", rewrites(status="Task not found", result=None), times=5))
    await community.pass_time(60)
    assert community.card.attachments


async def test_a_task_that_is_never_known_may_have_been_charged(community: Community) -> None:
    community.bfl.quirks.forgets_after = 0
    text = await read_last_card(community)
    assert "The image service has lost track of this picture. It may have been charged." in text
    assert TWICE in buttons_of(community.card)
    assert await cost_of(community) is None


async def test_a_picture_that_never_comes_is_not_waited_for_for_ever(make_community: MakeCommunity) -> None:
    community = await make_community(duration=1e9)
    await community.imagine()
    await community.pass_time(20)
    await community.clock.leap(1200)
    await community.pass_time(20)
    text = text_of(community.card)
    assert "The image service never finished this picture. It may have been charged." in text
    assert TWICE in buttons_of(community.card)


@pytest.mark.parametrize(
    "fault",
    [answers(403), rewrites(status="Ready", result=None)],
    ids=["the key is not accepted any more", "ready without a picture"],
)
async def test_after_it_was_ordered_a_failure_may_cost_something_and_only_its_owner_repeats_it(
    community: Community, fault: Trouble
) -> None:
    community.bfl.faults.append(Fault("poll", fault, times=FOR_EVER))
    await community.imagine()
    await community.pass_time(60)
    assert text_of(community.card).startswith("### Drawing\n"), "the question failed, not the picture"
    for _ in range(60):
        await community.clock.leap(30)
    await community.pass_time(5)
    text = text_of(community.card)
    assert text.startswith("### It may have been charged\n")
    view = await community.view(job_of(community.card))
    assert not any(each.job.holds_slot for each in view.pictures)
    assert "Only" in private(await community.ben.click(community.card, label=TWICE))


async def test_a_polling_address_elsewhere_is_not_followed_and_the_key_stays_at_home(community: Community) -> None:
    hostile = "http://192.0.2.1/v1/get_result?id=1"
    community.bfl.faults.append(Fault("submit", rewrites(polling_url=hostile)))
    await read_last_card(community)
    assert community.card.attachments


@pytest.mark.parametrize(
    "fault",
    [answers(500), answers(503), truncates(), hangs_up(), corrupts(), html()],
    ids=["500", "503", "cut", "reset", "damaged", "web page"],
)
async def test_a_finished_picture_is_fetched_again_when_that_may_help(community: Community, fault: Trouble) -> None:
    community.bfl.faults.append(Fault("sample", fault, times=2))
    await community.imagine()
    await community.pass_time(11.5)
    text = text_of(community.card)
    assert text.startswith("### Drawing\n"), "it is drawn, and must not look as if it waited to be"
    assert "Cancel" not in buttons_of(community.card)
    await community.pass_time(30)
    assert community.card.attachments
    assert community.ordered() == 1
    assert await cost_of(community) == 60_000


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (answers(403), "a link that is dead or has expired (403)"),
        (answers(404), "a link that is dead or has expired (404)"),
        (floods(70_000_000), "a file larger than 67,108,864 bytes"),
        (floods(70_000_000, announced=True), "a file larger than 67,108,864 bytes"),
        (redirects("http://169.254.169.254/latest"), "a link to a foreign address, which was not followed"),
        (corrupts(), "it is damaged or cut short"),
        (html(), "it is a web page"),
    ],
    ids=["403", "404", "endless", "giant", "elsewhere", "damaged", "web page"],
)
async def test_a_picture_that_was_paid_for_and_lost_is_said_to_be(
    community: Community, fault: Trouble, reason: str
) -> None:
    community.bfl.faults.append(Fault("sample", fault, times=FOR_EVER))
    await community.imagine()
    await community.pass_time(4)
    (picture,) = (await community.newest()).pictures
    lost = Image(picture.job.id, picture.job.root_id, 0, 1, 2, "0" * 64, "image/png", 8, 8, 9, None, None, START)
    async with community.app.database.write() as db:  # of an earlier life, whose file did not outlast it
        await notes.save(db, images.ARRIVED + picture.job.id, json.dumps({"image": asdict(lost), "ended": {}}))
    await community.pass_time(26)
    await community.clock.leap(575)  # nearly the ten minutes for which there is a picture to be fetched
    await community.pass_time(2)
    async with community.app.database.read() as db:
        assert await notes.find(db, images.ARRIVED + picture.job.id) is None
    text = text_of(community.card)
    assert text.startswith("### It was drawn, and then lost\n")
    assert reason in text
    assert "It was charged ($0.06)." in text
    assert "Drawing it again costs the same once more." in text
    assert await cost_of(community) == 60_000
    assert community.ordered() == 1
    assert community.files == []


async def test_a_slow_service_is_waited_for_and_the_card_does_not_promise_what_is_over(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(duration=300)
    await community.imagine()
    await community.pass_time(30)
    assert "Taking longer than usual." in text_of(community.card)
    await community.clock.leap(280)
    await community.pass_time(5)
    assert community.card.attachments


async def test_an_admin_who_can_help_is_told(make_community: MakeCommunity, monkeypatch: pytest.MonkeyPatch) -> None:
    community = await make_community()
    alarms: list[str] = []

    async def tell(_client: discord.Client, _settings: object, sentence: str) -> None:
        alarms.append(sentence)

    monkeypatch.setattr("bot.app.tell_admin", tell)
    community.bfl.faults.append(Fault("submit", answers(402)))
    await read_last_card(community)
    (sentence,) = alarms
    assert "out of credits" in sentence
    assert f"`{job_of(community.card)}-1`" in sentence


async def test_where_discord_is_away_for_a_while_the_pictures_come_later(community: Community) -> None:
    await community.imagine()
    await community.pass_time(5)
    community.env.inject_error("*", "/webhooks/*", status=503, times=3)
    community.env.inject_error("*", "/channels/*", status=503, times=3)
    await community.pass_time(60)
    assert len(community.cards) == 1
    assert community.card.attachments
    assert community.ordered() == 1
    assert (await community.view(job_of(community.card))).state is State.DONE
