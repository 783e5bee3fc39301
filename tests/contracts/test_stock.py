"""Every change of a quantity, what it leaves in the ledger, and what it refuses."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory_core import (
    MAX_QUANTITY,
    CannotUndo,
    CountConflict,
    InsufficientStock,
    Inventory,
    LocationNotFound,
    OperationReused,
    QuantityLimit,
    change_quantity,
)
from inventory_core.queries.movements import movement_history
from inventory_core.queries.products import get_product
from inventory_core.stock.operations import count, issue, receive, transfer, undo_movement
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify
from tests.contracts.at_once import at_once
from tests.contracts.conftest import MakeInventory


@pytest.fixture
def shop(inventory: Inventory) -> Inventory:
    """One product, ten of it in the default place and none in the other."""
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", name="Mesa", quantity=10)
    return inventory


def test_receive_issue_transfer_count_and_undo_leave_a_movement(shop: Inventory) -> None:
    receive(shop, code="a-1", quantity=5, reason="compra «ñ» 😀", **new_request())
    issue(shop, code="A-1", quantity=2, **new_request())
    moved = transfer(shop, code="A-1", quantity=4, source="principal", target="sotano", **new_request())
    counted = count(shop, code="A-1", quantity=7, expected=9, **new_request())
    confirmed = count(shop, code="A-1", quantity=7, expected=7, **new_request())
    change_quantity(shop, code="A-1", delta=-1, expected=7, **new_request())
    undone = undo_movement(shop, movement_id=moved.movement_ids[0], **new_request())

    history = movement_history(shop, code="A-1").rows
    reported = [(row.kind, row.location, row.quantity, row.balance_after) for row in reversed(history)]
    assert reported[:-2] == [
        ("receive", "Principal", 10, 10),
        ("receive", "Principal", 5, 15),
        ("issue", "Principal", -2, 13),
        ("transfer", "Principal", -4, 9),
        ("transfer", "Sótano", 4, 4),
        ("count", "Principal", -2, 7),
        ("count", "Principal", 0, 7),
        ("issue", "Principal", -1, 6),
    ]
    assert set(reported[-2:]) == {("undo", "Principal", 4, 10), ("undo", "Sótano", -4, 0)}
    assert (counted.before, counted.quantity, confirmed.quantity, undone.total) == (9, 7, 7, 10)
    assert history[-2].reason == "compra «ñ» 😀"
    assert [row.undone for row in history if row.kind == "transfer"] == [True, True]
    assert get_product(shop, "A-1").balances == (("Principal", 10), ("Sótano", 0))
    assert verify(shop).faults == ()


def test_receive_issue_transfer_and_count_refuse_with_the_values_and_change_nothing(shop: Inventory) -> None:
    with pytest.raises(InsufficientStock) as lacking:
        issue(shop, code="A-1", quantity=11, **new_request())
    with pytest.raises(InsufficientStock):
        transfer(shop, code="A-1", quantity=1, source="Sótano", target=None, **new_request())
    with pytest.raises(CountConflict) as other:
        count(shop, code="A-1", quantity=3, expected=9, **new_request())
    with pytest.raises(LocationNotFound):
        receive(shop, code="A-1", quantity=1, location="Ático", **new_request())
    with pytest.raises(QuantityLimit):
        receive(shop, code="A-1", quantity=MAX_QUANTITY, **new_request())

    assert (lacking.value.available, lacking.value.requested) == (10, 11)
    assert (other.value.expected, other.value.current) == (9, 10)
    assert len(movement_history(shop).rows) == 1
    assert verify(shop).faults == ()


def test_undo_works_once(shop: Inventory) -> None:
    received = receive(shop, code="A-1", quantity=5, **new_request()).movement_ids[0]

    def undo(_: int) -> str:
        try:
            undo_movement(shop, movement_id=received, **new_request())
        except CannotUndo as refusal:
            return refusal.reason
        return "undone"

    assert sorted(at_once(6, undo)) == ["already_undone"] * 5 + ["undone"]
    assert get_product(shop, "A-1").row.total == 10


def test_receive_and_issue_with_an_operation_id_keep_their_first_answer(shop: Inventory) -> None:
    request = new_request()
    first = issue(shop, code="A-1", quantity=1, reason="«venta»", **request)
    receive(shop, code="A-1", quantity=5, **new_request())

    assert issue(shop, code="A-1", quantity=1, reason="«venta»", **request) == first
    with pytest.raises(OperationReused):
        issue(shop, code="A-1", quantity=2, reason="«venta»", **request)
    with pytest.raises(OperationReused):
        receive(shop, code="A-1", quantity=1, reason="«venta»", **request)
    assert get_product(shop, "A-1").row.total == 14


def test_issue_with_operation_ids_that_differ_in_case_is_done_twice(shop: Inventory) -> None:
    for operation in ("order-1", "ORDER-1", "Order-1"):
        issue(shop, code="A-1", quantity=1, actor="test", operation=operation)

    assert get_product(shop, "A-1").row.total == 7
    assert len(movement_history(shop, operation="ORDER-1").rows) == 1


def test_issue_on_two_instances_at_once_with_one_operation_id_is_done_once(
    shop: Inventory, make_inventory: MakeInventory
) -> None:
    instances, request = (shop, make_inventory()), new_request()

    answers = at_once(8, lambda which: issue(instances[which % 2], code="A-1", quantity=1, **request))

    assert len(set(answers)) == 1
    assert get_product(shop, "A-1").row.total == 9


def test_issue_that_is_refused_leaves_its_operation_id_free(shop: Inventory) -> None:
    request = new_request()
    with pytest.raises(InsufficientStock):
        issue(shop, code="A-1", quantity=11, **request)
    receive(shop, code="A-1", quantity=5, **new_request())

    assert issue(shop, code="A-1", quantity=11, **request).total == 4


@pytest.mark.parametrize("microsecond", [0, 1, 499_999, 999_999])
def test_times_are_kept_to_the_microsecond_in_utc(
    shop: Inventory, make_inventory: MakeInventory, microsecond: int
) -> None:
    moment = datetime(2026, 10, 25, 2, 30, 59, microsecond, UTC)
    receive(make_inventory(clock=lambda: moment), code="A-1", quantity=1, **new_request())

    stored = (movement_history(shop).rows[0].at, get_product(shop, "A-1").row.changed_at)
    assert stored == (moment, moment)
    assert all(each.utcoffset() == timedelta(0) for each in stored)


def test_cursor_reads_movements_page_by_page(shop: Inventory) -> None:
    for _ in range(6):
        receive(shop, code="A-1", quantity=1, **new_request())

    seen, after = [], None
    while True:
        page = movement_history(shop, after=after, size=3)
        seen += [row.balance_after for row in page.rows]
        after = page.next
        if after is None:
            break

    assert seen == [16, 15, 14, 13, 12, 11, 10]
