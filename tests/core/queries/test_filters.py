import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_core import InvalidInput, Inventory, Status
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import product_page
from inventory_core.rules.products import WITHOUT_CATEGORY
from tests.core.queries.shelves import Item, codes, put


def found(inventory: Inventory, product_filter: ProductFilter) -> list[str]:
    return codes(product_page(inventory, product_filter).rows)


def test_a_category_is_named_without_regard_to_case_and_accents(inventory: Inventory) -> None:
    put(inventory, [Item("A", category="Electrónicos"), Item("B", category="Ropa"), Item("C")])

    assert found(inventory, ProductFilter(category="  ELECTRONICOS ")) == ["A"]
    assert found(inventory, ProductFilter(category=WITHOUT_CATEGORY)) == ["C"]
    assert found(inventory, ProductFilter(category="")) == ["A", "B", "C"]


@pytest.mark.parametrize("name", ["Nada", "%", "' OR 1=1 --", "\ud800"])
def test_a_name_that_does_not_exist_matches_nothing(inventory: Inventory, name: str) -> None:
    put(inventory, [Item("A", category="Ropa", stock={"Principal": 1})])

    assert found(inventory, ProductFilter(category=name)) == []
    assert found(inventory, ProductFilter(location=name)) == []


def test_a_status_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInput, match="status: unknown"):
        ProductFilter(status="broken")


def test_a_status_can_be_a_text() -> None:
    assert ProductFilter(status="low_stock") == ProductFilter(status=Status.LOW_STOCK)
    assert ProductFilter(status="") == ProductFilter()


def test_low_overlaps_available_and_out_of_stock_and_retired_excludes_all(inventory: Inventory) -> None:
    put(
        inventory,
        [
            Item("ENOUGH", minimum=2, stock={"Principal": 2}),
            Item("LOW", minimum=2, stock={"Principal": 1}),
            Item("EMPTY", minimum=2),
            Item("UNWATCHED"),
            Item("GONE", minimum=2, retired=True),
        ],
    )

    assert found(inventory, ProductFilter(status="available")) == ["ENOUGH", "LOW"]
    assert found(inventory, ProductFilter(status="out_of_stock")) == ["EMPTY", "UNWATCHED"]
    assert found(inventory, ProductFilter(status="low_stock")) == ["LOW", "EMPTY"]
    assert found(inventory, ProductFilter(status="retired")) == ["GONE"]
    assert found(inventory, ProductFilter()) == ["ENOUGH", "LOW", "EMPTY", "UNWATCHED"]


def test_with_a_location_the_quantity_is_that_places_and_low_is_still_of_the_total(inventory: Inventory) -> None:
    put(
        inventory,
        [
            Item("HERE", minimum=5, stock={"Ático": 3, "Principal": 9}),
            Item("USED-UP", minimum=5, stock={"Ático": 0, "Principal": 1}),
            Item("ELSEWHERE", minimum=5, stock={"Principal": 1}),
        ],
    )
    rows = product_page(inventory, ProductFilter(location="atico"), "-quantity").rows

    assert [(row.code, row.location, row.quantity, row.total) for row in rows] == [
        ("HERE", "Ático", 3, 12),
        ("USED-UP", "Ático", 0, 1),
    ]
    assert found(inventory, ProductFilter(location="Ático", status="available")) == ["HERE"]
    assert found(inventory, ProductFilter(location="Ático", status="out_of_stock")) == ["USED-UP"]
    assert found(inventory, ProductFilter(location="Ático", status="low_stock")) == ["USED-UP"]


@given(category=st.text(), location=st.text(), search=st.text())
def test_a_filter_compares_by_its_values(category: str, location: str, search: str) -> None:
    one = ProductFilter(search, category, None, location)

    assert one == ProductFilter(search, category or None, "", location or None)
    assert hash(one) == hash(ProductFilter(search, category, None, location))
