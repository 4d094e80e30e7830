"""Request bodies checked against Discord's own OpenAPI document, where a checkout has it beside it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from standins.discord.rules import invalid
from standins.discord.state import Json

DOCUMENT = Path(__file__).parents[4] / "shared" / "specs" / "discord.openapi.json"

_OPERATIONS = {
    "message.create": ("/channels/{channel_id}/messages", "post"),
    "message.edit": ("/channels/{channel_id}/messages/{message_id}", "patch"),
    "callback": ("/interactions/{interaction_id}/{interaction_token}/callback", "post"),
    "original.edit": ("/webhooks/{webhook_id}/{webhook_token}/messages/@original", "patch"),
    "followup.create": ("/webhooks/{webhook_id}/{webhook_token}", "post"),
    "followup.edit": ("/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}", "patch"),
    "commands.put": ("/applications/{application_id}/commands", "put"),
    "commands.create": ("/applications/{application_id}/commands", "post"),
    "dm.open": ("/users/@me/channels", "post"),
}


class Schemas:
    """One compiled validator for every kind of request, made when first needed."""

    def __init__(self, document: Path) -> None:
        self._document = document

    def check(self, kind: str, body: Json | list[Json]) -> None:
        if kind not in _OPERATIONS:
            return
        for error in _validator(self._document, kind).iter_errors(body):
            where = ".".join(str(each) for each in error.instance_path) or "_schema"
            raise invalid(where, error.message[:300])


def schemas(document: Path = DOCUMENT) -> Schemas | None:
    """The checks, or None where the document or the validator is not at hand."""
    try:
        import jsonschema_rs  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]
    except ImportError:
        return None
    return Schemas(document) if document.exists() else None


@cache
def _read(document: Path) -> Json:
    spec: Json = json.loads(document.read_bytes())
    # discord.py sends attachment ids as integers, which the real Discord takes.
    spec["components"]["schemas"]["SnowflakeType"] = {"type": ["string", "integer"]}
    return spec


@cache
def _validator(document: Path, kind: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415

    spec = _read(document)
    path, method = _OPERATIONS[kind]
    schema: Json = spec["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(schema | {"components": spec["components"]})
