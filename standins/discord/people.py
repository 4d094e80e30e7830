"""What a person can do: type commands, press, choose, fill in forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from standins.discord.gateway import Gateway
from standins.discord.interaction import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction
from standins.discord.rules import BUTTON, FILE_LIMIT, SELECTS, TEXT_DISPLAY, TEXT_INPUT, walk
from standins.discord.state import Channel, File, Json, Message, User
from standins.discord.world import World

SUB_COMMAND, SUB_GROUP, USER_OPTION, CHANNEL_OPTION, ATTACHMENT_OPTION = 1, 2, 6, 7, 11
STRING_SELECT, LABEL, RADIO, CHECKBOX = 3, 18, 21, 23


class People:
    """Acts through the gateway as Discord's own client would, which offers only what the bot has put there."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world, self._gateway = world, gateway

    async def slash(self, user: User, channel: Channel, command: str, /, **options: Any) -> Interaction:
        """Send a slash command; groups are words: "admin keys set". Files are made with `upload`."""
        return self.send_slash(user, channel, command, options)

    def send_slash(self, user: User, channel: Channel, command: str, options: Mapping[str, Any]) -> Interaction:
        data = self._typed(channel, command, options, focused=None)
        return self._send(COMMAND, command, user, channel, data)

    async def autocomplete(
        self, user: User, channel: Channel, command: str, /, focused: str, **options: Any
    ) -> Interaction:
        """Stop typing in the option `focused`. Its answer is in `choices`."""
        data = self._typed(channel, command, options, focused=focused)
        return self._send(AUTOCOMPLETE, command, user, channel, data)

    async def message_command(self, user: User, name: str, message: Message) -> Interaction:
        """Choose an app's command from a message's context menu."""
        command = self._world.command(message.channel, name, 3)
        resolved = {"messages": {str(message.id): self._world.message_payload(message)}}
        data = _head(command, message.channel) | {"target_id": str(message.id), "resolved": resolved}
        return self._send(COMMAND, name, user, message.channel, data)

    async def press(self, user: User, message: Message, custom_id: str) -> Interaction:
        return self.send_press(user, message, custom_id)

    def send_press(self, user: User, message: Message, custom_id: str) -> Interaction:
        _find(message.components, custom_id)
        data: Json = {"custom_id": custom_id, "component_type": BUTTON}
        return self._send(COMPONENT, custom_id, user, message.channel, data, message)

    async def select(self, user: User, message: Message, custom_id: str, *values: object) -> Interaction:
        control = _find(message.components, custom_id)
        data = self._chosen(control, values, message.channel)
        return self._send(
            COMPONENT, custom_id, user, message.channel, data | {"component_type": control["type"]}, message
        )

    async def submit_modal(self, asked: Interaction, /, values: Mapping[str, Any]) -> Interaction:
        """Fill in the form that answered `asked`. Values go by custom_id: text, a choice, several, or files."""
        modal = asked.modal
        if modal is None:
            raise LookupError(f"{asked.name} did not open a modal")
        custom_ids = {each["custom_id"] for _, each in walk(modal["components"]) if "custom_id" in each}
        if unknown := set(values) - custom_ids:
            raise LookupError(f"the modal has no {sorted(unknown)}; it has {sorted(custom_ids)}")
        resolved: Json = {}
        filled = [
            self._fill(each, values, asked.channel, resolved, number)
            for number, each in enumerate(modal["components"], start=1)
        ]
        data: Json = {"custom_id": modal["custom_id"], "components": filled, "resolved": resolved}
        return self._send(MODAL_SUBMIT, modal["custom_id"], asked.user, asked.channel, data, asked.message)

    # How it is written.

    def _send(
        self, kind: int, name: str, user: User, channel: Channel, data: Json, message: Message | None = None
    ) -> Interaction:
        world = self._world
        made, token, guild = world.new_id(), world.new_token(), channel.guild
        payload: Json = {
            "id": str(made),
            "application_id": str(world.bot.id),
            "type": kind,
            "token": token,
            "version": 1,
            "data": data,
            "channel": channel.payload() | {"permissions": str(user.permissions)},
            "channel_id": str(channel.id),
            "locale": "en-US",
            "app_permissions": str(channel.app_permissions),
            "entitlements": [],
            "attachment_size_limit": FILE_LIMIT,
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
            "context": 0 if guild else 1,
        }
        if guild:
            payload |= {
                "guild_id": str(guild.id),
                "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
                "guild_locale": "en-US",
                "member": user.member_payload(),
            }
        else:
            payload["user"] = user.payload()
        if message:
            payload["message"] = world.message_payload(message)
        interaction = Interaction(
            made, token, kind, name, user, channel, world.clock(), payload, world.until, message=message
        )
        world.remember(interaction)
        self._gateway.dispatch("INTERACTION_CREATE", payload, guild)
        return interaction

    def _typed(self, channel: Channel, line: str, values: Mapping[str, Any], focused: str | None) -> Json:
        name, *path = line.split()
        command = self._world.command(channel, name, 1)
        data = _head(command, channel)
        level, schema = data, command
        for word in path:
            schema = next((each for each in schema["options"] if each["name"] == word), None)
            if not schema or schema["type"] not in {SUB_COMMAND, SUB_GROUP}:
                raise LookupError(f"/{name} has no subcommand {word!r}")
            inner: Json = {"name": word, "type": schema["type"]}
            level["options"] = [inner]
            level = inner
        resolved: Json = {}
        options: list[Json] = schema.get("options") or []
        if strangers := set(values) - {each["name"] for each in options}:
            raise LookupError(f"/{line} has no option {sorted(strangers)}")
        level["options"] = list(self._options(options, values, channel, resolved, focused, line))
        if resolved:
            data["resolved"] = resolved
        return data

    def _options(
        self,
        options: Sequence[Json],
        values: Mapping[str, Any],
        channel: Channel,
        resolved: Json,
        focused: str | None,
        line: str,
    ) -> Iterator[Json]:
        for option in options:
            name: str = option["name"]
            if name not in values:
                if option.get("required") and focused is None:
                    raise LookupError(f"/{line} cannot be sent without {name!r}")
                continue
            value = self._resolve(option["type"], values[name], channel, resolved)
            typed: Json = {"name": name, "type": option["type"], "value": value}
            yield typed | ({"focused": True} if name == focused else {})

    def _resolve(self, kind: int, value: Any, channel: Channel, resolved: Json) -> Any:
        """An option's value as it goes over the wire; what it names goes to `resolved`."""
        if isinstance(value, File):
            attachment = self._world.attach(channel, value, fleeting=True)
            payload = attachment.payload(self._world.link_expiry())
            resolved.setdefault("attachments", {})[str(attachment.id)] = payload
            return str(attachment.id)
        if isinstance(value, User):
            resolved.setdefault("users", {})[str(value.id)] = value.payload()
            member = {key: each for key, each in value.member_payload().items() if key not in {"user", "deaf", "mute"}}
            resolved.setdefault("members", {})[str(value.id)] = member
            return str(value.id)
        if isinstance(value, Channel):
            resolved.setdefault("channels", {})[str(value.id)] = value.payload() | {"permissions": "0"}
            return str(value.id)
        if kind == ATTACHMENT_OPTION:
            raise TypeError("an attachment option takes a file made with upload()")
        return value

    def _chosen(self, control: Json, values: Sequence[Any], channel: Channel) -> Json:
        resolved: Json = {}
        chosen = [str(self._resolve(control["type"], each, channel, resolved)) for each in values]
        if control["type"] not in SELECTS:
            raise LookupError(f"{control['custom_id']} is not a select")
        offered = {each["value"] for each in control.get("options") or ()}
        if control["type"] == STRING_SELECT and (strangers := set(chosen) - offered):
            raise LookupError(f"{control['custom_id']} does not offer {sorted(strangers)}")
        return {"custom_id": control["custom_id"], "values": chosen, "resolved": resolved}

    def _fill(self, asked: Json, values: Mapping[str, Any], channel: Channel, resolved: Json, number: int) -> Json:
        kind: int = asked["type"]
        made: Json = {"type": kind, "id": asked.get("id") or number}
        if kind == TEXT_DISPLAY:
            return made
        if kind == LABEL:
            return made | {"component": self._fill(asked["component"], values, channel, resolved, number + 100)}
        if "components" in asked:
            inside = [self._fill(each, values, channel, resolved, number + 100) for each in asked["components"]]
            return made | {"components": inside}
        custom_id: str = asked["custom_id"]
        made["custom_id"] = custom_id
        given = values.get(custom_id)
        if given is None and asked.get("required", kind != CHECKBOX) and not asked.get("value"):
            raise LookupError(f"the modal cannot be sent without {custom_id!r}")
        if kind == TEXT_INPUT:
            return made | {"value": str(given if given is not None else asked.get("value") or "")}
        if kind == RADIO:
            return made | {"value": given}
        if kind == CHECKBOX:
            return made | {"value": bool(given)}
        several = cast("list[Any]", given if isinstance(given, list) else [] if given is None else [given])
        return made | {"values": [str(self._resolve(kind, each, channel, resolved)) for each in several]}


def _head(command: Json, channel: Channel) -> Json:
    head: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command and channel.guild:
        head["guild_id"] = command["guild_id"]
    return head


def _find(components: Sequence[Json], custom_id: str) -> Json:
    ids: list[str] = []
    for _, each in walk(components):
        if each.get("custom_id") == custom_id:
            if each.get("disabled"):
                raise LookupError(f"{custom_id!r} is disabled")
            return each
        ids += [each["custom_id"]] if "custom_id" in each else []
    raise LookupError(f"the message has no {custom_id!r}; it has {ids}")
