"""The audit's chain: nothing in it can be changed, taken out, put in or cut off without being found out."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from bot.__main__ import main
from bot.errors import Refused
from bot.workflows.reviewing.audit import Check, check
from storage.database import open_database
from storage.reviewing import audit
from tests.scenes.workbench import Bench

ENTRIES = 12
ALTERED = "UPDATE audit SET"
PUT_IN = (
    "INSERT INTO audit SELECT number + 1, at, 0, 0, action, 's', seen, details, hash, 'x' FROM audit WHERE number = 12"
)


async def write(bench: Bench, count: int = ENTRIES) -> list[str]:
    """Some entries; their hashes."""
    hashes: list[str] = []
    for number in range(count):
        async with bench.database.write() as db:
            entry = await audit.add(
                db,
                action="register approved",
                subject=f"s{number % 3}",
                guild_id=2**60 + number % 2,
                actor_id=None if number == 5 else 11,
                seen="d" * 64,
                details={"reason": f"“Ünïcode” {number}", "override": number == 7},
                now=1_800_000_000.1 + number / 3,
            )
            hashes.append(entry.hash)
    return hashes


@pytest.fixture
async def hashes(bench: Bench) -> list[str]:
    return await write(bench)


def check_tampered(folder: Path, *statements: str) -> Check:
    """What is found of a copy of the database in which these statements were run, past the triggers."""
    copy = folder / "copy.db"
    with (
        contextlib.closing(sqlite3.connect(folder / "bot.db")) as file,
        contextlib.closing(sqlite3.connect(copy)) as to,
    ):
        file.backup(to)
        for name in ("update", "delete"):
            to.execute(f"DROP TRIGGER audit_without_{name}")
        for statement in statements:
            assert to.execute(statement).rowcount != 0, statement
        to.commit()
    return check(copy)


async def test_an_untouched_chain_is_whole_while_the_bot_writes_on(
    bench: Bench, hashes: list[str], tmp_path: Path
) -> None:
    before = (tmp_path / "bot.db").read_bytes()
    outcome = check(tmp_path / "bot.db")
    assert (outcome.good, outcome.verdict.entries, outcome.verdict.head, outcome.verdict.faults) == (
        True,
        ENTRIES,
        hashes[-1],
        (),
    )
    assert (tmp_path / "bot.db").read_bytes() == before
    await write(bench, 1)
    assert check(tmp_path / "bot.db").verdict.entries == ENTRIES + 1


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor_id = 5", "DELETE FROM audit WHERE number = 3"])
async def test_the_database_itself_refuses_to_change_what_is_written(
    bench: Bench, hashes: list[str], tmp_path: Path, statement: str
) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        async with bench.database.write() as db:
            await db.exec_driver_sql(statement)
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "bot.db")) as other,
        pytest.raises(sqlite3.DatabaseError, match="append-only"),
    ):
        other.execute(statement)
    assert check(tmp_path / "bot.db").good


@pytest.mark.parametrize(
    "change",
    [
        "at = at + 1",
        "guild_id = guild_id + 1",
        "actor_id = 12",
        "actor_id = NULL",
        "action = 'register denied'",
        "subject = 's9'",
        "seen = NULL",
        "details = '{}'",
        "previous = hash",
        "hash = lower(hex(randomblob(32)))",
    ],
)
async def test_a_changed_entry_is_named(hashes: list[str], tmp_path: Path, change: str) -> None:
    outcome = check_tampered(tmp_path, f"{ALTERED} {change} WHERE number = 4")
    assert not outcome.good
    assert any("Entry 4" in fault for fault in outcome.verdict.faults), outcome.verdict.faults


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["DELETE FROM audit WHERE number = 4"], "Entry 4 is missing."),
        (["DELETE FROM audit WHERE number BETWEEN 4 AND 6"], "Entries 4 to 6 are missing."),
        (["DELETE FROM audit WHERE number = 1"], "Entry 1 is missing."),
        (["DELETE FROM audit WHERE number > 10"], "Entries 11 to 12 are missing."),
        (["DELETE FROM audit"], "Entries 1 to 12 are missing."),
        (
            ["DELETE FROM audit WHERE number = 4", "UPDATE audit SET number = number - 1 WHERE number > 4"],
            "Entry 4 does not follow from the one before it.",
        ),
        (
            [PUT_IN],
            "Entry 13 was changed.",
        ),
        (["DELETE FROM notes WHERE name = 'audit head'"], "The note of how the chain ended is gone."),
        (["UPDATE notes SET content = 'x' WHERE name = 'audit head'"], "The note of how the chain ended was changed."),
    ],
)
async def test_what_is_missing_or_put_in_is_named(
    hashes: list[str], tmp_path: Path, statements: list[str], fault: str
) -> None:
    outcome = check_tampered(tmp_path, *statements)
    assert not outcome.good
    assert fault in outcome.verdict.faults, outcome.verdict.faults


async def test_who_rewrites_all_of_it_is_found_out_by_a_hash_that_was_kept_elsewhere(
    bench: Bench, hashes: list[str], tmp_path: Path
) -> None:
    """The whole chain anew, note included, is a chain: only the kept hash knows that it is another one."""
    (tmp_path / "other").mkdir()
    forged = await open_database(tmp_path / "other" / "bot.db")
    await write(Bench(forged, bench.clock, tmp_path), ENTRIES - 1)
    await forged.close()
    assert check(tmp_path / "other" / "bot.db").good
    assert not check(tmp_path / "other" / "bot.db", hashes[-1]).good
    assert check(tmp_path / "bot.db", hashes[-1]).good


async def test_a_tail_that_was_cut_off_with_its_note_is_found_out_by_a_kept_hash(
    hashes: list[str], tmp_path: Path
) -> None:
    note = f"UPDATE notes SET content = '9 {hashes[8]}' WHERE name = 'audit head'"  # noqa: S608 - a hash
    assert check_tampered(tmp_path, "DELETE FROM audit WHERE number > 9", note).good
    outcome = check(tmp_path / "copy.db", hashes[-1])
    assert (outcome.good, outcome.place) == (False, None)
    assert check(tmp_path / "copy.db", hashes[8]).place == 9


# The command.


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DISCORD_TOKEN", "a-token-for-no-discord-at-all")
    monkeypatch.setenv("BFL_API_KEY", "a-key")
    monkeypatch.setenv("DATA_DIR", str(folder))

    def verify(*arguments: str) -> tuple[int, str]:
        code = main(["audit", "verify", *arguments])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return verify


async def test_the_command_line_verifies_while_the_bot_runs(
    hashes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verify = run(tmp_path, monkeypatch, capsys)
    code, text = verify()
    assert (code, text.splitlines()[0]) == (0, f"12 entries. Head: {hashes[-1]}")
    assert "nothing was changed, removed or put in" in text
    code, text = verify("--head", f" 0x{hashes[3].upper()} ")
    assert (code, "is that of entry 4." in text) == (0, True)
    code, text = verify("--head", "e" * 64)
    assert (code, "FAULT No entry has the hash" in text) == (1, True)
    code, text = verify("--head", "nonsense")
    assert (code, "64 hexadecimal digits" in text, "Traceback" in text) == (1, True, False)


async def test_the_command_line_says_what_is_wrong_and_ends_with_1(
    hashes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check_tampered(tmp_path, f"{ALTERED} actor_id = 12 WHERE number = 4")
    (tmp_path / "ill").mkdir()
    shutil.copy(tmp_path / "copy.db", tmp_path / "ill" / "bot.db")
    code, output = run(tmp_path / "ill", monkeypatch, capsys)()
    assert (code, "FAULT Entry 4 was changed." in output, "tampered with" in output) == (1, True, True)


async def test_the_command_line_explains_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verify = run(tmp_path, monkeypatch, capsys)
    code, text = verify()
    assert (code, "There is no database" in text) == (1, True)
    (tmp_path / "bot.db").write_bytes(b"no database at all" * 100)
    code, text = verify()
    assert (code, "cannot be read" in text) == (1, True)
    (tmp_path / "bot.db").unlink()
    sqlite3.connect(tmp_path / "bot.db").close()
    code, text = verify()
    assert (code, "kept no audit" in text) == (1, True)


async def test_a_row_of_the_export_can_be_checked_by_itself(bench: Bench, hashes: list[str]) -> None:
    """What a program needs to compute each hash again is all in the exported JSON."""
    async with bench.database.read() as db:
        entries = await audit.of_guild(db, 2**60)
    for row in json.loads(json.dumps(audit.exported(entries))):
        back = audit.AuditEntry(
            **row | {name: row[name] and int(row[name]) for name in ("guild_id", "actor_id")},
        )
        assert back.computed == row["hash"]
    with pytest.raises(Refused):
        check(Path("/nowhere/bot.db"))
