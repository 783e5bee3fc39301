import pytest

from inventory_core import Inventory, ProductDraft, edit_product, preview_import
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.queries.products import get_product
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify
from tests.core.imports.files import Rows, import_rows, table_of
from tests.core.imports.stored import balances, contents

pytestmark = pytest.mark.usefixtures("parse_here")


def reasons(inventory: Inventory, rows: Rows) -> list[str]:
    return [fault.reason for fault in preview_import(inventory, table_of(rows)).faults]


def test_new_and_known_codes_may_be_mixed(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", minimum=2)

    result = import_rows(inventory, [["code", "name", "minimum"], ["a-1", "Red chair", ""], ["B-1", "Table", "4"]])

    assert (result.created, result.updated, result.unchanged) == (1, 1, 0)
    known, new = get_product(inventory, "A-1").row, get_product(inventory, "B-1").row
    assert (known.code, known.name, known.minimum, known.version) == ("A-1", "Red chair", 2, 2)
    assert (new.code, new.name, new.minimum, new.quantity) == ("B-1", "Table", 4, 0)
    assert verify(inventory).faults == ()


def test_texts_are_cleaned_as_in_a_form(inventory: Inventory) -> None:
    import_rows(inventory, [["code", "name", "description"], ["  A  1 ", " Red\n chair ", " one\r\ntwo "]])

    row = get_product(inventory, "A 1").row
    assert (row.code, row.name, row.description) == ("A 1", "Red chair", "one\ntwo")


def test_a_column_that_is_not_there_leaves_what_is_stored(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", description="red", category="Hogar", minimum=3, quantity=7)

    result = import_rows(inventory, [["code", "name"], ["A-1", "Chair"]])

    assert result.unchanged == 1
    row = get_product(inventory, "A-1").row
    assert (row.description, row.category, row.minimum, row.quantity) == ("red", "Hogar", 3, 7)


def test_an_empty_cell_clears_texts_and_leaves_numbers(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", description="red", category="Hogar", minimum=3, quantity=7)

    import_rows(
        inventory,
        [["code", "name", "description", "category", "minimum", "quantity"], ["A-1", "Chair", "", "", "", ""]],
    )

    row = get_product(inventory, "A-1").row
    assert (row.description, row.category, row.minimum, row.quantity) == ("", None, 3, 7)


def test_categories_are_found_without_accents_and_created_once(inventory: Inventory) -> None:
    rows = [["code", "name", "category"], ["A", "x", "electronicos"], ["B", "x", "Jardín"], ["C", "x", "JARDIN"]]

    preview = preview_import(inventory, table_of(rows))
    result = import_rows(inventory, rows)

    assert preview.new_categories == result.new_categories == ("Jardín",)
    assert [get_product(inventory, code).row.category for code in "ABC"] == ["Electrónicos", "Jardín", "Jardín"]


def test_a_category_in_other_letters_is_not_a_change(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", category="Electrónicos")

    assert import_rows(inventory, [["code", "name", "category"], ["A-1", "Chair", "ELECTRONICOS"]]).unchanged == 1


def test_a_new_product_gets_its_quantity_in_the_default_location(inventory: Inventory) -> None:
    result = import_rows(inventory, [["code", "name", "quantity"], ["A-1", "Chair", "5"], ["A-2", "Table", "0"]])

    assert balances(inventory) == {("A-1", "Principal"): 5}
    assert (result.stock_changes, len(contents(inventory)["movement"])) == (1, 1)


def test_a_total_goes_to_the_one_place_where_the_product_lies(inventory: Inventory) -> None:
    create_location(inventory, "Taller")
    create_product(inventory, "A-1", name="Chair", quantity=3, location="Taller")

    import_rows(inventory, [["code", "name", "quantity"], ["A-1", "Chair", "9"]])

    assert balances(inventory) == {("A-1", "Taller"): 9}


def test_a_total_of_a_product_that_is_in_several_places_is_a_fault_only_if_it_differs(inventory: Inventory) -> None:
    import_rows(
        inventory,
        [["code", "name", "location", "quantity"], ["A-1", "Chair", "Taller", "3"], ["A-1", "Chair", "Muelle", "4"]],
    )

    assert reasons(inventory, [["code", "name", "quantity"], ["A-1", "Chair", "7"]]) == []
    assert reasons(inventory, [["code", "name", "quantity"], ["A-1", "Chair", "8"]]) == ["ambiguous_location"]


def test_with_a_location_the_quantity_is_that_of_the_place(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", quantity=3)
    rows = [
        ["code", "name", "location", "quantity"],
        ["A-1", "Chair", "Taller", "4"],
        ["B-1", "Table", "Taller", "5"],
        ["B-1", "Table", "principal", "6"],
        ["C-1", "Shelf", "", "7"],
        ["D-1", "Lamp", "Muelle", ""],
    ]

    result = import_rows(inventory, rows)

    assert balances(inventory) == {
        ("A-1", "Principal"): 3,
        ("A-1", "Taller"): 4,
        ("B-1", "Taller"): 5,
        ("B-1", "Principal"): 6,
        ("C-1", "Principal"): 7,
    }
    assert (result.created, result.stock_changes, result.new_locations) == (3, 4, ("Taller",))
    assert get_product(inventory, "B-1").row.total == 11
    assert verify(inventory).faults == ()


def test_rows_of_one_product_may_lie_far_apart_in_the_file(inventory: Inventory) -> None:
    create_product(inventory, "K-1", name="Known")
    between = [[f"Z-{number}", "Filler", "Lejos", "1"] for number in range(2_600)]
    rows = [
        ["code", "name", "location", "quantity"],
        ["N-1", "New", "Uno", "1"],
        ["K-1", "Known, renamed", "Uno", "1"],
        *between,
        ["N-1", "New", "Dos", "2"],
        ["K-1", "Known, renamed", "Dos", "2"],
    ]

    preview = preview_import(inventory, table_of(rows))
    result = import_rows(inventory, rows)

    assert preview.faults == ()
    assert (preview.created, preview.updated, preview.stock_changes) == (2_601, 1, 2_604)
    assert (result.created, result.updated, result.stock_changes) == (2_601, 1, 2_604)
    assert [get_product(inventory, code).row.total for code in ("N-1", "K-1")] == [3, 3]
    assert get_product(inventory, "K-1").row.version == 2
    assert verify(inventory).faults == ()


def test_naming_a_retired_product_brings_it_back(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", quantity=2)
    retire_product(inventory, code="A-1", **new_request())

    result = import_rows(inventory, [["code", "name", "quantity"], ["A-1", "Chair", "5"]])

    assert (result.restored, result.updated, result.stock_changes) == (1, 0, 1)
    row = get_product(inventory, "A-1").row
    assert (row.retired, row.quantity, row.version) == (False, 5, 3)


def test_a_column_for_it_decides_who_is_retired(inventory: Inventory) -> None:
    for code in ("A", "B", "C"):
        create_product(inventory, code, name="x", quantity=1)
    retire_product(inventory, code="B", **new_request())
    rows = [
        ["code", "name", "quantity", "retired"],
        ["A", "x", "0", "Sí"],
        ["B", "x", "1", "no"],
        ["D", "x", "4", "yes"],
    ]

    result = import_rows(inventory, [*rows, ["C", "x", "1", ""]])

    assert (result.created, result.retired, result.restored, result.unchanged) == (1, 1, 1, 1)
    rows_now = {code: get_product(inventory, code).row for code in "ABCD"}
    assert [row.retired for row in rows_now.values()] == [True, False, False, True]
    assert [row.total for row in rows_now.values()] == [0, 1, 1, 4]
    assert verify(inventory).faults == ()


def test_a_product_that_stays_retired_cannot_be_changed(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", quantity=2)
    retire_product(inventory, code="A-1", **new_request())
    header = ["code", "name", "quantity", "retired"]

    assert reasons(inventory, [header, ["A-1", "Chair", "2", "yes"]]) == []
    assert reasons(inventory, [header, ["A-1", "Other", "2", "yes"]]) == ["retired"]
    assert reasons(inventory, [header, ["A-1", "Chair", "3", "yes"]]) == ["retired"]
    assert reasons(inventory, [header, ["A-1", "Other", "2", ""]]) == ["retired"]


def test_an_imported_product_is_found_by_its_new_words_and_no_longer_by_the_old_ones(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Lámpara antigua")

    import_rows(inventory, [["code", "name", "category"], ["A-1", "Bombilla nueva", "Jardín"]])

    assert verify(inventory).faults == ()


def test_an_edit_after_the_import_meets_the_version_that_it_left(inventory: Inventory) -> None:
    import_rows(inventory, [["code", "name"], ["A-1", "Chair"]])
    import_rows(inventory, [["code", "name"], ["A-1", "Red chair"]])

    saved = edit_product(inventory, code="A-1", draft=ProductDraft("A-1", "Chair"), expected_version=2, **new_request())

    assert saved.version == 3


def test_the_preview_shows_what_the_first_rows_change(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", minimum=1, quantity=2)
    create_product(inventory, "A-2", name="Same")
    create_product(inventory, "A-3", name="Gone")
    retire_product(inventory, code="A-3", **new_request())
    rows = [
        ["code", "name", "quantity", "colour"],
        ["A-1", "Red chair", "5", "red"],
        ["A-2", "Same", "", ""],
        ["A-3", "Gone", "", ""],
        ["B-1", "Table", "1", ""],
    ]

    preview = preview_import(inventory, table_of(rows))

    shown = [
        (sample.row, sample.code, sample.action, [(each.field, each.before, each.after) for each in sample.changes])
        for sample in preview.samples
    ]
    assert shown == [
        (2, "A-1", "update", [("name", "Chair", "Red chair"), ("quantity", "2", "5")]),
        (4, "A-3", "restore", []),
        (5, "B-1", "create", [("name", "", "Table"), ("minimum", "", "0"), ("quantity", "0", "1")]),
    ]
    assert preview.unused_columns == ("colour",)


def test_a_preview_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", quantity=2)
    before = contents(inventory)

    preview_import(
        inventory, table_of([["code", "name", "category", "quantity"], ["A-1", "x", "y", "9"], ["B", "z", "", ""]])
    )

    assert contents(inventory) == before


def test_an_import_and_its_preview_count_alike(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", quantity=2)
    create_product(inventory, "A-2", name="Table")
    retire_product(inventory, code="A-2", **new_request())
    rows = [["code", "name", "quantity"], ["A-1", "Chair", "3"], ["A-2", "Table", ""], ["A-3", "Shelf", "1"]]

    preview = preview_import(inventory, table_of(rows))
    result = import_rows(inventory, rows)

    for name in ("kind", "rows", "created", "updated", "restored", "retired", "unchanged", "stock_changes"):
        assert getattr(preview, name) == getattr(result, name)
    restore_product(inventory, code="A-2", **new_request())


def test_code_and_markup_in_every_field_are_stored_as_text(inventory: Inventory) -> None:
    bad = "'; DROP TABLE product; -- <script>alert(1)</script>"

    import_rows(
        inventory, [["code", "name", "description", "category", "location", "quantity"], [bad, bad, bad, bad, bad, "1"]]
    )

    row = get_product(inventory, bad).row
    assert (row.code, row.name, row.description, row.category) == (bad, bad, bad, bad)
    assert balances(inventory) == {(bad, bad): 1}
