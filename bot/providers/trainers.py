"""Which trainer, and whether it can do what is wanted: everything that is decided before a trainer is asked."""

import difflib
import math
import re
from collections.abc import Collection, Mapping

from bot.errors import Refused
from bot.providers.interface import MicroUSD
from bot.providers.parameters import Seconds, Value
from bot.providers.trainer_entries import ASTRIA, MOST_PICTURES, TRAINERS, Trainer
from bot.providers.training import FinetuneSpec, TrainedSubject

LONGEST_TRIGGER = 40
"""Characters. The limit is the bot's own."""
MOST_INSTRUCTION = 300
"""Characters. The limit is the bot's own."""
USUAL_CLASSES = {
    TrainedSubject.CHARACTER: "character",
    TrainedSubject.PRODUCT: "product",
    TrainedSubject.STYLE: "style",
}
"""The class noun of a subject where a member gives none."""
_TRIGGER = re.compile(r"[^\W_]+(?:[ _-][^\W_]+)*")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,23}")
_CLASS = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,3}")

_TRAINERS = {trainer.key: trainer for trainer in TRAINERS}


def find(key: str) -> Trainer:
    """
    Raises:
        Refused: there is no such trainer.
    """
    if trainer := _TRAINERS.get(key):
        return trainer
    near = difflib.get_close_matches(key[:100], _TRAINERS, n=1)
    raise Refused("There is no such trainer." + (f" Did you mean {_TRAINERS[near[0]].label}?" if near else ""))


def offered(providers: Collection[str]) -> list[Trainer]:
    """The trainers of the providers that are set up, the usual one first."""
    trainers = [trainer for trainer in TRAINERS if trainer.provider in providers]
    return sorted(trainers, key=lambda trainer: trainer.withdrawn)


def choices(name: str) -> list[str]:
    """All values that any trainer offers for its parameter of this name."""
    parameters = (trainer.parameter(name) for trainer in TRAINERS)
    return list(dict.fromkeys(choice for parameter in parameters if parameter for choice in parameter.choices))


def regions() -> list[str]:
    """All regions in which any trainer trains."""
    return list(dict.fromkeys(region for trainer in TRAINERS for region in trainer.regions))


def classes() -> list[str]:
    """The class names that any trainer suggests."""
    return list(dict.fromkeys(name for trainer in TRAINERS for name in trainer.classes))


def check(spec: FinetuneSpec, *, pictures: int) -> FinetuneSpec:
    """The spec as it will be ordered. Where `check_settings` lets a draft pass, this asks for what is missing.

    Raises:
        Refused: with one sentence, naming what is accepted.
    """
    trainer = find(spec.trainer)
    check_count(trainer, pictures)
    spec = check_settings(spec)
    if trainer.class_needed and not spec.class_name:
        classes = ", ".join(trainer.classes[:4])
        raise Refused(f"{trainer.label} wants to know the noun of what it trains, such as {classes}.")
    if trainer.pairs and not spec.instruction:
        raise Refused(
            "Say what the edit is that leads from each first picture to its second, such as “turn the car red”."
        )
    return spec


def check_settings(spec: FinetuneSpec) -> FinetuneSpec:
    """The spec with every setting in its own type and range, and the trigger word trimmed.

    Raises:
        Refused: with one sentence, naming what is accepted.
    """
    trainer = find(spec.trainer)
    if spec.subject not in trainer.subjects:
        raise Refused(f"{trainer.label} trains edits: choose “{trainer.subjects[0]}” as what it is.")
    region = spec.region or next(iter(trainer.regions), None)
    if region not in (trainer.regions or (None,)):
        where = f"trains in {' or '.join(trainer.regions)}" if trainer.regions else "has no regions to choose from"
        raise Refused(f"{trainer.label} {where}.")
    if spec.pack:
        _check_pack(trainer, spec)
    if len(spec.instruction) > MOST_INSTRUCTION:
        raise Refused(f"The edit is described in at most {MOST_INSTRUCTION} characters.")
    parameters: dict[str, Value] = {}
    for name, value in spec.parameters.items():
        parameter = trainer.parameter(name)
        if parameter is None:
            raise Refused(f"{trainer.label} has no {name[:40].replace('_', ' ')!r} setting.")
        parameters[name] = parameter.read(value)
    if trainer is ASTRIA and spec.subject is TrainedSubject.STYLE and not spec.pack:
        parameters.setdefault("preset", "none")  # portrait, the usual one, is "not for style" (docs.astria.ai)
    return spec.model_copy(
        update={
            "parameters": parameters,
            "region": region,
            "trigger": _check_trigger(trainer, spec.trigger),
            "class_name": _check_class(spec.class_name) or USUAL_CLASSES.get(spec.subject, ""),
            "instruction": spec.instruction.strip(),
        }
    )


