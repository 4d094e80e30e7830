"""The audit outside the bot: checked on the command line, and as files that a spreadsheet or a program reads."""

import contextlib
import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import Refused
from bot.workflows.base.kit import Kit
from storage.reviewing import audit
from storage.reviewing.audit import AuditEntry, Verdict

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
_SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Check:
    """Whether the audit of a database is whole. `kept` is a hash that somebody has kept elsewhere."""

    verdict: Verdict
    kept: str | None
    place: int | None
    """The number of the entry with that hash; None where there is none."""

    @property
    def good(self) -> bool:
        return not self.verdict.faults and (self.kept is None or self.place is not None)

    @property
    def sentences(self) -> list[str]:
        """What to tell the admin, a line each."""
        entries, faults = self.verdict.entries, self.verdict.faults
        lines = [f"{'1 entry' if entries == 1 else f'{entries} entries'}. Head: {self.verdict.head}"]
        lines += [f"FAULT {fault}" for fault in faults[:_SHOWN_FAULTS]]
        if len(faults) > _SHOWN_FAULTS:
            lines.append(f"FAULT and {len(faults) - _SHOWN_FAULTS} more.")
        if self.kept is not None and self.place is None:
            lines.append(f"FAULT No entry has the hash {self.kept}: what it was kept of is not in this database.")
        elif self.kept is not None:
            lines.append(f"The hash {self.kept} is that of entry {self.place}.")
        if self.good:
            lines.append("Every entry follows from the one before it: nothing was changed, removed or put in.")
        else:
            lines.append("The audit was tampered with, or the file is damaged. Compare it with a backup.")
        return lines


def check(path: Path, kept: str | None = None) -> Check:
    """Read the whole audit of a database, also while a bot runs on it. Nothing is written.

    Raises:
        Refused: there is no database, it is no database, or it is of an older bot that kept no audit; or `kept` is no
            hash.
    """
    kept = kept.strip().lower().removeprefix("0x") if kept is not None else None
    if kept is not None and (len(kept) != 64 or set(kept) - set("0123456789abcdef")):
        raise Refused(
            "--head takes a whole hash, as “audit verify” and “/audit export” print it: 64 hexadecimal digits."
        )
    if not path.exists():
        raise Refused(f"There is no database at {path} yet: the bot makes it at its first start.")
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")  # one view of the tables, whatever the bot adds meanwhile
            if not database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit'").fetchone():
                raise Refused(f"{path} is of an older bot, which kept no audit. It begins when the new one starts.")
            return Check(audit.verify(database), kept, audit.place_of(database, kept) if kept is not None else None)
    except sqlite3.DatabaseError as error:
        raise Refused(f"{path} cannot be read: {error}.") from error


@dataclass(frozen=True)
class Export:
    """What is written down about a community, and where the chain of all communities ended when it was read."""

    entries: Sequence[AuditEntry]
    number: int
    """Of the chain's last entry."""
    head: str
    """The hash of the chain's last entry."""


class Audit:
    """Reads the audit for those who manage a community."""

    def __init__(self, kit: Kit) -> None:
        self._work = kit.work

    async def export(self, guild_id: int, *, since: float, before: float | None) -> Export:
        """The entries about a community from `since` on, in Unix seconds."""
        async with self._work.read() as db:
            return Export(await audit.of_guild(db, guild_id, since=since, before=before), *await audit.head(db))

    async def entries_about(self, guild_id: int, subject: str) -> list[AuditEntry]:
        """A community's entries about one subject, oldest first."""
        async with self._work.read() as db:
            return [each for each in await audit.about(db, subject) if each.guild_id == guild_id]


def day_of(text: str) -> float:
    """The beginning of a day in UTC, as Unix seconds.

    Raises:
        Refused: the text is no day.
    """
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError) as error:
        raise Refused(f"“{text[:40]}” is not a day. Write it like 2026-11-30.") from error


def as_csv(entries: Sequence[AuditEntry]) -> bytes:
    """For a spreadsheet: the columns of the table, and the time in words. No cell is a formula."""
    written = io.StringIO(newline="")
    names = [each.name for each in fields(AuditEntry)]
    writer = csv.writer(written)
    writer.writerow([*names, "time"])
    for entry, row in zip(entries, audit.exported(entries), strict=True):
        writer.writerow([*(_cell(row[name]) for name in names), _time(entry.at)])
    return written.getvalue().encode("utf-8-sig")  # without the mark, Excel reads another encoding


def as_json(export: Export) -> bytes:
    """For a program: every hash can be computed again from it."""
    rows = [
        {**row, "time": _time(entry.at)}
        for entry, row in zip(export.entries, audit.exported(export.entries), strict=True)
    ]
    content = {"head": {"number": export.number, "hash": export.head}, "entries": rows}
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _cell(value: object) -> str:
    cell = "" if value is None else str(value)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
