"""A state machine as a table. Queries take their states from it, and ARCHITECTURE.md its diagram."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True)
class Transition(Generic[S]):
    """What an event changes."""

    event: str
    before: tuple[S, ...]
    """The states in which the event can happen; in any other nothing is changed."""
    after: S
    sets: tuple[str, ...] = ()
    """Columns that are set together with the state: to NULL where the caller gives no value."""


def find(table: Sequence[Transition[S]], event: str) -> Transition[S]:
    """The one transition of that event; a table has a row for each of its events."""
    (transition,) = [each for each in table if each.event == event]
    return transition


def quoted(states: Sequence[StrEnum]) -> str:
    """The states for an IN of SQL."""
    return ", ".join(f"'{state.value}'" for state in states)


def diagram(name: str, table: Sequence[Transition[S]]) -> str:
    """The table as a state diagram in Mermaid. The first transition begins in the first state."""
    begun = {state: None for each in table for state in each.before}
    ended = {each.after: None for each in table if each.after not in begun}
    return "\n".join(
        [
            *("---", f"title: {name}", "---", "stateDiagram-v2"),
            f"    [*] --> {table[0].before[0].value}",
            *(f"    {state.value} --> {each.after.value} : {each.event}" for each in table for state in each.before),
            *(f"    {state.value} --> [*]" for state in ended),
        ]
    )
