"""The steps that each job has begun or finished: one row a step."""

from dataclasses import dataclass

from storage.base import ledger
from storage.database import Connection, change, row, rows


@dataclass(frozen=True)
class Step:
    """`result` is JSON, and None where the step was begun and not finished."""

    begun_at: float
    result: str | None


async def find(db: Connection, *, job_id: str, name: str) -> Step | None:
    record = await row(
        db,
        "SELECT begun_at, result FROM steps WHERE job_id = :job_id AND name = :name",
        {"job_id": job_id, "name": name},
    )
    return Step(record["begun_at"], record["result"]) if record else None


async def paid_at(db: Connection, job_id: str) -> float | None:
    """When the job began to pay, if it did and that was not taken back."""
    record = await row(db, "SELECT MAX(begun_at) AS at FROM steps WHERE job_id = :job_id AND pays", {"job_id": job_id})
    return record["at"] if record else None


async def ordered(db: Connection, *, parent_id: str) -> dict[str, float]:
    """Those of a request's pictures that a provider was asked for, and when, whatever came of it."""
    records = await rows(
        db,
        """
        SELECT steps.job_id, MAX(begun_at) AS at FROM steps JOIN jobs ON jobs.id = steps.job_id
        WHERE jobs.parent_id = :parent_id AND steps.pays GROUP BY steps.job_id
        """,
        {"parent_id": parent_id},
    )
    return {each["job_id"]: each["at"] for each in records}


async def results(db: Connection, *, parent_id: str, name: str) -> dict[str, str]:
    """What that step of a request's pictures has left, as JSON, by the picture's job."""
    records = await rows(
        db,
        """
        SELECT steps.job_id, result FROM steps JOIN jobs ON jobs.id = steps.job_id
        WHERE jobs.parent_id = :parent_id AND steps.name = :name AND result IS NOT NULL
        """,
        {"parent_id": parent_id, "name": name},
    )
    return {each["job_id"]: each["result"] for each in records}


async def begin(db: Connection, *, job_id: str, name: str, digest: str, holder: str, now: float) -> bool:
    """Mark a paying step begun and note its estimate; False when somebody else did, or the job is another worker's.

    The job is asked about in the same statement, so that a worker that slept through its lease does
    not pay for what another has taken over.
    """
    changed = await change(
        db,
        """
        INSERT INTO steps (job_id, name, pays, digest, begun_at)
        SELECT id, :name, TRUE, :digest, :now FROM jobs
        WHERE id = :job_id AND state = 'running' AND lease_holder = :holder
        ON CONFLICT (job_id, name) DO NOTHING
        """,
        {"job_id": job_id, "name": name, "digest": digest, "holder": holder, "now": now},
    )
    if changed == 1:
        await ledger.estimate(db, job_id=job_id, now=now)
    return changed == 1


async def forget(db: Connection, *, job_id: str, name: str) -> None:
    """Forget a paying step that certainly did not happen, so that it may be tried again."""
    await change(
        db,
        "DELETE FROM steps WHERE job_id = :job_id AND name = :name AND finished_at IS NULL",
        {"job_id": job_id, "name": name},
    )


async def overwrite(db: Connection, *, job_id: str, name: str, result: str, now: float) -> None:
    """Keep what the admin says about a job, instead of what they said before."""
    await change(
        db,
        """
        INSERT INTO steps (job_id, name, pays, begun_at, finished_at, result)
        VALUES (:job_id, :name, FALSE, :now, :now, :result)
        ON CONFLICT (job_id, name) DO UPDATE SET finished_at = :now, result = :result
        """,
        {"job_id": job_id, "name": name, "result": result, "now": now},
    )


async def finish(db: Connection, *, job_id: str, name: str, result: str, now: float) -> None:
    """Keep a step's result. The first one stays: what was done twice by mistake is recalled once."""
    await change(
        db,
        """
        INSERT INTO steps (job_id, name, pays, begun_at, finished_at, result)
        VALUES (:job_id, :name, FALSE, :now, :now, :result)
        ON CONFLICT (job_id, name) DO UPDATE SET finished_at = :now, result = :result WHERE steps.finished_at IS NULL
        """,
        {"job_id": job_id, "name": name, "result": result, "now": now},
    )
