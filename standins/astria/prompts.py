"""`/tunes/:id/prompts` and `/prompts`: ordering pictures and looking at them."""

import base64
import random
import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from standins.astria import bodies
from standins.astria.answers import describe_prompt
from standins.astria.bodies import Upload
from standins.astria.records import Prompt, Tune
from standins.astria.requests import blame, check_callbacks, find_prompt, origin_of, page
from standins.astria.service import FLUX_DEV, IMAGE_MC, Refusal, Service

_LORA = re.compile(r"<lora:(\d+):([\d.]+)>")
_FLAG = re.compile(r"--(video\w*)")
_LARGEST_OFFSET = 10_000
_VIDEO_MC = 100_000  # a guess; a flag in the text is enough to pay it

RATIOS = ("1:1", "16:9", "9:16", "21:9", "9:21", "3:2", "2:3", "5:4", "4:5", "4:3", "3:4")
_CHOICES = {
    "aspect_ratio": RATIOS,
    "scheduler": ("euler", "euler_a", "dpm++2m_karras", "dpm++sde_karras", "dpm++2m", "dpm++sde", "lcm", "tcd"),
    "style": (
        "Cinematic",
        "Animated",
        "Digital Art",
        "Photographic",
        "Fantasy art",
        "Neonpunk",
        "Enhance",
        "Comic book",
        "Lowpoly",
        "Line art",
    ),
    "color_grading": ("Film Velvia", "Film Portra", "Ektar"),
    "controlnet": (
        "composition",
        "reference",
        "segroom",
        "ipadapter",
        "lineart",
        "canny",
        "depth",
        "mlsd",
        "hed",
        "pose",
        "tile",
        "qr",
    ),
}
_RANGES = {
    "num_images": (1, 8),
    "seed": (0, 2**32),
    "steps": (0, 50),
    "denoising_strength": (0, 1),
    "controlnet_conditioning_scale": (0, 1),
}
_SWITCHES = ("super_resolution", "inpaint_faces", "hires_fix", "face_correct", "film_grain", "controlnet_txt2img")
_KEPT_ELSEWHERE = ("text", "input_image", "input_image_base64", "mask_image")
_IDENTITY = (  # what makes two orders the same where idempotency is switched on; aspect_ratio is not among it
    "cfg_scale",
    "steps",
    "seed",
    "callback",
    "negative_prompt",
    "super_resolution",
    "face_correct",
    "ar",
    "num_images",
    "controlnet",
    "denoising_strength",
    "use_lpw",
    "controlnet_conditioning_scale",
    "w",
    "h",
    "hires_fix",
    "scheduler",
    "controlnet_txt2img",
    "inpaint_faces",
)


async def create(service: Service, request: web.Request) -> web.Response:
    """Order pictures."""
    tune_id = int(request.match_info["tune"])
    on = service.tune(tune_id)
    if tune_id != FLUX_DEV and on is None:
        raise Refusal(404, {"error": "Not found"})
    given = bodies.part(await bodies.parameters(request), "prompt")
    if on and on.model_type == "lora" and on.branch != "fast":
        raise Refusal(422, {"model_type": ["lora is not supported. Use a checkpoint instead"]})
    fields = {name: value for name, value in given.items() if name not in _KEPT_ELSEWHERE}
    fields["identity"] = {name: bodies.text(given.get(name)) for name in _IDENTITY}
    text = bodies.text(given.get("text")) or ""
    if service.quirks.idempotent:
        for prompt_before in service.newest_prompts():
            if (prompt_before.tune_id, prompt_before.text, prompt_before.fields.get("identity")) == (
                tune_id,
                text,
                fields["identity"],
            ):
                return _answer(service, prompt_before, request)
    picture = _input(given)
    _check(service, given, text, has_picture=picture is not None)
    prompt = _prompt(service, tune_id, text, fields, on=on)
    prompt.input = picture.mark if picture else None
    service.charge(prompt.cost_mc)
    service.accept(prompt, [(picture.mark, picture.content)] if picture else [])
    return _answer(service, prompt, request)


async def retrieve(service: Service, request: web.Request) -> web.Response:
    """One order as it stands now."""
    service.slow_down(request.path)
    return web.json_response(describe_prompt(service, find_prompt(service, request), origin_of(service, request)))


async def listing(service: Service, request: web.Request) -> web.Response:
    """The newest orders, of one tune or of all, in pages."""
    prompts = service.newest_prompts()
    if "tune" in request.match_info:
        tune_id = int(request.match_info["tune"])
        prompts = [prompt for prompt in prompts if tune_id in {prompt.tune_id, prompt.pack_of}]
    shown = page(prompts, request.query, largest_offset=_LARGEST_OFFSET)
    return web.json_response([describe_prompt(service, prompt, origin_of(service, request)) for prompt in shown])


async def delete(service: Service, request: web.Request) -> web.Response:
    """Delete an order and its pictures."""
    service.delete(find_prompt(service, request))
    return web.json_response({"message": "Prompt successfully deleted"})


