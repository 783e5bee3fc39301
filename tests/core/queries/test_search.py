"""Whatever is typed, the search finds what plain Python finds, on every way to the rows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory_core import Inventory
from inventory_core.queries import products
from inventory_core.queries.product_query import plan, search
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.product_query.plan import AccessPath, plan_query
from inventory_core.queries.products import ProductCount, count_products, product_page, read_page, stream_products
from inventory_core.testing import temporary_inventory
from tests.core.queries.shelves import Item, codes, expected, put

ITEMS = (
    Item("LAM-1", "Lámpara de mesa", "Luz cálida; 40 W", "Electrónicos"),
    Item("LAM-2", "LAMPARA de pie", "100 % algodón", "Hogar"),
    Item("ÑU-1", "Ñandú", 'Dice "hola" y se va', "Otros"),
    Item("C%_1", "50% más_barato", "barra / y \\ invertida", "Ropa"),
    Item("A*B(C)", "AND OR NOT NEAR", "comillas '' y \"\" dobles", None),
    Item("EMO", "Café ☕ y 🦊 zorro", "niño con ñ y u\u0308ber", "Alimentos"),
    Item("ß", "Straße ﬁn ½", "東京タワー", "Libros"),
    Item("ZZ-9", "zz", "z", "Deportes"),
    Item("NUL", "salto", "uno\ndos\ttres", "Electrónicos"),
    Item("RET", "Lámpara vieja", "", "Hogar", retired=True),
)  # fmt: skip
TEXTS = [text for item in ITEMS for text in (item.code, item.name, item.description, item.category or "") if text]
PIECES = st.sampled_from(TEXTS).flatmap(
    lambda text: st.builds(lambda a, b: text[min(a, b) : max(a, b)], *(st.integers(0, len(text)),) * 2)
)
SIGNS = st.sampled_from(
    [*"%_/\\\"'*()^:-+{}~#.,", "AND", "OR", "NOT", "NEAR(a, 2)", "\0", "\x1b", "🦊", "\u0301", "\ud800"]
)
QUERIES = st.lists(st.one_of(PIECES, PIECES, SIGNS, st.text(max_size=6)), max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path_factory.mktemp("shop")) as inventory:
        put(inventory, ITEMS)
        yield inventory


@given(query=QUERIES)
@example(query="")
@example(query="lampara ele")
@example(query="%")
@example(query="_")
@example(query='"')
@example(query="z" * 10_000)
@example(query=" ".join(str(number) for number in range(4000)))
@example(query="AND")
@example(query="\u0301")
def test_the_search_finds_what_contains_every_word(shop: Inventory, query: str) -> None:
    wanted = expected(ITEMS, ProductFilter(query))

    assert codes(product_page(shop, ProductFilter(query)).rows) == wanted
    assert count_products(shop, ProductFilter(query)) == ProductCount(len(wanted), more=False)
    with stream_products(shop, ProductFilter(query), "name") as rows:
        assert codes(rows) == wanted


@given(query=QUERIES, path=st.sampled_from((AccessPath.PLANNER, AccessPath.ORDER, AccessPath.WHOLE)))
def test_without_its_index_the_search_finds_the_same(shop: Inventory, query: str, path: AccessPath) -> None:
    with shop.sessions.reader() as session:
        question = replace(plan_query(session, ProductFilter(query), "name"), path=path, candidates=None)
        records = read_page(session, question, None, 50)

    assert [record.code for record in records] == expected(ITEMS, ProductFilter(query))


@given(query=QUERIES, near=st.integers(1, 9), further=st.integers(1, 9), candidates=st.booleans())
def test_a_common_word_is_found_on_both_sides_of_the_edge(
    shop: Inventory, query: str, near: int, further: int, candidates: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch, shop.sessions.reader() as session:
        patch.setattr(plan, "FIRST_SCAN_ROWS", near)
        patch.setattr(plan, "SECOND_SCAN_ROWS", further)
        question = replace(plan_query(session, ProductFilter(query), "name"), path=AccessPath.ORDER)
        question = question if candidates else replace(question, candidates=None)
        records = read_page(session, question, None, 50)

    assert [record.code for record in records] == expected(ITEMS, ProductFilter(query))


@given(query=QUERIES, few=st.integers(0, 12))
def test_a_word_in_too_many_products_is_counted_all_the_same(shop: Inventory, query: str, few: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (plan, products, search):
            patch.setattr(module, "MAX_CANDIDATES", few)

        assert count_products(shop, ProductFilter(query)).number == len(expected(ITEMS, ProductFilter(query)))


def test_the_category_can_be_searched(shop: Inventory) -> None:
    assert codes(product_page(shop, ProductFilter("lampara ele")).rows) == ["LAM-1"]


def test_only_the_first_twenty_words_count(shop: Inventory) -> None:
    parts = dict.fromkeys("lampara"[begin : begin + size] for size in (1, 2, 3, 4) for begin in range(8 - size))
    twenty = " ".join(list(parts)[:20])

    assert codes(product_page(shop, ProductFilter(f"{twenty} algodon")).rows) == ["LAM-1", "LAM-2"]
    assert codes(product_page(shop, ProductFilter(f"algodon {twenty}")).rows) == ["LAM-2"]


@pytest.mark.slow
def test_every_short_word_is_found_wherever_it_is(shop: Inventory) -> None:
    """One and two letters are shorter than what is indexed; the last letters of a text begin nothing longer."""
    for size in (1, 2):
        for text in TEXTS:
            for begin in range(len(text) - size + 1):
                query = text[begin : begin + size]
                assert codes(product_page(shop, ProductFilter(query)).rows) == expected(ITEMS, ProductFilter(query))
