"""From a request to the pictures that it stands for: seeds, strengths, and the finetune with its trigger word."""

import secrets
from dataclasses import dataclass

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import FinetuneRef, Generation
from bot.providers.prompting import with_trigger
from bot.providers.training import Subject
from bot.workflows.drawing.types import MOST_PICTURES, MOST_SWEPT, ImageRequest, Sweep
from bot.workflows.finetuning.types import STRENGTH, FinetuneView, usual_model


@dataclass(frozen=True)
class Loaded:
    """What of a finetune goes into its pictures."""

    name: str
    ref: FinetuneRef
    subject: Subject
    description: str
    strength: float | None
    models: tuple[str, ...]

    @classmethod
    def of(cls, view: FinetuneView) -> "Loaded":
        assert view.ref, "a finetune that is ready is somewhere"
        first = usual_model(view)
        return cls(
            name=view.finetune.name,
            ref=view.ref,
            subject=view.spec.subject,
            description=view.finetune.description,
            strength=view.finetune.strength,
            models=(first, *(model for model in view.trainer.models if model != first)),
        )

    def settled(self, request: ImageRequest) -> ImageRequest:
        """The request with a model that draws with this finetune, and its usual strength where none is said.

        A base model stands for its sibling that draws with a finetune.

        Raises:
            Refused: the model does not draw with it.
        """
        model = catalogue.find(request.model) if request.model else catalogue.find(self.models[0])
        if not model.finetuned:
            model = catalogue.with_finetune(model) or model
        if model.key not in self.models:
            labels = ", ".join(catalogue.find(key).label for key in self.models)
            raise Refused(f"{model.label} does not draw with “{self.name}”. What does: {labels}.")
        parameters = dict(request.parameters)
        strength = model.parameter(STRENGTH)
        if strength is None and STRENGTH in parameters:
            raise Refused(f"“{self.name}” has no strength to set: its trainer does not offer one.")
        if strength is not None and request.sweep is None:
            usual = self.strength if self.strength is not None else strength.default
            if usual is not None:
                parameters.setdefault(STRENGTH, usual)
        return request.model_copy(update={"model": model.key, "parameters": parameters, "finetune_name": self.name})


def count_of(request: ImageRequest) -> int:
    """How many pictures a request stands for.

    Raises:
        Refused: too many, or too few.
    """
    if request.sweep is None:
        if not 1 <= request.count <= MOST_PICTURES:
            raise Refused(f"The count must be between 1 and {MOST_PICTURES}.")
        return request.count
    count = len(request.sweep.strengths) * len(request.sweep.seeds)
    if not 2 <= count <= MOST_SWEPT:
        raise Refused(f"A comparison has 2 to {MOST_SWEPT} pictures: strengths times seeds. This would be {count}.")
    return count


def generations(request: ImageRequest, loaded: Loaded | None) -> list[Generation]:
    """One for each picture, in the order of their positions; a sweep goes through its seeds for each strength."""
    if request.sweep is not None:
        return [
            _generation(request, loaded, {"seed": seed, STRENGTH: strength})
            for strength in request.sweep.strengths
            for seed in request.sweep.seeds
        ]
    return [_generation(request, loaded, {"seed": seed} if seed is not None else {}) for seed in _seeds(request)]


def specimen(request: ImageRequest, loaded: Loaded | None, *, inputs: dict[str, str] | None = None) -> Generation:
    """One of its pictures, to check and to price them all by."""
    more: dict[str, bool | int | float | str] = {"seed": request.seed} if request.seed is not None else {}
    if request.sweep is not None:
        more = {"seed": request.sweep.seeds[0], STRENGTH: max(request.sweep.strengths)}
    found = _generation(request, loaded, more)
    return found.model_copy(update={"inputs": found.inputs | (inputs or {})})


def chosen_seeds(model: str, count: int) -> tuple[int, ...]:
    """Seeds of chance, one after the other, so that they can be named."""
    seed = catalogue.find(model).parameter("seed")
    if seed is None or seed.maximum is None:
        raise Refused("That model has no seeds, so strengths cannot be compared on the same ones.")
    span = int(seed.maximum) + 1
    first = secrets.randbelow(span)
    return tuple((first + position) % span for position in range(count))


def sweep_of(strengths: list[float], seeds: tuple[int, ...]) -> Sweep:
    """
    Raises:
        Refused: a strength comes twice.
    """
    if len(set(strengths)) != len(strengths):
        raise Refused("Each strength is compared once.")
    return Sweep(strengths=tuple(strengths), seeds=seeds)


def _generation(request: ImageRequest, loaded: Loaded | None, more: dict[str, bool | int | float | str]) -> Generation:
    prompt = request.prompt
    if loaded is not None:
        prompt = with_trigger(
            prompt, trigger=loaded.ref.trigger, subject=loaded.subject, description=loaded.description
        )
    return Generation(
        model=request.model,
        prompt=prompt,
        parameters=request.parameters | more,
        inputs=request.inputs,
        finetune=loaded.ref if loaded else None,
    )


def _seeds(request: ImageRequest) -> list[int | None]:
    """One a picture. Chosen here and not by the provider, so that they are known even where it does not tell."""
    seed = catalogue.find(request.model).parameter("seed")
    if seed is None or seed.maximum is None:
        return [None] * request.count
    span = int(seed.maximum) + 1
    first = request.seed if request.seed is not None else secrets.randbelow(span)
    return [(first + position) % span for position in range(request.count)]
