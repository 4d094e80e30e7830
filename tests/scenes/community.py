"""A whole community for a test: the real bot, a simulated Discord, a BFL that behaves like BFL, a real database."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
import simcord
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from pydantic import AnyHttpUrl, SecretStr

from bot.app import App, assemble
from bot.assembly.publishing import story_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.http import client as http
from bot.workflows.base.types import job_id
from bot.workflows.drawing.types import RequestView
from standins.astria import AstriaServer
from standins.bfl import BflServer
from standins.chain import ChainServer
from standins.chain.accounts import BOT
from standins.discord.names import replace_in_simcord
from standins.discord.refusing import Refusals
from standins.kubo import KuboServer
from standins.pinata import PinataServer
from standins.vimmerse import VimmerseServer
from storage.community import communities
from storage.community.communities import Community as CommunitySettings
from storage.database import open_database, rows
from tests.scenes.clock import TurnedClock

TOKEN = SecretStr("a-token-for-a-simulated-discord")
DRAWING_TIME = 10.0
"""Seconds that the stand-in takes for a picture, unless a test says otherwise."""


@dataclass
class Services:
    """The stand-ins of a test; those of the trainers only where it wants them."""

    bfl: BflServer
    astria: AstriaServer | None = None
    vimmerse: VimmerseServer | None = None
    pinata: PinataServer | None = None
    kubo: KuboServer | None = None
    chain: ChainServer | None = None
    collection: str | None = None
    """Where images are minted, once a test has made it."""
    confirmations: int = 1
    """Blocks until a transaction is final."""
    origins: dict[str, str] = field(default_factory=dict[str, str])
    """By `bfl`, `us1`, `eu1`, `astria` and `vimmerse`."""
    web_port: int | None = None
    """Where the bot takes callbacks; None for a bot that takes none."""

    async def deliver_callbacks(self) -> int:
        """Have all of them call back for what has ended; how many callbacks were taken."""
        taken = await self.bfl.deliver_callbacks(self.origins["bfl"])
        if self.astria:
            taken += await self.astria.deliver_callbacks(self.origins["astria"])
        return taken + (await self.vimmerse.deliver_callbacks() if self.vimmerse else 0)

    def settings(self) -> dict[str, Any]:
        """What points the bot at those that are there."""
        settings: dict[str, Any] = {}
        for name, setting in (
            ("us1", "bfl_us1_url"),
            ("eu1", "bfl_eu1_url"),
            ("astria", "astria_api_url"),
            ("vimmerse", "vimmerse_api_url"),
        ):
            if name in self.origins:
                settings[setting] = AnyHttpUrl(self.origins[name])
        for name in ("astria", "vimmerse"):
            if name in self.origins:
                settings[f"{name}_api_key"] = SecretStr("sandbox-key")
        if self.pinata:
            pinata = AnyHttpUrl(self.origins["pinata"])
            settings |= {
                "pinata_jwt": SecretStr("sandbox-key"),
                "pinata_api_url": pinata,
                "pinata_uploads_url": pinata,
                "pinata_gateway_url": pinata,
                "ipfs_gateway_url": pinata,
            }
        if self.kubo:
            settings["kubo_rpc_url"] = AnyHttpUrl(self.origins["kubo"])
        if self.chain:
            settings |= {
                "wallet_private_key": SecretStr(BOT.key),
                "rpc_provider_url": SecretStr(self.origins["chain"]),
                "story_explorer_url": AnyHttpUrl(self.origins["chain"]),
                "spg_nft_contract_address": self.collection,
                "story_confirmations": self.confirmations,
            }
        if self.web_port is not None:
            settings |= {"web_port": self.web_port, "public_url": AnyHttpUrl(f"http://127.0.0.1:{self.web_port}")}
        return settings


async def made_collection(rpc: str, folder: Path) -> str:
    """The address of a new private collection, made as an admin makes it."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=TOKEN,
        bfl_api_key=SecretStr("sandbox-key"),
        wallet_private_key=SecretStr(BOT.key),
        rpc_provider_url=SecretStr(rpc),
        story_confirmations=1,
    )
    database = await open_database(folder / "collection.db")
    try:
        async with http.session() as session:
            story = story_of(settings, session, database, SystemClock())
            made = await story.registrar.create_collection(
                name="Night Owls",
                symbol="OWL",
                contract_uri="",
                mint_fee_recipient=story.wallet.address,
                public=False,
            )
    finally:
        await database.close()
    return made.address


