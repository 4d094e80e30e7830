"""The questions whose card at the moderators does not show yet how they stand. Notes, by the question's id."""

from storage.base import notes
from storage.database import Connection

_NOTE = "late card "


async def add(db: Connection, review_id: str) -> None:
    await notes.save(db, _NOTE + review_id, "")


async def has(db: Connection, review_id: str) -> bool:
    return await notes.find(db, _NOTE + review_id) is not None


async def forget(db: Connection, review_id: str) -> None:
    await notes.forget(db, _NOTE + review_id, content="")


async def find_all(db: Connection) -> list[str]:
    """The ids of these questions."""
    return [name.removeprefix(_NOTE) for name in await notes.beginning_with(db, _NOTE)]
