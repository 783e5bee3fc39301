"""Who may work on a job: decided without a database, and the same by a statement."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_web.jobs.models import ACTIVE_STATES, JobState
from inventory_web.jobs.queue import LEASE, MAX_TAKES, RETRY_DELAY, ClaimDecision, decide_claim

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGES = st.timedeltas(timedelta(0), timedelta(days=3))
TAKES = st.integers(0, 2 * MAX_TAKES)


@pytest.mark.parametrize(
    ("state", "age", "takes", "expected"),
    [
        (JobState.WAITING, timedelta(0), 0, ClaimDecision.TAKE),
        (JobState.WAITING, RETRY_DELAY / 2, 1, ClaimDecision.LEAVE),
        (JobState.WAITING, RETRY_DELAY, 1, ClaimDecision.TAKE),
        (JobState.WORKING, LEASE - timedelta(seconds=1), 1, ClaimDecision.LEAVE),
        (JobState.WORKING, LEASE, 1, ClaimDecision.TAKE),
        (JobState.WORKING, LEASE, MAX_TAKES, ClaimDecision.GIVE_UP),
        (JobState.DONE, timedelta(days=3), 1, ClaimDecision.LEAVE),
    ],
)
def test_a_job_without_a_worker_is_claimed(
    state: JobState, age: timedelta, takes: int, expected: ClaimDecision
) -> None:
    assert decide_claim(state, NOW - age, takes, NOW) is expected


@given(st.sampled_from(JobState), AGES, TAKES)
def test_a_job_that_is_over_or_waits_for_a_person_is_left_alone(state: JobState, age: timedelta, takes: int) -> None:
    if state not in ACTIVE_STATES:
        assert decide_claim(state, NOW - age, takes, NOW) is ClaimDecision.LEAVE


@given(AGES, TAKES)
def test_a_worker_that_was_heard_within_the_lease_keeps_its_job(age: timedelta, takes: int) -> None:
    if age < LEASE:
        assert decide_claim(JobState.WORKING, NOW - age, takes, NOW) is ClaimDecision.LEAVE


@given(st.sampled_from(JobState), AGES, TAKES)
def test_what_may_be_taken_now_may_be_taken_later_too(state: JobState, age: timedelta, takes: int) -> None:
    now, later = (decide_claim(state, NOW - age, takes, at) for at in (NOW, NOW + timedelta(hours=1)))

    assert now is ClaimDecision.LEAVE or later is now


@given(AGES, TAKES)
def test_no_job_is_begun_for_ever(age: timedelta, takes: int) -> None:
    if takes >= MAX_TAKES:
        assert decide_claim(JobState.WORKING, NOW - age, takes, NOW) is not ClaimDecision.TAKE
