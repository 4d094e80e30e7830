"""Posts and edits the message of a card, finds it again after a crash, and turns Discord's refusals into errors.

Nothing here tries again, except with smaller files where Discord finds them too large.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp
import discord

from bot import limits
from bot.cards.base.layout import Card, Copy
from bot.discord.buttons import PressButton, custom_ids
from bot.discord.permissions import missing
from bot.errors import BotError, Broken, Refused, Unavailable
from bot.pictures.decode import Decoder
from bot.pictures.preview import make_preview
from bot.workflows.base.files import Files
from bot.workflows.base.types import Posted
from storage.drawing.images import Image

CALL = 60.0
"""Seconds for one request to Discord, its waits for rate limits included."""
HISTORY = 100
"""Newest messages of a channel that are searched for a card before it is posted again."""
REQUEST = limits.REQUEST_BYTES - 256 * 1024
"""Bytes of all files of a message, less what the card itself takes."""
SMALL = 2 * 1024 * 1024
"""Bytes of a file where Discord found larger ones too large."""
NOBODY = discord.AllowedMentions.none()
"""Said at every edit: the client's own default reaches what it sends, not what it edits by id."""

_GONE = {10008, 50005, 50083}
"""Unknown message, another author's message, archived thread: it cannot be edited, but a new one may be posted."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of an interaction: enough to edit its message without the channel's permissions."""

    application_id: int
    token: str = field(repr=False)
    until: float
    """Unix seconds."""
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


class Posting:
    """Speaks to Discord for the delivery. It remembers nothing."""

    def __init__(self, client: discord.Client, *, files: Files, decoder: Decoder) -> None:
        self._client = client
        self._files = files
        self._decoder = decoder

    async def put(
        self, place: Place, images: Sequence[Image], draw: Callable[[Mapping[str, Copy]], Card]
    ) -> Posted | None:
        """Bring a card to its place, with smaller copies of what Discord would find too large.

        None where it cannot be edited and must not be posted.
        """
        async with self.translate_errors(place):
            try:
                async with self._copies(images, self._file_limit(place)) as copies:
                    return await self._edit_or_post(place, draw(copies))
            except discord.HTTPException as error:
                if error.status != 413 and error.code != 40005:
                    raise
            async with self._copies(images, SMALL) as copies:
                return await self._edit_or_post(place, draw(copies))

    async def _edit_or_post(self, place: Place, card: Card) -> Posted | None:
        message_id = place.message_id if await self.edit(place, card) else None
        if message_id is None and place.nonce:
            message_id = await self._find(place, card) or await self._post(place, card, place.nonce)
        return Posted(message_id=message_id, channel_id=place.channel_id) if message_id else None

    async def edit(self, place: Place, card: Card, *, timeout: float = CALL) -> bool:
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
                    # A message with a layout may have no text; one that held a sentence before still has it.
                    await edit(content=None, view=card.view, attachments=files, allowed_mentions=NOBODY)
            except discord.HTTPException as error:
                if error.code not in _GONE and not (edit is not edits[-1] and error.status in {401, 404}):
                    raise
            else:
                return True
        return False

    async def _find(self, place: Place, card: Card) -> int | None:
        """The message that an earlier try has posted: it is ours and has the very same buttons.

        Discord recognises a nonce only for a few minutes, and a try may be hours old.
        """
        wanted = {item.custom_id for item in card.view.walk_children() if isinstance(item, PressButton)}
        if not wanted or self._client.user is None:
            return None
        try:
            async with asyncio.timeout(CALL):
                async for message in self._channel(place).history(limit=HISTORY):
                    if message.author.id == self._client.user.id and set(custom_ids(message.components)) == wanted:
                        return message.id
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

    @asynccontextmanager
    async def translate_errors(self, place: Place) -> AsyncGenerator[None]:
        """Turn the errors of discord.py and of the network into the bot's own."""
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

    def _meaning(self, error: discord.HTTPException, place: Place) -> BotError:
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

    def _lacking(self, place: Place) -> str:
        """Which permission is missing, as far as the bot can see for itself."""
        guild = self._client.get_guild(place.guild_id)
        channel = guild.get_channel_or_thread(place.channel_id) if guild else None
        me = guild.get_member(self._client.user.id) if guild and self._client.user else None
        nothing = discord.Permissions.none()
        granted = channel.permissions_for(me) if channel and me else nothing
        needed = missing(granted, channel) or missing(nothing, channel)
        return f"The bot may not post in <#{place.channel_id}>. It needs there: {', '.join(needed)}."

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
