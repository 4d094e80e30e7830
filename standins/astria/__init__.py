"""A stand-in of Astria's API, over real HTTP: the sandbox's and the tests'.

It behaves like the service (finetunes without a status, pictures that come later, 422 hashes, callbacks that are never
repeated, deletion after 30 days) and draws its pictures itself: the same order with the same seed gives the same bytes,
and a picture of a finetune wears the colours of what it was trained on. Nothing leaves the machine but the callbacks
that were asked for.

Faults are those of `standins.base.faults`.
"""

from standins.astria.records import Prompt, Tune
from standins.astria.server import AstriaServer
from standins.astria.service import FLUX_DEV, Quirks

__all__ = ["FLUX_DEV", "AstriaServer", "Prompt", "Quirks", "Tune"]
