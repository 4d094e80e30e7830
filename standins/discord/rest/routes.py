"""What a bot may ask with its own token: itself, its commands, channels, messages, guilds."""

from __future__ import annotations

from standins.discord import rules
from standins.discord.rest.front import Answer, Call
from standins.discord.state import ATTACH_FILES, READ_HISTORY, Json
from standins.discord.world import World

APPLICATION_FLAGS = 0


class BotRoutes:
    def __init__(self, world: World) -> None:
        self._world = world
        self.table = [
            ("GET", "/gateway", "gateway", self.gateway),
            ("GET", "/gateway/bot", "gateway.bot", self.gateway_bot),
            ("GET", "/users/@me", "me", self.me),
            ("POST", "/users/@me/channels", "dm.open", self.open_direct_channel),
            ("GET", "/users/{user}", "user.get", self.user),
            ("GET", "/applications/@me", "application", self.application),
            ("GET", "/oauth2/applications/@me", "application", self.application),
            ("GET", "/channels/{channel}", "channel.get", self.channel),
            ("PATCH", "/channels/{channel}", "channel.edit", self.change_channel),
            ("GET", "/channels/{channel}/messages", "message.list", self.messages),
            ("POST", "/channels/{channel}/messages", "message.create", self.create_message),
            ("GET", "/channels/{channel}/messages/{message}", "message.get", self.message),
            ("PATCH", "/channels/{channel}/messages/{message}", "message.edit", self.edit_message),
            ("DELETE", "/channels/{channel}/messages/{message}", "message.delete", self.delete_message),
            ("GET", "/guilds/{guild}", "guild.get", self.guild),
            ("GET", "/guilds/{guild}/channels", "guild.channels", self.guild_channels),
            ("GET", "/guilds/{guild}/members", "member.list", self.members),
            ("GET", "/guilds/{guild}/members/{user}", "member.get", self.member),
        ]
        for scope in ("", "/guilds/{guild}"):
            path = f"/applications/{{application}}{scope}/commands"
            self.table += [
                ("GET", path, "commands.list", self.commands),
                ("PUT", path, "commands.put", self.put_commands),
                ("POST", path, "commands.create", self.create_command),
                ("GET", f"{path}/{{command}}", "commands.get", self.command),
                ("DELETE", f"{path}/{{command}}", "commands.delete", self.delete_command),
            ]

    def missing(self, call: Call) -> Answer:
        """Whatever this small Discord does not play: said aloud, never pretended."""
        raise rules.Rejected(404, 0, f"This small Discord has no {call.path['rest']!r}")

    def gateway(self, _: Call) -> Answer:
        return {"url": f"{self._world.origin.replace('http', 'ws', 1)}/gateway/"}

    def gateway_bot(self, _: Call) -> Answer:
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {
            "url": f"{self._world.origin.replace('http', 'ws', 1)}/gateway/",
            "shards": 1,
            "session_start_limit": limit,
        }

    def me(self, _: Call) -> Answer:
        return self._world.bot.payload() | {"mfa_enabled": False, "verified": True, "flags": 0, "locale": "en-US"}

    def application(self, _: Call) -> Answer:
        bot = self._world.bot
        return {
            "id": str(bot.id),
            "name": bot.name,
            "icon": None,
            "description": "",
            "rpc_origins": [],
            "bot_public": True,
            "bot_require_code_grant": False,
            "owner": bot.payload(),
            "verify_key": "00" * 32,
            "team": None,
            "flags": APPLICATION_FLAGS,
            "approximate_guild_count": len(self._world.guilds),
        }

    def user(self, call: Call) -> Answer:
        user = self._world.users.get(int(call.path["user"]))
        if not user:
            raise rules.unknown(10013, "User")
        return user.payload()

    def open_direct_channel(self, call: Call) -> Answer:
        user = self._world.users.get(int(call.json["recipient_id"]))
        if not user:
            raise rules.invalid("recipient_id", "Unknown user")
        return self._world.direct_channel(user).payload()

    # Channels and messages.

    def channel(self, call: Call) -> Answer:
        return self._world.channel(call.path["channel"]).payload()

    def change_channel(self, call: Call) -> Answer:
        channel = self._world.channel(call.path["channel"])
        self._world.change_thread(channel, call.json)
        return channel.payload()

    def messages(self, call: Call) -> Answer:
        channel = self._world.channel(call.path["channel"])
        if not channel.recipient and not channel.app_permissions & READ_HISTORY:
            return []
        messages = [each for each in channel.messages if not (each.deleted or each.ephemeral)]
        if "before" in call.query:
            messages = [each for each in messages if each.id < int(call.query["before"])]
        limit = int(call.query.get("limit", "50"))
        if "after" in call.query:
            messages = [each for each in messages if each.id > int(call.query["after"])][:limit]
        return [self._world.message_payload(each) for each in reversed(messages[-limit:])]

    def create_message(self, call: Call) -> Answer:
        channel = self._world.channel(call.path["channel"])
        return self._world.message_payload(self._world.send(channel, call.json, call.files))

    def message(self, call: Call) -> Answer:
        channel = self._world.channel(call.path["channel"])
        self._world.require(channel, READ_HISTORY)
        return self._world.message_payload(self._world.message(channel, call.path["message"]))

    def edit_message(self, call: Call) -> Answer:
        message = self._world.message(self._world.channel(call.path["channel"]), call.path["message"])
        self._world.require_own(message)
        self._world.require(message.channel, ATTACH_FILES if call.files else 0)
        self._world.edit(message, call.json, call.files)
        return self._world.message_payload(message)

    def delete_message(self, call: Call) -> Answer:
        message = self._world.message(self._world.channel(call.path["channel"]), call.path["message"])
        self._world.require_own(message, deleting=True)
        self._world.delete(message)
        return None

    # Guilds.

    def guild(self, call: Call) -> Answer:
        guild = self._world.guilds.get(int(call.path["guild"]))
        if not guild:
            raise rules.unknown(10004, "Guild")
        return guild.payload()

    def guild_channels(self, call: Call) -> Answer:
        return [each.payload() for each in self._world.guilds[int(call.path["guild"])].channels]

    def members(self, call: Call) -> Answer:
        guild = self._world.guilds.get(int(call.path["guild"]))
        if not guild:
            raise rules.unknown(10004, "Guild")
        members = [each for each in guild.members.values() if each.id > int(call.query.get("after", "0"))]
        return [each.member_payload() for each in members[: int(call.query.get("limit", "1"))]]

    def member(self, call: Call) -> Answer:
        guild = self._world.guilds.get(int(call.path["guild"]))
        member = guild.members.get(int(call.path["user"])) if guild else None
        if not member:
            raise rules.unknown(10007, "Member")
        return member.member_payload()

    # Commands.

    def commands(self, call: Call) -> Answer:
        return list(self._world.commands.get(_scope(call), {}).values())

    def put_commands(self, call: Call) -> Answer:
        if not isinstance(call.body, list):
            raise rules.invalid("_body", "Only a list of commands fits here.")
        return self._world.sync_commands(call.body, guild=_scope(call))

    def create_command(self, call: Call) -> Answer:
        new = call.json
        kept = [each for each in self._scope(call).values() if not _is_same_command(each, new)]
        synced = self._world.sync_commands([*kept, new], guild=_scope(call))
        return next(each for each in synced if _is_same_command(each, new))

    def command(self, call: Call) -> Answer:
        command = self._scope(call).get(int(call.path["command"]))
        if not command:
            raise rules.unknown(10063, "application command")
        return command

    def delete_command(self, call: Call) -> Answer:
        if not self._scope(call).pop(int(call.path["command"]), None):
            raise rules.unknown(10063, "application command")
        return None

    def _scope(self, call: Call) -> dict[int, Json]:
        return self._world.commands.setdefault(_scope(call), {})


def _scope(call: Call) -> int:
    return int(call.path.get("guild", "0"))


def _is_same_command(old: Json, new: Json) -> bool:
    return old["name"] == new["name"] and old["type"] == new.get("type", 1)
