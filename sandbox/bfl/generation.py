"""`POST /v1/<endpoint>`: a request for a picture becomes a task, or is refused as FastAPI refuses."""

import asyncio
import json
import random
import uuid
from typing import Any, cast

from aiohttp import web
from pydantic import ValidationError

from sandbox.bfl import catalogue, given
from sandbox.bfl.catalogue import MEGAPIXEL, Endpoint
from sandbox.bfl.given import BadPicture
from sandbox.bfl.service import Refusal, Service
from sandbox.bfl.tasks import Task

_EXPLAINED = "https://errors.pydantic.dev/2.10/v/"


async def submit(service: Service, region: str, endpoint: Endpoint, request: web.Request) -> web.Response:
    """Accept a generation."""
    sent = await _json(request)
    key = authenticated(service, request)
    body = _validated(endpoint, sent)
    try:
        pictures = await asyncio.to_thread(given.pictures, body, links=endpoint.takes_links)
        given.check(endpoint.name, body, pictures)
    except BadPicture as error:
        raise Refusal(422, [_problem(error.field, str(error), sent)]) from error
    try:
        size = catalogue.picture_size(endpoint, body, pictures[0].size if pictures else None)
    except ValueError as error:
        raise Refusal(422, [_problem("aspect_ratio", str(error), sent)]) from error
    if endpoint.finetuned and service.finetunes.get(body["finetune_id"]) != region:
        raise Refusal(404, "Finetune not found or not ready")

    input_mp = round(sum(width * height for width, height in (picture.size for picture in pictures)) / MEGAPIXEL, 2)
    output_mp = round(size[0] * size[1] / MEGAPIXEL, 2)
    cost = endpoint.cost(input_mp=input_mp, output_mp=output_mp)
    service.admit(endpoint, cost)
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
    return web.json_response(_receipt(service, task, request))


def authenticated(service: Service, request: web.Request) -> str:
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


def _receipt(service: Service, task: Task, request: web.Request) -> dict[str, Any]:
    receipt: dict[str, Any] = {"id": task.id}
    if webhook := task.body["webhook_url"]:
        receipt |= {"status": "Pending", "webhook_url": webhook}
    else:
        origin = service.polling_origin or str(request.url.origin())
        receipt["polling_url"] = f"{origin}/v1/get_result?id={task.id}"
    if service.quirks.costs and service.era != 2025:
        receipt |= {"cost": task.cost, "input_mp": task.input_mp, "output_mp": task.output_mp}
    return receipt


async def _json(request: web.Request) -> Any:
    """The body as FastAPI reads it: JSON only if it says that it is, and before anybody looks at the key."""
    text = await request.text()
    if not text:
        return None
    if request.content_type != "application/json":
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        problem = {
            "type": "json_invalid",
            "loc": ["body", error.pos],
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise Refusal(422, [problem]) from error


def _validated(endpoint: Endpoint, sent: Any) -> dict[str, Any]:
    if sent is None:
        raise Refusal(422, [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}])
    try:
        return endpoint.inputs.model_validate(sent).model_dump(mode="json")
    except ValidationError as error:
        problems = cast("list[dict[str, Any]]", error.errors(include_url=False))
        detail: list[dict[str, Any]] = [
            {**problem, "loc": ["body", *problem["loc"]], "url": _EXPLAINED + problem["type"]} for problem in problems
        ]
        raise Refusal(422, detail) from error


def _problem(field: str, message: str, sent: Any) -> dict[str, Any]:
    """A rule of the service's own that was broken; as there, it echoes the whole request, pictures and all."""
    return {
        "type": "value_error",
        "loc": ["body", field],
        "msg": f"Value error, {message}",
        "input": sent,
        "ctx": {},
        "url": f"{_EXPLAINED}value_error",
    }
