import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from inventory_core.rules.reports import PastQuantity, past_quantities

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def hours(count: int) -> datetime:
    return BEGIN + timedelta(hours=count)


def test_what_there_was_is_found_backwards_from_what_there_is() -> None:
    changes = [(hours(30), -4), (hours(20), 3), (hours(10), 5)]

    assert past_quantities(6, changes, BEGIN) == (
        PastQuantity(BEGIN, 2),
        PastQuantity(hours(10), 7),
        PastQuantity(hours(20), 10),
        PastQuantity(hours(30), 6),
    )


def test_what_is_older_than_the_begin_is_not_reported_and_not_taken_back() -> None:
    assert past_quantities(6, [(hours(1), 1), (hours(-1), 5)], BEGIN) == (
        PastQuantity(BEGIN, 5),
        PastQuantity(hours(1), 6),
    )


def test_a_transfer_and_a_count_that_confirms_are_no_step() -> None:
    changes = [(hours(5), 0), (hours(3), 4), (hours(3), -4)]

    assert past_quantities(9, changes, BEGIN) == (PastQuantity(BEGIN, 9),)


def test_a_change_that_waited_for_an_earlier_one_counts_from_its_time_on() -> None:
    changes = [(hours(30), -4), (hours(5), 3), (hours(20), 6), (hours(2), 1)]

    assert past_quantities(6, changes, BEGIN) == (
        PastQuantity(BEGIN, 0),
        PastQuantity(hours(2), 1),
        PastQuantity(hours(20), 10),
        PastQuantity(hours(30), 6),
    )


def test_a_late_change_with_a_time_before_the_begin_hides_none_that_came_after_it() -> None:
    assert past_quantities(9, [(hours(-1), 2), (hours(3), 4)], BEGIN) == (
        PastQuantity(BEGIN, 3),
        PastQuantity(hours(3), 9),
    )


@given(st.lists(st.tuples(st.integers(-9, 50), st.integers(-5, 9)), max_size=40))
def test_changes_in_any_order_of_time_lead_to_what_there_is_in_order_of_time(moves: list[tuple[int, int]]) -> None:
    found = past_quantities(9, [(hours(hour), change) for hour, change in moves], BEGIN)

    assert found[-1].quantity == 9
    assert found[0].since == BEGIN
    assert [step.since for step in found] == sorted({step.since for step in found})


def test_without_changes_there_is_one_quantity() -> None:
    assert past_quantities(0, [], BEGIN) == (PastQuantity(BEGIN, 0),)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 9)), max_size=40), st.integers(0, 50))
def test_going_forward_again_leads_to_what_there_is(moves: list[tuple[int, int]], now: int) -> None:
    changes = [(hours(hour), change) for hour, change in sorted(moves, reverse=True)]

    found = past_quantities(now, changes, BEGIN)

    assert found[-1].quantity == now
    assert found[0].quantity == now - sum(change for at, change in changes if at > BEGIN)
    assert [step.since for step in found] == sorted({step.since for step in found})
    assert all(one.quantity != other.quantity for one, other in itertools.pairwise(found))
