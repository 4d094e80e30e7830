"""Every question that is asked about the pictures of training sets: who gave them, and with whose consent."""

from dataclasses import asdict, dataclass

from storage.base.columns import columns, read
from storage.database import Connection, change, row, rows


@dataclass(frozen=True)
class TrainingImage:
    """One picture. Its bytes, made fit for training, are in the media store under `sha256`."""

    finetune_id: str
    id: str
    position: int
    sha256: str
    name: str
    """Of the file that was given."""
    caption: str | None
    bytes: int
    width: int
    height: int
    original_sha256: str
    original_width: int
    original_height: int
    fingerprint: str
    """Perceptual hash, in hex: near-duplicates differ in few bits."""
    contributor_id: int
    """Who gave it: the member who uploaded it, or who wrote the message that it was taken from."""
    added_by: int
    source: str | None
    """The link to the message that it was taken from."""
    inspection: str | None
    """What a provider saw on it, as JSON; None where it was not asked."""
    added_at: float
    consented_at: float | None = None
    """When somebody confirmed that it may be used for training."""
    consented_by: int | None = None
    withdrawn_at: float | None = None
    """When its contributor withdrew it, after it was trained on."""


_COLUMNS = columns(TrainingImage)


async def add(db: Connection, image: TrainingImage) -> bool:
    """Put a picture behind the others; False where the set has it already."""
    values = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
    added = await change(
        db,
        f"""
        INSERT INTO training_images ({_COLUMNS})
        SELECT {values.replace(":position", "COALESCE(MAX(position), 0) + 1")}
        FROM training_images WHERE finetune_id = :finetune_id
            HAVING NOT EXISTS (SELECT 1 FROM training_images WHERE finetune_id = :finetune_id AND id = :id)
        """,
        asdict(image),
    )
    return added == 1


async def of_finetune(db: Connection, finetune_id: str) -> list[TrainingImage]:
    """In the order in which they are trained on."""
    selected = await rows(
        db,
        f"SELECT {_COLUMNS} FROM training_images WHERE finetune_id = :id ORDER BY position, id",
        {"id": finetune_id},
    )
    return [read(TrainingImage, each) for each in selected]


async def remove(db: Connection, finetune_id: str, image_id: str) -> str | None:
    """The SHA-256 of the file that it was; None where it was gone already."""
    removed = await row(
        db,
        "DELETE FROM training_images WHERE finetune_id = :finetune_id AND id = :id RETURNING sha256",
        {"finetune_id": finetune_id, "id": image_id},
    )
    return removed["sha256"] if removed else None


async def set_caption(db: Connection, finetune_id: str, image_id: str, caption: str | None) -> None:
    await change(
        db,
        "UPDATE training_images SET caption = :caption WHERE finetune_id = :finetune_id AND id = :id",
        {"finetune_id": finetune_id, "id": image_id, "caption": caption},
    )


async def set_inspection(db: Connection, finetune_id: str, image_id: str, inspection: str) -> None:
    await change(
        db,
        "UPDATE training_images SET inspection = :inspection WHERE finetune_id = :finetune_id AND id = :id",
        {"finetune_id": finetune_id, "id": image_id, "inspection": inspection},
    )


async def consent(db: Connection, finetune_id: str, *, by: int, now: float) -> None:
    """Somebody has confirmed that the pictures may be used: those that nobody had confirmed yet."""
    await change(
        db,
        """
        UPDATE training_images SET consented_at = :now, consented_by = :by
        WHERE finetune_id = :id AND consented_at IS NULL
        """,
        {"id": finetune_id, "by": by, "now": now},
    )


async def withdraw(db: Connection, finetune_id: str, *, contributor_id: int, now: float) -> int:
    """Mark what a contributor takes back; how many pictures that were."""
    return await change(
        db,
        """
        UPDATE training_images SET withdrawn_at = :now
        WHERE finetune_id = :id AND contributor_id = :contributor_id AND withdrawn_at IS NULL
        """,
        {"id": finetune_id, "contributor_id": contributor_id, "now": now},
    )


async def remove_withdrawn(db: Connection, finetune_id: str) -> list[str]:
    """Take out what was taken back; the SHA-256 of the files that they were."""
    selected = await rows(
        db,
        "DELETE FROM training_images WHERE finetune_id = :id AND withdrawn_at IS NOT NULL RETURNING sha256",
        {"id": finetune_id},
    )
    return [each["sha256"] for each in selected]


async def remove_of(db: Connection, finetune_id: str, *, contributor_id: int | None = None) -> list[str]:
    """Take out a contributor's pictures, or all; the SHA-256 of the files that they were."""
    selected = await rows(
        db,
        """
        DELETE FROM training_images
        WHERE finetune_id = :id AND (:contributor_id IS NULL OR contributor_id = :contributor_id) RETURNING sha256
        """,
        {"id": finetune_id, "contributor_id": contributor_id},
    )
    return [each["sha256"] for each in selected]
