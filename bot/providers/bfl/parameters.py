"""The parameters and images of Black Forest Labs' models, as data.

Ranges and defaults are those of BFL's OpenAPI documents of February 2025 and April 2026; a test compares them.
"""

from bot.providers.parameters import LARGEST_SEED, Kind, Parameter, Role


def _integer(name: str, label: str, lowest: int, highest: int, default: int | None, text: str) -> Parameter:
    return Parameter(
        name=name,
        label=label,
        kind=Kind.INTEGER,
        minimum=lowest,
        maximum=highest,
        default=default,
        help=text,
        advanced=True,
    )


def _number(name: str, label: str, lowest: float, highest: float, default: float, text: str) -> Parameter:
    return Parameter(
        name=name,
        label=label,
        kind=Kind.NUMBER,
        minimum=lowest,
        maximum=highest,
        default=default,
        help=text,
        advanced=True,
    )


def _side(name: str, label: str, default: int) -> Parameter:
    return Parameter(
        name=name,
        label=label,
        kind=Kind.INTEGER,
        minimum=256,
        maximum=1440,
        multiple_of=32,
        default=default,
        help=f"{label} in pixels.",
        advanced=True,
    )


def _flux_2_side(name: str, label: str) -> Parameter:
    """docs.bfl.ai: multiples of 16, 64 × 64 to 4 megapixels. The schema's default of 0 is below its own minimum."""
    return Parameter(
        name=name,
        label=label,
        kind=Kind.INTEGER,
        minimum=64,
        maximum=4096,
        multiple_of=16,
        help=f"{label} in pixels; both sides together at most 4 megapixels.",
        advanced=True,
    )


def ratio(widest: str, default: str) -> Parameter:
    return Parameter(
        name="aspect_ratio",
        label="Aspect ratio",
        kind=Kind.RATIO,
        widest=widest,
        default=default,
        help="The shape of the picture, width to height.",
    )


def formats(*choices: str) -> Parameter:
    return Parameter(
        name="output_format",
        label="File format",
        kind=Kind.CHOICE,
        choices=choices,
        default="jpeg",
        help="jpeg is small, png is exact.",
        advanced=True,
    )


def upsampling(*, default: bool = False) -> Parameter:
    return Parameter(
        name="prompt_upsampling",
        label="Prompt upsampling",
        kind=Kind.BOOLEAN,
        default=default,
        help="Let the service elaborate on the prompt: more surprising, less literal.",
        advanced=True,
    )


def safety(highest: int, text: str = "") -> Parameter:
    return _integer(
        "safety_tolerance",
        "Safety tolerance",
        0,
        highest,
        2,
        f"How much the service's moderation lets pass: 0 is strictest, {highest} most lenient.{text}",
    )


def steps(lowest: int, default: int) -> Parameter:
    return _integer("steps", "Steps", lowest, 50, default, "More steps are slower and finer.")


def guidance(lowest: float, highest: float, default: float) -> Parameter:
    return _number(
        "guidance", "Guidance", lowest, highest, default, "How closely to follow the prompt; high looks less natural."
    )


def strength(default: float) -> Parameter:
    return Parameter(
        name="finetune_strength",
        label="Finetune strength",
        kind=Kind.NUMBER,
        minimum=0,
        maximum=2,
        default=default,
        help="How strongly the finetune shows: raise it if the likeness is weak, lower it if pictures look distorted.",
    )


SEED = Parameter(
    name="seed",
    label="Seed",
    kind=Kind.INTEGER,
    minimum=0,
    maximum=LARGEST_SEED,
    help="The same seed, prompt and settings give the same picture again.",
)
OLD_FORMATS = formats("jpeg", "png")
FORMATS = formats("jpeg", "png", "webp")
SIZE = (_side("width", "Width", 1024), _side("height", "Height", 768))
FLUX_2_SIZE = (_flux_2_side("width", "Width"), _flux_2_side("height", "Height"))
CANNY_LOW = _integer(
    "canny_low_threshold", "Lower edge threshold", 0, 500, 50, "Edges weaker than this are not followed."
)
CANNY_HIGH = _integer(
    "canny_high_threshold", "Upper edge threshold", 0, 500, 200, "Edges stronger than this are always followed."
)
PROMPT_STRENGTH = _number(
    "image_prompt_strength", "Image strength", 0, 1, 0.1, "How much the image counts against the words."
)
RAW = Parameter(
    name="raw", label="Raw", kind=Kind.BOOLEAN, default=False, help="Less processed, more like a candid photograph."
)
INTERVAL = _number("interval", "Variety", 1, 4, 2, "Low keeps to the prompt, high varies more.")

IMAGE_PROMPT = Role(name="image_prompt", label="Image to remix", help="An image whose look is mixed into the picture.")
TO_FILL = Role(name="image", label="Image", required=True, help="The image to change part of.")
MASK = Role(
    name="mask",
    label="Mask",
    help="White where the image may change, black where it stays; as large as the image. Not needed if the image is "
    "transparent there.",
)
TO_EXPAND = Role(name="image", label="Image", required=True, help="The image to draw further.")
CONTROL = Role(name="control_image", label="Control image", required=True, help="The image whose shapes to keep.")


def inputs(maximum: int) -> tuple[Role, ...]:
    text = f"The image to edit, or up to {maximum} to take things from."
    return (Role(name="input_image", label="Input image", help=text, maximum=maximum),)


def _border(name: str) -> Parameter:
    return _integer(name, f"Further at the {name}", 0, 2048, 0, f"How many pixels to draw beyond the {name} edge.")


SIDES = tuple(map(_border, ("top", "bottom", "left", "right")))
