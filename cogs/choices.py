"""What a member can choose from, and what is chosen where they leave something out."""

from dataclasses import dataclass
from typing import Any

from discord.app_commands import Choice

from bot import cards
from bot.client import Interaction
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import Generation
from bot.providers.parameters import Model, Value
from bot.workflows.request import ImageRequest
from bot.workflows.requests import OPEN_SAFETY
from storage import communities
from storage.communities import Community
from storage.members import Defaults

USUAL_MODEL = "flux-pro-1.1-ultra"
"""It takes every option that `/imagine` has."""
USUAL_EDITOR = "flux-kontext-pro"
RATIOS = ("1:1", "16:9", "9:16", "3:2", "2:3", "4:3", "3:4", "4:5", "5:4", "21:9", "9:21")
FORMATS = [Choice(name=name, value=name) for name in ("jpeg", "png", "webp")]
INPUT = "input_image"
"""The role of an image that is edited."""


@dataclass(frozen=True)
class Asked:
    """What a member said in a command. `parameters` are by the provider's names."""

    prompt: str
    model: str | None
    parameters: dict[str, Value]
    seed: int | None = None
    count: int | None = None
    spoiler: bool | None = None


def painters() -> list[Model]:
    """The models that draw from words, with or without an image."""
    return [model for model in catalogue.offered() if not any(role.required for role in model.roles)]


def editors() -> list[Model]:
    """The models that change an image as they are told."""
    return [model for model in catalogue.offered(editing=True) if any(role.name == INPUT for role in model.roles)]


def allowed(models: list[Model], community: Community) -> list[Model]:
    """Those of `models` that the community allows."""
    keys = community.allowed_models
    return [model for model in models if keys is None or model.key in keys]


def model_named(text: str) -> Model:
    """The model that a member chose from the list, or typed.

    Raises:
        Refused: there is none of that name.
    """
    wanted = text.strip().casefold()
    labelled = [model for model in catalogue.offered() if model.label.casefold() == wanted]
    return labelled[0] if labelled else catalogue.find(wanted)


def painter_named(text: str) -> Model:
    """A model that draws from words.

    Raises:
        Refused: there is none of that name, or it cannot do that, or is not offered any more.
    """
    model = model_named(text)
    if model.withdrawn:
        raise Refused(f"{model.label} is not offered any more. Choose one from the list.")
    if model not in painters():
        raise Refused(f"{model.label} does not draw from words. Choose one from the list.")
    return model


def editor_named(text: str) -> Model:
    """A model that edits.

    Raises:
        Refused: there is none of that name, or it cannot do that.
    """
    model = model_named(text)
    if model not in editors():
        raise Refused("That model does not edit pictures. Choose one from the list.")
    return model


def allowed_editors(community: Community) -> list[Model]:
    """The models that may edit here; the usual one first.

    Raises:
        Refused: the community allows none.
    """
    fits = allowed(editors(), community)
    if not fits:
        raise Refused("This server allows no model that edits pictures.")
    return sorted(fits, key=lambda model: model.key != USUAL_EDITOR)


def settled(asked: Asked, defaults: Defaults, community: Community, *, nsfw: bool, sized: bool = False) -> ImageRequest:
    """The request with the member's defaults, then the community's, for what was left out.

    A default never refuses: what the model or the community does not take is left out. `sized` where a width and a
    height will be asked for, so that no usual shape gets in their way.

    Raises:
        Refused: there is no such model, or it takes no “reference_strength”.
    """
    model = painter_named(asked.model) if asked.model else _usual_model(defaults, community)
    _check_strength(model, asked)
    usual: dict[str, Value | None] = {
        "aspect_ratio": None if sized and model.sized else defaults.aspect_ratio,
        "output_format": defaults.output_format,
        "safety_tolerance": _within_cap(defaults.safety_tolerance, community, nsfw=nsfw),
    }
    parameters = {name: value for name, value in usual.items() if value is not None and _takes(model, name, value)}
    return ImageRequest(
        prompt=asked.prompt,
        model=model.key,
        parameters=parameters | asked.parameters,
        seed=asked.seed,
        count=asked.count or defaults.count or 1,
        spoiler=asked.spoiler if asked.spoiler is not None else bool(defaults.spoiler),
    )


def check_early(asked: Asked, *, role: bool) -> None:
    """Refuse what is wrong whoever asks, before anything is shown to anybody. `role`: an image comes with it.

    Raises:
        Refused: as `catalogue.check`.
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


def image_role(model: Model) -> str:
    """What an image given to `model` is for; one that takes none refuses it by that name."""
    return model.roles[0].name if model.roles else "image"


def _check_strength(model: Model, asked: Asked) -> None:
    """The one option whose name is not the provider's: who typed it is told by the name that they know."""
    if "image_prompt_strength" in asked.parameters and not model.parameter("image_prompt_strength"):
        raise Refused(f"{model.label} has no “reference_strength”. Leave it out, or choose another model.")


def _usual_model(defaults: Defaults, community: Community) -> Model:
    candidates = [defaults.model, community.default_model, USUAL_MODEL, *(model.key for model in painters())]
    fits = {model.key: model for model in allowed(painters(), community)}
    chosen = next((fits[key] for key in candidates if key in fits), None)
    return chosen or catalogue.find(USUAL_MODEL)


def _within_cap(safety: int | None, community: Community, *, nsfw: bool) -> int | None:
    if safety is None:
        return None
    return min(safety, community.safety_cap if nsfw else min(community.safety_cap, OPEN_SAFETY))


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


async def suggest_painters(interaction: Interaction, typed: str) -> list[Choice[str]]:
    return await _suggest_models(interaction, painters(), typed)


async def suggest_editors(interaction: Interaction, typed: str) -> list[Choice[str]]:
    return await _suggest_models(interaction, editors(), typed)


async def suggest_ratios(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """Usual shapes; any other may be typed."""
    found = [ratio for ratio in RATIOS if ratio.startswith(typed.strip())]
    return [Choice(name=ratio, value=ratio) for ratio in found or ([typed.strip()[:20]] if typed.strip() else [])]


async def _suggest_models(interaction: Interaction, models: list[Model], typed: str) -> list[Choice[str]]:
    assert interaction.guild_id, "commands are in communities only"
    async with interaction.client.services.database.read() as db:
        community = await communities.find(db, interaction.guild_id)
    words = typed.casefold().split()
    found = [
        model
        for model in allowed(models, community)
        if all(word in f"{model.key} {model.label} {model.good_for}".casefold() for word in words)
    ]
    return [model_choice(model) for model in found[:25]]


def model_choice(model: Model) -> Choice[Any]:
    """A model with what it is good for and its price, in the 100 characters that Discord gives."""
    price = cards.money(model.price.first)
    room = 100 - len(model.label) - len(price) - 6
    good_for = model.good_for if len(model.good_for) <= room else model.good_for[: room - 1] + "…"
    return Choice(name=f"{model.label} — {good_for} — {price}", value=model.key)
