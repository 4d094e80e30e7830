"""Reviewing, put together."""

from collections.abc import Mapping

from bot.jobs.rounds import Round
from bot.workflows.base.cards import Views
from bot.workflows.base.kit import Kit
from bot.workflows.reviewing.audit import Audit
from bot.workflows.reviewing.queue import Queue
from bot.workflows.reviewing.reminders import ReminderDelivery, Reminders
from bot.workflows.reviewing.types import QuestionRules
from bot.workflows.reviewing.verbs import Decisions

ROUND = 60.0
"""Seconds between two looks at what waits for the moderators."""


class Reviewing:
    """The parts of reviewing that the rest of the bot uses."""

    def __init__(self, kit: Kit, *, rules: Mapping[str, QuestionRules], reminders: ReminderDelivery) -> None:
        self.decisions = Decisions(kit, rules=rules)
        self.audit = Audit(kit)
        self.queue = Queue(kit, decisions=self.decisions)
        self._reminders = Reminders(kit, delivery=reminders)
        self._kit = kit

    def rounds(self, views: Views) -> tuple[Round, ...]:
        """What has to be done again and again; `views` load what the questions are about."""

        async def close_and_remind() -> None:
            for review in await self.decisions.expire():
                view = await views.of(review.subject)
                if view is not None:
                    await self._kit.delivery.decided(review, view)
            await self._reminders.remind()

        return (Round("expiry", ROUND, close_and_remind),)
