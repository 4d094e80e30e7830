"""What follows when somebody takes back pictures that they gave for a training."""

import hashlib

from bot.workflows.base.work import UnitOfWork
from bot.workflows.finetuning.types import FinetuneView
from bot.workflows.reviewing.trail import withdraw
from storage.base import jobs
from storage.base.jobs import State
from storage.database import Connection
from storage.finetuning import finetunes, training_images
from storage.finetuning.transitions import Event
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

CONSENT_LIFE = 100 * 365 * 86_400.0
"""Seconds for which moderators can decide on a withdrawn consent. It stays frozen until they do."""


async def return_to_draft(tx: UnitOfWork, finetune_id: str, event: Event, *, progress: str | None = None) -> bool:
    """Make a finetune a draft again; False where the event cannot happen any more.

    Pictures whose consent was taken back are removed, and open questions about them are closed: nothing is left to
    decide. As long as a try may have been charged, the finetune is not a draft but of unknown outcome.
    """
    values = {} if progress is None else {"progress": progress}
    if event is not Event.RENEW and await _may_be_charged(tx.db, finetune_id):
        lost = event is not Event.CLEAR_UP
        return lost and await finetunes.move(tx.db, finetune_id, Event.LOSE, now=tx.now, **values)
    if not await finetunes.move(tx.db, finetune_id, event, now=tx.now, **values):
        return False
    removed = await training_images.remove_withdrawn(tx.db, finetune_id)
    if removed:
        await drop_pictures(tx, finetune_id, removed)
    await finetunes.unfreeze(tx.db, finetune_id)
    for review in await reviews.open_about(tx.db, finetune_id):
        if review.kind == "consent":
            await withdraw(tx, review, by=review.requested_by)
    return True


async def drop_pictures(tx: UnitOfWork, finetune_id: str, removed: list[str]) -> None:
    """Have nothing show pictures that were removed, and let go of their files."""
    finetune = await finetunes.find(tx.db, finetune_id)
    assert finetune is not None, "its pictures were removed just now"
    await finetunes.update(tx.db, finetune_id, now=tx.now, sheet=None, training_set=None)
    await tx.let_go([*removed, finetune.sheet, finetune.training_set])


async def _may_be_charged(db: Connection, finetune_id: str) -> bool:
    tries = await jobs.children(db, finetune_id)
    return any(each.state is State.UNKNOWN and each.cost_actual is None for each in tries)


async def ask_to_keep(tx: UnitOfWork, view: FinetuneView, *, by: int, channel_id: int, count: int) -> bool:
    """Ask the moderators whether a finetune is kept that `count` pictures of this contributor were trained into.

    False where the same contributor asks twice within a second.
    """
    finetune_id = view.finetune.id
    review = Review(
        id=f"{finetune_id}.c{by}.{tx.now:.0f}",
        kind="consent",
        state=ReviewState.OPEN,
        guild_id=view.finetune.guild_id,
        channel_id=channel_id,
        message_id=None,
        requested_by=by,
        subject=finetune_id,
        digest=hashlib.sha256(f"{finetune_id} {by} {count} {tx.now:.0f}".encode()).hexdigest(),
        created_at=tx.now,
        expires_at=tx.now + CONSENT_LIFE,
    )
    return await reviews.add(tx.db, review)
