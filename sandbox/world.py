"""A small Discord community played by SimCord: the same one every time, on a clock that keeps up with the real one.

SimCord was made for tests: its day is 1 January 2026 until it is told otherwise, it allows one preview, and a preview
shows what it was last told to show. What this file adds is one heartbeat: it turns the clock, and shows the page what
the bot wrote. Checked against SimCord 3.2.1, which is pinned; places that touch what SimCord does not document say so.
"""

import asyncio
import contextlib
import logging
import secrets
import zoneinfo
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import discord
import simcord
from discord import AppCommandType

from standins.discord.names import replace_in_simcord

_log = logging.getLogger(__name__)

HEARTBEAT = 0.2  # seconds from a write by the bot to the page being told of it, at most
SETTLING = 10.0  # seconds a press of a button may take before the page calls its outcome uncertain


@dataclass(frozen=True)
class Person:
    """Somebody whom the page can be."""

    key: str  # in the page's addresses
    title: str
    about: str
    actor: simcord.MemberActor

    @property
    def name(self) -> str:
        return self.actor.user.global_name or self.actor.name


@dataclass(frozen=True)
class Place:
    """A channel that the page can show, and who may look."""

    channel: simcord.ChannelHandle
    people: tuple[Person, ...]

    @property
    def key(self) -> str:
        return self.channel.name or str(self.channel.id)


