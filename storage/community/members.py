"""What each member has chosen as their own defaults."""

from pydantic import Field

from bot.values import Frozen
from storage.database import Connection, change, row


class Defaults(Frozen):
    """What a member leaves out of `/imagine`; None leaves it to the community and the catalogue."""

    model: str | None = None
    aspect_ratio: str | None = None
    count: int | None = Field(default=None, ge=1, le=4)
    output_format: str | None = None
    safety_tolerance: int | None = Field(default=None, ge=0, le=6)
    spoiler: bool | None = None


async def find(db: Connection, user_id: int) -> Defaults:
    stored = await row(db, "SELECT defaults FROM members WHERE user_id = :id", {"id": user_id})
    return Defaults.model_validate_json(stored["defaults"]) if stored else Defaults()


async def save(db: Connection, user_id: int, defaults: Defaults, *, now: float) -> None:
    await change(
        db,
        """
        INSERT INTO members (user_id, defaults, updated_at) VALUES (:id, :defaults, :now)
        ON CONFLICT (user_id) DO UPDATE SET defaults = :defaults, updated_at = :now
        """,
        {"id": user_id, "defaults": defaults.model_dump_json(), "now": now},
    )
