"""Posts and edits the message of a card, finds it again after a crash, and turns Discord's refusals into errors.

Nothing here tries again, except with smaller files where Discord finds them too large.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import aiohttp
import discord
from discord.utils import time_snowflake

from bot import limits
from bot.cards.base.layout import Card, Copy, without_files
from bot.discord.attempts import Attempts
from bot.discord.buttons import PressButton, custom_ids
from bot.discord.refusals import ARCHIVED, GONE, is_too_large, meaning, refusal_of_files
from bot.errors import Broken, Unavailable
from bot.pictures.decode import Decoder
from bot.pictures.preview import make_preview
from bot.trouble import recognise
from bot.workflows.base.files import Files
from bot.workflows.base.types import Posted
from storage.drawing.images import Image

log = logging.getLogger(__name__)

CALL = 60.0
"""Seconds for one request to Discord, its waits for rate limits included."""
HISTORY = 100
"""Newest messages of a channel that are searched before something is posted that may be there already."""
REQUEST = limits.REQUEST_BYTES - 256 * 1024
"""Bytes of all files of a message, less what the card itself takes."""
SMALL = 2 * 1024 * 1024
"""Bytes of a file where Discord found larger ones too large."""
NOBODY = discord.AllowedMentions.none()
"""Said at every edit: the client's own default reaches what it sends, not what it edits by id."""

SEARCHED = 2_000
"""Messages that are searched at most for one whose answer was lost, from the time at which it was sent."""
SKEW = 300.0
"""Seconds by which the clocks of the bot and of Discord may differ."""

Sent = TypeVar("Sent")


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of an interaction: enough to edit its message without the channel's permissions."""

    application_id: int
    token: str = field(repr=False)
    until: float
    """Seconds of the monotonic clock."""
    file_limit: int
    """Bytes of one file, as Discord said for this interaction."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card is to be. Without a nonce it is edited there or not at all."""

    guild_id: int
    channel_id: int
    message_id: int | None = None
    nonce: str | None = None
    token: Token | None = None
    notified: tuple[int, ...] = ()
    """Members whom Discord shall notify, where it is posted anew."""
    notified_role: int | None = None
    """A role that Discord shall notify, where it is posted anew."""
    elsewhere: str = ""
    """A sentence that says how to see its files where Discord does not take them here."""


