import pytest

from inventory_core import CannotUndo, InsufficientStock, Inventory, MovementNotFound, ProductRetired, StockChange
from inventory_core.catalog.products import retire_product
from inventory_core.stock.operations import count, issue, receive, transfer, undo_movement
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify


def test_undo_writes_the_opposite_movement(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    (movement,) = issue(inventory, code="A-1", quantity=2, **new_request()).movement_ids

    undone = undo_movement(inventory, movement_id=movement, reason="error", **new_request())

    assert undone == StockChange("A-1", "undo", "Principal", 3, 5, 5, undone.movement_ids)
    assert verify(inventory).faults == ()


@pytest.mark.parametrize("half", [0, 1])
def test_undo_of_a_transfer_takes_both_halves_back(inventory: Inventory, half: int) -> None:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5)
    halves = transfer(inventory, code="A-1", quantity=2, source=None, target="Sótano", **new_request()).movement_ids

    undone = undo_movement(inventory, movement_id=halves[half], **new_request())
    with pytest.raises(CannotUndo) as caught:
        undo_movement(inventory, movement_id=halves[1 - half], **new_request())

    assert (undone.location, undone.quantity) == [("Principal", 5), ("Sótano", 0)][half]
    assert caught.value.reason == "already_undone"
    assert verify(inventory).faults == ()


def test_an_undo_cannot_be_taken_back(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    (movement,) = issue(inventory, code="A-1", quantity=2, **new_request()).movement_ids
    (undo,) = undo_movement(inventory, movement_id=movement, **new_request()).movement_ids

    with pytest.raises(CannotUndo) as caught:
        undo_movement(inventory, movement_id=undo, **new_request())

    assert caught.value.reason == "is_undo"


def test_undo_of_a_confirming_count_is_refused(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    (movement,) = count(inventory, code="A-1", quantity=5, expected=5, **new_request()).movement_ids

    with pytest.raises(CannotUndo) as caught:
        undo_movement(inventory, movement_id=movement, **new_request())

    assert caught.value.reason == "changed_nothing"


def test_undo_is_refused_if_the_stock_has_left(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    (movement,) = receive(inventory, code="A-1", quantity=5, **new_request()).movement_ids
    issue(inventory, code="A-1", quantity=3, **new_request())

    with pytest.raises(InsufficientStock) as caught:
        undo_movement(inventory, movement_id=movement, **new_request())

    assert (caught.value.available, caught.value.requested) == (2, 5)
    assert verify(inventory).faults == ()


def test_undo_is_refused_for_a_retired_product(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    (movement,) = receive(inventory, code="A-1", quantity=5, **new_request()).movement_ids
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(ProductRetired):
        undo_movement(inventory, movement_id=movement, **new_request())


def test_that_a_product_is_retired_is_reported_before_what_it_lacks(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    (movement,) = receive(inventory, code="A-1", quantity=5, **new_request()).movement_ids
    issue(inventory, code="A-1", quantity=1, **new_request())
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(ProductRetired):
        undo_movement(inventory, movement_id=movement, **new_request())


@pytest.mark.parametrize("movement", [0, 99, -1, 2**63 - 1])
def test_an_unknown_movement_is_named(inventory: Inventory, movement: int) -> None:
    with pytest.raises(MovementNotFound, match=str(movement)):
        undo_movement(inventory, movement_id=movement, **new_request())
