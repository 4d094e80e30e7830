"""The round of finetunes: reminds before one expires, notes its end, and deletes forgotten drafts."""

from bot.workflows.base.kit import Kit
from bot.workflows.base.types import DAY
from bot.workflows.base.work import UnitOfWork
from bot.workflows.finetuning.verbs import remove
from storage.finetuning import finetunes
from storage.finetuning.finetunes import Finetune
from storage.finetuning.transitions import Event, FinetuneState

WARNED_BEFORE = 3 * DAY
"""Seconds before its trainer deletes a finetune at which its owner is warned."""
FORGOTTEN_AFTER = 30 * DAY
"""Seconds without a change after which a draft is deleted: its pictures were given for a training, not to be kept."""
NOBODY = 0
"""The member id that deletes forgotten drafts; no member has it."""
ROUND = 60.0
"""Seconds between two rounds."""


class FinetuneUpkeep:
    """Goes round once a minute."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._clock = kit.clock

    async def go_round(self) -> None:
        """Change what is due. Each changed finetune's own job, which is woken, notifies its owner."""
        now = self._clock.now()
        async with self._work.read() as db:
            ready = await finetunes.of_state(db, FinetuneState.READY)
            drafts = await finetunes.of_state(db, FinetuneState.DRAFT)
        expiring = [each for each in ready if each.expires_at and each.expires_at - WARNED_BEFORE <= now]
        forgotten = [each for each in drafts if each.changed_at + FORGOTTEN_AFTER <= now]
        if not forgotten and all(each.warned_at and (each.expires_at or now) > now for each in expiring):
            return
        async with self._work() as tx:
            for finetune in expiring:
                await self._remind(tx, finetune)
            for finetune in forgotten:
                await remove(tx, finetune.id, Event.FORGET, by=NOBODY)

    async def _remind(self, tx: UnitOfWork, finetune: Finetune) -> None:
        if finetune.expires_at is not None and finetune.expires_at <= tx.now:
            changed = await finetunes.move(tx.db, finetune.id, Event.EXPIRE, now=tx.now)
        else:
            changed = await finetunes.warn(tx.db, finetune.id, now=tx.now)
        if changed:
            await tx.wake(finetune.id)
