"""Posts and edits the cards: the one place where the workflows meet Discord.

A card is an ordinary message. It is edited by its id at any age, or through the interaction that made it while
its token lives, and posted anew only where it is gone. Nothing here tries again: the worker does, and finds what an
earlier try left behind.
"""

import asyncio
import dataclasses
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

import aiohttp
import discord

from bot import cards
from bot.buttons import PressButton, card_of
from bot.cards import Card, Copy
from bot.clock import Clock
from bot.errors import BotError, Broken, Refused, Unavailable
from bot.pictures.decode import Decoder
from bot.pictures.preview import preview_copy
from bot.workflows.request import Forecast, Posted, RequestView
from storage import communities
from storage.database import Database
from storage.images import Image
from storage.media import Media
from storage.reviews import Review

log = logging.getLogger(__name__)

V = TypeVar("V")

CALL = 60.0
"""Seconds for one request to Discord, its waits for rate limits included."""
COSMETIC = 15.0
"""Seconds for an edit while a request waits: its end waits for that edit, so that the two cannot overtake."""
PAUSE = 3.0
"""Seconds between two edits of one card while it waits."""
TOKEN = 870.0
"""Seconds for which an interaction's token is used; it dies after 900 (Discord API docs)."""
HISTORY = 100
"""Newest messages of a channel that are searched for a card before it is posted again."""
FILE = 10 * 1024 * 1024
REQUEST = 25 * 1024 * 1024 - 256 * 1024
"""Bytes of all files of a message, less what the card itself takes."""
SMALL = 2 * 1024 * 1024
"""Bytes of a file where Discord found larger ones too large."""
JITTER = 5.0
WAVER = 0.2
"""A forecast is news when it moves by more than so many seconds, and by this part of the time that is left."""

_GONE = {10008, 50005, 50083}
"""Unknown message, another author's message, archived thread: it cannot be edited, but a new one may be posted."""
_PERMISSIONS = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "attach_files": "Attach Files",
}


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
class _Token:
    """What is kept of an interaction: enough to edit its message without the channel's permissions."""

    application_id: int
    token: str
    until: float
    file_limit: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a waiting card looked last. A card that is `lost` cannot be edited any more."""

    key: str | None
    at: float
    forecast: Forecast | None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a card is to be. Without a nonce it is edited there or not at all."""

    guild_id: int
    channel_id: int
    message_id: int | None = None
    nonce: str | None = None
    token: _Token | None = None


