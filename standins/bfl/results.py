"""`GET /v1/get_result` and `/v1/credits`, the pictures themselves, and callbacks: what happens after a submit."""

import asyncio
import hmac
import json
import uuid
from hashlib import sha256
from typing import Any

import aiohttp
from aiohttp import web

from standins.bfl import pictures, samples, training
from standins.bfl.generation import require_key
from standins.bfl.records import Task
from standins.bfl.service import SINGLE_CLUSTERS, TRAINING, Refusal, Service

_TRIES = 4
_NEXT_TRY = (1, 5, 30)  # seconds after the first, second and third


async def get_result(service: Service, region: str, request: web.Request) -> web.Response:
    """How a task is doing. No key is asked for; a repeated id is fine."""
    ids = request.query.getall("id", [])
    if not ids:
        raise Refusal(422, [{"type": "missing", "loc": ["query", "id"], "msg": "Field required", "input": None}])
    origin = str(request.url.origin())
    # Many clusters stand behind one address, and only the one that took a task knows it.
    elsewhere = service.polling_origin not in {None, origin} and region not in SINGLE_CLUSTERS
    task = None if elsewhere else service.task(ids[-1])
    age = service.clock() - task.created if task else 0
    if not task or not service.quirks.appears_after <= age < service.quirks.forgets_after:
        return web.json_response(_answer(service, ids[-1], "Task not found"))
    task.polls += 1
    if odd := training.oddity(service, region, task):
        return odd if isinstance(odd, web.Response) else web.json_response(_answer(service, task.id, odd))
    return web.json_response(result(service, task, service.delivery_origin or origin))


async def get_credits(service: Service, _region: str, request: web.Request) -> web.Response:
    """What is left in the account."""
    require_key(service, request)
    return web.json_response({"credits": service.credits})


async def get_sample(service: Service, _region: str, request: web.Request) -> web.Response:
    """A finished picture; its link needs no key."""
    if refusal := samples.refusal(request.path, request.query, now=service.clock()):
        return refusal
    task = service.task(str(uuid.UUID(request.match_info["name"])))
    if not task or task.status != "Ready" or task.endpoint == TRAINING:
        return samples.missing()
    picture = await asyncio.to_thread(
        pictures.draw, task, given=service.archive.content, longest_side=service.picture_size
    )
    return web.Response(body=picture, content_type=request.query["rsct"])


def result(service: Service, task: Task, delivery_origin: str) -> dict[str, Any]:
    """What `get_result` says of a task now."""
    if task.status == "Pending":
        share = min(max((service.clock() - task.created) / task.duration, 0), 1) if task.duration else 1.0
        words = ("Reasoning" if share < 0.2 else "Generating") if service.quirks.newer_words else "Pending"
        progress = {"null": None, "fraction": round(share, 2), "percent": round(share * 100)}[service.quirks.progress]
        return _answer(service, task.id, words, progress=progress)
    if task.status != "Ready":
        details = {"Moderation Reasons": task.reasons} if task.reasons else None
        return _settled(service, _answer(service, task.id, task.status, details=details))
    if task.endpoint == TRAINING:
        return _settled(service, _answer(service, task.id, "Ready"))
    content_type = f"image/{task.format}"
    made: dict[str, Any] = {
        "sample": samples.link(delivery_origin, task.sample_path, ready_at=task.ready_at, content_type=content_type),
        "prompt": task.prompt,
    }
    if not service.quirks.minimal_result:
        made |= {
            "seed": task.seed,
            "start_time": task.created,
            "end_time": task.ready_at,
            "duration": task.duration,
        }
    return _settled(service, _answer(service, task.id, "Ready", result=made))


def _settled(service: Service, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with what was charged in the end, as since 2026 (vercel/ai#18439); it may be nothing."""
    return answer if service.quirks.settled is None else {**answer, "cost": service.quirks.settled}


def _answer(
    service: Service,
    id_: str,
    status: str,
    *,
    result: dict[str, Any] | None = None,
    progress: float | None = None,
    details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    answer = {"id": id_, "status": status, "result": result, "progress": progress, "details": details}
    return answer if service.era == 2025 else {**answer, "preview": None}


async def deliver_callbacks(service: Service, session: aiohttp.ClientSession, delivery_origin: str) -> int:
    """Call back for the tasks that have ended; how many callbacks were taken."""
    now = service.clock()
    due = [task for task in service.tasks if task.body["webhook_url"] and _is_due(task, now)]
    due.sort(key=lambda task: task.ready_at, reverse=service.quirks.callbacks == "reversed")
    taken = 0
    for task in due:
        task.callbacks += 1
        if service.quirks.callbacks == "lost":
            task.called_back = True
        for _ in range({"lost": 0, "twice": 2}.get(service.quirks.callbacks, 1)):
            task.called_back = await _call_back(session, task, _message(service, task, delivery_origin))
            taken += task.called_back
        service.archive.save(task)
    return taken


def _is_due(task: Task, now: float) -> bool:
    if task.status == "Pending" or task.called_back or task.callbacks >= _TRIES:
        return False
    return now >= task.ready_at + sum(_NEXT_TRY[: task.callbacks])


def _message(service: Service, task: Task, delivery_origin: str) -> dict[str, Any]:
    """A callback's body, in one of the dialects seen (none is documented)."""
    answer = result(service, task, delivery_origin)
    made = answer["result"]
    if service.quirks.callback == "bot":
        word = "SUCCESS" if task.status == "Ready" else task.status
        return {"task_id": task.id, "status": word, "result": {"sample": made["sample"]} if made else None}
    if service.quirks.callback == "skills":
        if task.status != "Ready":
            return {"id": task.id, "status": "Error", "error": task.status, "message": "The generation failed."}
        kept = {name: made.get(name) for name in ("sample", "prompt", "seed")} if made else None
        return {"id": task.id, "status": "Ready", "result": kept, "timestamp": task.ready_at}
    return {**answer, "task_id": task.id}


async def _call_back(session: aiohttp.ClientSession, task: Task, message: dict[str, Any]) -> bool:
    body = json.dumps(message).encode()
    headers = {"Content-Type": "application/json"}
    if secret := task.body["webhook_secret"]:
        headers["X-Webhook-Secret"] = secret
        if "task_id" not in message:
            headers["X-BFL-Signature"] = f"sha256={hmac.digest(secret.encode(), body, sha256).hex()}"
            del headers["X-Webhook-Secret"]
    try:
        timeout = aiohttp.ClientTimeout(total=30)
        async with session.post(task.body["webhook_url"], data=body, headers=headers, timeout=timeout) as answer:
            return answer.ok
    except (aiohttp.ClientError, TimeoutError):
        return False
