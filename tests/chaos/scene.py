"""What outlives the bot in a history: Discord and its people, every service, the disk and the time."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from standins.astria import AstriaServer
from standins.bfl import BflServer
from standins.chain import ChainServer
from standins.chain.accounts import ADA, BEN, BOT, MIA, OLGA, STORY
from standins.discord import LocalDiscord, rules
from standins.discord.state import Channel, User
from standins.kubo import KuboServer
from standins.pinata import FULL, PinataServer
from standins.vimmerse import VimmerseServer
from storage.community import communities
from storage.community.communities import Community
from storage.database import open_database
from storage.registering import wallets
from storage.registering.wallets import LinkedWallet
from tests.chaos.clock import SPEED, SharedClock
from tests.chaos.disk import Disk, a_disk
from tests.crash.life import Life
from tests.crash.lives import Process, Zygote
from tests.crash.world import TOKEN
from tests.scenes.community import made_collection

KEY = "sandbox-key"
WALLETS = (ADA, BEN, MIA, STORY)
"""Of the members."""
DRAWING, TRAINING = 4.0, 90.0
"""Seconds that services take for a picture and for a training."""
SIZE = 64
"""Pixels of a picture's side."""


@dataclass
class Scene:
    """One community, the services, and the bot, one life after the other."""

    folder: Path
    clock: SharedClock
    disk: Disk
    zygote: Zygote
    discord: LocalDiscord
    bfl: BflServer
    astria: AstriaServer
    vimmerse: VimmerseServer
    pinata: PinataServer
    kubo: KuboServer
    chain: ChainServer
    collection: str
    members: list[User]
    moderator: User
    review: Channel
    settings: dict[str, str]
    bfl_origin: str
    process: Process | None = None
    asleep: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """From when to when the bot was not running, or had next to no time for what happened, in true time."""
    half_paid: set[str] = field(default_factory=set[str])
    """Jobs whose payment a death has cut in two."""
    unsure: set[str] = field(default_factory=set[str])
    """Services that were in trouble when they were to be paid."""

    @property
    def alive(self) -> bool:
        return self.process is not None and not self.process.over

    @property
    def connected(self) -> bool:
        return bool(self.discord.gateway.connected)

    async def start(self) -> Process:
        self.process = await self.zygote.start(
            Life(
                entry="tests.chaos.life",
                folder=self.folder,
                discord=self.discord.origin,
                bfl=self.bfl_origin,
                token=TOKEN,
                epoch=0,
                settings=self.settings,
            )
        )
        return self.process

    @property
    def log(self) -> str:
        """All that the bot has written, in all its lives."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


@dataclass(frozen=True)
class Ground:
    """What every history begins with, made once: a chain with the bot's collection."""

    chain: Path
    collection: str
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a database is made: alembic knows one at a time in a process."""


async def prepare_ground(folder: Path) -> Ground:
    state = folder / "chain.db"
    chain = ChainServer(state=state, base_fee=10**9)
    async with TestServer(chain.app()) as server:
        collection = await made_collection(str(server.make_url("")).rstrip("/"), folder)
    await chain.close()
    return Ground(state, collection)


@asynccontextmanager
async def a_scene(folder: Path, zygote: Zygote, ground: Ground) -> AsyncGenerator[Scene]:
    await asyncio.to_thread(folder.mkdir, parents=True)
    await asyncio.to_thread(shutil.copy, ground.chain, folder / "chain.db")
    rules.ACKNOWLEDGE_WITHIN = 3.0 * SPEED  # of the clock's seconds: three real ones
    async with AsyncExitStack() as stack:
        clock = SharedClock(folder / "clock")
        disk = await stack.enter_async_context(a_disk(folder / "disk"))

        async def serve(app: web.Application) -> str:
            server = await stack.enter_async_context(TestServer(app))
            return str(server.make_url("")).rstrip("/")

        bfl = BflServer(clock=clock.true, credits=1e6, duration=DRAWING, training_duration=TRAINING, picture_size=SIZE)
        astria = AstriaServer(
            clock=clock.true,
            balance_mc=10**12,
            training_wait=5,
            training_duration=TRAINING,
            prompt_duration=DRAWING,
            picture_size=SIZE,
        )
        vimmerse = VimmerseServer(
            clock=clock.true, credits=1e9, training=TRAINING, drawing=DRAWING, picture_size=SIZE, sleep=_no_time
        )
        pinata = PinataServer(clock=clock.true, keys={KEY: FULL}, per_minute=100_000)
        kubo = KuboServer()
        chain = ChainServer(clock=clock.true, base_fee=10**9, state=folder / "chain.db")
        stack.push_async_callback(chain.close)
        node, pins = await serve(chain.app()), await serve(pinata.app())
        discord = await stack.enter_async_context(LocalDiscord(clock.true, token=TOKEN))
        members = [discord.member, *(discord.add_user(f"member-{number}") for number in range(1, len(WALLETS)))]
        moderator = discord.add_user("moderator")
        discord.add_role("Moderator", moderator)
        review = discord.add_channel("review")
        scene = Scene(
            folder=folder,
            clock=clock,
            disk=disk,
            zygote=zygote,
            discord=discord,
            bfl=bfl,
            astria=astria,
            vimmerse=vimmerse,
            pinata=pinata,
            kubo=kubo,
            chain=chain,
            collection=ground.collection,
            members=members,
            moderator=moderator,
            review=review,
            bfl_origin=await serve(bfl.app()),
            settings={
                "bfl_us1_url": await serve(bfl.app("us1")),
                "astria_api_key": KEY,
                "astria_api_url": await serve(astria.app()),
                "vimmerse_api_key": KEY,
                "vimmerse_api_url": await serve(vimmerse.app()),
                "wallet_private_key": BOT.key,
                "rpc_provider_url": node,
                "story_explorer_url": node,
                "story_undo_seconds": "20",
                "story_confirmations": "1",
                "spg_nft_contract_address": ground.collection,
                "pinata_jwt": KEY,
                "pinata_api_url": pins,
                "pinata_uploads_url": pins,
                "pinata_gateway_url": pins,
                "kubo_rpc_url": await serve(kubo.app()),
            },
        )
        async with ground.opening:
            await _settle_in(scene)
        yield scene


async def _settle_in(scene: Scene) -> None:
    """The community has a moderator, a channel for questions, a wallet, and asks before dear trainings; each member has
    linked a wallet."""
    database = await open_database(scene.disk.folder / "bot.db")
    chosen = Community(
        moderator_role_id=scene.moderator.roles[0],
        review_channel_id=scene.review.id,
        wallet=OLGA.address,
        member_pictures=60,
        member_registrations=50,
        confirm_above=3_000_000,
    )
    async with database.write() as db:
        await communities.save(db, scene.discord.guild.id, chosen, by=scene.discord.owner.id, now=time.time())
        for member, account in zip(scene.members, WALLETS, strict=True):
            await wallets.save(db, LinkedWallet(member.id, account.address, "", "", time.time()))
    await database.close()


async def _no_time(_seconds: float) -> None:
    """What blocks a request at the real service takes no time here."""
