import json
import os
import signal
from pathlib import Path

import pytest

from inventory_core import (
    FileRefused,
    InvalidInput,
    Inventory,
    OperationReused,
    ProposedChange,
    RowsRefused,
    StockChanged,
    build_plugin_manager,
    hookimpl,
    import_table,
    preview_import,
    read_table,
)
from inventory_core.queries.products import get_product
from inventory_core.stock.operations import receive
from inventory_core.stock.outbox import deliver_events
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.core.imports.files import csv_bytes, import_rows, table_of
from tests.core.imports.other_process import stay_in_the_middle
from tests.core.imports.stored import balances, contents
from tests.core.processes import CONTEXT

ROWS = [["code", "name", "category", "quantity"], ["A-1", "Chair", "Jardín", "5"], ["B-1", "Table", "", "2"]]


class NoMoreThanTen:
    """Refuses to fill a place beyond ten."""

    @hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        return f"{change.code}: demasiado" if change.total + change.quantity > 10 else None


class Notebook:
    """Records the events that it gets."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)


class Cancelled(Exception):
    """The person who waits has had enough."""


def with_plugins(inventory: Inventory, *plugins: object) -> Inventory:
    return Inventory(inventory.sessions, build_plugin_manager(plugins))


def test_the_same_operation_returns_its_first_result_and_changes_nothing_more(inventory: Inventory) -> None:
    request = new_request()
    first = import_table(inventory, table_of(ROWS), **request)
    receive(inventory, code="A-1", quantity=1, **new_request())
    before = contents(inventory)

    again = import_table(inventory, table_of(ROWS), **request)

    assert again == first
    assert contents(inventory) == before


def test_an_operation_id_is_good_for_one_file_only(inventory: Inventory) -> None:
    request = new_request()
    import_table(inventory, table_of(ROWS), **request)

    with pytest.raises(OperationReused):
        import_table(inventory, table_of(ROWS[:2]), **request)


def test_a_refused_import_leaves_its_operation_id_free(inventory: Inventory) -> None:
    request = new_request()
    with pytest.raises(RowsRefused):
        import_table(inventory, table_of([*ROWS, ["", "", "", ""], ["C-1", "", "", ""]]), **request)

    assert import_table(inventory, table_of(ROWS), **request).created == 2


def test_an_import_requires_an_actor(inventory: Inventory) -> None:
    with pytest.raises(InvalidInput) as caught:
        import_table(inventory, table_of(ROWS), actor="", operation="two words")

    assert {fault.field for fault in caught.value.faults} == {"actor", "operation"}


def test_progress_is_called_for_every_row(inventory: Inventory) -> None:
    table = table_of([["code", "name"], *([f"A-{number}", "x"] for number in range(1_234))])
    reported: list[tuple[int, int, str]] = []

    preview_import(inventory, table, lambda *news: reported.append(news))
    import_table(inventory, table, **new_request(), progress=lambda *news: reported.append(news))

    checking = [done for done, total, stage in reported if (total, stage) == (1_234, "checking")]
    writing = [done for done, total, stage in reported if (total, stage) == (1_234, "writing")]
    assert checking == writing == sorted(checking)
    assert checking[-1] == 1_234
    assert len(checking) + len(writing) == len(reported)


def test_an_import_that_is_cancelled_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-7", quantity=1)
    table = table_of([["code", "name", "quantity"], *([f"A-{number}", "x", "3"] for number in range(5_000))])
    before = contents(inventory)

    def cancel(done: int, _total: int, _stage: str) -> None:
        if done > 4_000:
            raise Cancelled

    with pytest.raises(Cancelled):
        import_table(inventory, table, **new_request(), progress=cancel)

    assert contents(inventory) == before
    assert verify(inventory).faults == ()


@pytest.mark.slow
def test_a_keyboard_interrupt_changes_nothing(inventory: Inventory) -> None:
    table = table_of([["code", "name"], *([f"A-{number}", "x"] for number in range(3_000))])
    before = contents(inventory)

    def interrupt(done: int, _total: int, _stage: str) -> None:
        if done > 2_500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_table(inventory, table, **new_request(), progress=interrupt)

    assert contents(inventory) == before


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_process_that_ends_in_the_middle_of_an_import_leaves_nothing_half_done(
    inventory: Inventory, tmp_path: Path, ending: signal.Signals
) -> None:
    create_product(inventory, "A-7", quantity=1)
    before = contents(inventory)
    file = tmp_path / "products.csv"
    file.write_bytes(csv_bytes([["code", "name", "quantity"], *([f"A-{number}", "x", "3"] for number in range(2_600))]))
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=stay_in_the_middle, args=(tmp_path / "inventory.db", file, theirs))

    process.start()
    theirs.close()
    reached = ours.recv()
    os.kill(process.pid or 0, ending)
    process.join(60)

    assert reached == "in the middle"
    assert process.exitcode not in (None, 0)
    assert contents(inventory) == before
    assert verify(inventory).faults == ()
    assert import_table(inventory, read_table(file, filename=file.name), **new_request()).rows == 2_600
    assert verify(inventory).faults == ()


def test_a_refusal_of_a_plugin_is_a_fault_of_the_row_in_preview_and_import(inventory: Inventory) -> None:
    checked = with_plugins(inventory, NoMoreThanTen())
    create_product(inventory, "A-1", name="Chair", quantity=4)
    rows = [["code", "name", "quantity"], ["A-1", "Chair", "11"], ["B-1", "Table", "10"], ["C-1", "Shelf", "12"]]

    with pytest.raises(RowsRefused) as caught:
        import_table(checked, table_of(rows), **new_request())

    assert caught.value.faults == preview_import(checked, table_of(rows)).faults
    reported = [
        (fault.row, fault.column, fault.value, fault.reason) for fault in preview_import(checked, table_of(rows)).faults
    ]
    assert reported == [(2, "quantity", "A-1: demasiado", "refused"), (4, "quantity", "C-1: demasiado", "refused")]
    assert import_table(checked, table_of(rows[:1] + rows[2:3]), **new_request()).created == 1


def test_events_tell_of_every_balance_and_of_the_total_once(inventory: Inventory) -> None:
    notebook = Notebook()
    reported = with_plugins(inventory, notebook)
    create_product(inventory, "A-1", name="Chair", quantity=10, minimum=8)
    rows = [
        ["code", "name", "minimum", "location", "quantity"],
        ["A-1", "Armchair", "8", "Principal", "3"],
        ["A-1", "Armchair", "8", "Taller", "2"],
        ["B-1", "Table", "0", "Taller", "0"],
        ["B-2", "Shelf", "9", "Taller", "4"],
    ]

    import_table(reported, table_of(rows), actor="ana", operation="op-1")
    deliver_events(reported)

    events = [(each.code, each.name, each.location, each.quantity, each.total) for each in notebook.events]
    assert events == [
        ("A-1", "Armchair", "Principal", -7, 5),
        ("A-1", "Armchair", "Taller", 2, 5),
        ("B-2", "Shelf", "Taller", 4, 4),
    ]
    assert [each.fell_below_minimum for each in notebook.events] == [True, False, False]
    assert {(each.kind, each.actor, each.reason) for each in notebook.events} == {("import", "ana", "")}


def test_without_listeners_no_event_is_stored(inventory: Inventory) -> None:
    import_rows(inventory, ROWS)

    assert contents(inventory, "outbox") == {"outbox": []}


def test_the_kept_result_is_the_whole_result(inventory: Inventory) -> None:
    result = import_rows(inventory, [*ROWS[:1], [*ROWS[1][:2], "Jardín", "5"]])

    [operation] = contents(inventory, "operation_result")["operation_result"]
    kept = next(value for value in operation if isinstance(value, str) and value.startswith("{"))
    assert json.loads(kept)["created"] == result.created == 1
    assert json.loads(kept)["new_categories"] == list(result.new_categories) == ["Jardín"]


@pytest.mark.slow
def test_a_large_file_is_imported_in_portions_as_a_whole(inventory: Inventory) -> None:
    known = [[f"K-{number}", f"Known {number}", "Hogar", "1"] for number in range(0, 4_200, 2)]
    import_rows(inventory, [ROWS[0], *known])
    rows = [[f"K-{number}", f"Renamed {number}", "Ropa", str(number % 7)] for number in range(4_200)]

    result = import_rows(inventory, [ROWS[0], *rows])

    assert (result.created, result.updated) == (2_100, 2_100)
    assert get_product(inventory, "K-4198").row.name == "Renamed 4198"
    assert sum(balances(inventory).values()) == sum(number % 7 for number in range(4_200))
    assert verify(inventory).faults == ()


def test_a_file_without_rows_is_an_import_that_changes_nothing(inventory: Inventory) -> None:
    result = import_rows(inventory, ROWS[:1])

    assert (result.rows, result.created, result.unchanged) == (0, 0, 0)


def test_only_a_sheet_of_a_workbook_can_be_named() -> None:
    with pytest.raises(FileRefused):
        table_of(ROWS, sheet="Uno")
