"""Pictures that come with a request: base64 in JSON, decoded and looked at."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image

from standins.bfl.inputs import IMAGE_FIELDS

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_PIXELS: Final = 20_000_000
LINK_SIZE: Final = (1024, 1024)  # px, of a picture behind a link, which the stand-in never fetches


class BadPicture(Exception):
    """A picture that the service refuses, and the field it came in."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Given:
    """One picture of a request."""

    field: str
    mark: str  # what stands for it in the records: "sha256:" and its digest, or its link
    content: bytes  # empty for a link
    size: tuple[int, int]  # px
    transparent: bool


def pictures(body: dict[str, Any], *, links: bool) -> list[Given]:
    """Decode every picture in a request, in the order that the fields are published in.

    Raises:
        BadPicture: one is no base64, no picture, or too large.
    """
    return [_picture(field, body[field], links=links) for field in IMAGE_FIELDS if body.get(field)]


def _picture(field: str, text: str, *, links: bool) -> Given:
    if links and text.startswith(("http://", "https://")):
        return Given(field, text, b"", LINK_SIZE, transparent=False)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadPicture(field, "Invalid base64 image") from error
    if len(content) > MOST_BYTES:
        raise BadPicture(field, "Image is larger than 20 MB")
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise BadPicture(field, "Image is larger than 20 megapixels")
            image.load()
            transparent = image.has_transparency_data
            size = image.size
    except (OSError, SyntaxError, ValueError) as error:
        raise BadPicture(field, "Cannot identify image") from error
    digest = hashlib.sha256(content).hexdigest()
    return Given(field, f"sha256:{digest}", content, size, transparent)


def check(endpoint: str, body: dict[str, Any], given: list[Given]) -> None:
    """What the service asks of a request's pictures together.

    That fill needs a mask or transparency, and depth and canny one picture of two, follows from their descriptions.

    Raises:
        BadPicture: they do not go together.
    """
    by_field = {picture.field: picture for picture in given}
    if "mask" in body and (image := by_field.get("image")):
        mask = by_field.get("mask")
        if not mask and not image.transparent:
            raise BadPicture("mask", "A mask is required when the image has no alpha channel")
        if mask and mask.size != image.size:
            raise BadPicture("mask", "Mask dimensions must match image dimensions")
    if "preprocessed_image" in body and not {"control_image", "preprocessed_image"} & by_field.keys():
        raise BadPicture("control_image", "Either control_image or preprocessed_image must be provided")
    if endpoint == "flux-pro-1.0-expand" and not any(body[side] for side in ("top", "bottom", "left", "right")):
        raise BadPicture("top", "At least one side must be expanded")
    for required in ("image", "control_image"):
        if body.get(required) == "":
            raise BadPicture(required, "Invalid base64 image")
