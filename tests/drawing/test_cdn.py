"""A file that a member attached, while the file server of Discord is in trouble: no half file is taken."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import discord
import pytest

from bot.discord.attachments import MessageFile
from bot.discord.client import Client
from bot.errors import BotError, Refused, Unavailable
from cogs.base.asking import attached
from standins.base.faults import Fault, Trouble, answers, hangs_up, truncates
from standins.discord import LocalDiscord, pointed_at, upload

CONTENT = bytes(range(256)) * 400


@pytest.fixture
async def server() -> AsyncGenerator[LocalDiscord]:
    async with LocalDiscord() as opened:
        yield opened


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (answers(500), Unavailable),
        (answers(503), Unavailable),
        (hangs_up(), Unavailable),
        (truncates(), Unavailable),
        (answers(403), Refused),
        (answers(404), Refused),
    ],
    ids=["500", "503", "reset", "cut", "403", "404"],
)
async def test_a_file_server_in_trouble_costs_another_try_and_no_half_file(
    server: LocalDiscord, tmp_path: Path, trouble: Trouble, error: type[BotError]
) -> None:
    attachment = server.world.attach(server.channel, upload("cat.png", CONTENT))
    url = attachment.url(server.world.link_expiry())
    with pointed_at(server.origin):
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login("a-token-for-a-local-discord")
            file = attached(cast("Client", client), MessageFile("cat.png", url, len(CONTENT)))
            server.faults += [Fault("file", trouble), Fault("file", trouble)]  # aiohttp asks twice after a reset
            with pytest.raises(error, match=r"“cat\.png”"):
                await file.save(tmp_path / "cat")
            assert not (tmp_path / "cat").exists()

            server.faults.clear()
            await file.save(tmp_path / "cat")
    assert (tmp_path / "cat").read_bytes() == CONTENT
