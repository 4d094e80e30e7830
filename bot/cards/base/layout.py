"""What can be shown: a layout, its files, and a digest of both that says whether there is anything new to see."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot import limits
from bot.discord.buttons import PressButton

APPROVES = "1:rev:ok:"
"""Begins the custom_ids of the buttons that approve."""


@dataclass(frozen=True)
class Copy:
    """A smaller file to show instead of an image."""

    path: Path
    extension: str


@dataclass(frozen=True)
class CardFile:
    """A picture of a card. `description` is its alt text."""

    path: Path
    filename: str
    spoiler: bool
    description: str

    def open(self) -> discord.File:
        return discord.File(self.path, filename=self.filename, spoiler=self.spoiler, description=self.description)

    @property
    def link(self) -> str:
        """How the layout names it, as discord.File does."""
        return f"attachment://{'SPOILER_' if self.spoiler else ''}{self.filename}"


@dataclass(frozen=True)
class Card:
    """One message. `key` is equal for cards that look the same, so that nothing is edited for nothing.

    The view is stopped from the beginning: it holds only persistent buttons, so discord.py has nothing to
    remember of it after it was sent.
    """

    view: ui.LayoutView
    files: tuple[CardFile, ...]
    key: str

    def open_files(self) -> list[discord.File]:
        """The files to send, opened anew: discord.py closes them after each try.

        Raises:
            OSError: one cannot be read.
        """
        opened: list[discord.File] = []
        try:
            for file in self.files:
                opened.append(file.open())  # noqa: PERF401 # those already open are closed when the next one fails
        except OSError:
            for file in opened:
                file.close()
            raise
        return opened


def text(*lines: str | None) -> ui.TextDisplay[Any]:
    """Lines of markdown; those that have nothing to say are left out."""
    return ui.TextDisplay("\n".join(line for line in lines if line))


def gallery(files: Sequence[CardFile]) -> ui.MediaGallery[Any]:
    return ui.MediaGallery(
        *(discord.MediaGalleryItem(file.link, description=file.description, spoiler=file.spoiler) for file in files)
    )


def row(buttons: Sequence[PressButton]) -> list[ui.Item[Any]]:
    """At most five buttons in a row, or no row at all."""
    assert len(buttons) <= limits.ROW_BUTTONS, "Discord has five buttons a row"
    children: list[Any] = list(buttons)  # discord.py types a dynamic item for both kinds of view, a row for one
    placed: ui.Item[Any] = ui.ActionRow[Any](*children)
    return [placed] if buttons else []


def buttons_below(buttons: Sequence[PressButton]) -> ui.View | None:
    """Buttons under an ordinary text; None where there are none."""
    if not buttons:
        return None
    view = ui.View(timeout=None)
    for each in buttons:
        view.add_item(each)
    view.stop()
    return view


def compose(
    items: Iterable[ui.Item[Any]], *, colour: discord.Colour | None = None, files: Sequence[CardFile] = ()
) -> Card:
    return _card([ui.Container(*items, accent_colour=colour)], files)


def extended(card: Card, items: Iterable[ui.Item[Any]]) -> Card:
    """The card with more below it. Use it instead of the first, whose parts move."""
    return _card([*card.view.children, *items], card.files)


def without_files(card: Card, note: str) -> Card:
    """The card with a note instead of its files. Use it instead of the first, whose parts move.

    Nobody may approve what they cannot see, so a question to moderators has no such button then.
    """
    items = list(_without_files(card.view.children))
    items.append(text(f"-# {note.strip()}"))
    shown = _card(items, ())
    if shown.view.content_length() <= limits.CARD_CHARACTERS:
        return shown
    return _card(items[:-1], ())


def _without_files(items: Iterable[ui.Item[Any]]) -> Iterator[ui.Item[Any]]:
    for item in items:
        match item:
            case ui.Container():
                yield ui.Container(*_without_files(item.children), accent_colour=item.accent_colour)
            case ui.Section() if isinstance(item.accessory, ui.Thumbnail):
                yield from item.children
            case ui.MediaGallery() | ui.File():
                pass
            case ui.ActionRow():
                yield from row(
                    [each for each in item.children if isinstance(each, PressButton) and not _approves(each)]
                )
            case _:
                yield item


def _approves(button: PressButton) -> bool:
    return button.custom_id.startswith(APPROVES)


def _card(items: Iterable[ui.Item[Any]], files: Sequence[CardFile]) -> Card:
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    seen = [view.to_components(), [file.link for file in files]]
    key = hashlib.blake2b(json.dumps(seen, sort_keys=True).encode(), digest_size=12).hexdigest()
    return Card(view, tuple(files), key)
