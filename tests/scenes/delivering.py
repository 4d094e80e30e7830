"""The delivery over real sockets to a small Discord: a channel with the bot in it, and a member who asks there."""

import asyncio
import io
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
from discord import app_commands
from PIL import Image as Picture

from bot.discord.delivery import DiscordDelivery
from bot.kinds import faces_of, question_kinds
from bot.pictures.decode import Decoder
from bot.workflows.base.files import Files
from bot.workflows.base.types import Forecast
from bot.workflows.drawing.types import PictureView, RequestView
from standins.discord import LocalDiscord, Message, pointed_at
from standins.discord.rules import walk
from storage.base.jobs import State
from storage.database import Database, open_database
from storage.media import Media
from tests.drawing.test_cards import CHARGED, a_view
from tests.scenes.clock import TurnedClock

Interaction = discord.Interaction[Any]


class Bot(discord.Client):
    """Defers whatever is asked, and hands the interaction to the test."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0,
            max_ratelimit_timeout=30,
        )
        self.asked: asyncio.Queue[Interaction] = asyncio.Queue()

    async def setup_hook(self) -> None:
        tree = app_commands.CommandTree(self)

        @tree.command(description="Draw")
        async def imagine(interaction: Interaction, private: bool = False) -> None:  # pyright: ignore[reportUnusedFunction]
            await interaction.response.defer(thinking=True, ephemeral=private)
            self.asked.put_nowait(interaction)

        await tree.sync()


class Place:
    """A channel with the bot in it, a member who asks there, and the delivery."""

    def __init__(
        self, server: LocalDiscord, bot: Bot, clock: TurnedClock, media: Media, decoder: Decoder, database: Database
    ) -> None:
        self.server = server
        self.bot = bot
        self.clock = clock
        self.media = media
        self.decoder = decoder
        self.database = database
        self.delivery = self.restarted()

    def restarted(self, bot: Bot | None = None, **options: Any) -> DiscordDelivery:
        """A delivery that remembers nothing."""
        files = Files(database=self.database, clock=self.clock, media=self.media)
        return DiscordDelivery(
            bot or self.bot,
            clock=self.clock,
            files=files,
            decoder=self.decoder,
            database=self.database,
            faces=faces_of(question_kinds(undo_seconds=60), files),
            **options,
        )

    @property
    def messages(self) -> list[Message]:
        """What members see."""
        return [each for each in self.server.channel.messages if not each.deleted]

    async def ask(self, **options: Any) -> Interaction:
        await self.server.slash(self.server.member, self.server.channel, "imagine", **options)
        return await self.bot.asked.get()

    async def card(self) -> Message:
        """A message that is a request's card, made by an interaction that is long over."""
        await self.ask()
        return self.messages[-1]

    def here(self, view: RequestView, message: Message | None = None, **job: Any) -> RequestView:
        """The view of a request of this channel."""
        place = {"guild_id": self.server.guild.id, "channel_id": self.server.channel.id}
        return replace(view, job=replace(view.job, message_id=message and message.id, **place | job))

    async def drawn(self, *contents: bytes, message: Message | None = None) -> RequestView:
        """A request that has ended with these pictures, stored."""
        view = a_view(*[(State.DONE, CHARGED)] * len(contents))
        pictures: list[PictureView] = []
        for picture, content in zip(view.pictures, contents, strict=True):
            assert picture.image
            sha256 = await self.media.store(content)
            kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
            image = replace(picture.image, sha256=sha256, media_type=kind, bytes=len(content))
            pictures.append(replace(picture, image=image))
        return self.here(replace(view, pictures=tuple(pictures)), message)

    def requested(self, *kinds: str) -> list[str]:
        return [each.kind for each in self.server.requests if each.kind in kinds]


@asynccontextmanager
async def a_place(folder: Path) -> AsyncGenerator[Place]:
    clock, decoder, database = TurnedClock(), Decoder(), await open_database(folder / "bot.db")
    async with LocalDiscord(clock.now, token="token") as server:
        with pointed_at(server.origin):
            async with Bot() as bot:
                task = asyncio.create_task(bot.start("token"))
                await server.ready()
                await bot.wait_until_ready()
                yield Place(server, bot, clock, Media(folder / "media"), decoder, database)
                await bot.close()
                await task
    await decoder.close()
    await database.close()


def a_picture(colour: str = "red") -> bytes:
    content = io.BytesIO()
    Picture.new("RGB", (64, 48), colour).save(content, "JPEG")
    return content.getvalue()


def a_large_picture(side: int) -> bytes:
    """A PNG of noise: 3 bytes a pixel."""
    content = io.BytesIO()
    Picture.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(content, "PNG", compress_level=0)
    return content.getvalue()


def words(message: Message) -> str:
    return "\n".join(each["content"] for _, each in walk(message.components) if "content" in each)


def buttons(message: Message) -> list[str]:
    return [each["custom_id"] for _, each in walk(message.components) if "custom_id" in each]


def waiting(ahead: int = 3, *, likely: float = 100.0) -> RequestView:
    """In the queue; `likely` in seconds from the start of the test."""
    now = TurnedClock().now()
    return a_view(State.WAITING, State.WAITING, forecast=Forecast(ahead, now + likely, now + 2 * likely))
