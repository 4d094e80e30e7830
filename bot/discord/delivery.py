"""Posts and edits the cards: the one place where the workflows meet Discord.

A card is an ordinary message. It is edited by its id at any age, or through the interaction that made it while
its token lives, and posted anew only where it is gone. Nothing here tries again: the worker does, and finds what an
earlier try left behind.
"""

import asyncio
import dataclasses
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast
from weakref import WeakValueDictionary

import discord

from bot.cards.base.faces import Faces
from bot.cards.base.layout import Card, Copy
from bot.cards.reviewing.queue import reminder_card
from bot.clock import Clock
from bot.discord.attempts import Attempts
from bot.discord.buttons import card_of
from bot.discord.permissions import age_restricted
from bot.discord.posting import Place, Posting, Token, nonce
from bot.errors import BotError, Refused, Unavailable
from bot.pictures.decode import Decoder
from bot.workflows.base.cards import CardView, PlaceGone
from bot.workflows.base.files import Files
from bot.workflows.base.types import Forecast, Posted
from bot.workflows.reviewing.reminders import CHOOSE, Reminder
from storage.base import jobs
from storage.database import Database
from storage.drawing.images import Image
from storage.reviewing import late_cards, reviews
from storage.reviewing.reviews import Review, ReviewState

log = logging.getLogger(__name__)

V = TypeVar("V")
AnyView = TypeVar("AnyView", bound=CardView)

COSMETIC = 15.0
"""Seconds for an edit while a request waits: its end waits for that edit, so that the two cannot overtake."""
PAUSE = 3.0
"""Seconds between two edits of one card while it waits."""
REFUSED = 60.0
"""Seconds until a card is refreshed again whose edit Discord has refused."""
TOKEN = 870.0
"""Seconds for which an interaction's token is used; it dies after 900 (Discord API docs)."""
JITTER = 5.0
WAVER = 0.2
"""A forecast is news when it moves by more than so many seconds, and by this part of the time that is left."""


