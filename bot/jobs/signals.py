"""Signals to the worker from the rest of the bot: look at the queue now; take nothing new."""

import asyncio

from bot.errors import Unavailable


class WorkerSignals:
    """Shared by the worker and by those who give it work. It exists before both, so neither needs the other."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        """Set when the queue may have something that is due."""
        self.draining = False
        """The worker takes no new work: the bot is about to restart."""

    def wake(self) -> None:
        """Let the worker look at the queue now: something was accepted, decided or cancelled."""
        self.woken.set()

    def check_accepting(self) -> None:
        """
        Raises:
            Unavailable: the bot is about to restart.
        """
        if self.draining:
            raise Unavailable("The bot is about to restart and takes nothing new. Please try again in a minute.")
