"""`POST /v1/finetune` and what belongs to it: a ZIP of pictures becomes a finetune that colours pictures."""

import asyncio
import base64
import binascii
import stat
import uuid
import zipfile
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from PIL import Image
from pydantic import BaseModel, Field, HttpUrl

from standins.bfl.generation import problem, read_json, require_key, validate
from standins.bfl.pictures.canvas import stretched
from standins.bfl.pictures.finetuned import Colour, palette_of
from standins.bfl.records import Task
from standins.bfl.service import SINGLE_CLUSTERS, TRAINING, Refusal, Region, Service

MOST_PICTURES: Final = 20  # with more of them the training is taken, and then moderated
_COUNTING_TIME: Final = 60.0  # seconds until it is; a guess
_MOST_BYTES: Final = 512 * 1024 * 1024  # of all files in a ZIP, unpacked
_PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp")
_PRIVATE: Final = {"palette", "pictures", "deleted"}  # of a task's body, and no parameter
_UNKNOWN: Final = "Finetune not found or not ready"


class FinetuneInputs(BaseModel, frozen=True):
    """Field for field that of BFL's OpenAPI of February 2025."""

    file_data: str
    finetune_comment: str
    trigger_word: str = "TOK"
    mode: Literal["general", "character", "style", "product"]
    iterations: int = Field(default=300, ge=100, le=1000)
    learning_rate: Annotated[float, Field(ge=1e-6, le=0.005)] | None = None
    captioning: bool = True
    priority: Literal["speed", "quality", "high_res_only"] = "quality"
    finetune_type: Literal["lora", "full"] = "full"
    lora_rank: Literal[16, 32] = 32
    webhook_url: HttpUrl | None = None
    webhook_secret: str | None = None


class DeleteFinetuneInputs(BaseModel, frozen=True):
    finetune_id: str


@dataclass(frozen=True)
class _Contents:
    """What was in a ZIP."""

    pictures: int
    captions: str
    palette: list[Colour]


def add_routes(service: Service, region: Region, router: web.UrlDispatcher) -> None:
    """Training is offered on single clusters until 2025; its questions are answered ever after."""
    if service.era != 2026 and region in SINGLE_CLUSTERS:
        router.add_post("/v1/finetune", _bind(_train, service, region))
    router.add_get("/v1/my_finetunes", _bind(_list, service, region))
    router.add_get("/v1/finetune_details", _bind(_details, service, region))
    router.add_post("/v1/delete_finetune", _bind(_delete, service, region))


def oddity(service: Service, region: str, task: Task) -> Literal["Task not found", "Error"] | web.Response | None:
    """What the service says of a training where it does not say how it is going."""
    if task.endpoint != TRAINING:
        return None
    if task.region != region:
        return "Task not found"
    quirks = service.quirks
    age = service.clock() - task.created
    if quirks.training_crashes[0] <= age < quirks.training_crashes[1]:
        return web.Response(status=500, text="Internal Server Error")
    forgotten = quirks.training_forgotten_after
    if age < quirks.training_appears_after or (forgotten is not None and age >= task.duration + forgotten):
        return "Task not found"
    return "Error" if quirks.training_errors[0] <= age < quirks.training_errors[1] else None


Answer = Callable[[Service, Region, web.Request], Coroutine[Any, Any, web.Response]]


def _bind(
    answer: Answer, service: Service, region: Region
) -> Callable[[web.Request], Coroutine[Any, Any, web.Response]]:
    return partial(answer, service, region)


async def _train(service: Service, region: Region, request: web.Request) -> web.Response:
    sent = await read_json(request)
    key = require_key(service, request)
    body = validate(FinetuneInputs, sent)
    try:
        contents = await asyncio.to_thread(_unpack, body.pop("file_data"))
    except ValueError as error:
        raise Refusal(422, [problem("file_data", str(error), sent)]) from error
    cost = _price_of(body["iterations"])
    service.admit(TRAINING, cost)
    if body["learning_rate"] is None:
        body["learning_rate"] = 1e-4 if body["finetune_type"] == "lora" else 1e-5
    task = Task(
        id=str(uuid.uuid4()),
        endpoint=TRAINING,
        body={**body, "palette": contents.palette, "pictures": contents.pictures},
        key=key,
        region=region,
        created=service.clock(),
        duration=0,
        outcome="Ready",
        seed=0,
        size=(0, 0),
        cost=cost,
        output_mp=0,
    )
    service.accept(task, words=f"{body['finetune_comment']} {body['trigger_word']} {contents.captions}")
    if contents.pictures > MOST_PICTURES:
        service.end(task, "Request Moderated", after=min(task.duration, _COUNTING_TIME / service.speed))
    return web.json_response({service.quirks.training_id: task.id})


