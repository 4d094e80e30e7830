"""`python -m benchmarks.processes.product`: the bot as `python -m bot` assembles it, between two local services."""

import argparse
import asyncio
import random
import time
import tracemalloc

from pydantic import AnyHttpUrl, SecretStr

from benchmarks.harness import MODEL, Json
from benchmarks.processes.subject import KEY, TOKEN, answer, arguments
from bot.app import App, assemble
from bot.config import Settings
from bot.workflows.base.types import Origin
from bot.workflows.drawing.types import ImageRequest
from standins.discord import pointed_at
from storage.base import timings
from storage.community import communities
from storage.community.communities import Community

HISTORY = 50
"""Durations of earlier pictures that the database holds before the measurement, by the same distribution."""


async def run(args: argparse.Namespace) -> None:
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr(TOKEN),
        bfl_api_key=SecretStr(KEY),
        bfl_api_url=AnyHttpUrl(args.provider),
        bfl_active_tasks=args.slots,
        data_dir=args.folder,
        log_level="WARNING",
    )
    with pointed_at(args.discord):
        async with assemble(settings, origins=[args.provider]) as app, app.client:
            await _remember(app, args.history)
            await app.client.login(TOKEN)
            await app.start_workers()
            connected = asyncio.create_task(app.client.connect())
            bench = Bench(app)
            try:
                await answer({"allow": bench.allow, "burst": bench.burst})
            finally:
                await app.stop_workers()
                await app.client.close()
                await asyncio.gather(connected, return_exceptions=True)


async def _remember(app: App, history: str | None) -> None:
    """Give the server a past: `history` is "mean,deviation" in seconds."""
    if history is None:
        return
    mean, deviation = map(float, history.split(","))
    luck = random.Random(50)
    async with app.database.write() as db:
        for _ in range(HISTORY):
            await timings.add(db, what=MODEL, seconds=max(luck.gauss(mean, deviation), 0.01), now=time.time())


class Bench:
    """What a benchmark can have the bot do beside what members do."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def allow(self, guild: int) -> None:
        """As many pictures for each member as a community may allow."""
        async with self._app.database.write() as db:
            await communities.save(db, guild, Community(member_pictures=200), by=1, now=time.time())

    async def burst(self, channel: int, orders: list[list[int]]) -> Json:
        """Accept orders (guild, member, message of the card) one after the other; the seconds that each took."""
        accept = self._app.services.drawing.requests.accept
        for guild in {order[0] for order in orders}:
            await self.allow(guild)
        took: list[float] = []
        for guild, member, message in orders:
            origin = Origin(message + 1, member, guild, channel, message, nsfw=False)
            request = ImageRequest(prompt=f"{member} {message}", model=MODEL)
            before = time.perf_counter()
            await accept(origin, request)
            took.append(time.perf_counter() - before)
        return {"took": took, "asked": time.time()}


def main() -> None:
    parser = arguments("python -m benchmarks.processes.product")
    parser.add_argument("--history", default=None, metavar="MEAN,DEVIATION", help="what earlier pictures took, seconds")
    args = parser.parse_args()
    if args.trace:
        tracemalloc.start()
    asyncio.run(run(args))


if __name__ == "__main__":
    main()
