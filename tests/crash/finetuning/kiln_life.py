"""A world in which a finetune is made: what its owner does, and how it stands when a bot has died."""

import asyncio
import copy
import io
import os
import shutil
import signal
import time
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from standins.bfl import BflServer, Task
from standins.bfl.service import TRAINING
from standins.discord import LocalDiscord, Message, upload
from standins.discord.rules import walk
from tests.crash.life import FastClock
from tests.crash.lives import PATIENCE, Zygote
from tests.crash.tables import Row, Tables, read_copy, read_tables
from tests.crash.world import TOKEN, World
from tests.scenes.kiln import picture

TRAINING_TIME = 25.0
"""Seconds of the bot's that BFL takes for a training: the first look finds it under way, the second ready."""
BIRTH = 1_750_000_000.0
"""Unix seconds at which the Discord of every kiln is made, so that all have the same people and places."""
PICTURES = 2
SIZE = (512, 512)
DAY = 86_400.0


@dataclass(frozen=True)
class Wish:
    """What the owner of a finetune does, and SQL that finds a row once the bot has taken it."""

    do: Callable[["Kiln"], Awaitable[None]]
    taken: str


@dataclass(frozen=True)
class Template:
    """What a kiln begins with: a folder of the bot's (and of BFL's), and what is in the channel."""

    folder: Path
    epoch: float
    posts: Sequence[Message] = ()


@dataclass
class Kiln(World):
    """A world with one finetune, whose owner wishes one thing."""

    wanted: Wish | None = None
    granted: bool = False
    """The bot has taken the wish."""
    left: Tables | None = None
    """What the last bot has left behind."""

    async def lead(
        self, moment: str | None = None, *, number: signal.Signals = signal.SIGKILL, after: float | None = None
    ) -> int:
        """As of a `World`. A bot that died with its order on the way is started again a day later if BFL has none."""
        assert self.wanted
        self.wish = self.wanted.taken
        if self.half_paid and not self.trainings:
            FastClock(self.epoch, self.folder).skip(DAY + 1)
        sessions = self.discord.gateway.identified
        process = await self.start(moment=moment, number=number)
        if after is not None:
            asyncio.get_running_loop().call_later(after, process.send, signal.SIGKILL)
        if not self.granted:
            await self.either(lambda: self.discord.gateway.identified > sessions)
            if not process.over:
                await self.wanted.do(self)
        code = await process.end()
        await asyncio.sleep(0.05)  # what the dead one has sent arrives
        self.take_stock()
        return code

    def take_stock(self) -> None:
        self.left = read_tables(self.folder)
        self.half_paid |= self.left.half_paid
        self.granted = self.granted or self._granted()
        long_ago = time.time() - DAY
        for path in self.temporary_files:
            os.utime(path, (long_ago, long_ago))

    def _granted(self) -> bool:
        assert self.wanted
        with read_copy(self.folder) as db:
            return db.execute(self.wanted.taken).fetchone() is not None

    def wishes(self, wanted: Wish) -> None:
        """Its owner wishes something else from now on."""
        self.wanted, self.granted = wanted, False

    @property
    def temporary_files(self) -> list[Path]:
        """Those of the media store, then those in what is the machine's folder for them."""
        return [*(self.folder / "media" / "tmp").glob("*"), *(self.folder / "temporary").glob("*")]

    @property
    def files(self) -> dict[str, Path]:
        """Those of the media store, by name."""
        return {path.name: path for path in (self.folder / "media").glob("??/??/*")}

    @property
    def tables(self) -> Tables:
        assert self.left, "a life is over"
        return self.left

    @property
    def finetune(self) -> Row:
        (finetune,) = self.tables.finetunes
        return finetune

    @property
    def trainings(self) -> list[Task]:
        """What BFL was asked to train, and has taken."""
        return [task for task in self.bfl.tasks if task.endpoint == TRAINING]

    @property
    def posts(self) -> list[Message]:
        return [each for each in self.discord.channel.messages if not each.ephemeral]

    @property
    def card(self) -> Message:
        """The first message there is; what else is there is news."""
        return next(each for each in self.posts if not each.deleted)

    @property
    def news(self) -> list[Message]:
        return [each for each in self.posts if not each.deleted and each is not self.card]

    def button(self, message: Message, verb: str) -> str:
        """The custom_id of the message's button with that verb."""
        return next(each for each in buttons_of(message) if each.startswith(f"1:{verb}:"))


def buttons_of(message: Message) -> list[str]:
    return [each["custom_id"] for _, each in walk(message.components) if "custom_id" in each]


def words_of(message: Message) -> str:
    return " / ".join(each["content"] for _, each in walk(message.components) if "content" in each) or message.content


# What its owner does.


