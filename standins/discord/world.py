"""The state of this small Discord and the few ways in which it changes."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from standins.discord import rules
from standins.discord.interaction import Interaction
from standins.discord.names import replace_letters
from standins.discord.state import (
    ATTACH_FILES,
    COMPONENTS_V2,
    DIRECT_MESSAGE,
    EMBED_LINKS,
    EPHEMERAL,
    EVERYTHING,
    LOADING,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    PUBLIC_THREAD,
    SEND_IN_THREADS,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    Attachment,
    Change,
    Channel,
    File,
    Guild,
    Json,
    Message,
    Snowflakes,
    User,
)

Clock = Callable[[], float]


@dataclass(slots=True)
class Request:
    """One request of the bot, as the log keeps it."""

    kind: str
    method: str
    path: str
    received_at: float
    size: int = 0  # bytes of its body
    status: int = 0  # what the client saw; 0 when the connection was dropped
    code: int = 0  # Discord's error code
    committed: bool = False  # whether Discord did what it was asked
    body: Json | list[Json] | None = None  # only with `keep_requests`


@dataclass(eq=False)
class World:
    clock: Clock
    origin: str = ""
    links_live: float = 24 * 3600.0  # seconds that an attachment's address works
    nonces_live: float = 300.0  # seconds: "the past few minutes"
    snowflakes: Snowflakes = field(default_factory=Snowflakes)
    users: dict[int, User] = field(default_factory=dict[int, User])
    guilds: dict[int, Guild] = field(default_factory=dict[int, Guild])
    channels: dict[int, Channel] = field(default_factory=dict[int, Channel])
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    attachments: dict[int, Attachment] = field(default_factory=dict[int, Attachment])
    commands: dict[int, dict[int, Json]] = field(default_factory=dict[int, dict[int, Json]])  # guild, or 0: id: command
    interactions: dict[int, Interaction] = field(default_factory=dict[int, Interaction])
    by_token: dict[str, Interaction] = field(default_factory=dict[str, Interaction])
    requests: list[Request] = field(default_factory=list[Request])
    acknowledged: int = 0  # interactions so far
    answered: int = 0  # those of them whose reply says more than "thinking"
    posted: int = 0  # messages so far
    delivered: int = 0  # those of them that have had a file
    _nonces: dict[str, tuple[float, Message]] = field(default_factory=dict[str, tuple[float, Message]])
    _watchers: list[tuple[Callable[[], object], asyncio.Future[None]]] = field(
        default_factory=list[tuple[Callable[[], object], asyncio.Future[None]]]
    )

    def __post_init__(self) -> None:
        self.bot = self.add_user("bot", bot=True)
        self.owner = self.add_user("owner", permissions=EVERYTHING)

    # People and places.

    def new_id(self) -> int:
        return self.snowflakes.next(self.clock())

    def add_user(self, name: str, *, bot: bool = False, permissions: int | None = None) -> User:
        user = User(self.new_id(), name, bot)
        if permissions is not None:
            user.permissions = permissions
        self.users[user.id] = user
        for guild in self.guilds.values():
            guild.members[user.id] = user
        return user

    def add_guild(self, name: str) -> Guild:
        guild = Guild(self.new_id(), name, self.owner, members=dict(self.users))
        self.guilds[guild.id] = guild
        return guild

    def add_role(self, guild: Guild, name: str) -> int:
        made = self.new_id()
        guild.roles[made] = name
        return made

    def remove_channel(self, channel: Channel) -> None:
        """With everything in it."""
        del self.channels[channel.id]
        if channel.guild:
            channel.guild.channels.remove(channel)
        for message in channel.messages:
            message.deleted = True
        self.changed()

    def add_channel(self, guild: Guild, name: str) -> Channel:
        channel = Channel(self.new_id(), name, guild)
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def add_thread(self, parent: Channel, name: str) -> Channel:
        assert parent.guild, "threads are in communities"
        thread = self.add_channel(parent.guild, name)
        thread.parent, thread.kind = parent, PUBLIC_THREAD
        return thread

    def direct_channel(self, user: User) -> Channel:
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(self.new_id(), "", recipient=user, kind=DIRECT_MESSAGE)
        self.channels[channel.id] = channel
        return channel

    # Watching.

    def changed(self) -> None:
        """Wake the tasks in `until` whose claim holds now."""
        for watcher in list(self._watchers):
            claim, future = watcher
            try:
                if not future.done() and claim():
                    future.set_result(None)
            except Exception as error:  # a claim's mistake belongs to whoever waits, not to the bot's request
                future.set_exception(error)
            if future.done():
                self._watchers.remove(watcher)

    async def until(self, claim: Callable[[], object], what: str = "it", *, timeout: float = 10.0) -> None:
        """Wait, without polling, until `claim` holds. Looked at after every change here."""
        if claim():
            return
        future = asyncio.get_running_loop().create_future()
        self._watchers.append((claim, future))
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            recent = ", ".join(f"{each.kind} {each.status}/{each.code}" for each in self.requests[-5:])
            raise TimeoutError(f"waited {timeout} s for {what}; last requests: {recent or 'none'}") from None
        finally:
            future.cancel()

    def forget(self) -> None:
        """Begin anew with the same people, places and commands."""
        for channel in self.channels.values():
            channel.messages.clear()
        for each in (self.messages, self.attachments, self.interactions, self.by_token, self.requests, self._nonces):
            each.clear()
        self.acknowledged = self.answered = self.posted = self.delivered = 0

    # Messages.

    def link_expiry(self) -> float:
        return self.clock() + self.links_live

    def message_payload(self, message: Message) -> Json:
        return message.payload(self.link_expiry())

    def attach(
        self, channel: Channel, file: File, *, description: str | None = None, fleeting: bool = False
    ) -> Attachment:
        made = self.new_id()
        folder = "ephemeral-attachments" if fleeting else "attachments"
        link = f"{self.origin}/{folder}/{channel.id}/{made}/{quote(file.filename)}"
        attachment = Attachment(made, file, link, description, ephemeral=fleeting)
        self.attachments[made] = attachment
        return attachment

    def post(
        self,
        channel: Channel,
        author: User,
        body: Json,
        files: Sequence[File] = (),
        *,
        kind: int = 0,
        answers: Interaction | None = None,
        thinking: bool = False,
    ) -> Message:
        """Post a message. Its content is checked, the permissions of its author are not."""
        message = Message(self.new_id(), channel, author, self.clock(), kind)
        message.flags = int(body.get("flags") or 0) | (LOADING if thinking else 0)
        if answers:
            message.interaction = answers.metadata()
        if thinking:
            message.history.append(Change(self.clock(), changed=True, files=0, size=0))
        else:
            self._write(message, body, files)
        message.nonce = body.get("nonce")
        reference: Json = body.get("message_reference") or {}
        message.reference = int(reference["message_id"]) if "message_id" in reference else None
        channel.messages.append(message)
        self.messages[message.id] = message
        self.posted += 1
        self.changed()
        return message

    def edit(self, message: Message, body: Json, files: Sequence[File] = ()) -> None:
        if message.channel.archived:
            rules.refuse(400, 50083, "Thread is archived")
        self._write(message, body, files)
        self.changed()

    def delete(self, message: Message) -> None:
        message.deleted = True
        self.changed()

    def _write(self, message: Message, body: Json, files: Sequence[File]) -> None:
        """Check the message as it would be after the change, and only then change it."""
        if files and message.author is self.bot and message.channel.filters_files:
            rules.refuse(400, 20009, "Explicit content cannot be sent to the desired recipient(s)")
        before, had_files = message.visible(), bool(message.attachments)
        content: str = (body["content"] or "") if "content" in body else message.content
        embeds: list[Json] = (body["embeds"] or []) if "embeds" in body else message.embeds
        written: list[Json] = (body["components"] or []) if "components" in body else message.written
        flags = message.flags | (int(body.get("flags") or 0) & COMPONENTS_V2)
        described: list[Json] | None = body.get("attachments")
        kept = message.attachments
        if described is not None:
            ids = {str(each["id"]) for each in described}
            kept = [each for each in kept if str(each.id) in ids]
        rules.check_message(content, embeds, written, flags, [each.filename for each in [*kept, *files]])

        words = {str(each["id"]): each for each in described or ()}
        fresh: list[Attachment] = []
        for file in files:
            about = words.get(str(file.index), {})
            file.filename, file.title = replace_letters(about.get("filename") or file.filename)
            fresh.append(self.attach(message.channel, file, description=about.get("description")))
        message.attachments = [*kept, *fresh]
        if "components" in body or fresh:
            links = {f"attachment://{each.filename}": each.url(self.link_expiry()) for each in message.attachments}
            message.components = _store_components(written, links)
            embeds = _resolve_links(embeds, links)
        if message.loading:
            self.answered += 1
        message.content, message.embeds, message.written = content, embeds, written
        message.flags = flags & ~LOADING
        if fresh and not had_files:
            self.delivered += 1
        size = sum(each.size for each in files)
        changed = not message.history or message.visible() != before
        message.history.append(Change(self.clock(), changed=changed, files=len(files), size=size))

    def send(self, channel: Channel, body: Json, files: Sequence[File]) -> Message:
        """What a bot's own POST does: permission, nonce, then the message."""
        recipient = channel.recipient
        if recipient and not recipient.accepts_direct_messages:
            rules.refuse(403, 50007, "Cannot send messages to this user")
        sending = SEND_IN_THREADS if channel.parent else SEND_MESSAGES
        self.require(channel, sending | (ATTACH_FILES if files else 0) | (EMBED_LINKS if body.get("embeds") else 0))
        if channel.locked and not channel.app_permissions & MANAGE_THREADS:
            if channel.archived:
                rules.refuse(400, 50083, "Thread is archived")
            rules.refuse(400, 160005, "This thread is locked")
        nonce = body.get("nonce")
        if nonce is not None and len(str(nonce)) > 25:
            raise rules.invalid("nonce", "Must be 25 or fewer in length.")
        if nonce is not None and body.get("enforce_nonce"):
            at, earlier = self._nonces.get(str(nonce), (0.0, None))
            if earlier and self.clock() - at < self.nonces_live:
                return earlier
        if int(body.get("flags") or 0) & EPHEMERAL:
            raise rules.invalid("flags", "EPHEMERAL belongs to interaction responses.")
        channel.archived = False
        message = self.post(channel, self.bot, body, files)
        if nonce is not None:
            self._nonces[str(nonce)] = (self.clock(), message)
        return message

    def channel(self, channel_id: str) -> Channel:
        channel = self.channels.get(int(channel_id))
        if not channel:
            raise rules.unknown(10003, "Channel")
        self.require(channel, VIEW_CHANNEL)
        return channel

    def change_thread(self, channel: Channel, body: Json) -> None:
        """Waking a thread that is not locked needs the right to write in it; all else needs to manage threads."""
        if channel.parent is None:
            rules.refuse(400, 50024, "Cannot execute action on this channel type")
        wakes = set(body) == {"archived"} and body["archived"] is False and not channel.locked
        self.require(channel, SEND_IN_THREADS if wakes else MANAGE_THREADS)
        channel.archived = bool(body.get("archived", channel.archived))
        channel.locked = bool(body.get("locked", channel.locked))
        self.changed()

    def message(self, channel: Channel, message_id: str) -> Message:
        """A message that the bot's own token can reach, which no ephemeral one is."""
        message = self.messages.get(int(message_id))
        if not message or message.deleted or message.ephemeral or message.channel is not channel:
            raise rules.unknown(10008, "Message")
        return message

    def require(self, channel: Channel, permissions: int) -> None:
        if channel.recipient:
            return
        if not channel.app_permissions & VIEW_CHANNEL:
            rules.refuse(403, 50001, "Missing Access")
        if permissions & ~channel.app_permissions:
            rules.refuse(403, 50013, "Missing Permissions")

    def require_own(self, message: Message, *, deleting: bool = False) -> None:
        if message.author is self.bot:
            return
        if not deleting:
            rules.refuse(403, 50005, "Cannot edit a message authored by another user")
        self.require(message.channel, MANAGE_MESSAGES)

    # Commands.

    def sync_commands(self, commands: Sequence[Json], *, guild: int = 0) -> list[Json]:
        """Replace a scope's commands; those that keep their name keep their id. Scope 0 is global."""
        rules.check_commands(commands)
        ids = {(each["type"], each["name"]): each["id"] for each in self.commands.get(guild, {}).values()}
        scope: dict[int, Json] = {}
        for each in commands:
            kind = each.get("type", 1)
            made = int(ids.get((kind, each["name"])) or self.new_id())
            defaults: Json = {"description": "", "options": [], "default_member_permissions": None, "nsfw": False}
            own: Json = {
                "id": str(made),
                "application_id": str(self.bot.id),
                "type": kind,
                "version": str(self.new_id()),
            }
            scope[made] = defaults | each | own | ({"guild_id": str(guild)} if guild else {})
        self.commands[guild] = scope
        self.changed()
        return list(scope.values())

    def command(self, channel: Channel, name: str, kind: int) -> Json:
        """The command as a person in `channel` finds it: the guild's own, else the global one."""
        for scope in (channel.guild.id if channel.guild else 0, 0):
            for each in self.commands.get(scope, {}).values():
                if each["name"] == name and each["type"] == kind:
                    return each
        names = Counter(each["name"] for scope in self.commands.values() for each in scope.values())
        raise LookupError(f"the bot has synced no command {name!r}; it has {sorted(names)}")

    # Interactions.

    def remember(self, interaction: Interaction) -> None:
        self.interactions[interaction.id] = interaction
        self.by_token[interaction.token] = interaction

    @staticmethod
    def new_token() -> str:
        return secrets.token_urlsafe(48)


def _resolve_links(tree: Any, links: dict[str, str]) -> Any:
    """The same tree, with attachment:// names replaced by addresses."""
    if isinstance(tree, dict):
        return {key: _resolve_links(value, links) for key, value in tree.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(tree, list):
        return [_resolve_links(each, links) for each in tree]  # pyright: ignore[reportUnknownVariableType]
    return links.get(tree, tree) if isinstance(tree, str) else tree


def _store_components(written: Sequence[Json], links: dict[str, str]) -> list[Json]:
    """Components as Discord keeps them: numbered, and with addresses for files."""
    stored: list[Json] = _resolve_links(list(written), links)
    for number, (_, each) in enumerate(rules.walk(stored), start=1):
        each.setdefault("id", number)
    return stored
