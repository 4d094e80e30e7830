"""The pictures of the stand-in: drawn from prompt, seed, model and size, the same bytes every time."""

import hashlib
import random
from collections.abc import Callable
from io import BytesIO
from typing import Final

from PIL import Image

from standins.bfl.inputs import IMAGE_FIELDS
from standins.bfl.pictures import edits, finetuned
from standins.bfl.pictures.canvas import Canvas
from standins.bfl.pictures.composition import compose
from standins.bfl.pictures.palette import palette_for
from standins.bfl.records import Task

MOST_PIXELS: Final = 1_650_000  # drawn where an endpoint names no size: ultra's are 4 megapixels, and slow to draw
_SMALL: Final = 160  # px; below it there is only light and a shape, in a millisecond


def draw(task: Task, *, given: Callable[[str], bytes], longest_side: int | None = None) -> bytes:
    """The picture of a task, as a file in the format that it asked for.

    `given` finds a picture that came with the request by its mark.
    """
    size = _drawn_size(task, longest_side)
    marks = {field: task.body[field] for field in IMAGE_FIELDS if task.body.get(field)}
    seed = _seed(task, marks)
    image = _small(task.prompt, seed, size) if max(size) <= _SMALL else _large(task, seed, size, marks, given)
    if "image" not in marks:  # what is kept of a picture that is filled keeps its colours
        image = finetuned.touched(image, task.body)
    file = BytesIO()
    match task.format:
        case "png":
            image.save(file, "PNG", compress_level=1)
        case "webp":
            image.save(file, "WEBP", quality=86, method=1)
        case _:
            image.save(file, "JPEG", quality=88, subsampling=0)
    return file.getvalue()


def _drawn_size(task: Task, longest_side: int | None) -> tuple[int, int]:
    width, height = task.size
    if longest_side:
        scale = longest_side / max(width, height)
    elif "aspect_ratio" in task.body:
        scale = min(1.0, (MOST_PIXELS / (width * height)) ** 0.5)
    else:
        scale = 1.0
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _seed(task: Task, marks: dict[str, str]) -> str:
    parts = [task.endpoint, task.prompt, str(task.seed), str(task.size), *(f"{name}={marks[name]}" for name in marks)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _small(prompt: str, seed: str, size: tuple[int, int]) -> Image.Image:
    luck = random.Random(seed)
    palette = palette_for(prompt, luck)
    image = Image.new("RGB", size, palette.middle)
    canvas = Canvas(image)
    spot = (luck.uniform(0.2, 0.8) * canvas.width, luck.uniform(0.2, 0.5) * canvas.height)
    canvas.disc(spot, luck.uniform(0.1, 0.2), palette.light)
    canvas.shape(
        [
            (0, luck.uniform(0.5, 0.9)),
            (canvas.width, luck.uniform(0.5, 0.9)),
            (canvas.width, canvas.height),
            (0, canvas.height),
        ],
        palette.near,
    )
    canvas.disc((luck.uniform(0.2, 0.8) * canvas.width, 0.8 * canvas.height), luck.uniform(0.05, 0.15), palette.accent)
    return image


def _large(
    task: Task, seed: str, size: tuple[int, int], marks: dict[str, str], given: Callable[[str], bytes]
) -> Image.Image:
    def picture(field: str) -> Image.Image:
        mark = marks[field]
        if mark.startswith("sha256:"):
            return edits.opened(given(mark))
        return compose("", mark, (512, 512))  # behind a link that is never followed: any picture, always the same

    body, prompt = task.body, task.prompt
    if "top" in body:
        margins = (body["left"] or 0, body["top"] or 0, body["right"] or 0, body["bottom"] or 0)
        return edits.expanded(picture("image"), margins, prompt, seed, size)
    if "image" in marks:
        mask = picture("mask") if "mask" in marks else None
        new = finetuned.touched(compose(prompt, seed, size), body)
        return edits.filled(picture("image"), mask, new)
    if "image_prompt" in marks:
        strength = body.get("image_prompt_strength", 0.3)
        return edits.remixed(picture("image_prompt"), prompt, seed, size, strength)
    for field in ("control_image", "preprocessed_image"):
        if field in marks:
            return edits.redrawn(picture(field), prompt, seed, size)
    if marks:
        return edits.edited(picture(next(iter(marks))), prompt, seed, size)
    return compose(prompt, seed, size)
