"""Reminds moderators of what waits: after four hours, a day later by their role's name, then once a day for all of it.

A reminder is noted before it is posted, and posted once whatever happens in between: an unfinished one is taken up
again by the same name, under which its message is found.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from bot.errors import BotError, Unavailable
from bot.values import Frozen
from bot.workflows.base.cards import PlaceGone
from bot.workflows.base.kit import Kit
from storage.base import jobs, notes
from storage.community import communities
from storage.database import Connection
from storage.reviewing import reviews
from storage.reviewing.reviews import Review, ReviewState

log = logging.getLogger(__name__)

HOUR = 3600.0
WAITS = (4 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds before the first reminder, until the second, and between all further ones."""
CALLING = 2
"""The reminder that mentions the moderators' role."""
DAILY = 3
"""From this reminder on, a channel's questions share one message a day."""
MOST = 500
"""Questions that one look takes up; the next one is a minute later."""
CHANNEL_GONE = "The channel for approval requests does not exist any more."
CHOOSE = "Whoever manages the server can choose another with `/admin settings`."
_NEVER = 1e12
_NOTE = "reminder "
"""Begins the names of the notes of what is being posted, by its channel."""


@dataclass(frozen=True)
class Reminder:
    """One message about questions that wait, oldest first."""

    guild_id: int
    channel_id: int
    first_id: str
    """The question that names the message, with `number`; it may be decided by now."""
    number: int
    """How often that question will have been reminded of."""
    reviews: tuple[Review, ...]
    called: int | None
    """The role that is notified."""
    note: str = ""
    """What whoever manages the server has to put right."""

    @property
    def daily(self) -> bool:
        return self.number >= DAILY


class ReminderDelivery(Protocol):
    """Where reminders are posted; bot/discord/delivery.py is the real one."""

    async def remind(self, reminder: Reminder) -> None:
        """Post it, once: safe to repeat. Raises Unavailable where Discord does not answer, PlaceGone where the channel
        does not exist any more, and Refused or Broken where Discord does not take it."""
        ...


class _Noted(Frozen):
    """A reminder that is being posted."""

    guild_id: int
    channel_id: int
    called: int | None
    numbers: dict[str, int]
    """Of each question, by its id: how often it will have been reminded of. The first names the message."""


