"""What several cards of finetunes say in the same words."""

from collections.abc import Iterable

from bot.cards.base.layout import CardFile
from bot.cards.base.lines import charged
from bot.cards.base.words import counted, duration, escaped, listed, money, quoted, sentence, shortened
from bot.errors import Refused
from bot.providers import catalogue, trainers
from bot.providers.parameters import Parameter
from bot.providers.training import TrainedSubject
from bot.workflows.base.files import FilePaths
from bot.workflows.base.types import DAY
from bot.workflows.finetuning.types import STRENGTH, FinetuneView, usual_model
from storage.base.jobs import Job, State
from storage.finetuning.training_images import TrainingImage

DIGEST = 12
"""Characters of the digest that a button carries: a start is bound to what the card shows."""
NAME = 60
"""Characters of a finetune's name."""
MOST_SAMPLES = 4
MOST_PEOPLE = 8

_SUBJECTS = {
    TrainedSubject.CHARACTER: "a character",
    TrainedSubject.PRODUCT: "a product",
    TrainedSubject.STYLE: "a style",
    TrainedSubject.GENERAL: "anything",
}
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def name_of(view: FinetuneView) -> str:
    return quoted(view.finetune.name, NAME)


def code(text: str, limit: int = 120) -> str:
    """Text between backticks, from which it cannot get out."""
    return f"`{shortened(' '.join(text.replace('`', 'ʼ').split()), limit) or ' '}`"


def shown_subject(view: FinetuneView) -> str:
    """The subject of a button that is good only for what its card shows."""
    return f"{view.finetune.id}:{view.digest[:DIGEST]}"


def within(lines: Iterable[str], *, room: int, most: int, more: str) -> list[str]:
    """The first lines that fit in `room` characters, and how many there are besides: “and 3 more findings”."""
    every = list(lines)
    kept: list[str] = []
    for line in every[:most]:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(every) - len(kept)
    return [*kept, f"-# and {counted(left, f'more {more}')}"] if left else kept


def roughly(seconds: float) -> str:
    """How long a training takes, without false precision: “40 min”, “2 h”, “1 h 30 min”, “3 days”."""
    if seconds >= 2 * DAY:
        return duration(round(seconds / DAY) * DAY)
    minutes = max(round(seconds / 60), 1)
    if minutes >= 60:
        minutes = round(minutes / 5) * 5
    hours, minutes = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])


def subject_of(view: FinetuneView) -> str:
    """“a character (woman), by Astria”."""
    named = view.spec.class_name not in {"", view.spec.subject.value}
    noun = f" ({quoted(view.spec.class_name, 40)})" if named else ""
    return f"{_SUBJECTS[view.spec.subject]}{noun}"


def what_of(view: FinetuneView) -> str:
    """“a finetune of a character (woman)”; of no kind in particular, it is just “a finetune”."""
    if view.spec.subject is not TrainedSubject.GENERAL:
        return f"a finetune of {subject_of(view)}"
    return f"a finetune ({quoted(view.spec.class_name, 40)})" if view.spec.class_name else "a finetune"


def trigger_of(view: FinetuneView) -> str:
    """What stands in a prompt for it; the trainer's own word where that is known."""
    if view.ref and view.ref.trigger:
        return code(view.ref.trigger, 80)
    joined = f"{view.spec.trigger} {view.spec.class_name}" if view.trainer.class_needed else view.spec.trigger
    return code(joined, 90)


def price_of(view: FinetuneView) -> str:
    if view.price is None:
        return "price not published"
    return f"about {money(view.price)}" if view.price else "free"


def once_more(view: FinetuneView) -> str:
    """What it means to train again what may be charged already, in a sentence."""
    if view.price is None:
        return "Training it again may cost the same once more; nobody here knows how much."
    if not view.price:
        return "Training it again is free."
    return f"Training it again may cost the same once more: {price_of(view)}."


def duration_of(view: FinetuneView) -> str:
    seconds = trainers.expect_seconds(view.trainer, view.spec.parameters)
    return f"usually {roughly(seconds.p50)}, at most {roughly(seconds.p90)}"


