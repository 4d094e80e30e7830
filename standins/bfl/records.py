"""What the service remembers of a generation, and where it keeps that while it is stopped."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

Status = Literal["Pending", "Ready", "Request Moderated", "Content Moderated", "Error"]


@dataclass
class Task:
    """One generation that was accepted.

    `status` is what it was when it was last looked at; `BflServer.tasks` looks at all of them.
    """

    id: str
    endpoint: str
    body: dict[str, Any]  # validated, with defaults; instead of each picture, "sha256:" and its digest
    key: str
    region: str
    created: float  # Unix seconds
    duration: float  # seconds
    outcome: Status  # how it will end
    seed: int
    size: tuple[int, int]  # px
    cost: float  # credits, taken when it turns Ready
    input_mp: float = 0.0
    output_mp: float = 1.0
    reasons: list[str] = field(default_factory=list[str])  # why it is moderated
    status: Status = "Pending"
    polls: int = 0
    callbacks: int = 0  # tries
    called_back: bool = False

    @property
    def ready_at(self) -> float:
        """When it ends, Unix seconds."""
        return self.created + self.duration

    @property
    def prompt(self) -> str:
        """What was asked for in words."""
        return self.body.get("prompt") or ""

    @property
    def format(self) -> str:
        """`jpeg`, `png` or `webp`."""
        return self.body.get("output_format") or "jpeg"

    @property
    def sample_path(self) -> str:
        """Where its picture lies on the delivery host."""
        return f"/results/{self.id.replace('-', '')}/sample.{self.format}"


_RECORD: Final = TypeAdapter(Task)


class Archive:
    """Tasks, and the pictures they were given, in a file that outlives a restart.

    Pictures that were made are not kept: they are drawn again, the same to the byte. Without a path, nothing outlives.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._given: dict[str, bytes] = {}
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(path)) as db, db:
                db.execute("CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, record TEXT NOT NULL)")
                db.execute("CREATE TABLE IF NOT EXISTS given (digest TEXT PRIMARY KEY, picture BLOB NOT NULL)")

    def tasks(self) -> list[Task]:
        """All tasks, oldest first."""
        if not self._path:
            return []
        with closing(self._connect(self._path)) as db:
            rows = db.execute("SELECT record FROM tasks ORDER BY rowid").fetchall()
        return [_RECORD.validate_json(row[0]) for row in rows]

    def save(self, *tasks: Task) -> None:
        """Remember how these tasks stand now."""
        if not self._path or not tasks:
            return
        with closing(self._connect(self._path)) as db, db:
            db.executemany(
                "INSERT INTO tasks (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
                [(task.id, _RECORD.dump_json(task).decode()) for task in tasks],
            )

    def keep(self, pictures: Iterable[tuple[str, bytes]]) -> None:
        """Keep pictures that a request brought, by their digests."""
        if not self._path:
            self._given.update(pictures)
            return
        with closing(self._connect(self._path)) as db, db:
            db.executemany("INSERT OR IGNORE INTO given (digest, picture) VALUES (?, ?)", pictures)

    def picture(self, digest: str) -> bytes:
        """A picture that a request brought."""
        if not self._path:
            return self._given[digest]
        with closing(self._connect(self._path)) as db:
            row = db.execute("SELECT picture FROM given WHERE digest = ?", [digest]).fetchone()
        return row[0]

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path)
        db.execute("PRAGMA synchronous = OFF")  # it has to outlive this process, not a power cut
        return db
