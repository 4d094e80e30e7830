"""Every question that is asked about registrations: images on their way to become IP on Story."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import RowMapping

from storage.database import Connection, change, row, rows


class RegistrationState(StrEnum):
    """How far a registration is. Claimed and asked about are what its question is (storage/reviewing/reviews.py)."""

    DRAFT = "draft"
    """Only its owner sees it; it has no job and no card yet."""
    SUBMITTED = "submitted"
    APPROVED = "approved"
    """A moderator has agreed; until `undo_until` they can take that back."""
    PINNING = "pinning"
    PINNED = "pinned"
    SIGNED = "signed"
    """Its transaction is signed and saved: from here on it cannot be withdrawn."""
    SENT = "sent"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"


UNDER_WAY = (
    RegistrationState.SUBMITTED,
    RegistrationState.APPROVED,
    RegistrationState.PINNING,
    RegistrationState.PINNED,
    RegistrationState.SIGNED,
    RegistrationState.SENT,
)
WITHDRAWABLE = UNDER_WAY[:4]
"""States from which its owner can take it back: nothing is signed."""


@dataclass(frozen=True)
class Registration:
    """One row. `details` and `terms` are JSON that the workflow understands; times are Unix seconds.

    `sha256` names the image's stored file, `preview` a smaller copy of it, `ip_metadata` and `nft_metadata` the files
    that are pinned. `token_id` is text: the chain's numbers have 256 bits.
    """

    id: str
    guild_id: int
    channel_id: int
    owner_id: int
    state: RegistrationState
    image_id: str
    sha256: str
    preview: str
    fingerprint: str
    details: str
    created_at: float
    changed_at: float
    previous_id: str | None = None
    terms: str | None = None
    """Fixed when it is submitted: chain, collection and recipient."""
    digest: str | None = None
    """SHA-256 of what was submitted, to which an approval is bound."""
    approval_id: str | None = None
    undo_until: float | None = None
    tries: int = 0
    image_cid: str | None = None
    ip_metadata: str | None = None
    ip_cid: str | None = None
    nft_metadata: str | None = None
    nft_cid: str | None = None
    token_id: str | None = None
    ip_id: str | None = None
    tx_hash: str | None = None
    outcome: str | None = None
    error: str | None = None
    submitted_at: float | None = None
    confirmed_at: float | None = None


_COLUMNS = """id, guild_id, channel_id, owner_id, state, image_id, sha256, preview, fingerprint, details, created_at,
    changed_at, previous_id, terms, digest, approval_id, undo_until, tries, image_cid, ip_metadata, ip_cid,
    nft_metadata, nft_cid, token_id, ip_id, tx_hash, outcome, error, submitted_at, confirmed_at"""
_CHANGEABLE = frozenset(_COLUMNS.replace(",", " ").split()) - {"id", "guild_id", "owner_id", "created_at", "state"}


def _registration(found: RowMapping) -> Registration:
    columns: dict[str, Any] = dict(found)
    columns.update(state=RegistrationState(found["state"]))
    return Registration(**columns)


async def add(db: Connection, new: Registration) -> bool:
    """Keep a new one; False when it is there already."""
    names = _COLUMNS.replace("\n", " ")
    values = ", ".join(f":{name.strip()}" for name in names.split(","))
    added = await change(
        db, f"INSERT INTO registrations ({names}) VALUES ({values}) ON CONFLICT (id) DO NOTHING", asdict(new)
    )
    return added == 1


async def find(db: Connection, registration_id: str) -> Registration | None:
    found = await row(db, f"SELECT {_COLUMNS} FROM registrations WHERE id = :id", {"id": registration_id})
    return _registration(found) if found else None


async def move(
    db: Connection,
    registration_id: str,
    *,
    before: Collection[RegistrationState],
    after: RegistrationState,
    now: float,
    **columns: object,
) -> bool:
    """Go from one of the states `before` to `after`, and set `columns`; False when it is in none of them any more."""
    states = {f"before_{place}": state for place, state in enumerate(before)}
    changed = await change(
        db,
        f"""
        UPDATE registrations SET state = :after, changed_at = :now{_assignments(columns)}
        WHERE id = :id AND state IN ({", ".join(f":{name}" for name in states)})
        """,
        {"id": registration_id, "after": after, "now": now, **states, **columns},
    )
    return changed == 1


async def update(db: Connection, registration_id: str, *, now: float, **columns: object) -> None:
    """Set `columns`, whatever its state."""
    await change(
        db,
        f"UPDATE registrations SET changed_at = :now{_assignments(columns)} WHERE id = :id",
        {"id": registration_id, "now": now, **columns},
    )


async def edit_draft(db: Connection, registration_id: str, *, owner_id: int, details: str, now: float) -> bool:
    """Change what a draft says; False when it is no draft of this member's any more."""
    changed = await change(
        db,
        """
        UPDATE registrations SET details = :details, changed_at = :now
        WHERE id = :id AND owner_id = :owner_id AND state = 'draft'
        """,
        {"id": registration_id, "owner_id": owner_id, "details": details, "now": now},
    )
    return changed == 1


