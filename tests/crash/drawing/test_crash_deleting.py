"""The bot is killed while somebody deletes their pictures: each row has its file afterwards, and each file its row."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count

import pytest
import pytest_asyncio

from bot.errors import Broken
from storage.backup import copy_everything
from storage.migrations import upgrade
from tests.crash.lives import PATIENCE, Zygote, a_zygote
from tests.crash.tables import read_tables
from tests.crash.trials import try_out
from tests.crash.world import World, a_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURES = 2
LOOKED_AT = PICTURES
"""Files that the start looks at: they were announced before they were stored."""
MOMENTS = [
    f"{when} {what}"
    for what in (
        "commit of Requests.delete imagine #1",
        f"commit of Files.discard #{LOOKED_AT + 1}",
        f"commit of Files.discard #{LOOKED_AT + PICTURES}",
        "deletion of a file #1",
        f"deletion of a file #{PICTURES}",
    )
    for when in ("before", "after")
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Callable[[], AbstractAsyncContextManager[World]]]:
    folder, numbers = tmp_path_factory.mktemp("deleting"), count()
    upgrade(folder / "empty.db")
    async with a_zygote() as zygote:

        def world(zygote: Zygote = zygote) -> AbstractAsyncContextManager[World]:
            return a_world(folder / str(next(numbers)), zygote, count=PICTURES, database=folder / "empty.db")

        yield world


def kill_at(moment: str) -> Callable[[World], Awaitable[list[str]]]:
    async def trial(world: World) -> list[str]:
        assert await world.lead() == 0
        sessions = world.discord.gateway.identified
        life = await world.start(moment=moment, stays=True)
        await world.discord.until(lambda: world.discord.gateway.identified > sessions, timeout=PATIENCE)
        asked = await world.discord.press(world.discord.member, world.card, f"1:img:delete:{world.request}")
        await world.discord.until(lambda: asked.original is not None and bool(asked.original.components))
        assert asked.original
        await world.discord.press(world.discord.member, asked.original, f"1:img:deleted:{world.request}")
        assert await life.end() == -signal.SIGKILL
        unsound = await asyncio.to_thread(find_unsound, world, "dead")
        assert await world.lead() == 0
        return [*unsound, *await asyncio.to_thread(find_unsound, world, "next"), *find_strays(world)]

    return trial


def find_unsound(world: World, name: str) -> list[str]:
    """What a backup complains of."""
    try:
        copy_everything(world.folder, world.folder.parent / f"{world.folder.name}-{name}")
    except Broken as error:
        return [f"{name}: {error}"]
    return []


def find_strays(world: World) -> list[str]:
    """Files that no image names."""
    named = {image["sha256"] for image in read_tables(world.folder).images if image["deleted_at"] is None}
    stored = {path.name for path in (world.folder / "media").glob("??/??/*")}
    return [] if stored == named else [f"the files are {stored}, and the images name {named}"]


async def test_killed_while_pictures_are_deleted(worlds: Callable[[], AbstractAsyncContextManager[World]]) -> None:
    await try_out({moment: kill_at(moment) for moment in MOMENTS}, worlds)
