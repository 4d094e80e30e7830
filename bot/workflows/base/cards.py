"""The base of views, and the protocol by which cards are shown: all that workflows know of Discord."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bot.errors import BotError, Refused
from bot.workflows.base.types import Forecast, Posted
from storage.base import jobs
from storage.base.jobs import Job
from storage.database import Database
from storage.drawing.images import Image
from storage.reviewing.reviews import Review


class PlaceGone(Refused):
    """The channel does not exist any more: nothing can ever be shown there. Every other refusal may end."""


class ThreadLocked(Refused):
    """Those who manage the server have locked the thread: the bot's admin has nothing to mend."""


class CardView(Protocol):
    """Something that has a card, with all that the card shows. A card is a function of this alone."""

    @property
    def job(self) -> Job:
        """The job whose card it is; its kind says which card that is."""
        ...

    @property
    def ended(self) -> bool: ...

    @property
    def images(self) -> Sequence[Image]:
        """Images that the card shows in full size; smaller copies are made where Discord takes no such files."""
        ...

    @property
    def forecast(self) -> Forecast | None: ...


Load = Callable[[str], Awaitable[CardView | None]]
"""Reads what has the card of the job with that id."""


class Views:
    """Loads the view of a job, by the job's kind."""

    def __init__(self, database: Database, loaders: Mapping[str, Load]) -> None:
        self._database = database
        self._loaders = loaders

    async def of(self, job_id: str) -> CardView | None:
        """What has the card with that id; None where there is no such job, or its kind has no card."""
        async with self._database.read() as db:
            job = await jobs.find(db, job_id)
        load = self._loaders.get(job.kind) if job else None
        return await load(job_id) if load else None

    async def find_by_message(self, message_id: int) -> Job | None:
        """The newest job whose card is that message."""
        async with self._database.read() as db:
            return await jobs.find_by_message(db, message_id)


class Delivery(Protocol):
    """Where cards are shown; bot/discord/delivery.py implements it.

    What posts may raise Unavailable where Discord does not answer, PlaceGone where the channel does not exist any more,
    and Refused or Broken where Discord does not take it just now. Everything is safe to repeat.
    """

    async def refresh(self, view: CardView) -> bool:
        """Bring a card up to date while it waits; False when that is still to do.

        Nothing is sent where the card says all of that already, and where the edit budget is used up it has to
        wait. Never raises.
        """
        ...

    def list_overdue(self) -> list[str]:
        """The jobs whose waiting cards promise a moment that has passed."""
        ...

    async def show(self, view: CardView) -> bool:
        """Bring a card up to date now, where there is one; whether that worked. Never raises."""
        ...

    def refusal(self, job_id: str) -> BotError | None:
        """Why Discord has refused the last edit of a card; None where it took it, or did not answer."""
        ...

    async def finish(self, view: CardView) -> Posted:
        """Show the end of a request, with its images; where the card is gone, on a new message."""
        ...

    async def put_card(self, view: CardView) -> Posted:
        """Make a card, or find the one that an earlier try made."""
        ...

    async def ask(self, review: Review, view: CardView) -> Posted:
        """Show the moderators what they have to decide."""
        ...

    async def decided(self, review: Review, view: CardView) -> bool:
        """Show on the moderators' card how a question stands now; whether that worked. Never raises."""
        ...

    async def announce(self, view: CardView, about: str, once: str) -> Posted:
        """Tell a person, by name, in the channel where it was started, what has happened: `about` names the news.

        Posted once for each `about` and `once` (letters, digits, - and .), whatever is tried again.
        """
        ...