class _Recent(OrderedDict[str, V], Generic[V]):
    """Remembers the last so many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: str, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)


class _Budget:
    """So many edits a second for all cards together; a second's worth may come at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate
        self._at = 0.0

    def take(self, now: float) -> bool:
        self._left = min(self._rate, self._left + max(now - self._at, 0.0) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a waiting card looked last. A card that is `lost` is gone, for ever; any other is edited again."""

    key: str | None
    at: float
    """When the next pause begins: later than now where Discord has refused an edit."""
    forecast: Forecast | None
    lost: bool = False
    refusal: BotError | None = None
    """Why Discord did not take the last edit."""
    until: float = math.inf
    """When the forecast promises less than it does now, in Unix seconds."""


class DiscordDelivery:
    """The workflows' Delivery. What it remembers is bounded, and only makes it faster: a restart loses nothing."""

    def __init__(
        self,
        client: discord.Client,
        *,
        clock: Clock,
        files: Files,
        decoder: Decoder,
        database: Database,
        faces: Faces,
        edits_per_second: float = 10.0,
    ) -> None:
        """`database` says what has changed while a card was posted; Discord allows 50 requests a second in all."""
        self._client = client
        self._clock = clock
        self._faces = faces
        self.attempts = Attempts(database, clock)
        self._posting = Posting(client, files=files, decoder=decoder, attempts=self.attempts)
        self._database = database
        self._budget = _Budget(edits_per_second)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tokens: _Recent[Token] = _Recent(5_000)
        self._shown: _Recent[_Shown] = _Recent(20_000)
        self._finished: _Recent[None] = _Recent(10_000)
        self._asked: _Recent[Posted] = _Recent(1_000)

    # While a request waits.

    def remember(self, job_id: str, interaction: discord.Interaction[Any]) -> None:
        """Edit the card of this request through the interaction that made it, as long as that is possible."""
        now = self._clock.monotonic()
        while self._tokens and next(iter(self._tokens.values())).until < now:  # the oldest: its token is dead
            self._tokens.popitem(last=False)
        self._tokens[job_id] = self._token(interaction)

    def _token(self, interaction: discord.Interaction[Any]) -> Token:
        return Token(
            interaction.application_id, interaction.token, self._clock.monotonic() + TOKEN, interaction.filesize_limit
        )

    async def show(self, view: CardView) -> bool:
        """Show a request as it is now, at once: just accepted, or with its pictures deleted. Never raises.

        False where its message still shows something else.

        Where there is no card, none is made: that is `finish`'s.
        """
        if not view.ended:
            if self._faces.of(view).resumes:
                self._finished.pop(view.job.id, None)
            return await self._update(self._steadied(view))
        place = dataclasses.replace(self._place(view), nonce=None)
        try:
            async with self._lock(view.job.id):
                self._finished[view.job.id] = None
                await self._posting.put(place, view.images, self._draw(view))
        except PlaceGone as error:
            log.info("The card of %s is gone: %s", view.job.id, error)
        except BotError as error:
            log.warning("The card of %s is out of date: %s", view.job.id, error)
            refusal = None if isinstance(error, Unavailable) else error
            self._shown[view.job.id] = _Shown(None, self._clock.monotonic(), None, refusal=refusal)
            return False
        self._shown.pop(view.job.id, None)
        return True

    def refusal(self, job_id: str) -> BotError | None:
        shown = self._shown.get(job_id)
        return shown.refusal if shown else None

    async def refresh(self, view: CardView) -> bool:
        job = view.job
        shown = self._shown.get(job.id)
        if view.ended or job.message_id is None or job.id in self._finished or (shown and shown.lost):
            return True
        view = self._steadied(view)
        if shown and shown.key == self._faces.card(view).key:
            return True
        now = self._clock.monotonic()
        if shown and now < shown.at:  # refused: what changes next is shown when that pause is over
            return True
        if (shown and now < shown.at + PAUSE) or self._lock(job.id).locked() or not self._budget.take(now):
            return False
        return await self._update(view)

    def list_overdue(self) -> list[str]:
        now = self._clock.now()
        return [job_id for job_id, shown in self._shown.items() if shown.until <= now and not shown.lost]

    async def _update(self, view: CardView) -> bool:
        """Edit a waiting card; whether there is nothing left to do."""
        job = view.job
        async with self._lock(job.id):
            if job.id in self._finished:
                return True
            card = self._faces.card(view)
            ends = view.forecast.changes_in(self._clock.now()) if view.forecast else None
            until = math.inf if ends is None else self._clock.now() + ends
            shown = _Shown(None, self._clock.monotonic(), view.forecast, until=until)
            try:
                async with self._posting.translate_errors(self._place(view)):
                    edited = await self._posting.edit(self._place(view), card, timeout=COSMETIC)
                shown = dataclasses.replace(shown, key=card.key, lost=not edited)
            except Unavailable as error:
                log.info("The card of %s was not refreshed: %s", job.id, error)
            except PlaceGone as error:
                log.info("The card of %s cannot be refreshed any more: %s", job.id, error)
                shown = dataclasses.replace(shown, lost=True)
            except BotError as error:
                log.info("The card of %s cannot be refreshed just now: %s", job.id, error)
                shown = dataclasses.replace(shown, at=shown.at + REFUSED, refusal=error)
            self._shown[job.id] = shown
            return shown.lost or shown.key is not None

    def _steadied(self, view: AnyView) -> AnyView:
        """The view with the forecast that the card shows already, where the new one says nearly the same."""
        if view.forecast is None:
            return view
        now = self._clock.now()
        new, shown = view.forecast.at(now), self._shown.get(view.job.id)
        view = _with(view, forecast=new)
        old = shown.forecast.at(now) if shown and shown.forecast else None
        if old is None:
            return view
        for shown_at, likely_at in ((old.likely, new.likely), (old.latest, new.latest)):
            if shown_at is None or likely_at is None:
                if shown_at is not likely_at:
                    return view
            elif abs(likely_at - shown_at) > max(JITTER, WAVER * (likely_at - now)):
                return view
        return _with(view, forecast=dataclasses.replace(old, ahead=new.ahead))

    # When it ends.

    async def finish(self, view: CardView) -> Posted:
        job = view.job
        async with self._lock(job.id):
            self._finished[job.id] = None
            view = await self._where_it_is(view)
            posted = await self._posting.put(self._place(view), view.images, self._draw(view))
            assert posted, "it has a nonce"
            self._shown.pop(job.id, None)
            self._tokens.pop(job.id, None)
            return posted

    async def _where_it_is(self, view: AnyView) -> AnyView:
        """The view with the message that is its card at this moment: `/show` may just have moved it."""
        async with self._database.read() as db:
            job = await jobs.find(db, view.job.id)
        if job is None:
            return view
        moved = dataclasses.replace(view.job, message_id=job.message_id, channel_id=job.channel_id)
        return _with(view, job=moved)

    async def answer(self, interaction: discord.Interaction[Any], view: CardView, image: Image | None = None) -> Posted:
        """Make the answer to a deferred interaction a copy of a request's card, or the card of one of its images.

        Raises:
            Unavailable: Discord does not answer.
            Refused: the bot may not post there, or Discord does not take the answer any more.
        """
        assert interaction.channel_id, "commands and buttons are in a channel"
        place = Place(
            view.job.guild_id,
            interaction.channel_id,
            token=self._token(interaction),
            elsewhere=f"`/show {view.job.id}` in a channel that takes them shows them.",
        )
        try:
            async with self._posting.translate_errors(place):
                message_id = card_of(interaction) or (await interaction.original_response()).id
            place = dataclasses.replace(place, message_id=message_id)
            if image is None:
                posted = await self._posting.put(place, view.images, self._draw(self._steadied(view)))
            else:
                draw = partial(self._faces.image_card, view, image)
                posted = await self._posting.put(place, [image], draw)
        except Unavailable as error:
            raise Unavailable(f"{error} Nothing was done. Please try again.") from error
        if posted is None:
            raise Refused("Discord does not take this answer any more. Please try again.")
        return posted

    async def put_card(self, view: CardView) -> Posted:
        async with self._lock(view.job.id):
            posted = await self._posting.put(self._place(view), [], self._draw(view))
        assert posted, "it has a nonce"
        return posted

    async def announce(self, view: CardView, about: str, once: str) -> Posted:
        news = self._faces.news(view, about, once)
        news_nonce = nonce(f"{about}-{once}-{view.job.id}")
        place = Place(view.job.guild_id, view.job.channel_id, nonce=news_nonce, notified=(news.recipient,))
        async with self._lock(f"news {view.job.id}"):
            posted = await self._posting.put(place, [], lambda _: news.card)
        assert posted, "it has a nonce"
        return posted

    # What moderators decide.

    async def ask(self, review: Review, view: CardView) -> Posted:
        """
        Raises:
            Unavailable: Discord does not answer.
            Refused: the bot may not post there, or a picture of an age-restricted channel would be shown in another.
        """
        # Before that nobody knows which channels are age-restricted.
        self._posting.check_connected(self._review_place(review))
        job = view.job
        for_adults = job.age_restricted or self._for_adults(job.channel_id, job.guild_id)  # a thread may be archived
        restricted = self._faces.of(view).keeps_age_limit and for_adults
        if restricted and not self._for_adults(review.channel_id, review.guild_id):
            raise Refused(f"<#{review.channel_id}> is not age-restricted, and this picture's channel is.")
        card = self._faces.review_card(review, view)
        async with self._lock(f"review {review.id}"):
            place = dataclasses.replace(
                self._review_place(review), message_id=review.message_id, channel_id=review.channel_id
            )
            posted = await self._posting.put(place, [], lambda _: card)
            assert posted, "it has a nonce"
            self._asked[review.id] = posted
        async with self._database.read() as db:
            newest = await reviews.find(db, review.id)
        if newest and newest.state is not ReviewState.OPEN:  # decided while the card was on its way
            await self.decided(newest, view)
        return posted

    async def decided(self, review: Review, view: CardView) -> bool:
        """Show on the moderators' card how a question stands now; whether that worked. Never raises.

        What Discord has refused is noted, and shown by a later round of reviewing.

        Of two presses at once, the later edit may be that of the earlier one: what it shows is read when it is sent.
        """
        place = self._review_place(review)
        if place.message_id is None:
            return False
        try:
            async with self._lock(f"review {review.id}"), self._posting.translate_errors(place):
                async with self._database.read() as db:
                    newest = await reviews.find(db, review.id) or review
                shown = await self._posting.edit(place, self._faces.review_card(newest, view))
        except BotError as error:
            log.warning("The card of question %s is out of date: %s", review.id, error)
            await self._set_late(review.id, late=not isinstance(error, PlaceGone))
            return False
        await self._set_late(review.id, late=False)
        return shown

    async def _set_late(self, review_id: str, *, late: bool) -> None:
        """Note whether a round of reviewing has to show that question's card again."""
        async with self._database.read() as db:
            noted = await late_cards.has(db, review_id)
        if noted != late:
            async with self._database.write() as db:
                await (late_cards.add if late else late_cards.forget)(db, review_id)

    async def remind(self, reminder: Reminder) -> None:
        """Post a reminder. Only its role is notified, whatever the message says.

        Raises:
            Unavailable: Discord does not answer.
            Refused: the bot may not post there.
        """
        guild = self._client.get_guild(reminder.guild_id)
        if guild is not None and reminder.called is not None and guild.get_role(reminder.called) is None:
            note = f"{reminder.note} The moderators' role does not exist any more. {CHOOSE}".strip()
            reminder = dataclasses.replace(reminder, called=None, note=note)
        reminder_nonce = nonce(f"remind-{reminder.first_id}-{reminder.number}")
        place = Place(reminder.guild_id, reminder.channel_id, nonce=reminder_nonce, notified_role=reminder.called)
        card = reminder_card(self._faces, reminder)
        async with self._lock(reminder_nonce):
            posted = await self._posting.put(place, [], lambda _: card)
        assert posted, "it has a nonce"

    def _for_adults(self, channel_id: int, guild_id: int) -> bool:
        guild = self._client.get_guild(guild_id)
        return guild is not None and age_restricted(guild.get_channel_or_thread(channel_id))

    def _review_place(self, review: Review) -> Place:
        """Where its card is, which for a moment only this process knows."""
        message_id, channel_id, asked = review.message_id, review.channel_id, self._asked.get(review.id)
        if message_id is None and asked:
            message_id, channel_id = asked.message_id, asked.channel_id
        elsewhere = "`/review` in a channel that takes them shows them, to be decided on there."
        return Place(review.guild_id, channel_id, message_id, nonce(f"ask-{review.id}"), elsewhere=elsewhere)

    def _draw(self, view: CardView) -> Callable[[Mapping[str, Copy]], Card]:
        return lambda copies: self._faces.card(view, copies)

    def _place(self, view: CardView) -> Place:
        job, token = view.job, self._tokens.get(view.job.id)
        if token and token.until <= self._clock.monotonic():
            token = None
        elsewhere = f"`/show {job.id}` in a channel that takes them shows them."
        return Place(job.guild_id, job.channel_id, job.message_id, nonce(f"card-{job.id}"), token, elsewhere=elsewhere)

    def _lock(self, key: str) -> asyncio.Lock:
        """One edit of a card at a time. The lock is forgotten when nobody holds or awaits it."""
        return self._locks.setdefault(key, asyncio.Lock())


def _with(view: AnyView, **fields: object) -> AnyView:
    """The view with other values in these fields: every view is a frozen dataclass."""
    return cast("AnyView", dataclasses.replace(cast("Any", view), **fields))
