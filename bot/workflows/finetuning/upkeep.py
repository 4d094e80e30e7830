"""What time does: reminders before a finetune expires, its end, drafts that nobody came back to, lost registrations."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.jobs.worker import Worker
from bot.workflows.base.files import Files
from bot.workflows.finetuning.verbs import remove
from storage.base import queue
from storage.database import Connection, Database
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

    def __init__(self, *, database: Database, clock: Clock, worker: Worker, files: Files) -> None:
        self._files = files
        self._database = database
        self._clock = clock
        self._worker = worker

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            try:
                await self.go_round()
                await self._files.sweep()
            except SQLAlchemyError:
                log.exception("The finetunes could not be looked through; the next round tries again.")
            await self._clock.sleep(ROUND)

    async def go_round(self) -> None:
        """Change what is due; whoever has to be told is told by the finetune's own job."""
        now = self._clock.now()
        async with self._database.read() as db:
            ready = await finetunes.of_state(db, FinetuneState.READY)
            drafts = await finetunes.of_state(db, FinetuneState.DRAFT)
        expiring = [each for each in ready if each.expires_at and each.expires_at - WARNED_BEFORE <= now]
        forgotten = [each for each in drafts if each.changed_at + FORGOTTEN_AFTER <= now]
        await self._keep_registrations(now)
        if not forgotten and all(each.warned_at and (each.expires_at or now) > now for each in expiring):
            return
        async with self._database.write() as db:
            for finetune in expiring:
                await self._remind(db, finetune, now)
            for finetune in forgotten:
                await remove(db, finetune.id, by=NOBODY, now=now, before=(FinetuneState.DRAFT,))
        self._worker.wake()

    async def _keep_registrations(self, now: float) -> None:
        """Forget drafts that nobody came back to, and take up again what has ended by a bug: it may be signed."""
        async with self._database.read() as db:
            forgotten = await registrations.drafts_before(db, now - FORGOTTEN_AFTER)
            stranded = await registrations.stranded(db, ended_before=now - STRANDED_FOR)
        if not forgotten and not stranded:
            return
        async with self._database.write() as db:
            for draft in forgotten:
                if await registrations.drop(db, draft.id):
                    await self._files.let_go(db, [draft.preview])
            for registration_id in stranded:
                log.warning("Registration %s is under way, and its job had ended: it goes on.", registration_id)
                await queue.revive(db, job_id=registration_id, now=now)
        self._worker.wake()

    async def _remind(self, db: Connection, finetune: Finetune, now: float) -> None:
        if finetune.expires_at is not None and finetune.expires_at <= now:
            before, after = (FinetuneState.READY,), FinetuneState.EXPIRED
            changed = await finetunes.move(db, finetune.id, before=before, after=after, now=now)
        else:
            changed = await finetunes.warn(db, finetune.id, now=now)
        if changed:
            await queue.wake(db, job_id=finetune.id, now=now)
