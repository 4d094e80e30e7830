"""Money, times and other people's words, as a card shows them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import cycle

from bot import limits
from bot.errors import Refused
from bot.providers import catalogue

_MARKDOWN = re.compile(r"([\\`*_~|<@\[\]:])")
"""What Discord reads as formatting, a mention, an emoji or a link wherever it stands. Code keeps its backslashes."""
_AT_START = re.compile(r"^(\d*)([#>+.)-])")
"""What makes a heading, a quote, small text or a list."""
_ISOLATES = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_DAY = 86_400
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
"""Zero-width joiner and variation selectors: an emoji must not be cut beside one."""
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def money(micro_usd: int) -> str:
    """Dollars with two decimals, or as many as there are: $0.06, $0.024."""
    dollars, rest = divmod(abs(micro_usd), 1_000_000)
    cents = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro_usd < 0 else ''}${dollars:,}.{cents}"


def quoted(text: str, limit: int) -> str:
    """Somebody's text on one line, shown as it was typed and at most `limit` characters of it.

    Nothing in it is formatting, a mention or a link, and text from right to left leaves the rest of the
    line as it is. Escaped, it may have twice as many characters.
    """
    return _isolated(escaped(shortened(_plain(text), limit)))


def sentence(text: str, limit: int = 400) -> str:
    """A sentence of the bot's own, which may hold words from outside: only its `code` stays formatting."""
    parts = shortened(_plain(text), limit).split("`")
    if len(parts) % 2 == 0:
        parts = ["`".join(parts)]
    first, *others = parts
    return _isolated(
        "`".join(
            [
                escaped(first),
                *(part if code else _literal(part) for code, part in zip(cycle((True, False)), others, strict=False)),
            ]
        )
    )


def escaped(text: str) -> str:
    """One line with all that Discord would interpret made literal."""
    return _AT_START.sub(r"\1\\\2", _literal(text))


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, ending in … where some are left out; no emoji or accented letter is cut apart."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and (_joins(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    if end <= limit - 100:  # nothing but joiners: such a text cannot be cut well
        end = limit - 1
    space = text.rfind(" ", 0, end)
    return text[: space if space > end - 25 and space > 0 else end].rstrip() + "…"


def counted(number: int, noun: str = "picture") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(words: Sequence[str]) -> str:
    """“2”, “2 and 4”, “1, 2 and 4”."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def duration(seconds: float) -> str:
    """“27 s”, “3 min 20 s”, “2 h 5 min”, “4 days 3 h”; of what nobody waits for, “more than a year”."""
    whole = max(round(min(seconds, 400 * _DAY)), 0)
    if whole > 366 * _DAY:
        return "more than a year"
    if whole >= 2 * _DAY:
        hours = whole % _DAY // 3600
        return f"{whole // _DAY} days {hours} h" if hours else f"{whole // _DAY} days"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(seconds: float, style: str) -> str:
    """A time that each reader's Discord shows in their own zone; R counts down, t is the hour, f the date."""
    return f"<t:{round(seconds)}:{style}>"


def model_label(key: str) -> str:
    """The model's name; its key where the catalogue has lost it."""
    try:
        return escaped(catalogue.find(key).label)
    except Refused:
        return escaped(shortened(key, 60))


def _literal(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _plain(text: str) -> str:
    """On one line, without control characters and without marks that would turn the direction of the card's text."""
    text = _ISOLATES.sub("", " ".join(text.split()))
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cc")


def _isolated(text: str) -> str:
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text):
        return f"\u2068{text}\u2069"
    return text


def _joins(letter: str) -> bool:
    """It belongs to the letter before it."""
    return letter in _JOINERS or unicodedata.combining(letter) != 0 or "\U0001f3fb" <= letter <= "\U0001f3ff"


def undelivered_text(unread: Mapping[str, str]) -> tuple[str, list[str]]:
    """What could not be shown to a person, sentence by sentence, and the subjects of those that have room."""
    text, subjects = "Something could not be shown to you where it belongs:", list[str]()
    for subject, why in unread.items():
        line = f"\n- {sentence(why)}"
        if len(text) + len(line) > limits.ANSWER_CHARACTERS:
            break
        text += line
        subjects.append(subject)
    return text, subjects
