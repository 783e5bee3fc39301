"""Many products changed at once: by two people who cross, while others edit, and by a filter that others change."""

from inventory_core import (
    EditConflict,
    Inventory,
    ProductDraft,
    ProductFilter,
    ProductsConflict,
    SelectedProduct,
    Selection,
    SelectionChanged,
    SetCategory,
    SetMinimum,
    SetRetired,
    change_products,
    edit_product,
    selected_rows,
    undo_products_change,
)
from inventory_core.queries.products import get_product, product_page
from inventory_core.testing import create_product, new_request
from inventory_core.verification import verify
from tests.contracts.at_once import at_once

CODES = [f"P-{number:02}" for number in range(40)]


def selection_of(inventory: Inventory, codes: list[str]) -> Selection:
    rows = [get_product(inventory, code).row for code in codes]
    return Selection(tuple(SelectedProduct(row.id, row.version) for row in rows))


def test_bulk_edit_is_found_by_search_and_can_be_undone(inventory: Inventory) -> None:
    for code in CODES:
        create_product(inventory, code, category="Ropa", description="de lana")
    half = CODES[::2]

    saved = change_products(
        inventory, selection=selection_of(inventory, half), change=SetCategory("Jardinería"), **new_request()
    )
    found = [row.code for row in product_page(inventory, ProductFilter(search="lana jardin")).rows]
    undo_products_change(inventory, changed_operation=saved.operation, **new_request())

    assert found == half
    assert {row.category for row in product_page(inventory, ProductFilter()).rows} == {"Ropa"}
    assert verify(inventory).faults == ()


def test_changes_of_the_same_products_in_opposite_order_follow_one_another(inventory: Inventory) -> None:
    for code in CODES:
        create_product(inventory, code)
    ids = [row.id for row in product_page(inventory, ProductFilter()).rows]

    def change(which: int) -> int:
        order = ids if which % 2 else ids[::-1]
        selection = Selection(tuple(SelectedProduct(product_id) for product_id in order))
        shared = SetCategory(f"Grupo {which}") if which % 4 < 2 else SetMinimum(which + 1)
        return change_products(inventory, selection=selection, change=shared, **new_request()).changed

    changed = at_once(8, change)

    rows = product_page(inventory, ProductFilter()).rows
    assert changed == [len(CODES)] * 8
    assert {row.version for row in rows} == {9}
    assert len({(row.category, row.minimum) for row in rows}) == 1
    assert verify(inventory).faults == ()


def test_of_two_people_who_change_what_both_saw_one_is_refused_and_nothing_is_mixed(inventory: Inventory) -> None:
    for code in CODES:
        create_product(inventory, code)
    selection = selection_of(inventory, CODES)

    def change(which: int) -> str:
        try:
            change_products(inventory, selection=selection, change=SetMinimum(which + 1), **new_request())
        except ProductsConflict as conflict:
            return f"{len(conflict.products)} refused"
        return "changed"

    assert sorted(at_once(2, change)) == ["40 refused", "changed"]
    assert len({row.minimum for row in product_page(inventory, ProductFilter()).rows}) == 1


def test_an_edit_and_a_change_of_many_never_overwrite_one_another(inventory: Inventory) -> None:
    for code in CODES:
        create_product(inventory, code)
    selection = selection_of(inventory, CODES)

    def act(which: int) -> str:
        try:
            if which == 0:
                change_products(inventory, selection=selection, change=SetCategory("Ropa"), **new_request())
            else:
                draft = ProductDraft(CODES[-which], "Otra cosa")
                edit_product(inventory, code=CODES[-which], draft=draft, expected_version=1, **new_request())
        except (ProductsConflict, EditConflict) as conflict:
            return type(conflict).__name__
        return "done"

    many, *edits = at_once(6, act)

    rows = {row.code: row for row in product_page(inventory, ProductFilter()).rows}
    edited = [rows[CODES[-which]] for which in range(1, 6)]
    assert [row.name == "Otra cosa" for row in edited] == [outcome == "done" for outcome in edits]
    assert {row.category for row in rows.values()} == ({"Ropa"} if many == "done" else {None})
    assert (many == "done") == ("done" not in edits)


def test_what_a_filter_finds_is_decided_under_the_locks(inventory: Inventory) -> None:
    for code in CODES:
        create_product(inventory, code, category="Ropa")
    clothes = Selection(filter=ProductFilter(category="Ropa"), expected_count=len(CODES))

    def act(which: int) -> str:
        try:
            if which % 2:
                change_products(inventory, selection=clothes, change=SetRetired(True), **new_request())
            else:
                change_products(inventory, selection=clothes, change=SetCategory("Hogar"), **new_request())
        except SelectionChanged as changed:
            return f"{changed.seen} became {changed.current}"
        return "done"

    outcomes = at_once(4, act)

    assert sorted(outcomes) == ["40 became 0"] * 3 + ["done"]
    everything = [Selection(filter=ProductFilter(status=status)) for status in (None, "retired")]
    rows = [row for selection in everything for row in selected_rows(inventory, selection).rows]
    assert {(row.category, row.retired) for row in rows} in ({("Ropa", True)}, {("Hogar", False)})
    assert {row.version for row in rows} == {2}
