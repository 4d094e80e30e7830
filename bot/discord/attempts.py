"""When each message began to be posted, and which message that became: kept, so that nothing is posted twice."""

from bot.clock import Clock
from bot.values import Frozen
from storage.base import notes
from storage.database import Database

KEPT = 30 * 86_400.0
"""Seconds for which an attempt is remembered."""
_NOTE = "posting "
"""Begins the names of the notes, by channel and nonce."""


class Attempt(Frozen):
    """The last time that a message was sent to Discord."""

    at: float
    """Unix seconds, before the request left."""
    message_id: int | None = None
    """None where Discord's answer was not received: the message may be there all the same."""


class Attempts:
    """Every message that is posted with a nonce: Discord itself knows that for a few minutes only."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, channel_id: int, nonce: str) -> Attempt | None:
        """The last attempt to post this there."""
        async with self._database.read() as db:
            text = await notes.find(db, _name(channel_id, nonce))
        return Attempt.model_validate_json(text) if text else None

    async def begin(self, channel_id: int, nonce: str) -> Attempt:
        """Note the time before the request leaves."""
        return await self._save(channel_id, nonce, Attempt(at=self._clock.now()))

    async def finish(self, channel_id: int, nonce: str, attempt: Attempt, message_id: int) -> None:
        """Note which message it became."""
        await self._save(channel_id, nonce, attempt.model_copy(update={"message_id": message_id}))

    async def sweep(self) -> None:
        """Forget those that nobody will ask about any more."""
        before = self._clock.now() - KEPT
        async with self._database.read() as db:
            noted = await notes.beginning_with(db, _NOTE)
        for name, text in noted.items():
            if Attempt.model_validate_json(text).at < before:
                async with self._database.write() as db:
                    await notes.forget(db, name, content=text)

    async def _save(self, channel_id: int, nonce: str, attempt: Attempt) -> Attempt:
        async with self._database.write() as db:
            await notes.save(db, _name(channel_id, nonce), attempt.model_dump_json())
        return attempt


def _name(channel_id: int, nonce: str) -> str:
    return f"{_NOTE}{channel_id} {nonce}"
