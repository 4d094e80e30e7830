"""Persistent buttons and forms: their custom_ids, and the one function that answers every press and every sent form.

A custom_id is `<version>:<noun>:<verb>:<subject>`, e.g. `1:img:again:3k9x2f`. It is a pointer and nothing
else: state and permission are read from the database and from Discord at the press. Formats that were
released once stay readable for ever (tests/golden).
"""

import logging
import re
import textwrap
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

import aiohttp
import discord
from discord import InteractionResponseType
from discord.ui import Button, DynamicItem, Item

from bot import limits
from bot.discord.attachments import MessageFile, full_name
from bot.discord.refusals import ACKNOWLEDGED, INVALID_FORM, meaning
from bot.errors import BotError, Broken, Refused, Unavailable
from bot.trouble import recognise
from bot.workflows.base.work import has_committed

log = logging.getLogger(__name__)

Interaction = discord.Interaction[Any]

PATTERN = re.compile(r"1:(?P<verb>[a-z]+:[a-z]+):(?P<subject>[0-9A-Za-z:_.-]{1,80})")

_OVER = {10015, 10062, ACKNOWLEDGED, 50027}
"""Discord's codes for an interaction whose time is over, or whose form is open already."""

_CARD = "card"
"""Where an interaction carries the id of its public “thinking” message, until that has become something's card."""
_TAKEN = "taken"
"""Where an interaction remembers how it was acknowledged, where Discord took that and its answer was lost."""
_ANSWERED = "answered"
"""Where an interaction remembers that its public message is something's card now, or is gone."""


class Answer(Enum):
    """How a press is acknowledged, before anything else happens: Discord gives 3 seconds."""

    PRIVATE = "private"
    """A new message that only the presser sees."""
    PUBLIC = "public"
    """A new message for all, which may become a card."""
    SILENT = "silent"
    """None: the message with the button is edited."""
    FORM = "form"
    """The press opens a form, which must be the first answer: it decides from what it has at once."""


