import dataclasses

import pytest

from inventory_core import FaultReason, Inventory, RowFault, RowsRefused, import_table, preview_import
from inventory_core.testing import create_product, new_request
from tests.core.imports.files import Rows, table_of, xlsx_bytes
from tests.core.imports.stored import contents

pytestmark = pytest.mark.usefixtures("parse_here")


def faults(inventory: Inventory, rows: Rows) -> list[tuple[int, str, str, str, int | None]]:
    preview = preview_import(inventory, table_of(rows))

    assert preview.faults_total == len(preview.faults)
    return [(fault.row, fault.column, fault.value, fault.reason, fault.limit) for fault in preview.faults]


def test_every_fault_is_reported_at_once_with_its_place_in_the_file(inventory: Inventory) -> None:
    rows = [
        ["Código", "NOMBRE", "Categoría", "Cantidad", "Mínimo", "Eliminado"],
        ["", "", "-", "-1", "1.000", "quizás"],
        ["A-1", "Good", "Hogar", "5", "1", "no"],
        ["x" * 65, "y" * 201, "z" * 81, "1000000001", "uno", ""],
        ["A-\x07", "Bell \x07", "", "1.5", "", ""],
    ]

    assert faults(inventory, rows) == [
        (2, "Código", "", "required", None),
        (2, "NOMBRE", "", "required", None),
        (2, "Categoría", "-", "characters", None),
        (2, "Cantidad", "-1", "negative", None),
        (2, "Mínimo", "1.000", "not_whole", None),
        (2, "Eliminado", "quizás", "unknown", None),
        (4, "Código", "x" * 65, "too_long", 64),
        (4, "NOMBRE", "y" * 80, "too_long", 200),
        (4, "Categoría", "z" * 80, "too_long", 80),
        (4, "Cantidad", "1000000001", "too_large", 1_000_000_000),
        (4, "Mínimo", "uno", "not_whole", None),
        (5, "Código", "A-\x07", "characters", None),
        (5, "NOMBRE", "Bell \x07", "characters", None),
        (5, "Cantidad", "1.5", "not_whole", None),
    ]


def test_an_invisible_character_in_a_name_is_a_fault_with_its_place_and_code_point(inventory: Inventory) -> None:
    rows = [
        ["Código", "Nombre", "Descripción", "Categoría", "Ubicación", "Cantidad"],
        ["A\u200b1", "Me\u00adsa", "👩\u200d🔧", "Ho\u202egar", "Só\ufefftano", "1"],
    ]

    assert faults(inventory, rows) == [
        (2, "Código", "U+200B", "invisible", None),
        (2, "Nombre", "U+00AD", "invisible", None),
        (2, "Categoría", "U+202E", "invisible", None),
        (2, "Ubicación", "U+FEFF", "invisible", None),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-3", "negative"),
        ("2.5", "not_whole"),
        ("1,000", "not_whole"),
        ("1.000", "not_whole"),
        ("1e3", "not_whole"),
        ("٣", "not_whole"),
        ("12 uds", "not_whole"),
        ("99999999999999999999999", "too_large"),
    ],
)
def test_a_quantity_that_is_not_a_whole_number_in_range_is_a_fault(
    inventory: Inventory, text: str, reason: str
) -> None:
    assert faults(inventory, [["code", "name", "quantity"], ["A-1", "Chair", text]])[0][3] == reason


def test_a_code_that_comes_twice_names_the_row_that_came_first(inventory: Inventory) -> None:
    rows = [["code", "name"], ["A-1", "Chair"], ["B-1", "Table"], ["a-1", "Chair"]]

    assert faults(inventory, rows) == [(4, "code", "a-1", "duplicate", 2)]


