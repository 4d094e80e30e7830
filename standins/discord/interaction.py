"""One thing that a person did, and everything the bot answered to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from standins.discord.state import EPHEMERAL, LOADING, Channel, Json, Message, User

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
REPLY, DEFER_REPLY, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9

Wait = Callable[[Callable[[], object], str], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Interaction:
    """Its `original` is the bot's reply, or for a press that was answered by an update, the pressed message."""

    id: int
    token: str
    type: int
    name: str  # the command's full name, or the custom_id
    user: User
    channel: Channel
    sent_at: float
    payload: Json
    wait: Wait
    message: Message | None = None  # the one that was pressed
    acknowledged_at: float | None = None
    callback: int | None = None  # the type of the first answer that was accepted
    refusals: list[int] = field(default_factory=list[int])  # codes of callbacks that were refused
    original: Message | None = None
    followups: list[Message] = field(default_factory=list[Message])
    modal: Json | None = None
    choices: list[Json] | None = None
    _callback_accepted: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self, callback: int, at: float) -> None:
        self.callback, self.acknowledged_at = callback, at
        self._callback_accepted.set()

    @property
    def acknowledged(self) -> Awaitable[Interaction]:
        """Await it to wait for the first accepted callback."""
        return self._acknowledged()

    async def _acknowledged(self) -> Interaction:
        try:
            async with asyncio.timeout(10):
                await self._callback_accepted.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.name}: no callback was accepted; refused with {self.refusals}") from None
        return self

    @property
    def answered(self) -> Awaitable[Message]:
        """Await it to wait for a reply that is more than "thinking", and have it."""
        return self._answered()

    async def _answered(self) -> Message:
        await self.wait(lambda: self.original and not self.original.loading, f"an answer to {self.name}")
        return cast("Message", self.original)

    @property
    def latency(self) -> float | None:
        """Seconds from sending the event to receiving the callback."""
        return None if self.acknowledged_at is None else self.acknowledged_at - self.sent_at

    @property
    def ephemeral(self) -> bool:
        return bool(self.original and self.original.ephemeral)

    def metadata(self) -> Json:
        """What a message says about the interaction that it answers."""
        return {
            "id": str(self.id),
            "type": self.type,
            "user": self.user.payload(),
            "authorizing_integration_owners": {"0": str(self.channel.guild.id)} if self.channel.guild else {},
        }

    def callback_payload(self) -> Json:
        """The head of a with_response answer."""
        body: Json = {"id": str(self.id), "type": self.type}
        if self.original and self.callback in {REPLY, DEFER_REPLY, DEFER_UPDATE, UPDATE}:
            body["response_message_id"] = str(self.original.id)
            body["response_message_loading"] = bool(self.original.flags & LOADING)
            body["response_message_ephemeral"] = bool(self.original.flags & EPHEMERAL)
        return body
