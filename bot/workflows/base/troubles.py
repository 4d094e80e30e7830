"""Questions to providers that fail although the order stands: told to the admin, and asked again."""

import logging
from collections import defaultdict
from dataclasses import dataclass

from bot.clock import Clock
from bot.errors import BotError, Unavailable
from bot.workflows.base.kit import Alarm

log = logging.getLogger(__name__)

SHORTEST = 2.0
"""Seconds until the first repetition."""
QUIET = 600.0
"""Seconds for which the admin is not told of the same trouble again, however often it comes and goes."""
MOST_TOLD = 3
"""Different troubles of one provider that the admin is told of in that time."""
MOST_REMEMBERED = 1_000
"""Impossible prices that the admin was told of, so that none is told twice."""


@dataclass
class _Telling:
    at: float
    """Of the monotonic clock, in seconds."""
    over: bool = False


class Troubles:
    """Tells the admin of a provider that answers questions oddly, or refuses the key: once, until it answers again."""

    def __init__(self, clock: Clock, alarm: Alarm) -> None:
        self._clock = clock
        self._alarm = alarm
        self._tellings: defaultdict[str, dict[str, _Telling]] = defaultdict(dict)  # by provider and sentence
        self._prices: set[tuple[str, str]] = set()

    async def note(self, provider: str, what: str, error: BotError) -> None:
        """A question about `what` has failed. That a provider does not answer just now is no news to the admin."""
        if isinstance(error, Unavailable):
            return
        tellings, now = self._tellings[provider], self._clock.monotonic()
        telling = tellings.get(str(error))
        if telling is not None and (not telling.over or now - telling.at < QUIET):
            telling.over = False
            return
        if sum(now - each.at < QUIET for each in tellings.values()) >= MOST_TOLD:
            return
        for sentence in [each for each, of in tellings.items() if of.over and now - of.at >= QUIET]:
            del tellings[sentence]
        tellings[str(error)] = _Telling(now)
        log.error("%s cannot be looked at: %s", what, error, exc_info=error.__cause__)
        await self._alarm(
            f"{what} cannot be looked at: {error} What is ordered there is waited for, and asked about again."
        )

    async def note_price(self, what: str, odd: str | None) -> None:
        """A provider names a price for `what` that cannot be. It is not counted, and what was estimated stands."""
        if odd is None or (what, odd) in self._prices:
            return
        if len(self._prices) >= MOST_REMEMBERED:
            self._prices.clear()
        self._prices.add((what, odd))
        log.error("%s has an impossible price: %s", what, odd)
        await self._alarm(
            f"{what} costs {odd}, says its provider, which cannot be: it is not counted. Please compare the bill."
        )

    def end(self, provider: str) -> None:
        """It answers as it should."""
        for telling in self._tellings[provider].values():
            telling.over = True


def pause_after(trouble: float, error: BotError, *, shortest: float = SHORTEST, longest: float) -> float:
    """Seconds until a question is asked again that has failed for `trouble` seconds: a tenth of that."""
    wait = max(trouble / 10, shortest)
    if isinstance(error, Unavailable) and error.retry_after is not None:
        wait = max(wait, error.retry_after)
    return min(wait, longest)
