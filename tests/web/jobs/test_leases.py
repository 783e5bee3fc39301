"""Who may work on a job: decided without a database, and the same by a statement."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_web.jobs.models import ACTIVE_STATES, JobState
from inventory_web.jobs.queue import LEASE, MAX_ATTEMPTS, RETRY_DELAY, ClaimDecision, decide_claim

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGES = st.timedeltas(timedelta(0), timedelta(days=3))
ATTEMPTS = st.integers(0, 2 * MAX_ATTEMPTS)


@pytest.mark.parametrize(
    ("state", "age", "attempts", "expected"),
    [
        (JobState.WAITING, timedelta(0), 0, ClaimDecision.TAKE),
        (JobState.WAITING, RETRY_DELAY / 2, 1, ClaimDecision.LEAVE),
        (JobState.WAITING, RETRY_DELAY, 1, ClaimDecision.TAKE),
        (JobState.WORKING, LEASE - timedelta(seconds=1), 1, ClaimDecision.LEAVE),
        (JobState.WORKING, LEASE, 1, ClaimDecision.TAKE),
        (JobState.WORKING, LEASE, MAX_ATTEMPTS, ClaimDecision.ABANDON),
        (JobState.DONE, timedelta(days=3), 1, ClaimDecision.LEAVE),
    ],
)
def test_a_job_without_a_worker_is_claimed(
    state: JobState, age: timedelta, attempts: int, expected: ClaimDecision
) -> None:
    assert decide_claim(state, NOW - age, attempts, NOW) is expected


@given(st.sampled_from(JobState), AGES, ATTEMPTS)
def test_a_job_that_is_over_or_waits_for_a_person_is_left_alone(state: JobState, age: timedelta, attempts: int) -> None:
    if state not in ACTIVE_STATES:
        assert decide_claim(state, NOW - age, attempts, NOW) is ClaimDecision.LEAVE


@given(AGES, ATTEMPTS)
def test_a_worker_that_was_heard_within_the_lease_keeps_its_job(age: timedelta, attempts: int) -> None:
    if age < LEASE:
        assert decide_claim(JobState.WORKING, NOW - age, attempts, NOW) is ClaimDecision.LEAVE


@given(st.sampled_from(JobState), AGES, ATTEMPTS)
def test_what_may_be_taken_now_may_be_taken_later_too(state: JobState, age: timedelta, attempts: int) -> None:
    now, later = (decide_claim(state, NOW - age, attempts, at) for at in (NOW, NOW + timedelta(hours=1)))

    assert now is ClaimDecision.LEAVE or later is now


@given(AGES, ATTEMPTS)
def test_no_job_is_begun_for_ever(age: timedelta, attempts: int) -> None:
    if attempts >= MAX_ATTEMPTS:
        assert decide_claim(JobState.WORKING, NOW - age, attempts, NOW) is not ClaimDecision.TAKE
