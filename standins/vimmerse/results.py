"""What comes of an order: assets, how a finetune is doing, the pictures themselves, and callbacks."""

import asyncio
import re
from typing import Any

import aiohttp
from aiohttp import web

from standins.vimmerse import pictures
from standins.vimmerse.records import Asset
from standins.vimmerse.service import CUSTOMER, SAMPLES, Refusal, Service

_TRIES = 4
_NEXT_TRY = (1, 5, 30)  # seconds after the first, second and third


def answer(service: Service, content: Any) -> web.Response:
    """An answer, wrapped or bare."""
    return web.json_response({"data": content} if service.quirks.wrapped else content)


async def get_asset(service: Service, request: web.Request) -> web.Response:
    """How an order is doing."""
    asset = service.asset(request.match_info["asset_id"])
    if not asset:
        raise Refusal(404, "NOT_FOUND")
    return answer(service, describe(service, asset, service.media_origin or str(request.url.origin())))


async def get_finetune(service: Service, request: web.Request) -> web.Response:
    """How a training is doing; of a finished one, pictures that show it. The answer is always wrapped."""
    asset, quirks = service.finetune(request.match_info["trigger_word"]), service.quirks
    if not asset or (asset.args["option"] == "FluxKontextFinetune" and not quirks.reports_kontext):
        raise Refusal(404, "NOT_FOUND")
    if service.over(asset) and asset.outcome == "success":
        origin = service.media_origin or str(request.url.origin())
        links = [link(asset, number, origin) for number in range(SAMPLES)]
        return web.json_response({"data": links if quirks.samples == "strings" else [{"URL": each} for each in links]})
    match quirks.training:
        case "missing":
            raise Refusal(404, "NOT_FOUND")
        case "empty":
            return web.json_response({"data": []})
        case "null":
            return web.json_response({"data": None})
        case "object":
            progress: dict[str, Any] = {
                "status": service.status(asset),
                "progress_percentage": _percentage(service, asset),
            }
            return web.json_response({"data": {**progress, "message": asset.reason} if asset.reason else progress})


async def get_health(_request: web.Request) -> web.Response:
    """Answer that the service runs; no key is needed."""
    return web.json_response({"status": "ok"})


async def get_picture(service: Service, request: web.Request) -> web.Response:
    """A finished picture; its link needs no key."""
    asset = service.asset(request.match_info["asset_id"])
    file = re.fullmatch(r"output_([0-9])\.png", request.match_info["file"])
    if not asset or not file or not service.over(asset) or int(file[1]) >= _count(asset):
        return web.Response(status=404)
    finetune = asset if asset.is_training else service.finetune(asset.trigger)
    drawn = await asyncio.to_thread(
        pictures.draw,
        asset,
        int(file[1]),
        finetune=finetune,
        given=service.archive.content,
        longest_side=service.picture_size,
    )
    return web.Response(body=drawn, content_type="image/png")


def link(asset: Asset, number: int, origin: str) -> str:
    """Where a finished picture lies."""
    return f"{origin}/{CUSTOMER}/ai_images/{asset.id}/output_{number}.png"


def describe(service: Service, asset: Asset, origin: str) -> dict[str, Any]:
    """An asset as it stands now."""
    done = service.over(asset)
    links = [link(asset, number, origin) for number in range(_count(asset))]
    shown: dict[str, Any] = {
        "id": asset.id,
        "customer_id": CUSTOMER,
        "primary_user_id": CUSTOMER,
        "args": {name: value for name, value in asset.args.items() if name not in {"webhook_url", "image_urls"}},
        "results": links if done and asset.outcome == "success" and not asset.is_training else [],
        "thumbnails": [],
        "status": service.status(asset),
        "mime_type": "image/png",
        "app_name": asset.app_name,
        "created_at": service.moment(asset.created),
        "updated_at": service.moment(asset.ready_at if done else service.clock()),
        "history": [],
    }
    if service.quirks.progress:
        shown["progress_percentage"] = _percentage(service, asset)
    if done and asset.reason:
        shown["message"] = asset.reason
    if asset.is_training:
        _name(service, asset, shown)
    return shown


def _name(service: Service, asset: Asset, shown: dict[str, Any]) -> None:
    """Put the trigger word into the place that `Quirks.trigger_word` names."""
    place = service.quirks.trigger_word
    if place == "results":
        shown["results"] = [asset.trigger]
    if place in {"results", "args", "example"} or (place == "later" and service.over(asset)):
        shown["args"]["trigger_word"] = asset.trigger
    if place == "field":
        shown["trigger_word"] = asset.trigger


def _percentage(service: Service, asset: Asset) -> int:
    return round(service.share(asset) * 100)


def _count(asset: Asset) -> int:
    return SAMPLES if asset.is_training else asset.args["quantity"]


async def deliver_callbacks(service: Service, session: aiohttp.ClientSession) -> int:
    """Call back for what has ended; how many callbacks were taken. Only media's are documented: the body is a guess."""
    taken = 0
    for asset in [asset for asset in service.assets if _is_due(asset, service.clock())]:
        asset.callbacks += 1
        asset.called_back = service.quirks.callbacks == "lost"
        for _ in range({"lost": 0, "twice": 2}.get(service.quirks.callbacks, 1)):
            body = {"customer_id": CUSTOMER, "asset_id": asset.id, "status": service.status(asset)}
            asset.called_back = await _call_back(session, asset.args["webhook_url"], body)
            taken += asset.called_back
        service.archive.save(asset)
    return taken


def _is_due(asset: Asset, now: float) -> bool:
    if not asset.args.get("webhook_url") or asset.called_back or asset.callbacks >= _TRIES:
        return False
    return now >= asset.ready_at + sum(_NEXT_TRY[: asset.callbacks])


async def _call_back(session: aiohttp.ClientSession, url: str, body: dict[str, str]) -> bool:
    try:
        async with session.post(url, json=body, timeout=aiohttp.ClientTimeout(total=30)) as answered:
            return answered.ok
    except (aiohttp.ClientError, TimeoutError):
        return False
