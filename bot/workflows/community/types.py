"""What the admin of the bot or of a community is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.providers.interface import MicroUSD
from storage.community.communities import Community


@dataclass(frozen=True)
class CommunityView:
    """A community's settings, and what it has spent in the last 24 hours."""

    settings: Community
    spent: int
    """Micro-USD."""


@dataclass(frozen=True)
class Balance:
    """What is left at one provider."""

    provider: str
    left: MicroUSD | None
    """None where the provider did not tell; `error` says why, if it was asked."""
    error: str | None = None


@dataclass(frozen=True)
class Health:
    """The state of the bot, as `/admin doctor` shows it."""

    requests: Mapping[str, int]
    """How many requests are in each state."""
    balances: tuple[Balance, ...]
    settings: Community
    """Of the community in which that was asked."""
