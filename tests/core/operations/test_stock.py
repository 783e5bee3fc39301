from typing import Any, cast

import pytest
from sqlalchemy import text

from inventory_core import (
    MAX_QUANTITY,
    CountConflict,
    InsufficientStock,
    InvalidInput,
    Inventory,
    LocationNotFound,
    ProductNotFound,
    ProductRetired,
    QuantityLimit,
    StockChange,
    change_quantity,
)
from inventory_core.catalog.products import retire_product
from inventory_core.stock.operations import count, issue, receive, transfer
from inventory_core.testing import counted_statements, create_location, create_product, new_request
from inventory_core.verification import verify


def test_receive_adds_to_the_default_location(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    change = receive(inventory, code="a-1", quantity=3, reason=" compra\n12 ", **new_request())

    assert change == StockChange("A-1", "receive", "Principal", 5, 8, 8, change.movement_ids)
    assert movements(inventory)[-1] == ("receive", 3, 8, "compra 12", "test")
    assert verify(inventory).faults == ()


def test_issue_takes_at_most_the_balance(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    assert issue(inventory, code="A-1", quantity=5, **new_request()).quantity == 0
    with pytest.raises(InsufficientStock) as caught:
        issue(inventory, code="A-1", quantity=1, **new_request())

    assert (caught.value.available, caught.value.requested) == (0, 1)
    assert len(movements(inventory)) == 2


def test_stock_of_one_location_cannot_be_issued_from_another(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5)

    with pytest.raises(InsufficientStock):
        issue(inventory, code="A-1", quantity=1, location="sotano", **new_request())


def test_a_transfer_moves_stock_with_two_movements_and_keeps_the_total(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5)

    change = transfer(inventory, code="A-1", quantity=2, source=None, target="SOTANO", **new_request())

    assert (change.location, change.before, change.quantity, change.total) == ("Sótano", 0, 2, 5)
    assert [movement[:3] for movement in movements(inventory)[1:]] == [("transfer", -2, 3), ("transfer", 2, 2)]
    assert verify(inventory).faults == ()


def test_a_transfer_to_the_same_location_is_refused(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    with pytest.raises(InvalidInput) as caught:
        transfer(inventory, code="A-1", quantity=2, source="principal", target=None, **new_request())

    assert [(fault.field, fault.reason) for fault in caught.value.faults] == [("target", "same")]


def test_a_count_sets_the_balance_and_a_confirming_one_writes_a_movement_of_zero(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    count(inventory, code="A-1", quantity=3, expected=5, **new_request())
    count(inventory, code="A-1", quantity=3, expected=3, **new_request())

    assert [movement[:3] for movement in movements(inventory)[1:]] == [("count", -2, 3), ("count", 0, 3)]
    assert verify(inventory).faults == ()


def test_a_count_of_nothing_where_nothing_ever_lay_confirms_that(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    assert count(inventory, code="A-1", quantity=0, expected=0, **new_request()).total == 0
    assert verify(inventory).faults == ()


def test_a_count_based_on_an_old_quantity_reports_both_and_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    with pytest.raises(CountConflict) as caught:
        count(inventory, code="A-1", quantity=3, expected=4, **new_request())

    assert (caught.value.expected, caught.value.current) == (4, 5)
    assert len(movements(inventory)) == 1


def test_one_more_and_one_less_receive_and_issue(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    assert change_quantity(inventory, code="A-1", delta=1, **new_request()).kind == "receive"
    assert change_quantity(inventory, code="A-1", delta=-2, expected=6, **new_request()).quantity == 4
    with pytest.raises(CountConflict):
        change_quantity(inventory, code="A-1", delta=-1, expected=6, **new_request())


def test_receive_up_to_the_largest_quantity(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=MAX_QUANTITY)

    with pytest.raises(QuantityLimit):
        receive(inventory, code="A-1", quantity=1, **new_request())
    with pytest.raises(QuantityLimit):
        receive(inventory, code="A-1", quantity=1, location="Sótano", **new_request())

    assert verify(inventory).faults == ()


@pytest.mark.parametrize("name", ["", "\ud800", "\x00", "x" * 10_000])
def test_receive_refuses_impossible_names_as_unknown(inventory: Inventory, name: str) -> None:
    create_product(inventory, "A-1")

    with pytest.raises(ProductNotFound):
        receive(inventory, code=name, quantity=1, **new_request())
    with pytest.raises(LocationNotFound):
        receive(inventory, code="A-1", quantity=1, location=name, **new_request())


def test_receive_names_unknown_products_and_locations(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    with pytest.raises(ProductNotFound, match="'B-1'"):
        receive(inventory, code="B-1", quantity=1, **new_request())
    with pytest.raises(LocationNotFound, match="'Tejado'"):
        receive(inventory, code="A-1", quantity=1, location="Tejado", **new_request())


def test_receive_issue_transfer_and_count_refuse_a_retired_product(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5)
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(ProductRetired):
        receive(inventory, code="A-1", quantity=1, **new_request())
    with pytest.raises(ProductRetired):
        issue(inventory, code="A-1", quantity=1, **new_request())
    with pytest.raises(ProductRetired):
        count(inventory, code="A-1", quantity=1, expected=5, **new_request())
    with pytest.raises(ProductRetired):
        transfer(inventory, code="A-1", quantity=1, source=None, target="Sótano", **new_request())

    assert len(movements(inventory)) == 1


@pytest.mark.parametrize("quantity", [1.5, "1", True, None])
def test_receive_refuses_a_quantity_of_a_wrong_type(inventory: Inventory, quantity: object) -> None:
    create_product(inventory, "A-1", quantity=5)

    with pytest.raises(InvalidInput) as caught:
        receive(inventory, code="A-1", quantity=cast("Any", quantity), **new_request())

    assert [(fault.field, fault.reason) for fault in caught.value.faults] == [("quantity", "not_whole")]
    assert len(movements(inventory)) == 1


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, 10**30])
def test_receive_reports_an_invalid_amount_with_every_other_fault(inventory: Inventory, quantity: int) -> None:
    create_product(inventory, "A-1", quantity=5)

    with pytest.raises(InvalidInput) as caught:
        receive(inventory, code="A-1", quantity=quantity, reason="r" * 201, actor="", operation="a b")

    assert [fault.field for fault in caught.value.faults] == ["quantity", "operation", "actor", "reason"]
    assert len(movements(inventory)) == 1


def test_receive_issue_transfer_and_count_take_a_constant_number_of_statements(inventory: Inventory) -> None:
    """One to claim the operation, two to lock and read, two to change, one for the movement, one for the result."""
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5)
    costs = {}
    with counted_statements() as statements:
        receive(inventory, code="A-1", quantity=3, **new_request())
        costs["receive"] = len(statements)
        issue(inventory, code="A-1", quantity=3, **new_request())
        costs["issue"] = len(statements) - sum(costs.values())
        count(inventory, code="A-1", quantity=3, expected=5, **new_request())
        costs["count"] = len(statements) - sum(costs.values())
        transfer(inventory, code="A-1", quantity=1, source=None, target="Sótano", **new_request())
        costs["transfer"] = len(statements) - sum(costs.values())

    assert costs == {"receive": 7, "issue": 7, "count": 7, "transfer": 10}


def movements(inventory: Inventory) -> list[tuple[object, ...]]:
    with inventory.sessions.reader() as session:
        statement = "SELECT kind, quantity, balance_after, reason, actor FROM inventory_movement ORDER BY id"
        return [tuple(row) for row in session.execute(text(statement))]
