"""What keeps a decision from counting: another community's moderator, and a card that shows something else."""

import pytest

from bot.errors import Refused
from bot.workflows.reviewing.types import Moderator
from storage.reviewing.reviews import ReviewState
from tests.reviewing.test_decisions import MIA, Queue, moderator, queue
from tests.reviewing.test_races import DIGEST, GUILD

__all__ = ["queue"]


async def assert_refused(queue: Queue, who: Moderator, digest: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        await queue.decisions.decide("q1", who, approve=True, digest=digest)
    assert (await queue.decisions.find("q1")).state is ReviewState.OPEN


async def test_a_question_is_decided_by_moderators_of_its_own_server(queue: Queue) -> None:
    await queue.open()
    await assert_refused(queue, moderator(MIA, administrator=True, guild_id=GUILD + 1), DIGEST, "another server's")


async def test_a_decision_about_something_else_than_what_was_shown_is_refused(queue: Queue) -> None:
    await queue.open()
    for digest in ("f" * 64, "d" * 7, "", "dddddddde"):
        await assert_refused(queue, moderator(MIA), digest, "has changed since")
    assert (await queue.decide(MIA)).state is ReviewState.APPROVED
