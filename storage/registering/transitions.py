"""The state machine of a registration: what can happen to it in which state, and what is set then."""

from enum import StrEnum

from storage.base.transitions import Transition


class RegistrationState(StrEnum):
    """How far a registration is. Claimed and asked about are what its question is (storage/reviewing/reviews.py)."""

    DRAFT = "draft"
    """Only its owner sees it; it has no job and no card yet."""
    SUBMITTED = "submitted"
    APPROVED = "approved"
    """A moderator has agreed; until `undo_until` they can take that back."""
    PINNING = "pinning"
    PINNED = "pinned"
    SIGNED = "signed"
    """Its transaction is signed and saved: from here on it cannot be withdrawn."""
    SENT = "sent"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"


UNDER_WAY = (
    RegistrationState.SUBMITTED,
    RegistrationState.APPROVED,
    RegistrationState.PINNING,
    RegistrationState.PINNED,
    RegistrationState.SIGNED,
    RegistrationState.SENT,
)
WITHDRAWABLE = UNDER_WAY[:4]
"""States from which its owner can take it back: nothing is signed."""


class Event(StrEnum):
    """What can happen to a registration."""

    SUBMIT = "submit"
    APPROVE = "approve"
    DENY = "deny"
    EXPIRE = "expire"
    UNDO = "undo"
    """A moderator takes the approval back."""
    BEGIN = "begin"
    """The time for undoing is over."""
    PIN = "pin"
    SIGN = "sign"
    SEND = "send"
    CONFIRM = "confirm"
    """It is on the chain: by its transaction, or by one of an earlier try."""
    FAIL = "fail"
    RETRY = "retry"
    """Its owner or a moderator has it tried again under the same approval."""
    WITHDRAW = "withdraw"


TRANSITIONS = (
    Transition(
        Event.SUBMIT,
        (RegistrationState.DRAFT,),
        RegistrationState.SUBMITTED,
        ("channel_id", "details", "terms", "digest", "submitted_at"),
    ),
    Transition(
        Event.APPROVE, (RegistrationState.SUBMITTED,), RegistrationState.APPROVED, ("approval_id", "undo_until")
    ),
    Transition(Event.DENY, (RegistrationState.SUBMITTED,), RegistrationState.DENIED, ("error",)),
    Transition(Event.EXPIRE, (RegistrationState.SUBMITTED,), RegistrationState.EXPIRED),
    Transition(Event.UNDO, (RegistrationState.APPROVED,), RegistrationState.SUBMITTED, ("approval_id", "undo_until")),
    Transition(Event.BEGIN, (RegistrationState.APPROVED,), RegistrationState.PINNING),
    Transition(
        Event.PIN,
        (RegistrationState.PINNING,),
        RegistrationState.PINNED,
        ("image_cid", "ip_metadata", "ip_cid", "nft_metadata", "nft_cid"),
    ),
    Transition(Event.SIGN, (RegistrationState.PINNED,), RegistrationState.SIGNED),
    Transition(Event.SEND, (RegistrationState.SIGNED,), RegistrationState.SENT, ("tx_hash",)),
    Transition(
        Event.CONFIRM,
        (RegistrationState.PINNED, RegistrationState.SENT),
        RegistrationState.CONFIRMED,
        ("outcome", "token_id", "ip_id", "tx_hash", "confirmed_at"),
    ),
    Transition(Event.FAIL, UNDER_WAY, RegistrationState.FAILED, ("error",)),
    Transition(Event.RETRY, (RegistrationState.FAILED,), RegistrationState.APPROVED, ("tries", "undo_until", "error")),
    Transition(Event.WITHDRAW, (*WITHDRAWABLE, RegistrationState.FAILED), RegistrationState.WITHDRAWN),
)
