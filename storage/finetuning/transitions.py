"""The state machine of a finetune: its states, and every event that leads from one to another."""

from enum import StrEnum

from storage.base.transitions import Transition


class FinetuneState(StrEnum):
    """How far a finetune is."""

    DRAFT = "draft"
    """Its pictures are being collected; also after a training that failed."""
    ASKING = "asking"
    """A moderator has to agree to the price first."""
    TRAINING = "training"
    """Queued, or at its trainer."""
    UNKNOWN = "unknown"
    """It may have been ordered and charged; nothing here can tell."""
    READY = "ready"
    EXPIRED = "expired"
    """Its trainer has deleted it, or does not know it any more."""
    DELETED = "deleted"


class Event(StrEnum):
    """What changes the state of a finetune."""

    ASK = "ask a moderator"
    START = "start"
    APPROVE = "approve"
    CALL_BACK = "call back before the order"
    """Its owner stops it, a contributor withdraws, or a moderator says no."""
    FAIL = "fail"
    LOSE = "lose track of a try"
    """As CALL_BACK or FAIL, while this or an earlier try may have been charged."""
    CLEAR_UP = "charge the outcome"
    """The admin has put down what was charged for each try whose outcome was unknown."""
    FIND_AGAIN = "find the order again"
    FINISH = "finish"
    EXPIRE = "expire"
    RENEW = "train again"
    FORGET = "forget"
    """Nobody has changed the draft for a month."""
    DELETE = "delete"


_ASKING, _DRAFT, _TRAINING = (FinetuneState.ASKING,), (FinetuneState.DRAFT,), (FinetuneState.TRAINING,)
_UNKNOWN, _READY, _EXPIRED = (FinetuneState.UNKNOWN,), (FinetuneState.READY,), (FinetuneState.EXPIRED,)
OPEN = (*_DRAFT, *_UNKNOWN)
"""States in which a finetune can be changed, and its training started."""

TRANSITIONS = (
    Transition(Event.ASK, OPEN, FinetuneState.ASKING, sets=("spec", "training_set", "ref", "progress")),
    Transition(Event.START, OPEN, FinetuneState.TRAINING, sets=("spec", "training_set", "ref", "progress")),
    Transition(Event.APPROVE, _ASKING, FinetuneState.TRAINING),
    Transition(Event.CALL_BACK, (*_ASKING, *_TRAINING), FinetuneState.DRAFT),
    Transition(Event.FAIL, _TRAINING, FinetuneState.DRAFT, sets=("progress",)),
    Transition(Event.LOSE, (*_ASKING, *_TRAINING), FinetuneState.UNKNOWN, sets=("progress",)),
    Transition(Event.CLEAR_UP, _UNKNOWN, FinetuneState.DRAFT, sets=("ref", "progress")),
    Transition(Event.FIND_AGAIN, _UNKNOWN, FinetuneState.TRAINING, sets=("ref", "progress")),
    Transition(
        Event.FINISH,
        (*_TRAINING, *_UNKNOWN),
        FinetuneState.READY,
        sets=("ready_at", "expires_at", "warned_at", "progress"),
    ),
    Transition(Event.EXPIRE, _READY, FinetuneState.EXPIRED),
    Transition(Event.RENEW, _EXPIRED, FinetuneState.DRAFT, sets=("ref", "ready_at", "expires_at", "progress")),
    Transition(Event.FORGET, _DRAFT, FinetuneState.DELETED, sets=("deleted_at", "deleted_by")),
    Transition(
        Event.DELETE,
        (*OPEN, *_ASKING, *_TRAINING, *_READY, *_EXPIRED),
        FinetuneState.DELETED,
        sets=("deleted_at", "deleted_by"),
    ),
)