async def _start(kiln: Kiln) -> None:
    pressed = await kiln.discord.press(kiln.discord.member, kiln.card, kiln.button(kiln.card, "fin:start"))
    await kiln.either(lambda: pressed.modal)
    if pressed.modal:
        await kiln.discord.submit_modal(pressed, {"agreed": True})


async def _add(kiln: Kiln) -> None:
    pressed = await kiln.discord.press(kiln.discord.member, kiln.card, kiln.button(kiln.card, "fin:add"))
    await kiln.either(lambda: pressed.modal)
    if pressed.modal:
        more = [upload(f"more-{number}.jpg", picture(10 + number, size=SIZE)) for number in range(PICTURES)]
        await kiln.discord.submit_modal(pressed, {"pictures": more})


async def _remove(kiln: Kiln) -> None:
    """The first picture."""
    pressed = await kiln.discord.press(kiln.discord.member, kiln.card, kiln.button(kiln.card, "fin:remove"))
    await kiln.either(lambda: pressed.modal)
    if pressed.modal:
        first = next(each["options"][0]["value"] for _, each in walk(pressed.modal["components"]) if "options" in each)
        await kiln.discord.submit_modal(pressed, {"pictures": [first]})


async def _delete(kiln: Kiln) -> None:
    await _press_through(kiln, "fin:show", "fin:delete", "fin:deleted")


async def _discard(kiln: Kiln) -> None:
    await _press_through(kiln, "fin:discard", "fin:deleted")


async def _press_through(kiln: Kiln, *verbs: str) -> None:
    """Press a button of the card, then one of the answer to that, and so on."""
    message = kiln.card
    for verb in verbs:
        pressed = await kiln.discord.press(kiln.discord.member, message, kiln.button(message, verb))
        if verb == verbs[-1]:
            return
        await kiln.either(lambda pressed=pressed: pressed.original and buttons_of(pressed.original))
        if not (pressed.original and buttons_of(pressed.original)):
            return
        message = pressed.original


START = Wish(_start, "SELECT 1 FROM jobs WHERE kind = 'train'")
ADD = Wish(_add, "SELECT 1 FROM training_images WHERE position > 2")
REMOVE = Wish(_remove, "SELECT 1 FROM finetunes WHERE NOT EXISTS (SELECT 1 FROM training_images WHERE position = 1)")
DELETE = Wish(_delete, "SELECT 1 FROM finetunes WHERE state = 'deleted'")
DISCARD = Wish(_discard, DELETE.taken)
START_AGAIN = Wish(_start, "SELECT 1 FROM jobs WHERE kind = 'train' AND position = 1")


async def make_draft(folder: Path, zygote: Zygote) -> Template:
    """A draft, made with the real command."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(PICTURES):
            file.writestr(f"owl-{number}.jpg", picture(number, size=SIZE))
    async with a_kiln(folder, zygote, Template(folder, time.time())) as kiln:
        life = await kiln.connected()
        given = upload("set.zip", archive.getvalue())
        values: dict[str, Any] = {"name": "Owl", "kind": "character", "archive": given}
        await kiln.discord.slash(kiln.discord.member, kiln.discord.channel, "finetune create", **values)
        await kiln.discord.until(lambda: kiln.posts and kiln.card.attachments, timeout=PATIENCE)
        await asyncio.sleep(0.5)  # the last edits
        life.send(signal.SIGTERM)
        assert await life.end() == 0
        return Template(folder, kiln.epoch, tuple(kiln.posts))


@asynccontextmanager
async def a_kiln(folder: Path, zygote: Zygote, template: Template, wanted: Wish | None = None) -> AsyncGenerator[Kiln]:
    if folder != template.folder:
        await asyncio.to_thread(
            shutil.copytree, template.folder, folder, ignore=shutil.ignore_patterns("log", "moments")
        )
    born = False
    discord = LocalDiscord(lambda: time.time() if born else BIRTH, token=TOKEN)
    born = True
    for post in template.posts:
        message = copy.copy(post)
        message.channel, message.author, message.history = discord.channel, discord.world.bot, list(post.history)
        discord.channel.messages.append(message)
        discord.world.messages[message.id] = message

    def clock() -> float:
        return FastClock(template.epoch, folder).now()

    bfl = BflServer(clock=clock, training_duration=TRAINING_TIME, state=folder / "bfl.db")
    async with discord, TestServer(bfl.app()) as server, TestServer(bfl.app("us1")) as us1:
        yield Kiln(
            folder,
            zygote,
            discord,
            bfl,
            str(server.make_url("")).rstrip("/"),
            epoch=template.epoch,
            us1_origin=str(us1.make_url("")).rstrip("/"),
            wanted=wanted,
        )
