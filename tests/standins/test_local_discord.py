"""The small Discord of `standins.discord`, told by a real discord.py bot over a real socket."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from discord.ext import commands
from discord.http import Route

from standins.base.faults import Fault, Trouble
from standins.discord import (
    Bucket,
    LocalDiscord,
    disconnected,
    dropped,
    expired_token,
    failing,
    forbidden,
    held,
    lost_answer,
    pointed_at,
    rate_limited,
    slow,
    upload,
)
from standins.discord.rules import FILE_LIMIT
from standins.discord.state import ATTACH_FILES, SEND_MESSAGES, VIEW_CHANNEL
from tests import ROOT
from tests.scenes.clock import Clock

Act = Callable[[discord.Interaction], Awaitable[object]]
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


class Approve(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"1:ok:(?P<id>\d+)"):
    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label="Approve", custom_id=f"1:ok:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Approve:
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content=f"approved {self.number}", view=None)


class Form(discord.ui.Modal, title="Register"):
    name = discord.ui.Label(text="Name", component=discord.ui.TextInput[Any](custom_id="name"))
    files = discord.ui.Label(text="Files", component=discord.ui.FileUpload[Any](custom_id="files", max_values=5))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        name, files = self.name.component, self.files.component
        assert isinstance(name, discord.ui.TextInput)
        assert isinstance(files, discord.ui.FileUpload)
        sizes = [len(await each.read()) for each in files.values]
        await interaction.response.send_message(f"{name.value}: {sizes}", ephemeral=True)


class Painter(commands.Bot):
    """`act` is what /run does; `outcome` is how it ended."""

    def __init__(self, act: Act | None = None) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            help_command=None,
            guild_ready_timeout=0,
        )
        self.act: Act = act or (lambda interaction: interaction.response.send_message("done"))
        self.outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The default waits 5 seconds before it identifies again."""

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Approve)
        keys = app_commands.Group(
            name="keys", description="Keys", parent=app_commands.Group(name="admin", description="Admin")
        )

        @self.tree.command(description="Run")
        async def run(interaction: discord.Interaction) -> None:  # pyright: ignore[reportUnusedFunction]
            try:
                self.outcome.set_result(await self.act(interaction))
            except Exception as error:  # handed to the test
                self.outcome.set_result(error)

        @self.tree.command(description="Imagine")
        async def imagine(  # pyright: ignore[reportUnusedFunction]
            interaction: discord.Interaction, prompt: str, picture: discord.Attachment | None = None
        ) -> None:
            await interaction.response.defer(thinking=True)
            files = [discord.File(io.BytesIO(await picture.read()), "same.png")] if picture else []
            await interaction.edit_original_response(content=prompt, attachments=files)

        @imagine.autocomplete("prompt")
        async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:  # pyright: ignore[reportUnusedFunction]
            return [app_commands.Choice(name=f"{typed} in oil", value=f"{typed} in oil")]

        @keys.command(name="set", description="Set")
        async def set_key(interaction: discord.Interaction, owner: discord.Member, count: int) -> None:  # pyright: ignore[reportUnusedFunction]
            await interaction.response.send_message(f"{owner.name} {count}")

        @self.tree.context_menu(name="Register as IP")
        async def register(interaction: discord.Interaction, message: discord.Message) -> None:  # pyright: ignore[reportUnusedFunction]
            await interaction.response.send_message(message.content)

        assert keys.parent
        self.tree.add_command(keys.parent)
        await self.tree.sync()


@asynccontextmanager
async def running(server: LocalDiscord, act: Act | None = None) -> AsyncGenerator[Painter]:
    """A bot that has identified, and says goodbye at the end."""
    with pointed_at(server.origin):
        async with Painter(act) as bot:
            task = asyncio.create_task(bot.start("token"))
            try:
                await server.ready()
                yield bot
            finally:
                await bot.close()
                await task


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
async def server(clock: Clock) -> AsyncGenerator[LocalDiscord]:
    async with LocalDiscord(clock, token="token") as server:
        yield server


@pytest.fixture
async def bot(server: LocalDiscord) -> AsyncGenerator[Painter]:
    async with running(server) as bot:
        yield bot


def place(bot: Painter, server: LocalDiscord) -> discord.PartialMessageable:
    return bot.get_partial_messageable(server.channel.id)


