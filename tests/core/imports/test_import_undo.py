import pytest

from inventory_core import (
    CannotUndo,
    ImportUndone,
    InsufficientStock,
    Inventory,
    MovementNotFound,
    ProductDraft,
    ProductRetired,
    edit_product,
    undo_import,
)
from inventory_core.catalog.products import retire_product
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import count_products, get_product
from inventory_core.rules.stock import Status
from inventory_core.stock.operations import issue, receive, undo_movement
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.core.imports.files import Rows, import_rows
from tests.core.imports.stored import balances, contents

pytestmark = pytest.mark.usefixtures("parse_here")

HEADER = ["code", "name", "description", "category", "minimum", "quantity"]
ROWS = [HEADER, ["A-1", "Red chair", "red", "Jardín", "9", "8"], ["B-1", "Table", "", "", "1", "4"]]


def chair(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", description="plain", category="Hogar", minimum=2, quantity=5)


def undo(inventory: Inventory, operation: str) -> ImportUndone:
    return undo_import(inventory, import_operation=operation, **new_request())


def fields(inventory: Inventory, code: str) -> tuple[object, ...]:
    row = get_product(inventory, code).row
    return row.name, row.description, row.category, row.minimum, row.total, row.retired


def refusal(inventory: Inventory, operation: str) -> tuple[str, str]:
    before = contents(inventory)
    with pytest.raises(CannotUndo) as caught:
        undo(inventory, operation)

    assert contents(inventory) == before
    return caught.value.reason, caught.value.product_code


def test_an_undo_restores_fields_and_quantities_and_retires_what_was_created(inventory: Inventory) -> None:
    chair(inventory)
    earlier = fields(inventory, "A-1")
    result = import_rows(inventory, ROWS)

    undone = undo(inventory, result.operation)

    assert undone == ImportUndone(products=2, movements=2)
    assert fields(inventory, "A-1") == earlier
    assert fields(inventory, "B-1") == ("Table", "", None, 1, 0, True)
    assert count_products(inventory, ProductFilter(search="jardin")).number == 0
    assert count_products(inventory, ProductFilter(search="plain hogar")).number == 1
    assert verify(inventory).faults == ()


def test_the_movements_of_an_undo_name_those_that_they_take_back(inventory: Inventory) -> None:
    chair(inventory)
    result = import_rows(inventory, ROWS)
    undo(inventory, result.operation)

    with inventory.sessions.reader() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT undoing.quantity, undone.quantity, undoing.kind FROM inventory_movement AS undoing "
            "JOIN inventory_movement AS undone ON undone.id = undoing.undoes_id ORDER BY undoing.id"
        )
        assert [tuple(row) for row in rows] == [(-3, 3, "undo"), (-4, 4, "undo")]


def test_the_file_can_be_imported_again_after_an_undo(inventory: Inventory) -> None:
    chair(inventory)
    undo(inventory, import_rows(inventory, ROWS).operation)

    again = import_rows(inventory, ROWS)

    assert (again.created, again.restored, again.updated, again.stock_changes) == (0, 1, 1, 2)
    assert fields(inventory, "B-1") == ("Table", "", None, 1, 4, False)
    assert undo(inventory, again.operation) == ImportUndone(products=2, movements=2)
    assert get_product(inventory, "B-1").row.retired
    assert verify(inventory).faults == ()


def test_the_same_undo_operation_returns_its_first_result(inventory: Inventory) -> None:
    result = import_rows(inventory, ROWS)
    request = new_request()

    first = undo_import(inventory, import_operation=result.operation, **request)

    assert undo_import(inventory, import_operation=result.operation, **request) == first


def test_an_import_is_undone_once(inventory: Inventory) -> None:
    chair(inventory)
    for rows in (ROWS, [["code", "name"], ["N-1", "Without quantity"]]):
        operation = import_rows(inventory, rows).operation
        undo(inventory, operation)

        assert refusal(inventory, operation) == ("already_undone", "")


def test_an_import_that_changed_nothing_cannot_be_undone(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, [["code", "name"], ["A-1", "Chair"]]).operation

    assert refusal(inventory, operation) == ("changed_nothing", "")


def test_what_is_not_an_import_is_not_found(inventory: Inventory) -> None:
    chair(inventory)
    request = new_request()
    receive(inventory, code="A-1", quantity=1, **request)

    for operation in ("never", request["operation"]):
        with pytest.raises(MovementNotFound):
            undo(inventory, operation)


