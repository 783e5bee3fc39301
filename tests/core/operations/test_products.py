import pytest
from sqlalchemy import text

from inventory_core import (
    DuplicateCode,
    EditConflict,
    InvalidInput,
    Inventory,
    LocationNotFound,
    ProductDraft,
    ProductNotFound,
    ProductRetired,
    ProductSaved,
    edit_product,
    register_product,
)
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.rules.texts import search_text
from inventory_core.stock.operations import issue
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify

HOSTILE = "<b onclick='x'>\"'; DROP TABLE product; -- %_\\"


def test_a_product_is_registered_with_an_initial_quantity(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    draft = ProductDraft(" Ab-1 ", "Lámpara", "de mesa", "Electrónicos", 2)

    saved = register_product(inventory, draft=draft, quantity=4, location="sótano", **new_request())

    assert saved == ProductSaved("Ab-1", 1, 4)
    assert rows(inventory, "SELECT kind, quantity, balance_after, location_id FROM inventory_movement") == [
        ("receive", 4, 4, 2)
    ]
    assert rows(inventory, "SELECT name, search_text FROM inventory_product") == [
        ("Lámpara", search_text("Ab-1", "Lámpara", "de mesa", "Electrónicos"))
    ]
    assert verify(inventory).faults == ()


@pytest.mark.parametrize("code", ["ab-1", "AB-1", "\uff21\uff22-1", " Ab-1"])
def test_a_code_can_be_taken_once_in_whatever_case(inventory: Inventory, code: str) -> None:
    create_product(inventory, "Ab-1")

    with pytest.raises(DuplicateCode) as caught:
        create_product(inventory, code, quantity=3)

    assert caught.value.product_code == code.strip()
    assert rows(inventory, "SELECT count(*) FROM inventory_product") == [(1,)]
    assert rows(inventory, "SELECT count(*) FROM inventory_movement") == [(0,)]


def test_a_category_is_created_once_whatever_its_case_and_accents(inventory: Inventory) -> None:
    before = rows(inventory, "SELECT count(*) FROM inventory_category")[0][0]

    create_product(inventory, category="Jardinería")
    create_product(inventory, category="JARDINERIA")
    create_product(inventory, category="electronicos")

    assert rows(inventory, "SELECT count(*) FROM inventory_category") == [(int(str(before)) + 1,)]
    assert rows(
        inventory,
        "SELECT DISTINCT c.name FROM inventory_product p JOIN inventory_category c ON c.id = p.category_id ORDER BY 1",
    ) == [
        ("Electrónicos",),
        ("Jardinería",),
    ]


def test_every_fault_of_a_registration_is_reported_at_once_and_nothing_is_written(inventory: Inventory) -> None:
    with pytest.raises(InvalidInput) as caught:
        register_product(inventory, draft=ProductDraft("", ""), quantity=-1, actor="ana", operation="")

    assert [fault.field for fault in caught.value.faults] == ["code", "name", "quantity", "operation"]
    assert rows(inventory, "SELECT count(*) FROM inventory_operation") == [(0,)]


def test_an_unknown_location_refuses_the_whole_registration(inventory: Inventory) -> None:
    with pytest.raises(LocationNotFound):
        create_product(inventory, "A-1", category="Nueva", location="Tejado")

    assert rows(inventory, "SELECT count(*) FROM inventory_product") == [(0,)]
    assert rows(inventory, "SELECT count(*) FROM inventory_category WHERE name = 'Nueva'") == [(0,)]


def test_markup_and_statements_are_stored_as_text(inventory: Inventory) -> None:
    create_product(inventory, HOSTILE, name=HOSTILE, description=HOSTILE, category=HOSTILE)

    assert rows(inventory, "SELECT code, name, description FROM inventory_product") == [(HOSTILE,) * 3]
    assert verify(inventory).faults == ()


def test_an_edit_replaces_the_fields_and_raises_the_version(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=4)
    draft = ProductDraft("B-2", "Otra", "x", "Ropa", 9)

    saved = edit_product(inventory, code="a-1", draft=draft, expected_version=1, **new_request())

    assert saved == ProductSaved("B-2", 2, 4)
    with pytest.raises(ProductNotFound):
        issue(inventory, code="A-1", quantity=1, **new_request())
    assert verify(inventory).faults == ()


def test_an_edit_may_change_the_case_of_its_own_code(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    assert edit_product(
        inventory, code="A-1", draft=ProductDraft("a-1", "x"), expected_version=1, **new_request()
    ) == ProductSaved("a-1", 2, 0)


def test_an_edit_that_differs_in_nothing_keeps_the_version(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Mesa", category="Hogar")

    saved = edit_product(
        inventory, code="A-1", draft=ProductDraft("A-1", "Mesa", category="hogar"), expected_version=1, **new_request()
    )

    assert saved.version == 1


def test_an_edit_on_an_old_version_reports_both_versions(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    edit_product(inventory, code="A-1", draft=ProductDraft("A-1", "uno"), expected_version=1, **new_request())

    with pytest.raises(EditConflict) as caught:
        edit_product(inventory, code="A-1", draft=ProductDraft("A-1", "dos"), expected_version=1, **new_request())

    assert (caught.value.expected_version, caught.value.current_version) == (1, 2)
    assert rows(inventory, "SELECT name FROM inventory_product") == [("uno",)]


def test_an_edit_cannot_take_the_code_of_another_product(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    create_product(inventory, "B-2")

    with pytest.raises(DuplicateCode):
        edit_product(inventory, code="B-2", draft=ProductDraft("a-1", "x"), expected_version=1, **new_request())


def test_a_retired_product_keeps_its_stock_and_is_edited_only_after_it_is_restored(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=4)

    retired = retire_product(inventory, code="A-1", expected_version=1, **new_request())
    with pytest.raises(ProductRetired):
        edit_product(inventory, code="A-1", draft=ProductDraft("A-1", "x"), expected_version=2, **new_request())
    restored = restore_product(inventory, code="A-1", **new_request())

    assert retired == ProductSaved("A-1", 2, 4)
    assert restored == ProductSaved("A-1", 3, 4)
    assert edit_product(
        inventory, code="A-1", draft=ProductDraft("A-1", "x"), expected_version=3, **new_request()
    ) == ProductSaved("A-1", 4, 4)


def test_retiring_twice_leaves_the_product_as_it_is(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    retire_product(inventory, code="A-1", **new_request())

    assert retire_product(inventory, code="A-1", **new_request()) == ProductSaved("A-1", 2, 0)


def test_a_product_that_a_user_edited_is_not_retired_on_its_old_version(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    edit_product(inventory, code="A-1", draft=ProductDraft("A-1", "uno"), expected_version=1, **new_request())

    with pytest.raises(EditConflict):
        retire_product(inventory, code="A-1", expected_version=1, **new_request())


def test_a_retired_product_still_holds_its_code(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(DuplicateCode):
        create_product(inventory, "A-1")


def rows(inventory: Inventory, statement: str) -> list[tuple[object, ...]]:
    with inventory.sessions.reader() as session:
        return [tuple(row) for row in session.execute(text(statement))]
