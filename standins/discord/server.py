"""A small Discord on a loopback port: REST, gateway, files, people and trouble."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiohttp import web

from standins.base.faults import Fault, take_trouble
from standins.base.serving import serve_on_loopback
from standins.discord.gateway import Gateway
from standins.discord.people import People
from standins.discord.rest import schema
from standins.discord.rest.front import Bucket, Front
from standins.discord.rest.responses import ResponseRoutes
from standins.discord.rest.routes import BotRoutes
from standins.discord.state import Channel, Guild, Message, User
from standins.discord.world import Clock, Request, World


class LocalDiscord(People):
    """One bot, one guild with its owner, one channel and one member to begin with; more are added at will.

    Args:
        clock: seconds since 1970. The 3 seconds, the 15 minutes, nonces and links go by it.
        token: what the bot must log in with; None takes anything.
        keep_bytes: the largest file kept for serving back; 0 keeps hashes only.
        keep_requests: whether `requests` remembers bodies.
        validate: check bodies against Discord's OpenAPI document, where it is at hand.
        bucket: limit message posts in a channel, and say so in headers.
        compression: compress the gateway for a bot that asks for zlib-stream.
        heartbeat: seconds between heartbeats that the bot is asked for.
    """

    def __init__(
        self,
        clock: Clock = time.time,
        *,
        token: str | None = None,
        keep_bytes: int = 25 * 1024 * 1024,
        keep_requests: bool = True,
        validate: bool = True,
        bucket: Bucket | None = None,
        compression: bool = True,
        heartbeat: float = 41.25,
    ) -> None:
        self.world = World(clock)
        self.faults: list[Fault] = []
        self.gateway = Gateway(self.world, self.faults, token=token, compression=compression, heartbeat=heartbeat)
        super().__init__(self.world, self.gateway)
        self.clock = clock
        self.guild = self.world.add_guild("Guild")
        self.channel = self.world.add_channel(self.guild, "general")
        self.owner = self.world.owner
        self.member = self.world.add_user("member")
        self.app = web.Application(client_max_size=0)
        self._stack = AsyncExitStack()
        self._schemas = schema.schemas() if validate else None
        front = Front(
            self.world,
            self.faults,
            token=token,
            keep_bytes=keep_bytes,
            keep_requests=keep_requests,
            schemas=self._schemas,
            bucket=bucket,
        )
        routes = BotRoutes(self.world)
        for method, path, kind, handler in (*routes.table, *ResponseRoutes(self.world).table):
            front.add(self.app, method, path, kind, handler)
        front.add(self.app, "*", "/{rest:.+}", "unknown", routes.missing)
        self.app.router.add_get("/gateway/", self.gateway.serve)
        for folder in ("attachments", "ephemeral-attachments"):
            self.app.router.add_get(f"/{folder}/{{channel}}/{{attachment}}/{{name}}", self._file)

    # Opening and closing.

    async def start(self, port: int = 0) -> str:
        """Listen on a loopback port (0: a free one); gives the origin."""
        self.world.origin = await self._stack.enter_async_context(serve_on_loopback(self.app, port))
        return self.world.origin

    async def close(self) -> None:
        await self.gateway.close()
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def origin(self) -> str:
        return self.world.origin

    @property
    def validates(self) -> bool:
        """Whether bodies are checked against Discord's OpenAPI document."""
        return self._schemas is not None

    # What there is.

    @property
    def messages(self) -> list[Message]:
        """Every message in the order of posting, deleted ones too; `channel.messages` has one channel's."""
        return list(self.world.messages.values())

    @property
    def requests(self) -> list[Request]:
        return self.world.requests

    def requested(self, kind: str) -> list[Request]:
        return [each for each in self.world.requests if each.kind == kind]

    def add_user(self, name: str, *, permissions: int | None = None) -> User:
        return self.world.add_user(name, permissions=permissions)

    def add_role(self, name: str, *members: User) -> int:
        """Before the bot identifies: this small Discord does not tell of changed roles."""
        role = self.world.add_role(self.guild, name)
        for member in members:
            member.roles.append(role)
        return role

    def add_channel(self, name: str, guild: Guild | None = None) -> Channel:
        channel = self.world.add_channel(guild or self.guild, name)
        self.gateway.dispatch("CHANNEL_CREATE", channel.payload(), channel.guild)
        return channel

    def add_thread(self, parent: Channel, name: str) -> Channel:
        thread = self.world.add_thread(parent, name)
        self.gateway.dispatch("THREAD_CREATE", thread.payload(), thread.guild)
        return thread

    def delete_channel(self, channel: Channel) -> None:
        self.world.remove_channel(channel)
        self.gateway.dispatch("CHANNEL_DELETE", channel.payload(), channel.guild)

    def delete_message(self, message: Message) -> None:
        """As a moderator does. The bot hears nothing of it, having no intent for messages."""
        self.world.delete(message)

    def add_guild(self, name: str) -> Guild:
        """The bot is invited to another community."""
        guild = self.world.add_guild(name)
        self.gateway.dispatch("GUILD_CREATE", guild.event(self.world.bot), guild)
        return guild

    def direct_channel(self, user: User) -> Channel:
        return self.world.direct_channel(user)

    async def say(self, user: User, channel: Channel, content: str) -> Message:
        """A person's own message. The bot hears nothing of it, having no intent for messages."""
        return self.world.post(channel, user, {"content": content})

    # Waiting and trouble.

    async def until(self, claim: Callable[[], object], what: str = "it", *, timeout: float = 10.0) -> None:
        """Wait until `claim` holds; it is looked at after every request and every event."""
        await self.world.until(claim, what, timeout=timeout)

    async def ready(self, sessions: int = 1, *, timeout: float = 30.0) -> None:
        """Wait until the bot has identified."""
        await self.until(lambda: len(self.gateway.connected) >= sessions, "the bot to identify", timeout=timeout)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        attachment = self.world.attachments.get(int(request.match_info["attachment"]))
        expiry = int(request.query.get("ex", "0"), 16)
        if not attachment or attachment.file.content is None or expiry < self.clock():
            return web.Response(status=404, text="This content is no longer available.")
        response = web.Response(body=attachment.file.content, headers={"Content-Type": attachment.file.content_type})

        async def answer(_request: web.Request) -> web.StreamResponse:
            return response

        trouble = take_trouble(self.faults, "file")
        return await (trouble(request, answer) if trouble else answer(request))
