"""What a member can choose from, and what is chosen where they leave something out."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from discord.app_commands import Choice

from bot import limits
from bot.cards.base.words import money
from bot.discord.client import Interaction
from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import Generation
from bot.providers.parameters import Model, Value
from bot.workflows.drawing.types import ImageRequest
from bot.workflows.drawing.verbs import OPEN_SAFETY
from bot.workflows.finetuning.types import FinetuneView, usual_model
from cogs.base.asking import age_restricted, roles_of
from storage.community import communities, members
from storage.community.communities import Community
from storage.community.members import Defaults
from storage.finetuning import finetunes
from storage.finetuning.finetunes import Finetune, FinetuneState

RATIOS = ("1:1", "16:9", "9:16", "3:2", "2:3", "4:3", "3:4", "4:5", "5:4", "21:9", "9:21")
FORMATS = [Choice(name=name, value=name) for name in ("jpeg", "png", "webp")]
INPUT = "input_image"
"""The role of an image that is edited."""
MOST_SEARCHED = 500
"""Finetunes among which a typed name is looked for."""
MASK = "mask"
"""The role of an image that says which part of another is drawn anew."""


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
    """Those of `models` that the community allows; its list is of those without a finetune."""
    keys = community.allowed_models
    return [model for model in models if keys is None or model.finetuned or model.key in keys]


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
    return sorted(fits, key=lambda model: model.key != catalogue.USUAL_EDITOR)


def settled(
    asked: Asked,
    defaults: Defaults,
    community: Community,
    *,
    nsfw: bool,
    sized: bool = False,
    finetune: FinetuneView | None = None,
    pictures: Collection[str] = (),
) -> ImageRequest:
    """The request with the member's defaults, then the community's, for what was left out.

    A default never refuses: what the model or the community does not take is left out. `sized` where a width and a
    height will be asked for, so that no usual shape gets in their way. `pictures` are the options (`reference`,
    `mask`) that an image comes with.

    Raises:
        Refused: there is no such model, or it takes no “reference_strength” or “mask”.
    """
    if finetune is not None:
        model = finetuned_named(asked.model, finetune) if asked.model else _usual_finetuned(finetune, pictures)
    else:
        model = painter_named(asked.model) if asked.model else _usual_model(defaults, community)
    _check_strength(model, asked)
    if MASK in pictures and not any(role.name == MASK for role in model.roles):
        raise Refused(f"{model.label} takes no mask. Leave “mask” out, or choose a model that fills.")
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
        finetune=finetune.finetune.id if finetune else None,
    )


async def settle_defaults(
    interaction: Interaction,
    asked: Asked,
    finetune: FinetuneView | None = None,
    pictures: Collection[str] = (),
    *,
    sized: bool = False,
) -> ImageRequest:
    """`settled`, with the defaults of who asks and of where."""
    assert interaction.guild_id, "commands are in communities only"
    async with interaction.client.services.kit.database.read() as db:
        community = await communities.find(db, interaction.guild_id)
        defaults = await members.find(db, interaction.user.id)
    nsfw = age_restricted(interaction.channel)
    return settled(asked, defaults, community, nsfw=nsfw, sized=sized, finetune=finetune, pictures=pictures)


def finetuned_models(view: FinetuneView) -> list[Model]:
    """What draws with a finetune, the usual one first."""
    usual = usual_model(view)
    return [catalogue.find(key) for key in (usual, *(key for key in view.trainer.models if key != usual))]


def finetuned_named(text: str, view: FinetuneView) -> Model:
    """A model that draws with this finetune; a base model stands for its sibling that does.

    Raises:
        Refused: it does not; the sentence names those that do.
    """
    wanted = text.strip().casefold()
    models = finetuned_models(view)
    for model in models:
        names = [model.key, model.label, model.base or "", catalogue.find(model.base).label if model.base else ""]
        if wanted and wanted in map(str.casefold, names):
            return model
    labels = ", ".join(model.label for model in models)
    raise Refused(f"“{text.strip()[:60]}” does not draw with “{view.finetune.name}”. What does: {labels}.")


def _usual_finetuned(view: FinetuneView, pictures: Collection[str]) -> Model:
    """The first, the usual one before all, that has a use for these pictures and wants no others."""
    models = finetuned_models(view)
    fits = [
        model
        for model in models
        if (MASK not in pictures or any(role.name == MASK for role in model.roles))
        and ("reference" not in pictures or model.roles)
        and sum(role.required for role in model.roles) <= len(pictures)
    ]
    return (fits or models)[0]


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
    candidates = [defaults.model, community.default_model, catalogue.USUAL_MODEL, *(model.key for model in painters())]
    fits = {model.key: model for model in allowed(painters(), community)}
    chosen = next((fits[key] for key in candidates if key in fits), None)
    return chosen or catalogue.find(catalogue.USUAL_MODEL)


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


async def suggest_models(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """Of `/imagine`: those that draw with the finetune that is chosen already, or else those that need none."""
    models = await _models_of(interaction, interaction.namespace.finetune)
    return await _suggest_models(interaction, models or painters(), typed)


async def suggest_drawing(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """What draws with the finetune that the option `name` names."""
    return await _suggest_models(interaction, await _models_of(interaction, interaction.namespace.name), typed)


async def _models_of(interaction: Interaction, name: str | None) -> list[Model]:
    """What draws with the finetune of that name; nothing where the asker may not."""
    assert interaction.guild_id, "commands are in communities only"
    services, asker = interaction.client.services, interaction.user.id
    found = await services.finetuning.views.find_by_name(interaction.guild_id, name) if name else None
    if found is None or not found.usable:
        return []
    async with services.kit.database.read() as db:
        may = await finetunes.may_use(db, found.finetune.id, user_id=asker, roles=roles_of(interaction))
    return finetuned_models(found) if may else []


async def suggest_ready(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """The finetunes that the asker may draw with just now, newest first."""
    return await _suggest_finetunes(interaction, typed, ready=True)


async def suggest_finetunes(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """What the asker owns or may use, also what is not trained yet."""
    return await _suggest_finetunes(interaction, typed, ready=False)


async def _suggest_finetunes(interaction: Interaction, typed: str, *, ready: bool) -> list[Choice[str]]:
    assert interaction.guild_id, "commands are in communities only"
    async with interaction.client.services.kit.database.read() as db:
        found = await finetunes.list_usable(
            db,
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            roles=roles_of(interaction),
            limit=MOST_SEARCHED,
            ready=ready,
        )
    words = typed.casefold().split()
    named = [each for each in found if all(word in each.name.casefold() for word in words)]
    return [Choice(name=_about(each), value=each.name) for each in named[: limits.CHOICES]]


def _about(finetune: Finetune) -> str:
    """Its name, and what keeps it from being used, if anything does."""
    state = "frozen" if finetune.frozen_at is not None else str(finetune.state)
    return finetune.name if state == FinetuneState.READY else f"{finetune.name} — {state}"


async def suggest_editors(interaction: Interaction, typed: str) -> list[Choice[str]]:
    return await _suggest_models(interaction, editors(), typed)


async def suggest_ratios(interaction: Interaction, typed: str) -> list[Choice[str]]:
    """Usual shapes; any other may be typed."""
    found = [ratio for ratio in RATIOS if ratio.startswith(typed.strip())]
    return [Choice(name=ratio, value=ratio) for ratio in found or ([typed.strip()[:20]] if typed.strip() else [])]


async def _suggest_models(interaction: Interaction, models: list[Model], typed: str) -> list[Choice[str]]:
    assert interaction.guild_id, "commands are in communities only"
    async with interaction.client.services.kit.database.read() as db:
        community = await communities.find(db, interaction.guild_id)
    words = typed.casefold().split()
    found = [
        model
        for model in allowed(models, community)
        if all(word in f"{model.key} {model.label} {model.good_for}".casefold() for word in words)
    ]
    return [model_choice(model) for model in found[: limits.CHOICES]]


def model_choice(model: Model) -> Choice[Any]:
    """A model with what it is good for and its price, in the 100 characters that Discord gives."""
    price = money(model.price.first)
    room = limits.CHOICE_CHARACTERS - len(model.label) - len(price) - 6
    good_for = model.good_for if len(model.good_for) <= room else model.good_for[: room - 1] + "…"
    return Choice(name=f"{model.label} — {good_for} — {price}", value=model.key)
