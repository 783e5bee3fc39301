"""Files in and out: previews, imports, their undo, and exports that change nothing when they come back."""

import io
import tracemalloc
from pathlib import Path

import pytest

from inventory_core import (
    CannotUndo,
    Inventory,
    ProductFilter,
    ProposedChange,
    RowFault,
    RowsRefused,
    export_products,
    export_stock,
    hookimpl,
    import_table,
    preview_import,
    read_table,
    undo_import,
)
from inventory_core.exporting.export import ExportFormat
from inventory_core.queries.movements import movement_history
from inventory_core.queries.products import get_product, list_categories, list_locations, stream_products
from inventory_core.stock.operations import issue, receive
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.contracts.at_once import at_once
from tests.contracts.conftest import MYSQL, MakeInventory
from tests.contracts.topologies import Database, SQLiteFiles
from tests.core.imports.files import Rows, import_rows, table_of
from tests.core.imports.stored import balances
from tests.core.queries.shelves import Item, put

PRODUCTS = [
    ["code", "name", "description", "category", "minimum"],
    ["AR-5381", "Adjustable Race", "", "", "750"],
    ["FR-R92R-58", "HL Road Frame - Red, 58", 'Our lightest "frame" - 100% \\ alu 😀', "Road Frames", "375"],
    ["fr-r92b-58", "HL Road Frame - Black, 58", "Nuestro cuadro más ligero: ñ, ß", "ROAD FRAMES", "375"],
    ["CA-1098", "AWC Logo Cap", "", "Caps", "3"],
]
STOCK = [
    ["code", "location", "quantity"],
    ["AR-5381", "Tool Crib", "408"],
    ["AR-5381", "Miscellaneous Storage", "324"],
    ["AR-5381", "Subassembly", "353"],
    ["FR-R92B-58", "Finished Goods Storage", "1"],
    ["CA-1098", "tool crib", "288"],
]


class NothingForCaps:
    """A plugin that refuses."""

    @hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        return "sin gorras" if change.code.startswith("CA") else None


def exported(inventory: Inventory, export: object, kind: ExportFormat) -> bytes:
    file = io.BytesIO()
    export(inventory, ProductFilter(), file, kind)  # type: ignore[operator]
    return file.getvalue()


def reported(refusal: RowsRefused) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.column, fault.reason) for fault in refusal.faults if isinstance(fault, RowFault)]


def counts(inventory: Inventory, content: bytes | Rows, filename: str = "file.csv") -> tuple[int, ...]:
    preview = preview_import(inventory, table_of(content, filename))
    return (preview.created, preview.updated, preview.restored, preview.stock_changes, preview.faults_total)


def test_products_and_then_stock_come_in_as_their_previews_said(inventory: Inventory) -> None:
    preview = preview_import(inventory, table_of(PRODUCTS))
    first = import_rows(inventory, PRODUCTS)
    stock_preview = preview_import(inventory, table_of(STOCK))
    second = import_rows(inventory, STOCK)

    assert (preview.created, preview.new_categories, preview.faults) == (4, ("Road Frames", "Caps"), ())
    assert (first.created, first.new_categories) == (4, ("Road Frames", "Caps"))
    assert stock_preview.stock_changes == second.stock_changes == 5
    assert second.new_locations == ("Tool Crib", "Miscellaneous Storage", "Subassembly", "Finished Goods Storage")
    assert get_product(inventory, "ar-5381").row.total == 1085
    assert get_product(inventory, "FR-R92R-58").row.description == 'Our lightest "frame" - 100% \\ alu 😀'
    assert set(list_categories(inventory)) > {"Road Frames", "Caps"}
    assert len(list_locations(inventory)) == 5
    assert verify(inventory).faults == ()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_that_comes_back_changes_nothing(inventory: Inventory, kind: ExportFormat) -> None:
    import_rows(inventory, PRODUCTS)
    import_rows(inventory, STOCK)

    for export in (export_products, export_stock):
        assert counts(inventory, exported(inventory, export, kind), f"file.{kind}") == (0, 0, 0, 0, 0)


def test_an_inventory_moves_from_one_kind_of_database_to_another(inventory: Inventory, sqlite: SQLiteFiles) -> None:
    import_rows(inventory, PRODUCTS)
    import_rows(inventory, STOCK)
    with sqlite.database() as database:
        other = Inventory(database.sessions)
        for export in (export_products, export_stock):
            import_table(other, table_of(exported(inventory, export, "csv")), **new_request())

        assert balances(other) | balances(inventory) == balances(other)
        assert verify(other).faults == ()


def test_every_fault_is_reported_and_nothing_is_changed(inventory: Inventory) -> None:
    rows = [*PRODUCTS, ["AR-5381", "Twice", "", "", "1"], ["X-1", "", "", "", "1"], ["X-2", "Name", "", "", "many"]]

    with pytest.raises(RowsRefused) as caught:
        import_rows(inventory, rows)

    assert reported(caught.value) == [
        (6, "code", "duplicate"),
        (7, "name", "required"),
        (8, "minimum", "not_whole"),
    ]
    assert balances(inventory) == {}
    assert movement_history(inventory).rows == ()
    assert list_categories(inventory)[7:] == ()


