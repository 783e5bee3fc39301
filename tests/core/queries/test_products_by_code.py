"""Many products by their codes."""

from inventory_core import Inventory, Status, products_by_code
from inventory_core.queries.products import get_product
from inventory_core.testing import counted_statements
from tests.core.queries.shelves import Item, put


def test_each_known_code_is_returned_as_it_was_written_and_in_the_requested_order(inventory: Inventory) -> None:
    put(inventory, [Item("A-1", stock={"Ático": 2, "Sótano": 3}), Item("b-2", retired=True), Item("Ñu 3")])

    found = products_by_code(inventory, ["  ñu \n 3", "nada", "B-2", "a-1", "A-1", "", "\ud800"])

    assert list(found) == ["  ñu \n 3", "B-2", "a-1", "A-1"]
    assert found["a-1"] == found["A-1"] == get_product(inventory, "A-1")
    assert found["B-2"].row.status is Status.RETIRED


def test_products_by_code_without_codes_returns_nothing(inventory: Inventory) -> None:
    assert products_by_code(inventory, []) == {}


def test_a_thousand_codes_take_four_statements(inventory: Inventory) -> None:
    put(inventory, [Item(f"C-{number}") for number in range(1_000)])

    with counted_statements() as statements:
        found = products_by_code(inventory, [f"c-{number}" for number in range(1_000)])

    assert [product.row.code for product in found.values()] == [f"C-{number}" for number in range(1_000)]
    assert len(statements) == 4
