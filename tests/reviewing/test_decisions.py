"""What the review queue lets whom do, and what the audit says of it afterwards."""

import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Refused
from bot.workflows.base.work import UnitOfWork
from bot.workflows.reviewing import verbs as queue_of_reviews
from bot.workflows.reviewing.trail import withdraw
from bot.workflows.reviewing.types import Moderator, QuestionRules, Standing
from bot.workflows.reviewing.verbs import CLAIM, Decisions
from storage.community import communities
from storage.community.communities import Community
from storage.database import Connection
from storage.reviewing import audit, reviews
from storage.reviewing.audit import AuditEntry
from storage.reviewing.reviews import Review, ReviewState
from tests.reviewing.test_races import DIGEST, GUILD, ROLE, question
from tests.scenes.workbench import Bench

OWNER, MIA, MAX, OLGA = 99, 11, 12, 13
WHY = "You trained the model that drew this. Another moderator has to decide."


def moderator(number: int, *, administrator: bool = False, guild_id: int = GUILD) -> Moderator:
    return Moderator(number, frozenset({ROLE}), administrator, guild_id)


@dataclass
class Queue:
    """A review queue in which Max has trained everything that is to be registered."""

    bench: Bench
    decisions: Decisions
    followed: list[ReviewState] = field(default_factory=list[ReviewState])
    undoable: bool = True

    async def open(self, name: str = "q1", **options: Any) -> Review:
        async with self.bench.database.write() as db:
            await reviews.add(db, question(name, **options))
        await self.bench.add(name, parked=True)
        return await self.decisions.find(name)

    async def decide(self, who: int, *, approve: bool = True, administrator: bool = False, name: str = "q1") -> Review:
        return await self.decisions.decide(
            name, moderator(who, administrator=administrator), approve=approve, digest=DIGEST, reason="No."
        )

    async def settings(self, **settings: Any) -> None:
        async with self.bench.database.write() as db:
            community = await communities.find(db, GUILD)
            await communities.save(db, GUILD, community.model_copy(update=settings), by=1, now=self.bench.clock.now())

    async def list_entries(self, subject: str = "q1") -> list[AuditEntry]:
        async with self.bench.database.read() as db:
            return await audit.about(db, subject)

    async def list_actions(self) -> list[str]:
        return [entry.action for entry in await self.list_entries()]


@pytest.fixture
async def queue(bench: Bench) -> Queue:
    async def follow(_tx: UnitOfWork, review: Review) -> None:
        made.followed.append(review.state)

    async def object_to_max(_db: Connection, _review: Review, user_id: int) -> str | None:
        return WHY if user_id == MAX else None

    async def undo(_tx: UnitOfWork, review: Review) -> bool:
        made.followed.append(review.state)
        return made.undoable

    made = Queue(
        bench,
        Decisions(
            bench.kit(),
            rules={
                "register": QuestionRules(follow, objection=object_to_max, undo=undo, overridable=True),
                "spend": QuestionRules(follow),
            },
        ),
    )
    async with bench.database.write() as db:
        await communities.save(db, GUILD, Community(moderator_role_id=ROLE), by=1, now=1.0)
    return made


async def test_whatever_happens_to_a_question_is_written_down_with_what_was_seen(queue: Queue, tmp_path: Path) -> None:
    await queue.open()
    await queue.decisions.claim("q1", moderator(MIA))
    await queue.decisions.ask("q1", moderator(MIA), "Who is on it?")
    await queue.decisions.answer("q1", OWNER, "My sister.")
    await queue.decide(MIA)
    await queue.decisions.undo("q1", moderator(OLGA))
    await queue.decide(OLGA, approve=False)

    entries = await queue.list_entries()
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        ("register claimed", MIA),
        ("register asked", MIA),
        ("register answered", OWNER),
        ("register approved", MIA),
        ("register undone", OLGA),
        ("register denied", OLGA),
    ]
    assert {(entry.seen, entry.guild_id, entry.content["review"]) for entry in entries} == {(DIGEST, GUILD, "q1")}
    assert [entries[1].content["question"], entries[2].content["answer"]] == ["Who is on it?", "My sister."]
    assert (entries[4].content["approved_by"], entries[5].content["reason"]) == (str(MIA), "No.")
    with contextlib.closing(sqlite3.connect(tmp_path / "bot.db")) as file:
        verdict = audit.verify(file)
    assert (verdict.entries, verdict.head, verdict.faults) == (6, entries[-1].hash, ())