def test_a_place_that_comes_twice_for_a_code_names_the_row_that_came_first(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    rows = [["code", "location", "quantity"], ["A-1", "Taller", "1"], ["A-1", "Muelle", "1"], ["A-1", "TALLER", "2"]]

    assert faults(inventory, rows) == [(4, "code", "A-1", "duplicate", 2)]


def test_a_stock_row_needs_a_product_and_a_place(inventory: Inventory) -> None:
    rows = [["code", "location", "quantity"], ["A-1", "Taller", "1"], ["A-2", "", "1"]]

    assert faults(inventory, rows) == [
        (2, "code", "A-1", "unknown", None),
        (3, "location", "", "required", None),
        (3, "code", "A-2", "unknown", None),
    ]


def test_rows_of_one_product_must_agree(inventory: Inventory) -> None:
    rows = [
        ["code", "name", "category", "location", "quantity"],
        ["A-1", "Chair", "Hogar", "Taller", "1"],
        ["A-1", "Chair", "hogar", "Muelle", "1"],
        ["A-1", "Table", "Hogar", "Tienda", "1"],
        ["A-1", "Chair", "Ropa", "Sótano", "1"],
        ["A-1", "Chair", "Hogar", "", "1"],
    ]

    assert faults(inventory, rows) == [
        (4, "name", "Table", "differs", 2),
        (5, "category", "Ropa", "differs", 2),
        (6, "code", "A-1", "duplicate", 2),
    ]


def test_a_doubled_code_is_reported_also_where_other_values_of_its_rows_are_wrong(inventory: Inventory) -> None:
    rows = [["code", "name", "quantity"], ["A-1", "One", "1.000"], ["a-1", "Two", "-4"], ["", "Three", "1"]]

    assert sorted(faults(inventory, rows)) == [
        (2, "quantity", "1.000", "not_whole", None),
        (3, "code", "a-1", "duplicate", 2),
        (3, "quantity", "-4", "negative", None),
        (4, "code", "", "required", None),
    ]


def test_an_unknown_code_is_reported_also_where_its_quantity_is_wrong(inventory: Inventory) -> None:
    rows = [["code", "location", "quantity"], ["A-1", "Principal", "many"], ["A-1", "Principal", "2"]]

    assert {(row, reason) for row, _, _, reason, _ in faults(inventory, rows)} == {
        (2, "not_whole"),
        (2, "unknown"),
        (3, "duplicate"),
    }


def test_a_row_with_more_cells_than_the_header_is_a_fault(inventory: Inventory) -> None:
    rows = [["code", "name"], ["A-1", "Chair", "", ""], ["A-2", "Table", "red", "blue"]]

    assert faults(inventory, rows) == [(3, "", "red", "too_many_cells", 2)]


def test_a_total_beyond_the_limit_is_a_fault(inventory: Inventory) -> None:
    rows = [["code", "name", "location", "quantity"], *(["A-1", "Chair", place, "600000000"] for place in ("X", "Y"))]

    assert faults(inventory, rows) == [(3, "quantity", "600000000", "too_large", 1_000_000_000)]


def test_a_cell_that_shows_an_error_is_a_fault_if_its_column_is_read(inventory: Inventory) -> None:
    table = table_of(xlsx_bytes({"Uno": [["code", "name", "colour"], ["A-1", "Chair", "red"]]}))
    (rows,) = table.batches
    broken = dataclasses.replace(table, batches=[rows._replace(errors={2: {1: "#N/A", 2: "#REF!"}})])

    preview = preview_import(inventory, broken)

    assert preview.faults == (RowFault(2, "name", "#N/A", FaultReason.ERROR_CELL),)


def test_only_the_first_thousand_faults_are_kept_and_all_are_counted(inventory: Inventory) -> None:
    rows = [["code", "name"], *([f"A-{number}", ""] for number in range(2_500))]

    preview = preview_import(inventory, table_of(rows))

    assert (len(preview.faults), preview.faults_total, preview.rows) == (1_000, 2_500, 2_500)


def test_an_import_is_refused_with_the_faults_of_its_preview_and_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=3)
    rows = [["code", "name", "category", "quantity"], ["A-1", "Chair", "Nueva", "9"], ["B-1", "", "", "x"]]
    before = contents(inventory)

    with pytest.raises(RowsRefused) as caught:
        import_table(inventory, table_of(rows), **new_request())

    assert caught.value.faults == preview_import(inventory, table_of(rows)).faults
    assert caught.value.total == 2
    assert contents(inventory) == before