def code(error: object) -> int:
    assert isinstance(error, discord.HTTPException), error
    return error.code


# People.


async def test_a_slash_command_with_a_file_is_deferred_and_answered_with_the_same_bytes(
    server: LocalDiscord, bot: Painter
) -> None:
    picture = upload("mine.png", PICTURE)
    asked = await server.slash(server.member, server.channel, "imagine", prompt="a cat", picture=picture)
    assert (await asked.acknowledged).callback == 5
    message = await asked.answered
    assert message.content == "a cat"
    assert [(each.filename, each.sha256) for each in message.attachments] == [("same.png", picture.sha256)]
    assert [each.changed for each in message.history] == [True, True]
    assert asked.latency == 0, "the clock stood still"


async def test_groups_members_autocomplete_and_context_menus(server: LocalDiscord, bot: Painter) -> None:
    member, channel = server.member, server.channel
    asked = await server.slash(member, channel, "admin keys set", owner=member, count=3)
    assert (await asked.answered).content == "member 3"
    typing = await server.autocomplete(member, channel, "imagine", focused="prompt", prompt="a cat")
    assert (await typing.acknowledged).choices == [{"name": "a cat in oil", "value": "a cat in oil"}]
    message = await server.say(member, channel, "look at this")
    menu = await server.message_command(member, "Register as IP", message)
    assert (await menu.answered).content == "look at this"
    with pytest.raises(LookupError, match="without 'prompt'"):
        await server.slash(member, channel, "imagine")


async def test_a_button_of_an_earlier_bot_still_works(server: LocalDiscord) -> None:
    async with running(server) as bot:
        view = discord.ui.View(timeout=None).add_item(Approve(7))
        posted = await place(bot, server).send("a card", view=view)
    async with running(server):
        message = server.world.messages[posted.id]
        pressed = await server.press(server.member, message, "1:ok:7")
        assert (await pressed.acknowledged).original is message
        assert (message.content, message.components, message.edits) == ("approved 7", [], 1)
        with pytest.raises(LookupError, match="has no '1:ok:7'"):
            await server.press(server.member, message, "1:ok:7")


async def test_a_modal_is_opened_and_submitted_with_files(server: LocalDiscord, bot: Painter) -> None:
    bot.act = lambda interaction: interaction.response.send_modal(Form())
    asked = await (await server.slash(server.member, server.channel, "run")).acknowledged
    files = [upload("a.png", b"a"), upload("b.png", b"bb")]
    sent = await server.submit_modal(asked, {"name": "Fox", "files": files})
    message = await sent.answered
    assert (message.content, sent.ephemeral) == ("Fox: [1, 2]", True)
    with pytest.raises(discord.NotFound) as refused:
        await place(bot, server).fetch_message(message.id)
    assert refused.value.code == 10008, "ephemeral messages are out of the bot token's reach"


async def test_a_layout_shows_files_that_can_be_downloaded_until_their_link_expires(
    server: LocalDiscord, bot: Painter, clock: Clock
) -> None:
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container[Any](discord.ui.TextDisplay[Any]("# Done"), accent_colour=7))
    view.add_item(discord.ui.MediaGallery[Any](discord.MediaGalleryItem("attachment://a.png")))
    sent = await place(bot, server).send(view=view, file=discord.File(io.BytesIO(PICTURE), "a.png"))
    assert await sent.attachments[0].read() == PICTURE
    assert server.messages[0].components[1]["items"][0]["media"]["url"] == sent.attachments[0].url
    edited = await place(bot, server).get_partial_message(sent.id).edit(view=view)
    assert (len(edited.attachments), server.messages[0].history[-1].changed) == (1, False)
    view.add_item(discord.ui.TextDisplay[Any]("one more line"))
    await place(bot, server).get_partial_message(sent.id).edit(view=view)
    assert [each.changed for each in server.messages[0].history] == [True, False, True]
    clock.time += 25 * 3600
    with pytest.raises(discord.NotFound):
        await sent.attachments[0].read()


async def test_a_callback_says_which_message_it_made(server: LocalDiscord, bot: Painter) -> None:
    async def answer(interaction: discord.Interaction) -> int | None:
        response = await interaction.response.send_message("x", ephemeral=True)
        assert isinstance(response.resource, discord.InteractionMessage)
        assert response.is_ephemeral()
        return response.message_id

    bot.act = answer
    asked = await server.slash(server.member, server.channel, "run")
    assert await bot.outcome == (await asked.answered).id


