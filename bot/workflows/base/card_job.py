"""What every job that owns a card needs: it loads its view, tells people of it, and brings the cards up to date."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from bot.errors import Broken, Refused
from bot.jobs.journal import Journal
from bot.jobs.worker import Later
from bot.values import Frozen
from bot.workflows.base.cards import CardView
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import Posted
from storage.reviewing.reviews import Review

log = logging.getLogger(__name__)

RETRY = 5.0
"""Seconds until a card that could not be edited is edited again."""

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
        self._noun = noun
        self._load = load

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
        """Bring the card up to date before the job sleeps or ends: nothing else repeats an edit that failed.

        Raises:
            Later: Discord did not take the edit.
        """
        if not await self._delivery.show(await self.load_view(job_id)):
            raise Later(RETRY)

    async def post_quietly(self, step: Journal, name: str, post: Callable[[], Awaitable[Posted]]) -> None:
        """Post once; where the bot may not post, the job goes on, and commands show the same."""
        try:
            await step(name, Posted, post)
        except (Refused, Broken) as error:
            log.warning("The %s could not post %r: %s", self._noun, name, error)

    async def announce(self, step: Journal, name: str, view: View, about: str, once: str) -> None:
        """Tell people of it by name, once; `name` is that of the step, the rest as in `Delivery.announce`."""
        await self.post_quietly(step, name, partial(self._delivery.announce, view, about, once))

    async def show_decision(self, step: Journal, name: str, review: Review, view: View) -> None:
        """Show on the moderators' card how their question stands, once; a failed edit is not repeated."""
        await step(name, Shown, partial(self._show_decision, review, view))

    async def _show_decision(self, review: Review, view: View) -> Shown:
        return Shown(shown=await self._delivery.decided(review, view))
