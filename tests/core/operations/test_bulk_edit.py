"""One change to many products: the same as one by one, all or nothing, once, and back again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from inventory_core import (
    MAX_SELECTED_PRODUCTS,
    BulkEdit,
    CannotUndo,
    InvalidInput,
    Inventory,
    MovementNotFound,
    OperationReused,
    ProductDraft,
    ProductFilter,
    ProductRetired,
    ProductsConflict,
    ProductsSaved,
    SelectedProduct,
    Selection,
    SelectionChanged,
    SetCategory,
    SetMinimum,
    SetRetired,
    Status,
    change_products,
    edit_product,
    selected_rows,
    undo_products_change,
)
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.queries.products import get_product, product_page
from inventory_core.stock.operations import receive
from inventory_core.testing import counted_statements, create_product, new_request, temporary_inventory
from inventory_core.verification import verify

EVERYTHING = ProductFilter()


def chosen(inventory: Inventory, *codes: str) -> Selection:
    rows = [get_product(inventory, code).row for code in codes]
    return Selection(tuple(SelectedProduct(row.id, row.version) for row in rows))


def stored(inventory: Inventory) -> list[tuple[object, ...]]:
    """What an edit decides of every product, and what a search finds it by."""
    question = """
        SELECT p.code, c.name, p.minimum, p.retired_at IS NOT NULL, p.version, p.search_text
        FROM inventory_product p LEFT JOIN inventory_category c ON c.id = p.category_id ORDER BY p.id
    """
    with inventory.sessions.reader() as session:
        return [tuple(record) for record in session.execute(text(question))]


def test_many_products_get_a_category_and_are_found_by_it(inventory: Inventory) -> None:
    for code in ("A-1", "B-1", "C-1"):
        create_product(inventory, code, category="Ropa")
    request = new_request()

    saved = change_products(
        inventory, selection=chosen(inventory, "C-1", "A-1"), change=SetCategory(" Jardinería "), **request
    )

    assert saved == ProductsSaved(request["operation"], changed=2, unchanged=0)
    assert [row.code for row in product_page(inventory, ProductFilter(category="jardineria")).rows] == ["A-1", "C-1"]
    assert [row.code for row in product_page(inventory, ProductFilter(search="jardineria")).rows] == ["A-1", "C-1"]
    assert [row.code for row in product_page(inventory, ProductFilter(search="ropa")).rows] == ["B-1"]
    assert verify(inventory).faults == ()


def test_products_that_are_so_already_keep_their_version(inventory: Inventory) -> None:
    create_product(inventory, "A-1", minimum=4)
    create_product(inventory, "B-1", minimum=9)

    saved = change_products(inventory, selection=chosen(inventory, "A-1", "B-1"), change=SetMinimum(4), **new_request())

    assert (saved.changed, saved.unchanged) == (1, 1)
    assert [(row[2], row[4]) for row in stored(inventory)] == [(4, 1), (4, 2)]


def test_one_product_that_was_edited_since_keeps_all_as_they_are_and_is_named(inventory: Inventory) -> None:
    for code in ("A-1", "B-1", "C-1"):
        create_product(inventory, code, name=f"Mesa {code}")
    selection = chosen(inventory, "A-1", "B-1", "C-1")
    draft = ProductDraft("B-1", "Silla", category="Hogar", minimum=7)
    edit_product(inventory, code="B-1", draft=draft, expected_version=1, **new_request())
    before = stored(inventory)

    with pytest.raises(ProductsConflict) as caught:
        change_products(inventory, selection=selection, change=SetMinimum(2), **new_request())

    (product,) = caught.value.products
    assert (product.code, product.name, product.expected_version, product.current_version) == ("B-1", "Silla", 1, 2)
    assert (product.category, product.minimum, product.retired) == ("Hogar", 7, False)
    assert stored(inventory) == before


def test_a_selection_goes_on_without_the_products_that_were_edited(inventory: Inventory) -> None:
    for code in ("A-1", "B-1"):
        create_product(inventory, code)
    selection = chosen(inventory, "A-1", "B-1")
    edit_product(inventory, code="B-1", draft=ProductDraft("B-1", "Silla"), expected_version=1, **new_request())

    rest = selection.without(frozenset({get_product(inventory, "B-1").row.id}))

    assert change_products(inventory, selection=rest, change=SetMinimum(2), **new_request()).changed == 1
    with pytest.raises(InvalidInput):
        rest.without(frozenset({get_product(inventory, "A-1").row.id}))


def test_bulk_edit_refuses_retired_products_unless_it_restores_them(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    retire_product(inventory, code="A-1", **new_request())
    selection = chosen(inventory, "A-1")

    for change in (SetCategory("Ropa"), SetMinimum(1)):
        with pytest.raises(ProductsConflict) as caught:
            change_products(inventory, selection=selection, change=change, **new_request())
        assert caught.value.products[0].retired

    assert change_products(inventory, selection=selection, change=SetRetired(False), **new_request()).changed == 1
    receive(inventory, code="A-1", quantity=1, **new_request())


def test_the_same_operation_again_returns_the_first_result_and_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    selection, request = chosen(inventory, "A-1"), new_request()
    first = change_products(inventory, selection=selection, change=SetRetired(True), **request)
    restore_product(inventory, code="A-1", **new_request())

    assert change_products(inventory, selection=selection, change=SetRetired(True), **request) == first
    assert not get_product(inventory, "A-1").row.retired
    with pytest.raises(OperationReused):
        change_products(inventory, selection=selection, change=SetRetired(False), **request)


def test_all_that_a_filter_finds_are_changed_if_they_are_as_many_as_were_seen(inventory: Inventory) -> None:
    for number in range(120):
        create_product(inventory, f"P-{number}", category="Ropa" if number % 2 else "Hogar")
    clothes = ProductFilter(category="Ropa")

    with pytest.raises(SelectionChanged) as caught:
        change_products(
            inventory, selection=Selection(filter=clothes, expected_count=59), change=SetRetired(True), **new_request()
        )
    saved = change_products(
        inventory, selection=Selection(filter=clothes, expected_count=60), change=SetRetired(True), **new_request()
    )

    assert (caught.value.seen, caught.value.current) == (59, 60)
    assert (saved.changed, saved.unchanged) == (60, 0)
    assert product_page(inventory, clothes).rows == ()
    assert len(product_page(inventory, EVERYTHING, size=100).rows) == 60


@pytest.mark.parametrize(
    ("found", "codes"),
    [
        (ProductFilter(search="mesa"), ["A-1", "B-1"]),
        (ProductFilter(status=Status.LOW_STOCK), ["B-1"]),
        (ProductFilter(location="Principal"), ["A-1"]),
        (ProductFilter(category="-"), ["B-1", "C-1"]),
        (ProductFilter(search="nada"), []),
    ],
)
def test_a_filter_means_the_same_products_as_in_the_list(
    inventory: Inventory, found: ProductFilter, codes: list[str]
) -> None:
    create_product(inventory, "A-1", name="Mesa", category="Hogar", quantity=3)
    create_product(inventory, "B-1", name="Mesa", minimum=2)
    create_product(inventory, "C-1", name="Silla")

    shown = selected_rows(inventory, Selection(filter=found))
    change_products(inventory, selection=Selection(filter=found), change=SetMinimum(77), **new_request())

    assert [row.code for row in shown.rows] == codes
    assert shown.count.number == len(codes)
    assert [row[0] for row in stored(inventory) if row[2] == 77] == codes


def test_more_products_than_one_operation_takes_are_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        Selection(tuple(SelectedProduct(number) for number in range(MAX_SELECTED_PRODUCTS + 1)))

    (fault,) = caught.value.faults
    assert (fault.field, fault.reason, fault.limit) == ("selection", "too_many", MAX_SELECTED_PRODUCTS)


def test_bad_input_is_refused_and_changes_nothing(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    before = stored(inventory)
    selection = chosen(inventory, "A-1")

    for change in (SetCategory("x" * 81), SetCategory("-"), SetMinimum(-1), SetMinimum(10**10)):
        with pytest.raises(InvalidInput):
            change_products(inventory, selection=selection, change=change, **new_request())
    with pytest.raises(InvalidInput):
        change_products(
            inventory, selection=Selection((SelectedProduct(999, 1),)), change=SetMinimum(1), **new_request()
        )
    with pytest.raises(InvalidInput):
        Selection()

    assert stored(inventory) == before


def test_a_product_that_is_named_twice_is_changed_once(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    product_id = get_product(inventory, "A-1").row.id
    selection = Selection((SelectedProduct(product_id, 1), SelectedProduct(product_id, 7)))

    assert change_products(inventory, selection=selection, change=SetMinimum(1), **new_request()).changed == 1


def test_an_undo_restores_the_former_value_of_every_product(inventory: Inventory) -> None:
    create_product(inventory, "A-1", category="Ropa")
    create_product(inventory, "B-1", category="Hogar")
    create_product(inventory, "C-1")
    create_product(inventory, "D-1", category="Jardín")
    selection = chosen(inventory, "A-1", "B-1", "C-1", "D-1")
    changed = change_products(inventory, selection=selection, change=SetCategory("Jardín"), **new_request())

    undone = undo_products_change(inventory, changed_operation=changed.operation, **new_request())

    assert (changed.changed, changed.unchanged, undone.changed) == (3, 1, 3)
    assert [row[1] for row in stored(inventory)] == ["Ropa", "Hogar", None, "Jardín"]
    assert [row.code for row in product_page(inventory, ProductFilter(search="jardin")).rows] == ["D-1"]
    assert verify(inventory).faults == ()


def test_an_undo_of_a_restoration_says_again_when_each_was_retired(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    retire_product(inventory, code="A-1", **new_request())
    question = text("SELECT retired_at FROM inventory_product")
    with inventory.sessions.reader() as session:
        retired_at = session.scalar(question)
    restored = change_products(inventory, selection=chosen(inventory, "A-1"), change=SetRetired(False), **new_request())

    undo_products_change(inventory, changed_operation=restored.operation, **new_request())

    with inventory.sessions.reader() as session:
        assert session.scalar(question) == retired_at


def test_undo_of_bulk_edit_works_once_and_only_as_a_whole(inventory: Inventory) -> None:
    for code in ("A-1", "B-1"):
        create_product(inventory, code)
    changed = change_products(
        inventory, selection=chosen(inventory, "A-1", "B-1"), change=SetMinimum(3), **new_request()
    )
    receive(inventory, code="A-1", quantity=1, **new_request())
    request = new_request()

    first = undo_products_change(inventory, changed_operation=changed.operation, **request)

    assert undo_products_change(inventory, changed_operation=changed.operation, **request) == first
    for operation, reason in ((changed.operation, "already_undone"), (first.operation, "is_undo")):
        with pytest.raises(CannotUndo) as caught:
            undo_products_change(inventory, changed_operation=operation, **new_request())
        assert caught.value.reason == reason


def test_undo_of_bulk_edit_is_refused_if_a_product_was_edited_since(inventory: Inventory) -> None:
    for code in ("A-1", "B-1"):
        create_product(inventory, code)
    changed = change_products(
        inventory, selection=chosen(inventory, "A-1", "B-1"), change=SetMinimum(3), **new_request()
    )
    edit_product(inventory, code="B-1", draft=ProductDraft("B-1", "Silla"), expected_version=2, **new_request())
    before = stored(inventory)

    with pytest.raises(CannotUndo) as caught:
        undo_products_change(inventory, changed_operation=changed.operation, **new_request())

    assert (caught.value.reason, caught.value.product_code) == ("edited_since", "B-1")
    assert stored(inventory) == before


def test_undo_of_bulk_edit_refuses_other_operations(inventory: Inventory) -> None:
    request = new_request()
    create_product(inventory, "A-1", minimum=3)
    receive(inventory, code="A-1", quantity=1, **request)
    same = change_products(inventory, selection=chosen(inventory, "A-1"), change=SetMinimum(3), **new_request())

    for operation in (request["operation"], "never"):
        with pytest.raises(MovementNotFound):
            undo_products_change(inventory, changed_operation=operation, **new_request())
    with pytest.raises(CannotUndo) as caught:
        undo_products_change(inventory, changed_operation=same.operation, **new_request())
    assert caught.value.reason == "changed_nothing"


@pytest.mark.parametrize("change", [SetCategory("Jardín"), SetMinimum(5), SetRetired(True)])
def test_the_statements_are_as_many_for_a_hundred_products_as_for_ten(inventory: Inventory, change: BulkEdit) -> None:
    for number in range(110):
        create_product(inventory, f"P-{number}")
    rows = product_page(inventory, EVERYTHING, size=200).rows
    used = []
    for part in (rows[:10], rows[10:]):
        selection = Selection(tuple(SelectedProduct(row.id, row.version) for row in part))
        with counted_statements() as statements:
            change_products(inventory, selection=selection, change=change, **new_request())
        used.append(len(statements))

    # The first product of a category brings it into being.
    assert used[1] <= used[0] <= 11


CATEGORIES = st.sampled_from([None, "Ropa", "Hogar", "Jardín"])
PRODUCTS = st.lists(st.tuples(CATEGORIES, st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=8)
CHANGES = st.one_of(
    st.builds(SetCategory, CATEGORIES), st.builds(SetMinimum, st.integers(0, 3)), st.builds(SetRetired, st.booleans())
)


@given(products=PRODUCTS, change=CHANGES)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bulk_edit_equals_single_edits_and_its_undo_restores_them(
    tmp_path_factory: pytest.TempPathFactory,
    products: list[tuple[str | None, int, bool, bool]],
    change: BulkEdit,
) -> None:
    folder = tmp_path_factory.mktemp("many")
    for name in ("together", "apart"):
        (folder / name).mkdir()
    with (
        temporary_inventory(folder / "together") as together,
        temporary_inventory(folder / "apart") as apart,
    ):
        codes, _ = (fill(inventory, products) for inventory in (together, apart))
        if not codes:
            return
        before = [row[:4] + row[5:] for row in stored(together)]
        refused = one_by_one(apart, codes, change)
        selection = chosen(together, *codes)
        if refused:
            with pytest.raises(ProductsConflict) as caught:
                change_products(together, selection=selection, change=change, **new_request())
            assert {product.code for product in caught.value.products} == refused
            assert [row[:4] + row[5:] for row in stored(together)] == before
            return
        saved = change_products(together, selection=selection, change=change, **new_request())
        assert stored(together) == stored(apart)
        if saved.changed:
            undo_products_change(together, changed_operation=saved.operation, **new_request())
        assert [row[:4] + row[5:] for row in stored(together)] == before
        assert verify(together).faults == ()


def fill(inventory: Inventory, products: list[tuple[str | None, int, bool, bool]]) -> list[str]:
    """Make the products; give the codes of those that are selected."""
    for number, (category, minimum, retired, _) in enumerate(products):
        create_product(inventory, f"P-{number}", category=category, minimum=minimum)
        if retired:
            retire_product(inventory, code=f"P-{number}", **new_request())
    return [f"P-{number}" for number, (*_, selected) in enumerate(products) if selected]


def one_by_one(inventory: Inventory, codes: list[str], change: BulkEdit) -> set[str]:
    """Make the change to one product after the other; give those that refuse it."""
    refused = set()
    for code in codes:
        row = get_product(inventory, code).row
        if isinstance(change, SetRetired):
            act = retire_product if change.retired else restore_product
            act(inventory, code=code, expected_version=row.version, **new_request())
            continue
        category = change.category if isinstance(change, SetCategory) else row.category
        minimum = change.minimum if isinstance(change, SetMinimum) else row.minimum
        draft = ProductDraft(row.code, row.name, row.description, category, minimum)
        try:
            edit_product(inventory, code=code, draft=draft, expected_version=row.version, **new_request())
        except ProductRetired:
            refused.add(code)
    return refused
