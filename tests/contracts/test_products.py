"""Products, categories and locations, one by one and at the same instant."""

from collections.abc import Callable

import pytest

from inventory_core import (
    DuplicateCode,
    EditConflict,
    InvalidInput,
    Inventory,
    ProductDraft,
    ProductNotFound,
    ProductRetired,
    edit_product,
    products_by_code,
    register_product,
)
from inventory_core.catalog.locations import add_location
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.queries.products import get_product, list_categories, list_locations
from inventory_core.stock.operations import receive
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify
from tests.contracts.at_once import at_once
from tests.contracts.conftest import MakeInventory


def said(act: Callable[[], object]) -> str:
    """What came of it, in one word."""
    try:
        act()
    except (DuplicateCode, EditConflict, InvalidInput) as refusal:
        return type(refusal).__name__
    return "done"


def test_a_new_inventory_offers_its_first_names(inventory: Inventory) -> None:
    assert list_categories(inventory)[:3] == ("Electrónicos", "Ropa", "Alimentos")
    assert [(row.name, row.is_default) for row in list_locations(inventory)] == [("Principal", True)]


@pytest.mark.parametrize("typed", ["a-1", "A-1", " A-1 ", "\uff21-1"])
def test_a_code_is_taken_in_whatever_case_or_width_it_is_typed(inventory: Inventory, typed: str) -> None:
    create_product(inventory, "A-1")

    with pytest.raises(DuplicateCode):
        create_product(inventory, typed)

    assert get_product(inventory, typed).row.code == "A-1"


def test_many_codes_are_looked_up_at_once_in_whatever_case_they_are_typed(inventory: Inventory) -> None:
    for code in ("A-1", "ñ-1", "Ñ-2"):
        create_product(inventory, code, quantity=4)

    found = products_by_code(inventory, [" a-1 ", "n-1", "Ñ-1", "ñ-2", "\U0001f4e6", "\ud800"])

    assert {requested: product.row.code for requested, product in found.items()} == {
        " a-1 ": "A-1",
        "Ñ-1": "ñ-1",
        "ñ-2": "Ñ-2",
    }
    assert found["ñ-2"] == get_product(inventory, "Ñ-2")
    assert [quantity for _, quantity in found["ñ-2"].balances] == [4]


@pytest.mark.parametrize("other", ["Á-1", "A-1.", "A 1", "AA-1", "ß-1", "ñ-1"])
def test_a_code_that_differs_in_an_accent_or_a_sign_is_another_one(inventory: Inventory, other: str) -> None:
    for code in ("A-1", "ss-2", "n-1", other):
        create_product(inventory, code)

    assert get_product(inventory, other.upper()).row.code == other


def test_an_edit_of_an_older_version_is_a_conflict_with_both(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Mesa")
    draft = ProductDraft("A-2", "Silla", "de pino", "Jardín", 4)
    saved = edit_product(inventory, code="a-1", draft=draft, expected_version=1, **new_request())

    with pytest.raises(EditConflict) as caught:
        edit_product(inventory, code="A-2", draft=draft, expected_version=1, **new_request())

    assert (saved.code, saved.version, caught.value.expected_version, caught.value.current_version) == ("A-2", 2, 1, 2)
    with pytest.raises(ProductNotFound):
        get_product(inventory, "A-1")


def test_a_code_of_another_product_cannot_be_taken_by_an_edit(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Mesa")
    create_product(inventory, "B-1")

    with pytest.raises(DuplicateCode):
        edit_product(inventory, code="A-1", draft=ProductDraft("b-1", "Mesa"), expected_version=1, **new_request())

    assert get_product(inventory, "A-1").row.version == 1


def test_a_retired_product_is_left_alone_until_it_is_restored(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=3)
    retire_product(inventory, code="A-1", **new_request())

    with pytest.raises(ProductRetired):
        receive(inventory, code="A-1", quantity=1, **new_request())
    restored = restore_product(inventory, code="A-1", expected_version=2, **new_request())

    assert (restored.version, restored.quantity) == (3, 3)
    assert receive(inventory, code="A-1", quantity=1, **new_request()).total == 4


def test_one_code_registered_at_the_same_instant_is_one_product_and_refusals(make_inventory: MakeInventory) -> None:
    instances = [make_inventory() for _ in range(2)]

    def register(which: int) -> str:
        draft = ProductDraft("A-1" if which % 2 else "a-1", "Mesa", category="Jardín")
        return said(lambda: register_product(instances[which % 2], draft=draft, quantity=3, **new_request()))

    outcomes = at_once(6, register)

    assert sorted(outcomes) == ["DuplicateCode"] * 5 + ["done"]
    assert get_product(instances[0], "A-1").row.total == 3
    assert verify(instances[0]).faults == ()


def test_edits_of_one_version_at_the_same_instant_are_one_edit_and_conflicts(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    def edit(which: int) -> str:
        draft = ProductDraft("A-1", f"Mesa {which}")
        return said(lambda: edit_product(inventory, code="A-1", draft=draft, expected_version=1, **new_request()))

    assert sorted(at_once(6, edit)) == ["EditConflict"] * 5 + ["done"]
    assert get_product(inventory, "A-1").row.version == 2


def test_a_category_that_many_type_at_the_same_instant_is_one(make_inventory: MakeInventory) -> None:
    instances = [make_inventory() for _ in range(4)]
    names = ("Jardín", "JARDIN", "jardín", "Jardin")

    at_once(8, lambda which: create_product(instances[which % 4], f"P-{which}", category=names[which % 4]))

    further = list_categories(instances[0])[7:]
    assert len(further) == 1
    assert further[0] in names
    assert verify(instances[0]).faults == ()


def test_a_location_that_many_add_at_the_same_instant_is_one_and_refusals(inventory: Inventory) -> None:
    names = ("Sótano", "SOTANO", "sótano")

    outcomes = at_once(6, lambda which: said(lambda: add_location(inventory, name=names[which % 3], **new_request())))

    assert sorted(outcomes) == ["InvalidInput"] * 5 + ["done"]
    assert len(list_locations(inventory)) == 2


def test_different_products_registered_at_the_same_instant_are_all_there(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")

    at_once(12, lambda which: create_product(inventory, f"P-{which}", category=f"C {which % 3}", quantity=which))

    assert sum(get_product(inventory, f"P-{which}").row.total for which in range(12)) == sum(range(12))
    assert verify(inventory).faults == ()
