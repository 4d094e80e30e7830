"""Black Forest Labs' answers, for pictures and trainings alike, and what its errors mean.

Source: docs.bfl.ai, api.bfl.ai/openapi.json, and answers of the service that people have published.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from bot.errors import BotError, Broken, Refused, Unavailable
from bot.http.answers import clean
from bot.http.client import Failure, Reply
from bot.providers.interface import Status
from bot.providers.ranges import Amount, Share, Text

POLL_PATH = "/v1/get_result"

REGIONS: Mapping[str, str] = {
    "global": "https://api.bfl.ai",
    "eu": "https://api.eu.bfl.ai",
    "us": "https://api.us.bfl.ai",
    "eu1": "https://api.eu1.bfl.ai",
    "us1": "https://api.us1.bfl.ai",
}
SINGLE_CLUSTERS = ("us1", "eu1")
"""Finetunes exist there, and there any task can be polled by its id; the other regions stand for many clusters."""

_STATUSES = {
    "queued": Status.WAITING,
    "ready": Status.READY,
    "error": Status.FAILED,
    "failed": Status.FAILED,
    "request moderated": Status.MODERATED_INPUT,
    "content moderated": Status.MODERATED_OUTPUT,
    "task not found": Status.MISSING,
}
"""Any other word is RUNNING: Pending (from the order to the end), Processing, and words of newer servers."""


class Result(Reply):
    """What `get_result` says of a task: a picture, or a training."""

    status: Text = None
    result: JsonValue = None
    progress: Share = None
    details: JsonValue = None
    cost: Amount = None
    """Credits. The last answer has the settled cost, 0 included (vercel/ai#18439, August 2026); before it, none."""

    @property
    def stands(self) -> Status:
        return _STATUSES.get((self.status or "").strip().lower(), Status.RUNNING)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was moderated or failed."""
        return _reasons(self.details) if self.stands.ended and self.stands is not Status.READY else ()


class UnknownFinetune(Refused):
    """The service does not know a finetune: another region's, deleted, never there, or not finished."""


def explain(failure: Failure) -> BotError | None:
    """What BFL means. Its errors are `{"detail": text or list}`; 402's and 429's texts are nowhere documented."""
    reason = failure.reason.lower()
    if failure.status >= 500:
        return None
    if failure.status == 402 or "insufficient credits" in reason:
        return Broken("This server's account at the image service is out of credits: the admin has to add some.")
    if failure.status in {401, 403} or "api key" in reason or "not authenticated" in reason:
        return Broken("The image service did not accept the key of this server's account: the admin has to look at it.")
    if "finetune not found" in reason or "invalid finetune_id" in reason:
        return UnknownFinetune("The image service does not know this finetune, or has not finished it.")
    if failure.status == 429:
        return Unavailable(
            "The image service is drawing as much for this server as it will at once.",
            retry_after=failure.retry_after,
        )
    return None


def _reasons(details: JsonValue) -> tuple[str, ...]:
    """All texts in `details`, such as {"Moderation Reasons": ["Sexual Content"]}."""
    match details:
        case str():
            return (clean(details),) if details.strip() else ()
        case [*parts]:
            return tuple(reason for part in parts for reason in _reasons(part))[:10]
        case {**parts}:
            return tuple(reason for part in parts.values() for reason in _reasons(part))[:10]
        case _:
            return ()
