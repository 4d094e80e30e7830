"""Every question that is asked about finetunes: their drafts, trainings, sharing and ends.

A finetune has the id of the job whose card it is; each try to train it is a child of that job.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from storage.base import transitions
from storage.base.columns import columns, insert, read
from storage.database import Connection, change, row, rows
from storage.finetuning.transitions import TRANSITIONS, Event, FinetuneState


class Visibility(StrEnum):
    """Who may draw with a finetune."""

    PRIVATE = "private"
    SHARED = "shared"
    """Its owner, and the members and roles that it is shared with."""
    COMMUNITY = "community"


@dataclass(frozen=True)
class Finetune:
    """One row. `spec`, `ref` and `progress` are JSON of the workflows; times are Unix seconds."""

    id: str
    guild_id: int
    owner_id: int
    name: str
    state: FinetuneState
    spec: str
    description: str
    created_at: float
    changed_at: float
    visibility: Visibility = Visibility.PRIVATE
    open_to_others: bool = False
    training_set: str | None = None
    """SHA-256 of the ZIP that is (or was) trained on."""
    sheet: str | None = None
    """SHA-256 of the contact sheet of its pictures."""
    ref: str | None = None
    progress: str | None = None
    model: str | None = None
    """What usually draws with it; None for the trainer's usual one."""
    strength: float | None = None
    frozen_at: float | None = None
    """Since when nobody draws with it: a contributor has withdrawn their consent."""
    frozen_by: int | None = None
    ready_at: float | None = None
    expires_at: float | None = None
    warned_at: float | None = None
    deleted_at: float | None = None
    deleted_by: int | None = None


@dataclass(frozen=True)
class Share:
    """A member or role that a finetune is shared with."""

    kind: str
    """`member` or `role`."""
    subject_id: int


@dataclass(frozen=True)
class Sample:
    """A picture that the trainer has drawn with a finetune."""

    position: int
    sha256: str
    media_type: str


_COLUMNS = columns(Finetune)
_USABLE_BY = """(owner_id = :user_id OR visibility = 'community' OR (visibility = 'shared' AND EXISTS (
    SELECT 1 FROM finetune_shares AS share WHERE share.finetune_id = finetunes.id
        AND ((share.kind = 'member' AND share.subject_id = :user_id)
            OR (share.kind = 'role' AND (',' || :roles || ',') LIKE ('%,' || share.subject_id || ',%'))))))"""


def key_of(name: str) -> str:
    """The form of a name that is unique in a community."""
    return " ".join(name.split()).casefold()


async def add(db: Connection, finetune: Finetune) -> bool:
    """Keep a new draft; False when its name is taken, or it is there already."""
    added = await change(
        db,
        f"{insert('finetunes', Finetune, 'name_key')} ON CONFLICT DO NOTHING",
        asdict(finetune) | {"name_key": key_of(finetune.name)},
    )
    return added == 1


async def find(db: Connection, finetune_id: str) -> Finetune | None:
    finetune = await row(db, f"SELECT {_COLUMNS} FROM finetunes WHERE id = :id", {"id": finetune_id})
    return read(Finetune, finetune) if finetune else None


async def find_by_name(db: Connection, guild_id: int, name: str) -> Finetune | None:
    """The finetune of that name which is not deleted."""
    finetune = await row(
        db,
        f"SELECT {_COLUMNS} FROM finetunes WHERE guild_id = :guild_id AND name_key = :key AND deleted_at IS NULL",
        {"guild_id": guild_id, "key": key_of(name)},
    )
    return read(Finetune, finetune) if finetune else None


async def list_usable(
    db: Connection, *, guild_id: int, user_id: int, roles: Sequence[int], limit: int, ready: bool = True
) -> list[Finetune]:
    """What a member may draw with (`ready`), or see in their list (what they gave pictures for, too); newest first."""
    selected = await rows(
        db,
        f"""
        SELECT {_COLUMNS} FROM finetunes
        WHERE guild_id = :guild_id AND deleted_at IS NULL AND {_USABLE_BY}
            AND (NOT :ready OR (state = 'ready' AND frozen_at IS NULL))
        UNION
        SELECT {_COLUMNS} FROM finetunes
        WHERE NOT :ready AND guild_id = :guild_id AND deleted_at IS NULL AND EXISTS (
            SELECT 1 FROM training_images AS given
            WHERE given.finetune_id = finetunes.id AND given.contributor_id = :user_id)
        ORDER BY created_at DESC LIMIT :limit
        """,
        {
            "guild_id": guild_id,
            "user_id": user_id,
            "roles": ",".join(map(str, roles)),
            "ready": ready,
            "limit": limit,
        },
    )
    return [read(Finetune, each) for each in selected]


async def may_use(db: Connection, finetune_id: str, *, user_id: int, roles: Sequence[int]) -> bool:
    """Whether a member may draw with it, as it is shared at this moment."""
    allowed = await row(
        db,
        f"SELECT 1 AS one FROM finetunes WHERE id = :id AND deleted_at IS NULL AND {_USABLE_BY}",
        {"id": finetune_id, "user_id": user_id, "roles": ",".join(map(str, roles))},
    )
    return allowed is not None


