"""Who trains finetunes, of what, with which settings and for how much: what is decided before anybody is asked.

Ranges and defaults: BFL's OpenAPI of February 2025 and its finetuning guide; docs.astria.ai; Vimmerse's OpenAPI. Where
a provider names no range, the one here is ours and says so.
"""

import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bot.errors import Refused
from bot.providers.interface import MicroUSD
from bot.providers.models import CREDIT
from bot.providers.parameters import Kind, Parameter, Seconds, Value
from bot.providers.training import FinetuneSpec, Subject

MOST_PICTURES = 20
"""Of a training set: BFL's limit, and ours for the others."""
LONGEST_TRIGGER = 40
"""Characters; ours."""
ASTRIA_STEP = 5_000
"""Micro-USD a step: 500 millicents, as on real bills of 2024 and 2025 (300 steps for $1.50)."""

MOST_INSTRUCTION = 300
"""Characters; ours."""

USUAL_CLASSES = {Subject.CHARACTER: "character", Subject.PRODUCT: "product", Subject.STYLE: "style"}
"""The noun where a member names none."""
_TRIGGER = re.compile(r"[^\W_]+(?:[ _-][^\W_]+)*")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,23}")
_CLASS = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,3}")

Price = Callable[[Mapping[str, Value], int], MicroUSD | None]
"""Of a training, from its checked settings and the number of its pictures; None where nobody outside knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """One way to train a finetune."""

    key: str
    provider: str
    label: str
    good_for: str
    parameters: tuple[Parameter, ...]
    iterations: str
    """Which of the parameters says how long to train."""
    models: tuple[str, ...]
    """Keys of the models that draw with it, the usual one first."""
    price: Price
    seconds: Seconds
    """How long a training takes before this server has its own history; guesses where no source is named."""
    subjects: tuple[Subject, ...] = tuple(Subject)
    regions: tuple[str, ...] = ()
    fewest: int = 1
    """Pictures."""
    advised: int = 6
    """Pictures from which on it works well."""
    least_side: int | None = None
    """Pixels of a picture's shorter side below which the trainer refuses it or trains badly."""
    pairs: bool = False
    """Pictures come as start and end, and an instruction says what leads from one to the other."""
    captions: bool = True
    usual_trigger: str = "TOK"
    prefix: bool = False
    """The trainer makes up the trigger word; ours is its beginning."""
    class_needed: bool = False
    classes: tuple[str, ...] = ()
    """Class names to suggest; any other noun may be typed."""
    lifetime: float | None = None
    """Seconds from the end of the training until the provider deletes the finetune."""
    deletes: bool = True
    """It deletes a finetune when it is asked to."""
    withdrawn: bool = False
    """The provider has announced that it trains nothing any more; an older server may."""

    def parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


def _choice(name: str, label: str, default: str | None, text: str, *choices: str) -> Parameter:
    return Parameter(name=name, label=label, kind=Kind.CHOICE, choices=choices, default=default, help=text)


def _switch(name: str, label: str, text: str, *, default: bool) -> Parameter:
    return Parameter(name=name, label=label, kind=Kind.BOOLEAN, default=default, help=text)


def _count(name: str, label: str, lowest: int, highest: int, default: int | None, text: str) -> Parameter:
    return Parameter(
        name=name, label=label, kind=Kind.INTEGER, minimum=lowest, maximum=highest, default=default, help=text
    )


def _bfl_price(parameters: Mapping[str, Value], _pictures: int) -> MicroUSD:
    """docs.bfl.ml/quick_start/pricing, 2025."""
    iterations = int(parameters.get("iterations", 300))
    return MicroUSD((200 if iterations < 150 else 400 if iterations <= 500 else 600) * CREDIT)


def _astria_price(parameters: Mapping[str, Value], pictures: int) -> MicroUSD:
    """27 steps a picture with a preset, 100 without, at least 300 (docs.astria.ai); the price of a step as billed."""
    if parameters.get("branch") == "fast":
        return MicroUSD(0)
    each = 100 if parameters.get("preset") == "none" else 27
    return MicroUSD(int(parameters.get("steps", max(300, each * pictures))) * ASTRIA_STEP)


