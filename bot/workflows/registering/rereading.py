"""Reads back again what could not be read, or did not agree: a node that is behind has not the last word."""

import logging

from bot.errors import BotError
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import DAY
from bot.workflows.registering.drafting.terms import mint_of
from bot.workflows.registering.pinned_files import PinnedFiles
from bot.workflows.registering.publishing import Publishing
from bot.workflows.registering.types import Outcome
from bot.workflows.registering.views import RegistrationViews
from storage.registering import registrations

log = logging.getLogger(__name__)

REREADING_ROUND = 900.0
"""Seconds between two looks at what is registered and not proven."""
READ_AGAIN_FOR = 30 * DAY
"""Seconds after it was registered for which an image is read again."""
AT_A_TIME = 20
"""Registrations that are read again in one round, the newest first."""


class Rereading:
    """Goes round beside the jobs, which have ended by then."""

    def __init__(self, kit: Kit, *, files: PinnedFiles, views: RegistrationViews, publishing: Publishing) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._alarm = kit.alarm
        self._delivery = kit.delivery
        self._files = files
        self._views = views
        self._publishing = publishing

    async def go_round(self) -> None:
        """Read each of them once; whatever cannot be read is left for the next round."""
        async with self._work.read() as db:
            confirmed = await registrations.confirmed_since(db, self._clock.now() - READ_AGAIN_FOR)
        outcomes = {each.id: Outcome.model_validate_json(each.outcome) for each in confirmed if each.outcome}
        unproven = [own for own, outcome in outcomes.items() if outcome.was_read and not outcome.proven]
        for own in unproven[:AT_A_TIME]:
            try:
                await self._read(own, outcomes[own])
            except BotError as error:
                log.info("Registration %s could not be read back again: %s", own, error)

    async def _read(self, registration_id: str, before: Outcome) -> None:
        """
        Raises:
            BotError: it cannot be read just now.
        """
        view, publishing = await self._views.of(registration_id), self._publishing
        here = (publishing.chain_id, publishing.collection)
        if view is None or (view.terms.chain_id, view.terms.collection) != here:
            return
        chain = await publishing.registrar.read_back(mint_of(view.registration, view.terms), before.registered)
        files = await self._files.read_back(publishing, view.registration)
        after = before.model_copy(update={"chain": chain, "files": files, "unread": None})
        if after == before:
            return
        async with self._work() as tx:
            await registrations.update(tx.db, registration_id, now=tx.now, outcome=after.model_dump_json())
            await tx.audit(
                "registration read back",
                registration_id,
                guild_id=view.registration.guild_id,
                seen=view.registration.digest,
                details={"agrees": after.proven},
            )
        if after.proven:
            await self._alarm(f"Registration `{registration_id}` was read back again, and all agrees now.")
        shown = await self._views.of(registration_id)
        assert shown, "it is registered"
        await self._delivery.show(shown)
