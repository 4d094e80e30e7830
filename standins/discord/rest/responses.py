"""What a bot answers to an interaction: the callback, then the webhook of its token."""

from __future__ import annotations

from standins.discord import rules
from standins.discord.interaction import (
    AUTOCOMPLETE,
    CHOICES,
    COMMAND,
    COMPONENT,
    DEFER_REPLY,
    DEFER_UPDATE,
    MODAL,
    MODAL_SUBMIT,
    REPLY,
    UPDATE,
    Interaction,
)
from standins.discord.rest.front import Answer, Call
from standins.discord.state import EPHEMERAL, Json, Message
from standins.discord.world import World

COMMAND_REPLY, PLAIN_REPLY = 20, 19  # message types


class ResponseRoutes:
    def __init__(self, world: World) -> None:
        self._world = world
        webhook = "/webhooks/{application}/{token}"
        self.table = [
            ("POST", "/interactions/{interaction}/{token}/callback", "callback", self.callback),
            ("GET", f"{webhook}/messages/@original", "original.get", self.original),
            ("PATCH", f"{webhook}/messages/@original", "original.edit", self.edit_original),
            ("DELETE", f"{webhook}/messages/@original", "original.delete", self.delete_original),
            ("POST", webhook, "followup.create", self.follow_up),
            ("GET", f"{webhook}/messages/{{message}}", "followup.get", self.followup),
            ("PATCH", f"{webhook}/messages/{{message}}", "followup.edit", self.edit_followup),
            ("DELETE", f"{webhook}/messages/{{message}}", "followup.delete", self.delete_followup),
        ]

    # The first answer.

    def callback(self, call: Call) -> Answer:
        interaction = self._world.interactions.get(int(call.path["interaction"]))
        if not interaction or interaction.token != call.path["token"]:
            raise rules.unknown(10062, "interaction")
        try:
            self._respond(interaction, call)
        except rules.Rejected as refusal:
            interaction.refusals.append(refusal.code)
            raise
        if call.query.get("with_response") not in {"true", "1"}:
            return None
        answer: Json = {"interaction": interaction.callback_payload()}
        if interaction.original:
            message = self._world.message_payload(interaction.original)
            answer["resource"] = {"type": interaction.callback, "message": message}
        return answer

    def _respond(self, interaction: Interaction, call: Call) -> None:
        if interaction.callback is not None:
            rules.refuse(400, 40060, "Interaction has already been acknowledged.")
        if call.received_at - interaction.sent_at > rules.ACKNOWLEDGE_WITHIN:
            raise rules.unknown(10062, "interaction")
        kind: int = call.json["type"]
        reply: Json = call.json.get("data") or {}
        _check_kind(interaction, kind)
        world = self._world
        if kind in {REPLY, DEFER_REPLY}:
            body = reply if kind == REPLY else {"flags": int(reply.get("flags") or 0) & EPHEMERAL}
            style = COMMAND_REPLY if interaction.type == COMMAND else PLAIN_REPLY if interaction.message else 0
            interaction.original = world.post(
                interaction.channel,
                world.bot,
                body,
                call.files,
                kind=style,
                answers=interaction,
                thinking=kind == DEFER_REPLY,
            )
        elif kind in {UPDATE, DEFER_UPDATE}:
            if kind == UPDATE and interaction.message:
                world.edit(interaction.message, reply, call.files)
            interaction.original = interaction.message
        elif kind == CHOICES:
            choices: list[Json] = reply.get("choices") or []
            if len(choices) > 25:
                raise rules.invalid("choices", "Must be 25 or fewer in length.")
            interaction.choices = choices
        elif kind == MODAL:
            rules.check_modal(reply)
            interaction.modal = reply
        interaction.acknowledge(kind, call.received_at)
        world.acknowledged += 1
        world.answered += kind in {REPLY, UPDATE}

    # Later answers.

    def original(self, call: Call) -> Answer:
        return self._world.message_payload(self._original(self._live(call)))

    def edit_original(self, call: Call) -> Answer:
        message = self._original(self._live(call))
        self._world.edit(message, call.json, call.files)
        return self._world.message_payload(message)

    def delete_original(self, call: Call) -> Answer:
        self._world.delete(self._original(self._live(call)))
        return None

    def follow_up(self, call: Call) -> Answer:
        interaction = self._live(call)
        if interaction.callback is None:
            raise rules.unknown(10015, "Webhook")
        thinking = interaction.original
        if interaction.callback == DEFER_REPLY and thinking and thinking.loading and not thinking.deleted:
            # Deprecated, and still so: the first followup becomes the "thinking" message and inherits its visibility.
            self._world.edit(thinking, call.json, call.files)
            return self._world.message_payload(thinking)
        message = self._world.post(
            interaction.channel, self._world.bot, call.json, call.files, kind=PLAIN_REPLY, answers=interaction
        )
        interaction.followups.append(message)
        return self._world.message_payload(message)

    def followup(self, call: Call) -> Answer:
        return self._world.message_payload(self._owned(call))

    def edit_followup(self, call: Call) -> Answer:
        message = self._owned(call)
        self._world.edit(message, call.json, call.files)
        return self._world.message_payload(message)

    def delete_followup(self, call: Call) -> Answer:
        self._world.delete(self._owned(call))
        return None

    def _live(self, call: Call) -> Interaction:
        interaction = self._world.by_token.get(call.path["token"])
        if not interaction or call.received_at - interaction.sent_at > rules.TOKEN_LIFETIME:
            rules.refuse(401, 50027, "Invalid Webhook Token")
        return interaction

    def _original(self, interaction: Interaction) -> Message:
        if interaction.callback is None:
            raise rules.unknown(10015, "Webhook")
        if not interaction.original or interaction.original.deleted:
            raise rules.unknown(10008, "Message")
        return interaction.original

    def _owned(self, call: Call) -> Message:
        interaction = self._live(call)
        for message in (interaction.original, interaction.message, *interaction.followups):
            if message and message.id == int(call.path["message"]) and not message.deleted:
                return message
        raise rules.unknown(10008, "Message")


def _check_kind(interaction: Interaction, kind: int) -> None:
    replies = {REPLY, DEFER_REPLY}
    allowed = {
        COMMAND: replies | {MODAL},
        COMPONENT: replies | {DEFER_UPDATE, UPDATE, MODAL},
        AUTOCOMPLETE: {CHOICES},
        MODAL_SUBMIT: replies | ({DEFER_UPDATE, UPDATE} if interaction.message else set[int]()),
    }[interaction.type]
    if kind not in allowed:
        raise rules.invalid("type", f'Value of field "type" must be one of {sorted(allowed)}.')
