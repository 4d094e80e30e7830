"""The queue of jobs: workers claim them by lease, within the limits of their lanes, and put them back or end them."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.base import ledger
from storage.base.jobs import COLUMNS, NEVER, Job, State, read_job
from storage.database import Connection, change, row, rows


@dataclass(frozen=True)
class NewJob:
    """A job to be accepted. `parked` ones wait for a wake-up instead of for a slot."""

    id: str
    kind: str
    guild_id: int
    channel_id: int
    owner_id: int
    request: str
    lane: str
    message_id: int | None = None
    parent_id: str | None = None
    position: int = 0
    cost_estimated: int = 0
    parked: bool = False
    age_restricted: bool = False
    """Its channel is age-restricted."""


@dataclass(frozen=True)
class Lane:
    """A queue with a limit of jobs at work, inside a pool with a limit of its own (a provider account)."""

    name: str
    pool: str
    size: int
    pool_size: int


async def add(db: Connection, new: NewJob, *, now: float) -> bool:
    """Queue a job behind its owner's others, level with everybody else's; False when it is there already.

    The waiting jobs of a pool are served in order of `turn`. A newcomer starts where the queue is (the lowest turn
    still waiting, or the last one there was), and each further job of the same owner one turn after the owner's
    last, served or not: fifty jobs of one member cost another member's first job one place, and who keeps asking
    gets no more than who waits (start-time fair queueing: Goyal, Vin, Cheng, SIGCOMM 1996).
    """
    added = await change(
        db,
        """
        INSERT INTO jobs (id, kind, state, guild_id, channel_id, message_id, owner_id, parent_id, position, request,
            lane, turn, due_at, cost_estimated, created_at, age_restricted)
        WITH beside AS (
            SELECT (SELECT MIN(turn) FROM jobs WHERE state = 'waiting' AND lane = beside.name) AS first,
                (SELECT MAX(turn) FROM jobs WHERE lane = beside.name) AS last,
                (SELECT MAX(turn) FROM jobs WHERE owner_id = :owner_id AND lane = beside.name) AS own
            FROM lanes JOIN lanes AS beside USING (pool) WHERE lanes.name = :lane),
        pool AS (SELECT COALESCE(MIN(first), MAX(last), 0) AS now_served, COALESCE(MAX(own), -1) AS own FROM beside)
        SELECT :id, :kind, :state, :guild_id, :channel_id, :message_id, :owner_id, :parent_id, :position, :request,
            :lane, CASE WHEN own >= now_served THEN own + 1 ELSE now_served END, :due_at, :cost_estimated, :now,
            :age_restricted
        FROM pool WHERE TRUE
        ON CONFLICT (id) DO NOTHING
        """,
        {
            "id": new.id,
            "kind": new.kind,
            "state": State.PARKED if new.parked else State.WAITING,
            "guild_id": new.guild_id,
            "channel_id": new.channel_id,
            "message_id": new.message_id,
            "owner_id": new.owner_id,
            "parent_id": new.parent_id,
            "position": new.position,
            "request": new.request,
            "lane": new.lane,
            "due_at": NEVER if new.parked else now,
            "cost_estimated": new.cost_estimated,
            "now": now,
            "age_restricted": new.age_restricted,
        },
    )
    return added == 1


async def set_lanes(db: Connection, lanes: Sequence[Lane]) -> None:
    """Make `lanes` the limits from now on. Jobs of a lane that is gone wait until it is back."""
    await change(db, "DELETE FROM lanes", {})
    for lane in lanes:
        await change(
            db,
            "INSERT INTO lanes (name, pool, size, pool_size) VALUES (:name, :pool, :size, :pool_size)",
            {"name": lane.name, "pool": lane.pool, "size": lane.size, "pool_size": lane.pool_size},
        )


async def claim(db: Connection, *, holder: str, now: float, lease_until: float) -> Job | None:
    """Take the job whose turn it is, or None when nothing is due or no lane has a free slot.

    A job that kept its slot while it waited (its picture is being drawn all the while) needs no new one.
    Finding and marking are one statement, so two workers never take the same job; `state` is tested
    twice for PostgreSQL, which re-reads only the outer condition when another worker got there first.
    `state || ''` keeps SQLite from walking all that wait to find the few that hold a slot (8 ms of 10,000).
    """
    record = await row(
        db,
        f"""
        UPDATE jobs SET state = 'running', holds_slot = TRUE, woken = FALSE, attempts = attempts + 1,
            lease_holder = :holder, lease_until = :lease_until, started_at = COALESCE(started_at, :now)
        WHERE state = 'waiting' AND id = (
            SELECT id FROM (
                SELECT id, -1 AS turn, due_at AS since FROM jobs
                WHERE holds_slot AND state || '' = 'waiting' AND due_at <= :now
                UNION ALL
                SELECT next.id, next.turn, next.created_at
                FROM lanes
                JOIN jobs AS next ON next.id = (
                    SELECT id FROM jobs
                    WHERE state = 'waiting' AND lane = lanes.name AND NOT holds_slot AND due_at <= :now
                    ORDER BY turn, created_at, position LIMIT 1)
                WHERE (SELECT COUNT(*) FROM jobs WHERE holds_slot AND lane = lanes.name) < lanes.size
                    AND (SELECT COUNT(*) FROM jobs AS busy JOIN lanes AS beside ON beside.name = busy.lane
                        WHERE busy.holds_slot AND beside.pool = lanes.pool) < lanes.pool_size
            ) AS candidates ORDER BY turn, since LIMIT 1)
        RETURNING {COLUMNS}
        """,
        {"holder": holder, "now": now, "lease_until": lease_until},
    )
    return read_job(record) if record else None


async def next_due(db: Connection, *, now: float) -> float | None:
    """When the next waiting job becomes due that is not yet; None when there is none."""
    record = await row(
        db, "SELECT MIN(due_at) AS due_at FROM jobs WHERE state = 'waiting' AND due_at > :now", {"now": now}
    )
    return record["due_at"] if record else None


async def held(db: Connection, *, holder: str) -> list[str]:
    """The running jobs whose lease a worker holds."""
    records = await rows(
        db, "SELECT id FROM jobs WHERE state = 'running' AND lease_holder = :holder", {"holder": holder}
    )
    return [each["id"] for each in records]


async def has_unfinished(db: Connection, *, parent_id: str) -> bool:
    """Whether a picture of that request is under way."""
    record = await row(
        db,
        "SELECT 1 AS one FROM jobs WHERE parent_id = :id AND state IN ('waiting', 'running', 'parked') LIMIT 1",
        {"id": parent_id},
    )
    return record is not None


async def renew_leases(db: Connection, *, holder: str, lease_until: float) -> int:
    return await change(
        db,
        "UPDATE jobs SET lease_until = :lease_until WHERE state = 'running' AND lease_holder = :holder",
        {"holder": holder, "lease_until": lease_until},
    )


async def take_up(db: Connection, *, now: float, all_of_them: bool) -> list[str]:
    """Put the running jobs of dead workers back in the queue; their ids.

    `all_of_them` at start, where the file lock proves that no other process lives; later only those
    whose lease has run out. They keep their slots: their pictures may still be being drawn.
    """
    records = await rows(
        db,
        """
        UPDATE jobs SET state = 'waiting', due_at = :now, lease_holder = NULL, lease_until = NULL
        WHERE state = 'running' AND (:all_of_them OR lease_until < :now) RETURNING id
        """,
        {"now": now, "all_of_them": all_of_them},
    )
    return [each["id"] for each in records]


async def bring_forward(db: Connection, *, seconds: float) -> None:
    """Let what waits be due so much earlier: the clock by which it was dated was set back."""
    await change(
        db,
        "UPDATE jobs SET due_at = due_at - :seconds WHERE state = 'waiting' AND due_at < :never",
        {"seconds": seconds, "never": NEVER},
    )


async def bring_forward_all(db: Connection, *, now: float, longest: float) -> None:
    """At the start: what is paid for is due now, and all else within `longest` seconds, whatever the clock was."""
    await change(
        db,
        """
        UPDATE jobs SET due_at = CASE
            WHEN EXISTS (SELECT 1 FROM steps WHERE steps.job_id = jobs.id AND pays) THEN :now ELSE :latest END
        WHERE state = 'waiting' AND due_at > :now AND due_at < :never AND (due_at > :latest
            OR EXISTS (SELECT 1 FROM steps WHERE steps.job_id = jobs.id AND pays))
        """,
        {"now": now, "latest": now + longest, "never": NEVER},
    )


async def release_slot(db: Connection, *, job_id: str, holder: str) -> None:
    """Free the provider slot of a job that still has work to do elsewhere; nothing where it is another worker's."""
    await change(
        db,
        "UPDATE jobs SET holds_slot = FALSE WHERE id = :id AND state = 'running' AND lease_holder = :holder",
        {"id": job_id, "holder": holder},
    )