async def test_what_was_refused_leaves_no_trace(queue: Queue) -> None:
    await queue.open()
    nobody = Moderator(5, frozenset(), administrator=False, guild_id=GUILD)
    for attempt in (
        queue.decisions.decide("q1", nobody, approve=True, digest=DIGEST),
        queue.decisions.claim("q1", nobody),
        queue.decisions.ask("q1", nobody, "What?"),
        queue.decisions.undo("q1", nobody),
        queue.decisions.save_reason(nobody, "Blurred."),
        queue.decisions.deny_several({"q1": DIGEST}, nobody, reason="No."),
    ):
        with pytest.raises(Refused, match="Only this server's moderators"):
            await attempt
    assert (await queue.decisions.find("q1"), await queue.list_entries()) == (question("q1"), [])


async def test_a_question_of_a_newer_version_can_be_looked_at_and_claimed(queue: Queue) -> None:
    review = await queue.open(kind="of a newer version")
    assert await queue.decisions.standing(review, moderator(MIA)) == Standing()
    await queue.decisions.check_may_decide("q1", moderator(MIA))
    assert (await queue.decisions.claim("q1", moderator(MIA))).claimed_by == MIA
    with pytest.raises(Refused, match="cannot be taken back"):
        await queue.decisions.undo("q1", moderator(MIA))


async def test_an_expiry_is_written_down_as_the_bots(queue: Queue) -> None:
    await queue.open()
    await queue.bench.clock.leap(1e9)
    assert [review.state for review in await queue.decisions.expire()] == [ReviewState.EXPIRED]
    (entry,) = await queue.list_entries()
    assert (entry.action, entry.actor_id, queue.followed) == ("register expired", None, [ReviewState.EXPIRED])


async def test_a_withdrawal_is_written_down_as_the_members(queue: Queue) -> None:
    review = await queue.open()
    async with queue.bench.kit().work() as tx:
        assert await withdraw(tx, review, by=OWNER)
        assert not await withdraw(tx, review, by=OWNER)
    assert [(entry.action, entry.actor_id) for entry in await queue.list_entries()] == [("register withdrawn", OWNER)]


# Who must not decide.


