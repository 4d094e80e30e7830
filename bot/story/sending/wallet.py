"""The key that mints and registers, and what it signs."""

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from pydantic import SecretStr

from bot.errors import Broken
from bot.story.node.values import Address, Hash, Wei


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A transaction that can be sent by anybody, and its hash, which is known before it is sent."""

    raw: str
    """0x and hex."""
    tx_hash: Hash


class Wallet:
    """One private key. It leaves this class only in signatures.

    Raises (when made):
        Broken: it is no key.
    """

    def __init__(self, key: SecretStr) -> None:
        digits = key.get_secret_value().strip().removeprefix("0x")
        try:
            self._account: LocalAccount = Account.from_key(bytes.fromhex(digits))
        except ValueError:
            raise Broken(
                "WALLET_PRIVATE_KEY is no private key: it must be 64 hex digits, with or without 0x."
            ) from None
        self.address = Address(self._account.address)

    def sign(
        self, *, chain_id: int, nonce: int, to: Address, data: str, gas: int, max_fee: Wei, tip: Wei
    ) -> SignedBytes:
        """An EIP-1559 transaction. Equal facts are equal bytes (RFC 6979), so that signing twice is no second one."""
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "to": to,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
        }
        signed = self._account.sign_transaction(transaction)
        return SignedBytes(raw="0x" + signed.raw_transaction.hex(), tx_hash=Hash("0x" + signed.hash.hex()))

    def __repr__(self) -> str:
        return f"<Wallet {self.address}>"


def gas_of(raw: str) -> int:
    """The limit of gas in a transaction that a wallet of ours has signed."""
    return int(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["gas"])
