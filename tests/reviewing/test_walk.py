"""`/review`: one question after the other, several denied at once, the saved reasons; after a restart, too."""

from typing import Any

import discord
import pytest
from simcord import InteractionResult, MemberActor

from storage.community import communities
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState
from tests.conftest import MakeCommunity
from tests.scenes.community import Community, buttons_of, private, text_of

PROMPTS = ("first", "second", "third")


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A community where three requests of Ada's wait for a moderator."""
    community = await make_community()
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    for prompt in PROMPTS:
        await community.imagine(prompt=prompt)
        await community.pass_time(1)
    return community


class Walk:
    """What `/review` shows to one moderator."""

    def __init__(self, community: Community, who: MemberActor, listed: InteractionResult) -> None:
        assert listed.ephemeral
        self._community = community
        self._who = who
        self._listed = listed

    @property
    def card(self) -> discord.Message:
        """As it is now."""
        assert self._listed.response
        return self._listed.response.message

    @property
    def text(self) -> str:
        return text_of(self.card)

    @property
    def prompt(self) -> str:
        return next(line[2:] for line in self.text.splitlines() if line.startswith("> "))

    @property
    def place(self) -> str:
        """Such as “1 of 3”."""
        return next(line for line in self.text.splitlines() if " of " in line and line[0].isdigit())

    @property
    def step(self) -> tuple[str, str]:
        return self.prompt, self.place

    async def press(self, label: str) -> InteractionResult:
        result = await self._who.click(self.card, label=label)
        await self._community.clock.settle()
        return result

    async def send(self, form: InteractionResult, values: dict[str, Any]) -> list[str]:
        """Send a form; the sentences that are said besides."""
        result = await self._who.submit_modal(form, values)
        await self._community.pass_time(5)
        return [each.content for each in result.followups]


async def walk(community: Community, who: MemberActor | None = None) -> Walk:
    who = who or community.mia
    return Walk(community, who, await who.slash(community.studio, "review"))


async def all_of_them(community: Community) -> dict[str, Review]:
    """Every question by its prompt, in the order of their asking."""
    reviews_by_prompt: dict[str, Review] = {}
    for card in community.cards:
        (review_id,) = {custom_id.split(":")[3] for custom_id in card_ids(card)}
        view = await community.view(review_id)
        async with community.app.database.read() as db:
            review = await reviews.find(db, review_id)
        assert review
        reviews_by_prompt[view.request.prompt] = review
    return reviews_by_prompt


def card_ids(card: discord.Message) -> list[str]:
    return [custom_id.split("-")[0] for custom_id in buttons_of(card).values()]


async def test_the_walk_goes_forward_and_back_and_round(community: Community) -> None:
    queue = await walk(community)
    assert buttons_of(queue.card).keys() == {"Approve", "Deny", "Claim", "Previous", "Next", "Deny several"}
    seen = [queue.step]
    for label in ("Next", "Next", "Next", "Previous", "Previous"):
        await queue.press(label)
        seen.append(queue.step)
    assert seen == [
        ("first", "1 of 3"),
        ("second", "2 of 3"),
        ("third", "3 of 3"),
        ("first", "1 of 3"),
        ("third", "3 of 3"),
        ("second", "2 of 3"),
    ]


async def test_the_walk_goes_on_after_a_restart_and_from_what_others_have_decided(community: Community) -> None:
    queue = await walk(community)
    await queue.press("Next")
    await community.olga.click(community.review.history()[1], label="Approve")
    await community.pass_time(20)
    await community.restart()
    await queue.press("Next")
    assert queue.step == ("third", "2 of 2")
    await queue.press("Previous")
    assert queue.step == ("first", "1 of 2")


async def test_deciding_in_the_walk_shows_the_decision_and_the_way_on(community: Community) -> None:
    queue = await walk(community)
    await queue.press("Approve")
    assert queue.text.startswith("### Approved")
    assert f"Approved by <@{community.mia.id}>" in queue.text
    assert "2 left" in queue.text
    assert buttons_of(queue.card).keys() == {"Previous", "Next", "Deny several"}
    assert text_of(community.review.history()[0]).startswith("### Approved")
    await queue.press("Next")
    assert queue.step == ("second", "1 of 2")


async def test_who_has_walked_to_the_end_reads_that_nothing_waits(community: Community) -> None:
    queue = await walk(community)
    for _ in PROMPTS:
        await queue.press("Approve")
        if "Next" in buttons_of(queue.card):
            await queue.press("Next")
    assert buttons_of(queue.card) == {}
    assert "0 left" in queue.text
    assert private(await community.mia.slash(community.studio, "review")) == "Nothing waits for a decision."


async def test_the_walk_begins_with_what_one_may_decide_and_says_why_not_of_the_others(community: Community) -> None:
    questions = await all_of_them(community)
    async with community.app.database.write() as db:
        mine = (community.mia.id, questions["first"].id)
        await db.exec_driver_sql("UPDATE reviews SET requested_by = ? WHERE id = ?", mine)
    await community.olga.click(community.review.history()[1], label="Claim")
    queue = await walk(community)
    assert queue.step == ("third", "3 of 3")
    await queue.press("Next")
    assert queue.step == ("first", "1 of 3")
    assert "**You cannot decide this one.** Nobody decides on their own request." in queue.text
    await queue.press("Next")
    assert f"<@{community.olga.id}> has this one until" in queue.text


