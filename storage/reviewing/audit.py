"""Who decided what, when, and what they saw: rows that are added, never changed, each with the hash of the one before.

A row's hash is the SHA-256 of its canonical JSON (RFC 8785), the previous row's hash included, so that no row can be
changed, taken out or put in between without all later hashes being wrong. The number and hash of the last row are
noted apart, so that rows cut off at the end are missed, too.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import rfc8785
from pydantic import JsonValue

from storage.base import notes
from storage.base.columns import columns, insert
from storage.database import Connection, change, row, rows

FIRST = "0" * 64
"""The hash that the first row names as the one before it."""
HEAD = "audit head"
"""The note that says how the chain ended when a row was last added."""


@dataclass(frozen=True)
class AuditEntry:
    """One row. `seen` is the digest of what a decider's card showed; `details` are JSON."""

    number: int
    at: float
    guild_id: int | None
    actor_id: int | None
    """None for the bot itself."""
    action: str
    subject: str
    seen: str | None
    details: str
    previous: str
    hash: str

    @property
    def content(self) -> dict[str, JsonValue]:
        """The details, read."""
        return json.loads(self.details)

    @property
    def computed(self) -> str:
        """The hash that the row's content has."""
        content: dict[str, JsonValue] = {
            "number": self.number,
            "at": repr(self.at),  # text: RFC 8785 and Python write some numbers differently
            "guild_id": str(self.guild_id) if self.guild_id is not None else None,
            "actor_id": str(self.actor_id) if self.actor_id is not None else None,
            "action": self.action,
            "subject": self.subject,
            "seen": self.seen,
            "details": self.details,
            "previous": self.previous,
        }
        return hashlib.sha256(rfc8785.dumps(content)).hexdigest()  # pyright: ignore[reportArgumentType] - invariance


_COLUMNS = columns(AuditEntry)


async def add(
    db: Connection,
    *,
    action: str,
    subject: str,
    now: float,
    guild_id: int | None = None,
    actor_id: int | None = None,
    seen: str | None = None,
    details: Mapping[str, JsonValue] | None = None,
) -> AuditEntry:
    """Write down what happens in this transaction, in this transaction."""
    last = await row(db, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", {})
    bare = AuditEntry(
        number=last["number"] + 1 if last else 1,
        at=now,
        guild_id=guild_id,
        actor_id=actor_id,
        action=action,
        subject=subject,
        seen=seen,
        details=json.dumps(dict(details or {}), ensure_ascii=False, sort_keys=True),
        previous=last["hash"] if last else FIRST,
        hash="",
    )
    entry = replace(bare, hash=bare.computed)
    await change(db, insert("audit", AuditEntry), asdict(entry))
    await notes.save(db, HEAD, f"{entry.number} {entry.hash}")
    return entry


async def head(db: Connection) -> tuple[int, str]:
    """The number and the hash of the last row of all communities."""
    last = await row(db, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1", {})
    return (last["number"], last["hash"]) if last else (0, FIRST)


async def of_guild(
    db: Connection, guild_id: int, *, since: float = 0.0, before: float | None = None
) -> list[AuditEntry]:
    """The entries about a community, oldest first."""
    records = await rows(
        db,
        f"""
        SELECT {_COLUMNS} FROM audit WHERE guild_id = :guild_id AND at >= :since AND (:before IS NULL OR at < :before)
        ORDER BY number
        """,
        {"guild_id": guild_id, "since": since, "before": before},
    )
    return [AuditEntry(**dict(each)) for each in records]


async def about(db: Connection, subject: str) -> list[AuditEntry]:
    """The entries about one subject, oldest first."""
    records = await rows(
        db, f"SELECT {_COLUMNS} FROM audit WHERE subject = :subject ORDER BY number", {"subject": subject}
    )
    return [AuditEntry(**dict(each)) for each in records]


@dataclass(frozen=True)
class Verdict:
    """The result of a check of the whole chain."""

    entries: int
    head: str
    """The hash of the last row. Kept elsewhere, it proves later that nothing before it was changed."""
    faults: tuple[str, ...]


def verify(database: sqlite3.Connection) -> Verdict:
    """Compute every hash again. Blocks; reads only."""
    faults: list[str] = []
    previous, number = FIRST, 0
    for values in database.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY number"):
        entry = AuditEntry(*values)
        if entry.number != number + 1:
            faults.append(_gap(number + 1, entry.number - 1))
        if entry.previous != previous and entry.number == number + 1:
            faults.append(f"Entry {entry.number} does not follow from the one before it.")
        if entry.computed != entry.hash:
            faults.append(f"Entry {entry.number} was changed.")
        previous, number = entry.hash, entry.number
    noted = database.execute("SELECT content FROM notes WHERE name = ?", (HEAD,)).fetchone()
    if noted is not None:
        last, _, last_hash = str(noted[0]).partition(" ")
        if not last.isdecimal():
            faults.append("The note of how the chain ended was changed.")
        elif int(last) > number:
            faults.append(_gap(number + 1, int(last)))
        elif int(last) < number or last_hash != previous:
            faults.append("The last entry is not the one that the bot wrote last.")
    elif number:
        faults.append("The note of how the chain ended is gone.")
    return Verdict(number, previous, tuple(faults))


def place_of(database: sqlite3.Connection, entry_hash: str) -> int | None:
    """The number of the row with that hash, None where there is none. Blocks; reads only."""
    if entry_hash == FIRST:
        return 0
    record = database.execute("SELECT number FROM audit WHERE hash = ?", (entry_hash,)).fetchone()
    return record[0] if record else None


def _gap(first: int, last: int) -> str:
    return f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."


def exported(entries: Iterable[AuditEntry]) -> list[dict[str, JsonValue]]:
    """The rows as they are exported; ids of Discord as text, which no spreadsheet rounds."""
    return [
        {
            **asdict(entry),
            "guild_id": str(entry.guild_id) if entry.guild_id is not None else None,
            "actor_id": str(entry.actor_id) if entry.actor_id is not None else None,
        }
        for entry in entries
    ]
