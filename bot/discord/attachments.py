"""The files of messages: those attached, forwarded, shown in a layout or embedded; their names; their download."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp
import discord

from bot.errors import Refused, Unavailable
from bot.pictures.names import Kind, kind_of, quoted

PATIENCE = 60.0
"""Seconds that one file may take from Discord; 100 MB take 8 of them at 100 Mbit/s."""
MOST_FILES = 30
"""Files of one message that are looked at; a layout may show hundreds."""
_OWN_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")


@dataclass(frozen=True)
class MessageFile:
    """A file of a message. Discord keeps it for some hours at a signed link."""

    name: str
    """That it had on the disk of its member."""
    url: str
    size: int = 0
    """Bytes, as Discord says; 0 where it does not say."""
    content_type: str = ""

    def is_usable(self, *kinds: Kind) -> bool:
        """Whether it may be of these kinds, by its name or, for a picture, by what Discord says it is.

        Its content has the last word, once it is read.
        """
        kind = kind_of(self.name)
        return kind in kinds or (
            kind is Kind.OTHER and self.content_type.startswith("image/") and Kind.PICTURE in kinds
        )


def files_of(message: discord.Message | discord.MessageSnapshot) -> list[MessageFile]:
    """The first files that a reader of the message sees, each once: of a forwarded message, those of the original.

    A message that is made of components may have its files in galleries, thumbnails and file components alone
    (Discord API docs, Component Reference, 2025), and another bot's picture may be an embed.
    """
    parts = [*_walk(message.components)]
    files = [*_attached(message), *_placed(parts), *_embedded(message.embeds)]
    for snapshot in getattr(message, "message_snapshots", ()):
        files += files_of(snapshot)
    by_place = {file.url.partition("?")[0]: file for file in reversed(files or [*_small(parts)])}
    return [*reversed(by_place.values())][:MOST_FILES]


def _attached(message: discord.Message | discord.MessageSnapshot) -> Iterator[MessageFile]:
    for each in message.attachments:
        yield MessageFile(name_of(each), each.url, each.size, each.content_type or "")


def _walk(components: Iterable[Any]) -> Iterator[Any]:
    """The components of a message, however deep."""
    for component in components:
        yield component
        accessory = getattr(component, "accessory", None)
        yield from _walk([*getattr(component, "children", ()), *([accessory] if accessory else [])])


def _placed(parts: Iterable[Any]) -> Iterator[MessageFile]:
    for part in parts:
        if isinstance(part, discord.MediaGalleryComponent):
            yield from (file for item in part.items for file in _unfurled(item.media, kind="image/*"))
        elif isinstance(part, discord.FileComponent):
            yield from _unfurled(part.media, name=part.name, size=part.size)


def _small(parts: Iterable[Any]) -> Iterator[MessageFile]:
    """Thumbnails, which stand for something else unless the message has nothing larger."""
    for part in parts:
        if isinstance(part, discord.ThumbnailComponent):
            yield from _unfurled(part.media, kind="image/*")


def _unfurled(
    media: discord.UnfurledMediaItem, *, name: str | None = None, size: int | None = None, kind: str = ""
) -> Iterator[MessageFile]:
    """`kind` is what it is where Discord does not say."""
    own = media.attachment_id is not None or _is_discords(media.url)
    if url := media.url if own else media.proxy_url:
        yield MessageFile(name or _last_part(media.url), url, size or 0, media.content_type or kind)


def _embedded(embeds: Iterable[discord.Embed]) -> Iterator[MessageFile]:
    """What a bot shows large, and what a pasted address of a picture became; the preview of a web page is neither."""
    for embed in embeds:
        image = embed.thumbnail if embed.type == "image" else embed.image
        url = image.url if image.url and _is_discords(image.url) else image.proxy_url
        if image.url and url and embed.type in {"rich", "image"}:
            yield MessageFile(_last_part(image.url), url, content_type="image/*")


def _is_discords(url: str) -> bool:
    """Discord itself has the file there. Another website is never called: Discord's proxy has a copy."""
    return _parts_of(url).hostname in _OWN_HOSTS


def _last_part(url: str) -> str:
    return unquote(PurePath(_parts_of(url).path).name) or "picture"


def _parts_of(url: str) -> SplitResult:
    """Of an address that anybody may have typed; nothing where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def name_of(attachment: discord.Attachment) -> str:
    """The name that a file had on the disk of its member."""
    return full_name(attachment.filename, attachment.title)


def full_name(filename: str, title: str | None) -> str:
    """Discord replaces what is no ASCII in `filename`, and keeps the true name, without its ending, in `title`.

    Two owls called 白い梟.jpg and 黒い梟.jpg have the same `filename` (Discord API docs, Attachment Object, 2025).
    """
    ending = PurePath(filename).suffix
    if not title or title.casefold().endswith(ending.casefold()):
        return title or filename
    return f"{title}{ending}"


async def download(client: discord.Client, file: MessageFile) -> bytes:
    """The bytes of a file.

    Raises:
        Refused: Discord has it no longer, or it is larger than Discord says.
        Unavailable: Discord does not hand it over, or takes more than `PATIENCE` for it.
    """
    name = quoted(file.name)
    try:
        async with asyncio.timeout(PATIENCE):
            content = await client.http.get_from_cdn(file.url)
    except (discord.NotFound, discord.Forbidden) as error:
        raise Refused(f"Discord no longer has {name}. Please attach it again.") from error
    except TimeoutError as error:
        raise Unavailable(f"Discord took more than a minute to hand over {name}. Please try again.") from error
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"Discord did not hand over {name}. Please try again.") from error
    if file.size and len(content) > file.size:
        raise Refused(f"Discord handed over more of {name} than it has. Please attach it again.")
    return content