@pytest.mark.parametrize("administrator", [False, True])
async def test_nobody_decides_where_there_is_an_objection_to_them_not_even_an_administrator(
    queue: Queue, administrator: bool
) -> None:
    review = await queue.open()
    conflicted = moderator(MAX, administrator=administrator)
    for attempt in (
        queue.decide(MAX, administrator=administrator),
        queue.decide(MAX, approve=False, administrator=administrator),
        queue.decisions.claim("q1", conflicted),
        queue.decisions.ask("q1", conflicted, "Well?"),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert str(refusal.value) == WHY
    assert (await queue.decisions.standing(review, conflicted)).bar == WHY
    assert await queue.list_actions() == []


async def test_the_admins_override_lets_them_and_is_logged_as_such(queue: Queue) -> None:
    review = await queue.open()
    await queue.settings(own_decisions=True)
    standing = await queue.decisions.standing(review, moderator(MAX))
    assert (standing.bar, standing.objection, standing.overridden) == (None, WHY, True)
    decided = await queue.decide(MAX)

    (entry,) = await queue.list_entries()
    assert (entry.content["override"], entry.content["objection"]) == (True, WHY)
    assert (entry.at, entry.actor_id) == (decided.decided_at, MAX)


async def test_the_override_is_not_claimed_by_those_who_need_none_and_ends_with_the_setting(queue: Queue) -> None:
    await queue.open()
    await queue.settings(own_decisions=True)
    await queue.decide(MIA)
    assert "override" not in (await queue.list_entries())[0].content

    await queue.open("q2")
    await queue.settings(own_decisions=False)
    with pytest.raises(Refused, match="You trained the model"):
        await queue.decide(MAX, name="q2")


async def test_other_kinds_keep_the_rule_that_nobody_decides_on_their_own_request(queue: Queue) -> None:
    await queue.open(kind="spend", by=MIA)
    await queue.settings(own_decisions=True)
    with pytest.raises(Refused, match="Nobody decides on their own request"):
        await queue.decide(MIA)
    await queue.decide(MIA, administrator=True)
    assert "override" not in (await queue.list_entries())[0].content


# Claims.


async def test_a_claim_keeps_others_out_until_it_ends_by_itself(queue: Queue) -> None:
    await queue.open()
    claimed = await queue.decisions.claim("q1", moderator(MIA))
    held = f"<@{MIA}> has this one until <t:{claimed.claimed_until:.0f}:t>."
    for attempt in (
        queue.decide(OLGA),
        queue.decisions.claim("q1", moderator(OLGA)),
        queue.decisions.ask("q1", moderator(OLGA), "Well?"),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert str(refusal.value) == held
    await queue.bench.clock.leap(CLAIM + 1)
    await queue.decide(OLGA)
    assert await queue.list_actions() == ["register claimed", "register approved"]


# Questions and answers.


async def test_only_one_question_is_open_at_a_time_and_only_its_member_answers_it_once(queue: Queue) -> None:
    await queue.open()
    with pytest.raises(Refused, match="Nothing is asked just now"):
        await queue.decisions.answer("q1", OWNER, "Hello?")
    await queue.decisions.ask("q1", moderator(MIA), "Who is on it?")
    with pytest.raises(Refused, match="has not answered the last question yet"):
        await queue.decisions.ask("q1", moderator(OLGA), "And where?")
    with pytest.raises(Refused, match=f"Only <@{OWNER}>"):
        await queue.decisions.answer("q1", MIA, "It is my sister.")
    with pytest.raises(Refused, match="Please write an answer"):
        await queue.decisions.answer("q1", OWNER, "  \n")
    await queue.decisions.answer("q1", OWNER, " My sister. ")
    with pytest.raises(Refused, match="answered already"):
        await queue.decisions.answer("q1", OWNER, "My brother.")
    await queue.decisions.ask("q1", moderator(OLGA), "And where?")
    await queue.decide(MIA)
    with pytest.raises(Refused, match=f"Already approved by <@{MIA}>"):
        await queue.decisions.answer("q1", OWNER, "At home.")

    async with queue.bench.database.read() as db:
        talk = await reviews.talk(db, "q1")
    assert [(each.question, each.answer) for each in talk] == [("Who is on it?", "My sister."), ("And where?", None)]


async def test_every_change_wakes_the_job_whose_card_shows_it(queue: Queue) -> None:
    await queue.open()

    async def woken() -> bool:
        job = await queue.bench.job("q1")
        async with queue.bench.database.write() as db:
            await db.exec_driver_sql("UPDATE jobs SET state = 'parked' WHERE id = 'q1'")
        return job.state == "waiting"

    assert not await woken()
    await queue.decisions.claim("q1", moderator(MIA))
    assert await woken()
    await queue.decisions.ask("q1", moderator(MIA), "Who is on it?")
    assert await woken()
    await queue.decisions.answer("q1", OWNER, "My sister.")
    assert await woken()
    await queue.decide(MIA)
    assert await woken()
    await queue.decisions.undo("q1", moderator(MIA))
    assert await woken()


# Undo.


async def test_an_approval_that_is_taken_back_is_open_to_all_again(queue: Queue) -> None:
    before = await queue.open()
    await queue.decisions.claim("q1", moderator(MIA))
    await queue.decide(MIA)
    await queue.bench.clock.leap(30)
    after = await queue.decisions.undo("q1", moderator(OLGA))
    assert (after.state, after.decided_by, after.claimed_by) == (ReviewState.OPEN, None, None)
    assert after.expires_at >= before.expires_at
    await queue.decide(OLGA, approve=False)
    assert (await queue.decisions.find("q1")).state is ReviewState.DENIED


async def test_what_is_taken_back_after_its_time_stays_open_for_a_day(queue: Queue) -> None:
    review = await queue.open()
    await queue.bench.clock.leap(review.expires_at - queue.bench.clock.now() - 1)
    await queue.decide(MIA)
    await queue.bench.clock.leap(30)
    after = await queue.decisions.undo("q1", moderator(MIA))
    assert after.expires_at == queue.bench.clock.now() + queue_of_reviews.AGAIN
    assert await queue.decisions.expire() == []


async def test_an_undo_that_comes_too_late_changes_nothing(queue: Queue) -> None:
    await queue.open()
    await queue.decide(MIA)
    queue.undoable = False
    with pytest.raises(Refused, match="It is too late to take this approval back"):
        await queue.decisions.undo("q1", moderator(MIA))
    assert (await queue.decisions.find("q1")).state is ReviewState.APPROVED
    assert await queue.list_actions() == ["register approved"]


async def test_only_an_approval_of_a_kind_that_allows_it_is_taken_back(queue: Queue) -> None:
    await queue.open()
    with pytest.raises(Refused, match="nothing is decided"):
        await queue.decisions.undo("q1", moderator(MIA))
    await queue.decide(MIA, approve=False)
    with pytest.raises(Refused, match=f"Only an approval can be taken back. Already denied by <@{MIA}>"):
        await queue.decisions.undo("q1", moderator(MIA))
    await queue.open("q2", kind="spend")
    await queue.decide(MIA, name="q2")
    with pytest.raises(Refused, match="cannot be taken back"):
        await queue.decisions.undo("q2", moderator(MIA))


# Several at once.


async def test_several_are_denied_each_by_itself_and_what_was_too_late_says_whose_it_was(queue: Queue) -> None:
    for name in ("q1", "q2", "q3", "q4"):
        await queue.open(name)
    await queue.decide(OLGA, name="q2")
    await queue.decisions.claim("q3", moderator(OLGA))
    chosen = {"q1": DIGEST[:12], "q2": DIGEST[:12], "q3": DIGEST[:12], "gone": DIGEST[:12], "q4": "e" * 12}
    results = await queue.decisions.deny_several(chosen, moderator(MIA), reason="Blurred.")

    now = f"{queue.bench.clock.now():.0f}"
    refusals = {denial.review_id: denial.refusal for denial in results}
    assert refusals == {
        "q1": None,
        "q2": f"Already approved by <@{OLGA}> <t:{now}:R>.",
        "q3": f"<@{OLGA}> has this one until <t:{queue.bench.clock.now() + CLAIM:.0f}:t>.",
        "gone": "This approval request is not in the bot's records any more.",
        "q4": "What this card shows has changed since. Please use the newest card.",
    }
    assert [(entry.action, entry.content["reason"]) for entry in await queue.list_entries("q1")] == [
        ("register denied", "Blurred.")
    ]
    with pytest.raises(Refused, match="Please give a reason"):
        await queue.decisions.deny_several({"q3": DIGEST}, moderator(MIA), reason=" ")


async def test_one_who_moderates_here_denies_nothing_of_another_server(queue: Queue) -> None:
    await queue.open()
    async with queue.bench.database.write() as db:
        await communities.save(db, 2, Community(moderator_role_id=ROLE), by=1, now=1.0)
    (denial,) = await queue.decisions.deny_several(
        {"q1": DIGEST}, moderator(MIA, administrator=True, guild_id=2), reason="No."
    )
    assert denial.refusal == "This approval request is not in the bot's records any more."
    assert (await queue.decisions.find("q1")).state is ReviewState.OPEN


# Reasons.


async def test_the_newest_twenty_reasons_are_kept_each_once(queue: Queue) -> None:
    for number in range(25):
        await queue.decisions.save_reason(moderator(MIA), f"Reason {number}")
    await queue.decisions.save_reason(moderator(MIA), " Reason 20 ")
    async with queue.bench.database.read() as db:
        kept = (await communities.find(db, GUILD)).saved_reasons
    assert kept == tuple(f"Reason {number}" for number in (20, 24, 23, 22, 21, *range(19, 4, -1)))
    await queue.decisions.forget_reasons(moderator(MIA), ["Reason 24", "Reason 5", "not there"])
    async with queue.bench.database.read() as db:
        assert len((await communities.find(db, GUILD)).saved_reasons) == 18
