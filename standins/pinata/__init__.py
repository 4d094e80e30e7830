"""A stand-in of Pinata, over real HTTP: uploads, API and gateway on one origin, for the sandbox and the tests.

It computes real CIDs and its gateway serves the very bytes. It behaves as Pinata is documented and has been seen to
(two generations of API and of keys, duplicates, rate limits, files that have no CID yet), and as it hopefully never
does (`Quirks`, and the faults). Nothing leaves the machine.
"""

from standins.pinata.faults import rate_limits
from standins.pinata.records import File
from standins.pinata.server import PinataServer
from standins.pinata.service import FILES, FULL, LEGACY, READ_ONLY, REVOKED, Quirks

__all__ = ["FILES", "FULL", "LEGACY", "READ_ONLY", "REVOKED", "File", "PinataServer", "Quirks", "rate_limits"]
