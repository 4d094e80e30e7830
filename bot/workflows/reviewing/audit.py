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
from storage.reviewing import audit
from storage.reviewing.audit import AuditEntry, Verdict

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
_SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Check:
    """What was found out about the audit of a database. `known` is a hash that somebody has kept elsewhere."""

    verdict: Verdict
    known: str | None
    place: int | None
    """The number of the entry with that hash; None where there is none."""

    @property
    def good(self) -> bool:
        return not self.verdict.faults and (self.known is None or self.place is not None)

    @property
    def sentences(self) -> list[str]:
        """What to tell the admin, a line each."""
        entries, faults = self.verdict.entries, self.verdict.faults
        lines = [f"{'1 entry' if entries == 1 else f'{entries} entries'}. Head: {self.verdict.head}"]
        lines += [f"FAULT {fault}" for fault in faults[:_SHOWN_FAULTS]]
        if len(faults) > _SHOWN_FAULTS:
            lines.append(f"FAULT and {len(faults) - _SHOWN_FAULTS} more.")
        if self.known is not None and self.place is None:
            lines.append(f"FAULT No entry has the hash {self.known}: what it was kept of is not in this database.")
        elif self.known is not None:
            lines.append(f"The hash {self.known} is that of entry {self.place}.")
        if self.good:
            lines.append("Every entry follows from the one before it: nothing was changed, removed or put in.")
        else:
            lines.append("The audit was tampered with, or the file is damaged. Compare it with a backup.")
        return lines


def check(path: Path, known: str | None = None) -> Check:
    """Read the whole audit of a database, also while a bot runs on it. Nothing is written.

    Raises:
        Refused: there is no database, it is no database, or it is of an older bot that kept no audit; or `known` is no
            hash.
    """
    known = known.strip().lower().removeprefix("0x") if known is not None else None
    if known is not None and (len(known) != 64 or set(known) - set("0123456789abcdef")):
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
            return Check(audit.verify(database), known, audit.place_of(database, known) if known is not None else None)
    except sqlite3.DatabaseError as error:
        raise Refused(f"{path} cannot be read: {error}.") from error


def as_csv(entries: Sequence[AuditEntry]) -> bytes:
    """For a spreadsheet: the columns of the table, and the time in words. No cell is a formula."""
    written = io.StringIO(newline="")
    names = [each.name for each in fields(AuditEntry)]
    writer = csv.writer(written)
    writer.writerow([*names, "time"])
    for entry, row in zip(entries, audit.exported(entries), strict=True):
        writer.writerow([*(_cell(row[name]) for name in names), _time(entry.at)])
    return written.getvalue().encode("utf-8-sig")  # without the mark, Excel reads another encoding


def as_json(entries: Sequence[AuditEntry], *, head: str, number: int) -> bytes:
    """For a program: every hash can be computed again from it. `head` is the last hash of all communities."""
    rows = [{**row, "time": _time(entry.at)} for entry, row in zip(entries, audit.exported(entries), strict=True)]
    said = {"head": {"number": number, "hash": head}, "entries": rows}
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def _cell(value: object) -> str:
    said = "" if value is None else str(value)
    return f"'{said}" if said.startswith(_FORMULA) else said


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
