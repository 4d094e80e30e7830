"""A stand-in of an IPFS node's RPC (Kubo's), over real HTTP, for the tests and the sandbox.

It computes real CIDs by the parameters that it is given, or by its own defaults, which are those of Kubo 0.43. Troubles
are those of the stand-in of Pinata.
"""

from standins.kubo.server import Added, KuboServer, Quirks, Received

__all__ = ["Added", "KuboServer", "Quirks", "Received"]