def test_a_product_that_was_edited_since_refuses_the_whole_undo(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, ROWS).operation
    edit_product(inventory, code="A-1", draft=ProductDraft("A-1", "Blue chair"), expected_version=2, **new_request())

    assert refusal(inventory, operation) == ("edited_since", "A-1")


def test_stock_that_is_gone_refuses_the_whole_undo(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, ROWS).operation
    issue(inventory, code="B-1", quantity=1, **new_request())
    before = contents(inventory)

    with pytest.raises(InsufficientStock) as caught:
        undo(inventory, operation)

    assert (caught.value.product_code, caught.value.available, caught.value.requested) == ("B-1", 3, 4)
    assert contents(inventory) == before


def test_a_created_product_that_holds_other_stock_by_now_refuses_the_undo(inventory: Inventory) -> None:
    operation = import_rows(inventory, ROWS).operation
    receive(inventory, code="B-1", quantity=1, **new_request())

    assert refusal(inventory, operation) == ("edited_since", "B-1")


def test_stock_that_moved_since_stays_moved(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, ROWS[:2]).operation
    receive(inventory, code="A-1", quantity=10, **new_request())

    undo(inventory, operation)

    assert balances(inventory) == {("A-1", "Principal"): 15}


def test_a_movement_that_was_undone_alone_is_left_out(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, ROWS).operation
    with inventory.sessions.reader() as session:
        statement = "SELECT id FROM inventory_movement WHERE operation_id = ? ORDER BY id"
        [first, _] = session.connection().exec_driver_sql(statement, (operation,)).scalars().all()
    undo_movement(inventory, movement_id=first, **new_request())

    assert undo(inventory, operation) == ImportUndone(products=2, movements=1)
    assert balances(inventory) == {("A-1", "Principal"): 5, ("B-1", "Principal"): 0}
    assert verify(inventory).faults == ()


def test_a_product_of_a_stock_file_that_was_retired_since_refuses_the_undo(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, [["code", "location", "quantity"], ["A-1", "Taller", "3"]]).operation
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(ProductRetired):
        undo(inventory, operation)


def test_that_a_product_is_retired_is_reported_before_what_it_lacks(inventory: Inventory) -> None:
    chair(inventory)
    operation = import_rows(inventory, [["code", "location", "quantity"], ["A-1", "Taller", "3"]]).operation
    issue(inventory, code="A-1", quantity=1, location="Taller", **new_request())
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(ProductRetired):
        undo(inventory, operation)


@pytest.mark.parametrize("was_retired", [True, False])
def test_an_undo_restores_the_state_with_the_quantity(inventory: Inventory, was_retired: bool) -> None:
    chair(inventory)
    if was_retired:
        retire_product(inventory, code="A-1", **new_request())
    earlier, retired_at = fields(inventory, "A-1"), contents(inventory, "product")
    rows: Rows = [["code", "name", "quantity", "retired"], ["A-1", "Chair", "9", "no" if was_retired else "yes"]]
    operation = import_rows(inventory, rows).operation

    undo(inventory, operation)

    assert fields(inventory, "A-1") == earlier
    assert contents(inventory, "product")["product"][0][-1] == retired_at["product"][0][-1]
    assert balances(inventory) == {("A-1", "Principal"): 5}
    assert verify(inventory).faults == ()


def test_a_product_that_was_created_as_retired_stays_retired(inventory: Inventory) -> None:
    rows = [["code", "name", "quantity", "retired"], ["A-1", "Chair", "9", "yes"]]

    undo(inventory, import_rows(inventory, rows).operation)

    assert fields(inventory, "A-1") == ("Chair", "", None, 0, 0, True)
    assert count_products(inventory, ProductFilter(status=Status.RETIRED)).number == 1
    assert verify(inventory).faults == ()


@pytest.mark.slow
def test_a_large_import_is_undone_in_portions_as_a_whole(inventory: Inventory) -> None:
    import_rows(inventory, [["code", "name"], *([f"K-{number}", "Known"] for number in range(0, 2_400, 2))])
    before = contents(inventory, "balance")
    rows = [["code", "name", "quantity"], *([f"K-{number}", f"Name {number}", "2"] for number in range(2_400))]
    operation = import_rows(inventory, rows).operation

    assert undo(inventory, operation) == ImportUndone(products=2_400, movements=2_400)
    assert sum(balances(inventory).values()) == 0
    assert before == {"balance": []}
    assert count_products(inventory, ProductFilter(), cap=10_000).number == 1_200
    assert verify(inventory).faults == ()
