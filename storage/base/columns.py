"""The columns of a table, taken from the dataclass of its rows, so that they are written once."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from typing import Any, TypeVar

Row = TypeVar("Row")


@cache
def columns(row: type) -> str:
    """The names of a row's columns, for a SELECT."""
    return ", ".join(field.name for field in fields(row))


@cache
def insert(table: str, row: type, *more: str) -> str:
    """An INSERT of the whole row; `more` are columns that the dataclass does not have."""
    names = [*(field.name for field in fields(row)), *more]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"


def read(row: type[Row], values: Mapping[Any, Any]) -> Row:
    """The row that a SELECT of its columns answers; enums and booleans are what the dataclass says they are."""
    typed = dict(values)
    for name, kind in _typed(row):
        typed[name] = kind(typed[name])
    return row(**typed)


@cache
def _typed(row: type) -> tuple[tuple[str, type], ...]:
    """The columns for which SQLite has no type of its own. One that may be NULL is kept as it is."""
    return tuple(
        (field.name, field.type)
        for field in fields(row)
        if isinstance(field.type, type) and issubclass(field.type, (Enum, bool))
    )
