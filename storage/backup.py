"""A copy of a bot's folder, made while the bot runs."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

from bot.errors import Broken
from storage.media import Media


def copy_everything(source: Path, target: Path) -> int:
    """Copy the database as of one moment, then every file that it names; how many files. Blocks.

    Raises:
        Broken: there is nothing to copy, the target is not empty, or the copy does not hold.
    """
    if not (source / "bot.db").exists():
        raise Broken(f"There is no database in {source}. Is DATA_DIR right?")
    if target.exists() and any(target.iterdir()):
        raise Broken(f"{target} is not empty. Give a new folder.")
    target.mkdir(parents=True, exist_ok=True)
    kept, copied = Media(source / "media"), Media(target / "media")
    with (
        contextlib.closing(sqlite3.connect(f"file:{source / 'bot.db'}?mode=ro", uri=True)) as live,
        contextlib.closing(sqlite3.connect(target / "bot.db")) as copy,
    ):
        live.backup(copy)
        if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise Broken("The copy of the database is damaged. Check the disk, then try again.")
        named = _files_named(copy)
        for sha256 in named:
            copied.path(sha256).parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(kept.path(sha256), copied.path(sha256))
        missing = {sha256 for sha256 in named if not copied.path(sha256).exists()}
        missing &= _files_named(live)  # the others were deleted while the copy was made
    if missing:
        raise Broken(f"{len(missing)} files that the database names are not on the disk, e.g. {min(missing)}.")
    return len(named)


def _files_named(database: sqlite3.Connection) -> set[str]:
    """The SHA-256 of every file that a row needs: images that are not deleted and what they were made from, training
    sets with their pictures, sheets and samples, and what is or becomes registered."""
    named = {
        sha256
        for (sha256,) in database.execute(
            """
            SELECT sha256 FROM images WHERE deleted_at IS NULL
            UNION SELECT sha256 FROM training_images
            UNION SELECT sha256 FROM finetune_samples
            UNION SELECT training_set FROM finetunes WHERE deleted_at IS NULL
            UNION SELECT sheet FROM finetunes WHERE deleted_at IS NULL
            UNION SELECT preview FROM registrations
            UNION SELECT ip_metadata FROM registrations
            UNION SELECT nft_metadata FROM registrations
            UNION SELECT sha256 FROM registrations WHERE state IN (
                'submitted', 'approved', 'pinning', 'pinned', 'signed', 'sent', 'failed', 'confirmed')
            """
        )
        if sha256
    }
    requests = database.execute(
        """
        SELECT request FROM jobs WHERE parent_id IS NULL
            AND NOT EXISTS (SELECT 1 FROM images WHERE images.job_id = jobs.id AND deleted_at IS NOT NULL)
            AND json_extract(request, '$.inputs') <> '{}'
        """
    )
    inputs = {sha256 for (request,) in requests for sha256 in json.loads(request)["inputs"].values()}
    gone = {sha256 for (sha256,) in database.execute("SELECT sha256 FROM images WHERE deleted_at IS NOT NULL")}
    return named | (inputs - gone)
