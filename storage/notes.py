"""Small things that the bot notes for its next start, by name."""

from storage.database import Connection, change, row


async def find(db: Connection, name: str) -> str | None:
    found = await row(db, "SELECT content FROM notes WHERE name = :name", {"name": name})
    return found["content"] if found else None


async def save(db: Connection, name: str, content: str) -> None:
    await change(
        db,
        """
        INSERT INTO notes (name, content) VALUES (:name, :content)
        ON CONFLICT (name) DO UPDATE SET content = :content
        """,
        {"name": name, "content": content},
    )
