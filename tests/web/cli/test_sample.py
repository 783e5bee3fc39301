"""The catalogue that a new user meets first."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from inventory_core import PREDEFINED_CATEGORIES, Inventory, import_table, preview_import, read_table
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import count_products, list_categories, list_locations
from inventory_core.testing import new_request, temporary_inventory
from inventory_core.verification import verify


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    """An inventory with the sample catalogue."""
    with temporary_inventory(tmp_path) as created:
        for name in ("products.csv", "stock.csv"):
            with resources.as_file(resources.files("inventory_web.cli.sample") / name) as path:
                table = read_table(path, filename=name)

                assert preview_import(created, table).faults == ()
                assert table.unused_columns == ()
                import_table(created, table, **new_request())
        yield created


def number(inventory: Inventory, product_filter: ProductFilter) -> int:
    return count_products(inventory, product_filter).number


def test_the_sample_fills_the_predefined_categories_and_no_other(inventory: Inventory) -> None:
    assert list_categories(inventory) == PREDEFINED_CATEGORIES
    assert all(number(inventory, ProductFilter(category=name)) >= 20 for name in PREDEFINED_CATEGORIES)


def test_the_sample_has_something_to_show_in_every_state_and_place(inventory: Inventory) -> None:
    assert number(inventory, ProductFilter(status="available")) > 100
    assert number(inventory, ProductFilter(status="low_stock")) > 10
    assert number(inventory, ProductFilter(status="out_of_stock")) >= 3
    places = [place.name for place in list_locations(inventory)]
    assert len(places) == 3
    assert all(number(inventory, ProductFilter(location=place)) > 10 for place in places)


def test_the_sample_is_consistent(inventory: Inventory) -> None:
    assert verify(inventory).faults == ()
