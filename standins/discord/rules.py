"""What Discord refuses, decided without any I/O.

Numbers from Discord's public documentation (docs repository at c98d64bc, 6 Aug 2026).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NoReturn

from standins.discord.state import COMPONENTS_V2, Json

ACKNOWLEDGE_WITHIN = 3.0  # seconds
TOKEN_LIFETIME = 15 * 60.0  # seconds
FILE_LIMIT = 10 * 1024 * 1024  # bytes
REQUEST_LIMIT = 25 * 1024 * 1024  # bytes
FILES_PER_MESSAGE = 10

ACTION_ROW, BUTTON, TEXT_INPUT, SECTION, TEXT_DISPLAY = 1, 2, 4, 9, 10
SELECTS = frozenset({3, 5, 6, 7, 8})
MODAL_ONLY = frozenset({TEXT_INPUT, 18, 19, 21, 22, 23})
LINK_STYLE, PREMIUM_STYLE = 5, 6


class Rejected(Exception):
    """Discord's answer to a request that it does not accept."""

    def __init__(self, status: int, code: int, message: str, *, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status, self.code, self.message = status, code, message
        self.errors = errors

    def payload(self) -> Json:
        body: Json = {"message": self.message, "code": self.code}
        return body | {"errors": self.errors} if self.errors else body


def invalid(where: str, why: str) -> Rejected:
    """A 50035 whose `errors` are nested the way Discord nests them."""
    errors: Json = {"_errors": [{"code": "INVALID", "message": why}]}
    for name in reversed(where.split(".")):
        errors = {name: errors}
    return Rejected(400, 50035, "Invalid Form Body", errors=errors)


def unknown(code: int, what: str) -> Rejected:
    return Rejected(404, code, f"Unknown {what}")


def too_large() -> Rejected:
    return Rejected(413, 40005, "Request entity too large")


def walk(components: Sequence[Json], path: str = "components") -> Iterator[tuple[str, Json]]:
    """Every component, however deep, with where it stands."""
    for n, each in enumerate(components):
        here = f"{path}.{n}"
        yield here, each
        if "components" in each:
            yield from walk(each["components"], f"{here}.components")
        for single in ("accessory", "component"):
            if single in each:
                yield from walk([each[single]], f"{here}.{single}")


def check_message(
    content: str, embeds: Sequence[Json], components: Sequence[Json], flags: int, filenames: Collection[str]
) -> None:
    """Refuse a message that Discord would not show, judged as it would stand afterwards."""
    if len(content) > 2000:
        raise invalid("content", "Must be 2000 or fewer in length.")
    if len(filenames) > FILES_PER_MESSAGE:
        raise invalid("attachments", "Must be 10 or fewer in length.")
    _check_embeds(embeds)
    if flags & COMPONENTS_V2:
        if content:
            raise invalid("content", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
        if embeds:
            raise invalid("embeds", "The 'embeds' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
    elif len(components) > 5:
        raise invalid("components", "Must be 5 or fewer in length.")
    _check_components(components, v2=bool(flags & COMPONENTS_V2))
    for link in _links([*embeds, *components]):
        if link.startswith("attachment://") and link.removeprefix("attachment://") not in filenames:
            raise invalid("components" if components else "embeds", f"The referenced attachment was not found: {link}")
    if not (content or embeds or components or filenames):
        raise Rejected(400, 50006, "Cannot send an empty message")


def _check_embeds(embeds: Sequence[Json]) -> None:
    if len(embeds) > 10:
        raise invalid("embeds", "Must be 10 or fewer in length.")
    total = 0
    for n, embed in enumerate(embeds):
        fields: list[Json] = embed.get("fields") or []
        footer: Json = embed.get("footer") or {}
        author: Json = embed.get("author") or {}
        if len(fields) > 25:
            raise invalid(f"embeds.{n}.fields", "Must be 25 or fewer in length.")
        limited: list[tuple[str, str, int]] = [
            ("title", embed.get("title") or "", 256),
            ("description", embed.get("description") or "", 4096),
            ("footer.text", footer.get("text") or "", 2048),
            ("author.name", author.get("name") or "", 256),
            *((f"fields.{i}.name", each["name"], 256) for i, each in enumerate(fields)),
            *((f"fields.{i}.value", each["value"], 1024) for i, each in enumerate(fields)),
        ]
        for where, text, limit in limited:
            total += len(text)
            if len(text) > limit:
                raise invalid(f"embeds.{n}.{where}", f"Must be {limit} or fewer in length.")
    if total > 6000:
        raise invalid("embeds", "Embed size exceeds maximum size of 6000")


def _check_components(components: Sequence[Json], *, v2: bool) -> None:
    seen: set[str] = set()
    count = text = 0
    for n, each in enumerate(components):
        if not v2 and each["type"] != ACTION_ROW:
            raise invalid(f"components.{n}.type", 'Value of field "type" must be one of (1,) without IS_COMPONENTS_V2.')
    for where, each in walk(components):
        count += 1
        kind: int = each["type"]
        if kind in MODAL_ONLY:
            raise invalid(f"{where}.type", "This component belongs in a modal.")
        if kind == TEXT_DISPLAY:
            text += len(each["content"])
        if kind == ACTION_ROW:
            _check_row(where, each)
        _check_control(where, each, seen)
    if v2 and count > 40:
        raise invalid("components", "The total number of components exceeds the maximum of 40.")
    if text > 4000:
        raise invalid("components", "Components displayable text size exceeds maximum size of 4000")


def _check_row(where: str, row: Json) -> None:
    inside: list[Json] = row.get("components", [])
    width = sum(5 if each["type"] in SELECTS else 1 for each in inside)
    if not 1 <= width <= 5:
        raise invalid(f"{where}.components", "A row holds 1 to 5 buttons or one select.")


def _check_control(where: str, each: Json, seen: set[str]) -> None:
    kind: int = each["type"]
    if kind == BUTTON:
        if len(each.get("label") or "") > 80:
            raise invalid(f"{where}.label", "Must be 80 or fewer in length.")
        if each.get("style") in {LINK_STYLE, PREMIUM_STYLE}:
            return
    if kind in SELECTS and not len(each.get("options") or ()) <= 25:
        raise invalid(f"{where}.options", "Must be between 1 and 25 in length.")
    if kind == BUTTON or kind in SELECTS or kind in MODAL_ONLY - {18}:
        custom_id = each.get("custom_id") or ""
        if not 1 <= len(custom_id) <= 100:
            raise invalid(f"{where}.custom_id", "Must be between 1 and 100 in length.")
        if custom_id in seen:
            raise invalid(f"{where}.custom_id", "Component custom id cannot be duplicated")
        seen.add(custom_id)


def _links(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():  # pyright: ignore[reportUnknownVariableType]
            if key == "url" and isinstance(value, str):
                yield value
            else:
                yield from _links(value)
    elif isinstance(tree, list):
        for each in tree:  # pyright: ignore[reportUnknownVariableType]
            yield from _links(each)


def check_modal(modal: Json) -> None:
    """Refuse a modal that Discord would not open."""
    if not 1 <= len(modal.get("title") or "") <= 45:
        raise invalid("title", "Must be between 1 and 45 in length.")
    if not 1 <= len(modal.get("custom_id") or "") <= 100:
        raise invalid("custom_id", "Must be between 1 and 100 in length.")
    if not 1 <= len(modal["components"]) <= 5:
        raise invalid("components", "Must be between 1 and 5 in length.")
    seen: set[str] = set()
    for where, each in walk(modal["components"]):
        if len(each.get("label") or "") > 45:
            raise invalid(f"{where}.label", "Must be 45 or fewer in length.")
        _check_control(where, each, seen)


def check_commands(commands: Sequence[Json]) -> None:
    """Refuse a set of commands that is too large or names one twice."""
    for kind, most in ((1, 100), (2, 15), (3, 15)):
        names = [each["name"] for each in commands if each.get("type", 1) == kind]
        if len(names) > most:
            raise Rejected(400, 30032, f"Maximum number of application commands reached ({most})")
        if len(names) != len(set(names)):
            raise invalid("name", "Application command names must be unique")
    for n, each in enumerate(commands):
        if _command_text(each) > 8000:
            raise invalid(str(n), "Command exceeds maximum size (8000)")


def _command_text(command: Json) -> int:
    own = len(command["name"]) + len(command.get("description") or "")
    choices: list[Json] = command.get("choices") or []
    options: list[Json] = command.get("options") or []
    return (
        own
        + sum(len(each["name"]) + len(str(each["value"])) for each in choices)
        + sum(_command_text(each) for each in options)
    )


def refuse(status: int, code: int, message: str) -> NoReturn:
    raise Rejected(status, code, message)
