"""A stand-in of Story's chain, over real JSON-RPC: the sandbox's, the tests' and the benchmarks'.

A real EVM (py-evm) runs stand-ins of Story's contracts at Story's own addresses, with the same functions, events and
errors. In front of it a pool takes and refuses transactions in geth's words. Nothing leaves the machine.
"""

from standins.chain.accounts import ACCOUNTS, Account
from standins.chain.faults import busy, changes, errors, refuses, reverses_logs, says, swaps_answers, unavailable
from standins.chain.server import ChainServer
from standins.chain.story import CHAIN_ID, MINTER_ROLE, NCSR, NOBODY, PUBLIC_COLLECTION, Contract, contracts, ip_id

__all__ = [
    "ACCOUNTS",
    "CHAIN_ID",
    "MINTER_ROLE",
    "NCSR",
    "NOBODY",
    "PUBLIC_COLLECTION",
    "Account",
    "ChainServer",
    "Contract",
    "busy",
    "changes",
    "contracts",
    "errors",
    "ip_id",
    "refuses",
    "reverses_logs",
    "says",
    "swaps_answers",
    "unavailable",
]