def _unknown_price(_parameters: Mapping[str, Value], _pictures: int) -> None:
    """Vimmerse publishes no prices."""


BFL = Trainer(
    key="bfl",
    provider="bfl",
    label="Black Forest Labs",
    good_for="Withdrawn on 31 October 2025, older servers only: FLUX [pro] and Ultra, with outlines, depth and "
    "filling.",
    parameters=(
        _count(
            "iterations",
            "Iterations",
            100,
            1000,
            300,
            "100 to 150 to explore quickly; more than 300 for complex things, many pictures or great precision.",
        ),
        Parameter(
            name="learning_rate",
            label="Learning rate",
            kind=Kind.NUMBER,
            minimum=1e-6,
            maximum=0.005,
            help="Lower may be better and needs more iterations. Usually 0.00001, and 0.0001 for lora.",
        ),
        _choice(
            "priority", "Priority", "quality", "speed makes each step faster.", "speed", "quality", "high_res_only"
        ),
        _switch(
            "captioning", "Captioning", "Describe the pictures automatically where you wrote no caption.", default=True
        ),
        _choice(
            "finetune_type",
            "Finetune type",
            "full",
            "full trains everything and extracts a LoRA; lora trains a LoRA directly.",
            "full",
            "lora",
        ),
        _choice("lora_rank", "LoRA rank", "32", "16 trains and loads faster.", "16", "32"),
    ),
    iterations="iterations",
    models=(
        "flux-pro-1.1-ultra-finetuned",
        "flux-pro-finetuned",
        "flux-pro-1.0-depth-finetuned",
        "flux-pro-1.0-canny-finetuned",
        "flux-pro-1.0-fill-finetuned",
    ),
    price=_bfl_price,
    seconds=Seconds(900, 2400, 7200),
    regions=("us1", "eu1"),
    withdrawn=True,
)

ASTRIA = Trainer(
    key="astria",
    provider="astria",
    label="Astria",
    good_for="People, animals, things and styles on FLUX.1 [dev], in about ten minutes. Kept for 30 days.",
    parameters=(
        _count(
            "steps", "Steps", 100, 10_000, None, "Leave it out: 27 for each picture, at least 300. The range is ours."
        ),
        _choice(
            "preset",
            "Preset",
            "flux-lora-portrait",
            "portrait for people; focus for other things; none for styles, with more steps.",
            "flux-lora-portrait",
            "flux-lora-focus",
            "flux-lora-fast",
            "none",
        ),
        _switch("face_crop", "Crop faces", "Add close-ups of the faces it finds.", default=False),
        _switch(
            "training_face_correct", "Sharpen faces", "Enhance faces on the pictures before training.", default=False
        ),
        _switch("auto_extend", "Keep it", "Keep it beyond 30 days, for a monthly fee.", default=False),
        _choice("branch", "Branch", "flux1", "fast is Astria's free mock: its pictures are not real.", "flux1", "fast"),
    ),
    iterations="steps",
    models=("astria-flux",),
    price=_astria_price,
    seconds=Seconds(280, 420, 1500),  # created 19:42, trained 19:47, its own guess 19:52 (a real tune of June 2025)
    fewest=4,
    least_side=512,
    usual_trigger="ohwx",
    class_needed=True,
    classes=("man", "woman", "boy", "girl", "couple", "cat", "dog", "product", "style"),
    lifetime=30 * 86_400.0,
)


def _vimmerse(key: str, label: str, good_for: str, *models: str, pairs: bool = False) -> Trainer:
    return Trainer(
        key=key,
        provider="vimmerse",
        label=label,
        good_for=good_for,
        parameters=(
            _count("num_iterations", "Iterations", 0, 10_000, 0, "0 lets the trainer decide. The range is ours."),
        ),
        iterations="num_iterations",
        models=models,
        price=_unknown_price,
        seconds=Seconds(900, 2400, 7200),
        subjects=(Subject.GENERAL,) if pairs else tuple(Subject),
        fewest=2 if pairs else 1,
        advised=8 if pairs else 6,
        pairs=pairs,
        captions=False,
        deletes=False,
        usual_trigger="MYLORA",
        prefix=True,
    )