def _check_pack(trainer: Trainer, spec: FinetuneSpec) -> None:
    if trainer is not ASTRIA:
        raise Refused("Only Astria has packs.")
    if spec.trigger not in {"", ASTRIA.usual_trigger}:
        raise Refused("A pack has a trigger word of its own: leave yours out.")
    for name in spec.parameters:
        parameter = ASTRIA.parameter(name)
        label = parameter.label if parameter else name[:40]
        raise Refused(f"A pack decides by itself about “{label}”: leave it out.")


def adapt(spec: FinetuneSpec, trainer: Trainer) -> FinetuneSpec:
    """The spec for another trainer, without the settings that it does not have and without the number of iterations."""
    trigger = spec.trigger
    if trainer.prefix and not _PREFIX.fullmatch(trigger):
        trigger = re.sub(r"[^A-Za-z0-9_]", "", trigger.replace(" ", "_").replace("-", "_"))[:24]
        trigger = trigger if _PREFIX.fullmatch(trigger) else ""
    subject = spec.subject if spec.subject in trainer.subjects else trainer.subjects[0]
    return check_settings(
        spec.model_copy(
            update={
                "trainer": trainer.key,
                "parameters": {},
                "region": None,
                "trigger": trigger,
                "subject": subject,
                "pack": None,
                "pack_cost": None,
            }
        )
    )


def check_count(trainer: Trainer, pictures: int) -> None:
    """
    Raises:
        Refused: too few or too many pictures for this trainer.
    """
    if pictures < trainer.fewest:
        raise Refused(f"{trainer.label} needs at least {trainer.fewest} pictures; there are {pictures}.")
    if pictures > MOST_PICTURES:
        raise Refused(f"A training set has at most {MOST_PICTURES} pictures; there are {pictures}.")
    if trainer.pairs and pictures % 2:
        raise Refused(
            f"{trainer.label} learns from pairs, before and after: there are {pictures} pictures, one is alone."
        )


def estimate(spec: FinetuneSpec, *, pictures: int) -> MicroUSD | None:
    """What a checked training should cost, a pack's pictures with it; None where its trainer publishes no prices."""
    trainer = find(spec.trainer)
    # What a pack trains with is its own affair; without a preset it would be the most steps.
    price = trainer.price({"preset": "none"} if spec.pack else spec.parameters, pictures)
    return None if price is None else MicroUSD(price + (spec.pack_cost or 0))


def expect_seconds(trainer: Trainer, parameters: Mapping[str, Value]) -> Seconds:
    """How long the training takes, by the number of iterations where the member chose one."""
    usual = trainer.parameter(trainer.iterations)
    chosen = parameters.get(trainer.iterations)
    base = float(usual.default or 300) if usual and usual.default else 300.0
    factor = math.sqrt(max(float(chosen), 1.0) / base) if chosen else 1.0  # part of it is fixed: loading, captioning
    return Seconds(*(factor * each for each in (trainer.seconds.p10, trainer.seconds.p50, trainer.seconds.p90)))


def _check_trigger(trainer: Trainer, typed: str) -> str:
    trigger = " ".join(typed.split()) or trainer.usual_trigger
    if trainer.prefix and not _PREFIX.fullmatch(trigger):
        raise Refused(
            f"{trainer.label} makes up the trigger word from a beginning of 3 to 24 letters, digits and _; "
            "it begins with a letter."
        )
    if len(trigger) > LONGEST_TRIGGER or not _TRIGGER.fullmatch(trigger):
        raise Refused(f"A trigger word has letters and digits, spaces or - between them: at most {LONGEST_TRIGGER}.")
    return trigger


def _check_class(typed: str) -> str:
    name = " ".join(typed.split()).lower()
    if name and (len(name) > 40 or not _CLASS.fullmatch(name)):
        raise Refused("The class is a plain noun, such as “woman”, “cat” or “coffee cup”.")
    return name
