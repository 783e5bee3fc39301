"""When a server is left alone and when it may return."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.config import BreakerPolicy
from inventory_replication.decisions.breaker import Breaker, BreakerState

POLICY = BreakerPolicy(failures_to_open=3, first_delay=1.0, max_delay=8.0, good_samples_to_close=2, calm_after=60.0)


def opened(now: float = 0.0, jitter: float = 1.0) -> Breaker:
    breaker = Breaker()
    for _ in range(POLICY.failures_to_open):
        breaker = breaker.after_failure(now, jitter, POLICY)
    return breaker


def test_a_new_breaker_admits() -> None:
    assert Breaker().admits


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    twice = Breaker().after_failure(0.0, 1.0, POLICY).after_failure(0.0, 1.0, POLICY)

    assert twice.admits
    assert not twice.after_failure(0.0, 1.0, POLICY).admits
    assert twice.after_success().after_failure(0.0, 1.0, POLICY).admits
    assert not twice.after_good_answer(0.0, 0.0, POLICY).after_failure(0.0, 1.0, POLICY).admits


def test_an_open_breaker_allows_a_probe_only_after_its_pause() -> None:
    breaker = opened(now=10.0)

    assert (breaker.state, breaker.retry_at) == (BreakerState.OPEN, 11.0)
    assert not breaker.may_probe(10.9)
    assert breaker.may_probe(11.0)
    assert Breaker().may_probe(0.0)


def test_successful_probes_after_the_pause_close_the_breaker() -> None:
    half = opened().after_good_answer(1.0, 1.1, POLICY)

    assert (half.state, half.admits, half.may_probe(1.1)) == (BreakerState.HALF_OPEN, False, True)
    assert half.after_good_answer(1.2, 1.3, POLICY).admits


def test_an_answer_to_a_question_from_before_the_end_of_the_pause_proves_nothing() -> None:
    breaker = opened()

    assert breaker.after_good_answer(0.9, 5.0, POLICY) == breaker


def test_a_unit_that_began_before_the_opening_does_not_close_it() -> None:
    assert opened().after_success() == opened()


def test_a_failed_probe_makes_the_next_pause_longer_up_to_the_limit() -> None:
    breaker, pauses = opened(), []
    for _ in range(6):
        pauses.append(breaker.retry_at)
        breaker = breaker.after_failure(breaker.retry_at, 1.0, POLICY)

    assert [later - earlier for earlier, later in zip([0.0, *pauses], pauses, strict=False)] == [
        1.0,
        2.0,
        4.0,
        8.0,
        8.0,
        8.0,
    ]


def test_a_server_that_is_away_for_days_is_still_probed() -> None:
    breaker = opened()
    for _ in range(3_000):
        breaker = breaker.after_failure(breaker.retry_at, 1.0, POLICY)
    last = breaker.retry_at

    assert breaker.after_failure(last, 1.0, POLICY).retry_at == last + POLICY.max_delay


def test_one_failure_while_half_open_opens_it_again() -> None:
    again = opened().after_good_answer(1.0, 1.0, POLICY).after_failure(1.5, 1.0, POLICY)

    assert (again.state, again.retry_at, again.good) == (BreakerState.OPEN, 3.5, 0)


def test_late_failures_of_units_under_way_do_not_lengthen_the_pause() -> None:
    assert opened().after_failure(0.5, 1.0, POLICY) == opened()


def test_a_server_that_flaps_pauses_longer_and_a_calm_time_forgives() -> None:
    closed = opened().after_good_answer(1.0, 1.0, POLICY).after_good_answer(2.0, 2.0, POLICY)
    soon = late = closed
    for _ in range(3):
        soon, late = soon.after_failure(10.0, 1.0, POLICY), late.after_failure(62.0, 1.0, POLICY)

    assert soon.retry_at == pytest.approx(12.0)
    assert late.retry_at == pytest.approx(63.0)


def test_the_dice_spread_the_pause_over_its_second_half() -> None:
    assert opened(jitter=0.0).retry_at == pytest.approx(0.5)
    assert opened(jitter=0.5).retry_at == pytest.approx(0.75)


events = st.lists(st.tuples(st.sampled_from(["failure", "success", "answer", "silence"]), st.floats(0, 3)), max_size=60)


@given(events)
def test_it_never_admits_again_without_enough_fresh_good_answers(script: list[tuple[str, float]]) -> None:
    breaker, now, fresh = Breaker(), 0.0, 0
    for event, pause in script:
        probed_at, now = now, now + pause
        before = breaker
        match event:
            case "failure":
                breaker = breaker.after_failure(now, 1.0, POLICY)
            case "success":
                breaker = breaker.after_success()
            case "answer":
                breaker = breaker.after_good_answer(probed_at, now, POLICY)
            case _:
                pass
        if before.admits:
            fresh = 0
        elif event == "answer" and probed_at >= before.retry_at:
            fresh += 1
        elif breaker != before:
            fresh = 0

        if breaker.admits and not before.admits:
            assert fresh == POLICY.good_samples_to_close
        if breaker.state is BreakerState.OPEN:
            assert breaker.retry_at <= now + POLICY.max_delay
