"""What follows when somebody takes back pictures that they gave for a training."""

import hashlib

from bot.workflows.base.work import Transaction
from bot.workflows.finetuning.types import FinetuneView
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs
from storage.base.jobs import State
from storage.database import Connection
from storage.finetuning import finetunes, training_images
from storage.finetuning.finetunes import FinetuneState
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

CONSENT_LIFE = 100 * 365 * 86_400.0
"""Seconds for which moderators can decide on a withdrawn consent. It stays frozen until they do."""


async def draft_again(tx: Transaction, finetune_id: str) -> None:
    """What being a draft again means: pictures whose consent was taken back are removed.

    There is nothing left to decide then: open questions about it are closed.
    """
    removed = await training_images.remove_withdrawn(tx.db, finetune_id)
    if removed:
        await drop_pictures(tx, finetune_id, removed)
    await finetunes.unfreeze(tx.db, finetune_id)
    for review in await reviews.open_about(tx.db, finetune_id):
        if review.kind == "consent":
            await withdraw(tx, review, by=review.requested_by)


async def drop_pictures(tx: Transaction, finetune_id: str, removed: list[str]) -> None:
    """Have nothing show pictures that were removed, and let go of their files."""
    finetune = await finetunes.find(tx.db, finetune_id)
    assert finetune is not None, "its pictures were removed just now"
    await finetunes.update(tx.db, finetune_id, now=tx.now, sheet=None, training_set=None)
    await tx.let_go([*removed, finetune.sheet, finetune.training_set])


async def fallen_back(db: Connection, finetune_id: str) -> FinetuneState:
    """What a finetune is again after a try that came to nothing: a draft, unless an earlier one may have been paid."""
    tries = await jobs.children(db, finetune_id)
    unknown = any(each.state is State.UNKNOWN and each.cost_actual is None for each in tries)
    return FinetuneState.UNKNOWN if unknown else FinetuneState.DRAFT


def question(view: FinetuneView, *, by: int, channel_id: int, count: int, now: float) -> Review:
    """Whether a finetune is kept that `count` pictures of this contributor were trained into."""
    return Review(
        id=f"{view.finetune.id}.c{by}.{now:.0f}",
        kind="consent",
        state=ReviewState.OPEN,
        guild_id=view.finetune.guild_id,
        channel_id=channel_id,
        message_id=None,
        requested_by=by,
        subject=view.finetune.id,
        digest=hashlib.sha256(f"{view.finetune.id} {by} {count} {now:.0f}".encode()).hexdigest(),
        created_at=now,
        expires_at=now + CONSENT_LIFE,
    )
