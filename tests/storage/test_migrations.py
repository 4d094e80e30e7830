"""The migrations lead to the schema that the queries are written for, from every release."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from bot.errors import Broken
from storage.database import open_database
from storage.migrations import configuration, upgrade
from storage.schema import metadata


def test_the_migrations_equal_the_schema(tmp_path: Path) -> None:
    upgrade(tmp_path / "bot.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'bot.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_there_is_one_head(tmp_path: Path) -> None:
    assert len(ScriptDirectory.from_config(configuration(tmp_path / "bot.db")).get_heads()) == 1


def test_an_upgrade_of_an_upgraded_database_changes_nothing(tmp_path: Path) -> None:
    upgrade(tmp_path / "bot.db")
    before = (tmp_path / "bot.db").read_bytes()
    upgrade(tmp_path / "bot.db")
    assert (tmp_path / "bot.db").read_bytes() == before


async def test_a_second_bot_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = await open_database(tmp_path / "bot.db")
    with pytest.raises(Broken, match="Another bot is running"):
        await open_database(tmp_path / "bot.db")
    await first.close()
    second = await open_database(tmp_path / "bot.db")
    await second.close()


async def test_a_database_of_a_newer_bot_is_left_alone(tmp_path: Path) -> None:
    command.upgrade(configuration(tmp_path / "bot.db"), "head")
    engine = create_engine(f"sqlite:///{tmp_path / 'bot.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Broken, match="newer version"):
        await open_database(tmp_path / "bot.db")


async def test_what_is_committed_is_on_the_disk(tmp_path: Path) -> None:
    """A power cut must not take back the mark that a paying step was begun."""
    database = await open_database(tmp_path / "bot.db")
    async with database.read() as db:
        assert (await db.execute(text("PRAGMA synchronous"))).scalar() == 2
        assert (await db.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
        assert (await db.execute(text("PRAGMA foreign_keys"))).scalar() == 1
    await database.close()