def queue_for(service: Service, tune: Tune, orders: Iterable[dict[str, Any]]) -> list[Prompt]:
    """Orders that come with a training, and are drawn when it is over.

    Raises:
        Refusal: 400 or 422, as for any order.
    """
    queued: list[Prompt] = []
    for order in orders:
        text = bodies.text(order.get("text")) or ""
        _check(service, order, text, has_picture=False)
        fields = {name: value for name, value in order.items() if name not in _KEPT_ELSEWHERE}
        prompt = _prompt(service, FLUX_DEV, f"<lora:{tune.id}:1> {text}", fields, on=tune)
        prompt.id += len(queued)
        prompt.starts_at, prompt.pack_of = tune.ends_at, tune.id
        queued.append(prompt)
    return queued


def _answer(service: Service, prompt: Prompt, request: web.Request) -> web.Response:
    shown = describe_prompt(service, prompt, origin_of(service, request))
    return web.json_response(shown, status=service.quirks.created)


def _input(given: dict[str, Any]) -> Upload | None:
    """The input image: a file or a data URL. What lies behind a link is never fetched."""
    file = given.get("input_image")
    if isinstance(file, Upload):
        return file
    inline = bodies.text(given.get("input_image_base64"))
    return Upload("input", base64.b64decode(inline.rpartition(",")[2])) if inline else None


def _check(service: Service, given: dict[str, Any], text: str, *, has_picture: bool) -> None:
    """
    Raises:
        Refusal: 400, or a 422 that names each field and what is wrong with it.
    """
    check_callbacks(given.get("callback"))
    problems: dict[str, list[str]] = {}
    blame(problems, "text", "can't be blank", when=not text)
    for id_, _ in _LORA.findall(text):
        lora = service.tune(int(id_))
        blame(problems, "text", f"lora {id_} does not exist", when=lora is None)
        trained = lora is not None and service.clock() >= lora.ends_at and not lora.error
        blame(problems, "text", f"lora {id_} is not trained yet", when=lora is not None and not trained)
    blame(
        problems, "negative_prompt", "is not supported for flux", when=bool(bodies.text(given.get("negative_prompt")))
    )
    guidance = bodies.number(given.get("cfg_scale"))
    blame(problems, "cfg_scale", "must be less than 5", when=guidance is not None and guidance >= 5)
    for name, (lowest, highest) in _RANGES.items():
        value = bodies.number(given.get(name))
        message = f"must be between {lowest} and {highest}"
        blame(problems, name, message, when=value is not None and not lowest <= value <= highest)
    for name in ("w", "h"):
        blame(problems, name, "must be a multiple of 8", when=(bodies.number(given.get(name)) or 0) % 8 != 0)
    for name, words in _CHOICES.items():
        word = bodies.text(given.get(name))
        blame(problems, name, "is not included in the list", when=word is not None and word not in words)
    blame(problems, "controlnet", "needs an input image", when=bool(given.get("controlnet")) and not has_picture)
    for name in ("inpaint_faces", "hires_fix"):
        alone = bodies.switch(given.get(name)) and not bodies.switch(given.get("super_resolution"))
        blame(problems, name, "needs super_resolution", when=alone)
    if problems:
        raise Refusal(422, problems)


def _prompt(service: Service, tune_id: int, text: str, fields: dict[str, Any], *, on: Tune | None) -> Prompt:
    """The order, with its price: nothing where a finetune of the mock branch draws."""
    count = int(bodies.number(fields.get("num_images")) or 1)
    seed = bodies.number(fields.get("seed"))
    loras = [(int(id_), float(strength)) for id_, strength in _LORA.findall(text)]
    if on and on.id not in {id_ for id_, _ in loras}:
        loras.append((on.id, 1.0))
    used = [on, *(service.tune(id_) for id_, _ in loras)]
    free = any(tune is not None and tune.branch == "fast" for tune in used)
    for name in _SWITCHES:
        if name in fields:
            fields[name] = bodies.switch(fields[name])
    return Prompt(
        id=service.next_prompt(),
        tune_id=tune_id,
        text=text,
        created=service.clock(),
        starts_at=service.clock() + service.prompt_duration / 10,
        duration=service.prompt_duration * 9 / 10,
        seed=random.getrandbits(32) if seed is None else int(seed),
        num_images=count,
        loras=loras,
        fields=fields,
        size=_size(fields),
        callback=bodies.text(fields.get("callback")),
        cost_mc=0 if free else IMAGE_MC * count + (_VIDEO_MC if _FLAG.search(text) else 0),
        error=service.verdict(text),
    )


def _size(fields: dict[str, Any]) -> tuple[int, int]:
    """Pixels, about one megapixel and multiples of 8."""
    width, height = bodies.number(fields.get("w")), bodies.number(fields.get("h"))
    if width and height:
        return int(width), int(height)
    across, _, down = (bodies.text(fields.get("aspect_ratio")) or "1:1").partition(":")
    ratio = int(across) / int(down)
    return round(1024 * ratio**0.5 / 8) * 8, round(1024 / ratio**0.5 / 8) * 8