async def of_community(db: Connection, guild_id: int) -> list[Finetune]:
    """Every finetune of a community that is not deleted, newest first."""
    selected = await rows(
        db,
        f"SELECT {_COLUMNS} FROM finetunes WHERE guild_id = :id AND deleted_at IS NULL ORDER BY created_at DESC",
        {"id": guild_id},
    )
    return [read(Finetune, each) for each in selected]


async def of_state(db: Connection, state: FinetuneState) -> list[Finetune]:
    """All in that state, the longest unchanged first."""
    selected = await rows(
        db, f"SELECT {_COLUMNS} FROM finetunes WHERE state = :state ORDER BY changed_at", {"state": state}
    )
    return [read(Finetune, each) for each in selected]


async def move(db: Connection, finetune_id: str, event: Event, *, now: float, **values: object) -> bool:
    """Change the state, and the columns that the event sets; False where the event cannot happen any more.

    Of these columns, those that are not among `values` become NULL.
    """
    transition = transitions.find(TRANSITIONS, event)
    assert values.keys() <= set(transition.sets), "an event sets the columns that its row in the table names"
    assignments = "".join(f", {name} = :{name}" for name in transition.sets)
    changed = await change(
        db,
        f"""
        UPDATE finetunes SET state = :after, changed_at = :now{assignments}
        WHERE id = :id AND state IN ({transitions.quoted(transition.before)})
        """,
        {**dict.fromkeys(transition.sets), **values, "id": finetune_id, "after": transition.after, "now": now},
    )
    return changed == 1


async def update(db: Connection, finetune_id: str, *, now: float, **values: object) -> None:
    """Set columns by their names; the caller has checked the state in this transaction."""
    names = ", ".join(f"{name} = :{name}" for name in values)
    await change(
        db,
        f"UPDATE finetunes SET {names}, changed_at = :changed_at WHERE id = :id",
        {"id": finetune_id, "changed_at": now, **values},
    )


async def rename(db: Connection, finetune_id: str, *, name: str, now: float) -> bool:
    """False where the community has another finetune of that name."""
    changed = await change(
        db,
        """
        UPDATE finetunes SET name = :name, name_key = :key, changed_at = :now WHERE id = :id AND NOT EXISTS (
            SELECT 1 FROM finetunes AS other WHERE other.guild_id = finetunes.guild_id AND other.name_key = :key
                AND other.deleted_at IS NULL AND other.id <> :id)
        """,
        {"id": finetune_id, "name": name, "key": key_of(name), "now": now},
    )
    return changed == 1


async def warn(db: Connection, finetune_id: str, *, now: float) -> bool:
    """Note that the owner is warned of its end; False where that is noted already."""
    changed = await change(
        db,
        "UPDATE finetunes SET warned_at = :now WHERE id = :id AND state = 'ready' AND warned_at IS NULL",
        {"id": finetune_id, "now": now},
    )
    return changed == 1


async def freeze(db: Connection, finetune_id: str, *, by: int, now: float) -> bool:
    """Let nobody draw with it; False where it is frozen already."""
    changed = await change(
        db,
        "UPDATE finetunes SET frozen_at = :now, frozen_by = :by WHERE id = :id AND frozen_at IS NULL",
        {"id": finetune_id, "by": by, "now": now},
    )
    return changed == 1


async def unfreeze(db: Connection, finetune_id: str) -> None:
    await change(db, "UPDATE finetunes SET frozen_at = NULL, frozen_by = NULL WHERE id = :id", {"id": finetune_id})


async def share(db: Connection, finetune_id: str, visibility: Visibility, shares: Sequence[Share]) -> None:
    """Who may draw with it from now on, in place of those before."""
    await change(
        db,
        "UPDATE finetunes SET visibility = :visibility WHERE id = :id",
        {"id": finetune_id, "visibility": visibility},
    )
    await change(db, "DELETE FROM finetune_shares WHERE finetune_id = :id", {"id": finetune_id})
    for each in shares:
        await change(
            db,
            """
            INSERT INTO finetune_shares (finetune_id, kind, subject_id) VALUES (:id, :kind, :subject_id)
            ON CONFLICT DO NOTHING
            """,
            {"id": finetune_id, "kind": each.kind, "subject_id": each.subject_id},
        )


async def shares_of(db: Connection, finetune_id: str) -> list[Share]:
    selected = await rows(
        db,
        f"SELECT {columns(Share)} FROM finetune_shares WHERE finetune_id = :id ORDER BY kind, subject_id",
        {"id": finetune_id},
    )
    return [read(Share, each) for each in selected]


async def add_sample(db: Connection, finetune_id: str, sample: Sample) -> None:
    await change(
        db,
        """
        INSERT INTO finetune_samples (finetune_id, position, sha256, media_type)
        VALUES (:id, :position, :sha256, :media_type) ON CONFLICT DO NOTHING
        """,
        {"id": finetune_id, **asdict(sample)},
    )


async def samples_of(db: Connection, finetune_id: str) -> list[Sample]:
    selected = await rows(
        db,
        f"SELECT {columns(Sample)} FROM finetune_samples WHERE finetune_id = :id ORDER BY position",
        {"id": finetune_id},
    )
    return [read(Sample, each) for each in selected]


async def delete_samples(db: Connection, finetune_id: str) -> list[str]:
    """The SHA-256 of the files that they were."""
    selected = await rows(
        db, "DELETE FROM finetune_samples WHERE finetune_id = :id RETURNING sha256", {"id": finetune_id}
    )
    return [each["sha256"] for each in selected]
