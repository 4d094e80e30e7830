"""Who trains finetunes, of what, with which settings and for how much, as data: a new trainer is one entry.

Ranges and defaults: BFL's OpenAPI of February 2025 and its finetuning guide; docs.astria.ai; Vimmerse's OpenAPI. Where
a provider names no range, the one here is ours and says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.providers.bfl.models import CREDIT
from bot.providers.interface import MicroUSD
from bot.providers.parameters import Kind, Parameter, Seconds, Value
from bot.providers.training import TrainedSubject

MOST_PICTURES = 20
"""Pictures of a training set. BFL names this limit; for the others it is the bot's own."""
ASTRIA_STEP = 5_000
"""Micro-USD a step: 500 millicents, as on real bills of 2024 and 2025 (300 steps for $1.50)."""


Price = Callable[[Mapping[str, Value], int], MicroUSD | None]
"""Of a training, from its checked settings and the number of its pictures; None where it is not published."""


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
    subjects: tuple[TrainedSubject, ...] = tuple(TrainedSubject)
    regions: tuple[str, ...] = ()
    fewest: int = 1
    """Pictures that the trainer needs at least."""
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
    option: str | None = None
    """The provider's own name of this trainer, where it has several."""
    failures_are_free: bool = False
    """A training that failed is not charged."""
    errors_believed_after: int = 3
    """Looks in a row that must find an error before it counts."""
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
    failures_are_free=True,  # only a task that is Ready consumes credits (help.bfl.ai)
    errors_believed_after=3,  # queued trainings were seen to say Error and to go on
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


def _vimmerse(key: str, option: str, label: str, good_for: str, *models: str, pairs: bool = False) -> Trainer:
    return Trainer(
        key=key,
        option=option,
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
        subjects=(TrainedSubject.GENERAL,) if pairs else tuple(TrainedSubject),
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
        "FluxFinetune",
        "Vimmerse FLUX",
        "FLUX.1 [dev], with next to nothing to decide. No strength, no seeds.",
        "vimmerse-flux",
    ),
    _vimmerse(
        "vimmerse-flux-pro",
        "FluxProFinetune",
        "Vimmerse FLUX Pro",
        "FLUX [pro], with next to nothing to decide. No strength, no seeds.",
        "vimmerse-flux",
    ),
    _vimmerse(
        "vimmerse-kontext",
        "FluxKontextFinetune",
        "Vimmerse Kontext",
        "One kind of edit, learned from pairs of pictures: before and after.",
        "vimmerse-kontext",
        pairs=True,
    ),
    BFL,
)
"""The first that is set up, and not withdrawn, is the usual one."""

LABELS: Mapping[str, str] = {"bfl": "Black Forest Labs", "astria": "Astria", "vimmerse": "Vimmerse"}
"""Names of the providers for people, by the provider's key."""
