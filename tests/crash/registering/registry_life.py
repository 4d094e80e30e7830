"""A world in which an image is registered: a member submits it, a moderator approves, a chain and a pinning service
outlive the bot.
"""

import asyncio
import copy
import os
import shutil
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp.test_utils import TestServer

from standins.bfl import BflServer
from standins.chain import ChainServer
from standins.chain.accounts import ADA, BOT
from standins.discord import LocalDiscord, Message
from standins.discord.state import Channel, User
from standins.pinata import PinataServer
from storage.community import communities
from storage.community.communities import Community
from storage.database import open_database
from tests.crash.finetuning.kiln_life import BIRTH, buttons_of
from tests.crash.life import LOOK, FastClock
from tests.crash.lives import PATIENCE, Zygote
from tests.crash.remains import Remains, look
from tests.crash.tables import read_copy
from tests.crash.world import DRAWING_TIME, TOKEN, World
from tests.scenes.community import made_collection

FILES = 3
"""Of a registration: the picture and two with metadata."""
BLOCK = 0.04
"""Real seconds between two blocks, where they do not come with each transaction: two or three of the bot's."""


PINNED_BEFORE = 2
"""Files that are pinned when a member withdraws."""


@dataclass(frozen=True)
class Wish:
    """What somebody does, and SQL that finds a row once the bot has taken it."""

    do: Callable[["Registry"], Awaitable[None]]
    taken: str


@dataclass(frozen=True)
class Template:
    """What a world begins with: a folder of the bot's with the chain's file, and what is in the channel."""

    folder: Path
    epoch: float
    collection: str
    posts: Sequence[Message] = ()


@dataclass
class Registry(World):
    """A world with one image to register."""

    chain: ChainServer = field(kw_only=True)
    pinata: PinataServer = field(kw_only=True)
    collection: str = field(kw_only=True)
    moderator: User = field(kw_only=True)
    review: Channel = field(kw_only=True)
    wishes: Sequence[Wish] = ()
    """What is done, each when the bot has taken the one before."""
    earlier_posts: frozenset[int] = frozenset()
    """Messages that were there before."""
    last_remains: Remains | None = None
    """What the last bot has left behind."""

    async def lead(
        self, moment: str | None = None, *, number: signal.Signals = signal.SIGKILL, after: float | None = None
    ) -> int:
        """As of a `World`. People do again what a dead bot has not taken."""
        self.wish = self.wishes[-1].taken
        sessions = self.discord.gateway.identified
        process = await self.start(moment=moment, number=number)
        if after is not None:
            asyncio.get_running_loop().call_later(after, process.send, signal.SIGKILL)
        await self.either(lambda: self.discord.gateway.identified > sessions)
        for wish in self.wishes:
            if process.over:
                break
            if not self.has(wish):
                await wish.do(self)
                while not (process.over or self.has(wish)):  # noqa: ASYNC110 - it is asked of a file
                    await asyncio.sleep(2 * LOOK)
        code = await process.end()
        await asyncio.sleep(0.05)  # what the dead one has sent arrives
        for path in (self.folder / "media" / "tmp").glob("*"):  # an hour later the next one sweeps it
            os.utime(path, (0, 0))
        self.last_remains = await look(self.folder, self.chain, self.pinata, self.collection)
        return code

    def has(self, wish: Wish) -> bool:
        """Whether the bot has taken it."""
        with read_copy(self.folder) as db:
            return db.execute(wish.taken).fetchone() is not None

    @property
    def remains(self) -> Remains:
        assert self.last_remains, "a life is over"
        return self.last_remains

    @property
    def draft(self) -> Message:
        """The private message with the member's draft."""
        return next(each for each in self.discord.channel.messages if each.ephemeral)

    @property
    def posts(self) -> list[Message]:
        """What is to be seen in both channels beside what was there before."""
        messages = (*self.discord.channel.messages, *self.review.messages)
        return [
            each for each in messages if not each.deleted and not each.ephemeral and each.id not in self.earlier_posts
        ]

    def pressable(self, message: Message, verb: str) -> str | None:
        """The custom_id of the message's button with that verb."""
        return next((each for each in buttons_of(message) if each.startswith(f"1:{verb}:")), None)


async def press(world: Registry, user: User, messages: Callable[[], Sequence[Message]], verb: str) -> None:
    """Press that button when it is there, as long as the bot lives."""
    buttons: list[tuple[Message, str]] = []

    def find_buttons() -> bool:
        buttons[:] = [(each, custom_id) for each in messages() if (custom_id := world.pressable(each, verb))]
        return bool(buttons)

    await world.either(find_buttons)
    if buttons and not (world.process and world.process.over):
        message, custom_id = buttons[-1]
        await world.discord.press(user, message, custom_id)


async def _submit(world: Registry) -> None:
    await press(world, world.discord.member, lambda: [world.draft], "reg:submit")


async def _approve(world: Registry) -> None:
    await press(world, world.moderator, lambda: world.review.messages, "rev:ok")


async def _retry(world: Registry) -> None:
    await press(world, world.discord.member, lambda: world.discord.channel.messages, "reg:retry")


