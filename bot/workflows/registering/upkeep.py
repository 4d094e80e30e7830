"""Keeps registrations going: checks what they need, drops forgotten drafts, goes on where a job has ended early."""

import logging

from bot.errors import Unavailable
from bot.story.registrar import Readiness, Registrar
from bot.story.sending.sender import Sender
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import DAY
from storage.registering import registrations

log = logging.getLogger(__name__)

CHECK_EVERY = 1800.0
"""Seconds between two checks of what registrations need."""
ROUND = 60.0
"""Seconds between two looks for forgotten drafts and for registrations whose job has ended."""
NONCES_ROUND = 60.0
"""Seconds between two looks at what is signed and not final."""
FORGOTTEN_AFTER = 30 * DAY
"""Seconds without a change after which a draft is dropped."""
STRANDED_FOR = 600.0
"""Seconds after which a registration whose job has ended before it did is taken up again."""


class ReadinessCheck:
    """Checks what registrations need (coins, rights, a node that answers), at the start and every half an hour.

    The admin is told what is wrong once, and again only when that has changed.
    """

    def __init__(self, kit: Kit, *, registrar: Registrar) -> None:
        self._registrar = registrar
        self._alarm = kit.alarm
        self._reported: tuple[str, ...] = ()
        """Names of the checks that the admin was told of."""

    async def run(self) -> None:
        """Tell the admin what has to be put right."""
        try:
            wrong = _find_wrong(await self._registrar.readiness())
        except Exception:  # the check must go on: nobody else tells the admin that the coins run out
            log.exception("What registrations need could not be checked")
            wrong = [("look", "What they need could not be looked at: see the log. The next look is in half an hour.")]
        names = tuple(name for name, _ in wrong)
        if wrong and names != self._reported:
            sentences = " ".join(sentence for _, sentence in wrong)
            log.warning("Registering images: %s", sentences)
            await self._alarm(f"Registering images: {sentences}")
        self._reported = names


async def look_after_nonces(sender: Sender) -> None:
    """Send or replace what is signed and stuck, though no job asks for it just now: it would stop all behind it."""
    try:
        await sender.look_after()
    except Unavailable as error:
        log.info("The wallet's transactions could not be looked at: %s", error)


def _find_wrong(readiness: Readiness) -> list[tuple[str, str]]:
    """What stands in the way of registrations, or soon will: a name and a sentence with the fix."""
    return [
        (check.name, check.sentence)
        for check in readiness.checks
        if not check.good or (check.name == "balance" and readiness.runs_low)
    ]


class RegistrationUpkeep:
    """Goes round once a minute."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._clock = kit.clock

    async def go_round(self) -> None:
        """Drop drafts that nobody came back to, and run jobs again that a bug has ended: theirs may be signed."""
        now = self._clock.now()
        async with self._work.read() as db:
            forgotten = await registrations.drafts_before(db, now - FORGOTTEN_AFTER)
            stranded = await registrations.stranded(db, ended_before=now - STRANDED_FOR)
        if not forgotten and not stranded:
            return
        async with self._work() as tx:
            for draft in forgotten:
                if await registrations.drop(tx.db, draft.id):
                    await tx.let_go([draft.preview])
            for registration_id in stranded:
                log.warning("Registration %s is under way, and its job had ended: it goes on.", registration_id)
                await tx.revive(registration_id)
