"""The inventory that everything is measured on is a real one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.dataset import build
from benchmarks.vocabulary import RARE_NAME
from inventory_core import Inventory, SingleDatabase
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import count_products, list_categories, list_locations
from inventory_core.verification import verify


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dataset") / "inventory.db"
    build(path, 900, 6_000)
    return path


def test_it_passes_verification_and_has_the_size_that_was_requested(file: Path) -> None:
    sessions = SingleDatabase.from_url(f"sqlite:///{file}")
    found = verify(Inventory(sessions))
    sessions.close()

    assert found.faults == ()
    assert (found.products, found.movements) == (900, 6_000)


def test_it_has_something_for_every_filter(file: Path) -> None:
    sessions = SingleDatabase.from_url(f"sqlite:///{file}")
    inventory = Inventory(sessions)
    filters = [
        *(ProductFilter(status=status) for status in ("available", "out_of_stock", "low_stock", "retired")),
        *(ProductFilter(category=category) for category in ("-", *list_categories(inventory))),
        *(ProductFilter(location=location.name) for location in list_locations(inventory)),
    ]
    places = len(list_locations(inventory))
    numbers = [count_products(inventory, product_filter).number for product_filter in filters]
    rare = count_products(inventory, ProductFilter(RARE_NAME)).number
    sessions.close()

    assert min(numbers) > 0
    assert (places, rare) == (14, 1)


def test_the_same_seed_creates_the_same_inventory(file: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.db", 900, 6_000)
    rows = []
    for path in (file, tmp_path / "again.db"):
        with closing(sqlite3.connect(path)) as connection:
            tables = (
                "inventory_category",
                "inventory_location",
                "inventory_product",
                "inventory_balance",
                "inventory_movement",
                "inventory_operation",
            )
            rows.append([connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables])  # noqa: S608

    assert rows[0] == rows[1]
