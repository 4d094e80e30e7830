"""The table of a registration's transitions is complete, and names columns that there are."""

from dataclasses import fields

from storage.base.transitions import find
from storage.registering.registrations import Registration
from storage.registering.transitions import TRANSITIONS, UNDER_WAY, WITHDRAWABLE, Event, RegistrationState


def test_every_event_has_one_transition() -> None:
    assert sorted(each.event for each in TRANSITIONS) == sorted(Event)


def test_every_state_but_the_draft_is_reached() -> None:
    assert {each.after for each in TRANSITIONS} == set(RegistrationState) - {RegistrationState.DRAFT}


def test_what_is_set_are_columns() -> None:
    columns = {field.name for field in fields(Registration)}
    assert all(set(each.sets) <= columns for each in TRANSITIONS)


def test_what_is_signed_cannot_be_withdrawn_and_what_is_under_way_can_fail() -> None:
    assert set(find(TRANSITIONS, Event.WITHDRAW).before) == {*WITHDRAWABLE, RegistrationState.FAILED}
    assert RegistrationState.SIGNED not in WITHDRAWABLE
    assert find(TRANSITIONS, Event.FAIL).before == UNDER_WAY
