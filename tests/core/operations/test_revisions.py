"""The revisions of products: what each operation changed in their fields."""

import json

import pytest
from sqlalchemy import select

from inventory_core import (
    CannotUndo,
    Inventory,
    ProductDraft,
    RevisionKind,
    SelectedProduct,
    Selection,
    SetCategory,
    SetMinimum,
    SetRetired,
    change_products,
    edit_product,
    undo_import,
    undo_products_change,
)
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.models import PRODUCT, PRODUCT_REVISION
from inventory_core.queries.products import get_product
from inventory_core.stock.operations import issue, receive
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.core.imports.files import import_rows

CREATED, EDITED, RETIRED, RESTORED = RevisionKind


def revisions(inventory: Inventory, code: str) -> list[tuple[int, str, dict[str, list[object]]]]:
    """Version, kind and changes of each revision of a product; a time is the text "time"."""
    statement = (
        select(PRODUCT_REVISION.c.version, PRODUCT_REVISION.c.kind, PRODUCT_REVISION.c.changes)
        .join(PRODUCT, PRODUCT.c.id == PRODUCT_REVISION.c.product_id)
        .where(PRODUCT.c.code == code)
        .order_by(PRODUCT_REVISION.c.version)
    )
    with inventory.sessions.reader() as session:
        found = [(version, kind, json.loads(changes)) for version, kind, changes in session.execute(statement)]
    for _, _, changes in found:
        if "retired_at" in changes:
            changes["retired_at"] = [moment and "time" for moment in changes["retired_at"]]
    return found


def category_id(inventory: Inventory, name: str) -> int:
    with inventory.sessions.reader() as session:
        statement = "SELECT id FROM inventory_category WHERE name = ?"
        return int(session.connection().exec_driver_sql(statement, (name,)).scalar_one())


def selected(inventory: Inventory, *codes: str) -> Selection:
    return Selection(tuple(SelectedProduct(get_product(inventory, code).row.id) for code in codes))


def test_single_edits_have_a_revision_each_and_quantities_none(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Mesa", description="d" * 500, quantity=5)
    draft = ProductDraft("A-2", "Silla", category="Hogar", minimum=2)
    edit_product(inventory, code="A-1", draft=draft, expected_version=1, **new_request())
    edit_product(inventory, code="A-2", draft=draft, expected_version=2, **new_request())
    receive(inventory, code="A-2", quantity=1, **new_request())
    issue(inventory, code="A-2", quantity=1, **new_request())
    for _ in range(2):
        retire_product(inventory, code="A-2", **new_request())
    for _ in range(2):
        restore_product(inventory, code="A-2", **new_request())

    assert revisions(inventory, "A-2") == [
        (1, CREATED, {}),
        (
            2,
            EDITED,
            {
                "code": ["A-1", "A-2"],
                "name": ["Mesa", "Silla"],
                "description": ["d" * 500, ""],
                "category_id": [None, category_id(inventory, "Hogar")],
                "minimum": [0, 2],
            },
        ),
        (3, RETIRED, {"retired_at": [None, "time"]}),
        (4, RESTORED, {"retired_at": ["time", None]}),
    ]
    assert verify(inventory).faults == ()


def test_bulk_edits_and_their_undo_have_revisions(inventory: Inventory) -> None:
    create_product(inventory, "A-1", category="Ropa")
    create_product(inventory, "B-1", minimum=3)
    clothes, home = category_id(inventory, "Ropa"), category_id(inventory, "Hogar")
    for change in (SetCategory("Hogar"), SetMinimum(3), SetRetired(True)):
        done = change_products(inventory, selection=selected(inventory, "A-1", "B-1"), change=change, **new_request())
        undo_products_change(inventory, changed_operation=done.operation, **new_request())

    assert revisions(inventory, "A-1") == [
        (1, CREATED, {}),
        (2, EDITED, {"category_id": [clothes, home]}),
        (3, EDITED, {"category_id": [home, clothes]}),
        (4, EDITED, {"minimum": [0, 3]}),
        (5, EDITED, {"minimum": [3, 0]}),
        (6, RETIRED, {"retired_at": [None, "time"]}),
        (7, RESTORED, {"retired_at": ["time", None]}),
    ]
    assert [changes for _, _, changes in revisions(inventory, "B-1")][3:] == [
        {"retired_at": [None, "time"]},
        {"retired_at": ["time", None]},
    ]
    assert verify(inventory).faults == ()


def test_imports_and_their_undo_have_revisions(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Mesa", description="roja", minimum=1, quantity=3)
    create_product(inventory, "B-1", name="Silla")
    create_product(inventory, "C-1", name="Cama")
    create_product(inventory, "D-1", name="Sofá", quantity=3)
    retire_product(inventory, code="B-1", **new_request())
    rows = [
        ["code", "name", "description", "minimum", "quantity", "retired"],
        ["A-1", "Mesa grande", "roja", "4", "9", "no"],
        ["B-1", "Silla", "", "0", "", "no"],
        ["C-1", "Cama", "", "0", "", "yes"],
        ["D-1", "Sofá", "", "0", "8", "no"],
        ["E-1", "Baúl", "", "0", "7", "no"],
        ["F-1", "Atril", "", "0", "", "yes"],
    ]
    done = import_rows(inventory, rows)
    undo_import(inventory, import_operation=done.operation, **new_request())

    assert revisions(inventory, "A-1")[1:] == [
        (2, EDITED, {"name": ["Mesa", "Mesa grande"], "minimum": [1, 4]}),
        (3, EDITED, {"name": ["Mesa grande", "Mesa"], "minimum": [4, 1]}),
    ]
    assert revisions(inventory, "B-1")[2:] == [
        (3, RESTORED, {"retired_at": ["time", None]}),
        (4, RETIRED, {"retired_at": [None, "time"]}),
    ]
    assert revisions(inventory, "C-1")[1:] == [
        (2, RETIRED, {"retired_at": [None, "time"]}),
        (3, RESTORED, {"retired_at": ["time", None]}),
    ]
    assert revisions(inventory, "D-1") == [(1, CREATED, {})]
    assert revisions(inventory, "E-1") == [(1, CREATED, {}), (2, RETIRED, {"retired_at": [None, "time"]})]
    assert revisions(inventory, "F-1") == [(1, CREATED, {}), (2, RETIRED, {"retired_at": ["time", "time"]})]
    assert verify(inventory).faults == ()


def test_undo_is_refused_after_an_edit_of_any_kind_and_writes_no_revision(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    imported = import_rows(inventory, [["code", "name"], ["A-1", "Mesa"], ["B-1", "Silla"]]).operation
    changed = change_products(
        inventory, selection=selected(inventory, "A-1"), change=SetMinimum(3), **new_request()
    ).operation
    retire_product(inventory, code="A-1", **new_request())
    before = revisions(inventory, "A-1") + revisions(inventory, "B-1")

    with pytest.raises(CannotUndo) as of_change:
        undo_products_change(inventory, changed_operation=changed, **new_request())
    with pytest.raises(CannotUndo) as of_import:
        undo_import(inventory, import_operation=imported, **new_request())

    for caught in (of_change, of_import):
        assert (caught.value.reason, caught.value.product_code) == ("edited_since", "A-1")
    assert revisions(inventory, "A-1") + revisions(inventory, "B-1") == before
