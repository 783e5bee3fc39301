import pytest

from inventory_core import Inventory, preview_import
from inventory_core.catalog.products import retire_product
from inventory_core.queries.products import get_product
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.core.imports.files import import_rows, table_of
from tests.core.imports.stored import balances, contents

pytestmark = pytest.mark.usefixtures("parse_here")

HEADER = ["code", "location", "quantity"]


def test_a_row_sets_the_balance_of_one_product_in_one_place(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    create_product(inventory, "A-2")

    result = import_rows(inventory, [HEADER, ["a-1", "Principal", "3"], ["A-1", "Taller", "4"], ["A-2", "taller", "1"]])

    assert balances(inventory) == {("A-1", "Principal"): 3, ("A-1", "Taller"): 4, ("A-2", "Taller"): 1}
    assert (result.kind, result.stock_changes, result.new_locations) == ("stock", 3, ("Taller",))
    assert get_product(inventory, "A-1").row.total == 7
    assert verify(inventory).faults == ()


def test_the_movements_of_an_import_are_of_its_kind_and_name_it(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    result = import_rows(inventory, [HEADER, ["A-1", "Principal", "3"]])

    with inventory.sessions.reader() as session:
        movement = (
            session.connection()
            .exec_driver_sql(
                "SELECT kind, quantity, balance_after, actor, operation_id, at FROM inventory_movement ORDER BY id DESC LIMIT 1"
            )
            .one()
        )
    assert tuple(movement)[:5] == ("import", -2, 3, "test", result.operation)
    assert len(movement[5]) == len("2026-11-24 05:30:00.000000")


def test_what_is_right_already_gets_no_movement(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    before = contents(inventory, "product", "balance", "movement")

    result = import_rows(inventory, [HEADER, ["A-1", "Principal", "5"]])

    assert (result.unchanged, result.stock_changes) == (1, 0)
    assert contents(inventory, "product", "balance", "movement") == before


def test_an_empty_quantity_leaves_the_balance(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    assert import_rows(inventory, [HEADER, ["A-1", "Principal", ""]]).unchanged == 1
    assert balances(inventory) == {("A-1", "Principal"): 5}


def test_nothing_in_a_place_makes_the_place_known_but_changes_no_quantity(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    rows = [HEADER, ["A-1", "Taller", "0"]]

    preview = preview_import(inventory, table_of(rows))
    first = import_rows(inventory, rows)
    second = import_rows(inventory, rows)

    assert balances(inventory) == {("A-1", "Taller"): 0}
    assert contents(inventory, "movement")["movement"] == []
    assert (preview.stock_changes, preview.unchanged, preview.samples) == (0, 1, ())
    for result in (first, second):
        assert (result.stock_changes, result.unchanged) == (0, 1)
    assert contents(inventory, "movement") == {"movement": []}
    assert verify(inventory).faults == ()


def test_a_retired_product_keeps_its_balance(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    retire_product(inventory, code="A-1", **new_request())

    same = preview_import(inventory, table_of([HEADER, ["A-1", "Principal", "5"]]))
    other = preview_import(inventory, table_of([HEADER, ["A-1", "Principal", "6"]]))
    elsewhere = preview_import(inventory, table_of([HEADER, ["A-1", "Principal", "5"], ["A-1", "Taller", "6"]]))

    assert (same.faults, same.unchanged) == ((), 1)
    assert [fault.reason for fault in other.faults] == ["retired"]
    assert [(fault.row, fault.reason) for fault in elsewhere.faults] == [(3, "retired")]


def test_a_stock_file_creates_and_edits_no_product(inventory: Inventory) -> None:
    create_product(inventory, "A-1", minimum=3)

    result = import_rows(inventory, [[*HEADER, "minimum", "description"], ["A-1", "Taller", "1", "9", "other"]])

    row = get_product(inventory, "A-1").row
    assert (row.minimum, row.description, row.version) == (3, "", 1)
    assert result.unused_columns == ("minimum", "description")
