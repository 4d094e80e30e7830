"""Asks the moderators a question of any kind."""

from dataclasses import replace
from typing import Protocol, TypeVar

from bot.errors import Broken, Refused
from bot.workflows.base.types import Posted
from bot.workflows.base.work import Work
from storage.base.jobs import Job
from storage.reviewing import reviews
from storage.reviewing.reviews import Review


class _Shown(Protocol):
    @property
    def job(self) -> Job: ...


View = TypeVar("View", bound=_Shown)
View_contra = TypeVar("View_contra", contravariant=True)


class Asks(Protocol[View_contra]):
    """What shows a question, as far as this is concerned."""

    async def ask(self, review: Review, view: View_contra) -> Posted: ...


async def ask_moderators(delivery: Asks[View], work: Work, review: Review, view: View) -> Posted:
    """Ask where the community wants to be asked, or else where the member has asked, and remember where that is.

    Safe to repeat.

    Raises:
        Refused, Broken: Discord takes it in neither place.
        Unavailable: Discord does not answer just now.
    """
    try:
        posted = await delivery.ask(review, view)
    except (Refused, Broken):
        if review.channel_id == view.job.channel_id:
            raise
        posted = await delivery.ask(replace(review, channel_id=view.job.channel_id), view)
    async with work() as tx:
        await reviews.set_message(tx.db, review.id, message_id=posted.message_id, channel_id=posted.channel_id)
    return posted
