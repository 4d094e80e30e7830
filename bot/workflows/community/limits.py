"""What a community allows, for every feature: models, safety, pictures at once and a day, money."""

from collections.abc import Sequence

from bot.errors import Refused
from bot.providers import catalogue
from bot.providers.interface import MicroUSD
from bot.providers.parameters import Model
from bot.workflows.base.types import DAY
from storage.base import jobs
from storage.community.communities import Community
from storage.database import Connection

OPEN_SAFETY = 3
"""The most permissive safety tolerance outside age-restricted channels."""
MOST_PICTURES = 4
"""Pictures of one request: a card has room for a gallery of four with a button each."""


def safety_cap(community: Community, *, nsfw: bool) -> int:
    """The most permissive safety tolerance in a channel; `nsfw` where it is age-restricted."""
    return community.safety_cap if nsfw else min(community.safety_cap, OPEN_SAFETY)


def check_safety(community: Community, tolerance: int, *, most: int, nsfw: bool) -> None:
    """`most` is the cap here: the channel's, or the model's where that is lower.

    Raises:
        Refused: the tolerance is above it; the sentence says whether the channel or the community is the reason.
    """
    if tolerance <= most:
        return
    if not nsfw and tolerance <= community.safety_cap:
        raise Refused(f"A safety tolerance above {most} is for age-restricted channels only.")
    raise Refused(f"The highest safety tolerance in this server is {most}; you asked for {tolerance}.")


def allowed_models(models: Sequence[Model], community: Community) -> list[Model]:
    """Those of `models` that the community allows.

    Its list is of models without a finetune: a member who may draw with a finetune may draw with what it needs.
    """
    keys = community.allowed_models
    return [model for model in models if keys is None or model.finetuned or model.key in keys]


def check_model(community: Community, model: Model) -> None:
    """
    Raises:
        Refused: the community does not allow the model; the sentence names those that it does.
    """
    if not allowed_models([model], community):
        labels = ", ".join(catalogue.find(key).label for key in community.allowed_models or ())
        raise Refused(f"{model.label} is not allowed in this server. Allowed: {labels}.")


async def check_pictures(
    db: Connection, community: Community, *, guild_id: int, owner_id: int, count: int, now: float
) -> None:
    """
    Raises:
        Refused: with `count` more pictures the member would have too many under way, or too many in 24 hours.
    """
    under_way = await jobs.count_by_member(db, guild_id=guild_id, owner_id=owner_id)
    if under_way + count > community.member_pictures:
        raise Refused(
            f"You have {under_way} pictures under way, and {community.member_pictures} at once is the limit here. "
            "Please wait for some of them."
        )
    if community.member_daily is None:
        return
    today = await jobs.count_since(db, guild_id=guild_id, owner_id=owner_id, since=now - DAY)
    if today + count > community.member_daily:
        raise Refused(
            f"You have had {today} pictures in the last 24 hours; the limit here is {community.member_daily}."
        )


async def check_budget(db: Connection, community: Community, *, guild_id: int, cost: int, now: float) -> None:
    """`cost` is micro-USD.

    Raises:
        Refused: the community would spend more than its budget for 24 hours.
    """
    if community.daily_budget is None:
        return
    spent = await jobs.spent(db, guild_id=guild_id, since=now - DAY)
    if spent + cost > community.daily_budget:
        raise Refused("This server has spent its budget for 24 hours. Please try again later.")


def needs_approval(community: Community, cost: MicroUSD | int | None) -> bool:
    """Whether a moderator has to agree first. A price that nobody knows needs it wherever money is limited."""
    if cost is None:
        return community.confirm_above is not None or community.daily_budget is not None
    return community.confirm_above is not None and cost > community.confirm_above
