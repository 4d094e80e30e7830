"""Makes of a request the orders of its pictures: seeds, strengths, and the finetune with its trigger word."""

import secrets
from dataclasses import dataclass

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import FinetuneRef, Generation
from bot.providers.parameters import Model, Value
from bot.providers.prompting import with_trigger
from bot.providers.training import TrainedSubject
from bot.workflows.community.limits import MOST_PICTURES
from bot.workflows.drawing.types import MOST_SWEPT, ImageRequest, Sweep
from bot.workflows.finetuning.choices import finetuned_models
from bot.workflows.finetuning.types import STRENGTH, FinetuneView


@dataclass(frozen=True)
class FinetuneInUse:
    """What of a finetune goes into its pictures."""

    name: str
    ref: FinetuneRef
    subject: TrainedSubject
    description: str
    strength: float | None
    models: tuple[Model, ...]
    """What draws with it, the usual one first."""

    @classmethod
    def of(cls, view: FinetuneView) -> "FinetuneInUse":
        assert view.ref, "a finetune that is ready is somewhere"
        return cls(
            name=view.finetune.name,
            ref=view.ref,
            subject=view.spec.subject,
            description=view.finetune.description,
            strength=view.finetune.strength,
            models=tuple(finetuned_models(view)),
        )

    def complete(self, request: ImageRequest) -> ImageRequest:
        """The request with a model that draws with this finetune, and with its usual strength where it names none.

        A base model is replaced by its sibling that draws with a finetune.

        Raises:
            Refused: the model does not draw with it.
        """
        model = catalogue.find(request.model) if request.model else self.models[0]
        if not model.finetuned:
            model = catalogue.with_finetune(model) or model
        if model not in self.models:
            labels = ", ".join(each.label for each in self.models)
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


def count_pictures(request: ImageRequest) -> int:
    """How many pictures a request asks for.

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


def generations_of(request: ImageRequest, finetune: FinetuneInUse | None) -> list[Generation]:
    """One for each picture, in the order of their positions; a sweep goes through its seeds for each strength."""
    if request.sweep is not None:
        return [
            _generation(request, finetune, {"seed": seed, STRENGTH: strength})
            for strength in request.sweep.strengths
            for seed in request.sweep.seeds
        ]
    return [_generation(request, finetune, {"seed": seed} if seed is not None else {}) for seed in _seeds(request)]


def specimen(
    request: ImageRequest, finetune: FinetuneInUse | None, *, inputs: dict[str, str] | None = None
) -> Generation:
    """One of its pictures, to check and to price them all by."""
    more: dict[str, Value] = {"seed": request.seed} if request.seed is not None else {}
    if request.sweep is not None:
        more = {"seed": request.sweep.seeds[0], STRENGTH: max(request.sweep.strengths)}
    generation = _generation(request, finetune, more)
    return generation.model_copy(update={"inputs": generation.inputs | (inputs or {})})


def choose_seeds(model: str, count: int) -> tuple[int, ...]:
    """Seeds of chance, one after the other, so that they can be named.

    Raises:
        Refused: the model has none.
    """
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


def _generation(request: ImageRequest, finetune: FinetuneInUse | None, more: dict[str, Value]) -> Generation:
    prompt = request.prompt
    if finetune is not None:
        prompt = with_trigger(
            prompt, trigger=finetune.ref.trigger, subject=finetune.subject, description=finetune.description
        )
    return Generation(
        model=request.model,
        prompt=prompt,
        parameters=request.parameters | more,
        inputs=request.inputs,
        finetune=finetune.ref if finetune else None,
    )


def _seeds(request: ImageRequest) -> list[int | None]:
    """One a picture. Chosen here and not by the provider, so that they are known even where it does not tell."""
    seed = catalogue.find(request.model).parameter("seed")
    if seed is None or seed.maximum is None:
        return [None] * request.count
    span = int(seed.maximum) + 1
    first = request.seed if request.seed is not None else secrets.randbelow(span)
    return [(first + position) % span for position in range(request.count)]
