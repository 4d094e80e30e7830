"""The names of the files that members attach."""

from pathlib import PurePath

import discord

from bot.pictures.names import Kind, kind_of


def name_of(attachment: discord.Attachment) -> str:
    """The name that a file had on the disk of its member."""
    return full_name(attachment.filename, attachment.title)


def is_usable(attachment: discord.Attachment, *kinds: Kind) -> bool:
    """Whether a file of a message may be of these kinds, by its name or, for a picture, by what Discord says it is.

    Its content has the last word, once it is read.
    """
    kind = kind_of(name_of(attachment))
    is_image = (attachment.content_type or "").startswith("image/")
    return kind in kinds or (kind is Kind.OTHER and is_image and Kind.PICTURE in kinds)


def full_name(filename: str, title: str | None) -> str:
    """Discord replaces what is no ASCII in `filename`, and keeps the true name, without its ending, in `title`.

    Two owls called 白い梟.jpg and 黒い梟.jpg have the same `filename` (Discord API docs, Attachment Object, 2025).
    """
    ending = PurePath(filename).suffix
    if not title or title.casefold().endswith(ending.casefold()):
        return title or filename
    return f"{title}{ending}"
