"""What Discord remembers: people, places, messages and files, and how each is written as JSON."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standins.discord.names import replace_letters

Json = dict[str, Any]

VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_HISTORY = 1 << 16
USE_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
SEND_IN_THREADS = 1 << 38
EVERYTHING = (1 << 51) - 1
EVERYDAY = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_HISTORY | USE_COMMANDS | SEND_IN_THREADS

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

TEXT_CHANNEL = 0
DIRECT_MESSAGE = 1
PUBLIC_THREAD = 11

EPOCH = 1420070400  # Discord's snowflakes count milliseconds from the first second of 2015


class Snowflakes:
    """Ids that carry the time they were made at and never repeat."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, now: float) -> int:
        self._last = max(self._last + 1, int((now - EPOCH) * 1000) << 22)
        return self._last


def timestamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@dataclass(eq=False, slots=True)
class User:
    id: int
    name: str
    bot: bool = False
    permissions: int = EVERYDAY
    roles: list[int] = field(default_factory=list[int])
    accepts_direct_messages: bool = True

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name,
            "discriminator": "0",
            "global_name": self.name,
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }

    def member_payload(self) -> Json:
        return {
            "user": self.payload(),
            "nick": None,
            "roles": [str(each) for each in self.roles],
            "joined_at": "2024-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": str(self.permissions),
        }


def _role(made: int, name: str, permissions: int = 0) -> Json:
    return {
        "id": str(made),
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0 if name == "@everyone" else 1,
        "permissions": str(permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


@dataclass(eq=False, slots=True)
class Guild:
    id: int
    name: str
    owner: User
    channels: list[Channel] = field(default_factory=list["Channel"])
    roles: dict[int, str] = field(default_factory=dict[int, str])  # beside @everyone
    members: dict[int, User] = field(default_factory=dict[int, User])

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "roles": [_role(self.id, "@everyone", EVERYDAY), *(_role(made, name) for made, name in self.roles.items())],
            "emojis": [],
            "stickers": [],
            "features": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "preferred_locale": "en-US",
            "system_channel_flags": 0,
            "member_count": len(self.members),
        }

    def event(self, me: User) -> Json:
        """The GUILD_CREATE of a bot without the members intent: it sees itself alone."""
        return self.payload() | {
            "joined_at": "2024-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
            "channels": [channel.payload() for channel in self.channels if channel.parent is None],
            "members": [me.member_payload()],
            "threads": [each.payload() for each in self.channels if each.parent is not None and not each.archived],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
        }


@dataclass(eq=False, slots=True)
class Channel:
    """A place for messages. `app_permissions` is what the bot may do in it; tests take bits away.

    A thread has a parent. One that is archived wakes when somebody posts, unless it is locked, too.
    """

    id: int
    name: str
    guild: Guild | None = None
    recipient: User | None = None
    kind: int = TEXT_CHANNEL
    app_permissions: int = EVERYDAY
    parent: Channel | None = None
    archived: bool = False
    locked: bool = False
    filters_files: bool = False  # Discord's own filter lets no file in
    messages: list[Message] = field(default_factory=list["Message"])

    def payload(self) -> Json:
        if self.recipient:
            return {"id": str(self.id), "type": self.kind, "recipients": [self.recipient.payload()]}
        if self.parent:
            return self._thread_payload(self.parent)
        return {
            "id": str(self.id),
            "type": self.kind,
            "name": self.name,
            "guild_id": str(self.guild.id) if self.guild else None,
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "rate_limit_per_user": 0,
        }

    def _thread_payload(self, parent: Channel) -> Json:
        return {
            "id": str(self.id),
            "type": self.kind,
            "name": self.name,
            "guild_id": str(self.guild.id) if self.guild else None,
            "parent_id": str(parent.id),
            "owner_id": str(self.guild.owner.id) if self.guild else None,
            "message_count": len(self.messages),
            "member_count": 1,
            "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": self.archived,
                "locked": self.locked,
                "auto_archive_duration": 1440,
                "archive_timestamp": "2026-11-30T00:00:00+00:00",
            },
        }


@dataclass(eq=False, slots=True)
class File:
    """A file as it was sent. `content` is None where the server keeps only the hash."""

    filename: str  # as Discord shows it: what is no ASCII is replaced
    content_type: str
    size: int  # bytes
    sha256: str
    content: bytes | None
    index: int = 0  # the n of files[n]
    title: str | None = None  # the true name without its ending, where `filename` is another one


def upload(filename: str, content: bytes, *, content_type: str | None = None) -> File:
    """A file that a person picks from their disk."""
    kind = content_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    shown, title = replace_letters(filename)
    return File(shown, kind, len(content), hashlib.sha256(content).hexdigest(), content, title=title)


@dataclass(eq=False, slots=True)
class Attachment:
    id: int
    file: File
    link: str  # without its expiry
    description: str | None = None
    ephemeral: bool = False

    @property
    def filename(self) -> str:
        return self.file.filename

    @property
    def size(self) -> int:
        return self.file.size

    @property
    def sha256(self) -> str:
        return self.file.sha256

    def url(self, until: float) -> str:
        return f"{self.link}?ex={int(until):x}"

    def payload(self, until: float) -> Json:
        url = self.url(until)
        described: Json = {"description": self.description} if self.description is not None else {}
        if self.file.title is not None:
            described["title"] = self.file.title
        return described | {
            "id": str(self.id),
            "filename": self.filename,
            "size": self.size,
            "content_type": self.file.content_type,
            "url": url,
            "proxy_url": url,
            "ephemeral": self.ephemeral,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One time a message was posted or edited."""

    at: float
    changed: bool  # whether a reader sees a difference
    files: int  # how many were sent along
    size: int  # their bytes


@dataclass(eq=False, slots=True)
class Message:
    id: int
    channel: Channel
    author: User
    created_at: float
    kind: int = 0
    content: str = ""
    embeds: list[Json] = field(default_factory=list[Json])
    components: list[Json] = field(default_factory=list[Json])  # as stored: with ids, files as links
    written: list[Json] = field(default_factory=list[Json])  # the components as the bot wrote them
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    flags: int = 0
    nonce: int | str | None = None
    reference: int | None = None
    interaction: Json | None = None
    deleted: bool = False
    history: list[Change] = field(default_factory=list[Change])  # the posting, then every edit

    @property
    def edits(self) -> int:
        return len(self.history) - 1

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    def visible(self) -> tuple[object, ...]:
        """What a reader sees; two equal values look the same."""
        return (
            self.content,
            self.embeds,
            self.written,
            [(each.filename, each.sha256) for each in self.attachments],
            self.loading,
        )

    def payload(self, links_until: float) -> Json:
        body: Json = {
            "id": str(self.id),
            "type": self.kind,
            "channel_id": str(self.channel.id),
            "author": self.author.payload(),
            "content": self.content,
            "timestamp": timestamp(self.created_at),
            "edited_timestamp": timestamp(self.history[-1].at) if self.edits > 0 else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [each.payload(links_until) for each in self.attachments],
            "embeds": self.embeds,
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
        }
        if self.nonce is not None:
            body["nonce"] = self.nonce
        if self.reference is not None:
            body["message_reference"] = {"type": 0, "message_id": str(self.reference), "channel_id": body["channel_id"]}
        if self.interaction is not None:
            body["interaction_metadata"] = self.interaction
            body["application_id"] = body["webhook_id"] = str(self.author.id)
        return body
