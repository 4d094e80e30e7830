"""The texts that show a community's settings and a member's own defaults."""

from collections.abc import Collection

from bot import limits
from bot.cards.base.words import model_label, money, shortened
from storage.community.communities import Community
from storage.community.members import Defaults


def community_text(community: Community, *, spent: int | None = None, gone: Collection[int] = ()) -> str:
    """A community's settings. `spent` is what it cost in the last 24 hours, in millionths of a dollar; `gone` are the
    ids of a role and a channel that do not exist any more."""
    role, channel, models = community.moderator_role_id, community.review_channel_id, community.allowed_models
    budget = _limit(community.daily_budget)
    if spent is not None:
        budget += (
            f"; {money(spent)} is spent" if community.daily_budget is None else f", of which {money(spent)} is spent"
        )
    lines = [
        ("Moderators", _moderators(role, gone=role in gone)),
        ("Approval requests", _channel(channel, gone=channel in gone)),
        ("Most permissive safety tolerance", str(community.safety_cap)),
        ("Pictures of one member at once", str(community.member_pictures)),
        ("Pictures of one member in 24 hours", _number(community.member_daily)),
        ("Budget for 24 hours", budget),
        ("A moderator is asked above", _limit(community.confirm_above, "never")),
        ("Models", ", ".join(map(model_label, models)) if models is not None else "all"),
        ("Usual model", model_label(community.default_model) if community.default_model else "the bot's own choice"),
        ("Registrations of one member at once", str(community.member_registrations)),
        (
            "The community's wallet",
            f"`{community.wallet}`, for members who have linked none" if community.wallet else "none",
        ),
        (
            "Moderators decide on their own images",
            "yes, and each such decision is logged as one" if community.own_decisions else "no",
        ),
    ]
    return shortened(
        "\n".join(["### This server", *(f"**{name}:** {value}" for name, value in lines)]), limits.ANSWER_CHARACTERS
    )


def defaults_text(defaults: Defaults) -> str:
    """What `/imagine` uses for a member who leaves it out."""
    chosen = [
        ("Model", model_label(defaults.model) if defaults.model else None),
        ("Aspect ratio", defaults.aspect_ratio),
        ("Pictures", _number(defaults.count, "") or None),
        ("File format", defaults.output_format),
        ("Safety tolerance", _number(defaults.safety_tolerance, "") or None),
        ("Spoiler", None if defaults.spoiler is None else "yes" if defaults.spoiler else "no"),
    ]
    return "\n".join(["### Your defaults", *(f"**{name}:** {value or 'as usual here'}" for name, value in chosen)])


def _moderators(role: int | None, *, gone: bool) -> str:
    if gone:
        return "administrators only, because the role that was chosen does not exist any more: choose another"
    return f"<@&{role}> and administrators" if role else "administrators only"


def _channel(channel: int | None, *, gone: bool) -> str:
    where = "in the channel of the request"
    if gone:
        return f"{where}, because the channel that was chosen does not exist any more: choose another"
    return f"<#{channel}>" if channel else where


def _limit(micro_usd: int | None, none: str = "no limit") -> str:
    return none if micro_usd is None else money(micro_usd)


def _number(number: int | None, none: str = "no limit") -> str:
    return none if number is None else str(number)