async def test_who_is_no_moderator_any_more_walks_no_further(community: Community) -> None:
    queue = await walk(community)
    await community.decide(moderator_role_id=None)
    for label in ("Next", "Previous", "Deny several"):
        answer = private(await queue.press(label))
        assert answer == "Only this server's moderators can decide this."
    assert queue.prompt == "first"


# Several at once.


async def test_several_are_denied_with_one_reason_that_their_members_read(community: Community) -> None:
    queue = await walk(community)
    form = await queue.press("Deny several")
    assert form.modal
    questions = await all_of_them(community)
    values = [f"{questions[prompt].id}:{questions[prompt].digest[:12]}" for prompt in ("first", "third")]
    (reply,) = await queue.send(form, {"which": values, "reason": "Too dear today."})
    assert reply.startswith("Denied 2 requests. Their members read the reason; nothing was charged for them.")
    assert f"- Pictures\\: first (<@{community.ada.id}>)" in reply
    assert queue.step == ("second", "1 of 1")
    states = [text_of(each).splitlines()[0] for each in community.review.history()]
    assert states == ["### Denied", "### May this be drawn?", "### Denied"]
    assert ["Too dear today." in text_of(each) for each in community.cards] == [True, False, True]
    assert community.ordered() == 0


async def test_of_several_what_was_too_late_says_whose_decision_it_was(community: Community) -> None:
    queue = await walk(community)
    form = await queue.press("Deny several")
    questions = await all_of_them(community)
    await community.olga.click(community.review.history()[1], label="Approve")
    await community.restart()
    values = [f"{review.id}:{review.digest[:12]}" for review in questions.values()]
    (reply,) = await queue.send(form, {"which": values, "reason": "Too dear today."})
    await community.pass_time(20)
    assert reply.startswith("Denied 2 requests.")
    assert "Not denied:" in reply
    assert f"Already approved by <@{community.olga.id}> <t:" in reply
    assert queue.text == "Nothing waits for a decision."
    assert [bool(each.attachments) for each in community.cards] == [False, True, False]


async def test_the_form_says_who_asked_for_what_and_how_long_it_waits(community: Community) -> None:
    await community.clock.leap(3 * 3600)
    form = await (await walk(community)).press("Deny several")
    text = str(form.modal)
    assert f"1. <@{community.ada.id}>" in text
    assert "Waiting for 3 hours" in text
    assert "2. Pictures: second" in text


# Saved reasons.


async def test_a_reason_can_be_kept_chosen_and_removed(community: Community) -> None:
    queue = await walk(community)
    form = await queue.press("Deny")
    assert await queue.send(form, {"reason": "Too dear today.", "keep": True}) == []
    assert await load_saved_reasons(community) == ("Too dear today.",)

    await queue.press("Next")
    assert "Saved reasons" in buttons_of(queue.card)
    form = await queue.press("Deny")
    (option,) = options_of(form, "saved")
    assert await queue.send(form, {"saved": [option], "reason": "And blurred."}) == []
    reasons = [(await all_of_them(community))[prompt].reason for prompt in ("first", "second")]
    assert reasons == ["Too dear today.", "Too dear today.\nAnd blurred."]
    assert await load_saved_reasons(community) == ("Too dear today.",)

    await queue.press("Next")
    form = await queue.press("Saved reasons")
    assert await queue.send(form, {"which": options_of(form, "which")}) == ["1 saved reason is removed."]
    assert await load_saved_reasons(community) == ()
    assert "Saved reasons" not in buttons_of(queue.card)


async def test_a_saved_reason_alone_is_reason_enough_and_none_at_all_is_not(community: Community) -> None:
    await community.decide(saved_reasons=("Blurred.", "x" * 400))
    queue = await walk(community)
    form = await queue.press("Deny")
    assert await queue.send(form, {}) == ["Please give a reason: the member will read it."]
    form = await queue.press("Deny")
    assert await queue.send(form, {"saved": [options_of(form, "saved")[1]]}) == []
    assert (await all_of_them(community))["first"].reason == "x" * 400


async def test_a_saved_reason_that_was_removed_meanwhile_denies_nothing(community: Community) -> None:
    await community.decide(saved_reasons=("Blurred.",))
    queue = await walk(community)
    form = await queue.press("Deny")
    option = options_of(form, "saved")
    await community.decide(saved_reasons=("Too dear.",))
    (reply,) = await queue.send(form, {"saved": option})
    assert reply.startswith("That saved reason was removed meanwhile. Nothing was denied")
    assert (await all_of_them(community))["first"].state is ReviewState.OPEN


async def load_saved_reasons(community: Community) -> tuple[str, ...]:
    async with community.app.database.read() as db:
        return (await communities.find(db, community.guild.id)).saved_reasons


def options_of(form: InteractionResult, name: str) -> list[str]:
    """The values of the choices of a form's field."""
    assert form.modal
    parts = [each.get("component", each) for each in form.modal["components"]]
    (field,) = [each for each in parts if each.get("custom_id") == name]
    return [option["value"] for option in field["options"]]