class Subject(str):
    """What a custom_id is about: `<id>`, or `<id>:<detail>`, such as the digest of what was shown."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """The id of a job, image, finetune, registration or question."""
        return self.partition(":")[0]

    @property
    def detail(self) -> str:
        """What follows the id; "" where nothing does."""
        return self.partition(":")[2]


@dataclass(frozen=True)
class Press:
    """What a verb does, given the interaction and the subject of the custom_id."""

    run: Callable[[Interaction, Subject], Awaitable[None]]
    answer: Answer = Answer.PRIVATE


class Presses:
    """Every verb that a button or form may carry. Cogs register theirs here when they load."""

    def __init__(self, after: Callable[[Interaction], Awaitable[None]] | None = None) -> None:
        """`after` is done when a press is answered."""
        self._presses: dict[str, Press] = {}
        self._after = after

    @property
    def verbs(self) -> frozenset[str]:
        """What is answered, as `noun:verb`."""
        return frozenset(self._presses)

    @property
    def presses(self) -> Mapping[str, Press]:
        """What each verb does."""
        return self._presses

    def register(self, verb: str, press: Press) -> None:
        """Answer `verb` (`noun:verb`) with `press`; a reloaded cog replaces its own."""
        self._presses[verb] = press

    async def handle(self, interaction: Interaction, custom_id: str) -> None:
        """Acknowledge, do what the id says, and turn failures into sentences. Never raises."""
        parts = PATTERN.fullmatch(custom_id)
        press = self._presses.get(parts["verb"]) if parts else None
        try:
            if parts is None or press is None:
                raise Refused("This button belongs to a newer version of the bot. Please try again later.")
            await acknowledge(interaction, press.answer)
            await press.run(interaction, Subject(parts["subject"]))
        except Exception as error:
            await explain(interaction, error, doing=custom_id)
        if self._after is not None:
            await self._after(interaction)


class PressButton(DynamicItem[Button[Any]], template=PATTERN):
    """A button whose custom_id says all that it needs; it works after every restart."""

    def __init__(self, item: Button[Any]) -> None:
        super().__init__(item)

    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: Item[Any], match: re.Match[str], /) -> Self:
        assert isinstance(item, Button), "only buttons carry this pattern"
        return cls(item)

    async def callback(self, interaction: Interaction) -> None:
        await interaction.client.presses.handle(interaction, self.custom_id)


def button(
    verb: str,
    subject: str,
    label: str | None = None,
    *,
    emoji: str | None = None,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    disabled: bool = False,
) -> PressButton:
    """A button for a card. `verb` is `noun:verb`; `subject` an id of this bot."""
    return PressButton(
        Button(label=label, emoji=emoji, style=style, custom_id=_custom_id(verb, subject), disabled=disabled)
    )


def custom_ids(components: Iterable[Any]) -> Iterator[str]:
    """Of every button of a message, however deep."""
    for component in components:
        if custom_id := getattr(component, "custom_id", None):
            yield custom_id
        accessory = getattr(component, "accessory", None)
        yield from custom_ids([*getattr(component, "children", ()), *([accessory] if accessory else [])])


Field = (
    discord.ui.TextInput[Any]
    | discord.ui.Select[Any]
    | discord.ui.MentionableSelect[Any]
    | discord.ui.FileUpload[Any]
    | discord.ui.Checkbox[Any]
)
YES = "yes"
"""What `read_fields` says of a box that is ticked."""


@dataclass(frozen=True)
class Mentioned:
    """A member or role that was chosen in a form."""

    id: int
    is_role: bool


class Form(discord.ui.Modal):
    """A form whose sending is a press like any other: `verb` of its custom_id is answered, also after a restart.

    discord.py keeps a form in memory until it is sent, and hands a sent one to the newest form of that
    custom_id, whoever opened it. One that is stopped before it is shown is not kept at all, so that every
    sending comes through `Client.on_interaction`, once, with all that it says in its payload.
    """

    def __init__(self, verb: str, subject: str, title: str) -> None:
        super().__init__(title=title[: limits.HEADING_CHARACTERS], custom_id=_custom_id(verb, subject))
        self.stop()

    def say(self, text: str) -> None:
        """Add words that have to be read; Discord counts them as one of the five parts of a form."""
        self.add_item(discord.ui.TextDisplay[Any](text))

    def ask(self, name: str, text: str, field: Field, why: str = "") -> None:
        """Add a field; what is given is read under `name` by `read_fields`."""
        field.custom_id = name
        shortened = textwrap.shorten(why, limits.HINT_CHARACTERS, placeholder="…") or None
        self.add_item(discord.ui.Label(text=text[: limits.HEADING_CHARACTERS], description=shortened, component=field))


def read_fields(interaction: Interaction) -> dict[str, str]:
    """What was given in a sent form, by the names of its fields. An empty field is an empty text.

    Of several choices it is the first: `read_choices` has them all.
    """
    return {name: next(iter(values), "") for name, values in _sent(interaction)}


def read_choices(interaction: Interaction, name: str) -> list[str]:
    """All that was chosen in the field of that name."""
    return dict(_sent(interaction)).get(name, [])


def read_files(interaction: Interaction) -> dict[str, list[MessageFile]]:
    """The files of each field of a sent form, in the order in which they were given."""
    data: Any = interaction.data or {}
    attachments = data.get("resolved", {}).get("attachments", {})
    return {
        name: [_attached(attachments[each]) for each in values]
        for name, values in _sent(interaction)
        if values and all(each in attachments for each in values)
    }


def _attached(attachment: Mapping[str, Any]) -> MessageFile:
    name = full_name(attachment["filename"], attachment.get("title"))
    return MessageFile(name, attachment["url"], attachment["size"], attachment.get("content_type") or "")


def read_mentioned(interaction: Interaction, name: str) -> list[Mentioned]:
    """The members and roles that were chosen in the field of that name."""
    data: Any = interaction.data or {}
    roles = data.get("resolved", {}).get("roles", {})
    return [Mentioned(int(each), is_role=each in roles) for each in read_choices(interaction, name)]


def _sent(interaction: Interaction) -> Iterator[tuple[str, list[str]]]:
    data: Any = interaction.data or {}
    yield from _fields(data.get("components", []))


def _fields(components: list[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for component in components:
        if "component" in component:
            yield from _fields([component["component"]])
        elif "components" in component:
            yield from _fields(component["components"])
        elif "values" in component:
            yield component["custom_id"], [str(each) for each in component["values"]]
        elif "value" in component:
            value = component["value"]
            yield component["custom_id"], [YES] if value is True else [str(value)] if value else []


async def acknowledge(interaction: Interaction, answer: Answer) -> None:
    """Keep the interaction open for 15 minutes; what is public is remembered for `card_of` and `say`."""
    match answer:
        case Answer.PRIVATE:
            await _defer(interaction, thinking=True, ephemeral=True)
        case Answer.PUBLIC:
            interaction.extras[_CARD] = await _defer(interaction, thinking=True)
        case Answer.SILENT:
            await _defer(interaction)
        case Answer.FORM:
            pass


async def _defer(interaction: Interaction, *, thinking: bool = False, ephemeral: bool = False) -> int | None:
    """Acknowledge; the id of the message that the answer will be.

    Discord may take it while its answer is lost on the way: the next try is told that it is done. It goes on then. Jobs
    are named after the interaction, so that it is done once, whoever else has taken it up.
    """
    try:
        callback = await interaction.response.defer(thinking=thinking, ephemeral=ephemeral)
    except discord.HTTPException as error:
        if error.code != ACKNOWLEDGED:
            raise
        message = InteractionResponseType.deferred_channel_message
        interaction.extras[_TAKEN] = message if thinking else InteractionResponseType.deferred_message_update
        return (await interaction.original_response()).id if thinking and not ephemeral else None
    return callback.message_id if callback else None


def answered_as(interaction: Interaction) -> InteractionResponseType | None:
    """How an interaction was acknowledged; None where it was not."""
    return interaction.response.type or interaction.extras.get(_TAKEN)


def card_of(interaction: Interaction) -> int | None:
    """The id of the message that this interaction's public answer is."""
    return interaction.extras.get(_CARD)


