"""Measurements as tables that a person reads and a program can keep."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.jobs.pace import quantile


@dataclass(frozen=True)
class Row:
    """One thing that was measured. `met` is None where nothing was aimed at."""

    what: str
    ours: str
    others: tuple[str, ...] = ()
    aim: str = ""
    met: bool | None = None


@dataclass
class Table:
    """What one benchmark found: our value, each alternative's beside it, and what we want."""

    name: str
    about: str
    columns: tuple[str, ...]
    """Of our value, then of each alternative's."""
    rows: list[Row] = field(default_factory=list[Row])
    notes: list[str] = field(default_factory=list[str])
    raw: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, what: str, ours: object, *others: object, aim: str = "", met: bool | None = None) -> None:
        self.rows.append(Row(what, str(ours), tuple(str(other) for other in others), aim, met))

    def __str__(self) -> str:
        heads = ["", *self.columns, "aim", "met"]
        body = [
            [each.what, each.ours, *_pad(each.others, len(self.columns) - 1), each.aim, _met(each.met)]
            for each in self.rows
        ]
        widths = [max(len(line[n]) for line in [heads, *body]) for n in range(len(heads))]
        lines = [f"## {self.name}", "", self.about, "", _line(heads, widths), _line(["-" * n for n in widths], widths)]
        lines += [_line(each, widths) for each in body]
        lines += ["", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def spread(values: Sequence[float], share: float) -> float:
    """A quantile of unsorted values; not a number where there are none."""
    return quantile(sorted(values), share) if values else float("nan")


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def _pad(cells: Sequence[str], size: int) -> list[str]:
    return [*cells, *["" for _ in range(size - len(cells))]]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"


def _met(met: bool | None) -> str:
    return {True: "yes", False: "NO", None: ""}[met]
