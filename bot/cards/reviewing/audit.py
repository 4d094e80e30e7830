"""The texts about the audit: with an export, and about one subject."""

from collections.abc import Sequence

from bot import limits
from bot.cards.base.words import moment, quoted, shortened
from storage.reviewing.audit import AuditEntry

_SHOWN = ("reason", "objection", "question", "answer", "setting", "old", "new")
"""Details that the text shows; the others are ids and digests."""


def export_text(entries: int, head: str) -> str:
    """What stands beside the file."""
    return (
        f"{_entries(entries)} of this server.\n"
        f"Head of the whole chain: `{head}`\n"
        "Keep that hash somewhere else: `python -m bot audit verify --head HASH` proves later that nothing up to it "
        "was changed or removed."
    )


def audit_text(subject: str, entries: Sequence[AuditEntry]) -> str:
    """What was written down about one thing, oldest first."""
    if not entries:
        return f"Nothing is written down about “{quoted(subject, 80)}” in this server."
    lines = [f"### {_entries(len(entries))} about {quoted(subject, 80)}"]
    for entry in entries:
        who = f"<@{entry.actor_id}>" if entry.actor_id else "the bot"
        details = entry.content
        texts = [f"{name}: {quoted(str(details[name]), 200)}" for name in _SHOWN if details.get(name) is not None]
        override = " **(under the admin's override)**" if details.get("override") else ""
        seen = f", on a card with the digest `{entry.seen[:12]}`" if entry.seen else ""
        lines.append(
            f"{entry.number}. {moment(entry.at, 'f')} **{quoted(entry.action, 60)}** by {who}{override}{seen}"
            + (f"\n> {'; '.join(texts)}" if texts else "")
        )
    return shortened("\n".join(lines), limits.ANSWER_CHARACTERS)


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
