"""What is sent: JSON with pictures in it, and forms."""

import asyncio
import io
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractStreamWriter

PIECE = 192 * 1024  # bytes of a picture encoded or written at once; a multiple of 3, so that base64 pieces join

Body = Mapping[str, object]
"""A JSON object. Values of type bytes at its top level are sent as base64."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file in a form. The name is ours: plain ASCII, without quotes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FormPath:
    """A file in a form that lies on the disk and is read while it is sent. The name is ours, as of `FormFile`."""

    name: str
    media_type: str
    path: Path = field(repr=False)
    size: int
    """Bytes. A file of another size is not sent to its end, so that it is not taken for the one that was meant."""


Form = Sequence[tuple[str, str | FormFile | FormPath]]
"""The fields of a multipart form, in their order; a name may come more than once."""


@dataclass(frozen=True, slots=True)
class PlainForm:
    """A form without files, sent as application/x-www-form-urlencoded."""

    fields: tuple[tuple[str, str], ...] = field(repr=False)


def payload(body: Body | Form | PlainForm | None) -> AsyncGenerator[bytes] | aiohttp.FormData | None:
    """What aiohttp sends for a body."""
    if isinstance(body, PlainForm):
        return aiohttp.FormData(body.fields)
    if body is None or isinstance(body, Mapping):
        return None if body is None else json_pieces(body)
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)  # Rails wants its brackets as they are
    for name, value in body:
        if isinstance(value, str):
            form.add_field(name, value)
        elif isinstance(value, FormPath):
            form.add_field(name, _FileOnDisk(value), filename=value.name, content_type=value.media_type)
        else:
            form.add_field(name, io.BytesIO(value.content), filename=value.name, content_type=value.media_type)
    return form


def length_of(body: Body | Form | PlainForm | None) -> int:
    """About how many bytes will be sent."""
    if body is None or isinstance(body, PlainForm):
        return 0
    if isinstance(body, Mapping):
        return json_length(body)
    return sum(_length(value) for _, value in body)


def _length(value: str | FormFile | FormPath) -> int:
    if isinstance(value, FormPath):
        return value.size
    return len(value) if isinstance(value, str) else len(value.content)


def json_length(body: Body) -> int:
    """The number of bytes that `json_pieces` yields."""
    values = (
        2 + (len(value) + 2) // 3 * 4 if isinstance(value, bytes) else len(_json(value)) for value in body.values()
    )
    return 2 + sum(values) + sum(len(_json(name)) + 1 for name in body) + max(len(body) - 1, 0)


async def json_pieces(body: Body) -> AsyncGenerator[bytes]:
    """`body` as JSON. The event loop turns between pieces, so that 20 MB of pictures stall nobody."""
    text = b"{"
    for name, value in body.items():
        text += (b"" if text == b"{" else b",") + _json(name) + b":"
        if isinstance(value, bytes):
            yield text + b'"'
            for start in range(0, len(value), PIECE):
                yield b64encode(memoryview(value)[start : start + PIECE])
                await asyncio.sleep(0)
            text = b'"'
        else:
            text += _json(value)
    yield text + b"}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


class _FileOnDisk(aiohttp.Payload):
    """Reads its file piece by piece, each time opening it: whenever a request is broken off, nothing is left open."""

    def __init__(self, file: FormPath) -> None:
        super().__init__(file, content_type=file.media_type)
        self._file = file
        self._size = file.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("A file on the disk is sent and not shown.")

    async def write(self, writer: AbstractStreamWriter) -> None:
        sent = 0
        while piece := await asyncio.to_thread(_piece, self._file.path, sent):
            sent += len(piece)
            if sent > self._file.size:
                break
            await writer.write(piece)
        if sent != self._file.size:
            raise OSError(f"{self._file.name} is not {self._file.size:,} bytes long")


def _piece(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(PIECE)
