"""A stand-in of Vimmerse's API, over real HTTP: the sandbox's and the tests'.

It trains and draws as Vimmerse's OpenAPI document says, and where that leaves things open, in each of the ways that it
may mean (`Quirks`). Its pictures show their finetune: the colours of the training pictures, or the change that was
learned from pairs. Faults are those of `standins.base.faults`. Nothing leaves the machine but the callbacks that were
asked for.
"""

from standins.vimmerse.records import Asset
from standins.vimmerse.server import VimmerseServer
from standins.vimmerse.service import Quirks

__all__ = ["Asset", "Quirks", "VimmerseServer"]