async def put_back(
    db: Connection,
    *,
    job_id: str,
    holder: str,
    due_at: float,
    keep_slot: bool,
    note: str | None = None,
    rested: bool = False,
) -> bool:
    """Let a running job wait until `due_at`; False when it is no longer this worker's.

    `rested`: it went well so far, so that the next failure is its first.

    `note` is why, for the card; `keep_slot` while its picture is being drawn all the same.
    """
    return await _leave(
        db,
        """state = 'waiting', due_at = CASE WHEN woken THEN 0 ELSE :due_at END, error = :note,
        attempts = CASE WHEN :rested THEN 0 ELSE attempts END""",
        {"id": job_id, "holder": holder, "due_at": due_at, "keep_slot": keep_slot, "note": note, "rested": rested},
    )


async def put_back_if_woken(db: Connection, *, job_id: str, holder: str, now: float) -> bool:
    """Let a running job be run again at once, if it was woken while it ran; False when it was not."""
    record = await row(db, "SELECT 1 AS one FROM jobs WHERE id = :id AND woken", {"id": job_id})
    return record is not None and await put_back(
        db, job_id=job_id, holder=holder, due_at=now, keep_slot=False, rested=True
    )


async def park(db: Connection, *, job_id: str, holder: str) -> bool:
    """Let a running job sleep until it is woken; a wake-up that came while it ran counts."""
    return await _leave(
        db,
        """state = CASE WHEN woken THEN 'waiting' ELSE 'parked' END,
        due_at = CASE WHEN woken THEN 0 ELSE :due_at END, attempts = 0, started_at = NULL""",
        {"id": job_id, "holder": holder, "due_at": NEVER, "keep_slot": False},
    )


