"""A stand-in of an IPFS node's RPC (Kubo's), over real HTTP, for the tests and the sandbox.

It computes real CIDs by the parameters that it is given, or by its own defaults, which are those of Kubo 0.43. Faults
are those of `standins.base.faults`.
"""

from standins.kubo.server import Added, KuboServer, Quirks

__all__ = ["Added", "KuboServer", "Quirks"]
