"""What time does: reminders before a finetune expires, its end, drafts that nobody came back to, lost registrations."""

import logging

from bot.workflows.base.kit import Kit
from bot.workflows.base.work import Transaction
from bot.workflows.finetuning.verbs import remove
from storage.finetuning import finetunes
from storage.finetuning.finetunes import Finetune, FinetuneState
from storage.registering import registrations

log = logging.getLogger(__name__)

DAY = 86_400.0
WARNED_BEFORE = 3 * DAY
"""Seconds before a finetune is deleted by its trainer that its owner is told."""
FORGOTTEN_AFTER = 30 * DAY
"""Seconds without a change after which a draft is deleted: its pictures were given for a training, not to be kept."""
STRANDED_FOR = 600.0
"""Seconds after which a registration whose job has ended before it did is taken up again."""
NOBODY = 0
"""Who deletes what everybody has forgotten."""
ROUND = 60.0
"""Seconds between two rounds."""


class Keeping:
    """Goes round once a minute."""

    def __init__(self, kit: Kit) -> None:
        self._files = kit.files
        self._database = kit.database
        self._work = kit.work
        self._clock = kit.clock
        self._signals = kit.signals

    async def go_round(self) -> None:
        """Change what is due; whoever has to be told is told by the finetune's own job."""
        now = self._clock.now()
        async with self._database.read() as db:
            ready = await finetunes.of_state(db, FinetuneState.READY)
            drafts = await finetunes.of_state(db, FinetuneState.DRAFT)
        expiring = [each for each in ready if each.expires_at and each.expires_at - WARNED_BEFORE <= now]
        forgotten = [each for each in drafts if each.changed_at + FORGOTTEN_AFTER <= now]
        await self._keep_registrations(now)
        await self._files.sweep()
        if not forgotten and all(each.warned_at and (each.expires_at or now) > now for each in expiring):
            return
        async with self._work() as tx:
            db, now = tx.db, tx.now
            for finetune in expiring:
                await self._remind(tx, finetune)
            for finetune in forgotten:
                await remove(tx, finetune.id, by=NOBODY, before=(FinetuneState.DRAFT,))

    async def _keep_registrations(self, now: float) -> None:
        """Forget drafts that nobody came back to, and take up again what has ended by a bug: it may be signed."""
        async with self._database.read() as db:
            forgotten = await registrations.drafts_before(db, now - FORGOTTEN_AFTER)
            stranded = await registrations.stranded(db, ended_before=now - STRANDED_FOR)
        if not forgotten and not stranded:
            return
        async with self._work() as tx:
            db, now = tx.db, tx.now
            for draft in forgotten:
                if await registrations.drop(db, draft.id):
                    await tx.let_go([draft.preview])
            for registration_id in stranded:
                log.warning("Registration %s is under way, and its job had ended: it goes on.", registration_id)
                await tx.revive(registration_id)

    async def _remind(self, tx: Transaction, finetune: Finetune) -> None:
        db, now = tx.db, tx.now
        if finetune.expires_at is not None and finetune.expires_at <= now:
            before, after = (FinetuneState.READY,), FinetuneState.EXPIRED
            changed = await finetunes.move(db, finetune.id, before=before, after=after, now=now)
        else:
            changed = await finetunes.warn(db, finetune.id, now=now)
        if changed:
            await tx.wake(finetune.id)