async def end(
    db: Connection, *, job_id: str, holder: str, state: State, now: float, cost: int | None, error: str | None
) -> bool:
    """Close a running job, and note in the ledger what it cost; False when it is no longer this worker's."""
    ended = await _leave(
        db,
        "state = :state, ended_at = :now, cost_actual = :cost, error = :error",
        {"id": job_id, "holder": holder, "state": state, "now": now, "cost": cost, "error": error, "keep_slot": False},
    )
    if ended:
        await ledger.charge(db, job_id=job_id, amount=cost, now=now)
    return ended


async def _leave(db: Connection, assignments: str, parameters: dict[str, object]) -> bool:
    changed = await change(
        db,
        f"""
        UPDATE jobs SET {assignments}, holds_slot = (holds_slot AND :keep_slot), lease_holder = NULL, lease_until = NULL
        WHERE id = :id AND state = 'running' AND lease_holder = :holder
        """,
        parameters,
    )
    return changed == 1


async def wake(db: Connection, *, job_id: str, now: float) -> None:
    """Have a job run again. One that is running just now runs again after this run."""
    await change(
        db,
        """
        UPDATE jobs SET woken = (state = 'running'),
            due_at = CASE WHEN state = 'running' THEN due_at ELSE :now END,
            state = CASE WHEN state = 'parked' THEN 'waiting' ELSE state END
        WHERE id = :id AND state IN ('waiting', 'running', 'parked')
        """,
        {"id": job_id, "now": now},
    )


async def reopen(db: Connection, *, job_id: str, now: float) -> bool:
    """Take up again a job whose outcome was unknown and is not any more; False when it is not at that end."""
    changed = await change(
        db,
        """
        UPDATE jobs SET state = 'waiting', due_at = :now, error = NULL, ended_at = NULL, attempts = 0, holds_slot = TRUE
        WHERE id = :id AND state = 'unknown'
        """,
        {"id": job_id, "now": now},
    )
    return changed == 1