async def test_roles_places_and_permissions_arrive_as_they_are(server: LocalDiscord) -> None:
    role = server.add_role("moderators", server.member)
    async with running(server) as bot:

        async def look(interaction: discord.Interaction) -> list[object]:
            assert isinstance(interaction.user, discord.Member)
            guild = interaction.guild
            assert guild
            roles = [each.id for each in interaction.user.roles if not each.is_default()]
            return [roles, interaction.app_permissions.attach_files, sorted(each.name for each in guild.channels)]

        bot.act = look
        place = server.add_channel("later")
        server.delete_channel(server.channel)
        place.app_permissions &= ~ATTACH_FILES
        await server.slash(server.member, place, "run")
        assert await bot.outcome == [[role], False, ["later"]]


async def test_what_is_not_played_is_said_aloud(server: LocalDiscord, bot: Painter) -> None:
    with pytest.raises(discord.NotFound, match="This small Discord has no"):
        await bot.http.request(Route("GET", "/voice/regions"))
    assert [each.kind for each in server.requests][-1] == "unknown"


async def test_a_mistaken_claim_fails_who_waits_and_not_the_bot(server: LocalDiscord, bot: Painter) -> None:
    waiting = asyncio.create_task(server.until(lambda: server.messages and server.messages[5]))
    await asyncio.sleep(0)
    await place(bot, server).send("x")
    with pytest.raises(IndexError):
        await waiting


# Rules.


async def test_an_answer_after_three_seconds_is_refused(server: LocalDiscord, bot: Painter, clock: Clock) -> None:
    gate = asyncio.Event()

    async def late(interaction: discord.Interaction) -> None:
        await gate.wait()
        await interaction.response.defer()

    bot.act = late
    asked = await server.slash(server.member, server.channel, "run")
    clock.time += 3.1
    gate.set()
    assert code(await bot.outcome) == 10062
    assert (asked.refusals, asked.callback) == ([10062], None)


async def test_an_interaction_is_acknowledged_once_and_its_token_lives_fifteen_minutes(
    server: LocalDiscord, bot: Painter, clock: Clock
) -> None:
    async def twice(interaction: discord.Interaction) -> list[int]:
        await interaction.response.defer()
        first = await interaction.original_response()
        interaction.response._response_type = None  # pyright: ignore[reportPrivateUsage]
        codes: list[int] = []
        for again in (interaction.response.defer, lambda: interaction.edit_original_response(content="late")):
            try:
                await again()
            except discord.HTTPException as error:
                codes.append(error.code)
            clock.time += 15 * 60 + 1
        await place(bot, server).get_partial_message(first.id).edit(content="by its id")
        return codes

    bot.act = twice
    asked = await server.slash(server.member, server.channel, "run")
    assert await bot.outcome == [40060, 50027]
    assert (await asked.answered).content == "by its id", "a message outlives its interaction"


async def test_the_first_followup_becomes_the_thinking_message_and_inherits_its_visibility(
    server: LocalDiscord, bot: Painter
) -> None:
    async def follow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("first", ephemeral=False)
        second = await interaction.followup.send("second", wait=True)
        await second.edit(content="second, edited")
        await interaction.delete_original_response()

    bot.act = follow
    asked = await server.slash(server.member, server.channel, "run")
    assert await bot.outcome is None
    assert asked.original
    assert (asked.original.content, asked.ephemeral, asked.original.deleted) == ("first", True, True)
    assert [(each.content, each.ephemeral, each.edits) for each in asked.followups] == [("second, edited", False, 1)]


async def test_permissions_direct_messages_and_unknown_things(server: LocalDiscord, bot: Painter) -> None:
    channel = place(bot, server)
    user = await bot.fetch_user(server.member.id)
    await user.send("hello")
    assert server.direct_channel(server.member).messages[0].content == "hello"
    server.member.accepts_direct_messages = False
    theirs = await server.say(server.member, server.channel, "mine")

    async def refusal(doing: Awaitable[object]) -> int:
        with pytest.raises(discord.HTTPException) as refused:
            await doing
        return refused.value.code

    assert await refusal(user.send("hello")) == 50007
    assert await refusal(channel.fetch_message(1)) == 10008
    assert await refusal(bot.fetch_channel(1)) == 10003
    assert await refusal(bot.fetch_guild(1)) == 10004
    assert await refusal(channel.get_partial_message(theirs.id).edit(content="x")) == 50005
    assert await refusal(channel.get_partial_message(theirs.id).delete()) == 50013
    server.channel.app_permissions &= ~ATTACH_FILES
    assert await refusal(channel.send(file=discord.File(io.BytesIO(b"x"), "x.png"))) == 50013
    server.channel.app_permissions &= ~SEND_MESSAGES
    assert await refusal(channel.send("x")) == 50013
    server.channel.app_permissions &= ~VIEW_CHANNEL
    assert await refusal(channel.send("x")) == 50001


