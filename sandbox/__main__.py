"""The bot with no account at all: `make sandbox`, one link, a simulated Discord and local stand-ins."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from aiohttp import web
from pydantic import AnyHttpUrl, SecretStr

from bot.app import assemble
from bot.config import Settings
from bot.errors import BotError, Broken
from sandbox.bfl import BflServer
from sandbox.page import PORT, Page
from sandbox.stage import Stage
from sandbox.world import World
from storage import communities, notes
from storage.communities import Community
from storage.database import open_database

HOST = "127.0.0.1"
KEY = "sandbox-key"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("sandbox-data"), help="where the bot remembers (%(default)s)"
    )
    parser.add_argument("--port", type=int, default=None, help=f"of the page ({PORT}, or any free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="draw so many times faster than the real service")
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
    bfl = BflServer(keys=(KEY,), speed=speed, state=folder / "bfl.db", credits=100_000)
    async with contextlib.AsyncExitStack() as stack:
        origin = await stack.enter_async_context(_served(bfl.app(), _remembered_port(folder, "bfl")))
        world = await stack.enter_async_context(World.open())
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
            discord_token=SecretStr("no-token-is-needed-in-the-sandbox"),
            bfl_api_key=SecretStr(KEY),
            bfl_api_url=AnyHttpUrl(origin),
            data_dir=folder / "bot",
            admin_user_ids=frozenset({world.olga.actor.id}),
        )
        await _prepare(settings, world)

        @contextlib.asynccontextmanager
        async def product(world: World) -> AsyncGenerator[None]:
            async with assemble(settings, origins=[origin]) as app, world.connected(app.client):
                await app.start_workers()
                try:
                    yield
                finally:
                    await app.stop_workers()

        stage = Stage(product, world)
        await stack.enter_async_context(stage.running())
        page = await _open_page(stack, world, stage, page_port)
        print(
            f"\nThe sandbox is open:\n\n    {page.url}\n\nStop it with Ctrl-C; what the bot knows stays in {folder}/.\n"
        )
        sys.stdout.flush()
        await stopping.wait()
        print("Stopping; what is under way goes on at the next start.")


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
            )
            await communities.save(db, world.guild.id, chosen, by=world.olga.actor.id, now=0)
    await database.close()


def _remembered_port(folder: Path, name: str) -> int:
    """The same port at each start: a job that is under way knows its picture by an address with this port."""
    remembered = folder / "ports.json"
    ports: dict[str, int] = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else {}
    if name not in ports:
        with socket.socket() as free:
            free.bind((HOST, 0))
            ports[name] = free.getsockname()[1]
        remembered.write_text(json.dumps(ports), encoding="utf-8")
    return ports[name]


@contextlib.asynccontextmanager
async def _served(app: web.Application, port: int) -> AsyncGenerator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise Broken(
            f"Port {port} is taken. Is another sandbox running? If not, delete ports.json in the folder."
        ) from error
    try:
        yield f"http://{HOST}:{port}"
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