async def revive(db: Connection, *, job_id: str, now: float) -> bool:
    """Queue a job again that has failed, because what stopped it is put right; False when it is not at that end."""
    changed = await change(
        db,
        """
        UPDATE jobs SET state = 'waiting', due_at = :now, error = NULL, ended_at = NULL, cost_actual = NULL,
            attempts = 0
        WHERE id = :id AND state IN ('failed', 'unknown')
        """,
        {"id": job_id, "now": now},
    )
    return changed == 1


async def hasten(db: Connection, *, lane: str, now: float) -> None:
    """Make what waits in a lane due: what it waited for is there."""
    await change(
        db,
        "UPDATE jobs SET due_at = :now WHERE state = 'waiting' AND lane = :lane AND due_at > :now",
        {"lane": lane, "now": now},
    )


async def hint(db: Connection, *, job_id: str, now: float) -> None:
    """Have a job that waits for its provider look now. Others wait for something else, and are left alone."""
    await change(
        db,
        "UPDATE jobs SET due_at = :now WHERE id = :id AND state = 'waiting' AND holds_slot AND due_at > :now",
        {"id": job_id, "now": now},
    )


async def wake_if_last(db: Connection, *, parent_id: str, now: float) -> None:
    """Wake a request when none of its pictures is under way any more."""
    if not await has_unfinished(db, parent_id=parent_id):
        await wake(db, job_id=parent_id, now=now)


async def cancel_waiting(db: Connection, *, job_id: str, now: float) -> int:
    """Cancel what of a request was not yet ordered from a provider; how many pictures that were.

    One that has begun to pay cannot be called back: no provider here has a way to.
    """
    cancelled = await rows(
        db,
        """
        UPDATE jobs SET state = 'cancelled', ended_at = :now, cost_actual = 0, holds_slot = FALSE
        WHERE parent_id = :id AND state IN ('waiting', 'parked')
            AND NOT EXISTS (SELECT 1 FROM steps WHERE steps.job_id = jobs.id AND pays)
        RETURNING id
        """,
        {"id": job_id, "now": now},
    )
    for each in cancelled:  # an order that was turned down for the moment has an estimate already
        await ledger.charge(db, job_id=each["id"], amount=0, now=now)
    return len(cancelled)


async def ahead(db: Connection, job: Job) -> tuple[int, int]:
    """How many jobs of its pool are served before a waiting one, and how many are at work."""
    record = await row(
        db,
        """
        SELECT
            (SELECT COUNT(*) FROM jobs WHERE state = 'waiting' AND NOT holds_slot AND lane IN (
                SELECT beside.name FROM lanes JOIN lanes AS beside USING (pool) WHERE lanes.name = :lane)
                AND (turn < :turn OR (turn = :turn AND (created_at, position) < (:created_at, :position)))) AS before,
            (SELECT COUNT(*) FROM jobs WHERE holds_slot AND lane IN (
                SELECT beside.name FROM lanes JOIN lanes AS beside USING (pool) WHERE lanes.name = :lane)) AS busy
        """,
        {"lane": job.lane, "turn": job.turn, "created_at": job.created_at, "position": job.position},
    )
    return (record["before"], record["busy"]) if record else (0, 0)


async def front(db: Connection, *, limit: int) -> list[str]:
    """The requests whose pictures are drawn next, soonest first."""
    records = await rows(
        db,
        """
        SELECT parent_id FROM jobs WHERE state = 'waiting' AND NOT holds_slot AND parent_id IS NOT NULL
        ORDER BY turn, created_at, position LIMIT :limit
        """,
        {"limit": limit},
    )
    return list(dict.fromkeys(each["parent_id"] for each in records))


async def slow(db: Connection, *, since: float, limit: int) -> list[str]:
    """The requests with a picture that has been at work since then or longer, longest first."""
    records = await rows(
        db,
        """
        SELECT parent_id FROM jobs WHERE state IN ('waiting', 'running') AND holds_slot AND parent_id IS NOT NULL
            AND started_at <= :since
        ORDER BY started_at LIMIT :limit
        """,
        {"since": since, "limit": limit},
    )
    return list(dict.fromkeys(each["parent_id"] for each in records))
