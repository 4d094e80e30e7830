"""What an account holds, in memory or in a file that outlives a restart."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

Network = Literal["public", "private"]


@dataclass
class File:
    """One file of the account."""

    id: str
    name: str
    cid: str
    size: int  # bytes
    media_type: str
    network: Network
    created: float  # Unix seconds
    named: float  # Unix seconds; before it, the CID is not known
    content: str  # SHA-256 of the bytes that are served: other ones than were sent, where they are corrupt


_RECORD: Final = TypeAdapter(File)


class Archive:
    """Files and their bytes. Without a path, nothing outlives the process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._contents: dict[str, bytes] = {}
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(path)) as db, db:
                db.execute("CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, record TEXT NOT NULL)")
                db.execute("CREATE TABLE IF NOT EXISTS contents (digest TEXT PRIMARY KEY, content BLOB NOT NULL)")

    def files(self) -> list[File]:
        """All files, oldest first."""
        if not self._path:
            return []
        with closing(self._connect(self._path)) as db:
            rows = db.execute("SELECT record FROM files ORDER BY rowid").fetchall()
        return [_RECORD.validate_json(row[0]) for row in rows]

    def save(self, file: File, content: bytes) -> None:
        if not self._path:
            self._contents[file.content] = content
            return
        with closing(self._connect(self._path)) as db, db:
            db.execute("INSERT OR IGNORE INTO contents (digest, content) VALUES (?, ?)", [file.content, content])
            db.execute("INSERT INTO files (id, record) VALUES (?, ?)", [file.id, _RECORD.dump_json(file).decode()])

    def forget(self, file: File) -> None:
        """Delete a file. Its bytes stay, as they would with whoever has fetched them."""
        if self._path:
            with closing(self._connect(self._path)) as db, db:
                db.execute("DELETE FROM files WHERE id = ?", [file.id])

    def content(self, file: File) -> bytes:
        if not self._path:
            return self._contents[file.content]
        with closing(self._connect(self._path)) as db:
            row = db.execute("SELECT content FROM contents WHERE digest = ?", [file.content]).fetchone()
        return row[0]

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path)
        db.execute("PRAGMA synchronous = OFF")  # it has to outlive this process, not a power cut
        return db


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
