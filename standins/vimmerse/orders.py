"""What costs credits: `POST /finetune`, `/image/text-2-image` and `/image/image-2-image`."""

from typing import Any

from aiohttp import web

from standins.vimmerse import forms, results
from standins.vimmerse.records import Asset
from standins.vimmerse.service import Refusal, Service


async def train(service: Service, request: web.Request) -> web.Response:
    """Begin a training, and tell its trigger word, in one place or another."""
    form, given = await forms.finetune(request)
    asset = service.accept("flux-finetune", form.model_dump(), given, key=_key(request))
    origin = service.media_origin or str(request.url.origin())
    match service.quirks.trigger_word:
        case "text":
            return results.answer(service, asset.trigger)
        case "example":
            return results.answer(service, _example(service, asset, origin))
        case _:
            return results.answer(service, results.describe(service, asset, origin))


async def draw(service: Service, request: web.Request) -> web.Response:
    """Draw from words, with the finetune whose trigger word stands among them."""
    form = await forms.text_to_image(request)
    finetune = ""
    if form.option == "FluxFinetuned":
        finetune = _finetune(service, form.prompt, kontext=False)
    asset = service.accept("text-2-image", form.model_dump(), [], key=_key(request), finetune=finetune)
    return await _answer_drawn(service, asset, request)


async def edit(service: Service, request: web.Request) -> web.Response:
    """Draw from a picture."""
    form, given = await forms.image_to_image(request)
    finetune = ""
    if form.option == "FluxKontextFinetuned":
        finetune = _finetune(service, form.prompt, kontext=True)
    asset = service.accept("image-2-image", form.model_dump(), given, key=_key(request), finetune=finetune)
    return await _answer_drawn(service, asset, request)


async def _answer_drawn(service: Service, asset: Asset, request: web.Request) -> web.Response:
    """At once where that was asked for; if not, the answer comes when the picture does."""
    if not (asset.args["async_mode"] and service.quirks.honours_async):
        await service.sleep(asset.duration)
    origin = service.media_origin or str(request.url.origin())
    return results.answer(service, results.describe(service, asset, origin))


def _finetune(service: Service, prompt: str, *, kontext: bool) -> str:
    finetune = service.finetune_in(prompt, kontext=kontext)
    if not finetune:
        raise Refusal(400, "FINETUNE_NOT_FOUND")  # a guess
    return finetune.trigger


def _example(service: Service, asset: Asset, origin: str) -> dict[str, Any]:
    """The asset that the document shows: a success with two links, and nothing that is a trigger word."""
    shown = results.describe(service, asset, origin)
    links = [results.link(asset, number, origin) for number in range(2)]
    return {**shown, "args": {}, "results": links, "status": "success", "app_name": "FUNCTION_NAME"}


def _key(request: web.Request) -> str:
    return request.headers.get("X-Api-Key", "")
