"""The bot's database as a dead bot left it."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Tables:
    """What is in it, and what SQLite complains of."""

    jobs: list[Row]
    steps: list[Row]
    images: list[Row]
    complaints: list[str]
    finetunes: list[Row]
    training_images: list[Row]
    ledger: list[Row]

    @property
    def requests(self) -> list[Row]:
        return [job for job in self.jobs if job["parent_id"] is None]

    @property
    def drawings(self) -> list[Row]:
        return [job for job in self.jobs if job["parent_id"] is not None]

    @property
    def half_paid(self) -> set[str]:
        """Jobs whose payment was begun, with no answer kept."""
        return {step["job_id"] for step in self.steps if step["pays"] and step["finished_at"] is None}

    def steps_of(self, job_id: str) -> dict[str, bool]:
        """Name to whether it is finished."""
        return {step["name"]: step["finished_at"] is not None for step in self.steps if step["job_id"] == job_id}


def read_tables(folder: Path) -> Tables:
    with read_copy(folder) as db:
        complaints = [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        complaints += [f"broken reference in {row[0]}" for row in db.execute("PRAGMA foreign_key_check")]
        return Tables(
            jobs=_all(db, "jobs"),
            steps=_all(db, "steps"),
            images=_all(db, "images"),
            complaints=complaints,
            finetunes=_all(db, "finetunes"),
            training_images=_all(db, "training_images"),
            ledger=_all(db, "ledger"),
        )


@contextlib.contextmanager
def read_copy(folder: Path) -> Generator[sqlite3.Connection]:
    """A look must not mend what the next life has to find."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as copy:
        for name in ("bot.db", "bot.db-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(folder / name, copy)
        with contextlib.closing(sqlite3.connect(Path(copy) / "bot.db")) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = OFF")
            yield db


def _all(db: sqlite3.Connection, table: str) -> list[Row]:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
        return []  # the bot died before it had made it
    return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608 - a name of this module