async def _list(service: Service, region: Region, request: web.Request) -> web.Response:
    require_key(service, request)
    service.settle()
    ids = [id_ for id_ in service.finetunes if _is_here(service, region, id_)]
    listed = ids if service.quirks.listed_as == "ids" else [{"finetune_id": id_} for id_ in ids]
    return web.json_response({"finetunes": listed})


async def _details(service: Service, region: Region, request: web.Request) -> web.Response:
    require_key(service, request)
    id_ = request.query.get("finetune_id")
    if id_ is None:
        missing = {"type": "missing", "loc": ["query", "finetune_id"], "msg": "Field required", "input": None}
        raise Refusal(422, [missing])
    if not _is_here(service, region, id_):
        raise Refusal(404, _UNKNOWN)
    task = service.task(id_)
    if not task:
        return web.json_response({"finetune_details": {"finetune_comment": id_}})
    hidden = {*_PRIVATE, "webhook_url", "webhook_secret"}
    given = {name: value for name, value in task.body.items() if name not in hidden}
    given["timestamp"] = _write_time(task.created)
    return web.json_response({"finetune_details": given})


async def _delete(service: Service, region: Region, request: web.Request) -> web.Response:
    sent = await read_json(request)
    require_key(service, request)
    id_ = validate(DeleteFinetuneInputs, sent)["finetune_id"]
    if not _is_here(service, region, id_):
        raise Refusal(404, _UNKNOWN)
    service.forget_finetune(id_)
    return web.json_response(
        {
            "status": "success",
            "message": f"Finetune {id_} was deleted.",
            "deleted_finetune_id": id_,
            "timestamp": _write_time(service.clock()),
        }
    )


def _is_here(service: Service, region: Region, id_: str) -> bool:
    """Whether a finished finetune is known to this host: on one cluster its own, since 2026 on the others any."""
    service.settle()
    home = service.finetunes.get(id_)
    return home == region or (home is not None and service.era == 2026 and region not in SINGLE_CLUSTERS)


def _price_of(iterations: int) -> float:
    """Credits (docs.bfl.ml/quick_start/pricing, 2025)."""
    return 200 if iterations < 150 else 400 if iterations <= 500 else 600


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _unpack(text: str) -> _Contents:
    """
    Raises:
        ValueError: with what the service says of such a file; only the sentence about attributes is known from it.
    """
    try:
        content = base64.b64decode(text, validate=True)
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            for entry in entries:
                _check_entry(entry)
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise ValueError("ZIP file is too large")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except binascii.Error as error:
        raise ValueError("Invalid base64 data") from error
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ValueError("Invalid ZIP file") from error
    pictures = [_open_picture(name, file) for name, file in files.items() if not name.lower().endswith(".txt")]
    if not pictures:
        raise ValueError("No images found in ZIP file")
    captions = [file.decode(errors="replace") for name, file in files.items() if name.lower().endswith(".txt")]
    return _Contents(len(pictures), " ".join(captions), palette_of(pictures))


def _check_entry(entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    kind, rights = stat.S_IFMT(mode), stat.S_IMODE(mode)
    special = kind not in {0, stat.S_IFREG} or rights & ~0o664 or entry.external_attr & 0x10  # DOS's word for a folder
    if entry.is_dir() or "/" in entry.filename:
        raise ValueError(f"Nested directories are not allowed: {entry.filename}")
    if special:
        raise ValueError(f"Suspicious file attributes detected: {entry.filename}")
    if not entry.filename.lower().endswith((*_PICTURES, ".txt")):
        raise ValueError(f"Unsupported file type: {entry.filename}")


def _open_picture(name: str, content: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            image.draft("RGB", (64, 64))  # only its colours are wanted
            return stretched(image.convert("RGB"), (32, 32))
    except (OSError, SyntaxError) as error:
        raise ValueError(f"Cannot identify image: {name}") from error
