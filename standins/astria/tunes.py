"""`/tunes` and `/p/:id/tunes`: training, looking at it, listing, deleting."""

from typing import Any, cast

from aiohttp import web

from standins.astria import bodies
from standins.astria.answers import describe_tune
from standins.astria.bodies import Upload
from standins.astria.prompts import queue_for
from standins.astria.records import Tune
from standins.astria.requests import blame, check_callbacks, find_tune, origin_of, page
from standins.astria.service import FLUX_DEV, STEP_MC, Pack, Refusal, Service

_PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")
_BRANCHES = ("flux1", "sd15", "sdxl1", "fast")
_MODEL_TYPES = ("lora", "pti", "faceid")
_LARGEST_OFFSET = 200


async def create(service: Service, request: web.Request) -> web.Response:
    """Begin a training, or with a pack also order its pictures."""
    given = bodies.part(await bodies.parameters(request), "tune")
    pack = service.packs.get(int(request.match_info.get("pack", 0)))
    if "pack" in request.match_info and pack is None:
        raise Refusal(404, {"error": "Not found"})
    title, name = bodies.text(given.get("title")), bodies.text(given.get("name"))
    if service.quirks.idempotent:
        tune_before = next((tune for tune in service.newest_tunes() if tune.title == title), None)
        if tune_before:
            return _answer(service, tune_before, request)
    tune, pictures = _checked(service, given, pack, title=title or "", name=name or "")
    prompts = queue_for(service, tune, _texts(given, pack, tune))
    for prompt in prompts if pack else []:  # a pack's price is its own, for all of its pictures
        prompt.cost_mc = pack.cost_mc[tune.name] // len(prompts) if pack and tune.branch != "fast" else 0
    service.charge(tune.cost_mc + sum(prompt.cost_mc for prompt in prompts))
    service.accept(tune, pictures)
    for prompt in prompts:
        service.accept(prompt)
    return _answer(service, tune, request)


async def retrieve(service: Service, request: web.Request) -> web.Response:
    """One finetune as it stands now."""
    service.slow_down(request.path)
    return web.json_response(describe_tune(service, find_tune(service, request), origin_of(service, request)))


async def listing(service: Service, request: web.Request) -> web.Response:
    """The newest finetunes, in pages."""
    query = request.query
    tunes = service.newest_tunes()
    for name in ("model_type", "branch"):
        if wanted := query.get(name):
            tunes = [tune for tune in tunes if getattr(tune, name) == wanted]
    if title := query.get("title"):
        tunes = [tune for tune in tunes if _titled(service, tune, title)]
    shown = page(tunes, query, largest_offset=_LARGEST_OFFSET)
    return web.json_response([describe_tune(service, tune, origin_of(service, request)) for tune in shown])


async def change(service: Service, request: web.Request) -> web.Response:
    """Give a finetune another title or class."""
    tune = find_tune(service, request)
    given = bodies.part(await bodies.parameters(request), "tune")
    tune.title = bodies.text(given.get("title")) or tune.title
    tune.name = bodies.text(given.get("name")) or tune.name
    service.archive.save(tune)
    return web.json_response(describe_tune(service, tune, origin_of(service, request)))


async def delete(service: Service, request: web.Request) -> web.Response:
    """Delete a finetune; the answer is 200, and usually empty."""
    tune = find_tune(service, request)
    service.delete(tune)
    return web.json_response({"id": tune.id}) if service.quirks.tells_deleted else web.Response()


def _answer(service: Service, tune: Tune, request: web.Request) -> web.Response:
    shown = describe_tune(service, tune, origin_of(service, request))
    return web.json_response(shown, status=service.quirks.created)


def _titled(service: Service, tune: Tune, title: str) -> bool:
    match service.quirks.title_filter:
        case "exact":
            return tune.title == title
        case "part":
            return title.lower() in tune.title.lower()
        case "ignored":
            return True


