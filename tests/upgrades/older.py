"""A data folder that an older bot left when it was killed at work, and this version's bot on a copy of it.

`bot.db` and `media` are the folder, `bfl.db` is the state of the BFL stand-in and `story.json` says what was going on.
Two things of the copy are changed, because they belong to the simulated world and not to the bot: the addresses of
stand-ins in receipts, whose ports are others now, and which commands Discord was sent, because this Discord was sent
none. SimCord is given the old messages under their ids; the guild gets the same ids because it is made at the same
moment of SimCord's clock.
"""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models import Message

from tests import ROOT
from tests.scenes.community import Community, a_community

LATER = 3600.0
"""Seconds of SimCord's clock between the old bot and this one: new ids are above all old ones."""
LINK_LIFE = 590.0
"""Seconds after which the links of BFL to pictures that the old bot ordered are too old to be followed."""
PEOPLE = ("guild", "role", "studio", "review", "ada", "ben", "mia", "olga")


GOLDEN = ROOT / "tests" / "golden"


class OlderFolder:
    """A folder that `make_folder` has made, in `GOLDEN` or elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def story(self) -> dict[str, Any]:
        return json.loads((self.path / "story.json").read_text(encoding="utf-8"))

    @contextlib.asynccontextmanager
    async def open_copy(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, deleted: Collection[str] = ()
    ) -> AsyncGenerator[Community]:
        """The old community with this version's bot, minutes after the old one died.

        `deleted` names messages of the story that somebody has deleted meanwhile.
        """
        shutil.copytree(self.path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("story.json", "bfl.db"))
        standins = folder.with_name(f"{folder.name}-standins")
        standins.mkdir()
        shutil.copy(self.path / "bfl.db", standins)
        _write(folder, [("DELETE FROM notes WHERE name = 'commands'", ())])
        populate = Community.populate

        def populate_as_before(community: Community) -> None:
            backend = community.env.backend
            backend.advance_clock(self.story["simcord"]["peopled_at"] - backend.clock.elapsed)
            populate(community)
            self._check_same_world(community)
            self._restore_messages(community, deleted)
            backend.advance_clock(LATER)
            replace = "UPDATE steps SET result = replace(result, ?, ?)"
            origins = community.services.origins
            _write(folder, [(replace, (old, origins[name])) for name, old in self.story["origins"].items()])

        monkeypatch.setattr(Community, "populate", populate_as_before)
        async with a_community(folder, trainers=["bfl"], story={}, state=standins / "bfl.db") as community:
            yield community

    def _check_same_world(self, community: Community) -> None:
        before, backend = self.story["simcord"], community.env.backend
        assert self.story["left"] < community.clock.now() < self.story["left"] + LINK_LIFE
        assert (backend.application_id, backend.bot_user.id) == (before["application_id"], before["bot"])
        assert community.services.collection == self.story["chain"]["collection"]
        for name in PEOPLE:
            assert getattr(community, name).id == before[name], f"{name} has another id than before"

    def _restore_messages(self, community: Community, deleted: Collection[str]) -> None:
        backend = community.env.backend
        gone = {self.story["posts"][name] for name in deleted}
        for message in self.story["messages"]:
            if message["id"] not in gone:
                backend.messages[message["channel_id"]][backend.reserve_id(message["id"])] = Message(**message)
        for url, sha256 in self.story["blobs"].items():
            content = (self.path / "media" / sha256[:2] / sha256[2:4] / sha256).read_bytes()
            backend.cdn._blobs[url] = content  # pyright: ignore[reportPrivateUsage] - it has no other way in

    def find_post(self, community: Community, name: str) -> discord.Message:
        """A message of the story, as it is now."""
        messages = [*community.studio.history(), *community.review.history()]
        return next(each for each in messages if each.id == self.story["posts"][name])

    async def press(
        self, community: Community, name: str, label: str, member: simcord.MemberActor | None = None
    ) -> simcord.InteractionResult:
        """Press a button that the old bot made: by the custom_id that it had then."""
        custom_id = self.story["buttons"][name][label]
        result = await (member or community.ada).click(self.find_post(community, name), custom_id=custom_id)
        await community.clock.settle()
        return result


def select(community: Community, query: str, *values: object) -> list[dict[str, Any]]:
    """Rows of the database as it is now."""
    with contextlib.closing(sqlite3.connect(f"file:{community.folder / 'bot.db'}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(each) for each in db.execute(query, values)]


def _write(folder: Path, statements: list[tuple[str, tuple[object, ...]]]) -> None:
    with contextlib.closing(sqlite3.connect(folder / "bot.db")) as db, db:
        for statement, values in statements:
            db.execute(statement, values)