class Reminders:
    """Looks after what waits. Rows are all that it remembers."""

    def __init__(self, kit: Kit, *, delivery: ReminderDelivery) -> None:
        self._work = kit.work
        self._clock = kit.clock
        self._alarm = kit.alarm
        self._delivery = delivery

    async def remind(self) -> int:
        """Post what is due, and what an earlier try could not finish; how many messages that were."""
        posted = 0
        for noted in [*await self._begun(), *await self._begin()]:
            posted += await self._post(noted)
        return posted

    async def _begun(self) -> list[_Noted]:
        async with self._work.read() as db:
            contents = (await notes.beginning_with(db, _NOTE)).values()
        return [_Noted.model_validate_json(content) for content in contents]

    async def _begin(self) -> list[_Noted]:
        """Note what is due now. A channel whose last reminder is not posted yet comes after that."""
        async with self._work.read() as db:
            if not await reviews.to_remind(db, waits=WAITS, now=self._clock.now(), limit=MOST):
                return []
        async with self._work() as tx:
            busy = await notes.beginning_with(tx.db, _NOTE)
            due = [each for each in await self._due(tx.db, tx.now) if _note(each.channel_id) not in busy]
            new = {_note(each.channel_id): each for each in reversed(due)}  # one a channel; the others a minute later
            for name, noted in new.items():
                await notes.save(tx.db, name, noted.model_dump_json())
        return list(new.values())

    async def _due(self, db: Connection, now: float) -> list[_Noted]:
        """What is due, in groups: each channel's, by whether the role is called or it is the daily one."""
        due = await reviews.to_remind(db, waits=WAITS, now=now, limit=MOST)
        late = await reviews.to_remind(db, waits=(_NEVER, _NEVER, 0.0), now=now, limit=MOST)
        reminded = list({review.id: review for review in [*due, *late]}.values())
        settings = {guild_id: await communities.find(db, guild_id) for guild_id in {each.guild_id for each in reminded}}

        def group(review: Review) -> tuple[int, int, int]:
            channel_id = settings[review.guild_id].review_channel_id or review.channel_id
            return review.guild_id, channel_id, min(review.reminders + 1, DAILY)

        groups = {group(review) for review in due}  # the daily one takes those with it that are not due yet
        waiting = sorted(reminded, key=lambda review: (*group(review), review.created_at, review.id))
        return [
            _Noted(
                guild_id=guild_id,
                channel_id=channel_id,
                called=settings[guild_id].moderator_role_id if number == CALLING else None,
                numbers={review.id: review.reminders + 1 for review in members},
            )
            for (guild_id, channel_id, number), members in groupby(waiting, group)
            if (guild_id, channel_id, number) in groups
        ]

    async def _post(self, noted: _Noted) -> bool:
        """Post a noted reminder about those of its questions that still wait; whether there was any."""
        async with self._work.read() as db:
            asked = [await reviews.find(db, review_id) for review_id in noted.numbers]
        waiting = [each for each in asked if each and each.state is ReviewState.OPEN]
        if waiting:
            first_id, number = next(iter(noted.numbers.items()))
            reminder = Reminder(
                guild_id=noted.guild_id,
                channel_id=noted.channel_id,
                first_id=first_id,
                number=number,
                reviews=tuple(waiting),
                called=noted.called,
            )
            try:
                await self._deliver(reminder)
            except Unavailable as error:
                log.info("The moderators of %d could not be reminded yet: %s", noted.guild_id, error)
                return False
            except BotError as error:  # the next one may find that mended
                log.warning("The moderators of %d cannot be reminded: %s", noted.guild_id, error)
                await self._alarm(f"The moderators of the server `{noted.guild_id}` cannot be reminded. {error}")
        await self._done(noted, waiting)
        return bool(waiting)

    async def _deliver(self, reminder: Reminder) -> None:
        """Post it where the community wants to be asked or, where the bot may not, beside the oldest question's card,
        or else where that was asked for."""
        async with self._work.read() as db:
            job = await jobs.find(db, reminder.reviews[0].subject)
        channels = [reminder.channel_id, reminder.reviews[0].channel_id, *([job.channel_id] if job else [])]
        refusal: BotError | None = None
        for channel_id in dict.fromkeys(channels):
            try:
                await self._delivery.remind(replace(reminder, channel_id=channel_id))
            except Unavailable:
                raise
            except PlaceGone as error:
                refusal = error
                await self.replace_channel(reminder.guild_id, channel_id)
                reminder = replace(reminder, note=f"{CHANNEL_GONE} {CHOOSE}")
            except BotError as error:
                refusal = error
            else:
                return
        if refusal is not None:
            raise refusal

    async def replace_channel(self, guild_id: int, channel_id: int) -> None:
        """A channel is gone: ask what was asked there anew, where it was asked for, and tell the admin of it."""
        async with self._work() as tx:
            moved = await reviews.open_in(tx.db, channel_id)
            for review in moved:
                job = await jobs.find(tx.db, review.subject)
                if job is not None and job.channel_id != channel_id:
                    await reviews.set_message(tx.db, review.id, message_id=None, channel_id=job.channel_id)
                    await tx.wake(job.id)
            community = await communities.find(tx.db, guild_id)
        if moved and community.review_channel_id == channel_id:
            await self._alarm(f"{CHANNEL_GONE} It was `{channel_id}` of the server `{guild_id}`. {CHOOSE}")

    async def _done(self, noted: _Noted, waiting: Sequence[Review]) -> None:
        async with self._work() as tx:
            for review in waiting:
                await reviews.set_reminded(tx.db, review.id, reminders=noted.numbers[review.id], now=tx.now)
            await notes.forget(tx.db, _note(noted.channel_id), content=noted.model_dump_json())


def _note(channel_id: int) -> str:
    return f"{_NOTE}{channel_id}"
