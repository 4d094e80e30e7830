"""What the service accepts: its forms, as its OpenAPI document has them, and how it refuses what does not fit."""

import asyncio
import hashlib
from io import BytesIO
from typing import Any, Literal, TypeVar

from aiohttp import web
from aiohttp.web_request import FileField
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field, ValidationError

from standins.vimmerse.service import Refusal

F = TypeVar("F", bound=BaseModel)
P = TypeVar("P", "TextToImage", "ImageToImage")
Given = list[tuple[str, bytes]]
"""Pictures that came with a request, by their digests, in their order."""

FINETUNE_OPTIONS = ("FluxFinetune", "FluxProFinetune", "FluxKontextFinetune")
FINETUNE_TYPES = ("Auto", "Character", "Product", "Style")
RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")


class Finetune(BaseModel):
    """POST /finetune, besides its files."""

    image_urls: list[str] = Field(default_factory=list)
    num_iterations: int = 0
    option: str = "FluxFinetune"
    finetune_type: str = "Auto"
    lora_prefix: str = "MYLORA"
    prompt: str | None = None
    webhook_url: str | None = None


class _Picture(BaseModel):
    quantity: int = Field(1, ge=1, le=4)
    creativity_strength: int = Field(5, ge=1, le=10)
    enhance_image: bool = False
    async_mode: bool = False
    webhook_url: str | None = None


class TextToImage(_Picture):
    """POST /image/text-2-image."""

    prompt: str = "Shot of Nike shoes on colorful background"
    option: Literal[
        "Seedream",
        "FluxPro",
        "FluxTurbo",
        "NanoBananaPro",
        "NanoBanana",
        "FluxKontextPro",
        "FluxFinetuned",
        "QwenImage",
        "StableDiffusion3.5",
        "LeonardoImage",
        "GPTImage",
        "Auto",
    ] = "Auto"
    aspect_ratio: str = Field("16:9", pattern=r"^(\d+):(\d+)$")


class ImageToImage(_Picture):
    """POST /image/image-2-image, besides its file."""

    prompt: str = ""
    image_url: str = ""
    option: Literal[
        "Seedream",
        "FluxPro",
        "FluxTurbo",
        "ImageUtilsDepth",
        "NanoBananaPro",
        "NanoBanana",
        "FluxKontextPro",
        "QwenImage",
        "FluxKontextFinetuned",
        "Remake",
        "StableDiffusion3.5",
        "LeonardoImage",
        "Sketch",
        "Restructure",
        "Review",
        "GPTImage",
        "Auto",
    ] = "FluxKontextPro"
    aspect_ratio: str | None = None


async def finetune(request: web.Request) -> tuple[Finetune, Given]:
    """Read the form of a training.

    Raises:
        Refusal: 422 where the document says what fits; 400, which is a guess, where only its words do.
    """
    fields, files = await _read(request, lists=("image_urls",))
    form = _validate(Finetune, fields)
    given = await _pictures(files.get("image_files", []))
    count = len(given) or len(form.image_urls)
    if form.option not in FINETUNE_OPTIONS or form.finetune_type not in FINETUNE_TYPES:
        raise Refusal(400, "INVALID_OPTION")
    if not count:
        raise Refusal(400, "NO_IMAGES")
    if form.option == "FluxKontextFinetune" and count % 2:
        raise Refusal(400, "IMAGES_MUST_BE_PAIRS")
    if form.option == "FluxKontextFinetune" and not form.prompt:
        raise Refusal(400, "PROMPT_REQUIRED")
    return form, given


async def text_to_image(request: web.Request) -> TextToImage:
    """Read the form of a picture. A JSON body is no form: all its fields have their defaults then."""
    fields, _ = await _read(request)
    return _with_ratio(_validate(TextToImage, fields))


async def image_to_image(request: web.Request) -> tuple[ImageToImage, Given]:
    """Read the form of an edit."""
    fields, files = await _read(request)
    form = _with_ratio(_validate(ImageToImage, fields))
    given = await _pictures(files.get("image_file", [])[:1])
    if not given and not form.image_url:
        raise Refusal(400, "IMAGE_REQUIRED")
    return form, given


async def _read(
    request: web.Request, lists: tuple[str, ...] = ()
) -> tuple[dict[str, str | list[str]], dict[str, list[bytes]]]:
    fields: dict[str, str | list[str]] = {}
    files: dict[str, list[bytes]] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, FileField):
            with value.file as file:
                files.setdefault(name, []).append(file.read())
        elif isinstance(value, str):
            held = fields.get(name)
            fields[name] = [*(held if isinstance(held, list) else []), value] if name in lists else value
    return fields, files


def _validate(form: type[F], fields: dict[str, Any]) -> F:
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise Refusal(422, [{**problem, "loc": ["body", *problem["loc"]]} for problem in problems]) from error


def _with_ratio(form: P) -> P:
    if form.aspect_ratio and form.aspect_ratio not in RATIOS:
        raise Refusal(400, "INVALID_ASPECT_RATIO")
    return form


async def _pictures(files: list[bytes]) -> Given:
    for content in files:
        await asyncio.to_thread(_check, content)
    return [(hashlib.sha256(content).hexdigest(), content) for content in files]


def _check(content: bytes) -> None:
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            image.load()
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise Refusal(400, "INVALID_IMAGE") from error