async def test_files_are_limited_one_by_one_and_together(server: LocalDiscord, bot: Painter) -> None:
    for sizes in ([FILE_LIMIT + 1], [9 * 1024 * 1024] * 3):
        files = [discord.File(io.BytesIO(bytes(size)), f"{n}.bin") for n, size in enumerate(sizes)]
        with pytest.raises(discord.HTTPException) as refused:
            await place(bot, server).send(files=files)
        assert (refused.value.status, refused.value.code) == (413, 40005)
    await place(bot, server).send(file=discord.File(io.BytesIO(bytes(FILE_LIMIT)), "most.bin"))
    assert [each.attachments[0].size for each in server.messages] == [FILE_LIMIT]


def button(custom_id: str = "a", **more: object) -> dict[str, object]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": custom_id, **more}


def row(*inside: dict[str, object]) -> dict[str, object]:
    return {"type": 1, "components": list(inside)}


def text(content: str) -> dict[str, object]:
    return {"type": 10, "content": content}


V2 = 1 << 15
GALLERY = {"type": 12, "items": [{"media": {"url": "attachment://a.png"}}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"content": "x" * 2001}, "content", id="content"),
        pytest.param({"content": ""}, 50006, id="empty"),
        pytest.param({"content": "x", "nonce": "n" * 26}, "nonce", id="nonce"),
        pytest.param({"embeds": [{"description": "x" * 4000}] * 2}, "embeds", id="embeds together"),
        pytest.param({"content": "x", "flags": V2, "components": [text("x")]}, "content", id="v2 and content"),
        pytest.param(
            {"embeds": [{"title": "x"}], "flags": V2, "components": [text("x")]}, "embeds", id="v2 and embeds"
        ),
        pytest.param({"components": [text("x")]}, "components", id="v2 without its flag"),
        pytest.param({"flags": V2, "components": [text("x" * 2001), text("x" * 2000)]}, "components", id="v2 text"),
        pytest.param(
            {"flags": V2, "components": [row(*(button(f"{r}-{n}") for n in range(5))) for r in range(7)]},
            "components",
            id="42 components",
        ),
        pytest.param({"content": "x", "components": [row(button(), button())]}, "components", id="custom_id twice"),
        pytest.param({"content": "x", "components": [row(button(""))]}, "components", id="no custom_id"),
        pytest.param({"content": "x", "components": [row(button("x" * 101))]}, "components", id="long custom_id"),
        pytest.param({"content": "x", "components": [row(button(label="x" * 81))]}, "components", id="long label"),
        pytest.param(
            {"content": "x", "components": [row(*(button(str(n)) for n in range(6)))]}, "components", id="six in a row"
        ),
        pytest.param({"flags": V2, "components": [GALLERY]}, "components", id="missing attachment"),
    ],
)
@pytest.mark.parametrize("validate", [False, True])
async def test_a_message_that_discord_would_not_show_is_refused(
    body: dict[str, object], expected: str | int, validate: bool
) -> None:
    async with LocalDiscord(validate=validate) as server, aiohttp.ClientSession(server.origin) as client:
        async with client.post(f"/api/v10/channels/{server.channel.id}/messages", json=body) as response:
            answer: dict[str, Any] = await response.json()
        assert response.status == 400
        if isinstance(expected, str):
            assert (answer["code"], list(answer["errors"])) == (50035, [expected])
        else:
            assert answer["code"] == expected
        assert server.messages == []


async def test_eleven_files_are_one_too_many() -> None:
    async with LocalDiscord() as server, aiohttp.ClientSession(server.origin) as client:
        form = aiohttp.FormData(quote_fields=False)
        for n in range(11):
            form.add_field(f"files[{n}]", b"x", filename=f"{n}.png")
        async with client.post(f"/api/v10/channels/{server.channel.id}/messages", data=form) as response:
            assert (await response.json())["code"] == 50035


