"""Keeps what was typed into a form while it is open or was refused, also over a restart."""

from typing import TypeVar

from pydantic import BaseModel

from bot.workflows.base.kit import Kit
from bot.workflows.base.work import UnitOfWork
from storage.base import drafts

Content = TypeVar("Content", bound=BaseModel)


class Forms:
    """The one store of half-sent forms. A form is its owner's alone."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._clock = kit.clock

    async def keep(self, form_id: str, owner_id: int, content: BaseModel, *, seconds: float) -> None:
        """Keep what was typed for so many seconds; it replaces what was kept under that id."""
        async with self._work() as tx:
            await _save(tx, form_id, owner_id, content, seconds)

    async def find(self, form_id: str, owner_id: int, content: type[Content]) -> Content | None:
        """What was typed; None where its time is over, it is somebody else's, or there was none."""
        async with self._work.read() as db:
            text = await drafts.find(db, draft_id=form_id, owner_id=owner_id, now=self._clock.now())
        return content.model_validate_json(text) if text else None

    async def take(self, form_id: str, owner_id: int, content: type[Content]) -> Content | None:
        """Like `find`, but once: nobody finds it again."""
        async with self._work() as tx:
            text = await drafts.take(tx.db, draft_id=form_id, owner_id=owner_id, now=tx.now)
        return content.model_validate_json(text) if text else None

    async def replace(
        self, tx: UnitOfWork, form_id: str, owner_id: int, before: BaseModel, after: BaseModel, *, seconds: float
    ) -> bool:
        """Keep `after` instead of `before`, in a transaction; False where something else is kept by now, or nothing."""
        text = await drafts.find(tx.db, draft_id=form_id, owner_id=owner_id, now=tx.now)
        if text is None or type(before).model_validate_json(text) != before:
            return False
        await _save(tx, form_id, owner_id, after, seconds)
        return True


async def _save(tx: UnitOfWork, form_id: str, owner_id: int, content: BaseModel, seconds: float) -> None:
    text, expires_at = content.model_dump_json(), tx.now + seconds
    await drafts.save(tx.db, draft_id=form_id, owner_id=owner_id, content=text, now=tx.now, expires_at=expires_at)