TRAINERS = (
    ASTRIA,
    _vimmerse(
        "vimmerse-flux",
        "Vimmerse FLUX",
        "FLUX.1 [dev], with next to nothing to decide. No strength, no seeds.",
        "vimmerse-flux",
    ),
    _vimmerse(
        "vimmerse-flux-pro",
        "Vimmerse FLUX Pro",
        "FLUX [pro], with next to nothing to decide. No strength, no seeds.",
        "vimmerse-flux",
    ),
    _vimmerse(
        "vimmerse-kontext",
        "Vimmerse Kontext",
        "One kind of edit, learned from pairs of pictures: before and after.",
        "vimmerse-kontext",
        pairs=True,
    ),
    BFL,
)
"""The first that is set up, and not withdrawn, is the usual one."""

LABELS: Mapping[str, str] = {"bfl": "Black Forest Labs", "astria": "Astria", "vimmerse": "Vimmerse"}
"""What the providers are called."""

OPTIONS: Mapping[str, str] = {
    "vimmerse-flux": "FluxFinetune",
    "vimmerse-flux-pro": "FluxProFinetune",
    "vimmerse-kontext": "FluxKontextFinetune",
}
"""Vimmerse's own names of its three trainers."""

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
    there = [trainer for trainer in TRAINERS if trainer.provider in providers]
    return sorted(there, key=lambda trainer: trainer.withdrawn)


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
    if trainer is ASTRIA and spec.subject is Subject.STYLE and not spec.pack:
        parameters.setdefault("preset", "none")  # portrait, the usual one, is "not for style" (docs.astria.ai)
    return spec.model_copy(
        update={
            "parameters": parameters,
            "region": region,
            "trigger": _checked_trigger(trainer, spec.trigger),
            "class_name": _checked_class(spec.class_name) or USUAL_CLASSES.get(spec.subject, ""),
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


def adapted(spec: FinetuneSpec, trainer: Trainer) -> FinetuneSpec:
    """The same for another trainer: what that one does not know is left out, the number of iterations too."""
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


def learning_rate(parameters: Mapping[str, Value]) -> float:
    """BFL's default, which depends on the type: what works for one is ten times wrong for the other."""
    return 1e-4 if parameters.get("finetune_type") == "lora" else 1e-5


def expected(trainer: Trainer, parameters: Mapping[str, Value]) -> Seconds:
    """How long the training takes, by the number of iterations where the member chose one."""
    usual = trainer.parameter(trainer.iterations)
    chosen = parameters.get(trainer.iterations)
    base = float(usual.default or 300) if usual and usual.default else 300.0
    factor = math.sqrt(max(float(chosen), 1.0) / base) if chosen else 1.0  # part of it is fixed: loading, captioning
    return Seconds(*(factor * each for each in (trainer.seconds.p10, trainer.seconds.p50, trainer.seconds.p90)))


def _checked_trigger(trainer: Trainer, typed: str) -> str:
    trigger = " ".join(typed.split()) or trainer.usual_trigger
    if trainer.prefix and not _PREFIX.fullmatch(trigger):
        raise Refused(
            f"{trainer.label} makes up the trigger word from a beginning of 3 to 24 letters, digits and _; "
            "it begins with a letter."
        )
    if len(trigger) > LONGEST_TRIGGER or not _TRIGGER.fullmatch(trigger):
        raise Refused(f"A trigger word has letters and digits, spaces or - between them: at most {LONGEST_TRIGGER}.")
    return trigger


def _checked_class(typed: str) -> str:
    name = " ".join(typed.split()).lower()
    if name and (len(name) > 40 or not _CLASS.fullmatch(name)):
        raise Refused("The class is a plain noun, such as “woman”, “cat” or “coffee cup”.")
    return name
