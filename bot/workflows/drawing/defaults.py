"""From a command to a request: the member's defaults, then the community's, for what was left out."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import Generation
from bot.providers.parameters import Model, Value
from bot.workflows.community.limits import allowed_models, safety_cap
from bot.workflows.community.models import model_named, painter_named, painters
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.finetuning.choices import finetuned_models, finetuned_named
from bot.workflows.finetuning.types import FinetuneView
from storage.community.communities import Community
from storage.community.members import Defaults

MASK = "mask"
"""The role of an image that says which part of another is drawn anew."""


@dataclass(frozen=True)
class Asked:
    """What a member typed into a command. `parameters` are by the provider's names."""

    prompt: str
    model: str | None
    parameters: dict[str, Value]
    seed: int | None = None
    count: int | None = None
    spoiler: bool | None = None
    pictures: Collection[str] = ()
    """The options (`reference`, `mask`) that an image came with."""


def check_early(asked: Asked, *, role: bool) -> None:
    """Refuse what is wrong for every member, before anything is shown to anybody. `role`: an image comes with it.

    Raises:
        Refused: the prompt is empty, or the model takes no such value.
    """
    if not asked.prompt.strip():
        raise Refused("Say what to draw: the prompt is empty.")
    if asked.model is None:
        return
    model = model_named(asked.model)
    _check_strength(model, asked)
    seed = {"seed": asked.seed} if asked.seed is not None else {}
    inputs = {image_role(model): ""} if role else {}
    catalogue.check(Generation(model=model.key, prompt=asked.prompt, parameters=asked.parameters | seed, inputs=inputs))


def with_defaults(
    asked: Asked,
    defaults: Defaults,
    community: Community,
    *,
    nsfw: bool,
    finetune: FinetuneView | None = None,
    sized: bool = False,
) -> ImageRequest:
    """The request with the member's defaults, then the community's, for what was left out.

    A default never refuses: what the model or the community does not take is left out. `sized` where a width and a
    height will be asked for, so that no usual shape gets in their way.

    Raises:
        Refused: there is no such model, or it takes no “reference_strength” or “mask”.
    """
    if finetune is not None:
        model = finetuned_named(asked.model, finetune) if asked.model else _usual_finetuned(finetune, asked.pictures)
    else:
        model = painter_named(asked.model) if asked.model else _usual_painter(defaults, community)
    _check_strength(model, asked)
    if MASK in asked.pictures and not any(role.name == MASK for role in model.roles):
        raise Refused(f"{model.label} takes no mask. Leave “mask” out, or choose a model that fills.")
    safety = defaults.safety_tolerance
    usual: dict[str, Value | None] = {
        "aspect_ratio": None if sized and model.sized else defaults.aspect_ratio,
        "output_format": defaults.output_format,
        "safety_tolerance": None if safety is None else min(safety, safety_cap(community, nsfw=nsfw)),
    }
    parameters = {name: value for name, value in usual.items() if value is not None and _takes(model, name, value)}
    return ImageRequest(
        prompt=asked.prompt,
        model=model.key,
        parameters=parameters | asked.parameters,
        seed=asked.seed,
        count=asked.count or defaults.count or 1,
        spoiler=asked.spoiler if asked.spoiler is not None else bool(defaults.spoiler),
        finetune=finetune.finetune.id if finetune else None,
    )


def image_role(model: Model) -> str:
    """What an image given to `model` is for; one that takes none refuses it by that name."""
    return model.roles[0].name if model.roles else "image"


def _usual_finetuned(view: FinetuneView, pictures: Collection[str]) -> Model:
    """The first, the usual one before all, that has a use for these pictures and wants no others."""
    models = finetuned_models(view)
    fitting = [
        model
        for model in models
        if (MASK not in pictures or any(role.name == MASK for role in model.roles))
        and ("reference" not in pictures or model.roles)
        and sum(role.required for role in model.roles) <= len(pictures)
    ]
    return (fitting or models)[0]


def _usual_painter(defaults: Defaults, community: Community) -> Model:
    candidates = [defaults.model, community.default_model, catalogue.USUAL_MODEL, *(model.key for model in painters())]
    allowed = {model.key: model for model in allowed_models(painters(), community)}
    return next((allowed[key] for key in candidates if key in allowed), catalogue.find(catalogue.USUAL_MODEL))


def _check_strength(model: Model, asked: Asked) -> None:
    """The one option whose name is not the provider's: the sentence has the name that the member typed."""
    if "image_prompt_strength" in asked.parameters and not model.parameter("image_prompt_strength"):
        raise Refused(f"{model.label} has no “reference_strength”. Leave it out, or choose another model.")


def _takes(model: Model, name: str, value: Value) -> bool:
    parameter = model.parameter(name)
    try:
        if parameter:
            parameter.read(value)
        elif name == "aspect_ratio" and model.sized:
            catalogue.size_for(model, str(value))
        else:
            return False
    except Refused:
        return False
    return True
