"""What can be drawn, with what, and for how much: everything that is decided before a provider is asked."""

import difflib
from collections.abc import Mapping
from functools import lru_cache
from math import log

from bot.errors import Broken, Refused
from bot.providers.astria import models as astria_models
from bot.providers.bfl import models as bfl_models
from bot.providers.interface import Generation, MicroUSD
from bot.providers.parameters import MEGAPIXEL, Kind, Model, Parameter, Value, ratio_of
from bot.providers.vimmerse import models as vimmerse_models

LARGEST_INPUT = 20_000_000
"""Bytes of one input image: what BFL's guide to Kontext allows."""

RATIO = Parameter(
    name="aspect_ratio",
    label="Aspect ratio",
    kind=Kind.RATIO,
    help="The shape of the picture, width to height.",
)
"""Understood for every model that makes its pictures from nothing; those that want pixels get pixels."""

MODELS = (*bfl_models.MODELS, *astria_models.MODELS, *vimmerse_models.MODELS)

USUAL_MODEL = "flux-pro-1.1-ultra"
"""It takes every option that `/imagine` has."""
USUAL_EDITOR = "flux-kontext-pro"
FORM_EDITORS = ("flux-kontext-pro", "flux-kontext-max")
"""What the form for an edit offers; every other one is an option of `/edit`."""

_MODELS = {model.key: model for model in MODELS}


def find(key: str) -> Model:
    """
    Raises:
        Refused: there is no such model.
    """
    if model := _MODELS.get(key):
        return model
    near = difflib.get_close_matches(key[:100], _MODELS, n=1)
    raise Refused("There is no such model." + (f" Did you mean {near[0]}?" if near else ""))


def offered(*, finetuned: bool = False, withdrawn: bool = False, editing: bool = False) -> tuple[Model, ...]:
    """The models to choose from: without or with a finetune; also withdrawn ones; only those that take an image."""
    return tuple(
        model
        for model in MODELS
        if model.finetuned is finetuned and (withdrawn or not model.withdrawn) and (model.roles or not editing)
    )


def with_finetune(model: Model) -> Model | None:
    """The sibling of `model` that draws with a finetune."""
    return next((other for other in MODELS if other.base == model.key), None)


def check(generation: Generation) -> Generation:
    """The generation as it will be ordered: each value in its own type and range, the prompt trimmed.

    An aspect ratio becomes a width and a height where the model wants those. The file format is always named, and so
    is the shape of a picture made from nothing by a model whose default differs between servers.

    Raises:
        Refused: with one sentence, naming what is accepted.
    """
    model = find(generation.model)
    _check_finetune(model, generation)
    _check_inputs(model, generation)
    prompt = _check_prompt(model, generation)
    parameters = _with_size(model, generation.parameters, edits=bool(generation.inputs))
    checked: dict[str, Value] = {}
    for name, value in parameters.items():
        parameter = model.parameter(name)
        if parameter is None:
            raise Refused(f"{model.label} has no {name[:40].replace('_', ' ')!r} setting.")
        checked[name] = parameter.read(value)
    _check_together(model, checked)
    if model.provider == "astria":
        astria_models.check_together(checked, generation.inputs)
    tolerance = checked.get("safety_tolerance")
    if model.safety_with_image is not None and generation.inputs and isinstance(tolerance, int):
        checked["safety_tolerance"] = min(tolerance, model.safety_with_image)
    if model.parameter("output_format"):
        checked.setdefault("output_format", "jpeg")
    return generation.model_copy(update={"prompt": prompt, "parameters": checked})


def _check_finetune(model: Model, generation: Generation) -> None:
    finetune = generation.finetune
    if model.finetuned and finetune is None:
        raise Refused(f"{model.label} needs a finetune: choose one.")
    if finetune and not model.finetuned:
        sibling = with_finetune(model)
        advice = f"choose {sibling.label}" if sibling else "choose a model that can"
        raise Refused(f"{model.label} does not draw with a finetune: {advice}.")
    if finetune and finetune.provider != model.provider:
        raise Refused(f"This finetune was trained elsewhere, and {model.label} cannot use it.")
    if finetune and model.regions and finetune.region not in model.regions:
        raise Broken(f"This finetune is stored without where it was trained ({' or '.join(model.regions)}).")


def _check_inputs(model: Model, generation: Generation) -> None:
    names = [name for role in model.roles for name in role.names]
    for name in generation.inputs:
        if name not in names:
            raise Refused(
                f"{model.label} takes "
                + (f"at most {len(names)} image{'s' if len(names) > 1 else ''}." if names else "no images.")
            )
    for role in model.roles:
        if role.required and role.name not in generation.inputs:
            raise Refused(f"{model.label} needs an image: {role.help}")