async def draft_of(db: Connection, *, image_id: str, owner_id: int) -> Registration | None:
    """A member's newest draft about an image."""
    found = await row(
        db,
        f"""
        SELECT {_COLUMNS} FROM registrations WHERE image_id = :image_id AND owner_id = :owner_id AND state = 'draft'
        ORDER BY created_at DESC LIMIT 1
        """,
        {"image_id": image_id, "owner_id": owner_id},
    )
    return _registration(found) if found else None


async def with_bytes(db: Connection, sha256: str, *, states: Collection[RegistrationState]) -> list[Registration]:
    """Those of the very same bytes in one of these states, in every community, oldest first."""
    return await _in_states(db, "sha256 = :sha256", {"sha256": sha256}, states)


async def of_guild(
    db: Connection, guild_id: int, *, states: Collection[RegistrationState], limit: int = 1000
) -> list[Registration]:
    """A community's, newest first."""
    return await _in_states(db, "guild_id = :guild_id", {"guild_id": guild_id}, states, newest=limit)


async def of_owner(
    db: Connection, *, guild_id: int, owner_id: int, states: Collection[RegistrationState], limit: int = 25
) -> list[Registration]:
    """A member's in a community, newest first."""
    return await _in_states(
        db,
        "guild_id = :guild_id AND owner_id = :owner_id",
        {"guild_id": guild_id, "owner_id": owner_id},
        states,
        newest=limit,
    )


async def with_ip(db: Connection, ip_id: str) -> Registration | None:
    """The one that became this IP asset."""
    found = await row(db, f"SELECT {_COLUMNS} FROM registrations WHERE ip_id = :ip_id LIMIT 1", {"ip_id": ip_id})
    return _registration(found) if found else None


async def in_state(db: Connection, state: RegistrationState) -> list[Registration]:
    """All of that state, oldest first."""
    return await _in_states(db, "TRUE", {}, [state])


async def likenesses(
    db: Connection, guild_id: int, *, states: Collection[RegistrationState], limit: int
) -> list[tuple[str, str, str]]:
    """Id, SHA-256 and fingerprint of a community's, newest first: all that is needed to compare them."""
    named = {f"state_{place}": state for place, state in enumerate(states)}
    found = await rows(
        db,
        f"""
        SELECT id, sha256, fingerprint FROM registrations
        WHERE guild_id = :guild_id AND state IN ({", ".join(f":{name}" for name in named)})
        ORDER BY changed_at DESC LIMIT :limit
        """,
        {"guild_id": guild_id, "limit": limit, **named},
    )
    return [(each["id"], each["sha256"], each["fingerprint"]) for each in found]


async def stranded(db: Connection, *, ended_before: float) -> list[str]:
    """Those under way whose job has ended all the same, by a bug or a full disk, and some time ago."""
    found = await rows(
        db,
        """
        SELECT registrations.id FROM registrations JOIN jobs ON jobs.id = registrations.id
        WHERE jobs.state IN ('failed', 'unknown') AND jobs.ended_at <= :before AND registrations.state IN (
            'submitted', 'approved', 'pinning', 'pinned', 'signed', 'sent', 'withdrawn')
            AND (registrations.state <> 'withdrawn' OR EXISTS (
                SELECT 1 FROM pins WHERE registration_id = registrations.id AND unpinned_at IS NULL))
        """,
        {"before": ended_before},
    )
    return [each["id"] for each in found]


async def drafts_before(db: Connection, when: float) -> list[Registration]:
    """Drafts that nobody has touched since then."""
    return await _in_states(db, "changed_at < :when", {"when": when}, [RegistrationState.DRAFT])


async def drop(db: Connection, registration_id: str) -> bool:
    """Forget a draft; False when it is none any more."""
    return (
        await change(db, "DELETE FROM registrations WHERE id = :id AND state = 'draft'", {"id": registration_id}) == 1
    )


async def _in_states(
    db: Connection,
    condition: str,
    parameters: dict[str, object],
    states: Collection[RegistrationState],
    *,
    newest: int | None = None,
) -> list[Registration]:
    named = {f"state_{place}": state for place, state in enumerate(states)}
    order = "ORDER BY changed_at DESC LIMIT :newest" if newest is not None else "ORDER BY created_at"
    found = await rows(
        db,
        f"""
        SELECT {_COLUMNS} FROM registrations
        WHERE {condition} AND state IN ({", ".join(f":{name}" for name in named)}) {order}
        """,
        {**parameters, **named, **({"newest": newest} if newest is not None else {})},
    )
    return [_registration(each) for each in found]


def _assignments(columns: Collection[str]) -> str:
    unknown = set(columns) - _CHANGEABLE
    assert not unknown, unknown
    return "".join(f", {name} = :{name}" for name in columns)
