"""Search, filters, orders and pages give the same answer everywhere, to the last sign and blank.

What has to be found is said by a model in plain Python (`tests.core.queries.shelves`), not by one of the databases.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from inventory_core import (
    Cursor,
    InvalidInput,
    Inventory,
    ProductFilter,
    ProductNotFound,
    count_products,
    export_products,
    export_stock,
    stock_levels,
)
from inventory_core.exporting.export import ExportFormat
from inventory_core.queries.movements import movement_history
from inventory_core.queries.product_query.sorting import PRODUCT_SORTS
from inventory_core.queries.products import get_product, list_categories, list_locations, product_page, stream_products
from inventory_core.verification import verify
from tests.contracts.topologies import SQLiteFiles, Topology
from tests.core.exports.reading import sheets
from tests.core.queries.shelves import Item, codes, expected, put

P, S = "Principal", "Sótano"

ITEMS = [
    Item("A-1", "Lámpara de mesa", "con pantalla", "Electrónicos", 3, {P: 5}, 9),
    Item("a-2", "LAMPARA DE PIE", "", "Electrónicos", 9, {P: 5, S: 2}, 8),
    Item("Á-3", "lampara  antigua", "línea uno\nlínea dos", "Hogar", 0, {S: 0}, 8),
    Item("ñ-4", "Niño", "piñata", "Ropa", 0, {P: 1}, 7),
    Item("n-5", "Nino", "pinata", "Ropa", 2, {P: 1}, 7),
    Item("ß-6", "Straße", "", "Otros", 0, {}, 6),
    Item("ss-7", "STRASSE", "", "Otros", 1, {P: 0, S: 0}, 6),
    Item("😀-8", "Cara 😀😃", "emoji 👩‍👩‍👧", None, 0, {S: 7}, 5),
    Item("e\u0301-9", "cafe\u0301", "con marca", None, 8, {S: 7}, 5),
    Item("É-9b", "café", "precompuesto", None, 0, {}, 5),
    Item("10%", "Descuento 100%", "al 5_por ciento", "Otros", 0, {P: 10}, 4),
    Item("10_", "Descuento 100_", "al 5%por ciento", "Otros", 0, {P: 100}, 4),
    Item("c\\11", "Ruta C:\\nuevo", "barra \\ y \\\\ dos", "Jardín", 5, {P: 9}, 3),
    Item("'12", "O'Higgins", 'dice "hola" `así`', "JARDÍN DE NIÑOS", 0, {P: 2}, 3),
    Item('"13', 'Tubo 3/4"', "'; DROP TABLE product; --", "Jardín", 0, {P: 3}, 2),
    Item("z 14", "zz", "-- comentario /* x */", "Jardín", 0, {P: 4}, 2),
    Item("z14", "ZZ", "#", "Jardín", 0, {P: 4}, 2),
    Item("æ-15", "Ærø", "ligadura", None, 0, {S: 4}, 2),
    Item("ﬁ-16", "ﬁnal ½ Ⅷ", "compatibilidad", None, 1, {}, 1),
    Item("İ-17", "İstanbul \u0131I", "turco", None, 1, {S: 1}, 1),
    Item("中-18", "中文", "漢字かな", "Libros", 0, {P: 1000}, 1),
    Item("ა-19", "ქართული Ქ", "georgiano", "Libros", 0, {P: 1000}, 1),
    Item("Σ-20", "ΟΔΟΣ", "sigma ς final", "Libros", 0, {P: 1000}, 1),
    Item("r-21", "Retirada", "lámpara", "Hogar", 4, {P: 6}, 10, retired=True),
    Item("r-22", "retirada 2", "😀", None, 0, {S: 0}, 0, retired=True),
    Item("{24", "{nombre}", "%(nombre)s :nombre ? $1", None, 0, {S: 3}, 0),
    *(Item(f"m-{number}", "Igual", "", "Deportes", 2, {P: number % 3, S: 1}, 11) for number in range(12)),
]
WORDS = [
    *("", "lampara", "LÁMPARA ele", "ñ", "n", "niño ROPA", "ß", "ss", "strasse", "😀", "👩", "café", "cafe\u0301"),
    *(
        "%",
        "_",
        "100%",
        "5_",
        "\\",
        "\\n",
        "\\\\",
        "c:\\",
        "'",
        "o'h",
        '"',
        '3/4"',
        "`",
        "; drop",
        "--",
        "/*",
        "#",
        "a-",
    ),
    *("æ", "ae", "fi", "½", "1/2", "viii", "i", "\u0131", "istanbul", "中", "漢字", "ქ", "\u03c3", "οδος"),
    *("{nom", "%(nombre)s", ":nombre", "?", "$1", "m-1 igual", "ausente", "uno línea"),
]
FILTERS = [
    *(ProductFilter(word) for word in WORDS),
    *(ProductFilter(status=status) for status in ("available", "out_of_stock", "low_stock", "retired")),
    *(
        ProductFilter(location=place, status=status)
        for place in (P, "sotano")
        for status in (None, "available", "retired")
    ),
    *(ProductFilter(category=name) for name in ("electronicos", "JARDIN", "jardin de ninos", "-", "ninguna", "Jard%")),
    *(ProductFilter(location="ático", status=status) for status in ("out_of_stock", None)),
    ProductFilter("igual", "deportes", "low_stock", P),
    ProductFilter("lampara", status="retired"),
    ProductFilter("a", location=S, status="out_of_stock"),
    ProductFilter("i", "-", "available"),
]


@pytest.fixture(scope="module")
def shop(topology: Topology) -> Iterator[Inventory]:
    with topology.database() as database:
        inventory = Inventory(database.sessions)
        put(inventory, ITEMS)
        yield inventory


@pytest.fixture(scope="module")
def on_sqlite(sqlite: SQLiteFiles) -> Iterator[Inventory]:
    with sqlite.database() as database:
        inventory = Inventory(database.sessions)
        put(inventory, ITEMS)
        yield inventory


def pages(inventory: Inventory, product_filter: ProductFilter, sort: str, size: int) -> list[str]:
    found: list[str] = []
    after: Cursor | None = None
    while True:
        page = product_page(inventory, product_filter, sort, after, size)
        found += codes(page.rows)
        if page.next is None:
            return found
        after = Cursor.parse(str(page.next))


@pytest.mark.slow
@pytest.mark.parametrize("sort", PRODUCT_SORTS)
def test_every_filter_in_every_order_returns_the_pages_of_the_model(shop: Inventory, sort: str) -> None:
    for product_filter in FILTERS:
        wanted = expected(ITEMS, product_filter, sort)
        size = 7 if len(wanted) > 7 else 1

        assert pages(shop, product_filter, sort, size) == wanted, (product_filter, sort)


@pytest.mark.slow
def test_counts_and_streams_are_of_the_same_products(shop: Inventory) -> None:
    for product_filter in FILTERS:
        wanted = expected(ITEMS, product_filter, "-changed")
        with stream_products(shop, product_filter, "-changed") as rows:
            assert codes(rows) == wanted, product_filter
        assert count_products(shop, product_filter).number == len(wanted), product_filter
        counted = count_products(shop, product_filter, cap=2)
        assert (counted.number, counted.more) == (min(len(wanted), 2), len(wanted) > 2)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_each_product_is_found_by_its_code_and_shown_as_it_was_written(shop: Inventory, item: Item) -> None:
    found = get_product(shop, item.code)

    row = found.row
    assert (row.code, row.name, row.description, row.total) == (item.code, item.name, item.description, item.total)
    assert dict(found.balances) == item.stock


@pytest.mark.parametrize("code", ["A-1 x", "", "%", "A_1", "a-1\\", "\ud800", "x" * 500, "A-1\0"])
def test_a_code_that_does_not_exist_is_not_found(shop: Inventory, code: str) -> None:
    with pytest.raises(ProductNotFound):
        get_product(shop, code)
    with pytest.raises(ProductNotFound):
        movement_history(shop, code=code)


@pytest.mark.parametrize("word", ["\ud800", "a\0b", "x" * 5000, "ﷺ" * 300, "\u0301", "\u00ad"])
def test_an_odd_search_finds_what_the_model_finds(shop: Inventory, word: str) -> None:
    product_filter = ProductFilter(word)

    assert pages(shop, product_filter, "name", 50) == expected(ITEMS, product_filter)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("quantity", 2**63 - 1),
        ("quantity", -(2**63) + 1),
        ("changed", datetime.min.replace(tzinfo=UTC)),
        ("changed", datetime.max.replace(tzinfo=UTC)),
        ("name", "\U0010ffff" * 300),
        ("code", "\\%_'\""),
    ],
)
def test_cursor_may_be_a_place_that_no_product_has(
    shop: Inventory, on_sqlite: Inventory, sort: str, value: str | int | datetime
) -> None:
    for order in (sort, f"-{sort}"):
        answers = [
            codes(product_page(inventory, ProductFilter(), order, Cursor(value, 5), 100).rows)
            for inventory in (shop, on_sqlite)
        ]

        assert answers[0] == answers[1], order


@pytest.mark.parametrize("value", [10**30, -(10**30)])
def test_cursor_beyond_what_a_database_can_hold_is_refused(shop: Inventory, value: int) -> None:
    for cursor in (Cursor(value, 5), Cursor(5, 10**30)):
        with pytest.raises(InvalidInput):
            product_page(shop, ProductFilter(), "quantity", cursor)
        with pytest.raises(InvalidInput):
            Cursor.parse(str(cursor))


def test_names_are_offered_in_the_same_order(shop: Inventory, on_sqlite: Inventory) -> None:
    assert list_categories(shop) == list_categories(on_sqlite)
    assert list_locations(shop) == list_locations(on_sqlite)


@pytest.mark.parametrize("product_filter", FILTERS[50:], ids=str)
def test_stock_levels_are_the_same(shop: Inventory, on_sqlite: Inventory, product_filter: ProductFilter) -> None:
    answers = []
    for inventory in (shop, on_sqlite):
        with stock_levels(inventory, product_filter) as rows:
            answers.append(list(rows))

    assert answers[0] == answers[1]


@pytest.mark.parametrize("product_filter", [ProductFilter(), ProductFilter(location=S), ProductFilter("a")], ids=str)
def test_export_of_csv_is_equal_byte_for_byte(
    shop: Inventory, on_sqlite: Inventory, product_filter: ProductFilter
) -> None:
    for export in (export_products, export_stock):
        files = [exported(export, inventory, product_filter, "csv") for inventory in (shop, on_sqlite)]

        assert files[0] == files[1]
        assert len(list(csv.reader(io.StringIO(files[0].decode("utf-8-sig")), delimiter=";"))) > 3


def test_export_of_workbooks_is_equal_cell_for_cell(shop: Inventory, on_sqlite: Inventory) -> None:
    for export in (export_products, export_stock):
        files = [exported(export, inventory, ProductFilter(), "xlsx") for inventory in (shop, on_sqlite)]

        assert sheets(files[0]) == sheets(files[1])


def test_verify_finds_only_that_ledger_and_revisions_were_never_written(shop: Inventory) -> None:
    assert {fault.check for fault in verify(shop).faults} == {
        "balance is the sum of its movements",
        "each version has a revision",
    }


def exported(export: object, inventory: Inventory, product_filter: ProductFilter, kind: ExportFormat) -> bytes:
    file = io.BytesIO()
    export(inventory, product_filter, file, kind)  # type: ignore[operator]
    return file.getvalue()
