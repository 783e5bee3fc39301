"""Pages follow one another without a gap or a repetition, whatever the order, the filter and the neighbours do."""

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory_core import Cursor, InvalidInput, Inventory
from inventory_core.models import BALANCE, PRODUCT
from inventory_core.queries.product_query import plan, search
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.product_query.plan import AccessPath, plan_query
from inventory_core.queries.product_query.sorting import PRODUCT_SORTS
from inventory_core.queries.products import ProductCount, count_products, product_page, read_page, stream_products
from inventory_core.rules.products import WITHOUT_CATEGORY
from inventory_core.testing import temporary_inventory
from tests.core.queries.shelves import BEGIN, Item, codes, expected, put

DICE = random.Random(7)
ITEMS = tuple(
    Item(
        f"{DICE.choice('ABab')}-{number}",
        DICE.choice(("Caja", "caja", "Cája", "Zapato", "zapato rojo", "Árbol")),
        DICE.choice(("", "de madera", "de acero y madera")),
        DICE.choice((None, "Ropa", "Hogar")),
        DICE.choice((0, 0, 3)),
        {place: DICE.choice((0, 1, 1, 5)) for place in ("Principal", "Sótano", "Ático") if DICE.random() < 0.5},
        DICE.randint(0, 5),
        DICE.random() < 0.2,
    )
    for number in range(80)
)
FILTERS = st.builds(
    ProductFilter,
    st.sampled_from(("", "", "caja", "zapato madera", "a", "no hay")),
    st.sampled_from((None, None, "ropa", WITHOUT_CATEGORY, "no hay")),
    st.sampled_from((None, None, "available", "out_of_stock", "low_stock", "retired")),
    st.sampled_from((None, None, "principal", "SOTANO", "no hay")),
)
ORDERS = st.sampled_from(PRODUCT_SORTS)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path_factory.mktemp("shop")) as inventory:
        put(inventory, ITEMS)
        yield inventory


