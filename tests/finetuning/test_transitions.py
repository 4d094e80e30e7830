"""The table of a finetune's transitions is complete."""

import pytest

from storage.base.transitions import find
from storage.finetuning.transitions import TRANSITIONS, Event, FinetuneState


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_one_row(event: Event) -> None:
    assert find(TRANSITIONS, event).event == event


def test_every_state_is_reached_and_only_a_deleted_finetune_is_left_by_nothing() -> None:
    assert {each.after for each in TRANSITIONS} == set(FinetuneState)
    assert set(FinetuneState) - {state for each in TRANSITIONS for state in each.before} == {FinetuneState.DELETED}
