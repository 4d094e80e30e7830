"""A stand-in of Vimmerse's API, over real HTTP: the sandbox's and the tests'.

It trains and draws as Vimmerse's OpenAPI document says, and where that leaves things open, in each of the ways that it
may mean (`Quirks`). Its pictures show their finetune: the colours of the training pictures, or the change that was
learned from pairs. Faults are those of the stand-in of BFL. Nothing leaves the machine but the callbacks that were
asked for.
"""

from standins.bfl.faults import (
    Fault,
    answers,
    hangs_up,
    html,
    loses_the_answer,
    malformed,
    redirects,
    truncates,
    waits,
)
from standins.vimmerse.records import Asset
from standins.vimmerse.server import VimmerseServer
from standins.vimmerse.service import Quirks, Received

__all__ = [
    "Asset",
    "Fault",
    "Quirks",
    "Received",
    "VimmerseServer",
    "answers",
    "hangs_up",
    "html",
    "loses_the_answer",
    "malformed",
    "redirects",
    "truncates",
    "waits",
]