def mark_answered(interaction: Interaction) -> None:
    """The public answer has become a card: a failure from now on leaves it alone."""
    interaction.extras.pop(_CARD, None)
    interaction.extras[_ANSWERED] = True


async def explain(interaction: Interaction, error: Exception, *, doing: str) -> None:
    """Turn a failure into a sentence for the person, or a bug into an id to quote. Never raises."""
    trouble = recognise(error)
    if trouble is not None:
        log.warning("%s met trouble of this machine: %s", doing, trouble)
        advice = "What you asked for is done all the same: do not repeat it."
        if not _is_done(interaction):
            advice = "Please try again in a few minutes."
        await say(interaction, f"{trouble} {advice} The admin of the bot was told.")
        machine = interaction.client.services.kit.machine
        if machine is not None:
            await machine.note(trouble)
        return
    match error:
        case Broken():
            log.error("%s: %s", doing, error, exc_info=error.__cause__)
            await say(interaction, str(error))
            await interaction.client.alarm(f"{doing}: {error}")
        case BotError():
            await say(interaction, str(error))
        case discord.HTTPException(code=code) if code in _OVER:
            log.info("%s was over: %s", doing, error)
        case discord.HTTPException():
            refusal = meaning(error, interaction.client, interaction.guild_id or 0, interaction.channel_id or 0)
            refusal.__cause__ = error
            unanswered = Unavailable(_unanswered(interaction))
            await explain(interaction, unanswered if isinstance(refusal, Unavailable) else refusal, doing=doing)
        case aiohttp.ClientError() | ConnectionError() | TimeoutError():
            log.warning("%s: Discord did not answer: %r", doing, error)
            await say(interaction, _unanswered(interaction))
        case _:
            log.error("A bug in %s (interaction %d).", doing, interaction.id, exc_info=error)
            await say(interaction, f"The bot made a mistake. Please quote `{interaction.id}` to the admin.")


def _unanswered(interaction: Interaction) -> str:
    what = "What you asked for is done all the same."
    if not _is_done(interaction):
        what = "Nothing was done. Please try again."
    return f"Discord did not answer the bot just now. {what}"


def _is_done(interaction: Interaction) -> bool:
    """Whether what was asked for is in the database, so that repeating it would do it twice."""
    return has_committed() and answered_as(interaction) is not None


async def say(interaction: Interaction, sentence: str) -> None:
    """Tell the person alone who pressed or typed, however far the interaction is. Never raises.

    What was announced to all (“thinking…”) and came to nothing is taken away. Discord takes 2,000 characters.
    """
    if len(sentence) > limits.MESSAGE_CHARACTERS:
        sentence = f"{sentence[: limits.MESSAGE_CHARACTERS - 1]}…"
    try:
        if answered_as(interaction) is None:
            await interaction.response.send_message(sentence, ephemeral=True)
        elif _CARD in interaction.extras:
            mark_answered(interaction)
            # A followup to “thinking…” would replace it, for all.
            is_text = await _takes_text(interaction, "…")
            await interaction.followup.send(sentence, ephemeral=True)
            if is_text:
                await interaction.delete_original_response()
        elif (
            answered_as(interaction) is not InteractionResponseType.deferred_channel_message
            or _ANSWERED in interaction.extras  # a card takes no text
            or not await _takes_text(interaction, sentence)
        ):
            await interaction.followup.send(sentence, ephemeral=True)
    except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError) as error:
        # aiohttp answers with a RuntimeError when the bot is being closed just now
        log.warning("Could not tell a person %r: %s", sentence, error)


async def _takes_text(interaction: Interaction, text: str) -> bool:
    """Make the answer this text; False where it has become a card, though Discord's answer to that was lost."""
    try:
        await interaction.edit_original_response(content=text)
    except discord.HTTPException as error:
        if error.code != INVALID_FORM:
            raise
        return False
    return True


def _custom_id(verb: str, subject: str) -> str:
    custom_id = f"1:{verb}:{subject}"
    assert PATTERN.fullmatch(custom_id), custom_id
    return custom_id
