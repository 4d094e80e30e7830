"""Every question that is asked about jobs.

A job is one piece of work that outlives the process. A request of a member (`imagine`) is a job whose
pictures (`draw`) are jobs of their own: they wait in the queue, hold provider slots and are paid for
one by one, and the last to end wakes their parent, which delivers them together.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.engine import RowMapping

from storage.base.columns import columns, read
from storage.database import Connection, change, row, rows

NEVER = 1e15
"""A due date for jobs that only a wake-up brings back."""


class State(StrEnum):
    """How far a job is. The first three are under way, the others are ends."""

    WAITING = "waiting"
    """Due at `due_at`, and then taken in order of `turn` when its lane has a free slot."""
    RUNNING = "running"
    PARKED = "parked"
    """Waits for a person or for its pictures; takes a row and nothing else."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """It may have happened and been charged; nothing here can tell."""

    @property
    def ended(self) -> bool:
        return self not in {State.WAITING, State.RUNNING, State.PARKED}


@dataclass(frozen=True)
class Job:
    """One row. `request` is JSON that the workflow of its `kind` understands; times are Unix seconds."""

    id: str
    kind: str
    state: State
    guild_id: int
    channel_id: int
    message_id: int | None
    owner_id: int
    parent_id: str | None
    position: int
    request: str
    lane: str
    turn: int
    holds_slot: bool
    due_at: float
    attempts: int
    cost_estimated: int
    cost_actual: int | None
    error: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    age_restricted: bool | None = None
    """Its channel was age-restricted when it was accepted; None of jobs from before 30 November 2026."""

    @property
    def root_id(self) -> str:
        """The request that this job belongs to: what a member sees and quotes."""
        return self.parent_id or self.id


COLUMNS = columns(Job)


def read_job(record: RowMapping) -> Job:
    """A record with `COLUMNS`."""
    return read(Job, record)


async def find(db: Connection, job_id: str) -> Job | None:
    record = await row(db, f"SELECT {COLUMNS} FROM jobs WHERE id = :id", {"id": job_id})
    return read_job(record) if record else None


async def find_by_message(db: Connection, message_id: int) -> Job | None:
    """The newest request whose card is that message."""
    record = await row(
        db,
        f"SELECT {COLUMNS} FROM jobs WHERE message_id = :id AND parent_id IS NULL ORDER BY created_at DESC LIMIT 1",
        {"id": message_id},
    )
    return read_job(record) if record else None


async def children(db: Connection, job_id: str) -> list[Job]:
    records = await rows(
        db,
        f"SELECT {COLUMNS} FROM jobs WHERE parent_id = :id ORDER BY position",
        {"id": job_id},
    )
    return [read_job(each) for each in records]


async def set_message(db: Connection, *, job_id: str, message_id: int, channel_id: int) -> None:
    await change(
        db,
        "UPDATE jobs SET message_id = :message_id, channel_id = :channel_id WHERE id = :id",
        {"id": job_id, "message_id": message_id, "channel_id": channel_id},
    )


async def set_cost(db: Connection, *, job_id: str, cost: int) -> None:
    """What a job that has ended turned out to cost."""
    await change(
        db,
        "UPDATE jobs SET cost_actual = :cost WHERE id = :id AND cost_actual IS NULL AND ended_at IS NOT NULL",
        {"id": job_id, "cost": cost},
    )


async def count_by_member(db: Connection, *, guild_id: int, owner_id: int) -> int:
    """How many pictures of a member are drawn or wait to be."""
    record = await row(
        db,
        """
        SELECT COUNT(*) AS n FROM jobs WHERE guild_id = :guild_id AND owner_id = :owner_id
            AND state IN ('waiting', 'running', 'parked') AND kind = 'draw'
        """,
        {"guild_id": guild_id, "owner_id": owner_id},
    )
    return record["n"] if record else 0


async def count_states(db: Connection) -> dict[str, int]:
    """How many requests are in each state; the drafts of finetunes, which wait for their owners, are none."""
    records = await rows(
        db,
        """
        SELECT state, COUNT(*) AS n FROM jobs WHERE parent_id IS NULL AND (kind <> 'finetune' OR EXISTS (
            SELECT 1 FROM jobs AS child WHERE child.parent_id = jobs.id
                AND child.state IN ('waiting', 'running', 'parked'))) GROUP BY state
        """,
        {},
    )
    return {each["state"]: each["n"] for each in records}


async def spent(db: Connection, *, guild_id: int, since: float) -> int:
    """What a community's pictures cost since then, in millionths of a dollar, estimated where not yet known."""
    record = await row(
        db,
        """
        SELECT COALESCE(SUM(COALESCE(cost_actual, cost_estimated)), 0) AS cost FROM jobs
        WHERE guild_id = :guild_id AND created_at >= :since AND parent_id IS NOT NULL
        """,
        {"guild_id": guild_id, "since": since},
    )
    return record["cost"] if record else 0


async def count_since(db: Connection, *, guild_id: int, owner_id: int, since: float) -> int:
    """How many pictures a member has asked for since then; those that failed free of charge do not count."""
    record = await row(
        db,
        """
        SELECT COUNT(*) AS n FROM jobs WHERE guild_id = :guild_id AND owner_id = :owner_id AND created_at >= :since
            AND kind = 'draw' AND (cost_actual IS NULL OR cost_actual > 0)
        """,
        {"guild_id": guild_id, "owner_id": owner_id, "since": since},
    )
    return record["n"] if record else 0


async def newest(db: Connection, *, guild_id: int, owner_id: int, limit: int) -> list[str]:
    """The ids of a member's newest requests in a community, newest first."""
    records = await rows(
        db,
        """
        SELECT id FROM jobs WHERE owner_id = :owner_id AND guild_id = :guild_id AND kind = 'imagine'
        ORDER BY created_at DESC LIMIT :limit
        """,
        {"owner_id": owner_id, "guild_id": guild_id, "limit": limit},
    )
    return [each["id"] for each in records]
