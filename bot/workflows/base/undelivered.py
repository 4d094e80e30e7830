"""What could not be shown to a person where it belongs: kept until their next command, also over a restart."""

from bot.values import Frozen
from bot.workflows.base.kit import Kit
from storage.base import notes

LOOK_AGAIN = 300.0
"""Seconds until something is posted again that Discord has refused: a permission may be given back at any time."""
_NOTE = "undelivered "
"""Begins the names of the notes, by the person and the subject."""


class _Noted(Frozen):
    sentence: str
    over: bool = False
    """It is not tried again, so nothing will take this note away but the person's having read it."""
    read: bool = False


class Undelivered:
    """Notes of what could not be posted. Each is read once by its person, and told to the admin once."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._alarm = kit.alarm

    async def note(self, user_id: int, subject: str, sentence: str, *, over: bool = False) -> None:
        """Keep a sentence for a person's next command, and tell the admin. Said once of each subject.

        `over` is for what is not tried again.
        """
        name = _name(user_id, subject)
        async with self._work() as tx:
            earlier = await notes.find(tx.db, name)
            if earlier is None:
                await notes.save(tx.db, name, _Noted(sentence=sentence, over=over).model_dump_json())
        if earlier is None:
            await self._alarm(f"<@{user_id}> could not be shown something. {sentence}")

    async def settle(self, user_id: int, subject: str) -> None:
        """It is shown now: there is nothing to say any more."""
        name = _name(user_id, subject)
        async with self._work.read() as db:
            earlier = await notes.find(db, name)
        if earlier is not None:
            async with self._work() as tx:
                await notes.forget(tx.db, name, content=earlier)

    async def of(self, user_id: int) -> dict[str, str]:
        """What a person has not read yet: the subjects, and a sentence for each."""
        prefix = _name(user_id, "")
        async with self._work.read() as db:
            noted = await notes.beginning_with(db, prefix)
        unread = {name.removeprefix(prefix): _Noted.model_validate_json(text) for name, text in noted.items()}
        return {subject: each.sentence for subject, each in unread.items() if not each.read}

    async def mark_read(self, user_id: int, subject: str) -> None:
        """The person has read it."""
        name = _name(user_id, subject)
        async with self._work() as tx:
            text = await notes.find(tx.db, name)
            if text is None:
                return
            noted = _Noted.model_validate_json(text)
            if noted.over:
                await notes.forget(tx.db, name, content=text)
            else:
                await notes.save(tx.db, name, noted.model_copy(update={"read": True}).model_dump_json())


def _name(user_id: int, subject: str) -> str:
    return f"{_NOTE}{user_id} {subject}"
