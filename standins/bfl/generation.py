"""`POST /v1/<endpoint>`: a request for a picture becomes a task, or is refused as FastAPI refuses."""

import asyncio
import json
import random
import uuid
from typing import Any, cast

from aiohttp import web
from pydantic import BaseModel, ValidationError

from standins.bfl import catalogue, given
from standins.bfl.catalogue import MEGAPIXEL, Endpoint
from standins.bfl.given import BadPicture
from standins.bfl.records import Task
from standins.bfl.service import Refusal, Service

_EXPLAINED = "https://errors.pydantic.dev/2.10/v/"


async def submit(service: Service, region: str, endpoint: Endpoint, request: web.Request) -> web.Response:
    """Accept a generation."""
    sent = await read_json(request)
    key = require_key(service, request)
    body = validate(endpoint.inputs, sent)
    try:
        pictures = await asyncio.to_thread(given.pictures, body, links=endpoint.takes_links)
        given.check(endpoint.name, body, pictures)
    except BadPicture as error:
        raise Refusal(422, [problem(error.field, str(error), sent)]) from error
    try:
        size = catalogue.picture_size(endpoint, body, pictures[0].size if pictures else None)
    except ValueError as error:
        raise Refusal(422, [problem("aspect_ratio", str(error), sent)]) from error
    if endpoint.finetuned:
        if not service.has_finetune(body["finetune_id"], region):
            raise Refusal(404, "Finetune not found or not ready")
        if training := service.task(body["finetune_id"]):  # the picture's own: a finetune may be deleted before it
            body["palette"] = training.body["palette"]

    input_mp = round(sum(width * height for width, height in (picture.size for picture in pictures)) / MEGAPIXEL, 2)
    output_mp = round(size[0] * size[1] / MEGAPIXEL, 2)
    cost = endpoint.cost(input_mp=input_mp, output_mp=output_mp)
    service.admit(endpoint.name, cost)
    seed = body["seed"]
    task = Task(
        id=str(uuid.uuid4()),
        endpoint=endpoint.name,
        body={**body, **{picture.field: picture.mark for picture in pictures}},
        key=key,
        region=region,
        created=service.clock(),
        duration=0,
        outcome="Ready",
        seed=random.getrandbits(32) if seed is None else seed,
        size=size,
        cost=cost,
        input_mp=input_mp,
        output_mp=output_mp,
    )
    service.accept(task, [(picture.mark, picture.content) for picture in pictures if picture.content])
    return web.json_response(_write_receipt(service, task, request))


def require_key(service: Service, request: web.Request) -> str:
    """The key of a request.

    Raises:
        Refusal: 403, it has none or a wrong one.
    """
    key = request.headers.get("x-key")
    if not key:
        raise Refusal(403, "Not authenticated")
    if key not in service.keys:
        raise Refusal(403, "Not authenticated - Invalid Authentication")
    return key


def _write_receipt(service: Service, task: Task, request: web.Request) -> dict[str, Any]:
    receipt: dict[str, Any] = {"id": task.id}
    if webhook := task.body["webhook_url"]:
        receipt |= {"status": "Pending", "webhook_url": webhook}
    else:
        origin = service.polling_origin or str(request.url.origin())
        receipt["polling_url"] = f"{origin}/v1/get_result?id={task.id}"
    if service.quirks.costs and service.era != 2025:
        receipt |= {"cost": task.cost, "input_mp": task.input_mp, "output_mp": task.output_mp}
    return receipt


async def read_json(request: web.Request) -> Any:
    """The body as FastAPI reads it: JSON only if it says that it is, and before the key is checked."""
    text = await request.text()
    if not text:
        return None
    if request.content_type != "application/json":
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        broken_off = {
            "type": "json_invalid",
            "loc": ["body", error.pos],
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise Refusal(422, [broken_off]) from error


def validate(inputs: type[BaseModel], sent: Any) -> dict[str, Any]:
    """What was sent, checked and with its defaults.

    Raises:
        Refusal: 422, in FastAPI's form.
    """
    if sent is None:
        raise Refusal(422, [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}])
    try:
        return inputs.model_validate(sent).model_dump(mode="json")
    except ValidationError as error:
        problems = cast("list[dict[str, Any]]", error.errors(include_url=False))
        detail: list[dict[str, Any]] = [
            {**each, "loc": ["body", *each["loc"]], "url": _EXPLAINED + each["type"]} for each in problems
        ]
        raise Refusal(422, detail) from error


def problem(field: str, message: str, sent: Any) -> dict[str, Any]:
    """A rule of the service's own that was broken; as there, it echoes the whole request, pictures and all."""
    return {
        "type": "value_error",
        "loc": ["body", field],
        "msg": f"Value error, {message}",
        "input": sent,
        "ctx": {},
        "url": f"{_EXPLAINED}value_error",
    }