@given(
    product_filter=FILTERS,
    sort=ORDERS,
    size=st.integers(1, 30),
    few=st.sampled_from((0, 3, 5000)),
    near=st.integers(1, 20),
)
def test_the_pages_together_are_the_whole_list_in_its_order(
    shop: Inventory, product_filter: ProductFilter, sort: str, size: int, few: int, near: int
) -> None:
    """The limits between few and many are set so low that every way to the rows is taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MAX_CANDIDATES", few)
        patch.setattr(search, "MAX_CANDIDATES", few)
        patch.setattr(plan, "FIRST_SCAN_ROWS", near)
        found = _all_pages(shop, product_filter, sort, size)
        with stream_products(shop, product_filter, sort) as rows:
            streamed = codes(rows)

    assert found == streamed == expected(ITEMS, product_filter, sort)


@pytest.mark.slow
@given(product_filter=FILTERS, sort=ORDERS, start=st.integers(0, 20))
def test_cursor_returns_the_same_page_in_every_way(
    shop: Inventory, product_filter: ProductFilter, sort: str, start: int
) -> None:
    with shop.sessions.reader() as session:
        question = plan_query(session, product_filter, sort)
        whole = read_page(session, question, None, 100)
        after = Cursor(whole[start][0], whole[start].id) if start < len(whole) else None
        pages = [
            [record.code for record in read_page(session, replace(question, path=way, candidates=None), after, 10)]
            for way in AccessPath
            if (way is not AccessPath.IDS) and (way is not AccessPath.PLACE or product_filter.location)
        ]

    wanted = expected(ITEMS, product_filter, sort)
    assert pages == [wanted[start + 1 if after else 0 :][:10]] * len(pages)


@pytest.mark.slow
@pytest.mark.parametrize(("sort", "place"), [*product(PRODUCT_SORTS, (None, "Principal"))])
def test_what_stays_is_seen_once_while_others_come_go_and_change(
    inventory: Inventory, sort: str, place: str | None
) -> None:
    rng = random.Random(sort)
    items = [
        Item(f"P-{number:03}", rng.choice("abc"), stock={"Principal": rng.randint(0, 3)}, hours=rng.randint(0, 3))
        for number in range(60)
    ]
    put(inventory, items)
    wanted = expected(items, ProductFilter(location=place), sort)
    shaken = set(rng.sample(wanted, 20))
    seen: list[str] = []
    after = None
    for turn in range(100):
        page = product_page(inventory, ProductFilter(location=place), sort, after, 4)
        seen += [row.code for row in page.rows if row.code.startswith("P-")]
        _shake(inventory, sorted(shaken)[turn % 20])
        put(inventory, [Item(f"NEW-{turn}", rng.choice("abc"), stock={"Principal": turn % 4}, hours=turn % 4)])
        after = page.next
        if after is None:
            break

    assert [code for code in seen if code not in shaken] == [code for code in wanted if code not in shaken]


def test_page_says_whether_it_is_the_first_and_has_the_next_cursor(inventory: Inventory) -> None:
    put(inventory, [Item(f"P-{number}", "same name") for number in range(4)])

    first = product_page(inventory, ProductFilter(), size=2)
    last = product_page(inventory, ProductFilter(), after=first.next, size=2)

    assert (first.first, codes(first.rows), first.next) == (True, ["P-0", "P-1"], Cursor("same name", 2))
    assert (last.first, codes(last.rows), last.next) == (False, ["P-2", "P-3"], None)


@given(sort=ORDERS, size=st.integers(1, 20))
def test_a_cursor_survives_an_address(shop: Inventory, sort: str, size: int) -> None:
    after = product_page(shop, ProductFilter(), sort, size=size).next

    assert after is not None
    assert Cursor.parse(str(after)) == after
    assert str(after).replace("-", "").replace("_", "").isalnum()


@given(text=st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{0,40}\Z"), sort=ORDERS)
def test_a_cursor_from_elsewhere_is_refused_or_harmless(shop: Inventory, text: str, sort: str) -> None:
    try:
        page = product_page(shop, ProductFilter(), sort, Cursor.parse(text), 1)
    except InvalidInput:
        return

    assert page.first is False


@given(
    value=st.none() | st.text() | st.integers(-(2**63) + 1, 2**63 - 1) | st.datetimes(timezones=st.just(UTC)),
    row_id=st.integers(0, 2**63 - 1) | st.text(),
)
def test_a_cursor_is_parsed_from_its_text(value: str | int | datetime | None, row_id: int | str) -> None:
    cursor = Cursor(value, row_id)

    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "parts",
    [
        "[true,1]",
        "[1,true]",
        "[1,null]",
        "[1,1.5]",
        "[1.5,1]",
        "[1]",
        "[]",
        "3",
        "{}",
        '["a",1,"date"]',
        '["a",1,[]]',
        '[5,1,"time"]',
    ],
)
def test_a_crafted_cursor_is_refused(parts: str) -> None:
    with pytest.raises(InvalidInput, match="after: unknown"):
        Cursor.parse(base64.urlsafe_b64encode(parts.encode()).decode())


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("name", "\ud800"),
        ("quantity", 2**63),
        ("quantity", 10**5000),
        ("changed", datetime(2026, 1, 1)),  # noqa: DTZ001 - without a zone on purpose
        ("changed", "0001-01-01T00:00:00+12:00"),
    ],
    ids=["surrogate", "too large", "huge", "naive", "text"],
)
def test_a_cursor_that_no_database_holds_is_refused(shop: Inventory, sort: str, value: str | int | datetime) -> None:
    with pytest.raises(InvalidInput, match="after: unknown"):
        product_page(shop, ProductFilter(), sort, Cursor(value, 1))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00", "2026-13-01"])
def test_a_time_outside_the_calendar_is_not_a_cursor(text: str) -> None:
    with pytest.raises(InvalidInput, match="after: unknown"):
        Cursor.parse(base64.urlsafe_b64encode(json.dumps([text, 1, "time"]).encode()).decode())


def test_a_cursor_of_another_order_is_refused(shop: Inventory) -> None:
    after = product_page(shop, ProductFilter(), "name", size=1).next
    assert after is not None

    for sort in ("quantity", "-changed"):
        with pytest.raises(InvalidInput, match="after: unknown"):
            product_page(shop, ProductFilter(), sort, after)


@pytest.mark.parametrize(
    ("sort", "size", "fault"),
    [
        ("price", 1, "sort: unknown"),
        ("name", 0, "size: zero"),
        ("name", -1, "size: negative"),
        ("name", 501, "size: too_large"),
    ],
)
def test_an_unknown_sort_and_a_size_out_of_bounds_are_refused(
    shop: Inventory, sort: str, size: int, fault: str
) -> None:
    with pytest.raises(InvalidInput, match=fault):
        product_page(shop, ProductFilter(), sort, size=size)


@given(
    product_filter=FILTERS, cap=st.integers(1, 40), sort=ORDERS, size=st.integers(1, 30), few=st.sampled_from((0, 5000))
)
def test_a_count_goes_up_to_its_cap_and_says_if_there_are_more_on_every_page_alike(
    shop: Inventory, product_filter: ProductFilter, cap: int, sort: str, size: int, few: int
) -> None:
    number = len(expected(ITEMS, product_filter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MAX_CANDIDATES", few)
        patch.setattr(search, "MAX_CANDIDATES", few)
        patch.setattr(plan, "FIRST_SCAN_ROWS", 3)
        first = product_page(shop, product_filter, sort, size=size, count_up_to=cap)
        second = product_page(shop, product_filter, sort, first.next, size, count_up_to=cap)
        counted = count_products(shop, product_filter, cap)

    assert counted == first.count == second.count == ProductCount(min(number, cap), more=number > cap)
    assert first == replace(product_page(shop, product_filter, sort, size=size), count=counted)


def test_a_stream_is_of_one_moment(inventory: Inventory) -> None:
    put(inventory, [Item(f"P-{number:04}") for number in range(2500)])
    with stream_products(inventory, ProductFilter()) as rows:
        first = next(rows)
        put(inventory, [Item("P-9999")])
        rest = codes(rows)

    assert len([first, *rest]) == 2500


def _all_pages(inventory: Inventory, product_filter: ProductFilter, sort: str, size: int) -> list[str]:
    found: list[str] = []
    after = None
    for _ in range(len(ITEMS) + 1):
        page = product_page(inventory, product_filter, sort, after, size)
        found += codes(page.rows)
        after = page.next
        if after is None:
            return found
        assert len(page.rows) == size
    raise AssertionError("the pages do not end")


def _shake(inventory: Inventory, code: str) -> None:
    """Change the product in every way that moves it in some order."""

    def work(session: Session) -> None:
        product, balance = PRODUCT, BALANCE
        row_id = session.scalar(select(product.c.id).where(product.c.code == code))
        at = BEGIN + timedelta(hours=DICE.randint(0, 3))
        values = {"name_key": DICE.choice("abc"), "quantity": DICE.randint(0, 3), "changed_at": at}
        session.execute(update(product).where(product.c.id == row_id).values(values))
        session.execute(update(balance).where(balance.c.product_id == row_id).values(quantity=values["quantity"]))

    inventory.sessions.write(work)