def test_a_plugin_may_refuse_a_row(make_inventory: MakeInventory) -> None:
    inventory = make_inventory(NothingForCaps())
    import_rows(inventory, PRODUCTS)

    with pytest.raises(RowsRefused) as caught:
        import_rows(inventory, STOCK)

    assert reported(caught.value) == [(6, "quantity", "refused")]
    assert len(list_locations(inventory)) == 1


def test_undo_of_a_whole_import(inventory: Inventory) -> None:
    create_product(inventory, "AR-5381", name="Old name", category="Otros", minimum=1, quantity=7)
    products = import_rows(inventory, PRODUCTS)
    stock = import_rows(inventory, STOCK)

    undone = undo_import(inventory, import_operation=stock.operation, **new_request())
    back = undo_import(inventory, import_operation=products.operation, **new_request())

    assert (undone.movements, back.products) == (5, 4)
    row = get_product(inventory, "AR-5381").row
    assert (row.name, row.category, row.minimum, row.total) == ("Old name", "Otros", 1, 7)
    assert get_product(inventory, "CA-1098").row.retired
    with pytest.raises(CannotUndo, match="already_undone"):
        undo_import(inventory, import_operation=stock.operation, **new_request())
    assert verify(inventory).faults == ()


def test_of_two_undos_of_an_import_at_the_same_instant_one_is_refused(make_inventory: MakeInventory) -> None:
    instances = [make_inventory() for _ in range(3)]
    import_rows(instances[0], PRODUCTS)
    for _ in range(5):
        stock = import_rows(instances[0], STOCK)

        def undo(which: int, operation: str = stock.operation) -> str:
            try:
                undone = undo_import(instances[which], import_operation=operation, **new_request())
            except CannotUndo as error:
                return error.reason
            return str(undone.movements)

        assert sorted(at_once(3, undo)) == ["5", "already_undone", "already_undone"]
    assert verify(instances[0]).faults == ()


def test_undo_of_an_import_is_refused_if_its_stock_is_gone(inventory: Inventory) -> None:
    import_rows(inventory, PRODUCTS)
    stock = import_rows(inventory, STOCK)
    receive(inventory, code="CA-1098", quantity=1, location="Subassembly", **new_request())
    issue(inventory, code="CA-1098", quantity=288, location="Tool Crib", **new_request())

    with pytest.raises(Exception, match="0 available, 288 requested"):
        undo_import(inventory, import_operation=stock.operation, **new_request())

    assert get_product(inventory, "AR-5381").row.total == 1085


def test_the_same_file_under_one_operation_at_the_same_instant_comes_in_once(make_inventory: MakeInventory) -> None:
    instances = [make_inventory() for _ in range(3)]
    import_rows(instances[0], PRODUCTS)
    request = new_request()

    answers = at_once(3, lambda which: import_table(instances[which], table_of(STOCK), **request))

    assert answers[0] == answers[1] == answers[2]
    assert len(movement_history(instances[0], operation=request["operation"]).rows) == 5


def test_overlapping_files_at_the_same_instant_and_sales_in_between_add_up(make_inventory: MakeInventory) -> None:
    instances = [make_inventory() for _ in range(4)]
    codes = [f"P-{number}" for number in range(60)]
    header = ["code", "name", "category", "quantity"]
    create_product(instances[0], "P-7", quantity=500)

    def act(which: int) -> None:
        if which == 3:
            for _ in range(5):
                issue(instances[which], code="P-7", quantity=1, **new_request())
            return
        listed = codes if which % 2 else list(reversed(codes))
        rows = [[code, f"Name {code}", f"Kind {number % 3}", "400"] for number, code in enumerate(listed)]
        import_rows(instances[which], [header, *rows])

    at_once(4, act)

    totals = {code: get_product(instances[0], code).row.total for code in codes}
    assert totals.pop("P-7") in range(395, 401)
    assert set(totals.values()) == {400}
    assert verify(instances[0]).faults == ()


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["sqlite", MYSQL], indirect=True)
def test_a_file_of_many_rows_with_long_texts_comes_in(inventory: Inventory) -> None:
    """More than a server takes in one statement: folded, each of these characters becomes 18."""
    header = ["code", "name", "description", "quantity"]
    rows = [[f"P-{number}", "😀" * 200, "ﷺ" * 2000, "1"] for number in range(1100)]

    assert import_rows(inventory, [header, *rows]).created == 1100
    assert get_product(inventory, "P-1099").row.description == "ﷺ" * 2000


@pytest.mark.slow
def test_a_stream_takes_no_more_memory_for_more_rows(database: Database) -> None:
    inventory = Inventory(database.sessions)
    put(inventory, [Item(f"P-{number}", "Cosa", "x" * 1000) for number in range(6_000)])

    def peak(wanted: int) -> int:
        tracemalloc.start()
        with stream_products(inventory, ProductFilter()) as rows:
            for number, _ in enumerate(rows, start=1):
                if number == wanted:
                    break
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(100)
    assert peak(6_000) < 2 * peak(1_500)
    with stream_products(inventory, ProductFilter()) as rows:
        assert sum(1 for _ in rows) == 6_000


def test_an_export_to_a_path_is_whole_or_not_there(inventory: Inventory, tmp_path: Path) -> None:
    import_rows(inventory, PRODUCTS)

    assert export_products(inventory, ProductFilter(), tmp_path / "all.xlsx", "xlsx") == 4
    assert read_table(tmp_path / "all.xlsx", filename="all.xlsx").size == 4
