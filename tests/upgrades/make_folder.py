"""Makes `tests/golden/NAME` with this version's bot: the folder that it leaves when it is killed at work.

    .venv/bin/python -m tests.upgrades.make_folder NAME

NAME is the date and the feature. The bot of the tests' community does a few things of every kind, and its folder is
copied while it is at work.
"""

import argparse
import asyncio
import contextlib
import io
import json
import shutil
import sqlite3
import tempfile
import zipfile
from pathlib import Path

import discord
import pytest
import simcord
from pydantic import AnyHttpUrl

from bot.config import Settings
from standins.chain.accounts import OLGA
from tests.scenes import clock
from tests.scenes.community import Community, a_community
from tests.scenes.kiln import picture
from tests.upgrades.describe import describe, find_columns_with_origins, load_pictures
from tests.upgrades.older import GOLDEN, select

BEGINS = clock.START - 900.0
"""The bot's time at which the story begins: the folder is some minutes old where the clock of every test begins."""
ENDS = clock.START - 240.0
"""The bot's time before which the folder is copied."""
PEOPLED_AT = 3600.0
"""Seconds of SimCord's clock at which the guild is made: nothing else is made then, so its ids are always the same."""
GATEWAY = AnyHttpUrl("https://ipfs.io")
"""The gateway in the terms that are submitted: the setting's default, and not a stand-in's port."""
AT_WORK = ["kept", "ordered", "waiting", "waiting"]
"""The pictures of the request that is under way when the folder is copied."""


def _picture(number: int) -> tuple[str, bytes]:
    return f"picture-{number}.jpg", picture(number, size=(512, 512))


def _archive(*files: tuple[str, bytes]) -> tuple[str, bytes]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, file in files:
            archive.writestr(name, file)
    return "set.zip", content.getvalue()


async def _press(
    community: Community, card: discord.Message, label: str, member: simcord.MemberActor | None = None
) -> simcord.InteractionResult:
    result = await (member or community.ada).click(card, label=label)
    await community.clock.settle()
    return result


class Story:
    """What happens until the bot is killed. `posts` has the ids of messages by what they are."""

    def __init__(self, community: Community) -> None:
        self._community = community
        self.posts: dict[str, int] = {}

    async def play(self) -> None:
        await self._community.decide(
            moderator_role_id=self._community.role.id,
            review_channel_id=self._community.review.id,
            wallet=OLGA.address,
            daily_budget=50_000_000,
        )
        await self._finish_requests()
        await self._draft_finetune_with_everything()
        await self._draft_finetune_to_start()
        await self._submit_registration()
        await self._community.clock.leap(ENDS - 40 - self._community.clock.now())
        await self._finish_request_that_is_refused()
        await self._begin_request()

    def _name_newest(self, name: str) -> discord.Message:
        card = self._community.cards[-1]
        self.posts[name] = card.id
        return card

    async def _finish_requests(self) -> None:
        await self._community.drawn(prompt="a lighthouse in a storm", count=2)
        self._name_newest("finished")
        await self._community.drawn(prompt="a cat in a lighthouse")
        self._name_newest("finished_to_delete")
        await self._community.drawn(prompt="a red fox in the snow")
        self._name_newest("finished_and_submitted")

    async def _draft_finetune_with_everything(self) -> None:
        community = self._community
        given = _archive(_picture(1), ("picture-1.txt", b"Luna on a roof"), _picture(2), _picture(3))
        await community.ada.slash(community.studio, "finetune create", name="Luna", kind="character", archive=given)
        await community.clock.settle()
        card = self._name_newest("draft")
        await _press(community, card, "Let others add")
        form = await _press(community, card, "Add pictures", community.ben)
        await community.ben.submit_modal(form, {"pictures": [_picture(4)]})
        post = await community.ben.send(community.studio, "one more", attachments=[_picture(5)])
        self.posts["bens_pictures"] = post.id
        await community.ada.context_menu(community.studio, "Add to training set", post)
        await community.pass_time(5)
        self._name_newest("draft_news_to_ben")
        form = await _press(community, card, "Captions")
        await community.ada.submit_modal(form, {"captions": "2: Luna asleep"})
        await community.pass_time(5)

    async def _draft_finetune_to_start(self) -> None:
        community = self._community
        form = await community.ada.slash(community.studio, "finetune create", name="Sol", kind="style")
        await community.ada.submit_modal(form, {"pictures": [_picture(number) for number in (11, 12, 13)]})
        await community.pass_time(5)
        self._name_newest("draft_to_start")

    async def _submit_registration(self) -> None:
        community = self._community
        fox = next(card for card in community.cards if card.id == self.posts["finished_and_submitted"])
        draft = await _press(community, fox, "Register")
        assert draft.response
        form = await _press(community, draft.response.message, "Edit text")
        text = {"title": "A red fox", "description": "In the snow", "tags": "fox, snow"}
        await community.ada.submit_modal(form, text)
        await _press(community, draft.response.message, "Submit")
        await community.pass_time(5)
        self._name_newest("registration")
        (question,) = community.review.history()
        self.posts["review"] = question.id

    async def _finish_request_that_is_refused(self) -> None:
        """Of an age-restricted channel; Discord refuses the finished card, so Ben is to be told at his next command."""
        community = self._community
        studio = community.app.client.get_channel(community.studio.id)
        assert isinstance(studio, discord.TextChannel)
        studio.nsfw = True  # SimCord's channels have no such switch
        await community.imagine(community.ben, prompt="a duel at dawn")
        await community.pass_time(4)
        self._name_newest("refused")
        studio.nsfw = False
        for path in ("/channels/*", "/webhooks/*"):
            community.env.inject_error("*", path, status=403, code=50013, times=None)
        await community.pass_time(8)
        community.env.backend.faults.clear()
        assert [each["stage"] for each in load_pictures(community)] == ["kept"]

    async def _begin_request(self) -> None:
        community = self._community
        community.bfl.active_limit = 1
        await community.imagine(prompt="a harbour at dusk", count=4)
        self._name_newest("under_way")
        for _ in range(60):
            if [each["stage"] for each in load_pictures(community)] == AT_WORK:
                break
            await community.pass_time(0.5)
        await community.pass_time(1)


