"""`python -m bot`: what an admin types, and what the answer is."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from discord import LoginFailure
from pydantic import AnyHttpUrl, SecretStr

from bot.__main__ import main
from bot.command_line.doctor import doctor
from bot.command_line.run import run
from bot.config import Settings
from bot.errors import Broken
from bot.workflows.base.types import job_id
from standins.bfl import BflServer
from standins.discord import LocalDiscord, pointed_at
from storage.backup import copy_everything
from storage.community import communities
from storage.community.communities import Community as CommunitySettings
from storage.database import open_database
from storage.migrations import upgrade
from tests.scenes.community import Community

TOKEN = "a-token-for-a-local-discord"


def settings(folder: Path, bfl: str, *, key: str = "sandbox-key") -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
        discord_token=SecretStr(TOKEN),
        bfl_api_key=SecretStr(key),
        bfl_api_url=AnyHttpUrl(bfl),
        data_dir=folder,
    )


def test_help_says_what_else_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert all(verb in output for verb in ("run", "doctor", "backup"))


def test_missing_settings_are_explained_and_not_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert main(["run"]) == 1
    output = capsys.readouterr().err
    assert "DISCORD_TOKEN is missing" in output
    assert "BFL_API_KEY is missing" in output
    assert "Traceback" not in output


def test_a_database_of_a_newer_bot_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DISCORD_TOKEN": TOKEN, "BFL_API_KEY": "sandbox-key", "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    upgrade(tmp_path / "bot.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    assert main(["run"]) == 1
    output = capsys.readouterr().err
    assert output == f"{tmp_path / 'bot.db'} was written by a newer version of the bot. Install that version again.\n"


async def test_the_doctor_finds_roles_and_channels_that_were_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with TestServer(BflServer().app()) as bfl, LocalDiscord(token=TOKEN) as discord:
        database = await open_database(tmp_path / "bot.db")
        gone = CommunitySettings(moderator_role_id=404, review_channel_id=405)
        async with database.write() as db:
            await communities.save(db, discord.guild.id, gone, by=1, now=0)
        await database.close()
        with pointed_at(discord.origin):
            assert not await doctor(settings(tmp_path, str(bfl.make_url("")).rstrip("/")))
    output = capsys.readouterr().out
    assert "FAIL Guild: the moderators' role does not exist any more." in output
    assert "FAIL Guild: The channel for approval requests does not exist any more." in output


async def test_the_doctor_says_what_is_well_and_what_to_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        LocalDiscord(token=TOKEN) as discord,
        TestServer(BflServer(era=2026, credits=1234).app()) as bfl,
    ):
        with pointed_at(discord.origin):
            assert await doctor(settings(tmp_path, str(bfl.make_url(""))))
            well = capsys.readouterr().out
            assert "FAIL" not in well
            assert "$12.34 left" in well
            assert not await doctor(settings(tmp_path, str(bfl.make_url("")), key="wrong-key"))
    ill = capsys.readouterr().out
    assert "FAIL Black Forest Labs" in ill
    assert "wrong-key" not in ill


async def test_the_bot_stops_on_sigterm_with_its_work_saved_and_goes_on_at_the_next_start(tmp_path: Path) -> None:
    later = [0.0]
    bfl = BflServer(clock=lambda: time.time() + later[0], duration=500.0, picture_size=64)
    async with LocalDiscord(token=TOKEN) as discord, TestServer(bfl.app()) as server:
        with pointed_at(discord.origin):
            chosen = settings(tmp_path, str(server.make_url("")))
            life = asyncio.create_task(run(chosen))
            await discord.ready()
            asked = await discord.slash(
                discord.member, discord.channel, "imagine", prompt="a slow river", model="flux-2-klein-4b"
            )
            await asked.answered
            await discord.until(lambda: len(bfl.tasks) == 1, "the order")
            os.kill(os.getpid(), signal.SIGTERM)
            await life
            with contextlib.closing(sqlite3.connect(tmp_path / "bot.db")) as db:
                state = db.execute("SELECT state, holds_slot FROM jobs WHERE parent_id IS NOT NULL").fetchall()
                steps = db.execute("SELECT name FROM steps WHERE finished_at IS NOT NULL").fetchall()
            assert state == [("waiting", 1)]
            assert steps == [("ordered",)]

            later[0] = 501.0
            again = asyncio.create_task(run(chosen))
            await discord.until(lambda: bool(discord.messages[-1].attachments), "the picture")
            os.kill(os.getpid(), signal.SIGTERM)
            await again
    assert len(bfl.tasks) == 1
    assert len(discord.messages) == 1


async def test_a_token_that_discord_refuses_is_said_and_not_tried_again(tmp_path: Path) -> None:
    async with LocalDiscord(token="another") as discord:
        with pointed_at(discord.origin):
            with pytest.raises(LoginFailure):
                await run(settings(tmp_path, "http://127.0.0.1:9"))
            assert len(discord.requests) <= 2


async def test_a_backup_of_a_running_bot_is_whole(community: Community, tmp_path: Path) -> None:
    await community.imagine()
    await community.pass_time(15)
    copy = tmp_path / "copy"
    assert await asyncio.to_thread(copy_everything, community.folder, copy) == 1
    with contextlib.closing(sqlite3.connect(copy / "bot.db")) as db:
        (sha256,) = db.execute("SELECT sha256 FROM images").fetchone()
    assert (
        copy / "media" / sha256[:2] / sha256[2:4] / sha256
    ).read_bytes() == await community.app.services.kit.files.read(sha256)


def test_a_backup_never_writes_over_another(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bot.db").touch()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "precious").touch()
    with pytest.raises(Broken, match="not empty"):
        copy_everything(tmp_path / "data", tmp_path / "copy")


def test_ids_do_not_collide() -> None:
    assert len({job_id(number) for number in range(10_000)}) == 10_000
