"""Nobody who holds a connection to the database asks for another one."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from storage.database import Database, NestedConnection, open_database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    opened = await open_database(tmp_path / "bot.db")
    yield opened
    await opened.close()


async def test_who_reads_and_asks_for_another_connection_is_reported(database: Database) -> None:
    async with database.read():
        with pytest.warns(NestedConnection) as reported:
            async with database.read():
                pass
        with pytest.warns(NestedConnection):
            async with database.write():
                pass

    assert reported[0].filename == __file__


async def test_who_writes_and_opens_another_transaction_fails_instead_of_waiting_for_itself(database: Database) -> None:
    async with database.write():
        with pytest.raises(RuntimeError, match="inside another"):
            async with database.write():
                pass
        with pytest.warns(NestedConnection):
            async with database.read():
                pass


async def test_a_task_that_a_holder_waits_for_is_reported_and_one_that_outlives_the_hold_is_not(
    database: Database,
) -> None:
    async def read() -> None:
        async with database.read():
            pass

    async def read_later(released: asyncio.Event) -> None:
        await released.wait()
        await read()

    released = asyncio.Event()
    async with database.read():
        later = asyncio.create_task(read_later(released))
        with pytest.warns(NestedConnection):
            await asyncio.gather(read())
    released.set()
    await later


async def test_one_connection_after_the_other_is_fine(database: Database) -> None:
    async with database.write():
        pass
    async with database.read():
        pass