def _texts(given: dict[str, Any], pack: Pack | None, tune: Tune) -> list[dict[str, Any]]:
    """The orders that come with a training: the caller's own, and a pack's."""
    subject = f"{tune.token} {tune.name}"
    asked = bodies.items(given.get("prompts_attributes"))
    own = [cast("dict[str, Any]", each) for each in asked if isinstance(each, dict)]
    callback = bodies.part(given, "prompt_attributes").get("callback")
    packed = [{"text": text.format(subject=subject), "callback": callback} for text in (pack.texts if pack else ())]
    return [*own, *packed]


def _checked(
    service: Service, given: dict[str, Any], pack: Pack | None, *, title: str, name: str
) -> tuple[Tune, list[tuple[str, bytes]]]:
    """The finetune that was asked for, and its pictures by their marks. Names that nobody knows are passed over.

    Raises:
        Refusal: 400, or a 422 that names each field and what is wrong with it.
    """
    check_callbacks(given.get("callback"), given.get("prompts_callback"))
    uploads = [each for each in bodies.items(given.get("images")) if isinstance(each, Upload)]
    pictures = [upload for upload in uploads if not upload.is_caption]
    links = [str(link) for link in bodies.items(given.get("image_urls")) if bodies.text(link)]
    base = FLUX_DEV if pack else int(bodies.number(given.get("base_tune_id")) or 0) or None
    on_flux = base == FLUX_DEV or given.get("branch") == "flux1"
    preset = bodies.text(given.get("preset"))
    branch = bodies.text(given.get("branch")) or ("flux1" if on_flux else "sd15")
    model_type = "lora" if pack else bodies.text(given.get("model_type"))
    steps = bodies.number(given.get("steps"))
    problems: dict[str, list[str]] = {}
    blame(problems, "title", "can't be blank", when=not title)
    blame(problems, "name", "can't be blank", when=not name)
    blame(problems, "name", "is not supported by this pack", when=bool(pack and name not in pack.cost_mc))
    blame(problems, "images", "must contain at least one image", when=not pictures and not links)
    blame(problems, "images", "is not an image", when=not all(upload.is_picture for upload in pictures))
    blame(problems, "preset", "is not included in the list", when=preset is not None and preset not in _PRESETS)
    blame(problems, "branch", "is not included in the list", when=branch not in _BRANCHES)
    blame(problems, "model_type", "is not included in the list", when=model_type not in (None, *_MODEL_TYPES))
    blame(problems, "model_type", "must be lora for flux", when=on_flux and model_type is None)
    blame(problems, "steps", "must be greater than 0", when=steps is not None and steps <= 0)
    if problems:
        raise Refusal(422, problems)
    count = len(pictures) + len(links)
    tune = Tune(
        id=service.next_tune(),
        title=title,
        name=name,
        created=service.clock(),
        waits=service.training_wait,
        duration=0,
        token=bodies.text(given.get("token")) or ("ohwx" if on_flux else "sks"),
        branch=branch,
        model_type=model_type,
        base_tune_id=base,
        base_pack_id=pack.id if pack else None,
        preset=preset,
        steps=None if steps is None else int(steps),
        face_crop=None if "face_crop" not in given else bodies.switch(given["face_crop"]),
        training_face_correct=bodies.switch(given.get("training_face_correct")),
        auto_extend=bodies.switch(given.get("auto_extend")),
        callback=bodies.text(given.get("callback")),
        prompts_callback=bodies.text(given.get("prompts_callback")),
        images=[*(upload.mark for upload in pictures), *links],
        captions={each.stem: each.content.decode(errors="replace") for each in uploads if each.is_caption},
    )
    if model_type == "faceid":  # nothing is trained
        tune.waits = 0
    else:
        tune.duration = service.seconds(tune)
        usual = max(300, (27 if preset else 100) * count)
        tune.cost_mc = 0 if branch == "fast" else STEP_MC * (tune.steps or usual)
    return tune, [(upload.mark, upload.content) for upload in pictures]
