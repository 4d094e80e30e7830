"""How Vimmerse's answers are read: an asset or a list of links, bare or wrapped in `data`.

Source: Vimmerse's OpenAPI document. It shows an asset as the example of nearly every answer, and leaves the schema of
most of them open.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, JsonValue, RootModel

from bot.http.answers import clean
from bot.http.client import Reply
from bot.providers.interface import Status
from bot.providers.ranges import LARGEST_STORED, LONGEST_DRAWING, LONGEST_LINK, LONGEST_TEXT, Percentage

_STATUSES = {
    "queue": Status.WAITING,
    "queued": Status.WAITING,
    "success": Status.READY,
    "fail": Status.FAILED,
    "failed": Status.FAILED,
    "cancel": Status.FAILED,
    "cancelled": Status.FAILED,
}
"""By what stands before "_bullet". Any other word is RUNNING: processing, and what no document names."""
_WORD = re.compile(r"(?!result_url)[^\s/:]{1,200}")
"""A trigger word among results: no link, nor the documentation's placeholder for one."""
_PLAIN = re.compile(r"[\w.+-]{1,40}")


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_STORED:
        return str(value)  # an id may be a number
    return value.strip() or None if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def _moment(value: object) -> datetime | None:
    """Of the form `2025-05-06 16:35:59.840508+00:00`."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read.replace(tzinfo=read.tzinfo or UTC) if read else None


Text = Annotated[str | None, BeforeValidator(_text)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Answer(RootModel[JsonValue]):
    """Anything: an odd form must not cost what is paid for. Its text stays out of error messages."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @property
    def content(self) -> JsonValue:
        """What was answered, without the wrapper."""
        match self.root:
            case {"data": content}:
                return content
            case bare:
                return bare


class Asset(Reply):
    """A picture or a training, with the fields that the answer has."""

    id: Text = None
    asset_id: Text = None  # so the words on async_mode call it
    status: Text = None
    trigger_word: Text = None
    args: JsonValue = None
    results: JsonValue = None
    progress_percentage: Percentage = None
    created_at: Moment = None
    updated_at: Moment = None
    message: JsonValue = None
    error: JsonValue = None
    error_message: JsonValue = None

    @classmethod
    def of(cls, content: JsonValue) -> "Asset":
        """The asset in an answer; without anything in it where there is none."""
        return cls.model_validate(content) if isinstance(content, dict) else cls(results=content)

    @property
    def known_by(self) -> str | None:
        return self.id or self.asset_id

    @property
    def state(self) -> Status:
        word = (self.status or "").lower().removesuffix("_bullet")
        return _STATUSES.get(word, Status.RUNNING)

    @property
    def links(self) -> tuple[str, ...]:
        return links_in(self.results)

    @property
    def trigger(self) -> str | None:
        """The trigger word, wherever it stands."""
        if word := word_in(self.trigger_word):
            return word
        if isinstance(self.args, dict) and (word := word_in(self.args.get("trigger_word"))):
            return word
        match self.results:
            case [first, *_]:
                return word_in(first)
            case _:
                return None

    @property
    def reasons(self) -> tuple[str, ...]:
        texts = (self.message, self.error, self.error_message)
        return tuple(clean(text) for text in texts if isinstance(text, str) and text.strip())

    @property
    def seconds(self) -> float | None:
        if not self.created_at or not self.updated_at:
            return None
        took = (self.updated_at - self.created_at).total_seconds()
        return took if 0 <= took <= LONGEST_DRAWING else None


def word_in(value: JsonValue) -> str | None:
    """A trigger word or an id, where the value is one: no sentence and no link."""
    text = _text(value)
    return text if text and text.isprintable() and _WORD.fullmatch(text) else None


def links_in(results: JsonValue) -> tuple[str, ...]:
    """The links in a list of links, or of objects that have one."""
    links: list[str] = []
    for item in results if isinstance(results, list) else [results]:
        match item:
            case str(link) | {"URL": str(link)} | {"url": str(link)} if "://" in link and len(link) <= LONGEST_LINK:
                links.append(link)
            case _:
                pass
    return tuple(links)


def redact(answer: JsonValue, *, key: str) -> str:
    """The shape of an answer, short, without links, sentences, the customer's ids or the key."""
    return clean(json.dumps(_shape(answer), ensure_ascii=False).replace(key, "[key]"), cap=400)


def _shape(value: JsonValue) -> JsonValue:
    match value:
        case {**fields}:
            return {name: "…" if "customer" in name or "user" in name else _shape(of) for name, of in fields.items()}
        case [*items]:
            return [_shape(item) for item in items[:5]]
        case str(text):
            return "[link]" if "://" in text else text if _PLAIN.fullmatch(text) else "…"
        case other:
            return other
