"""Reviewing, put together."""

import logging
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from bot.errors import MachineTrouble
from bot.jobs.rounds import Round
from bot.workflows.base.cards import Views
from bot.workflows.base.kit import Kit
from bot.workflows.reviewing.audit import Audit
from bot.workflows.reviewing.queue import Queue
from bot.workflows.reviewing.reminders import ReminderDelivery, Reminders
from bot.workflows.reviewing.types import QuestionRules
from bot.workflows.reviewing.verbs import Decisions
from storage.reviewing import late_cards, reviews

log = logging.getLogger(__name__)

ROUND = 60.0
"""Seconds between two looks at what waits for the moderators."""


class Reviewing:
    """The parts of reviewing that the rest of the bot uses."""

    def __init__(self, kit: Kit, *, rules: Mapping[str, QuestionRules], reminders: ReminderDelivery) -> None:
        self.decisions = Decisions(kit, rules=rules)
        self.audit = Audit(kit)
        self.queue = Queue(kit, decisions=self.decisions)
        self.reminders = Reminders(kit, delivery=reminders)
        self._kit = kit

    def rounds(self, views: Views) -> tuple[Round, ...]:
        """What has to be done again and again; `views` load what the questions are about."""

        async def close_and_remind() -> None:
            for review in await self.decisions.expire():
                await show(review.id)
            await self.reminders.remind()

        async def show_late_cards() -> None:
            async with self._kit.work.read() as db:
                late = await late_cards.find_all(db)
            for review_id in late:
                await show(review_id)

        async def show(review_id: str) -> None:
            try:
                async with self._kit.work.read() as db:
                    review = await reviews.find(db, review_id)
                view = await views.of(review.subject) if review else None
                if review is not None and view is not None:
                    await self._kit.delivery.decided(review, view)
                else:
                    async with self._kit.work() as tx:
                        await late_cards.forget(tx.db, review_id)
            except (SQLAlchemyError, MachineTrouble):  # the other cards and the reminders do not wait for this one
                log.exception("The card of the approval request %s could not be brought up to date.", review_id)

        return (Round("expiry", ROUND, close_and_remind), Round("late cards", ROUND, show_late_cards))
