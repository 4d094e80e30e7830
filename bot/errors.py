"""Failures, named by what happens next.

Three questions are answered by the type alone: what the person is told, whether the worker tries
again, and whether the admin is woken.
"""

from enum import StrEnum


class BotError(Exception):
    """A failure whose message is a sentence fit to show the person who asked."""


class Refused(BotError):
    """The person can put it right: say how, do not retry. Nothing was charged."""


class Unavailable(BotError):
    """Nobody's fault: nothing was done or charged; wait, then try again.

    `retry_after` is in seconds. None leaves the wait to the worker's own backoff.
    """

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Lacking(StrEnum):
    """What this machine has too little of."""

    ROOM = "room on the disk"
    DISK = "a disk that works"
    MEMORY = "memory"
    FILES = "open files"
    DATABASE = "the database"


class MachineTrouble(Unavailable):
    """This machine lacks something: what is under way waits until it has it again, and nothing is given up for it.

    It is raised before a request leaves, or where none is sent. `bot.trouble` recognises it.
    """

    def __init__(self, sentence: str, *, lacking: Lacking, retry_after: float | None = None) -> None:
        super().__init__(sentence, retry_after=retry_after)
        self.lacking = lacking


class Uncertain(BotError):
    """It may have happened, and may have been charged: look for the outcome, never repeat."""


class Broken(BotError):
    """A human must look: log it, tell the admin, do not retry."""
