"""What services say beside their replies: why something failed, and how long to leave them alone."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import JsonValue
from pydantic_core import from_json

REASON_CAP = 200  # characters of an outside text that are shown or logged
LONGEST_WAIT = 3600.0  # seconds

_A_YEAR = 366 * 86_400.0  # seconds
_LONG_RUN = re.compile(r"\S{60,}")
_TRUNCATED_ITEM = re.compile(r'"loc"\s*:\s*\[([^\]]*)\].*?"msg"\s*:\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)


def clean(text: str, *, cap: int = REASON_CAP) -> str:
    """A text from outside, made one short line without control characters or long runs (base64, tokens)."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: cap * 20]).split())
    line = _LONG_RUN.sub("…", line)
    return line if len(line) <= cap else line[: cap - 1] + "…"


def retry_after(header: str | None, *, now: datetime) -> float | None:
    """Seconds to wait, 1 to 3600, from seconds or an HTTP date; None where the header says nothing usable."""
    if header is None:
        return None
    if re.fullmatch(r"\s*\d{1,12}(\.\d*)?\s*", header, re.ASCII):
        seconds = float(header)
    elif when := read_date(header):
        seconds = (when - now).total_seconds()
    else:
        return None
    return min(max(seconds, 1.0), LONGEST_WAIT)


def read_date(header: str | None) -> datetime | None:
    """The moment that a header names as an HTTP date."""
    try:
        when = parsedate_to_datetime(header) if header else None
    except (ValueError, OverflowError):
        return None
    return when.replace(tzinfo=when.tzinfo or UTC) if when else None


def reset_after(header: str | None, *, now: datetime) -> float | None:
    """Seconds to wait, 1 to 3600, from an X-RateLimit-Reset, which is a Unix time at some and a wait at others."""
    if header is None or not re.fullmatch(r"\s*\d{1,10}\s*", header, re.ASCII):
        return None
    seconds = float(header)
    if seconds > _A_YEAR:
        seconds -= now.timestamp()
    return min(max(seconds, 1.0), LONGEST_WAIT)


def reason_in(body: bytes) -> str:
    """What an error body says: its message, or field and message of each complaint, never the echoed request.

    A body that was cut at the cap is no JSON any more; what precedes the first echo is read from it.
    """
    text = body.decode(errors="replace")
    try:
        # Not json.loads, which goes as deep as the recursion limit lets it: py_ecc (of web3) raises that so far that a
        # body of nothing but brackets would end the process.
        return clean(_read_reason(from_json(text)))
    except ValueError:
        if not text.lstrip().startswith(("{", "[")):
            return clean(re.sub(r"<[^>]*>", " ", text[:4000]))
        match = _TRUNCATED_ITEM.search(text.partition('"input"')[0][:8000])
        if not match:
            return ""
        where = match[1].rpartition(",")[2].strip(' "')
        return clean(f"{where}: {match[2]}")


def _read_reason(value: JsonValue) -> str:
    match value:
        case str():
            return value
        case {"msg": str(message), "loc": [*_, last]}:
            return f"{last}: {message}"
        case {"msg": str(message)} | {"message": str(message)} | {"error": str(message)}:
            return message
        case {"Message": str(message)}:
            return message
        case {"reason": str(reason)}:  # Pinata: {"reason": "API_KEY_REVOKED", "details": "…"}
            details = value.get("details")
            return f"{reason}: {details}" if isinstance(details, str) else reason
        case {"detail": inner} | {"error": inner} | {"errors": inner}:
            return _read_reason(inner)
        case [*items]:
            return "; ".join(filter(None, map(_read_reason, items[:3])))
        case {**fields} if fields and all(map(_is_complaint, fields.values())):  # Rails: {"images": ["can't be blank"]}
            return "; ".join(f"{name}: {_read_reason(texts)}" for name, texts in list(fields.items())[:3])
        case _:
            return ""


def _is_complaint(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)