class Community:
    """One guild with a member, another member, a moderator and an admin, and the bot in it."""

    def __init__(self, folder: Path, services: Services, clock: TurnedClock) -> None:
        self.folder = folder
        self.services = services
        self.bfl = services.bfl
        self.astria = services.astria
        self.vimmerse = services.vimmerse
        self.origin = services.origins["bfl"]
        self.clock = clock
        self.env: simcord.Env
        self.refusals: Refusals
        self.app: App
        self._bot = contextlib.AsyncExitStack()

    @property
    def settings(self) -> Settings:
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
            discord_token=TOKEN,
            bfl_api_key=SecretStr("sandbox-key"),
            bfl_api_url=AnyHttpUrl(self.origin),
            data_dir=self.folder,
            **self.services.settings(),
        )

    def populate(self) -> None:
        """Make the guild; once, when the simulated Discord is up."""
        owner = self.env.create_user("olga")
        self.guild = self.env.create_guild("Night Owls", owner=owner)
        self.role = self.guild.create_role("Moderator")
        self.studio = self.guild.create_text_channel("studio")
        self.review = self.guild.create_text_channel("review")
        self.ada = self.guild.add_member(self.env.create_user("ada"))
        self.ben = self.guild.add_member(self.env.create_user("ben"))
        self.mia = self.guild.add_member(self.env.create_user("mia"), roles=[self.role])
        self.olga = simcord.MemberActor(self.env, self.guild, owner)

    async def start(self) -> None:
        """Start the bot and its workers, as a process does."""
        self.app = await self._bot.enter_async_context(
            assemble(self.settings, clock=self.clock, origins=[*self.services.origins.values()])
        )
        self.app.client.shard_count = 1
        await self._bot.enter_async_context(self.app.listening())

    async def begin_work(self) -> None:
        await self.app.start_workers()
        self.clock.tasks = lambda: self.app.tasks
        await self.clock.settle()

    async def stop(self) -> None:
        await self.app.stop_workers()

    async def restart(self) -> None:
        """Stop the bot as SIGTERM does, and start a new one on the same folder."""
        await self.stop()
        await self._bot.aclose()
        self._bot = contextlib.AsyncExitStack()
        await self.start()
        await self.env.restart_bot(self.app.client)
        await self.begin_work()

    async def close(self) -> None:
        await self._bot.aclose()

    async def decide(self, **settings: Any) -> None:
        """Set the community's settings, over its present ones."""
        async with self.app.database.write() as db:
            present = await communities.find(db, self.guild.id)
            await communities.save(
                db, self.guild.id, CommunitySettings(**present.model_dump() | settings), by=1, now=self.clock.now()
            )

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for the bot and for the provider."""
        await self.clock.turn(seconds)

    async def skip(self, seconds: float, *, step: float = 600.0) -> None:
        """Let much time pass, in few steps: hours of a training in which hardly anything happens."""
        for _ in range(round(seconds / step)):
            await self.clock.leap(step)

    async def imagine(
        self, member: simcord.MemberActor | None = None, prompt: str = "a lighthouse", **options: Any
    ) -> simcord.InteractionResult:
        return await (member or self.ada).slash(self.studio, "imagine", prompt=prompt, **options)

    async def delete(self, card: discord.Message, member: simcord.MemberActor | None = None) -> str:
        """Delete the pictures of a card, and confirm it; what the presser alone is told in the end."""
        member = member or self.ada
        asked = await member.click(card, label="Delete")
        assert asked.response
        assert asked.response.ephemeral
        if asked.response.content or "Delete for good" not in buttons_of(asked.response.message):
            return text_of(asked.response.message)
        answer = await member.click(asked.response.message, label="Delete for good")
        await self.clock.settle()
        assert answer.response
        return text_of(answer.response.message)

    async def newest(self) -> RequestView:
        """The request whose card is the newest. Its buttons depend on how far it is, its id stands on the card."""
        job_id = re.search(r"^-# `(\w+)`$", text_of(self.cards[-1]), re.MULTILINE)
        assert job_id, "each card of a request ends with its id"
        return await self.view(job_id[1])

    async def view(self, wanted: str | int) -> RequestView:
        """A request by its id, or by its interaction's."""
        view = await self.app.services.drawing.views.of(job_id(wanted) if isinstance(wanted, int) else wanted)
        assert view, wanted
        return view

    @property
    def card(self) -> discord.Message:
        """The only message of the bot in the studio."""
        (card,) = self.cards
        return card

    @property
    def files(self) -> list[Path]:
        """What is stored of pictures."""
        return [path for path in (self.folder / "media").rglob("*") if path.is_file()]

    def ordered(self) -> int:
        """How many orders have reached BFL, taken or not."""
        return sum(request.kind == "submit" for request in self.bfl.requests)

    async def counted(self, table: str) -> int:
        """Rows of a table."""
        async with self.app.database.read() as db:
            return len(await rows(db, f"SELECT 1 FROM {table}", {}))  # noqa: S608 - a name from a test

    async def drawn(self, member: simcord.MemberActor | None = None, **options: Any) -> discord.Message:
        """The newest card, after a request that was drawn to its end."""
        await self.imagine(member, **options)
        await self.pass_time(20)
        card = self.cards[-1]
        assert card.attachments, text_of(card)
        return card

    @property
    def cards(self) -> list[discord.Message]:
        """The bot's messages in the studio, oldest first."""
        return [message for message in self.studio.history() if message.author.bot]


