"""The generation endpoints: what each accepts, costs, how long it takes, and when it existed."""

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any, Final, Literal

from standins.bfl import inputs

Era = Literal[2025, 2026]
Size = tuple[int, int]  # px

SMALLEST_RATIO: Final = 9 / 21
LARGEST_RATIO: Final = 21 / 9
MEGAPIXEL: Final = 1_048_576  # pixels: 1024 × 1024 costs what one megapixel does
MOST_PIXELS: Final = 4_194_304  # of FLUX.2; larger wishes are brought down to it


@dataclass(frozen=True)
class Endpoint:
    """One `POST /v1/<name>`."""

    name: str
    inputs: type[inputs.Inputs]
    price: float  # credits; of FLUX.2, for the first megapixel
    seconds: float  # that a generation typically takes
    per_megapixel: float = 0.0  # credits, for each further megapixel in or out
    megapixels: float = 1.0  # of its pictures, where the request names no size
    eras: tuple[Era, ...] = (2025, 2026)

    @property
    def finetuned(self) -> bool:
        """Whether it wants a finetune, and so runs only where that was trained."""
        return "finetune_id" in self.inputs.model_fields

    @property
    def takes_links(self) -> bool:
        """Whether an input image may be a URL as well as base64."""
        return "input_image" in self.inputs.model_fields

    def cost(self, *, input_mp: float, output_mp: float) -> float:
        """Credits for one picture (docs.bfl.ai/quick_start/pricing, 2026; how it rounds is a guess)."""
        return round(self.price + self.per_megapixel * (max(ceil(output_mp), 1) - 1 + ceil(input_mp)), 2)


_ONLY_2025: tuple[Era, ...] = (2025,)
_ONLY_2026: tuple[Era, ...] = (2026,)

ENDPOINTS: Final = (
    Endpoint("flux-pro-1.1-ultra", inputs.FluxUltraInput, 6, 10, megapixels=4),
    Endpoint("flux-pro-1.1", inputs.FluxPro11Inputs, 4, 5),
    Endpoint("flux-pro", inputs.FluxProInputs, 5, 8, eras=_ONLY_2025),
    Endpoint("flux-dev", inputs.FluxDevInputs, 2.5, 4),
    Endpoint("flux-kontext-pro", inputs.FluxKontextProInputs, 4, 7),
    Endpoint("flux-kontext-max", inputs.FluxKontextProInputs, 8, 9),
    Endpoint("flux-pro-1.0-fill", inputs.FluxProFillInputs, 5, 9),
    Endpoint("flux-pro-1.0-expand", inputs.FluxProExpandInputs, 5, 9, eras=_ONLY_2026),
    Endpoint("flux-pro-1.0-canny", inputs.CannyInputs, 5, 9, eras=_ONLY_2025),
    Endpoint("flux-pro-1.0-depth", inputs.DepthInputs, 5, 9, eras=_ONLY_2025),
    Endpoint("flux-pro-1.1-ultra-finetuned", inputs.FinetuneFluxUltraInput, 7, 14, megapixels=4),
    Endpoint("flux-pro-finetuned", inputs.FluxProFinetuneInputs, 6, 10, eras=_ONLY_2025),
    Endpoint("flux-pro-1.0-depth-finetuned", inputs.FinetuneDepthInputs, 6, 11, eras=_ONLY_2025),
    Endpoint("flux-pro-1.0-canny-finetuned", inputs.FinetuneCannyInputs, 6, 11, eras=_ONLY_2025),
    Endpoint("flux-pro-1.0-fill-finetuned", inputs.FinetuneFluxProFillInputs, 6, 11),
    Endpoint("flux-2-pro", inputs.Flux2Inputs, 3, 9, 1.5, eras=_ONLY_2026),
    Endpoint("flux-2-pro-preview", inputs.Flux2Inputs, 3, 9, 1.5, eras=_ONLY_2026),
    Endpoint("flux-2-max", inputs.Flux2Inputs, 7, 15, 3, eras=_ONLY_2026),
    Endpoint("flux-2-flex", inputs.Flux2FlexInputs, 5, 12, 5, eras=_ONLY_2026),
    Endpoint("flux-2-klein-4b", inputs.Flux2KleinInputs, 1.4, 1.5, 0.1, eras=_ONLY_2026),
    Endpoint("flux-2-klein-9b", inputs.Flux2KleinInputs, 1.5, 2.5, 0.2, eras=_ONLY_2026),
    Endpoint("flux-2-klein-9b-preview", inputs.Flux2KleinInputs, 1.5, 2.5, 0.2, eras=_ONLY_2026),
)


def endpoints(era: Era | None) -> dict[str, Endpoint]:
    """The endpoints of that year by name; without a year, all of them."""
    offered = [endpoint for endpoint in ENDPOINTS if era is None or era in endpoint.eras]
    if era == 2025:
        offered = [replace(endpoint, inputs=inputs.as_in_2025(endpoint.inputs)) for endpoint in offered]
    return {endpoint.name: endpoint for endpoint in offered}


def ratio(text: str) -> float:
    """An aspect ratio such as `16:9` as a number.

    Raises:
        ValueError: it is none, or is outside 9:21 to 21:9.
    """
    width, _, height = text.partition(":")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError("Aspect ratio must be in the format 'width:height'")
    value = int(width) / int(height)
    if not SMALLEST_RATIO - 1e-9 <= value <= LARGEST_RATIO + 1e-9:
        raise ValueError("Aspect ratio must be between 21:9 and 9:21")
    return value


def picture_size(endpoint: Endpoint, body: dict[str, Any], given: Size | None) -> Size:
    """How large the picture will be, where `given` is the size of the first picture in the request."""
    if "aspect_ratio" in body:
        wanted = body["aspect_ratio"]
        value = ratio(wanted) if wanted else given[0] / given[1] if given else 1.0
        return of_ratio(min(max(value, SMALLEST_RATIO), LARGEST_RATIO), endpoint.megapixels)
    if "width" in body:
        free = given or (1024, 1024)
        return _at_most((body["width"] or free[0], body["height"] or free[1]))
    width, height = given or (1024, 1024)
    if "top" in body:
        width += (body["left"] or 0) + (body["right"] or 0)
        height += (body["top"] or 0) + (body["bottom"] or 0)
    return _at_most((width, height))


def of_ratio(value: float, megapixels: float) -> Size:
    """The size with that ratio and about that many pixels, in steps of 16 px."""
    height = sqrt(megapixels * MEGAPIXEL / value)
    return round(height * value / 16) * 16, round(height / 16) * 16


def _at_most(size: Size) -> Size:
    pixels = size[0] * size[1]
    if pixels <= MOST_PIXELS:
        return size
    scale = sqrt(MOST_PIXELS / pixels)
    return max(int(size[0] * scale), 16), max(int(size[1] * scale), 16)
