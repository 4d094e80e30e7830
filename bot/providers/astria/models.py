"""The models of Astria, as data. Ranges: docs.astria.ai; where it names none, the one here is ours."""

from collections.abc import Collection, Mapping

from bot.errors import Refused
from bot.providers.bfl.parameters import strength
from bot.providers.interface import MicroUSD
from bot.providers.parameters import Kind, Model, Parameter, Pool, Price, Role, Seconds, Value

FLUX_DEV = 1504944
"""The tune of Flux1.dev, on which every Flux LoRA is drawn (docs.astria.ai)."""
POOL = Pool("astria", 8)
"""Astria names no limit on prompts under way, and answers 429 to tight polling: ours."""

RATIOS = ("1:1", "16:9", "9:16", "21:9", "9:21", "3:2", "2:3", "5:4", "4:5", "4:3", "3:4")
_STYLES = (
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
)
_GRADINGS = ("Film Velvia", "Film Portra", "Ektar")
_CONTROLNETS = ("composition", "reference", "lineart", "canny", "depth", "mlsd", "hed", "pose", "tile", "qr")

SPELLINGS: Mapping[str, str] = {word.lower(): word for word in (*_STYLES, *_GRADINGS)}
"""Astria's own spelling of what members choose in lower case."""

TOO_MUCH_GUIDANCE = 5
"""From here on Astria refuses `cfg_scale` for FLUX."""


def _switch(name: str, label: str, text: str) -> Parameter:
    return Parameter(name=name, label=label, kind=Kind.BOOLEAN, default=False, help=text, advanced=True)


def _share(name: str, label: str, text: str, *, default: float | None = None) -> Parameter:
    return Parameter(
        name=name, label=label, kind=Kind.NUMBER, minimum=0, maximum=1, default=default, help=text, advanced=True
    )


def _choice(name: str, label: str, text: str, words: tuple[str, ...]) -> Parameter:
    choices = tuple(word.lower() for word in words)  # what is typed is read into lower case
    return Parameter(name=name, label=label, kind=Kind.CHOICE, choices=choices, help=text, advanced=True)


MODELS = (
    Model(
        key="astria-flux",
        label="FLUX.1 [dev] at Astria with a finetune",
        good_for="Your finetune, trained at Astria.",
        path=f"/tunes/{FLUX_DEV}/prompts",
        provider="astria",
        price=Price(MicroUSD(25_000), MicroUSD(0)),
        price_guessed=True,
        least_pause=5.0,  # as its own client does; tighter polling is answered with 429
        seconds=Seconds(15, 30, 90),
        pools=(POOL,),
        parameters=(
            strength(1.0),
            Parameter(
                name="aspect_ratio",
                label="Aspect ratio",
                kind=Kind.CHOICE,
                choices=RATIOS,
                help="The shape of the picture, width to height.",
            ),
            Parameter(
                name="seed",
                label="Seed",
                kind=Kind.INTEGER,
                minimum=0,
                maximum=2**32 - 1,
                help="The same seed, prompt and settings give the same picture again.",
            ),
            Parameter(
                name="steps",
                label="Steps",
                kind=Kind.INTEGER,
                minimum=1,
                maximum=50,
                help="More steps take longer and may show finer detail.",
                advanced=True,
            ),
            Parameter(
                name="cfg_scale",
                label="Guidance",
                kind=Kind.NUMBER,
                minimum=0,
                maximum=TOO_MUCH_GUIDANCE - 0.1,
                help="High keeps to the prompt, low looks more natural. FLUX wants less than 5.",
                advanced=True,
            ),
            _choice("style", "Style", "A ready-made look.", _STYLES),
            _choice("color_grading", "Color grading", "The colors of a kind of film.", _GRADINGS),
            _switch("super_resolution", "Super resolution", "A larger picture with finer detail."),
            _switch("inpaint_faces", "Redraw faces", "Draw faces once more, larger. Needs super resolution."),
            _switch("hires_fix", "Add detail", "Draw details once more, larger. Needs super resolution."),
            _switch("film_grain", "Film grain", "The grain of a photographic film."),
            _choice("controlnet", "Keep", "What is kept of the input image.", _CONTROLNETS),
            _share("denoising_strength", "Change", "How much of the input image may change.", default=0.8),
            _share("controlnet_conditioning_scale", "Keep strength", "How strongly it is kept to the input image."),
            _switch("controlnet_txt2img", "Keep lines only", "Take only the lines of the input image, not its colors."),
        ),
        roles=(Role(name="input_image", label="Input image", help="An image whose composition or lines are kept."),),
        finetuned=True,
        regions=(),
    ),
)

_NEED_AN_IMAGE = ("controlnet", "denoising_strength", "controlnet_conditioning_scale", "controlnet_txt2img")
_NEED_CONTROLNET = ("controlnet_conditioning_scale", "controlnet_txt2img")
_NEED_SUPER_RESOLUTION = ("inpaint_faces", "hires_fix")


def check_together(parameters: Mapping[str, Value], inputs: Collection[str]) -> None:
    """Rules between settings, which Astria would answer with a 422 or quietly ignore. `inputs` are the image roles.

    Raises:
        Refused: with one sentence, naming what is missing.
    """
    label = {parameter.name: parameter.label for parameter in MODELS[0].parameters}
    asked = {name for name, value in parameters.items() if value is not False}
    if "negative_prompt" in asked:
        raise Refused("FLUX knows no negative prompt: say in the prompt what there should be instead.")
    guidance = parameters.get("cfg_scale", 0)
    if isinstance(guidance, int | float) and guidance >= TOO_MUCH_GUIDANCE:
        raise Refused(f"{label['cfg_scale']} must be less than {TOO_MUCH_GUIDANCE}.")
    for name in _NEED_SUPER_RESOLUTION:
        if name in asked and "super_resolution" not in asked:
            raise Refused(f"{label[name]} needs super resolution: switch that on, too.")
    for name in _NEED_AN_IMAGE:
        if name in asked and not inputs:
            raise Refused(f"{label[name]} is about an input image: give one.")
    for name in _NEED_CONTROLNET:
        if name in asked and "controlnet" not in asked:
            raise Refused(f"{label[name]} needs to know what is kept of the input image: choose that, too.")