def _check_prompt(model: Model, generation: Generation) -> str:
    prompt = generation.prompt.strip()
    if not prompt and model.prompt_needed and "image_prompt" not in generation.inputs:
        raise Refused("Say what to draw: the prompt is empty.")
    if len(prompt) > model.prompt_limit:
        raise Refused(f"The prompt has {len(prompt):,} characters; {model.label} reads at most {model.prompt_limit:,}.")
    return prompt


def _with_size(model: Model, parameters: Mapping[str, Value], *, edits: bool) -> dict[str, Value]:
    """`parameters` with the shape of the picture in the model's own terms."""
    settled = dict(parameters)
    given = settled.keys() & {"width", "height"}
    if model.usual_shape and not edits and not given:
        settled.setdefault("aspect_ratio", model.usual_shape)
    if not model.sized or "aspect_ratio" not in settled:
        return settled
    if given:
        raise Refused("Give either an aspect ratio, or a width and a height.")
    settled["width"], settled["height"] = size_for(model, str(RATIO.read(settled.pop("aspect_ratio"))))
    return settled


def _check_together(model: Model, parameters: Mapping[str, Value]) -> None:
    if model.most_megapixels:
        if len(parameters.keys() & {"width", "height"}) == 1:
            raise Refused("Give both a width and a height.")
        width, height = parameters.get("width", 0), parameters.get("height", 0)
        if int(width) * int(height) > model.most_megapixels * MEGAPIXEL:
            raise Refused(f"{model.label} draws at most {model.most_megapixels:g} megapixels: make it smaller.")
    borders = [model.parameter(side) for side in ("top", "bottom", "left", "right")]
    if all(borders) and not any(parameters.get(side.name) for side in borders if side):
        raise Refused("Say how far to draw beyond at least one edge: top, bottom, left or right.")


@lru_cache(maxsize=1024)
def size_for(model: Model, ratio: str) -> tuple[int, int]:
    """Width and height in pixels that `model` accepts, close to `ratio` and, from below, to one megapixel.

    Raises:
        Refused: it is no ratio, or the model takes no size.
    """
    width, height, wanted = model.parameter("width"), model.parameter("height"), ratio_of(ratio)
    if not width or not height or not wanted:
        raise Refused(f"{model.label} has no size for that aspect ratio.")

    def distance(size: tuple[int, int]) -> float:
        area = size[0] * size[1] / MEGAPIXEL
        return abs(log(size[0] / size[1] / wanted)) - 0.25 * log(area)

    tall = _lengths(height)
    sizes = [(w, h) for w in _lengths(width) for h in _around(tall, float(w / wanted)) if w * h <= MEGAPIXEL]
    if not sizes:
        raise Refused(f"{model.label} has no size for that aspect ratio.")
    return min(sizes, key=distance)


def _lengths(side: Parameter) -> range:
    return range(int(side.minimum or 0), int(side.maximum or 0) + 1, side.multiple_of)


def _around(lengths: range, wanted: float) -> tuple[int, ...]:
    """The lengths next below and above `wanted`."""
    below = int((wanted - lengths.start) // lengths.step)
    return tuple(lengths[place] for place in (below, below + 1) if 0 <= place < len(lengths))


def estimate(generation: Generation, *, input_megapixels: float = 0.0) -> MicroUSD:
    """What a checked generation should cost at most; `input_megapixels` is the sum over its images.

    Only FLUX.2's price depends on sizes. An edit without a size keeps that of its image.
    """
    model = find(generation.model)
    width, height = generation.parameters.get("width"), generation.parameters.get("height")
    output = 1.0
    if width and height:
        output = int(width) * int(height) / MEGAPIXEL
    elif generation.inputs:
        output = min(max(input_megapixels, 1.0), model.most_megapixels or 1.0)
    return model.price.of(output_megapixels=output, input_megapixels=input_megapixels)


def check_sizes(generation: Generation, inputs: Mapping[str, bytes]) -> None:
    """
    Raises:
        Refused: an image is too large for the services.
        Broken: not the images that the generation names.
    """
    if inputs.keys() != generation.inputs.keys():
        raise Broken("The images of this job are not the ones that it was stored with.")
    if any(len(image) > LARGEST_INPUT for image in inputs.values()):
        raise Refused(f"An image may have at most {LARGEST_INPUT // 1_000_000} MB: make it smaller.")
