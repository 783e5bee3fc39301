from datetime import UTC

import pytest

from inventory_core import Cursor, InvalidInput, Inventory, ProductNotFound, edit_product, new_operation_id
from inventory_core.queries.movements import MovementRow, movement_history
from inventory_core.rules.products import ProductDraft
from inventory_core.stock.operations import issue, receive, transfer, undo_movement
from inventory_core.testing import ACTOR, counted_statements, create_location, create_product, new_request


def brief(rows: tuple[MovementRow, ...]) -> list[tuple[str, str, int, int]]:
    return [(row.code, row.kind, row.quantity, row.balance_after) for row in rows]


def test_movements_of_receive_and_issue_come_latest_first(inventory: Inventory) -> None:
    for code in ("A", "B"):
        create_product(inventory, code, quantity=5)
    issue(inventory, code="A", quantity=2, reason="sold", **new_request())

    assert brief(movement_history(inventory).rows) == [
        ("A", "issue", -2, 3),
        ("B", "receive", 5, 5),
        ("A", "receive", 5, 5),
    ]
    assert brief(movement_history(inventory, code=" a ").rows) == [("A", "issue", -2, 3), ("A", "receive", 5, 5)]


def test_a_movement_reports_who_when_where_and_why(inventory: Inventory) -> None:
    create_product(inventory, "A", name="Taza", quantity=5)
    operation = new_operation_id()
    issue(inventory, code="A", quantity=2, reason="sold", actor="eva", operation=operation)
    row = movement_history(inventory, operation=operation).rows[0]

    assert (row.name, row.location, row.reason, row.actor, row.operation_id) == (
        "Taza",
        "Principal",
        "sold",
        "eva",
        operation,
    )
    assert (row.undoes_id, row.undone, row.at.tzinfo) == (None, False, UTC)


def test_operation_of_a_transfer_is_shown_with_all_its_movements(inventory: Inventory) -> None:
    create_product(inventory, "A", quantity=5)
    create_location(inventory, "Sótano")
    operation = new_operation_id()
    transfer(inventory, code="A", quantity=2, source="Principal", target="Sótano", actor=ACTOR, operation=operation)
    rows = movement_history(inventory, operation=operation).rows

    assert sorted((row.location, row.quantity) for row in rows) == [("Principal", -2), ("Sótano", 2)]
    assert movement_history(inventory, operation="never").rows == ()
    assert movement_history(inventory, operation="\ud800").rows == ()


def test_a_movement_that_was_undone_says_so(inventory: Inventory) -> None:
    create_product(inventory, "A", quantity=5)
    received = receive(inventory, code="A", quantity=1, **new_request()).movement_ids[0]
    undo_movement(inventory, movement_id=received, **new_request())

    assert [(row.kind, row.undone, row.undoes_id) for row in movement_history(inventory).rows] == [
        ("undo", False, received),
        ("receive", True, None),
        ("receive", False, None),
    ]


def test_cursor_of_movements_stays_valid_while_others_receive(inventory: Inventory) -> None:
    create_product(inventory, "A", quantity=1)
    ids = [receive(inventory, code="A", quantity=1, **new_request()).movement_ids[0] for _ in range(6)]
    seen: list[int] = []
    after: Cursor | None = Cursor(None, ids[-1] + 1)
    while after is not None:
        page = movement_history(inventory, code="A", after=after, size=2)
        receive(inventory, code="A", quantity=1, **new_request())
        seen += [row.id for row in page.rows]
        after = page.next

    assert seen == [*reversed(ids), ids[0] - 1]


def test_a_product_with_a_changed_code_keeps_its_history(inventory: Inventory) -> None:
    saved = create_product(inventory, "OLD", quantity=5)
    edit_product(
        inventory, code="OLD", draft=ProductDraft("NEW", "Taza"), expected_version=saved.version, **new_request()
    )

    assert [(row.code, row.name) for row in movement_history(inventory, code="NEW").rows] == [("NEW", "Taza")]
    with pytest.raises(ProductNotFound):
        movement_history(inventory, code="OLD")


def test_page_of_movements_with_receive_and_undo_takes_one_statement(inventory: Inventory) -> None:
    create_product(inventory, "A", quantity=5)
    for _ in range(3):
        received = receive(inventory, code="A", quantity=1, **new_request()).movement_ids[0]
        undo_movement(inventory, movement_id=received, **new_request())
    with counted_statements() as statements:
        rows = movement_history(inventory).rows

    assert (len(statements), len(rows)) == (1, 7)


@pytest.mark.parametrize(("size", "fault"), [(0, "size: zero"), (-1, "size: negative"), (501, "size: too_large")])
def test_a_size_out_of_bounds_is_refused(inventory: Inventory, size: int, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        movement_history(inventory, size=size)
