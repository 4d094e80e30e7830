"""Values of reviewing: who decides, whether they may decide a question, and the results of what they do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.workflows.base.work import UnitOfWork
from storage.database import Connection
from storage.reviewing.reviews import Review

Consequence = Callable[[UnitOfWork, Review], Awaitable[None]]
"""What a decision changes, in the same transaction; given the decided review. The subject's job is woken anyway."""

Objection = Callable[[Connection, Review, int], Awaitable[str | None]]
"""Why a person may not decide on a review, though they are a moderator; None where they may."""

Undo = Callable[[UnitOfWork, Review], Awaitable[bool]]
"""Takes back what an approval has changed, in the same transaction; False where it is too late for that."""


@dataclass(frozen=True)
class QuestionRules:
    """What decisions on one kind of question do, and who may make them."""

    consequence: Consequence
    objection: Objection | None = None
    undo: Undo | None = None
    """None where an approval cannot be taken back."""
    overridable: bool = False
    """The objection alone counts, for administrators too, and the community's setting `own_decisions` goes past it."""


@dataclass(frozen=True)
class Moderator:
    """Who presses, and in which community, as Discord says at this very press."""

    user_id: int
    role_ids: frozenset[int]
    administrator: bool
    guild_id: int


@dataclass(frozen=True)
class Standing:
    """How a moderator stands to a question."""

    objection: str | None = None
    """Why they should not decide on it."""
    overridden: bool = False
    """The admin has allowed it all the same (the setting `own_decisions`)."""

    @property
    def bar(self) -> str | None:
        """Why they may not decide; None where they may."""
        return None if self.overridden else self.objection


@dataclass(frozen=True)
class Attempt:
    """What came of a moderator's press. `review` is how the question stands now."""

    review: Review
    refusal: str | None = None
    """Why the press has changed nothing; None where it has."""


@dataclass(frozen=True)
class Denial:
    """What has become of one of several questions that were to be denied. `review` is how it stands now."""

    review_id: str
    review: Review | None
    refusal: str | None = None
    """Why it was not denied; None where it was."""


@dataclass(frozen=True)
class Step:
    """Where a moderator is who walks through the queue."""

    place: int | None
    """The question's place among the open ones, from 1; None where it is decided."""
    count: int
    """Open questions of the community."""
    standing: Standing
    reasons: int
    """Reasons that the community has saved."""
