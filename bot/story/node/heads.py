"""Asks for the newest block, once for all who wait for it."""

import asyncio

from bot.clock import Clock
from bot.story.node.chain import Chain

INTERVAL = 1.0
"""Seconds; a block of Story takes about two."""


class Heads:
    """Callers may ask as often as they like; the node is asked once in an interval."""

    def __init__(self, chain: Chain, clock: Clock, *, interval: float = INTERVAL) -> None:
        self._chain = chain
        self._clock = clock
        self.interval = interval
        self._asking = asyncio.Lock()
        self._number = -1
        self._asked_at = float("-inf")

    async def number(self) -> int:
        """The number of the newest block, at most an interval old.

        Raises:
            Unavailable: the node does not answer.
        """
        async with self._asking:
            if self._clock.monotonic() - self._asked_at >= self.interval:
                self._number = await self._chain.block_number()
                self._asked_at = self._clock.monotonic()
            return self._number
