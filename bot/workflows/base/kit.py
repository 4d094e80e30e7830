"""The parts that every workflow works with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.clock import Clock
from bot.jobs.elapsed import Elapsed
from bot.jobs.machine import Machine
from bot.jobs.pace import Pace
from bot.jobs.signals import WorkerSignals
from bot.pictures.decode import Decoder
from bot.providers.interface import Provider
from bot.workflows.base.callbacks import Callbacks
from bot.workflows.base.cards import Delivery
from bot.workflows.base.files import Files
from bot.workflows.base.work import Work
from storage.database import Database

Alarm = Callable[[str], Awaitable[None]]
"""Tells the admin, in one sentence, what they must look at. Never raises."""


@dataclass(frozen=True)
class Kit:
    """Handed to every workflow when the bot is assembled."""

    clock: Clock
    database: Database
    work: Work
    files: Files
    decoder: Decoder
    pace: Pace
    elapsed: Elapsed
    callbacks: Callbacks
    signals: WorkerSignals
    providers: Mapping[str, Provider]
    """The admin's accounts, by name."""
    delivery: Delivery
    changed: Callable[[str], None]
    """Notes that the card of this job may say something else now."""
    alarm: Alarm
    machine: Machine | None = None
    """Looks for room on the disk before anything is ordered."""
