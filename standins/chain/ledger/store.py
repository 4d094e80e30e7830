"""What the chain keeps between two starts: a SQLite file, or nothing at all for a chain that lives in memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from eth.db.backends.base import BaseDB

from standins.chain.ledger.blocks import Block

_SCHEMA = """
CREATE TABLE IF NOT EXISTS nodes (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, header BLOB NOT NULL, mined TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pool (place INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS head (only INTEGER PRIMARY KEY CHECK (only = 1), root BLOB NOT NULL);
"""


class Nodes(BaseDB):
    """The state's nodes by their hashes, all of them in memory; new ones are noted until the archive has them."""

    def __init__(self) -> None:
        self.all: dict[bytes, bytes] = {}
        self.fresh: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        return self.all[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.all[key] = self.fresh[key] = value

    def __delitem__(self, key: bytes) -> None:
        del self.all[key]  # the file keeps it, which does no harm: a node is what its hash says

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def _exists(self, key: bytes) -> bool:
        return key in self.all


class Store:
    """The file of one chain. The chain opens and uses it in its own thread."""

    def __init__(self, path: Path | None) -> None:
        self.nodes = Nodes()
        self._db: sqlite3.Connection | None = None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
            self.nodes.all = dict(self._db.execute("SELECT key, value FROM nodes"))

    def blocks(self) -> list[Block]:
        """All of them in their order, none where the chain is new."""
        if not self._db:
            return []
        rows = self._db.execute("SELECT header, mined FROM blocks ORDER BY number")
        return [Block.restored(header, mined) for header, mined in rows]

    def root(self) -> bytes:
        """Of the latest state, which may differ from the last block's."""
        assert self._db, "a chain without blocks has no root"
        return self._db.execute("SELECT root FROM head").fetchone()[0]

    def pool(self) -> list[bytes]:
        """The transactions that waited, in the order in which they came."""
        return [raw for (raw,) in self._db.execute("SELECT raw FROM pool ORDER BY place")] if self._db else []

    def save(
        self, *, root: bytes, pool: Iterable[bytes], since: int | None = None, blocks: Iterable[Block] = ()
    ) -> None:
        """Write down, at once or not at all: the latest state and the pool; the blocks from number `since` on anew."""
        fresh, self.nodes.fresh = self.nodes.fresh, {}
        if not self._db:
            return
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO nodes VALUES (?, ?)", fresh.items())
            if since is not None:
                self._db.execute("DELETE FROM blocks WHERE number >= ?", (since,))
                rows = [(block.number, *block.stored()) for block in blocks]
                self._db.executemany("INSERT INTO blocks VALUES (?, ?, ?)", rows)
            self._db.execute("INSERT OR REPLACE INTO head VALUES (1, ?)", (root,))
            self._db.execute("DELETE FROM pool")
            self._db.executemany("INSERT INTO pool (raw) VALUES (?)", [(raw,) for raw in pool])

    def close(self) -> None:
        if self._db:
            self._db.close()