def settings_of(view: FinetuneView) -> list[str]:
    """The settings that are not the trainer's usual ones."""
    settings: list[str] = []
    for name, value in view.spec.parameters.items():
        parameter = view.trainer.parameter(name)
        if parameter is None or value != parameter.default:
            shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            settings.append(f"{escaped(parameter.label if parameter else shortened(name, 30))} {code(shown, 30)}")
    if view.spec.region and view.spec.region != next(iter(view.trainer.regions), None):
        settings.append(f"region {code(view.spec.region, 20)}")
    if view.spec.pack:
        settings.append(f"pack {code(view.spec.pack, 40)}")
    return settings


def contributors_of(view: FinetuneView) -> str:
    """“12 pictures, of <@1> (10) and <@2> (2)”."""
    people = view.contributors
    counts = [f"<@{who}> ({len(given_by(view, who))})" for who in people[:MOST_PEOPLE]]
    if len(people) > MOST_PEOPLE:
        counts.append(counted(len(people) - MOST_PEOPLE, "other member"))
    whose = f"<@{people[0]}>" if len(people) == 1 else listed(counts)
    return f"{counted(len(view.pictures))}, from {whose}" if people else "no pictures"


def given_by(view: FinetuneView, user_id: int) -> list[TrainingImage]:
    return [picture for picture in view.pictures if picture.contributor_id == user_id]


def sheet_of(view: FinetuneView, paths: FilePaths) -> tuple[CardFile, ...]:
    """The contact sheet of the training set, where there is one, and it is still on the disk."""
    if view.finetune.sheet is None or not paths.path(view.finetune.sheet).exists():
        return ()
    return (
        CardFile(
            path=paths.path(view.finetune.sheet),
            filename=f"{view.finetune.id}-set.jpg",
            spoiler=False,
            description=f"The {counted(len(view.pictures))} of the training set, numbered, as they will be used",
        ),
    )


def samples_of(view: FinetuneView, paths: FilePaths) -> tuple[CardFile, ...]:
    """What the trainer has drawn with it, as far as it is still on the disk."""
    return tuple(
        CardFile(
            path=paths.path(sample.sha256),
            filename=f"{view.finetune.id}-sample-{number}.{_EXTENSIONS.get(sample.media_type, 'jpg')}",
            spoiler=False,
            description=f"Sample {number}, drawn by the trainer with this finetune",
        )
        for number, sample in enumerate(view.samples[:MOST_SAMPLES], 1)
        if paths.path(sample.sha256).exists()
    )


def strength_of(view: FinetuneView) -> Parameter | None:
    """The strength of its usual model; None where that has none."""
    try:
        return catalogue.find(usual_model(view)).parameter(STRENGTH)
    except Refused:
        return None


def failure_of(view: FinetuneView) -> list[str]:
    """What the last try came to, and whether it was charged."""
    why, training = view.progress.inferred, view.training
    if not why:
        return []
    reason = sentence(why, 300)
    return [f"**The last training failed.** {reason}", cost_of_try(training)] if training else [reason]


def cost_of_try(training: Job | None) -> str:
    """Whether a try was charged. What was cancelled never was."""
    if training is None or training.state is State.CANCELLED:
        return "Nothing was charged."
    if training.state is State.FAILED and training.cost_actual is None:
        return "Whether it was charged is not known: the admin can look."
    return charged(training.cost_actual)


def card_link(view: FinetuneView) -> str | None:
    job = view.job
    if job.message_id is None:
        return None
    return f"[Its card](https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id})"


def introduction(view: FinetuneView) -> list[str | None]:
    """What is trained, by whom and where, and what will stand for it in prompts."""
    trainer = view.trainer
    if trainer.prefix:
        where = f"begins with {code(view.spec.trigger, 60)}: {escaped(trainer.label)} makes up the rest"
    else:
        where = trigger_of(view)
    return [
        f"<@{view.finetune.owner_id}> makes {what_of(view)} with {escaped(trainer.label)}.",
        f"Its trigger word {'' if trainer.prefix else 'is '}{where}. The bot puts it into every prompt by itself.",
        f"It learns to: {quoted(view.spec.instruction, 150)}" if view.spec.instruction else None,
    ]
