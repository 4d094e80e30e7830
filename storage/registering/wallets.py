"""The wallets that members have proven to be theirs: one a member, for all communities."""

from dataclasses import asdict, dataclass

from storage.base.columns import columns, insert, read
from storage.database import Connection, change, row


@dataclass(frozen=True)
class LinkedWallet:
    """`address` in its checksum spelling; `message` and `signature` are the proof, which anybody can check again."""

    user_id: int
    address: str
    message: str
    signature: str
    linked_at: float


_COLUMNS = columns(LinkedWallet)


async def find(db: Connection, user_id: int) -> LinkedWallet | None:
    record = await row(db, f"SELECT {_COLUMNS} FROM wallets WHERE user_id = :id", {"id": user_id})
    return read(LinkedWallet, record) if record else None


async def holder(db: Connection, address: str) -> LinkedWallet | None:
    """Who has linked this wallet, by its checksum spelling."""
    record = await row(db, f"SELECT {_COLUMNS} FROM wallets WHERE address = :address LIMIT 1", {"address": address})
    return read(LinkedWallet, record) if record else None


async def save(db: Connection, wallet: LinkedWallet) -> None:
    """Link a wallet in place of the member's earlier one."""
    await change(
        db,
        f"""
        {insert("wallets", LinkedWallet)}
        ON CONFLICT (user_id) DO UPDATE SET address = :address, message = :message, signature = :signature,
            linked_at = :linked_at
        """,
        asdict(wallet),
    )


async def remove(db: Connection, user_id: int) -> bool:
    """Unlink; False when none was linked."""
    return await change(db, "DELETE FROM wallets WHERE user_id = :id", {"id": user_id}) == 1