async def test_what_only_the_openapi_document_forbids_is_refused_too(server: LocalDiscord, bot: Painter) -> None:
    if not server.validates:
        pytest.skip("Discord's OpenAPI document is not at hand")
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=server.channel.id)
    with pytest.raises(discord.HTTPException) as refused:
        await bot.http.request(route, json={"content": "x", "tts": "yes"})
    assert refused.value.code == 50035


async def test_a_nonce_is_remembered_for_a_few_minutes(server: LocalDiscord, bot: Painter, clock: Clock) -> None:
    first = await place(bot, server).send("once", nonce="job-1")
    assert (await place(bot, server).send("again", nonce="job-1")).id == first.id
    clock.time += 301
    assert (await place(bot, server).send("again", nonce="job-1")).id != first.id
    assert [each.content for each in server.messages] == ["once", "again"]


# Trouble with requests.


async def test_a_followup_is_doubled_by_a_lost_answer(server: LocalDiscord, bot: Painter) -> None:
    async def follow(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("working")
        await interaction.followup.send("result")

    bot.act = follow
    server.faults.append(Fault("followup.create", lost_answer(502)))
    asked = await server.slash(server.member, server.channel, "run")
    assert await bot.outcome is None
    assert [each.content for each in asked.followups] == ["result", "result"]


async def test_a_post_with_a_nonce_survives_a_lost_answer_once(server: LocalDiscord, bot: Painter) -> None:
    server.faults.append(Fault("message.create", lost_answer(502)))
    await place(bot, server).send("result", nonce="job-1")
    assert [(each.status, each.committed) for each in server.requested("message.create")] == [(502, True), (200, True)]
    assert [each.content for each in server.messages] == ["result"]


@pytest.mark.parametrize("committed", [True, False])
async def test_a_dropped_post_is_sent_again_with_its_nonce_and_stands_once(
    server: LocalDiscord, bot: Painter, committed: bool
) -> None:
    server.faults.append(Fault("message.create", dropped(committed=committed)))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await place(bot, server).send("result", nonce="job-1")
    assert len(server.messages) == committed
    await place(bot, server).send("result", nonce="job-1")
    assert [each.content for each in server.messages] == ["result"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(failing(503), discord.DiscordServerError, id="503"),
        pytest.param(forbidden(50001), discord.Forbidden, id="403"),
        pytest.param(expired_token(), discord.HTTPException, id="401"),
        pytest.param(rate_limited(cloudflare=True), discord.HTTPException, id="Cloudflare"),
        pytest.param(rate_limited(0.01), None, id="429"),
        pytest.param(rate_limited(0.01, everywhere=True), None, id="global 429"),
        pytest.param(slow(0.01), None, id="slow"),
    ],
)
async def test_a_fault_meets_as_many_requests_as_it_was_told_to(
    server: LocalDiscord, bot: Painter, fault: Trouble, expected: type[discord.HTTPException] | None
) -> None:
    server.faults.append(Fault("message.*", fault))
    if expected:
        with pytest.raises(expected):
            await place(bot, server).send("x")
        assert server.messages == []
    await place(bot, server).send("y")
    assert ([each.content for each in server.messages], server.faults) == (["y"], [])


async def test_an_answer_can_be_held_back(server: LocalDiscord, bot: Painter) -> None:
    gate = asyncio.Event()
    server.faults.append(Fault("message.create", held(gate)))
    sending = asyncio.create_task(place(bot, server).send("x"))
    await server.until(lambda: server.messages, "the message")
    assert not sending.done()
    gate.set()
    await sending


async def test_a_bucket_is_announced_in_time_for_discord_py_to_keep_to_it() -> None:
    async with LocalDiscord(bucket=Bucket(2, 0.2)) as server, running(server) as bot:
        for n in range(5):
            await place(bot, server).send(str(n))
        assert [each.status for each in server.requested("message.create")] == [200] * 5
        async with aiohttp.ClientSession(server.origin) as client:
            path = f"/api/v10/channels/{server.channel.id}/messages"
            answers = [await client.post(path, json={"content": "x"}) for _ in range(3)]
        assert (answers[-1].status, "Via" in answers[-1].headers) == (429, True)


