"""Request bodies as Rails reads them: multipart, form-urlencoded or JSON, with nested names such as `tune[title]`."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

from aiohttp import web
from PIL import Image

from standins.astria.service import Refusal

_PARTS = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True)
class Upload:
    """A file in a form."""

    name: str
    content: bytes = field(repr=False)

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def is_caption(self) -> bool:
        return self.name.lower().endswith(".txt")

    @property
    def mark(self) -> str:
        """What stands for it in the records."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def is_picture(self) -> bool:
        try:
            with Image.open(BytesIO(self.content), formats=("JPEG", "PNG", "WEBP")) as image:
                image.verify()
        except (OSError, SyntaxError, ValueError):
            return False
        return True


async def parameters(request: web.Request) -> dict[str, Any]:
    """What was sent, nested; files are `Upload`s.

    Raises:
        Refusal: 400, JSON that is none.
    """
    if request.content_type == "application/json":
        try:
            sent: Any = json.loads(await request.text())
        except json.JSONDecodeError as error:
            raise Refusal(400, {"error": "There was a problem in the JSON you submitted"}) from error
        return cast("dict[str, Any]", sent) if isinstance(sent, dict) else {}
    nested: dict[str, Any] = {}
    for name, value in (await request.post()).items():
        held: Any = Upload(value.filename, value.file.read()) if isinstance(value, web.FileField) else value
        _put(nested, [name.partition("[")[0], *_PARTS.findall(name)], held)
    return nested


def part(sent: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of that name; what stands beside it is not looked at."""
    inner = sent.get(name)
    return cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}


def items(value: Any) -> list[Any]:
    """A list, which a form may also write as an object with numbers for names."""
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A field's text, or None where it is blank."""
    return str(value).strip() or None if isinstance(value, str | int | float) else None


def number(value: Any) -> float | None:
    """A field's number, or None where it is blank or none."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def switch(value: Any) -> bool:
    """Rails takes everything for true but these."""
    return value not in (None, "", False, 0, "0", "f", "F", "false", "FALSE", "off", "OFF")


def _put(into: dict[str, Any], path: list[str], value: Any) -> None:
    name, *rest = path
    if not rest:
        into[name] = value
    elif rest[0] == "":
        listed = cast("list[Any]", into.setdefault(name, []))
        if len(rest) == 1:
            listed.append(value)
            return
        # As Rack does: a name that the last object has already begins a new one.
        if not listed or rest[1] in listed[-1]:
            listed.append({})
        _put(listed[-1], rest[1:], value)
    else:
        _put(cast("dict[str, Any]", into.setdefault(name, {})), rest, value)
