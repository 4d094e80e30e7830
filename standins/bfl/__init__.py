"""A stand-in of Black Forest Labs' API, over real HTTP: the sandbox's, the tests' and the benchmarks'.

It behaves like the service (statuses, limits, moderation, prices, expiring links and quirks, of February 2025 or April
2026) and draws its pictures itself: the same request with the same seed gives the same bytes. Nothing leaves the
machine but the callbacks that were asked for.
"""

from standins.bfl.faults import giant_refusal, names_dead_link, names_seed
from standins.bfl.records import Task
from standins.bfl.server import BflServer
from standins.bfl.service import Quirks

__all__ = ["BflServer", "Quirks", "Task", "giant_refusal", "names_dead_link", "names_seed"]
