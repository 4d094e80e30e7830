"""What a stand-in remembers, in memory or in a file that outlives a restart."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class Archive:
    """Records with an `id`, a table for each type, and the bytes that requests brought, by their digests.

    Without a path, nothing outlives the process. Pictures that a stand-in makes are not kept: it draws them again, the
    same to the byte. `contents` names the table of the bytes and its key; files of earlier versions differ in it.
    """

    def __init__(
        self, path: Path | None, tables: dict[str, type[Any]], *, contents: tuple[str, str] = ("given", "digest")
    ) -> None:
        self._path = path
        self._tables = {record: (table, TypeAdapter[Any](record)) for table, record in tables.items()}
        self._contents_table, self._digest = contents
        self._contents: dict[str, bytes] = {}
        if not path:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_connect(path)) as db, db:
            for table in tables:
                db.execute(f"CREATE TABLE IF NOT EXISTS {table} (id PRIMARY KEY, record TEXT NOT NULL)")
            table, digest = contents
            db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({digest} TEXT PRIMARY KEY, content BLOB NOT NULL)")

    def load(self, kind: type[T]) -> list[T]:
        """All records of this type, oldest first."""
        table, adapter = self._tables[kind]
        return [adapter.validate_json(row[0]) for row in self._read(f"SELECT record FROM {table} ORDER BY rowid")]

    def save(self, record: Any) -> None:
        """Keep a record as it is now."""
        if not self._path:
            return
        table, adapter = self._tables[type(record)]
        self._write(
            f"INSERT INTO {table} (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            [(record.id, adapter.dump_json(record).decode())],
        )

    def delete(self, record: Any) -> None:
        """Delete a record. The bytes that came with it stay."""
        self._write(f"DELETE FROM {self._tables[type(record)][0]} WHERE id = ?", [(record.id,)])

    def keep(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Keep what a request brought: digests and bytes."""
        if self._path:
            self._write(f"INSERT OR IGNORE INTO {self._contents_table} VALUES (?, ?)", contents)
        else:
            self._contents.update(contents)

    def content(self, digest: str) -> bytes:
        """The bytes that a request brought."""
        if not self._path:
            return self._contents[digest]
        return self._read(f"SELECT * FROM {self._contents_table} WHERE {self._digest} = ?", digest)[0][1]

    def _read(self, query: str, *values: Any) -> list[Any]:
        if not self._path:
            return []
        with closing(_connect(self._path)) as db:
            return db.execute(query, values).fetchall()

    def _write(self, statement: str, rows: Iterable[Any]) -> None:
        if self._path:
            with closing(_connect(self._path)) as db, db:
                db.executemany(statement, rows)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")  # it has to outlive this process, not a power cut
    return db