class Posting:
    """Speaks to Discord for the delivery. It remembers nothing but, in the database, what it began to post."""

    def __init__(self, client: discord.Client, *, files: Files, decoder: Decoder, attempts: Attempts) -> None:
        self._client = client
        self._files = files
        self._decoder = decoder
        self._attempts = attempts

    async def put(
        self, place: Place, images: Sequence[Image], draw: Callable[[Mapping[str, Copy]], Card]
    ) -> Posted | None:
        """Bring a card to its place, with smaller copies of what Discord would find too large.

        Files that Discord does not take at all are left out, and the card says so. None where it cannot be edited and
        must not be posted.
        """
        async with self.translate_errors(place):
            try:
                async with self._copies(images, self._file_limit(place)) as copies:
                    return await self._edit_or_post(place, draw(copies), too_large=False)
            except discord.HTTPException as error:
                if not is_too_large(error):
                    raise
            async with self._copies(images, SMALL) as copies:
                return await self._edit_or_post(place, draw(copies))

    async def _edit_or_post(self, place: Place, card: Card, *, too_large: bool = True) -> Posted | None:
        """`too_large` says whether files that Discord finds too large are left out already."""

        async def send(card: Card) -> int | None:
            if place.message_id is not None and await self._edit(place, card, unarchive=True):
                return place.message_id
            return await self._post_once(place, card, place.nonce) if place.nonce else None

        message_id = await self._send(card, place, send, too_large=too_large)
        return Posted(message_id=message_id, channel_id=place.channel_id) if message_id else None

    async def edit(self, place: Place, card: Card, *, timeout: float = CALL) -> bool:
        """Edit the message; False when there is none any more."""
        return await self._send(card, place, lambda card: self._edit(place, card, timeout=timeout))

    async def _send(
        self, card: Card, place: Place, send: Callable[[Card], Awaitable[Sent]], *, too_large: bool = True
    ) -> Sent:
        """Send a card, without its files where Discord refuses those alone."""
        try:
            return await send(card)
        except discord.HTTPException as error:
            why = refusal_of_files(error)
            if not card.files or why is None or (is_too_large(error) and not too_large):
                raise
            log.warning("A card in channel %d goes without its files: %s", place.channel_id, error)
            return await send(without_files(card, f"The pictures cannot be shown here. {why} {place.elsewhere}"))

    async def _edit(self, place: Place, card: Card, *, timeout: float = CALL, unarchive: bool = False) -> bool:
        """Edit the message; False when there is none any more. `unarchive` wakes a thread that fell asleep."""
        if place.message_id is None:
            return False
        by_id = self._channel(place).get_partial_message(place.message_id)
        edits: list[Callable[..., Awaitable[object]]] = [by_id.edit]
        if place.token:
            hook = discord.Webhook.partial(place.token.application_id, place.token.token, client=self._client)
            edits.insert(0, partial(hook.edit_message, place.message_id))
        if unarchive:
            edits.append(by_id.edit)  # once more, in a thread that was woken
        for number, edit in enumerate(edits, 1):
            try:
                async with asyncio.timeout(timeout), _opened(card) as files:
                    # A message with a layout may have no text; one that held a sentence before still has it.
                    await edit(content=None, view=card.view, attachments=files, allowed_mentions=NOBODY)
            except discord.HTTPException as error:
                if error.code in GONE:
                    if edit == by_id.edit:
                        return False
                elif error.code == ARCHIVED and number < len(edits):
                    if edit == by_id.edit:
                        await self._unarchive(place, error)
                elif edit == by_id.edit or error.status not in {401, 404}:
                    raise
            else:
                return True
        return False

    async def _unarchive(self, place: Place, error: discord.HTTPException) -> None:
        """Wake a thread that Discord has archived because nobody wrote in it.

        It needs the permission to write there, and no other (Discord API docs, Modify Channel).

        Raises:
            HTTPException: the given error, where the thread is locked, too.
        """
        try:
            await self._client.http.edit_channel(place.channel_id, archived=False)
        except discord.Forbidden:
            raise error from None

    async def _post_once(self, place: Place, card: Card, nonce: str) -> int:
        """Post a card, or find the message that an earlier attempt has posted."""
        earlier = await self._attempts.find(place.channel_id, nonce)
        if earlier and earlier.message_id is not None and earlier.message_id != place.message_id:
            if await self._edit(replace(place, message_id=earlier.message_id, token=None), card, unarchive=True):
                return earlier.message_id
        elif earlier is None or earlier.message_id is None:
            message_id = await self._find(place, card, earlier.at if earlier else None)
            if message_id is not None:
                return message_id
        attempt = await self._attempts.begin(place.channel_id, nonce)
        message_id = await self._post(place, card, nonce)
        await self._attempts.finish(place.channel_id, nonce, attempt, message_id)
        return message_id

    async def _find(self, place: Place, card: Card, began: float | None) -> int | None:
        """The message that an earlier attempt has posted: it is ours and has the very same buttons.

        Discord recognises a nonce only for a few minutes, and an attempt may be hours old. What was posted since
        `began` (Unix seconds) is searched from there on; the newest messages in any case, because the clock may have
        been set since.
        """
        wanted = {item.custom_id for item in card.view.walk_children() if isinstance(item, PressButton)}
        if not wanted or self._client.user is None:
            return None
        channel, own = self._channel(place), self._client.user.id
        searched = [channel.history(limit=HISTORY)]
        if began is not None:
            start = discord.Object(time_snowflake(datetime.fromtimestamp(began - SKEW, UTC)))
            searched.insert(0, channel.history(limit=SEARCHED, after=start, oldest_first=True))
        try:
            async with asyncio.timeout(CALL):
                for number, messages in enumerate(searched, 1):
                    async for message in messages:
                        if message.author.id == own and set(custom_ids(message.components)) == wanted:
                            return message.id
                        if began and number < len(searched) and message.created_at.timestamp() > began + CALL + SKEW:
                            break
        except (discord.Forbidden, discord.NotFound):  # the post itself says what is wrong
            pass
        return None

    async def _post(self, place: Place, card: Card, nonce: str) -> int:
        async with asyncio.timeout(CALL), _opened(card) as files:
            members = [discord.Object(user_id) for user_id in place.notified]
            roles = [discord.Object(place.notified_role)] if place.notified_role else False
            mentions = discord.AllowedMentions(everyone=False, roles=roles, users=members or False)
            channel = self._channel(place)
            return (await channel.send(view=card.view, files=files, nonce=nonce, allowed_mentions=mentions)).id

    def _channel(self, place: Place) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)

    def check_connected(self, place: Place) -> None:
        """What people wait for goes out by their interaction's token; all else when Discord has named the channels of
        its server, or of all servers.

        Raises:
            Unavailable: the bot has not come that far.
        """
        guild = self._client.get_guild(place.guild_id)
        named = self._client.is_ready() or (guild is not None and not guild.unavailable)
        connected = self._client.user is not None if place.token else named
        if not connected or self._client.is_closed():
            raise Unavailable("The bot is not connected to Discord.", retry_after=2.0)

    @asynccontextmanager
    async def translate_errors(self, place: Place) -> AsyncGenerator[None]:
        """Turn the errors of discord.py and of the network into the bot's own."""
        self.check_connected(place)
        try:
            yield
        except discord.RateLimited as error:
            raise Unavailable("Discord asks the bot to wait.", retry_after=error.retry_after) from error
        except discord.HTTPException as error:
            raise meaning(error, self._client, place.guild_id, place.channel_id) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise recognise(error) or Unavailable("Discord does not answer just now.") from error
        except FileNotFoundError as error:
            raise Broken("A stored file is missing.") from error
        except OSError as error:
            raise recognise(error) or Unavailable("Discord does not answer just now.") from error
        except RuntimeError as error:  # aiohttp says so that the bot is being closed just now
            if not self._client.is_closed():
                raise
            raise Unavailable("The bot is not connected to Discord.", retry_after=2.0) from error

    # Files.

    def _file_limit(self, place: Place) -> int:
        """Bytes that one file may have there."""
        if place.token:
            return max(place.token.file_limit, limits.FILE_BYTES)
        guild = self._client.get_guild(place.guild_id)
        return max(guild.filesize_limit, limits.FILE_BYTES) if guild else limits.FILE_BYTES

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
                preview = await self._decoder.run(make_preview, self._files.path(image.sha256), most)
                path = await stack.enter_async_context(self._files.temporary())
                await asyncio.to_thread(path.write_bytes, preview.content)
                extension = "webp" if preview.media_type == "image/webp" else "jpg"
                copies[image.sha256] = Copy(path, extension)
                total += len(preview.content) - image.bytes
            yield copies


@asynccontextmanager
async def _opened(card: Card) -> AsyncGenerator[list[discord.File]]:
    """The card's files, closed whatever happens; discord.py closes only those that it came to send."""
    files = card.open_files()
    try:
        yield files
    finally:
        for file in files:
            file.close()


def nonce(text: str) -> str:
    """As long as Discord allows, and the same for the same text."""
    return text if len(text) <= limits.NONCE_CHARACTERS else hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