def _copy_at_work(community: Community, target: Path) -> None:
    """Copy the files with nothing closed, which is what a kill leaves; then make each database one file."""
    target.mkdir(parents=True)
    for name in ("bot.db", "bot.db-wal"):
        shutil.copy(community.folder / name, target)
    shutil.copytree(community.folder / "media", target / "media", ignore=shutil.ignore_patterns("tmp"))
    shutil.copy(community.folder / "standins" / "bfl.db", target)
    for name in ("bot.db", "bfl.db"):
        with contextlib.closing(sqlite3.connect(target / name, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("VACUUM")
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _check_at_work(community: Community) -> None:
    assert [each["stage"] for each in load_pictures(community)] == AT_WORK
    assert select(community, "SELECT 1 FROM jobs WHERE lease_holder IS NOT NULL")
    assert select(community, "SELECT 1 FROM notes WHERE name LIKE 'undelivered %'")
    assert select(community, "SELECT 1 FROM jobs WHERE age_restricted")
    assert ENDS - 20 < community.clock.now() < ENDS
    assert find_columns_with_origins(community) == {"steps.result"}, "the only ones that OlderFolder rewrites"
    assert not community.env.errors


async def make_folder(target: Path, patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Play the story in `folder` and copy what it leaves to `target`, which does not exist yet."""
    ordinary = Community.settings.fget
    assert ordinary
    populate = Community.populate

    def settings_with_gateway(community: Community) -> Settings:
        return ordinary(community).model_copy(update={"ipfs_gateway_url": GATEWAY})

    def populate_later(community: Community) -> None:
        backend = community.env.backend
        backend.advance_clock(PEOPLED_AT - backend.clock.elapsed)
        populate(community)

    patch.setattr(Community, "settings", property(settings_with_gateway))
    patch.setattr(Community, "populate", populate_later)
    patch.setattr(clock, "START", BEGINS)
    state = folder / "standins" / "bfl.db"
    async with a_community(folder, trainers=["bfl"], story={}, state=state) as community:
        story = Story(community)
        await story.play()
        _check_at_work(community)
        _copy_at_work(community, target)
        description = describe(community, story.posts, peopled_at=PEOPLED_AT)
        text = json.dumps(description, indent=1, ensure_ascii=False)
        (target / "story.json").write_text(f"{text}\n", encoding="utf-8")
        community.bfl.active_limit = 24


def main() -> None:
    parser = argparse.ArgumentParser(description="Make tests/golden/NAME with this version's bot.")
    parser.add_argument("name", metavar="NAME", help="the date and the feature, as in 2026-11-29-registration")
    target = GOLDEN / parser.parse_args().name
    if target.exists():
        parser.error(f"{target} exists. A newer bot must not replace what an older one has left.")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        asyncio.run(make_folder(target, patch, Path(folder)))


if __name__ == "__main__":
    main()