class World:
    """One guild with its people and channels, whose ids are the same every time.

    The ids come from the order in which things are made on SimCord's first instant, so new people, roles and channels
    are added at the end of `__init__` only. What happens later (messages, interactions) gets ids from the real time,
    so that none of them ever comes back in another run that uses the same database.
    """

    def __init__(self, env: simcord.Env, *, bot_name: str) -> None:
        self._env = env
        self._turn = asyncio.Lock()
        self._previews: list[simcord.Preview] = []
        self._shown = 0  # how many of the bot's requests the page has been told of
        self._stale = False

        # SimCord counts an exception that the bot caught and explained as a failed action. Discord knows of none.
        vars(env)["_record_error"] = _pass_over
        env.backend.edit_bot_profile(bot_name)  # not documented; it has no other way to name the bot
        ada, ben, mia, olga = (
            env.create_user(name.lower(), global_name=name) for name in ("Ada", "Ben", "Mia", "Olga")
        )
        self.guild = guild = env.create_guild("Night Owl Studio", owner=olga)
        self.moderators = guild.create_role(
            "Moderator",
            color=0x2ECC71,
            hoist=True,
            permissions=discord.Permissions(manage_messages=True, manage_threads=True, moderate_members=True),
        )
        self.ada = Person("ada", "member", "makes images", guild.add_member(ada))
        self.ben = Person("ben", "member", "another member", guild.add_member(ben))
        self.mia = Person("mia", "moderator", "sees #review", guild.add_member(mia, roles=[self.moderators]))
        self.olga = Person("olga", "admin", "owns the server", simcord.MemberActor(env, guild, olga))
        self.people = (self.ada, self.ben, self.mia, self.olga)

        see = discord.PermissionOverwrite(view_channel=True)
        studio = guild.create_text_channel("studio", topic="Make images with the bot: type / to begin")
        review = guild.create_text_channel(
            "review",
            topic="Moderators decide here what needs their word",
            overwrites={
                guild.default_role: discord.PermissionOverwrite(view_channel=False),
                guild.roles[bot_name]: see,
                self.moderators: see,
            },
        )
        self.studio = Place(studio, self.people)
        self.review = Place(review, (self.mia, self.olga))
        self.places = (self.studio, self.review)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, *, bot_name: str = "Flux") -> AsyncGenerator["World"]:
        """Make the community, and keep its clock going until the block ends.

        Raises:
            RuntimeError: this computer's clock shows a time before SimCord's first instant.
        """
        env = simcord.Env(_Nobody(), check_errors=False, settle_timeout=SETTLING)
        await env.start()
        replace_in_simcord(env)
        try:
            world = cls(env, bot_name=bot_name)
            if datetime.now(UTC) < env.now():
                raise RuntimeError(f"this computer's clock is before {env.now():%d %B %Y}: ids would come twice")
            world._keep_up()
            heart = asyncio.create_task(world._beat(), name="sandbox clock")
            try:
                yield world
            finally:
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)
        finally:
            await env.shutdown()

    @contextlib.asynccontextmanager
    async def connected(self, bot: discord.Client) -> AsyncGenerator[None]:
        """Let `bot` be the community's bot until the block ends; the page stays open before, meanwhile and after.

        It logs `bot` in: nobody else may call `start`. Workers live beside the bot, inside the block, in tasks that the
        bot did not create. A task that answers an interaction by its token must descend from the one that entered the
        block: SimCord hands out its simulated webhooks by context.
        """
        if isinstance(bot, discord.AutoShardedClient) and not bot.shard_count:
            bot.shard_count = 1  # Discord would have said so
        await self._attach(bot)
        try:
            yield
        finally:
            await self._attach(_Nobody())

    async def _attach(self, bot: discord.Client) -> None:
        async with self._turn:
            self._keep_up()
            try:
                await self._env.restart_bot(bot)
            except BaseException as error:
                # SimCord has cancelled what was left of the old bot, and stopped: it starts again with nobody.
                self._env.bot = _Nobody()
                await self._env.start()
                if not (isinstance(error, TimeoutError) and isinstance(bot, _Nobody)):
                    raise
                _log.warning("The bot was stopped in the middle of something: %s", error)
            finally:
                await self._publish()

    @contextlib.asynccontextmanager
    async def preview(self, place: Place) -> AsyncGenerator[simcord.Preview]:
        """Serve SimCord's preview of `place` on a port of its own, kept up to date until the block ends."""
        viewers = [person.actor for person in place.people]
        async with self._turn:
            self._play(None)
            preview = self._env.preview(place.channel, viewers=viewers, layout="channel", timezone=_timezone())
            await preview.__aenter__()  # the turn must end before the block begins
            self._previews.append(preview)
        try:
            yield preview
        finally:
            async with self._turn:
                self._previews.remove(preview)
                await preview.close()

    @contextlib.asynccontextmanager
    async def turn(self, preview: simcord.Preview | None = None) -> AsyncGenerator[None]:
        """Hold everything else for one action, of `preview` or of a person: SimCord refuses two at the same time."""
        async with self._turn:
            self._keep_up()
            self._play(preview)
            yield

    def newest(self, place: Place) -> int:
        """The id of the newest message there; 0 where there is none."""
        return max(self._env.backend.messages.get(place.channel.id, {}), default=0)

    def menu(self, person: Person, place: Place) -> list[str]:
        """The bot's entries in the menu of each message there."""
        kind = AppCommandType.message.value
        commands = self._env.backend.visible_commands(user_id=person.actor.id, channel_id=place.channel.id, type=kind)
        return [command["name"] for command in commands]

    async def choose(
        self, preview: simcord.Preview, context: str, person: Person, place: Place, name: str, at: int
    ) -> bool:
        """Choose an entry in the menu of message `at`, which SimCord's page does not have; whether the bot answered.

        A form that the bot opens appears in the page of that `context`, which SimCord has for its own actions only.

        Raises:
            LookupError: there is no such message or page any more.
        """
        message = next((each for each in place.channel.history(viewer=person.actor) if each.id == at), None)
        pages = cast("dict[str, Any]", vars(preview)["_pages"])
        if message is None:
            raise LookupError("That message is gone.")
        async with self.turn(preview):
            result = await person.actor.context_menu(place.channel, name, message)
            if result.modal is not None:
                pages[context].modal = result
                pages[context].modal_handle = "m_" + secrets.token_urlsafe(12)
            await preview.refresh()
        self.changed()
        return result.acknowledged

    async def post(self, person: Person, place: Place, files: Sequence[tuple[str, bytes]]) -> None:
        """Post a message with these files (name and content), which SimCord's page cannot."""
        async with self.turn():
            await person.actor.send(place.channel, attachments=files)
        self.changed()

    def changed(self) -> None:
        """Have the page shown anew soon, for a change that the bot did not make over Discord's API."""
        self._stale = True

    def _play(self, preview: simcord.Preview | None) -> None:
        """Name the preview in play. SimCord allows one; nothing but this attribute keeps two from living together."""
        vars(self._env)["_preview"] = preview

    def _keep_up(self) -> None:
        """Turn the clock to the real time, even in the middle of an action, so that three seconds are three seconds.

        `Env.advance_time` is the documented way, and waits until the bot is at rest: an action would stop the clock.
        What is due by the new time runs when SimCord settles next.
        """
        behind = (datetime.now(UTC) - self._env.now()).total_seconds()
        if behind > 0:
            self._env.backend.advance_clock(behind)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        took = 0.0  # seconds; a channel full of large pictures makes SimCord slow, and the bot needs time as well
        while True:
            await asyncio.sleep(max(HEARTBEAT, 3 * took))
            self._keep_up()
            if self._turn.locked():
                continue
            began = loop.time()
            async with self._turn:
                await self._publish()
            took = loop.time() - began

    async def _publish(self) -> None:
        """Let what is due run; show the page what is new. Called in turn."""
        written = len(self._env.http_requests)
        try:
            if written == self._shown and not self._stale:
                await self._env.settle()
                return
            self._shown, self._stale = written, False
            for preview in self._previews:
                self._play(preview)
                await preview.refresh()
        except TimeoutError as error:
            self._stale = True
            _log.warning("The bot has work under way that SimCord waits for in vain: %s", error)


class _Nobody(discord.Client):
    """Stands in while no bot is connected."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))


def _pass_over(error: BaseException) -> None:
    _log.debug("The bot met %r", error)


def _timezone() -> str:
    """The computer's time zone by name; UTC where it has none that SimCord would know."""
    name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return name if name in zoneinfo.available_timezones() else "UTC"
