from inventory_core import Inventory
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import StockRow, stock_levels
from tests.core.queries.shelves import Item, put

ITEMS = (
    Item("B-2", "Vaso", stock={"Sótano": 1, "Principal": 0}),
    Item("A-1", "Taza", stock={"Principal": 7, "Ático": 2}),
    Item("C-3", "Plato"),
    Item("D-4", "Taza rota", stock={"Principal": 1}, retired=True),
)


def levels(inventory: Inventory, product_filter: ProductFilter) -> list[StockRow]:
    with stock_levels(inventory, product_filter) as rows:
        return list(rows)


def test_every_balance_is_a_row_by_code_and_location(inventory: Inventory) -> None:
    put(inventory, ITEMS)

    assert levels(inventory, ProductFilter()) == [
        StockRow("A-1", "Taza", "Ático", 2),
        StockRow("A-1", "Taza", "Principal", 7),
        StockRow("B-2", "Vaso", "Principal", 0),
        StockRow("B-2", "Vaso", "Sótano", 1),
    ]


def test_the_filter_of_the_list_holds_for_the_balances(inventory: Inventory) -> None:
    put(inventory, ITEMS)

    assert levels(inventory, ProductFilter("taza")) == levels(inventory, ProductFilter())[:2]
    assert levels(inventory, ProductFilter(location="principal", status="available")) == [
        StockRow("A-1", "Taza", "Principal", 7)
    ]
    assert levels(inventory, ProductFilter(status="retired")) == [StockRow("D-4", "Taza rota", "Principal", 1)]
