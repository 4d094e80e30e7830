"""Half-sent forms. They outlive a restart between the opening of a form and its sending."""

from storage.database import Connection, change, row


async def save(db: Connection, *, draft_id: str, owner_id: int, content: str, now: float, expires_at: float) -> None:
    """Keep a draft until `expires_at`; those whose time is over are dropped."""
    await change(db, "DELETE FROM drafts WHERE expires_at < :now", {"now": now})
    await change(
        db,
        """
        INSERT INTO drafts (id, owner_id, content, expires_at) VALUES (:id, :owner_id, :content, :expires_at)
        ON CONFLICT (id) DO UPDATE SET content = :content, expires_at = :expires_at
        """,
        {"id": draft_id, "owner_id": owner_id, "content": content, "expires_at": expires_at},
    )


async def find(db: Connection, *, draft_id: str, owner_id: int, now: float) -> str | None:
    """A member's own draft, or None where it is over, somebody else's, or never was."""
    record = await row(
        db,
        "SELECT content FROM drafts WHERE id = :id AND owner_id = :owner_id AND expires_at >= :now",
        {"id": draft_id, "owner_id": owner_id, "now": now},
    )
    return record["content"] if record else None


async def take(db: Connection, *, draft_id: str, owner_id: int, now: float) -> str | None:
    """A member's own draft, which is deleted: it may be used once. None where it is over or somebody else's."""
    record = await row(
        db,
        "DELETE FROM drafts WHERE id = :id AND owner_id = :owner_id RETURNING content, expires_at",
        {"id": draft_id, "owner_id": owner_id},
    )
    return record["content"] if record and record["expires_at"] >= now else None