# Trouble with the gateway.


@pytest.mark.parametrize("compression", [True, False])
@pytest.mark.parametrize("ending", [4000, None])
async def test_an_interaction_missed_during_a_disconnect_is_replayed(compression: bool, ending: int | None) -> None:
    async with LocalDiscord(compression=compression) as server, running(server):
        server.gateway.disconnect(ending)
        asked = await server.slash(server.member, server.channel, "run")
        assert (await asked.answered).content == "done"
        assert (server.gateway.identified, server.gateway.resumed) == (1, 1)


async def test_an_event_can_be_lost_on_its_way(server: LocalDiscord, bot: Painter) -> None:
    server.faults.append(Fault("gateway.INTERACTION_CREATE", disconnected(4000)))
    asked = await server.slash(server.member, server.channel, "run")
    assert (await asked.answered).content == "done"
    assert server.gateway.resumed == 1


@pytest.mark.parametrize("how", ["op 9", "forgotten", "closed for good"])
async def test_a_session_that_cannot_be_resumed_begins_anew(server: LocalDiscord, bot: Painter, how: str) -> None:
    if how == "op 9":
        server.gateway.invalidate()
    else:
        server.gateway.disconnect(4009 if how == "closed for good" else 4000)
    if how == "forgotten":
        server.gateway.forget()
    missed = await server.slash(server.member, server.channel, "run")
    await server.until(lambda: server.gateway.identified == 2, "a second identify")
    asked = await server.slash(server.member, server.channel, "run")
    assert (await asked.answered).content == "done"
    assert missed.callback is None
    assert server.gateway.resumed == 0


async def test_the_bot_reconnects_when_asked_to(server: LocalDiscord, bot: Painter) -> None:
    server.gateway.ask_to_reconnect()
    await server.until(lambda: server.gateway.resumed == 1, "a resume")
    asked = await server.slash(server.member, server.channel, "run")
    await asked.acknowledged


async def test_a_wrong_token_is_turned_away(server: LocalDiscord) -> None:
    with pointed_at(server.origin):
        async with Painter() as bot:
            with pytest.raises(discord.LoginFailure):
                await bot.login("another")


# Another process.


async def test_a_server_of_its_own_is_steered_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "standins.discord", "--port", "0", "--members", "3"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        origin: str = json.loads(await process.stdout.readline())["origin"]
        async with aiohttp.ClientSession(origin) as control:
            await _steer(control, origin)
    finally:
        process.terminate()
        await process.wait()


async def _after_a_reset(control: aiohttp.ClientSession) -> dict[str, Any]:
    await control.post("/control/reset")
    fault = {"on": "original.edit", "fault": "rate_limited", "with": {"retry_after": 0.01}}
    await control.post("/control/faults", json=fault)
    await control.post("/control/gateway", json={"action": "disconnect", "code": 4000})
    wanted = {"command": "imagine", "count": 2, "rate": 100, "options": {"prompt": "a fox"}}
    await control.post("/control/interactions", json=wanted)
    async with control.get("/control/report?acknowledged=2&answered=2") as response:
        return await response.json()


async def _steer(control: aiohttp.ClientSession, origin: str) -> None:
    with pointed_at(origin):
        async with Painter() as bot:
            task = asyncio.create_task(bot.start("token"))
            async with control.get("/control/ready") as response:
                assert "imagine" in (await response.json())["commands"]
            picture = {"upload": {"filename": "a.png", "size": 5000}}
            wanted = {"command": "imagine", "count": 20, "options": {"prompt": "a cat", "picture": picture}}
            async with control.post("/control/interactions", json=wanted) as response:
                assert len((await response.json())["ids"]) == 20
            async with control.get("/control/report?acknowledged=20&answered=20&delivered=20") as response:
                report = await response.json()
            again = await _after_a_reset(control)
            await bot.close()
            await task
    assert (again["complete"], len(again["interactions"]), again["sessions"]["resumed"]) == (True, 2, 1)
    assert again["requests"]["original.edit 429"] == 1
    assert report["complete"]
    assert all(0 < each["latency"] < 3 for each in report["interactions"])
    assert [each["files"][0]["size"] for each in report["messages"]] == [5000] * 20
    assert [each["changes"][1]["changed"] for each in report["messages"]] == [True] * 20
    assert report["received"] > 20 * 5000
