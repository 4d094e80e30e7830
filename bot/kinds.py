"""The kinds of jobs and of questions: one row each. A new kind is a row here, and the files that it names."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bot.cards.base.faces import Face, Faces, QuestionFace
from bot.cards.drawing.card import image_card, request_card
from bot.cards.drawing.review import spending_review_card
from bot.cards.finetuning.card import finetune_card
from bot.cards.finetuning.news import finetune_news
from bot.cards.finetuning.review import consent_review_card, training_review_card
from bot.cards.registering.card import registration_card
from bot.cards.registering.news import registration_news
from bot.cards.registering.review import registration_review_card
from bot.jobs.journal import Journal
from bot.jobs.worker import PAID_WAIT, Outcome, Recipe
from bot.workflows.base.cards import Load, Views
from bot.workflows.base.files import FilePaths
from bot.workflows.drawing.feature import Drawing
from bot.workflows.drawing.verbs import apply_decision_on_spending, is_lenient
from bot.workflows.finetuning.feature import Finetuning
from bot.workflows.finetuning.starting import apply_decision_on_training
from bot.workflows.finetuning.training_job import SEARCHED_EVERY
from bot.workflows.finetuning.types import LOST_AFTER
from bot.workflows.finetuning.verbs import apply_decision_on_consent, object_to_consent
from bot.workflows.registering.conflicts import object_to_registration
from bot.workflows.registering.feature import Registering
from bot.workflows.registering.types import KIND as REGISTER
from bot.workflows.registering.verbs import apply_decision_on_registration, undo_approval
from bot.workflows.reviewing.types import QuestionRules
from storage.base.jobs import Job
from storage.database import Database

PATIENCE = 3600.0
"""Seconds for which a picture is tried again while a provider does not answer."""
FOR_EVER = 10 * 365 * 86_400.0
"""Seconds for which something is delivered, and a finetune or a registration looked after, while Discord or the chain
does not answer."""


@dataclass(frozen=True)
class Features:
    """What has jobs."""

    drawing: Drawing
    finetuning: Finetuning
    registering: Registering


@dataclass(frozen=True)
class JobKind:
    """One kind of job: how it is run, and how it is shown where it has a card."""

    run: Callable[[Features], Callable[[Job, Journal], Awaitable[Outcome]]]
    patience: float
    """Seconds after its first try for which a job is still worth another."""
    paid_wait: float = PAID_WAIT
    """Longest wait in seconds for what is paid for."""
    load: Callable[[Features], Load] | None = None
    face: Face | None = None


@dataclass(frozen=True)
class QuestionKind:
    """One kind of question to the moderators: what a decision does, and how it is shown."""

    rules: QuestionRules
    face: QuestionFace


JOB_KINDS = {
    "imagine": JobKind(
        run=lambda features: features.drawing.request_job,
        patience=FOR_EVER,
        load=lambda features: features.drawing.views.of,
        face=Face(
            card=request_card,
            one_image=image_card,
            made_for_adults=is_lenient,
            title=lambda view: view.request.prompt,
        ),
    ),
    "draw": JobKind(run=lambda features: features.drawing.picture_job, patience=PATIENCE),
    "finetune": JobKind(
        run=lambda features: features.finetuning.finetune,
        patience=FOR_EVER,
        load=lambda features: features.finetuning.views.of,
        face=Face(
            card=lambda view, files, _: finetune_card(view, files),
            news=finetune_news,
            title=lambda view: view.finetune.name,
        ),
    ),
    "train": JobKind(
        run=lambda features: features.finetuning.train, patience=LOST_AFTER + PATIENCE, paid_wait=SEARCHED_EVERY
    ),
    REGISTER: JobKind(
        run=lambda features: features.registering.job,
        patience=FOR_EVER,
        load=lambda features: features.registering.views.of,
        face=Face(
            card=lambda view, files, _: registration_card(view, files),
            news=lambda view, about, once, _: registration_news(view, about, once),
            title=lambda view: view.details.title,
            resumes=True,
            keeps_age_limit=True,
        ),
    ),
}


def recipes_of(features: Features) -> dict[str, Recipe]:
    """How the worker runs each kind of job."""
    return {name: Recipe(kind.run(features), kind.patience, kind.paid_wait) for name, kind in JOB_KINDS.items()}


def views_of(features: Features, database: Database) -> Views:
    """What loads the view of each kind of job that has a card."""
    return Views(database, {name: kind.load(features) for name, kind in JOB_KINDS.items() if kind.load})


def question_kinds(*, undo_seconds: float) -> dict[str, QuestionKind]:
    """`undo_seconds` is how long the approval of a registration can be taken back."""
    return {
        "spend": QuestionKind(
            QuestionRules(apply_decision_on_spending),
            QuestionFace("Pictures", lambda review, view, _: spending_review_card(review, view)),
        ),
        "train": QuestionKind(
            QuestionRules(apply_decision_on_training), QuestionFace("Training", training_review_card)
        ),
        "consent": QuestionKind(
            QuestionRules(apply_decision_on_consent, objection=object_to_consent),
            QuestionFace("Withdrawn consent", consent_review_card),
        ),
        REGISTER: QuestionKind(
            QuestionRules(
                partial(apply_decision_on_registration, undo=undo_seconds),
                objection=object_to_registration,
                undo=undo_approval,
                overridable=True,
            ),
            QuestionFace("Registration", registration_review_card),
        ),
    }


def faces_of(questions: Mapping[str, QuestionKind], files: FilePaths) -> Faces:
    """What draws the card of each kind of job, and of these kinds of questions."""
    return Faces(
        {name: kind.face for name, kind in JOB_KINDS.items() if kind.face},
        {name: kind.face for name, kind in questions.items()},
        files,
    )