async def _withdraw(world: Registry) -> None:
    """When all three files are on their way."""
    await world.either(lambda: sum(received.kind == "upload" for received in world.pinata.requests) >= FILES)
    """When the picture and the first of its metadata are pinned."""
    await world.either(lambda: len(world.pinata.files) >= PINNED_BEFORE)
    await press(world, world.discord.member, lambda: world.discord.channel.messages, "reg:withdraw")


SUBMIT = Wish(_submit, "SELECT 1 FROM registrations WHERE state <> 'draft'")
APPROVE = Wish(_approve, "SELECT 1 FROM audit WHERE action = 'register approved'")
RETRY = Wish(_retry, "SELECT 1 FROM registrations WHERE tries > 0")
WITHDRAW = Wish(_withdraw, "SELECT 1 FROM registrations WHERE state = 'withdrawn'")


async def make_draft(folder: Path, zygote: Zygote) -> Template:
    """A draft that could be submitted, made with the real command and forms."""
    await asyncio.to_thread(folder.mkdir)
    chain = ChainServer(state=folder / "chain.db")
    async with TestServer(chain.app()) as server:
        collection = await made_collection(str(server.make_url("")).rstrip("/"), folder)
    await chain.close()
    async with a_registry(folder, zygote, Template(folder, time.time(), collection)) as world:
        discord = world.discord
        await _decide(world)
        life = await world.connected()
        await discord.slash(discord.member, discord.channel, "imagine", prompt="a lighthouse")
        await discord.until(lambda: any(each.attachments for each in discord.channel.messages), timeout=PATIENCE)
        (picture,) = [each for each in discord.channel.messages if each.attachments]
        begin = world.pressable(picture, "reg:begin")
        assert begin, buttons_of(picture)
        pressed = await discord.press(discord.member, picture, begin)
        await pressed.answered
        for verb, values in (("reg:text", {"title": "A lighthouse"}), ("reg:recipient", {"recipient": ADA.address})):
            custom_id = world.pressable(world.draft, verb)
            assert custom_id, buttons_of(world.draft)
            asked = await discord.press(discord.member, world.draft, custom_id)
            await asked.acknowledged
            edits = len(world.draft.history)
            await discord.submit_modal(asked, values)
            await discord.until(lambda edits=edits: len(world.draft.history) > edits, timeout=PATIENCE)
        await asyncio.sleep(0.5)  # the last edits
        life.send(signal.SIGTERM)
        assert await life.end() == 0
        return Template(folder, world.epoch, collection, tuple(discord.channel.messages))


async def _decide(world: Registry) -> None:
    database = await open_database(world.folder / "bot.db")
    try:
        async with database.write() as db:
            decided = Community(moderator_role_id=world.moderator.roles[0], review_channel_id=world.review.id)
            await communities.save(db, world.discord.guild.id, decided, by=world.discord.owner.id, now=time.time())
    finally:
        await database.close()


@asynccontextmanager
async def a_registry(
    folder: Path, zygote: Zygote, template: Template, wishes: Sequence[Wish] = (), *, confirmations: int = 1
) -> AsyncGenerator[Registry]:
    if folder != template.folder:
        ignored = shutil.ignore_patterns("log", "moments", "collection.*")
        await asyncio.to_thread(shutil.copytree, template.folder, folder, ignore=ignored)
    born = False
    discord = LocalDiscord(lambda: time.time() if born else BIRTH, token=TOKEN)
    moderator = discord.add_user("moderator")
    discord.add_role("Moderator", moderator)
    review = discord.add_channel("review")
    born = True
    for post in template.posts:
        message = copy.copy(post)
        message.channel, message.author, message.history = discord.channel, discord.world.bot, list(post.history)
        discord.channel.messages.append(message)
        discord.world.messages[message.id] = message

    def clock() -> float:
        return FastClock(template.epoch, folder).now()

    bfl = BflServer(duration=DRAWING_TIME, picture_size=64)
    chain = ChainServer(clock=clock, state=folder / "chain.db")
    pinata = PinataServer(clock=clock, per_minute=10_000)
    try:
        async with (
            discord,
            TestServer(bfl.app()) as drawing,
            TestServer(pinata.app()) as pinning,
            TestServer(chain.app()) as node,
        ):
            pins, rpc = (str(server.make_url("")).rstrip("/") for server in (pinning, node))
            yield Registry(
                folder,
                zygote,
                discord,
                bfl,
                str(drawing.make_url("")).rstrip("/"),
                epoch=template.epoch,
                settings={
                    "wallet_private_key": BOT.key,
                    "rpc_provider_url": rpc,
                    "story_explorer_url": rpc,
                    "spg_nft_contract_address": template.collection,
                    "story_confirmations": str(confirmations),
                    "pinata_jwt": "sandbox-key",
                    "pinata_api_url": pins,
                    "pinata_uploads_url": pins,
                    "pinata_gateway_url": pins,
                },
                chain=chain,
                pinata=pinata,
                collection=template.collection,
                moderator=moderator,
                review=review,
                wishes=wishes,
                earlier_posts=frozenset(post.id for post in template.posts),
            )
    finally:
        await chain.close()
