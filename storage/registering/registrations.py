"""Every question that is asked about registrations: images on their way to become IP on Story."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields

from storage.base import transitions
from storage.base.columns import columns, insert, read
from storage.base.transitions import quoted
from storage.database import Connection, change, row, rows
from storage.registering.transitions import TRANSITIONS, UNDER_WAY, Event, RegistrationState


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


_COLUMNS = columns(Registration)
_CHANGEABLE = {field.name for field in fields(Registration)} - {"id", "guild_id", "owner_id", "created_at", "state"}


async def add(db: Connection, new: Registration) -> bool:
    """Keep a new one; False when it is there already."""
    sql = f"{insert('registrations', Registration)} ON CONFLICT (id) DO NOTHING"
    return await change(db, sql, asdict(new)) == 1


async def find(db: Connection, registration_id: str) -> Registration | None:
    record = await row(db, f"SELECT {_COLUMNS} FROM registrations WHERE id = :id", {"id": registration_id})
    return read(Registration, record) if record else None


async def move(
    db: Connection,
    registration_id: str,
    event: Event,
    *,
    now: float,
    seen: RegistrationState | None = None,
    **values: object,
) -> bool:
    """Let `event` happen as the table of transitions says; False when it cannot happen in the present state.

    `seen` is the only state in which it may happen here. `values` are those of the columns that the event sets; what
    is not given becomes NULL.
    """
    transition = transitions.find(TRANSITIONS, event)
    assert seen is None or seen in transition.before, f"{event} cannot happen in the state {seen}"
    assert set(values) <= set(transition.sets), f"{event} does not set {set(values) - set(transition.sets)}"
    assigned = dict.fromkeys(transition.sets) | values
    changed = await change(
        db,
        f"""
        UPDATE registrations SET state = :after, changed_at = :now{_assignments(assigned)}
        WHERE id = :id AND state IN ({quoted((seen,) if seen else transition.before)})
        """,
        {"id": registration_id, "after": transition.after, "now": now, **assigned},
    )
    return changed == 1


async def update(db: Connection, registration_id: str, *, now: float, **values: object) -> None:
    """Set the columns named in `values`, whatever its state."""
    await change(
        db,
        f"UPDATE registrations SET changed_at = :now{_assignments(values)} WHERE id = :id",
        {"id": registration_id, "now": now, **values},
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
    record = await row(
        db,
        f"""
        SELECT {_COLUMNS} FROM registrations WHERE image_id = :image_id AND owner_id = :owner_id AND state = 'draft'
        ORDER BY created_at DESC LIMIT 1
        """,
        {"image_id": image_id, "owner_id": owner_id},
    )
    return read(Registration, record) if record else None


async def with_bytes(db: Connection, sha256: str, *, states: Sequence[RegistrationState]) -> list[Registration]:
    """Those of the very same bytes in one of these states, in every community, oldest first."""
    return await _in_states(db, "sha256 = :sha256", {"sha256": sha256}, states)


async def of_owner(
    db: Connection, *, guild_id: int, owner_id: int, states: Sequence[RegistrationState], limit: int = 25
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
    record = await row(db, f"SELECT {_COLUMNS} FROM registrations WHERE ip_id = :ip_id LIMIT 1", {"ip_id": ip_id})
    return read(Registration, record) if record else None


async def likenesses(
    db: Connection, guild_id: int, *, states: Sequence[RegistrationState], limit: int
) -> list[tuple[str, str, str]]:
    """Id, SHA-256 and fingerprint of a community's, newest first: all that is needed to compare them."""
    records = await rows(
        db,
        f"""
        SELECT id, sha256, fingerprint FROM registrations
        WHERE guild_id = :guild_id AND state IN ({quoted(states)})
        ORDER BY changed_at DESC LIMIT :limit
        """,
        {"guild_id": guild_id, "limit": limit},
    )
    return [(each["id"], each["sha256"], each["fingerprint"]) for each in records]


async def stranded(db: Connection, *, ended_before: float) -> list[str]:
    """Those under way whose job has ended all the same, by a bug or a full disk, and some time ago."""
    records = await rows(
        db,
        f"""
        SELECT registrations.id FROM registrations JOIN jobs ON jobs.id = registrations.id
        WHERE jobs.state IN ('failed', 'unknown') AND jobs.ended_at <= :before AND registrations.state IN (
            {quoted((*UNDER_WAY, RegistrationState.WITHDRAWN))})
            AND (registrations.state <> 'withdrawn' OR EXISTS (
                SELECT 1 FROM pins WHERE registration_id = registrations.id AND unpinned_at IS NULL))
        """,
        {"before": ended_before},
    )
    return [each["id"] for each in records]


async def confirmed_since(db: Connection, when: float) -> list[Registration]:
    """Those that were registered since then, the newest first."""
    confirmed = await _in_states(db, "confirmed_at >= :when", {"when": when}, [RegistrationState.CONFIRMED])
    return sorted(confirmed, key=lambda each: -(each.confirmed_at or 0.0))


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
    states: Sequence[RegistrationState],
    *,
    newest: int | None = None,
) -> list[Registration]:
    order = "ORDER BY changed_at DESC LIMIT :newest" if newest is not None else "ORDER BY created_at"
    records = await rows(
        db,
        f"SELECT {_COLUMNS} FROM registrations WHERE {condition} AND state IN ({quoted(states)}) {order}",
        {**parameters, **({"newest": newest} if newest is not None else {})},
    )
    return [read(Registration, each) for each in records]


def _assignments(names: Collection[str]) -> str:
    unknown = set(names) - _CHANGEABLE
    assert not unknown, unknown
    return "".join(f", {name} = :{name}" for name in names)
