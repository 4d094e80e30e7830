"""What could not be shown to a person where it belongs: kept until their next command, also over a restart."""

from bot.errors import BotError
from bot.values import Frozen
from bot.workflows.base.cards import ThreadLocked
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import DAY
from storage.base import notes

FIRST_LOOK = 20.0
"""Seconds until something is posted again that Discord has refused; twice as long after each further refusal."""
LOOK_AGAIN = 300.0
"""The longest of these waits: a permission may be given back at any time."""
KEPT = 90 * DAY
"""Seconds after which a note is forgotten, read or not: its person may have left."""
_NOTE = "undelivered "
"""Begins the names of the notes, by the person and the subject."""


class _Noted(Frozen):
    sentence: str
    at: float
    """Unix seconds."""
    read: bool = False
    """It is kept all the same: what is refused again is nothing new."""


class Undelivered:
    """Notes of what could not be posted. Each is read once by its person, and told to the admin once."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._alarm = kit.alarm
        self._refusals: dict[str, int] = {}
        """How often in a row each subject was refused, as far as this process knows."""

    def next_look(self, subject: str) -> float:
        """Seconds until what was refused just now is tried again."""
        refusals = self._refusals.get(subject, 0)
        self._refusals[subject] = refusals + 1
        return min(FIRST_LOOK * 2.0 ** min(refusals, 10), LOOK_AGAIN)

    async def note(self, user_id: int, subject: str, sentence: str, why: BotError) -> None:
        """Keep a sentence for a person's next command, and tell the admin what they can mend: once of each subject.

        `why` is what Discord has refused.
        """
        name = _name(user_id, subject)
        async with self._work() as tx:
            earlier = await notes.find(tx.db, name)
            if earlier is None:
                await notes.save(tx.db, name, _Noted(sentence=sentence, at=tx.now).model_dump_json())
        if earlier is None and not isinstance(why, ThreadLocked):
            await self._alarm(f"<@{user_id}> could not be shown something. {sentence}")

    async def settle(self, user_id: int, subject: str) -> None:
        """It is shown now: there is nothing to say any more."""
        self._refusals.pop(subject, None)
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
            read = _Noted.model_validate_json(text).model_copy(update={"read": True})
            await notes.save(tx.db, name, read.model_dump_json())

    async def sweep(self) -> None:
        """Forget what was noted long ago, also where nobody has read it."""
        before = self._clock.now() - KEPT
        async with self._work.read() as db:
            noted = await notes.beginning_with(db, _NOTE)
        for name, text in noted.items():
            each = _Noted.model_validate_json(text)
            if each.at < before:
                async with self._work() as tx:
                    await notes.forget(tx.db, name, content=text)


def _name(user_id: int, subject: str) -> str:
    return f"{_NOTE}{user_id} {subject}"
