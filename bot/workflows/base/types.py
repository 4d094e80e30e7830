"""Values that every feature uses: who asks and where, what they attach, when it will be ready, where its card is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bot.values import Frozen

CARDS = "cards"
"""The lane of the requests themselves: what limits it is how many uploads to Discord are good at once."""
PICTURES = "imagine"
"""The kind of the jobs that are requests for pictures."""
DAY = 86_400.0
REVIEW_LIFE = 7 * DAY
"""Seconds after which a question that no moderator has answered is closed."""
NEARLY = 1.0
"""Seconds before a moment at which a card that counts down to it is over."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def job_id(interaction_id: int) -> str:
    """The id that a member quotes: the interaction's own in base 36, so that one command is one job for ever."""
    text = ""
    while interaction_id:
        interaction_id, digit = divmod(interaction_id, 36)
        text = DIGITS[digit] + text
    return text or "0"


@dataclass(frozen=True)
class Origin:
    """Who asks, and where. `message_id` is the message that will be the card, where there is one already."""

    interaction_id: int
    user_id: int
    guild_id: int
    channel_id: int
    message_id: int | None
    nsfw: bool
    """The channel is age-restricted."""
    role_ids: tuple[int, ...] = ()
    """The roles that the one who asks has at this moment."""


@dataclass(frozen=True)
class Upload:
    """A file that a member attached. `save` writes its bytes to a path; `size` in bytes is what Discord says it has."""

    name: str
    size: int
    save: Callable[[Path], Awaitable[object]]


@dataclass(frozen=True)
class Forecast:
    """When a request will be ready, from this server's own history; Unix seconds.

    A moment that has passed is None: it is no forecast any more. Where both are, it takes longer than usual.
    """

    ahead: int
    """Pictures that are drawn before its first."""
    likely: float | None
    """Half of such requests are ready by then."""
    latest: float | None
    """Nine of ten are."""

    def at(self, now: float) -> "Forecast":
        """What of it is still to come."""
        likely = self.likely if self.likely is not None and self.likely > now + NEARLY else None
        latest = self.latest if self.latest is not None and self.latest > now + NEARLY else None
        return replace(self, likely=likely, latest=latest)

    def changes_in(self, now: float) -> float | None:
        """Seconds until less of it is to come; None where nothing is."""
        ends = [end - NEARLY - now for end in (self.likely, self.latest) if end is not None]
        return max(min(ends), 0.0) if ends else None


class Posted(Frozen):
    """Where a card is now."""

    message_id: int
    channel_id: int
