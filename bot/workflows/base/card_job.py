"""What every job that owns a card needs: it loads its view, tells people of it, and brings the cards up to date."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from bot.errors import Broken, Refused
from bot.jobs.journal import Journal
from bot.jobs.worker import Later
from bot.values import Frozen
from bot.workflows.base.cards import CardView, PlaceGone
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Posted
from bot.workflows.base.undelivered import LOOK_AGAIN, Undelivered
from storage.reviewing.reviews import Review, ReviewState

log = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds until a card that could not be edited is edited again; twice as long after each further failure."""

View = TypeVar("View", bound=CardView)


class Shown(Frozen):
    """The result of a step that edits a moderators' card."""

    shown: bool = True
    """Whether Discord took the edit. Finetunes' jobs stored nothing here in earlier versions."""


class CardJob(Generic[View]):
    """The base of a recipe whose job sleeps and wakes, and whose card shows how far it is."""

    def __init__(self, kit: Kit, *, noun: str, load: Callable[[str], Awaitable[View | None]]) -> None:
        """`noun` is what the job is about, for sentences; `load` reads its view."""
        self._delivery = kit.delivery
        self._undelivered = Undelivered(kit)
        self._noun = noun
        self._load = load
        self._failures: dict[str, int] = {}
        """How often in a row the card of a job could not be shown."""
        self._refused: set[str] = set()
        """Ids of jobs of which Discord has refused a message in this run."""

    async def load_view(self, job_id: str) -> View:
        """
        Raises:
            Broken: the job has no row of what it is about.
        """
        view = await self._load(job_id)
        if view is None:
            raise Broken(f"This {self._noun} has lost its row.")
        return view

    async def show_card(self, job_id: str) -> None:
        """Bring the card up to date before the job sleeps or ends: nothing else repeats what failed in this run.

        Raises:
            Later: Discord did not take the edit, or has refused a message before.
        """
        refused = job_id in self._refused
        self._refused.discard(job_id)
        view, subject = await self.load_view(job_id), f"{job_id} shown"
        shown = await self._delivery.show(view)
        if shown:
            await self._undelivered.settle(view.job.owner_id, subject)
        elif (refusal := self._delivery.refusal(job_id)) is not None:
            sentence = f"The card of the {self._noun} `{job_id}` could not be brought up to date. {refusal}"
            sentence += f" Use `/show {job_id}` where the bot may post."
            await self._undelivered.note(view.job.owner_id, subject, sentence, refusal)
        if shown and not refused:
            self._failures.pop(job_id, None)
            return
        failures = self._failures.get(job_id, 0)
        self._failures[job_id] = failures + 1
        raise Later(min(RETRY * 2.0 ** min(failures, 10), LOOK_AGAIN))

    async def announce(
        self, step: Journal, name: str, view: View, about: str, once: str, *, to: int | None = None
    ) -> None:
        """Tell people of it by name, once; `name` is that of the step, the rest as in `Delivery.announce`. `to` is
        the id of the one who is told, where that is not its owner."""
        news = partial(self._delivery.announce, view, about, once)
        where = f"Use `/show {view.job.id}` where the bot may post."
        sentence = f"There is news of the {self._noun} `{view.job.id}`, which could not be posted."
        await self.try_to_post(view, name, partial(step, name, Posted, news), f"{sentence} {{}} {where}", to=to)

    async def try_to_post(
        self, view: View, name: str, post: Callable[[], Awaitable[object]], sentence: str, *, to: int | None = None
    ) -> None:
        """Post something. Where Discord refuses it, the job goes on, and `show_card` has it run again.

        Its owner, or `to`, reads `sentence` at their next command, with the reason in it, and the admin now.
        """
        subject, user_id = f"{view.job.id} {name}", to or view.job.owner_id
        try:
            await post()
        except (Refused, Broken) as error:
            log.warning("The %s %s could not post %r: %s", self._noun, view.job.id, name, error)
            await self._undelivered.note(user_id, subject, sentence.format(error), error)
            if not isinstance(error, PlaceGone):
                self._refused.add(view.job.id)
        else:
            await self._undelivered.settle(user_id, subject)

    async def ask_once(self, review: Review, view: View, ask: Callable[[], Awaitable[object]]) -> None:
        """Ask the moderators, where that is not done yet."""
        if review.message_id is None:
            sentence = f"The moderators could not be asked about the {self._noun} `{view.job.id}`."
            await self.try_to_post(view, f"asked {review.id}", ask, f"{sentence} {{}} They find it with `/review`.")

    async def settle_question(self, review: Review, view: View) -> None:
        """Forget that the moderators could not be asked, where nothing is to be decided any more."""
        if review.state is not ReviewState.OPEN:
            await self._undelivered.settle(view.job.owner_id, f"{view.job.id} asked {review.id}")

    async def show_decision(self, step: Journal, name: str, review: Review, view: View) -> None:
        """Show on the moderators' card how their question stands, once; a failed edit is not repeated."""
        await step(name, Shown, partial(self._show_decision, review, view))

    async def _show_decision(self, review: Review, view: View) -> Shown:
        return Shown(shown=await self._delivery.decided(review, view))
