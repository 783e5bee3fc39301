"""Who may work on a job: decided without a database, and the same by a statement."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_web.long_work.leases import LEASE, MOST_TAKES, PAUSE, Verdict, verdict
from inventory_web.long_work.states import UNDER_WAY, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGES = st.timedeltas(timedelta(0), timedelta(days=3))
TAKES = st.integers(0, 2 * MOST_TAKES)


@pytest.mark.parametrize(
    ("state", "age", "takes", "expected"),
    [
        (State.WAITING, timedelta(0), 0, Verdict.TAKE),
        (State.WAITING, PAUSE / 2, 1, Verdict.LEAVE),
        (State.WAITING, PAUSE, 1, Verdict.TAKE),
        (State.WORKING, LEASE - timedelta(seconds=1), 1, Verdict.LEAVE),
        (State.WORKING, LEASE, 1, Verdict.TAKE),
        (State.WORKING, LEASE, MOST_TAKES, Verdict.GIVE_UP),
        (State.DONE, timedelta(days=3), 1, Verdict.LEAVE),
    ],
)
def test_a_job_is_taken_that_nobody_works_on(state: State, age: timedelta, takes: int, expected: Verdict) -> None:
    assert verdict(state, NOW - age, takes, NOW) is expected


@given(st.sampled_from(State), AGES, TAKES)
def test_a_job_that_is_over_or_waits_for_a_person_is_left_alone(state: State, age: timedelta, takes: int) -> None:
    if state not in UNDER_WAY:
        assert verdict(state, NOW - age, takes, NOW) is Verdict.LEAVE


@given(AGES, TAKES)
def test_a_worker_that_was_heard_within_the_lease_keeps_its_job(age: timedelta, takes: int) -> None:
    if age < LEASE:
        assert verdict(State.WORKING, NOW - age, takes, NOW) is Verdict.LEAVE


@given(st.sampled_from(State), AGES, TAKES)
def test_what_may_be_taken_now_may_be_taken_later_too(state: State, age: timedelta, takes: int) -> None:
    now, later = (verdict(state, NOW - age, takes, at) for at in (NOW, NOW + timedelta(hours=1)))

    assert now is Verdict.LEAVE or later is now


@given(AGES, TAKES)
def test_no_job_is_begun_for_ever(age: timedelta, takes: int) -> None:
    if takes >= MOST_TAKES:
        assert verdict(State.WORKING, NOW - age, takes, NOW) is not Verdict.TAKE
