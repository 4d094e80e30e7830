"""`python -m benchmarks.processes.plain`: bots as they are written elsewhere, to compare with.

`loop` is a tutorial's: order, sleep, ask until it is ready, download, edit the answer. `watched` edits the answer each
time it asks, as the busier bots do. `pool` has an in-memory queue and so many workers, and its messages keep their
views with the image in them. `empty` is discord.py with one command.
"""

import argparse
import asyncio
import io
import itertools
import time
import tracemalloc
from typing import Any

import aiohttp
import discord
from discord import app_commands

from benchmarks.harness import MODEL, Json
from benchmarks.processes.subject import KEY, TOKEN, answer, arguments
from standins.discord import pointed_at

Interaction = discord.Interaction[Any]


class PlainBot(discord.Client):
    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(intents=discord.Intents(guilds=True), max_messages=None)
        self.tree = app_commands.CommandTree(self)
        self.pause: float = args.pause
        self.provider: str = args.provider
        self.session: aiohttp.ClientSession

    async def setup_hook(self) -> None:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        await self.tree.sync()

    async def close(self) -> None:
        await self.session.close()
        await super().close()

    async def draw(self, prompt: str, message: Any = None) -> bytes:
        """One picture; `message` is edited each time that it is not ready."""
        headers = {"x-key": KEY}
        order = {"prompt": prompt}
        async with self.session.post(f"{self.provider}/v1/{MODEL}", json=order, headers=headers) as response:
            response.raise_for_status()
            address = (await response.json())["polling_url"]
        progress: dict[str, Any] = {"status": "Pending"}
        for turn in itertools.count(1):
            await asyncio.sleep(self.pause)
            async with self.session.get(address, headers=headers) as response:
                progress = await response.json()
            if progress["status"] == "Ready":
                break
            if message is not None:
                await message.edit(content=f"{progress['status']} for {turn * self.pause:.0f} s")
        async with self.session.get(progress["result"]["sample"]) as response:
            return await response.read()


class Actions(discord.ui.View):
    """What is under a picture. It never ends, and it needs the picture."""

    def __init__(self, image: bytes) -> None:
        super().__init__(timeout=None)
        self.image = image

    @discord.ui.button(label="Again")
    async def again(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.defer()

    @discord.ui.button(label="Vary")
    async def vary(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.defer()

    @discord.ui.button(label="Delete")
    async def delete(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.defer()


def _file(content: bytes) -> discord.File:
    return discord.File(io.BytesIO(content), filename="picture.jpg")


class Pool:
    """An `asyncio.Queue` of messages to draw for, and workers."""

    def __init__(self, bot: PlainBot, workers: int) -> None:
        self._bot = bot
        self._queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._work()) for _ in range(workers)]

    def put(self, prompt: str, message: Any) -> None:
        self._queue.put_nowait((prompt, message))

    async def burst(self, channel: int, orders: list[list[int]]) -> Json:
        place = self._bot.get_partial_messageable(channel)
        for _, member, message in orders:
            self.put(f"{member} {message}", place.get_partial_message(message))
        return {"took": [], "asked": time.time()}

    async def _work(self) -> None:
        while True:
            prompt, message = await self._queue.get()
            content = await self._bot.draw(prompt)
            await message.edit(attachments=[_file(content)], view=Actions(content))


def _add_commands(bot: PlainBot, args: argparse.Namespace) -> None:
    @bot.tree.command(description="Show your settings")
    async def settings(interaction: Interaction) -> None:  # pyright: ignore[reportUnusedFunction]
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content="Nothing is set.")

    if args.kind == "empty":
        return
    pool = Pool(bot, args.slots) if args.kind == "pool" else None

    @bot.tree.command(description="Draw a picture from a sentence")
    async def imagine(interaction: Interaction, prompt: str, model: str = MODEL) -> None:  # pyright: ignore[reportUnusedFunction]
        assert model == MODEL, "the only one here"
        await interaction.response.defer()
        message = await interaction.original_response()
        if pool:
            pool.put(prompt, message)
            return
        content = await bot.draw(prompt, message if args.kind == "watched" else None)
        await message.edit(content=None, attachments=[_file(content)], view=Actions(content))

    bot.burst = pool.burst if pool else None  # pyright: ignore[reportAttributeAccessIssue]


async def run(args: argparse.Namespace) -> None:
    bot = PlainBot(args)
    _add_commands(bot, args)
    with pointed_at(args.discord):
        async with bot:
            await bot.login(TOKEN)
            connected = asyncio.create_task(bot.connect())
            burst: Any = getattr(bot, "burst", None)
            await answer({"burst": burst} if burst else {})
            await bot.close()
            await asyncio.gather(connected, return_exceptions=True)


def main() -> None:
    parser = arguments("python -m benchmarks.processes.plain")
    parser.add_argument("--kind", choices=["loop", "watched", "pool", "empty"], required=True)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two looks")
    args = parser.parse_args()
    if args.trace:
        tracemalloc.start()
    asyncio.run(run(args))


if __name__ == "__main__":
    main()
