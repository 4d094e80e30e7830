"""`POST /images/inspect`: what may be wrong with a training picture, told from the picture itself.

Nobody looks at it: sharpness and size are measured, and what only an eye could see is told by a coloured patch in a
corner, which a test or a demonstration paints: magenta top left for several people, cyan top right for sunglasses,
yellow bottom left for a hat, green bottom right for a funny face.
"""

from io import BytesIO
from typing import Any, Final

from aiohttp import web
from PIL import Image, ImageFilter, ImageStat

from standins.astria import bodies
from standins.astria.bodies import Upload
from standins.astria.service import Refusal, Service

_PATCHES: Final = {
    "includes_multiple_people": ((0, 0), (255, 0, 255)),
    "wearing_sunglasses": ((1, 0), (0, 255, 255)),
    "wearing_hat": ((0, 1), (255, 255, 0)),
    "funny_face": ((1, 1), (0, 255, 0)),
}
_PATCH: Final = 8  # px
_TOLERANCE: Final = 60  # of 255: a JPEG changes colours
_SHARP: Final = 1.5  # spread of the edges below which a picture is blurry
_CLASSES: Final = ("man", "woman", "boy", "girl", "baby", "cat", "dog")


async def inspect(_service: Service, request: web.Request) -> web.Response:
    """Look at one picture."""
    given = await bodies.parameters(request)
    name, file = bodies.text(given.get("name")), given.get("file")
    if not name:
        raise Refusal(422, {"name": ["can't be blank"]})
    if not isinstance(file, Upload) or not file.is_picture:
        raise Refusal(422, {"file": ["must be an image"]})
    return web.json_response(seen(file.content) | {"name": name if name in _CLASSES else "NONE"})


def seen(content: bytes) -> dict[str, Any]:
    """The flags of a picture."""
    with Image.open(BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    edges = picture.convert("L").filter(ImageFilter.FIND_EDGES).crop((2, 2, picture.width - 2, picture.height - 2))
    flags = {flag: _has_patch(picture, corner, colour) for flag, (corner, colour) in _PATCHES.items()}
    return {
        **flags,
        "blurry": ImageStat.Stat(edges).stddev[0] < _SHARP,
        "low_resolution": min(picture.size) < 512,
        "low_quality": len(content) * 50 < picture.width * picture.height,
        "full_body_image_or_longshot": picture.height > 2 * picture.width,
        "selfie": False,
        "glasses": "",
    }


def _has_patch(picture: Image.Image, corner: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    left, top = corner[0] * (picture.width - _PATCH), corner[1] * (picture.height - _PATCH)
    means = ImageStat.Stat(picture.crop((left, top, left + _PATCH, top + _PATCH))).mean
    return all(abs(mean - wanted) < _TOLERANCE for mean, wanted in zip(means, colour, strict=True))
