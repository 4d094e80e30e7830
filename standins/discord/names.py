"""File names as Discord shows them. What is no ASCII letter is replaced; the true name is the attachment's `title`."""

import re
from pathlib import PurePath
from typing import Any

import simcord


def replace_letters(filename: str) -> tuple[str, str | None]:
    """A file's name as Discord shows it, and its title where that is another name (API docs, Attachment Object)."""
    shown = re.sub(r"[^A-Za-z0-9._-]+", "_", filename)
    return shown, None if shown == filename else PurePath(filename).stem


def replace_in_simcord(env: simcord.Env) -> None:
    """Have SimCord, which keeps every name as it is, replace names as Discord does."""
    store = env.backend.cdn
    keep = store.store_attachment

    def store_attachment(
        attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        shown, title = replace_letters(filename)
        stored = keep(attachment_id, channel_id, shown, data, description)
        return stored if title is None else stored | {"title": title}

    vars(store)["store_attachment"] = store_attachment
