"""What the service remembers of a training or a picture, and where it keeps that while it is stopped."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

Outcome = Literal["success", "fail", "cancel"]


@dataclass
class Asset:
    """One training, or one order of pictures, that was accepted."""

    id: str
    app_name: Literal["flux-finetune", "text-2-image", "image-2-image"]
    args: dict[str, Any]  # as sent, validated, with defaults; no pictures
    key: str
    created: float  # Unix seconds
    duration: float  # seconds
    cost: float  # credits
    outcome: Outcome = "success"  # how it will end
    reason: str = ""  # why it fails
    given: list[str] = field(default_factory=list[str])  # digests of the pictures that came with it
    trigger: str = ""  # of a training its own, of a picture its finetune's
    number: int = 0  # how many like it there were before
    callbacks: int = 0  # tries
    called_back: bool = False

    @property
    def is_training(self) -> bool:
        """Whether it makes a finetune, and no pictures."""
        return self.app_name == "flux-finetune"

    @property
    def ready_at(self) -> float:
        """When it ends, Unix seconds."""
        return self.created + self.duration

    @property
    def prompt(self) -> str:
        """What was asked for in words."""
        return self.args.get("prompt") or ""


_RECORD: Final = TypeAdapter(Asset)


class Archive:
    """Assets, and the pictures they were given, in a file that outlives a restart.

    Pictures that were made are not kept: they are drawn again, the same to the byte. Without a path, nothing outlives.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._given: dict[str, bytes] = {}
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(path)) as db, db:
                db.execute("CREATE TABLE IF NOT EXISTS assets (id TEXT PRIMARY KEY, record TEXT NOT NULL)")
                db.execute("CREATE TABLE IF NOT EXISTS given (digest TEXT PRIMARY KEY, picture BLOB NOT NULL)")

    def assets(self) -> list[Asset]:
        """All assets, oldest first."""
        if not self._path:
            return []
        with closing(self._connect(self._path)) as db:
            rows = db.execute("SELECT record FROM assets ORDER BY rowid").fetchall()
        return [_RECORD.validate_json(row[0]) for row in rows]

    def save(self, asset: Asset) -> None:
        """Remember how it stands now."""
        if not self._path:
            return
        with closing(self._connect(self._path)) as db, db:
            db.execute(
                "INSERT INTO assets (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
                [asset.id, _RECORD.dump_json(asset).decode()],
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
