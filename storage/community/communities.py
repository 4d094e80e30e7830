"""What each community (a Discord guild) has decided about the bot."""

from pydantic import Field

from bot.values import Frozen
from storage.database import Connection, change, row


class Community(Frozen):
    """A community's settings. Money is in millionths of a US dollar, None means no limit."""

    moderator_role_id: int | None = None
    review_channel_id: int | None = None
    safety_cap: int = Field(default=2, ge=0, le=6)
    """The most permissive safety tolerance that a member may choose."""
    member_pictures: int = Field(default=12, ge=1, le=200)
    """Pictures of one member that may be drawn or wait at once."""
    member_daily: int | None = Field(default=None, ge=1)
    """Pictures of one member in 24 hours."""
    daily_budget: int | None = Field(default=None, ge=0)
    """What the whole community may spend in 24 hours."""
    confirm_above: int | None = Field(default=None, ge=0)
    """A request that costs more waits for a moderator."""
    allowed_models: tuple[str, ...] | None = None
    """Keys of the catalogue; None for all."""
    default_model: str | None = None
    wallet: str | None = None
    """Address of the community's own wallet: it gets the tokens of members who have linked none."""
    own_decisions: bool = False
    """Moderators may decide on their own images, and on those of models that they trained. Each such decision is
    written down as one."""
    saved_reasons: tuple[str, ...] = ()
    """Reasons for a denial that moderators have kept, newest first."""
    member_registrations: int = Field(default=5, ge=1, le=100)
    """Registrations of one member that may wait or be under way at once."""


async def find(db: Connection, guild_id: int) -> Community:
    """The community's settings, or the defaults where it has decided nothing yet."""
    stored = await row(db, "SELECT settings FROM communities WHERE guild_id = :id", {"id": guild_id})
    return Community.model_validate_json(stored["settings"]) if stored else Community()


async def save(db: Connection, guild_id: int, community: Community, *, by: int, now: float) -> None:
    await change(
        db,
        """
        INSERT INTO communities (guild_id, settings, updated_by, updated_at) VALUES (:id, :settings, :by, :now)
        ON CONFLICT (guild_id) DO UPDATE SET settings = :settings, updated_by = :by, updated_at = :now
        """,
        {"id": guild_id, "settings": community.model_dump_json(), "by": by, "now": now},
    )
