"""Reads and changes what communities and members have chosen, and reads the state of the bot for its admin."""

from collections.abc import Mapping
from typing import Any

from bot.errors import BotError, Refused
from bot.providers import catalogue
from bot.providers.interface import Provider, TellsBalance
from bot.providers.parameters import Model
from bot.workflows.base.kit import Kit
from bot.workflows.base.types import DAY
from bot.workflows.base.work import UnitOfWork
from bot.workflows.community.models import allowed_editors
from bot.workflows.community.types import Balance, CommunityView, Health
from storage.base import jobs
from storage.community import communities, members
from storage.community.communities import Community
from storage.community.members import Defaults

_AUDITED = {
    "moderator_role_id": "moderator_role",
    "review_channel_id": "review_channel",
    "own_decisions": "own_decisions",
    "wallet": "community_wallet",
}
"""What decides who decides, or who gets what is minted, and its option: each change of it is written down."""


class Communities:
    """The settings of communities."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work
        self._providers = kit.providers

    async def find(self, guild_id: int) -> Community:
        """The community's settings, or the defaults where it has decided nothing yet."""
        async with self._work.read() as db:
            return await communities.find(db, guild_id)

    async def allowed_editors(self, guild_id: int) -> list[Model]:
        """The models that may edit there; the usual one first.

        Raises:
            Refused: the community allows none.
        """
        return allowed_editors(await self.find(guild_id))

    async def change(self, guild_id: int, changes: Mapping[str, Any], *, by: int) -> CommunityView:
        """Change the settings that `changes` names, by their fields; with none, only read them.

        Raises:
            Refused: the usual model is none of the allowed ones. Nothing was changed.
        """
        async with self._work() as tx:
            before = await communities.find(tx.db, guild_id)
            community = before.model_copy(update=changes)
            _check_models(community)
            if changes:
                await communities.save(tx.db, guild_id, community, by=by, now=tx.now)
                await _audit_changes(tx, before, community, guild_id, by)
            spent = await jobs.spent(tx.db, guild_id=guild_id, since=tx.now - DAY)
        return CommunityView(community, spent)

    async def check_health(self, guild_id: int) -> Health:
        """The state of the queue and of the providers; each provider is asked for its balance."""
        async with self._work.read() as db:
            requests = await jobs.count_states(db)
            community = await communities.find(db, guild_id)
        balances = [await _balance(name, provider) for name, provider in self._providers.items()]
        return Health(requests, tuple(balances), community)


class Members:
    """What members have chosen as their own defaults."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work

    async def change_defaults(self, user_id: int, changes: Mapping[str, Any], *, reset: bool) -> Defaults:
        """Change those that `changes` names, by their fields; `reset` forgets all others."""
        async with self._work() as tx:
            before = Defaults() if reset else await members.find(tx.db, user_id)
            defaults = before.model_copy(update=changes)
            if changes or reset:
                await members.save(tx.db, user_id, defaults, now=tx.now)
        return defaults


def _check_models(community: Community) -> None:
    allowed, usual = community.allowed_models, community.default_model
    if allowed is not None and usual is not None and usual not in allowed:
        raise Refused(f"The usual model, {catalogue.find(usual).label}, has to be one of the allowed models.")


async def _audit_changes(tx: UnitOfWork, before: Community, after: Community, guild_id: int, by: int) -> None:
    """Write down who has changed what of the settings that decide over decisions."""
    for field, option in _AUDITED.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            await tx.audit(
                "setting changed",
                option,
                guild_id=guild_id,
                actor_id=by,
                details={"setting": option, "old": _text_of(old), "new": _text_of(new)},
            )


def _text_of(value: int | str | bool | None) -> str | None:
    """As the audit has it: ids as text, which no program rounds."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return None if value is None else str(value)


async def _balance(name: str, provider: Provider) -> Balance:
    if not isinstance(provider, TellsBalance):
        return Balance(name, None)
    try:
        return Balance(name, await provider.balance())
    except BotError as error:
        return Balance(name, None, str(error))
