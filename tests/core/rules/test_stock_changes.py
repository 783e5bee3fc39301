import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_core import MAX_QUANTITY, CannotUndo, CountConflict, InsufficientStock, ProductRetired, QuantityLimit
from inventory_core.rules.stock import (
    PastMovement,
    ProductState,
    StockAtLocation,
    amount_faults,
    compensation,
    plan_count,
    plan_entry,
    require_active,
    total_after,
)

QUANTITIES = st.integers(0, MAX_QUANTITY)
CHANGES = st.integers(-MAX_QUANTITY, MAX_QUANTITY).filter(bool)


def create_state(quantity: int = 0, *, retired: bool = False) -> ProductState:
    return ProductState(1, "A-1", "Mesa", quantity, 0, 1, retired=retired)


def create_place(quantity: int | None) -> StockAtLocation:
    return StockAtLocation(1, "Principal", quantity)


@given(st.none() | QUANTITIES, CHANGES)
def test_a_step_stays_within_the_bounds_or_is_refused(quantity: int | None, change: int) -> None:
    product, place = create_state(quantity or 0), create_place(quantity)
    if not 0 <= (quantity or 0) + change <= MAX_QUANTITY:
        with pytest.raises(InsufficientStock if change < 0 else QuantityLimit):
            plan_entry(product, place, change)
        return
    planned = plan_entry(product, place, change)

    assert 0 <= planned.after <= MAX_QUANTITY
    assert planned.after - planned.before == change


@given(QUANTITIES, QUANTITIES)
def test_a_count_ends_at_what_was_counted(before: int, counted: int) -> None:
    assert plan_count(create_state(before), create_place(before), counted, expected=before).after == counted


@given(QUANTITIES, QUANTITIES, QUANTITIES)
def test_a_count_on_another_quantity_reports_both(before: int, counted: int, expected: int) -> None:
    if expected == before:
        return
    with pytest.raises(CountConflict) as caught:
        plan_count(create_state(before), create_place(before), counted, expected)

    assert (caught.value.expected, caught.value.current) == (expected, before)


def test_a_refusal_for_lack_of_stock_reports_what_is_there_and_what_was_requested() -> None:
    with pytest.raises(InsufficientStock) as caught:
        plan_entry(create_state(5), create_place(2), -3)

    assert (caught.value.available, caught.value.requested, caught.value.location) == (2, 3, "Principal")


def test_the_total_of_all_places_has_the_same_limit_as_one() -> None:
    product = create_state(MAX_QUANTITY)

    with pytest.raises(QuantityLimit):
        total_after(product, (plan_entry(product, create_place(None), 1),))


def test_a_retired_product_does_not_change() -> None:
    with pytest.raises(ProductRetired):
        require_active(create_state(retired=True))


@pytest.mark.parametrize(
    ("amount", "reasons"), [(0, ["zero"]), (-1, ["negative"]), (1, []), (10**9 + 1, ["too_large"])]
)
def test_an_amount_to_move_is_at_least_one(amount: int, reasons: list[str]) -> None:
    assert [fault.reason for fault in amount_faults(amount)] == reasons


@given(st.dictionaries(st.integers(1, 9), CHANGES, min_size=1))
def test_a_compensation_brings_every_place_back(moved: dict[int, int]) -> None:
    legs = [PastMovement(place, "transfer", place, change, undone=False) for place, change in moved.items()]

    assert {place: moved[place] + change for place, (change, _) in compensation(legs, "A").items()} == dict.fromkeys(
        moved, 0
    )


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        (PastMovement(1, "undo", 1, 5, undone=False), "is_undo"),
        (PastMovement(1, "receive", 1, 5, undone=True), "already_undone"),
        (PastMovement(1, "count", 1, 0, undone=False), "changed_nothing"),
    ],
)
def test_what_cannot_be_taken_back_is_refused_with_its_reason(leg: PastMovement, reason: str) -> None:
    with pytest.raises(CannotUndo) as caught:
        compensation([leg], "A")

    assert caught.value.reason == reason
