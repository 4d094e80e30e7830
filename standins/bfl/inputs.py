"""What each generation endpoint accepts: the request bodies, as BFL publishes them.

Field for field the schemas of BFL's OpenAPI documents of February 2025 and April 2026, whose names the classes keep;
`tests/standins/test_bfl_standin.py` holds them against those documents. Fields that nobody knows are ignored, as there.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, HttpUrl, create_model


class OutputFormat(StrEnum):
    """Formats of 2026."""

    jpeg = "jpeg"
    png = "png"
    webp = "webp"


class OldOutputFormat(StrEnum):
    """Formats of 2025, and of the endpoints that were withdrawn before there was another."""

    jpeg = "jpeg"
    png = "png"


UNSENT: Any = None  # the default of a field that may be left out and may not be null

Side = Annotated[int, Field(ge=256, le=1440, multiple_of=32)]  # px
FreeSide = Annotated[int, Field(ge=64)]  # px; its default of 0 breaks its own rule, in BFL's document too
Margin = Annotated[int, Field(ge=0, le=2048)]  # px
Steps = Annotated[int, Field(ge=1, le=50)]
LongSteps = Annotated[int, Field(ge=15, le=50)]
Guidance = Annotated[float, Field(ge=1.5, le=5)]
FillGuidance = Annotated[float, Field(ge=1.5, le=100)]
ControlGuidance = Annotated[float, Field(ge=1, le=100)]
CannyThreshold = Annotated[int, Field(ge=0, le=500)]
Strength = Annotated[float, Field(ge=0, le=2)]
Share = Annotated[float, Field(ge=0, le=1)]

IMAGE_FIELDS = (
    "input_image",
    *(f"input_image_{number}" for number in range(2, 9)),
    "image",
    "mask",
    "image_prompt",
    "control_image",
    "preprocessed_image",
)


class Inputs(BaseModel, frozen=True):
    """What every generation takes."""

    seed: int | None = None
    safety_tolerance: int = Field(default=2, ge=0, le=6)
    webhook_url: HttpUrl | None = None
    webhook_secret: str | None = None


class FluxUltraInput(Inputs, frozen=True):
    prompt: str | None = ""
    prompt_upsampling: bool = False
    aspect_ratio: str = "16:9"
    output_format: OutputFormat | None = OutputFormat.jpeg
    raw: bool = False
    image_prompt: str | None = None
    image_prompt_strength: Share = 0.1


class FluxPro11Inputs(Inputs, frozen=True):
    prompt: str | None = ""
    image_prompt: str | None = None
    width: Side = 1024
    height: Side = 768
    prompt_upsampling: bool = False
    output_format: OutputFormat | None = OutputFormat.jpeg


class FluxProInputs(Inputs, frozen=True):
    prompt: str | None = ""
    image_prompt: str | None = None
    width: Side = 1024
    height: Side = 768
    steps: Steps | None = 40
    prompt_upsampling: bool = False
    guidance: Guidance | None = 2.5
    interval: Annotated[float, Field(ge=1, le=4)] | None = 2.0
    output_format: OldOutputFormat | None = OldOutputFormat.jpeg


class FluxDevInputs(Inputs, frozen=True):
    prompt: str = ""
    image_prompt: str | None = None
    width: Side = 1024
    height: Side = 768
    steps: Steps | None = 28
    prompt_upsampling: bool = False
    guidance: Guidance | None = 3.0
    output_format: OutputFormat | None = OutputFormat.jpeg


class FluxKontextProInputs(Inputs, frozen=True):
    prompt: str
    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    aspect_ratio: str | None = None
    output_format: OutputFormat | None = OutputFormat.png
    prompt_upsampling: bool = False


class FluxProFillInputs(Inputs, frozen=True):
    image: str
    mask: str | None = None
    prompt: str | None = ""
    steps: LongSteps | None = 50
    prompt_upsampling: bool | None = False
    guidance: FillGuidance | None = 60
    output_format: OutputFormat | None = OutputFormat.jpeg


class FluxProExpandInputs(Inputs, frozen=True):
    image: str
    top: Margin | None = 0
    bottom: Margin | None = 0
    left: Margin | None = 0
    right: Margin | None = 0
    prompt: str | None = ""
    steps: LongSteps | None = 50
    prompt_upsampling: bool | None = False
    guidance: FillGuidance | None = 60
    output_format: OutputFormat | None = OutputFormat.jpeg


class DepthInputs(Inputs, frozen=True):
    prompt: str
    control_image: str | None = None
    preprocessed_image: str | None = None
    prompt_upsampling: bool | None = False
    steps: LongSteps | None = 50
    output_format: OldOutputFormat | None = OldOutputFormat.jpeg
    guidance: ControlGuidance | None = 15


class CannyInputs(DepthInputs, frozen=True):
    canny_low_threshold: CannyThreshold | None = 50
    canny_high_threshold: CannyThreshold | None = 200
    guidance: ControlGuidance | None = 30


class FinetuneFluxUltraInput(Inputs, frozen=True):
    """There is no `raw` here."""

    finetune_id: str
    finetune_strength: Strength = 1.2
    prompt: str | None = ""
    aspect_ratio: str = "16:9"
    output_format: OutputFormat | None = OutputFormat.jpeg
    image_prompt: str | None = None
    image_prompt_strength: Share = 0.1
    prompt_upsampling: bool = False


class FluxProFinetuneInputs(Inputs, frozen=True):
    """The only one whose seed may not be null."""

    finetune_id: str
    finetune_strength: Strength = 1.1
    steps: Steps = 40
    guidance: Guidance = 2.5
    prompt: str = ""
    image_prompt: str | None = None
    width: Side = 1024
    height: Side = 768
    prompt_upsampling: bool = False
    seed: int = Field(default=UNSENT)
    output_format: OldOutputFormat = OldOutputFormat.jpeg


class FinetuneDepthInputs(Inputs, frozen=True):
    finetune_id: str
    finetune_strength: Strength = 1.1
    prompt: str
    control_image: str
    prompt_upsampling: bool = False
    steps: LongSteps = 50
    output_format: OldOutputFormat | None = OldOutputFormat.jpeg
    guidance: ControlGuidance = 15


class FinetuneCannyInputs(FinetuneDepthInputs, frozen=True):
    canny_low_threshold: CannyThreshold | None = 50
    canny_high_threshold: CannyThreshold | None = 200
    guidance: ControlGuidance = 30


class FinetuneFluxProFillInputs(Inputs, frozen=True):
    finetune_id: str
    finetune_strength: Strength = 1.1
    image: str
    mask: str | None = None
    prompt: str = ""
    steps: LongSteps = 50
    prompt_upsampling: bool = False
    guidance: FillGuidance = 60
    output_format: OutputFormat | None = OutputFormat.jpeg


class Flux2KleinInputs(Inputs, frozen=True):
    """FLUX.2: its safety tolerance ends at 5."""

    prompt: str
    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    width: FreeSide | None = 0
    height: FreeSide | None = 0
    safety_tolerance: int = Field(default=2, ge=0, le=5)
    output_format: OutputFormat | None = OutputFormat.jpeg


class Flux2Inputs(Flux2KleinInputs, frozen=True):
    input_image_5: str | None = None
    input_image_6: str | None = None
    input_image_7: str | None = None
    input_image_8: str | None = None


class Flux2FlexInputs(Flux2Inputs, frozen=True):
    prompt_upsampling: bool | None = True
    input_image_blob_path: str | None = None
    guidance: Annotated[float, Field(ge=1.5, le=10)] | None = 5.0
    steps: Steps | None = 50


def as_in_2025(model: type[Inputs]) -> type[Inputs]:
    """The same request before WebP came, with the defaults that Kontext had in its first documentation."""
    nullable = model is not FluxProFinetuneInputs
    fields: dict[str, Any] = {
        "output_format": (OldOutputFormat | None if nullable else OldOutputFormat, OldOutputFormat.jpeg)
    }
    if model is FluxKontextProInputs:
        fields["aspect_ratio"] = (str | None, "1:1")
    return create_model(model.__name__, __base__=model, **fields)
