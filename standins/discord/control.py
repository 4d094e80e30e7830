"""Steering this Discord from another process, so that what measures a bot does not share its process.

    GET  /control/ready         ?sessions=1&timeout=30: wait until the bot has identified
    POST /control/interactions  {"command", "count", "options", "rate", "members", "channels"}: fire slash commands
    POST /control/presses       {"custom_id", "messages": [id, …]}: press a button on each of these messages
    GET  /control/report        ?acknowledged=n&answered=n&messages=n&delivered=n&timeout=30: wait for so many, tell all
    POST /control/faults        {"on", "fault", "times", "with": {…}}: switch on a fault of `faults.py` by its name
    POST /control/gateway       {"action": "disconnect" | "invalidate" | "ask_to_reconnect", "code"}
    POST /control/reset         forget timings, messages and requests

An option's value {"upload": {"filename", "size"}} is a file of so many bytes. Times are seconds since 1970.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from standins.base.faults import Fault, Inside, Trouble
from standins.discord import faults
from standins.discord.interaction import Interaction
from standins.discord.server import LocalDiscord
from standins.discord.state import Json, Message, upload

FAULTS: dict[str, Callable[..., Trouble | Inside]] = {
    each.__name__: each
    for each in (
        faults.disconnected,
        faults.dropped,
        faults.expired_token,
        faults.failing,
        faults.forbidden,
        faults.lost_answer,
        faults.rate_limited,
        faults.slow,
        faults.unauthorized,
    )
}


class Control:
    """Adds itself to a `LocalDiscord` before that starts. `members` and `channels` are there from the beginning."""

    def __init__(self, discord: LocalDiscord, *, members: int = 1, channels: int = 1) -> None:
        self._discord = discord
        self._members = [discord.member, *(discord.add_user(f"member-{n}") for n in range(1, members))]
        self._channels = [discord.channel, *(discord.add_channel(f"channel-{n}") for n in range(1, channels))]
        self._fired: list[Interaction] = []
        router = discord.app.router
        router.add_get("/control/ready", self._ready)
        router.add_post("/control/interactions", self._interactions)
        router.add_post("/control/presses", self._presses)
        router.add_get("/control/report", self._report)
        router.add_post("/control/faults", self._fault)
        router.add_post("/control/gateway", self._gateway)
        router.add_post("/control/reset", self._reset)

    async def _ready(self, request: web.Request) -> web.Response:
        sessions, timeout = int(request.query.get("sessions", "1")), float(request.query.get("timeout", "30"))
        await self._discord.ready(sessions, timeout=timeout)
        world = self._discord.world
        return web.json_response(
            {
                "bot": str(world.bot.id),
                "guild": str(self._discord.guild.id),
                "channels": [str(each.id) for each in self._channels],
                "members": [str(each.id) for each in self._members],
                "commands": [each["name"] for scope in world.commands.values() for each in scope.values()],
            }
        )

    async def _interactions(self, request: web.Request) -> web.Response:
        """`rate` is how many a second; without it they follow each other as fast as the socket takes them."""
        asked: Json = await request.json()
        count, rate = int(asked.get("count", 1)), float(asked.get("rate", 0))
        members = self._members[: int(asked.get("members", len(self._members)))]
        channels = self._channels[: int(asked.get("channels", len(self._channels)))]
        options = {name: _read_option(value) for name, value in asked.get("options", {}).items()}
        start = asyncio.get_running_loop().time()
        fired: list[Interaction] = []
        for n in range(count):
            wait = start + n / rate - asyncio.get_running_loop().time() if rate else 0
            await asyncio.sleep(max(0, wait))  # even 0 lets the one before leave, so that `sent_at` is true
            user, channel = members[n % len(members)], channels[n % len(channels)]
            fired.append(self._discord.send_slash(user, channel, asked["command"], options))
        self._fired += fired
        return web.json_response({"ids": [str(each.id) for each in fired]})

    async def _presses(self, request: web.Request) -> web.Response:
        asked: Json = await request.json()
        fired: list[Interaction] = []
        for n, message_id in enumerate(asked["messages"]):
            await asyncio.sleep(0)
            message = self._discord.world.messages[int(message_id)]
            user = self._members[n % len(self._members)]
            fired.append(self._discord.send_press(user, message, asked["custom_id"]))
        self._fired += fired
        return web.json_response({"ids": [str(each.id) for each in fired]})

    async def _report(self, request: web.Request) -> web.Response:
        """Waiting ends at the timeout with what there is: `complete` says whether everything came."""
        world, wanted = self._discord.world, {key: int(float(value)) for key, value in request.query.items()}
        counts: dict[str, Callable[[], int]] = {
            "acknowledged": lambda: world.acknowledged,
            "answered": lambda: world.answered,
            "messages": lambda: world.posted,
            "delivered": lambda: world.delivered,
        }
        asked = [(counts[key], wanted[key]) for key in counts if key in wanted]
        complete = True
        try:
            timeout = float(request.query.get("timeout", "30"))
            await self._discord.until(lambda: all(now() >= n for now, n in asked), "the report", timeout=timeout)
        except TimeoutError:
            complete = False
        requests = Counter(f"{each.kind} {each.status}" for each in world.requests)
        return web.json_response(
            {
                "complete": complete,
                "counts": {key: now() for key, now in counts.items()},
                "interactions": [_describe_interaction(each) for each in self._fired],
                "messages": [_describe_message(each) for each in world.messages.values()],
                "requests": dict(requests),
                "received": sum(each.size for each in world.requests),
                "sessions": {"identified": self._discord.gateway.identified, "resumed": self._discord.gateway.resumed},
            }
        )

    async def _fault(self, request: web.Request) -> web.Response:
        asked: Json = await request.json()
        trouble = FAULTS[asked["fault"]](**asked.get("with", {}))
        self._discord.faults.append(Fault(asked["on"], trouble, times=int(asked.get("times", 1))))
        return web.json_response({"left": sum(fault.times for fault in self._discord.faults)})

    async def _gateway(self, request: web.Request) -> web.Response:
        asked: Json = await request.json()
        gateway = self._discord.gateway
        match asked["action"]:
            case "disconnect":
                gateway.disconnect(asked.get("code", 4000))
            case "invalidate":
                gateway.invalidate(resumable=bool(asked.get("resumable")))
            case "ask_to_reconnect":
                gateway.ask_to_reconnect()
            case unknown:
                raise web.HTTPBadRequest(text=f"unknown action {unknown!r}")
        return web.json_response({"connected": len(gateway.connected)})

    async def _reset(self, _: web.Request) -> web.Response:
        self._fired.clear()
        self._discord.world.forget()
        return web.json_response({})


def _read_option(value: Any) -> Any:
    if isinstance(value, dict) and "upload" in value:
        asked = cast("Json", value["upload"])
        return upload(asked.get("filename", "picture.png"), bytes(int(asked.get("size", 1024))))
    return value  # pyright: ignore[reportUnknownVariableType]


def _describe_interaction(interaction: Interaction) -> Json:
    original = interaction.original
    return {
        "id": str(interaction.id),
        "name": interaction.name,
        "member": str(interaction.user.id),
        "channel": str(interaction.channel.id),
        "sent_at": interaction.sent_at,
        "received_at": interaction.acknowledged_at,
        "latency": interaction.latency,
        "callback": interaction.callback,
        "refusals": interaction.refusals,
        "message": str(original.id) if original else None,
        "followups": [str(each.id) for each in interaction.followups],
    }


def _describe_message(message: Message) -> Json:
    return {
        "id": str(message.id),
        "channel": str(message.channel.id),
        "author": str(message.author.id),
        "nonce": message.nonce,
        "deleted": message.deleted,
        "created_at": message.created_at,
        "files": [{"name": each.filename, "size": each.size, "sha256": each.sha256} for each in message.attachments],
        "changes": [
            {"at": each.at, "changed": each.changed, "files": each.files, "size": each.size} for each in message.history
        ],
    }
