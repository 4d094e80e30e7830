"""The accounts that have money on the local chain. Their keys are public: every development node has them."""

from dataclasses import dataclass
from typing import Final

from eth_account import Account as Keys
from eth_typing import ChecksumAddress

COIN: Final = 10**18  # wei


@dataclass(frozen=True)
class Account:
    """A wallet, and whose it is in the sandbox."""

    name: str
    address: ChecksumAddress
    key: str

    def sign(self, transaction: dict[str, object]) -> bytes:
        """The raw transaction, signed."""
        return bytes(Keys.sign_transaction(transaction, self.key).raw_transaction)


def _account(name: str, key: str) -> Account:
    return Account(name, Keys.from_key(key).address, key)


BOT: Final = _account("bot", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADA: Final = _account("ada", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
BEN: Final = _account("ben", "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
MIA: Final = _account("mia", "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6")
OLGA: Final = _account("olga", "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a")
STORY: Final = _account("story", "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba")
"""Whoever set up the protocol: registered the first licence terms, owns the public collection."""

ACCOUNTS: Final = {account.name: account for account in (BOT, ADA, BEN, MIA, OLGA, STORY)}
"""By name: the bot's own wallet, the sandbox's people, and Story."""
