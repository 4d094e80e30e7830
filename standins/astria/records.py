"""What the service remembers of finetunes and pictures, and where it keeps that while it is stopped."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

LIFETIME: Final = 30 * 86_400.0  # seconds from the end of a training to the deletion of everything


@dataclass
class Tune:
    """One finetune. How far it is follows from the clock."""

    id: int
    title: str
    name: str
    created: float  # Unix seconds
    waits: float  # seconds until the training starts
    duration: float  # seconds that it takes
    token: str = "ohwx"  # noqa: S105 - Astria's word for the trigger
    branch: str = "flux1"
    model_type: str | None = "lora"
    base_tune_id: int | None = None
    base_pack_id: int | None = None
    preset: str | None = None
    steps: int | None = None
    face_crop: bool | None = None
    training_face_correct: bool = False
    auto_extend: bool = False
    callback: str | None = None
    prompts_callback: str | None = None
    images: list[str] = field(default_factory=list[str])  # marks: "sha256:" and a digest, or a link
    captions: dict[str, str] = field(default_factory=dict[str, str])  # by the stem of the picture's name
    cost_mc: int = 0  # charged when it was accepted
    error: str | None = None  # how it will fail
    called_back: bool = False
    prompts_called_back: bool = False
    deleted: bool = False

    @property
    def starts_at(self) -> float:
        return self.created + self.waits

    @property
    def ends_at(self) -> float:
        """When the training is over, one way or the other, Unix seconds."""
        return self.starts_at + self.duration

    @property
    def expires_at(self) -> float | None:
        return None if self.auto_extend or self.error else self.ends_at + LIFETIME


@dataclass
class Prompt:
    """An order for pictures. How far it is follows from the clock."""

    id: int
    tune_id: int  # what it was ordered on: for FLUX the base, not the LoRA
    text: str
    created: float  # Unix seconds
    starts_at: float
    duration: float  # seconds
    seed: int
    num_images: int = 1
    loras: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])  # and how strongly
    fields: dict[str, Any] = field(default_factory=dict[str, Any])  # what else was asked for
    input: str | None = None  # mark of the input image
    size: tuple[int, int] = (1024, 1024)  # px
    callback: str | None = None
    pack_of: int | None = None  # the finetune whose pack ordered it
    cost_mc: int = 0
    error: str | None = None  # how it will fail
    early_called_back: bool = False
    called_back: bool = False
    deleted: bool = False

    @property
    def ends_at(self) -> float:
        """When it is settled, Unix seconds."""
        return self.starts_at + self.duration


_TUNE: Final = TypeAdapter(Tune)
_PROMPT: Final = TypeAdapter(Prompt)


class Archive:
    """Finetunes, orders and the pictures that came with them, in a file that outlives a restart.

    Pictures that were drawn are not kept: they are drawn again, the same to the byte. Without a path, nothing outlives.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._given: dict[str, bytes] = {}
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(_connect(path)) as db, db:
                for table in ("tunes", "prompts"):
                    db.execute(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, record TEXT NOT NULL)")
                db.execute("CREATE TABLE IF NOT EXISTS given (mark TEXT PRIMARY KEY, picture BLOB NOT NULL)")

    def tunes(self) -> list[Tune]:
        """All finetunes, oldest first."""
        return [_TUNE.validate_json(record) for record in self._records("SELECT record FROM tunes ORDER BY id")]

    def prompts(self) -> list[Prompt]:
        """All orders, oldest first."""
        return [_PROMPT.validate_json(record) for record in self._records("SELECT record FROM prompts ORDER BY id")]

    def save(self, *records: Tune | Prompt) -> None:
        """Remember how these stand now."""
        if not self._path:
            return
        with closing(_connect(self._path)) as db, db:
            for record in records:
                if isinstance(record, Tune):
                    written = (record.id, _TUNE.dump_json(record).decode())
                    db.execute("INSERT OR REPLACE INTO tunes (id, record) VALUES (?, ?)", written)
                else:
                    written = (record.id, _PROMPT.dump_json(record).decode())
                    db.execute("INSERT OR REPLACE INTO prompts (id, record) VALUES (?, ?)", written)

    def keep(self, pictures: Iterable[tuple[str, bytes]]) -> None:
        """Keep pictures that a request brought, by their marks."""
        if not self._path:
            self._given.update(pictures)
            return
        with closing(_connect(self._path)) as db, db:
            db.executemany("INSERT OR IGNORE INTO given (mark, picture) VALUES (?, ?)", pictures)

    def picture(self, mark: str) -> bytes:
        """A picture that a request brought."""
        if not self._path:
            return self._given[mark]
        with closing(_connect(self._path)) as db:
            row = db.execute("SELECT picture FROM given WHERE mark = ?", [mark]).fetchone()
        return row[0]

    def _records(self, query: str) -> list[str]:
        if not self._path:
            return []
        with closing(_connect(self._path)) as db:
            return [row[0] for row in db.execute(query).fetchall()]


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")  # it has to outlive this process, not a power cut
    return db
