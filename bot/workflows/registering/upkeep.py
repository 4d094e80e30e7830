"""Watches what registrations need, and tells the admin before they wait for it: coins, rights, a node that answers."""

import logging

from bot.errors import BotError
from bot.story.registrar import Readiness, Registrar
from bot.workflows.base.kit import Kit

log = logging.getLogger(__name__)

ROUND = 1800.0
"""Seconds between two looks."""


class Upkeep:
    """Looks at the start and then every half an hour; says what is wrong once, and again only when it has changed."""

    def __init__(self, kit: Kit, *, registrar: Registrar) -> None:
        self._clock = kit.clock
        self._registrar = registrar
        self._alarm = kit.alarm
        self._told: tuple[str, ...] = ()

    async def look(self) -> None:
        """Tell the admin what has to be mended."""
        try:
            found = await self._registrar.readiness()
        except BotError as error:
            log.warning("What registrations need could not be looked at: %s", error)
            return
        wrong = wrong_in(found)
        names = tuple(name for name, _ in wrong)
        if wrong and names != self._told:
            sentences = " ".join(sentence for _, sentence in wrong)
            log.warning("Registering images: %s", sentences)
            await self._alarm(f"Registering images: {sentences}")
        self._told = names


def wrong_in(found: Readiness) -> list[tuple[str, str]]:
    """What stands in the way of registrations, or soon will: a name and a sentence with the fix."""
    return [
        (check.name, check.sentence)
        for check in found.checks
        if not check.good or (check.name == "balance" and found.runs_low)
    ]
