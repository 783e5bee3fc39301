"""The queries: a long table takes no more statements than a short one, and the whole list is never sorted."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from inventory_core import Cursor, Inventory
from inventory_core.queries.movements import movement_history
from inventory_core.queries.product_query import plan as query_plan
from inventory_core.queries.product_query import search
from inventory_core.queries.product_query.filters import ProductFilter, row_columns
from inventory_core.queries.product_query.plan import plan_query
from inventory_core.queries.product_query.sorting import PRODUCT_SORTS
from inventory_core.queries.products import count_products, get_product, product_page, stock_levels, stream_products
from inventory_core.testing import counted_statements, create_product, temporary_inventory
from tests.core.queries.shelves import BEGIN, Item, put

FILTERS = (
    ProductFilter(),
    ProductFilter("caja"),
    ProductFilter("caja a o"),
    ProductFilter(category="Ropa", status="low_stock"),
    ProductFilter("caja", location="Principal"),
)
PLACES: dict[str, str | int | datetime] = {"name": "caja", "code": "c-1", "quantity": 4, "changed": BEGIN}


def shop_of(inventory: Inventory, size: int) -> None:
    put(
        inventory,
        [
            Item(f"C-{number}", f"Caja {number % 9}", "", "Ropa", number % 3, {"Principal": number % 5})
            for number in range(size)
        ],
    )


@pytest.fixture(scope="module")
def long_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path_factory.mktemp("long")) as inventory:
        shop_of(inventory, 2_000)
        yield inventory


@pytest.fixture(scope="module")
def short_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path_factory.mktemp("short")) as inventory:
        shop_of(inventory, 60)
        yield inventory


@pytest.mark.parametrize("product_filter", FILTERS, ids=str)
def test_a_long_list_takes_as_many_statements_as_a_short_one(
    short_shop: Inventory, long_shop: Inventory, product_filter: ProductFilter
) -> None:
    numbers = []
    for shop in (short_shop, long_shop):
        with counted_statements() as statements:
            product_page(shop, product_filter)
            count_products(shop, product_filter)
            with stream_products(shop, product_filter) as rows, stock_levels(shop, product_filter) as levels:
                assert list(rows)
                assert list(levels)
        numbers.append(len(statements))

    assert numbers[0] == numbers[1]


def test_no_page_takes_more_than_a_handful_of_statements(long_shop: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names to look up, two words of two letters, the index, the location twice, and the page in five parts."""
    for module in (query_plan, search):
        monkeypatch.setattr(module, "MAX_CANDIDATES", 0)
    monkeypatch.setattr(query_plan, "FIRST_SCAN_ROWS", 5)
    with counted_statements() as statements:
        product_page(long_shop, ProductFilter("ca aj", "Ropa", "low_stock", "Principal"), "changed", count_up_to=5)

    assert 3 < len(statements) <= 12


@pytest.mark.parametrize("sort", PRODUCT_SORTS)
@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])
@pytest.mark.parametrize(
    "product_filter", [ProductFilter(), ProductFilter(status="low_stock"), ProductFilter(category="Ropa")], ids=str
)
def test_a_list_is_read_from_the_index_of_its_order(
    long_shop: Inventory, sort: str, deep: bool, product_filter: ProductFilter
) -> None:
    after = Cursor(PLACES[sort.removeprefix("-")], 1) if deep else None
    plan = _plan(long_shop, product_filter, sort, after)

    assert f"USING INDEX ix_inventory_product_by_{sort.removeprefix('-')} (retired_at=?" in plan
    assert "TEMP B-TREE" not in plan
    if deep:
        assert re.search(r"\(retired_at=\? AND \w+[<>]\?\)", plan)


@pytest.mark.parametrize("sort", ["quantity", "-quantity"])
def test_a_list_by_the_quantity_in_a_large_location_is_read_from_the_index_of_its_balances(
    long_shop: Inventory, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_plan, "MAX_CANDIDATES", 100)
    plan = _plan(long_shop, ProductFilter(location="Principal"), sort, Cursor(3, 40))

    assert (
        "inventory_balance USING COVERING INDEX ix_inventory_balance_location_id_quantity_product_id (location_id=? AND (quantity"
        in plan
    )
    assert "TEMP B-TREE" not in plan


def test_a_rare_word_is_looked_up_in_the_search_index(long_shop: Inventory) -> None:
    with counted_statements() as statements:
        plan = _plan(long_shop, ProductFilter("caja c-1234"), "name", None)

    assert sum("MATCH" in statement for statement in statements) == 1
    assert "VIRTUAL TABLE INDEX" in plan
    assert "SEARCH inventory_product USING INTEGER PRIMARY KEY (rowid=?)" in plan


def test_what_a_category_has_in_a_location_is_found_by_two_indexes_in_step(
    long_shop: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_plan, "MAX_CANDIDATES", 100)
    with counted_statements() as statements:
        product_page(long_shop, ProductFilter(category="Ropa", location="Principal"))
    (both,) = (statement for statement in statements if "json_group_array" in statement)
    with long_shop.sessions.reader() as session:
        given = text(both.replace("?", "1"))
        plan = [row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {given}"))]

    assert "SEARCH inventory_product USING COVERING INDEX ix_inventory_product_category_id (category_id=?)" in plan
    assert "SEARCH inventory_balance USING PRIMARY KEY (product_id=? AND location_id=?)" in plan


def test_a_count_on_the_first_page_of_a_common_word_takes_no_statement_of_its_own(
    long_shop: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (query_plan, search):
        monkeypatch.setattr(module, "MAX_CANDIDATES", 0)
    numbers = []
    for cap in (None, 500):
        with counted_statements() as statements:
            product_page(long_shop, ProductFilter("caja"), count_up_to=cap)
        numbers.append(len(statements))

    assert numbers[0] == numbers[1]


def test_a_product_and_its_history_take_two_statements_each(inventory: Inventory) -> None:
    code = create_product(inventory, quantity=5).code
    with counted_statements() as details:
        get_product(inventory, code)
    with counted_statements() as history:
        movement_history(inventory, code=code)

    assert (len(details), len(history)) == (2, 2)


def _plan(inventory: Inventory, product_filter: ProductFilter, sort: str, after: Cursor | None) -> str:
    with inventory.sessions.reader() as session:
        question = plan_query(session, product_filter, sort)
        statement = question.in_order(row_columns(question.resolved)).limit(51)
        if after is not None:
            statement = statement.where(question.beyond(after))
        compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        return "\n".join(row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))
