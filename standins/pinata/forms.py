"""The form of an upload, read without temporary files, so that one which breaks off leaves none."""

from dataclasses import dataclass

from aiohttp import BodyPartReader, web

_LARGEST: int = 100 * 1024 * 1024  # bytes that the service takes in one form


@dataclass(frozen=True)
class Sent:
    """The file of a form."""

    name: str
    media_type: str
    content: bytes


async def read_form(request: web.Request) -> tuple[dict[str, str], Sent | None]:
    """The fields of a form, and its file; nothing, where the body is no form.

    Raises:
        HTTPRequestEntityTooLarge: 413.
    """
    fields: dict[str, str] = {}
    sent: Sent | None = None
    if not request.content_type.startswith("multipart/"):
        return fields, sent
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytearray()
        while piece := await part.read_chunk(256 * 1024):
            content += piece
            if len(content) > _LARGEST:
                raise web.HTTPRequestEntityTooLarge(_LARGEST, len(content))
        if part.filename is None:
            fields[part.name or ""] = content.decode(errors="replace")
        else:
            media_type = part.headers.get("Content-Type", "application/octet-stream")
            sent = Sent(part.filename, media_type, bytes(content))
    return fields, sent