class DiscordDelivery:
    """The workflows' Delivery. What it remembers is bounded, and only makes it faster: a restart loses nothing."""

    def __init__(
        self,
        client: discord.Client,
        *,
        clock: Clock,
        media: Media,
        decoder: Decoder,
        database: Database | None = None,
        edits_per_second: float = 10.0,
    ) -> None:
        """`database` tells a review card the community's limit; Discord allows 50 requests a second in all."""
        self._client = client
        self._clock = clock
        self._media = media
        self._decoder = decoder
        self._database = database
        self._budget = _Budget(edits_per_second)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tokens: _Recent[_Token] = _Recent(5_000)
        self._shown: _Recent[_Shown] = _Recent(20_000)
        self._finished: _Recent[None] = _Recent(10_000)
        self._asked: _Recent[int] = _Recent(1_000)

    # While a request waits.

    def remember(self, job_id: str, interaction: discord.Interaction[Any]) -> None:
        """Edit the card of this request through the interaction that made it, as long as that is possible."""
        self._tokens[job_id] = self._token(interaction)

    def _token(self, interaction: discord.Interaction[Any]) -> _Token:
        return _Token(
            interaction.application_id, interaction.token, self._clock.now() + TOKEN, interaction.filesize_limit
        )

    async def show(self, view: RequestView) -> None:
        """Show a request as it is now, at once: just accepted, or with its pictures deleted. Never raises.

        Where there is no card, none is made: that is `finish`'s.
        """
        if not view.ended:
            await self._update(self._steadied(view))
            return
        place = dataclasses.replace(self._place(view), nonce=None)
        try:
            async with self._lock(view.job.id):
                self._finished[view.job.id] = None
                await self._put(place, view.images, _request(view, self._media))
        except BotError as error:
            log.warning("The card of %s is out of date: %s", view.job.id, error)

    async def refresh(self, view: RequestView) -> bool:
        job = view.job
        shown = self._shown.get(job.id)
        if view.ended or job.message_id is None or job.id in self._finished or (shown and shown.lost):
            return True
        view = self._steadied(view)
        if shown and shown.key == cards.request_card(view, self._media).key:
            return True
        now = self._clock.now()
        if (shown and now < shown.at + PAUSE) or self._lock(job.id).locked() or not self._budget.take(now):
            return False
        return await self._update(view)

    async def _update(self, view: RequestView) -> bool:
        """Edit a waiting card; whether there is nothing left to do."""
        job = view.job
        async with self._lock(job.id):
            if job.id in self._finished:
                return True
            card = cards.request_card(view, self._media)
            shown = _Shown(None, self._clock.now(), view.forecast)
            try:
                async with self._explained(self._place(view)):
                    there = await self._edit(self._place(view), card, timeout=COSMETIC)
                shown = dataclasses.replace(shown, key=card.key, lost=not there)
            except Unavailable as error:
                log.info("The card of %s was not refreshed: %s", job.id, error)
            except BotError as error:
                log.info("The card of %s cannot be refreshed any more: %s", job.id, error)
                shown = dataclasses.replace(shown, lost=True)
            self._shown[job.id] = shown
            return shown.lost or shown.key is not None

    def _steadied(self, view: RequestView) -> RequestView:
        """The view with the forecast that the card shows already, where the new one says nearly the same."""
        new, now = view.forecast, self._clock.now()
        if new is None:
            return view
        if new.likely <= now + 1:  # overdue: nothing to count down to
            return dataclasses.replace(view, forecast=None)
        shown = self._shown.get(view.job.id)
        old = shown.forecast if shown else None
        if old is None or old.likely <= now:
            return view
        for shown_at, known in ((old.likely, new.likely), (old.latest, new.latest)):
            if abs(known - shown_at) > max(JITTER, WAVER * (known - now)):
                return view
        return dataclasses.replace(view, forecast=dataclasses.replace(old, ahead=new.ahead))

    # When it ends.

    async def finish(self, view: RequestView) -> Posted:
        job = view.job
        async with self._lock(job.id):
            self._finished[job.id] = None
            posted = await self._put(self._place(view), view.images, _request(view, self._media))
            assert posted, "it has a nonce"
            self._shown.pop(job.id, None)
            self._tokens.pop(job.id, None)
            return posted

    async def answer(
        self, interaction: discord.Interaction[Any], view: RequestView, image: Image | None = None
    ) -> Posted:
        """Make the answer to a deferred interaction a copy of a request's card, or the card of one of its images.

        Raises as `finish` does.
        """
        assert interaction.channel_id, "commands and buttons are in a channel"
        place = _Place(view.job.guild_id, interaction.channel_id, token=self._token(interaction))
        async with self._explained(place):
            message_id = card_of(interaction) or (await interaction.original_response()).id
        place = dataclasses.replace(place, message_id=message_id)
        if image is None:
            posted = await self._put(place, view.images, _request(self._steadied(view), self._media))
        else:
            posted = await self._put(place, [image], lambda copies: cards.image_card(view, image, self._media, copies))
        if posted is None:
            raise Refused("Discord does not take this answer any more. Please try again.")
        return posted

    # What moderators decide.

    async def ask(self, review: Review, view: RequestView) -> Posted:
        card = cards.review_card(review, view, limit=await self._limit(review))
        async with self._lock(f"review {review.id}"):
            posted = await self._put(self._review_place(review), [], lambda _: card)
            assert posted, "it has a nonce"
            self._asked[review.id] = posted.message_id
            return posted

    async def decided(self, review: Review, view: RequestView) -> bool:
        """Show on the moderators' card how a question stands now; whether that worked. Never raises."""
        card = cards.review_card(review, view, limit=await self._limit(review))
        place = self._review_place(review)
        if place.message_id is None:
            return False
        try:
            async with self._lock(f"review {review.id}"), self._explained(place):
                return await self._edit(place, card)
        except BotError as error:
            log.warning("The card of question %s is out of date: %s", review.id, error)
            return False

    async def _limit(self, review: Review) -> int | None:
        if self._database is None:
            return None
        async with self._database.read() as db:
            return (await communities.find(db, review.guild_id)).confirm_above

    def _review_place(self, review: Review) -> _Place:
        message_id = review.message_id or self._asked.get(review.id)
        return _Place(review.guild_id, review.channel_id, message_id, _nonce(f"ask-{review.id}"))

    # Speaking to Discord.

    def _place(self, view: RequestView) -> _Place:
        job, token = view.job, self._tokens.get(view.job.id)
        if token and token.until <= self._clock.now():
            token = None
        return _Place(job.guild_id, job.channel_id, job.message_id, _nonce(f"card-{job.id}"), token)

    def _lock(self, key: str) -> asyncio.Lock:
        """One edit of a card at a time. The lock lives as long as somebody holds or awaits it."""
        return self._locks.setdefault(key, asyncio.Lock())

    async def _put(
        self, place: _Place, images: Sequence[Image], draw: Callable[[Mapping[str, Copy]], Card]
    ) -> Posted | None:
        """Bring a card to its place, with smaller copies of what Discord would find too large.

        None where it cannot be edited and must not be posted.
        """
        async with self._explained(place):
            try:
                async with self._copies(images, self._file_limit(place)) as copies:
                    return await self._edit_or_post(place, draw(copies))
            except discord.HTTPException as error:
                if error.status != 413 and error.code != 40005:
                    raise
            async with self._copies(images, SMALL) as copies:
                return await self._edit_or_post(place, draw(copies))

    async def _edit_or_post(self, place: _Place, card: Card) -> Posted | None:
        message_id = place.message_id if await self._edit(place, card) else None
        if message_id is None and place.nonce:
            message_id = await self._find(place, card) or await self._post(place, card, place.nonce)
        return Posted(message_id=message_id, channel_id=place.channel_id) if message_id else None

    async def _edit(self, place: _Place, card: Card, *, timeout: float = CALL) -> bool:
        """Edit the message; False when there is none any more."""
        if place.message_id is None:
            return False
        by_id = self._channel(place).get_partial_message(place.message_id)
        edits: list[Callable[..., Awaitable[object]]] = [by_id.edit]
        if place.token:
            hook = discord.Webhook.partial(place.token.application_id, place.token.token, client=self._client)
            edits.insert(0, partial(hook.edit_message, place.message_id))
        for edit in edits:
            try:
                async with asyncio.timeout(timeout), _opened(card) as files:
                    await edit(view=card.view, attachments=files)
            except discord.HTTPException as error:
                if error.code not in _GONE and not (edit is not edits[-1] and error.status in {401, 404}):
                    raise
            else:
                return True
        return False

    async def _find(self, place: _Place, card: Card) -> int | None:
        """The message that an earlier try has posted: it is ours and has the very same buttons.

        Discord recognises a nonce only for a few minutes, and a try may be hours old.
        """
        wanted = {item.custom_id for item in card.view.walk_children() if isinstance(item, PressButton)}
        if not wanted or self._client.user is None:
            return None
        try:
            async with asyncio.timeout(CALL):
                async for message in self._channel(place).history(limit=HISTORY):
                    if message.author.id == self._client.user.id and set(_custom_ids(message.components)) == wanted:
                        return message.id
        except (discord.Forbidden, discord.NotFound):  # the post itself says what is wrong
            pass
        return None

    async def _post(self, place: _Place, card: Card, nonce: str) -> int:
        async with asyncio.timeout(CALL), _opened(card) as files:
            return (await self._channel(place).send(view=card.view, files=files, nonce=nonce)).id

    def _channel(self, place: _Place) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)

    @asynccontextmanager
    async def _explained(self, place: _Place) -> AsyncGenerator[None]:
        """Turn what discord.py raises into what happens next."""
        if self._client.user is None or self._client.is_closed():
            raise Unavailable("The bot is not connected to Discord.", retry_after=2.0)
        try:
            yield
        except discord.RateLimited as error:
            raise Unavailable("Discord asks the bot to wait.", retry_after=error.retry_after) from error
        except discord.HTTPException as error:
            raise self._meaning(error, place) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("Discord does not answer just now.") from error

    def _meaning(self, error: discord.HTTPException, place: _Place) -> BotError:
        if error.status == 429:
            wait = error.response.headers.get("Retry-After", "")
            return Unavailable("Discord asks the bot to wait.", retry_after=float(wait) if wait.isdecimal() else None)
        if error.status >= 500:
            return Unavailable("Discord has trouble just now.")
        if error.status == 404:
            return Refused(f"The channel <#{place.channel_id}> is gone, or the bot was removed from it.")
        if error.status == 403:
            return Refused(self._lacking(place))
        if error.code == 20009:
            return Refused("Discord's own filter does not let these pictures into that channel.")
        return Broken(f"Discord did not accept a card ({error.status}, code {error.code}).")

    def _lacking(self, place: _Place) -> str:
        """Which permission is missing, as far as the bot can see for itself."""
        guild = self._client.get_guild(place.guild_id)
        channel = guild.get_channel_or_thread(place.channel_id) if guild else None
        thread = isinstance(channel, discord.Thread)
        needed = ["view_channel", "send_messages_in_threads" if thread else "send_messages", "attach_files"]
        missing = needed
        me = guild.get_member(self._client.user.id) if guild and self._client.user else None
        if channel and me:
            granted = channel.permissions_for(me)
            missing = [name for name in needed if not getattr(granted, name)] or needed
        names = ", ".join(_PERMISSIONS[name] for name in missing)
        return f"The bot may not post in <#{place.channel_id}>. It needs there: {names}."

    # Files.

    def _file_limit(self, place: _Place) -> int:
        """Bytes that one file may have there."""
        if place.token:
            return max(place.token.file_limit, FILE)
        guild = self._client.get_guild(place.guild_id)
        return max(guild.filesize_limit, FILE) if guild else FILE

    @asynccontextmanager
    async def _copies(self, images: Sequence[Image], limit: int) -> AsyncGenerator[dict[str, Copy]]:
        """Smaller copies of the images that have more than `limit` bytes or, largest first, too many together.

        They are files for this one try: an image that is deleted later leaves no copy behind.
        """
        copies: dict[str, Copy] = {}
        total = sum(image.bytes for image in images)
        async with AsyncExitStack() as stack:
            for image in sorted(images, key=lambda each: each.bytes, reverse=True):
                if (image.bytes <= limit and total <= REQUEST) or image.sha256 in copies:
                    continue
                most = min(limit, REQUEST // len(images))
                preview = await self._decoder.run(preview_copy, self._media.path(image.sha256), most)
                path = await stack.enter_async_context(self._media.temporary())
                await asyncio.to_thread(path.write_bytes, preview.content)
                extension = "webp" if preview.media_type == "image/webp" else "jpg"
                copies[image.sha256] = Copy(path, extension)
                total += len(preview.content) - image.bytes
            yield copies


def _request(view: RequestView, media: Media) -> Callable[[Mapping[str, Copy]], Card]:
    return lambda copies: cards.request_card(view, media, copies)


@asynccontextmanager
async def _opened(card: Card) -> AsyncGenerator[list[discord.File]]:
    """The card's files, closed whatever happens; discord.py closes only those that it came to send."""
    files = card.open_files()
    try:
        yield files
    finally:
        for file in files:
            file.close()


def _custom_ids(components: Iterable[Any]) -> list[str]:
    """Of every button, however deep."""
    found: list[str] = []
    for component in components:
        if custom_id := getattr(component, "custom_id", None):
            found.append(custom_id)
        found += _custom_ids(getattr(component, "children", ()))
    return found


def _nonce(text: str) -> str:
    """At most 25 characters, the same for the same text."""
    return text if len(text) <= 25 else hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
