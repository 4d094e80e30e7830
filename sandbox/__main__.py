"""The bot with no account at all: `make sandbox`, one link, a simulated Discord and local stand-ins."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from pydantic import AnyHttpUrl, SecretStr

from bot.app import assemble
from bot.config import Settings
from bot.errors import BotError
from bot.workflows.registering.types import UNDO
from sandbox.collection import with_collection
from sandbox.page import PORT, Link, Page
from sandbox.services import KEY, TRAINING, Addresses, remembered_port, serving
from sandbox.stage import Stage
from sandbox.world import World
from standins.base.serving import HOST
from standins.chain.accounts import BOT, OLGA
from storage.base import notes
from storage.community import communities
from storage.community.communities import Community
from storage.database import open_database


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("sandbox-data"), help="where the bot remembers (%(default)s)"
    )
    parser.add_argument("--port", type=int, default=None, help=f"of the page ({PORT}, or any free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="draw and train so many times faster")
    parser.add_argument("--verbose", action="store_true", help="show the bot's log")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO if chosen.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    try:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(play(chosen.folder, page_port=chosen.port, speed=chosen.speed))
    except BotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def play(folder: Path, *, page_port: int | None, speed: float) -> None:
    """Serve the sandbox until Ctrl-C."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        services = await stack.enter_async_context(serving(folder, speed=speed))
        world = await stack.enter_async_context(World.open())
        settings = await with_collection(_settings(folder, services, world, speed), folder)
        await _prepare(settings, world)
        port = remembered_port(folder, "bot")

        @contextlib.asynccontextmanager
        async def product(world: World) -> AsyncGenerator[None]:
            async with (
                assemble(settings, origins=services.origins) as app,
                world.connected(app.client),
                app.web.serving(HOST, port) if app.web else contextlib.nullcontext(),
            ):
                await app.start_workers()
                try:
                    yield
                finally:
                    await app.stop_workers()

        stage = Stage(product, world)
        await stack.enter_async_context(stage.running())
        page = await _open_page(stack, world, stage, page_port)
        page.links += [
            Link("Wallets: sign as one of them", services.wallets),
            Link("Chain: what is registered", services.chain),
        ]
        print(
            f"\nThe sandbox is open:\n\n    {page.url}\n\n"
            f"A picture takes seconds here, a training about {TRAINING / speed:.0f} s.\n"
            f"Stop it with Ctrl-C; what the bot knows stays in {folder}/.\n"
        )
        sys.stdout.flush()
        await stopping.wait()
        print("Stopping; what is under way goes on at the next start.")


def _settings(folder: Path, services: Addresses, world: World, speed: float) -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr("no-token-is-needed-in-the-sandbox"),
        bfl_api_key=SecretStr(KEY),
        bfl_api_url=AnyHttpUrl(services.bfl),
        bfl_us1_url=AnyHttpUrl(services.bfl_us1),
        bfl_eu1_url=AnyHttpUrl(services.bfl_eu1),
        astria_api_key=SecretStr(KEY),
        astria_api_url=AnyHttpUrl(services.astria),
        vimmerse_api_key=SecretStr(KEY),
        vimmerse_api_url=AnyHttpUrl(services.vimmerse),
        wallet_private_key=SecretStr(BOT.key),
        rpc_provider_url=SecretStr(services.chain),
        story_explorer_url=AnyHttpUrl(services.chain),
        story_undo_seconds=UNDO / max(speed, 1),
        pinata_jwt=SecretStr(KEY),
        pinata_api_url=AnyHttpUrl(services.pinata),
        pinata_uploads_url=AnyHttpUrl(services.pinata),
        pinata_gateway_url=AnyHttpUrl(services.pinata),
        ipfs_gateway_url=AnyHttpUrl(services.pinata),
        public_url=AnyHttpUrl(f"http://{HOST}:{remembered_port(folder, 'bot')}"),
        data_dir=folder / "bot",
        admin_user_ids=frozenset({world.olga.actor.id}),
    )


async def _open_page(stack: contextlib.AsyncExitStack, world: World, stage: Stage, port: int | None) -> Page:
    """The page on the port asked for; without a wish on its usual one, or on any when that is taken."""
    if port is not None:
        return await stack.enter_async_context(Page.open(world, stage, port=port))
    try:
        return await stack.enter_async_context(Page.open(world, stage))
    except OSError:
        return await stack.enter_async_context(Page.open(world, stage, port=0))


async def _prepare(settings: Settings, world: World) -> None:
    """Give the community sensible settings at the very first start, and have the commands told to a Discord that
    starts anew each time."""
    database = await open_database(settings.data_dir / "bot.db")
    async with database.write() as db:
        await notes.save(db, "commands", "")
        if await communities.find(db, world.guild.id) == Community():
            chosen = Community(
                moderator_role_id=world.moderators.id,
                review_channel_id=world.review.channel.id,
                confirm_above=200_000,
                wallet=OLGA.address,
            )
            await communities.save(db, world.guild.id, chosen, by=world.olga.actor.id, now=0)
    await database.close()


if __name__ == "__main__":
    sys.exit(main())
