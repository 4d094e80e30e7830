"""Fixtures that many tests share."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from storage.base import queue
from storage.database import NestedConnection, open_database
from storage.migrations import upgrade
from tests.scenes.clock import TurnedClock
from tests.scenes.community import Community, a_community
from tests.scenes.workbench import LANES, Bench

pytest_plugins = ["tests.scenes.chains"]

MakeCommunity = Callable[..., Awaitable[Community]]

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes folders of its own in it
ROOM = 2 * 2**30
"""Bytes that all tests together leave behind at most, with room to spare."""


def pytest_configure() -> None:
    """Put the tests' folders into memory where the machine allows it.

    The database waits for the disk at each commit, which takes milliseconds there and microseconds in memory. No test
    looks at what a power cut leaves behind; a kill leaves the same in both.
    """
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session", autouse=True)
def _copy_new_databases(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:  # pyright: ignore[reportUnusedFunction]
    """Make the newest schema once. Every new database is a copy of it, which takes a tenth of all the migrations."""
    newest = tmp_path_factory.mktemp("schema") / "bot.db"
    upgrade(newest)

    def copy_or_upgrade(path: Path) -> None:
        if path.exists():
            upgrade(path)
        else:
            shutil.copyfile(newest, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.database.upgrade", copy_or_upgrade)
        yield


@pytest.fixture(autouse=True)
def no_nested_connections(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Fail also where a nested connection was met by something that catches everything, and logs it."""
    yield
    errors = [each.exc_info[1] for each in caplog.get_records("call") if each.exc_info]
    assert not [each for each in errors if isinstance(each, NestedConnection)]


@pytest.fixture
async def make_community(tmp_path: Path) -> AsyncGenerator[MakeCommunity]:
    """Makes a community whose BFL has the given options: `await make_community(duration=20)`."""
    homes: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    async def make(**bfl_options: Any) -> Community:
        up: asyncio.Future[Community] = asyncio.get_running_loop().create_future()
        over = asyncio.Event()

        async def live() -> None:
            # A task of its own: SimCord wants to be left in the context that it was entered in, and a
            # fixture's end runs in another.
            async with a_community(tmp_path, **bfl_options) as community:
                up.set_result(community)
                await over.wait()

        home = asyncio.create_task(live())
        homes.append((over, home))
        await asyncio.wait({up, home}, return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            await home
        return await up

    yield make
    for over, home in homes:
        over.set()
        await home


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the admin is told; ask for it before the community."""
    sentences: list[str] = []

    async def tell(_client: object, _settings: object, sentence: str) -> None:
        sentences.append(sentence)

    monkeypatch.setattr("bot.app.tell_admin", tell)
    return sentences


@pytest.fixture
async def community(make_community: MakeCommunity) -> Community:
    """A guild with the bot at work in it."""
    return await make_community()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncGenerator[Bench]:
    """A worker that has not begun yet."""
    database = await open_database(tmp_path / "bot.db")
    made = Bench(database, TurnedClock(), tmp_path)
    async with made.database.write() as db:
        await queue.set_lanes(db, LANES)
    yield made
    await made.stop()
    await database.close()
