"""Every question that is asked about finished images."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from storage.base.columns import columns, insert, read
from storage.database import Connection, change, row, rows


@dataclass(frozen=True)
class Image:
    """One finished image. Its bytes are in the media store under `sha256`, exactly as the provider made them.

    `id` is the id of the job that drew it; `job_id` the request that it belongs to, at `position` from 0.
    """

    id: str
    job_id: str
    position: int
    guild_id: int
    owner_id: int
    sha256: str
    media_type: str
    width: int
    height: int
    bytes: int
    seed: int | None
    parent_image_id: str | None
    created_at: float
    deleted_at: float | None = None
    deleted_by: int | None = None

    @property
    def extension(self) -> str:
        return {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}[self.media_type]


_COLUMNS = columns(Image)
ARRIVED = "arrived "
"""Begins the note (JSON of an `Image`) of a picture that is fetched and has no row yet; the id of its job follows."""


async def add(db: Connection, image: Image) -> None:
    """Keep an image; one that is there already stays as it is."""
    await change(db, f"{insert('images', Image)} ON CONFLICT (id) DO NOTHING", asdict(image))


async def find(db: Connection, image_id: str) -> Image | None:
    image = await row(db, f"SELECT {_COLUMNS} FROM images WHERE id = :id", {"id": image_id})
    return read(Image, image) if image else None


async def sizes(db: Connection, sha256s: Iterable[str]) -> dict[str, int]:
    """Pixels of those of the files that are images drawn here."""
    sizes = {
        sha256: await row(db, "SELECT width * height AS n FROM images WHERE sha256 = :sha256", {"sha256": sha256})
        for sha256 in sha256s
    }
    return {sha256: size["n"] for sha256, size in sizes.items() if size}


async def of_job(db: Connection, job_id: str) -> list[Image]:
    """The images of a request, deleted ones too, in their order."""
    images = await rows(db, f"SELECT {_COLUMNS} FROM images WHERE job_id = :id ORDER BY position", {"id": job_id})
    return [read(Image, each) for each in images]


async def newest(db: Connection, *, guild_id: int, owner_id: int, limit: int) -> list[tuple[Image, str]]:
    """A member's newest images in a community, each with the JSON of the request that it belongs to."""
    newest = await rows(
        db,
        f"""
        SELECT {_COLUMNS}, (SELECT request FROM jobs WHERE jobs.id = images.job_id) AS request FROM images
        WHERE guild_id = :guild_id AND owner_id = :owner_id AND deleted_at IS NULL
        ORDER BY created_at DESC, id LIMIT :limit
        """,
        {"guild_id": guild_id, "owner_id": owner_id, "limit": limit},
    )
    images: list[tuple[Image, str]] = []
    for each in newest:
        values = dict(each)
        request = values.pop("request")
        images.append((read(Image, values), request))
    return images


async def delete(db: Connection, *, job_id: str, by: int, now: float) -> list[str]:
    """Mark a request's images deleted; the SHA-256 of their files, none where they were deleted already."""
    deleted = await rows(
        db,
        """
        UPDATE images SET deleted_at = :now, deleted_by = :by WHERE job_id = :job_id AND deleted_at IS NULL
        RETURNING sha256
        """,
        {"job_id": job_id, "by": by, "now": now},
    )
    return [each["sha256"] for each in deleted]


async def count_registrations(db: Connection, *, job_id: str) -> dict[str, int]:
    """How many of a request's images are the subject of a registration, by the state of that."""
    counted = await rows(
        db,
        """
        SELECT registrations.state AS state, COUNT(DISTINCT images.id) AS n FROM images
        JOIN registrations ON registrations.sha256 = images.sha256
        WHERE images.job_id = :job_id AND images.deleted_at IS NULL GROUP BY registrations.state
        """,
        {"job_id": job_id},
    )
    return {each["state"]: each["n"] for each in counted}


async def needed(db: Connection, sha256: str) -> bool:
    """Whether a row names a file that may still be used: as an image, in a finetune or a registration, as the input of
    a request that may be asked for again, as the sheet of a comparison of which a picture is there, or as a picture
    that was fetched by a job which is still under way.

    A request whose images were deleted is not asked for again, nor is one that was made from a deleted image: only as
    long as such a request is under way does the image's file stay.
    """
    needing = await row(
        db,
        """
        SELECT 1 AS one FROM images WHERE sha256 = :sha256 AND deleted_at IS NULL
        UNION ALL
        SELECT 1 FROM training_images WHERE sha256 = :sha256
        UNION ALL
        SELECT 1 FROM finetune_samples WHERE sha256 = :sha256
        UNION ALL
        SELECT 1 FROM finetunes WHERE :sha256 IN (training_set, sheet) AND deleted_at IS NULL
        UNION ALL
        SELECT 1 FROM registrations WHERE :sha256 IN (preview, ip_metadata, nft_metadata)
        UNION ALL
        SELECT 1 FROM registrations WHERE sha256 = :sha256 AND state IN (
            'submitted', 'approved', 'pinning', 'pinned', 'signed', 'sent', 'failed', 'confirmed')
        UNION ALL
        SELECT 1 FROM jobs WHERE request LIKE :named AND (
            state IN ('waiting', 'running', 'parked')
            OR kind IN ('imagine', 'draw') AND NOT EXISTS (SELECT 1 FROM images WHERE images.sha256 = :sha256)
                AND NOT EXISTS (
                    SELECT 1 FROM images WHERE images.job_id = COALESCE(jobs.parent_id, jobs.id)
                    AND images.deleted_at IS NOT NULL))
        UNION ALL
        SELECT 1 FROM steps WHERE result LIKE :named AND name = 'compared' AND EXISTS (
            SELECT 1 FROM images WHERE images.job_id = steps.job_id AND images.deleted_at IS NULL)
        UNION ALL
        SELECT 1 FROM jobs JOIN notes ON notes.name = :arrived || jobs.id
        WHERE jobs.state IN ('waiting', 'running', 'parked') AND notes.content LIKE :named
        LIMIT 1
        """,
        {"sha256": sha256, "named": f'%"{sha256}"%', "arrived": ARRIVED},
    )
    return needing is not None
