"""The whole bot over real sockets, with answers of Discord that are lost on the way."""

import asyncio
import io
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import discord
import pytest
from aiohttp.test_utils import TestServer
from pydantic import AnyHttpUrl, SecretStr

from bot.app import App, assemble
from bot.cards.base.layout import compose, text
from bot.config import Settings
from bot.discord.buttons import Answer, acknowledge
from bot.discord.client import Interaction as BotInteraction
from standins.base.faults import Fault, Trouble, hangs_up, loses_the_answer
from standins.bfl import BflServer
from standins.discord import Interaction, LocalDiscord, dropped, lost_answer, pointed_at
from standins.discord.rules import walk
from storage.base import jobs
from storage.community import members

TOKEN = "a-token-for-a-local-discord"


class Bot:
    """The bot as it runs, without its workers: what it accepts stays in the queue."""

    def __init__(self, server: LocalDiscord, app: App) -> None:
        self.server = server
        self.app = app

    async def type(self, command: str, **options: object) -> Interaction:
        return await self.server.slash(self.server.member, self.server.channel, command, **options)

    async def sentence(self, typed: Interaction) -> str:
        """What the one who typed reads."""
        await self.server.until(lambda: any(each.ephemeral and not each.loading for each in self.server.messages))
        messages = [each for each in self.server.messages if each.ephemeral and not each.loading]
        assert typed.acknowledged_at is not None
        return messages[-1].content


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncGenerator[Bot]:
    async with AsyncExitStack() as stack:
        bfl = await stack.enter_async_context(TestServer(BflServer(picture_size=64).app()))
        server = await stack.enter_async_context(LocalDiscord(token=TOKEN))
        stack.enter_context(pointed_at(server.origin))
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue] - of pydantic-settings
            discord_token=SecretStr(TOKEN),
            bfl_api_key=SecretStr("sandbox-key"),
            bfl_api_url=AnyHttpUrl(str(bfl.make_url("")).rstrip("/")),
            data_dir=tmp_path,
        )
        app = await stack.enter_async_context(assemble(settings))
        async with app.client:
            connected = asyncio.create_task(app.client.start(TOKEN))
            await server.ready()
            await app.client.wait_until_ready()
            yield Bot(server, app)
        connected.cancel()
        rest = [each for each in asyncio.all_tasks() if each.get_name().startswith("discord.py")]
        await asyncio.gather(connected, *rest, return_exceptions=True)


@pytest.mark.parametrize("fault", [lost_answer(502), dropped(committed=True), loses_the_answer()])
async def test_an_acknowledgement_whose_answer_was_lost_is_one_request(bot: Bot, fault: Trouble) -> None:
    bot.server.faults.append(Fault("callback", fault))
    typed = await bot.type("imagine", prompt="a lighthouse")
    await bot.server.until(lambda: any(list(walk(each.components)) for each in bot.server.messages if not each.loading))
    async with bot.app.database.read() as db:
        accepted = await jobs.newest(db, guild_id=bot.server.guild.id, owner_id=bot.server.member.id, limit=9)
        job = await jobs.find(db, accepted[0])
    assert len(accepted) == 1
    assert job
    assert typed.original
    assert job.message_id == typed.original.id, "the answer is its card"


@pytest.mark.parametrize("kind", ["callback", "original.edit"])
@pytest.mark.parametrize("fault", [hangs_up(), dropped(committed=False), dropped(committed=True)])
async def test_one_dropped_connection_is_not_noticed(bot: Bot, kind: str, fault: Trouble) -> None:
    bot.server.faults.append(Fault(kind, fault))
    typed = await bot.type("history")
    assert "mistake" not in await bot.sentence(typed)
    assert "did not answer" not in await bot.sentence(typed)


@pytest.mark.parametrize("fault", [hangs_up(), dropped(committed=False), dropped(committed=True)])
async def test_a_file_is_whole_when_it_is_sent_once_more_and_there_once(bot: Bot, fault: Trouble) -> None:
    bot.server.faults.append(Fault("message.create", fault))
    content = os.urandom(300_000)
    channel = bot.app.client.get_partial_messageable(bot.server.channel.id)
    await channel.send(file=discord.File(io.BytesIO(content), "noise.bin"))
    (message,) = bot.server.messages
    assert message.attachments[0].file.content == content


async def test_who_gets_no_answer_is_told_that_it_was_done(bot: Bot) -> None:
    bot.server.faults.append(Fault("original.edit", hangs_up(), times=2))
    typed = await bot.type("settings", count=3)
    assert (
        await bot.sentence(typed) == "Discord did not answer the bot just now. What you asked for is done all the same."
    )
    async with bot.app.database.read() as db:
        assert (await members.find(db, bot.server.member.id)).count == 3


async def test_who_gets_no_answer_is_told_that_nothing_was_done(bot: Bot) -> None:
    bot.server.faults.append(Fault("original.edit", hangs_up(), times=2))
    typed = await bot.type("history")
    assert await bot.sentence(typed) == "Discord did not answer the bot just now. Nothing was done. Please try again."


async def test_a_card_whose_answer_was_lost_is_followed_by_the_sentence(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord has made the answer a card, which takes no text any more, and the bot does not know it."""

    async def answer_with_card(_cog: object, interaction: BotInteraction) -> None:
        await acknowledge(interaction, Answer.PRIVATE)
        await interaction.edit_original_response(view=compose([text("A card")]).view)
        raise TimeoutError

    monkeypatch.setattr(bot.app.client.tree.get_command("history"), "_callback", answer_with_card)
    typed = await bot.type("history")
    await bot.server.until(lambda: len([each for each in bot.server.messages if each.content]) == 1)
    assert (await bot.sentence(typed)).startswith("Discord did not answer the bot just now.")
    assert typed.original
    assert [each for _, each in walk(typed.original.components) if each.get("content") == "A card"], "it stays"
