"""Who did what, when and why, the same on every database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from inventory_core import Inventory, ProductDraft, ProductNotFound, edit_product, import_table, read_table, undo_import
from inventory_core.catalog.bulk_edit import SetMinimum, SetRetired, change_products, undo_products_change
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.catalog.selection import SelectedProduct, Selection
from inventory_core.models import PRODUCT
from inventory_core.queries.history import HistoryEntry, HistoryFilter, StockStep, operation_history
from inventory_core.stock.operations import issue, receive, transfer, undo_movement
from inventory_core.testing import counted_statements, create_location, create_product, new_request
from tests.contracts.conftest import MYSQL, MakeInventory

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
WHERE = pytest.mark.parametrize("topology", ["sqlite", MYSQL], indirect=True)

Later = Callable[[], Inventory]


@pytest.fixture
def later(make_inventory: MakeInventory) -> Later:
    """The inventory, an hour later each time."""
    inventory = make_inventory()
    hours = iter(range(10_000))

    def hour_later() -> Inventory:
        then = BEGIN + timedelta(hours=next(hours))
        return replace(inventory, clock=lambda: then)

    return hour_later


def verbs(inventory: Inventory, **requested: object) -> list[str]:
    return [entry.operation_type for entry in operation_history(inventory, HistoryFilter(**requested)).entries]  # type: ignore[arg-type]


def ids_of(inventory: Inventory, *codes: str) -> Selection:
    with inventory.sessions.reader() as session:
        found = {row[0]: row[1] for row in session.execute(select(PRODUCT.c.code, PRODUCT.c.id))}
    return Selection(tuple(SelectedProduct(found[code]) for code in codes))


def test_history_lists_receive_transfer_undo_and_edits_latest_first(later: Later) -> None:
    create_location(later(), "Sótano")
    create_product(later(), "A", name="Mesa", quantity=10)
    receive(later(), code="A", quantity=5, reason="pedido 7", actor="ana", operation="receive-1")
    moved = transfer(later(), code="A", quantity=4, source=None, target="Sótano", **new_request())
    undo_movement(later(), movement_id=moved.movement_ids[0], **new_request())
    retire_product(later(), code="A", **new_request())
    restore_product(later(), code="A", **new_request())

    entries = operation_history(later()).entries

    assert [entry.operation_type for entry in entries] == [
        "restore", "retire", "undo", "transfer", "receive", "register", "add_location",
    ]  # fmt: skip
    assert entries[4] == HistoryEntry(
        "receive-1",
        "receive",
        "ana",
        BEGIN + timedelta(hours=2),
        "A",
        "Mesa",
        counts=entries[4].counts,
        steps=(StockStep("Principal", 5, 15, "pedido 7"),),
    )
    assert [(step.location, step.quantity) for step in entries[3].steps] == [("Principal", -4), ("Sótano", 4)]
    assert entries[-1].subject == "Sótano"
    assert (entries[-1].code, entries[-1].steps) == (None, ())


def test_an_edit_reports_what_it_changed_from_what_to_what(inventory: Inventory) -> None:
    create_product(inventory, "A", name="Mesa", category="Hogar", minimum=3, description="d" * 1_500)
    draft = ProductDraft("B", "Mesa grande", "d" * 1_499, None, 3)
    edit_product(inventory, code="A", draft=draft, expected_version=1, **new_request())
    edit_product(inventory, code="B", draft=draft, expected_version=2, **new_request())

    same, edited, _ = operation_history(inventory).entries

    assert same.changes == {}
    assert edited.changes == {
        "code": ("A", "B"),
        "name": ("Mesa", "Mesa grande"),
        "description": ("d" * 199 + "…", "d" * 199 + "…"),
        "category": ("Hogar", None),
    }
    assert (edited.code, edited.name) == ("B", "Mesa grande")


def test_an_edit_that_is_sent_again_returns_its_first_answer(inventory: Inventory) -> None:
    create_product(inventory, "A", name="Mesa")
    request, draft = new_request(), ProductDraft("A", "Silla")
    first = edit_product(inventory, code="A", draft=draft, expected_version=1, **request)

    assert edit_product(inventory, code="A", draft=draft, expected_version=1, **request) == first


def test_history_filter_narrows_by_every_part(later: Later) -> None:
    create_product(later(), "A", quantity=3)
    issue(later(), code="A", quantity=1, actor="ana", operation="one")
    create_product(later(), "B", quantity=3)
    issue(later(), code="B", quantity=1, actor="ana", operation="two")
    now = later()

    assert verbs(now, code="b") == ["issue", "register"]
    assert verbs(now, actor="ana") == ["issue", "issue"]
    assert verbs(now, actor="ana", code="A") == ["issue"]
    assert verbs(now, operation_type="register") == ["register", "register"]
    assert verbs(now, since=BEGIN + timedelta(hours=1), until=BEGIN + timedelta(hours=3)) == ["register", "issue"]
    assert verbs(now, actor="nobody") == verbs(now, operation_type="\x00'") == []
    with pytest.raises(ProductNotFound):
        verbs(now, code="C")


def test_history_of_a_product_has_bulk_edits_imports_and_their_undo(later: Later) -> None:
    create_product(later(), "A", quantity=1)
    create_product(later(), "B", quantity=1)
    create_product(later(), "C", quantity=1)
    change_products(later(), selection=ids_of(later(), "A", "B"), change=SetMinimum(5), actor="ana", operation="change")
    undo_products_change(later(), changed_operation="change", actor="ana", operation="undo")
    table = read_table(BytesIO(b"code,location,quantity\nA,Principal,9\nC,Principal,1\n"), filename="stock.csv")
    import_table(later(), table, actor="ana", operation="import")
    undo_import(later(), import_operation="import", actor="ana", operation="undo-import")
    now = later()

    assert verbs(now, code="A") == ["undo_import", "import", "undo_many", "change_many", "register"]
    assert verbs(now, code="B") == ["undo_many", "change_many", "register"]
    assert verbs(now, code="C") == ["register"]
    entries = {entry.operation_type: entry for entry in operation_history(now).entries}
    assert (entries["change_many"].counts["changed"], entries["change_many"].subject) == (2, "minimum")
    assert entries["import"].counts["rows"] == 2
    assert entries["import"].steps == ()


def test_history_of_a_product_shows_each_edit_with_both_values(later: Later) -> None:
    create_product(later(), "A", name="Mesa", category="Hogar", minimum=1)
    edit_product(
        later(), code="A", draft=ProductDraft("A", "Silla", "", "Hogar", 1), expected_version=1, **new_request()
    )
    change_products(later(), selection=ids_of(later(), "A"), change=SetMinimum(5), actor="ana", operation="change")
    undo_products_change(later(), changed_operation="change", actor="ana", operation="undo")
    table = read_table(BytesIO("code,name,category,minimum\nA,Sofá,Ropa,1\nB,Baúl,,0\n".encode()), filename="p.csv")
    import_table(later(), table, actor="ana", operation="import")
    undo_import(later(), import_operation="import", actor="ana", operation="undo-import")
    change_products(later(), selection=ids_of(later(), "A"), change=SetRetired(True), **new_request())
    now = later()

    def shown(code: str) -> list[tuple[str, str | None, dict[str, tuple[object, object]]]]:
        entries = operation_history(now, HistoryFilter(code=code)).entries
        return [(entry.operation_type, entry.kind, {**entry.changes}) for entry in entries]

    assert shown("A") == [
        ("change_many", "retired", {}),
        ("undo_import", "edited", {"name": ("Sofá", "Silla"), "category": ("Ropa", "Hogar")}),
        ("import", "edited", {"name": ("Silla", "Sofá"), "category": ("Hogar", "Ropa")}),
        ("undo_many", "edited", {"minimum": (5, 1)}),
        ("change_many", "edited", {"minimum": (1, 5)}),
        ("edit", "edited", {"name": ("Mesa", "Silla")}),
        ("register", "created", {}),
    ]
    assert shown("B") == [("undo_import", "retired", {}), ("import", "created", {})]
    of_all = {entry.operation_type: entry for entry in operation_history(now).entries}
    assert (of_all["edit"].kind, of_all["edit"].changes) == ("edited", {"name": ("Mesa", "Silla")})
    assert (of_all["import"].kind, of_all["import"].changes) == (None, {})


@pytest.mark.parametrize("code", ["", "A"])
def test_history_cursor_shows_each_operation_once(make_inventory: MakeInventory, code: str) -> None:
    inventory = make_inventory(clock=lambda: BEGIN)
    create_product(inventory, "A", quantity=1)
    for _ in range(11):
        receive(inventory, code="A", quantity=1, **new_request())
    seen, after = [], None
    while True:
        page = operation_history(inventory, HistoryFilter(code=code), after=after, size=5)
        seen += [entry.id for entry in page.entries]
        after = page.next
        if after is None:
            break

    assert len(seen) == len(set(seen)) == 12
    assert seen == sorted(seen, reverse=True)


def test_the_number_of_statements_stays(inventory: Inventory) -> None:
    create_product(inventory, "A", quantity=1)
    used = []
    for _ in range(2):
        with counted_statements() as statements:
            operation_history(inventory)
            operation_history(inventory, HistoryFilter(code="A"))
        # A replica that is not yet known to have the last change is asked to wait for it; how soon it is known is a matter of time.
        used.append(sum("WAIT_FOR_EXECUTED_GTID_SET" not in statement for statement in statements))
        for _ in range(20):
            receive(inventory, code="A", quantity=1, **new_request())

    assert used == [8, 8]


def test_history_summarises_a_bulk_edit_of_500_products(inventory: Inventory) -> None:
    codes = [f"N-{number:04}" for number in range(500)]
    lines = "code,name\n" + "".join(f"{code},Mesa\n" for code in codes)
    import_table(inventory, read_table(BytesIO(lines.encode()), filename="products.csv"), **new_request())
    change_products(inventory, selection=ids_of(inventory, *codes), change=SetMinimum(5), **new_request())

    entry = operation_history(inventory, HistoryFilter(code="N-0499")).entries[0]

    assert (entry.operation_type, entry.counts["changed"], entry.subject) == ("change_many", 500, "minimum")
