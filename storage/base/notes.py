"""Small texts that the bot keeps for its next start, by name."""

from storage.database import Connection, change, row, rows


async def find(db: Connection, name: str) -> str | None:
    record = await row(db, "SELECT content FROM notes WHERE name = :name", {"name": name})
    return record["content"] if record else None


async def save(db: Connection, name: str, content: str) -> None:
    await change(
        db,
        """
        INSERT INTO notes (name, content) VALUES (:name, :content)
        ON CONFLICT (name) DO UPDATE SET content = :content
        """,
        {"name": name, "content": content},
    )


async def beginning_with(db: Connection, prefix: str) -> dict[str, str]:
    """Every note whose name begins so: names to contents."""
    records = await rows(
        db,
        "SELECT name, content FROM notes WHERE name >= :prefix AND name < :beyond",
        {"prefix": prefix, "beyond": prefix + chr(0x10FFFF)},
    )
    return {each["name"]: each["content"] for each in records}


async def delete(db: Connection, name: str) -> None:
    """Drop a note, whatever it says."""
    await change(db, "DELETE FROM notes WHERE name = :name", {"name": name})


async def forget(db: Connection, name: str, *, content: str) -> None:
    """Drop a note, unless it says something else by now."""
    await change(db, "DELETE FROM notes WHERE name = :name AND content = :content", {"name": name, "content": content})