def text_of(message: discord.Message) -> str:
    """Everything that a reader sees on a message."""
    parts = [message.content]

    def walk(component: Any) -> None:
        for name in ("content", "label", "description"):
            value = getattr(component, name, None)
            if isinstance(value, str):
                parts.append(value)
        for name in ("children", "components", "items"):
            for child in getattr(component, name, None) or ():
                walk(child)

    for component in message.components:
        walk(component)
    return "\n".join(part for part in parts if part)


def private(result: simcord.InteractionResult) -> str:
    """The one sentence that an interaction was answered with, which only the asker sees."""
    pressed = result._interaction.source_message_id  # pyright: ignore[reportPrivateUsage] - the card itself is no answer
    answers = [each for each in (result.response, *result.followups) if each]
    (answer,) = [each for each in answers if each.id != pressed]
    assert answer.ephemeral
    return answer.content


def job_of(card: discord.Message) -> str:
    """The id of the request that a card shows."""
    (job,) = {custom_id.split(":")[3].partition("-")[0] for custom_id in buttons_of(card).values()}
    return job


def buttons_of(message: discord.Message) -> dict[str, str]:
    """Label to custom_id of a message's live buttons."""
    buttons: dict[str, str] = {}

    def walk(component: Any) -> None:
        if isinstance(component, discord.Button) and component.custom_id and not component.disabled:
            buttons[component.label or str(component.emoji)] = component.custom_id
        for child in getattr(component, "children", None) or ():
            walk(child)

    for component in message.components:
        walk(component)
    return buttons


@contextlib.asynccontextmanager
async def a_community(
    folder: Path,
    *,
    trainers: Collection[str] = (),
    astria: dict[str, Any] | None = None,
    callbacks: bool = False,
    mirrored: bool = False,
    story: dict[str, Any] | None = None,
    **bfl_options: Any,
) -> AsyncGenerator[Community]:
    """The community, with the bot at work. `trainers` are those of `bfl`, `astria` and `vimmerse` that are there; with
    `story`, which are the chain's options, images can be registered, with a copy on an IPFS node where `mirrored`."""
    clock = TurnedClock()
    options: dict[str, Any] = {"clock": clock.true, "duration": DRAWING_TIME, "picture_size": 64, **bfl_options}
    services = Services(BflServer(**options), web_port=unused_port() if callbacks else None)
    async with contextlib.AsyncExitStack() as stack:

        async def serve(name: str, app: web.Application) -> None:
            server = await stack.enter_async_context(TestServer(app))
            services.origins[name] = str(server.make_url("")).rstrip("/")

        await serve("bfl", services.bfl.app())
        if "bfl" in trainers:
            await serve("us1", services.bfl.app("us1"))
            await serve("eu1", services.bfl.app("eu1"))
        if "astria" in trainers:
            services.astria = AstriaServer(clock=clock.true, picture_size=64, **(astria or {}))
            await serve("astria", services.astria.app())
        if "vimmerse" in trainers:
            services.vimmerse = VimmerseServer(clock=clock.true, picture_size=64)
            await serve("vimmerse", services.vimmerse.app())
        if story is not None:
            services.pinata = PinataServer(clock=clock.true)
            await serve("pinata", services.pinata.app())
            if mirrored:
                services.kubo = KuboServer()
                await serve("kubo", services.kubo.app())
            services.chain = ChainServer(clock=clock.true, **story)
            await serve("chain", services.chain.app())
            services.collection = await made_collection(services.origins["chain"], folder)
        community = Community(folder, services, clock)
        await community.start()
        try:
            async with simcord.run(community.app.client) as env:
                community.env = env
                replace_in_simcord(env)
                community.refusals = Refusals(env)
                community.populate()
                await community.begin_work()
                try:
                    yield community
                finally:
                    await community.stop()
        finally:
            await community.close()
            await asyncio.sleep(0)
