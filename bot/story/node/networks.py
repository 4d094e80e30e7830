"""Story's two networks.

Source: docs.story.foundation/network/network-info (November 2025).
"""

from dataclasses import dataclass, replace
from typing import Final

from bot.story.node.values import Address, Hash


@dataclass(frozen=True, slots=True)
class Network:
    """One chain, and where people look at it."""

    key: str
    label: str
    chain_id: int
    rpc_url: str
    """The public node, used where the settings name none."""
    ip_explorer: str
    """What comes before the id of an IP asset."""
    tx_explorer: str
    """What comes before the hash of a transaction."""
    address_explorer: str
    """What comes before a wallet's or contract's address."""
    coin: str
    faucet: str | None = None
    """Where its coins are free."""

    def ip_link(self, ip_id: Address | str) -> str:
        return self.ip_explorer + ip_id

    def tx_link(self, tx_hash: Hash | str) -> str:
        return self.tx_explorer + tx_hash

    def address_link(self, address: Address | str) -> str:
        return self.address_explorer + address

    def with_explorer(self, explorer: str | None) -> "Network":
        """The same network with links to another explorer (an origin), or itself for None."""
        if explorer is None:
            return self
        base = explorer.rstrip("/")
        return replace(
            self,
            ip_explorer=f"{base}/ipa/",
            tx_explorer=f"{base}/tx/",
            address_explorer=f"{base}/address/",
        )


AENEID: Final = Network(
    key="aeneid",
    label="Story's test network (Aeneid)",
    chain_id=1315,
    rpc_url="https://aeneid.storyrpc.io",
    ip_explorer="https://aeneid.explorer.story.foundation/ipa/",
    tx_explorer="https://aeneid.storyscan.io/tx/",
    address_explorer="https://aeneid.storyscan.io/address/",
    coin="IP",
    faucet="https://aeneid.faucet.story.foundation",
)
MAINNET: Final = Network(
    key="mainnet",
    label="Story",
    chain_id=1514,
    rpc_url="https://mainnet.storyrpc.io",
    ip_explorer="https://explorer.story.foundation/ipa/",
    tx_explorer="https://www.storyscan.io/tx/",
    address_explorer="https://www.storyscan.io/address/",
    coin="IP",
)
NETWORKS: Final = {network.key: network for network in (AENEID, MAINNET)}
