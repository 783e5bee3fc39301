from datetime import UTC

import pytest

from inventory_core import Inventory, ProductNotFound, Status
from inventory_core.queries.products import get_product
from tests.core.queries.shelves import BEGIN, Item, put


def test_a_product_is_returned_with_its_balances(inventory: Inventory) -> None:
    put(inventory, [Item("Ab-1", "Caja", "de cartón", "Hogar", 9, {"Sótano": 3, "Ático": 0, "Principal": 4}, hours=2)])
    details = get_product(inventory, "Ab-1")
    row = details.row

    assert details.balances == (("Ático", 0), ("Principal", 4), ("Sótano", 3))
    assert (row.code, row.name, row.description, row.category, row.location) == (
        "Ab-1",
        "Caja",
        "de cartón",
        "Hogar",
        None,
    )
    assert (row.quantity, row.total, row.minimum, row.to_buy, row.version) == (7, 7, 9, 2, 1)
    assert (row.status, row.retired) == (Status.LOW_STOCK, False)
    assert (details.created_at, details.created_at.tzinfo, row.changed_at.tzinfo) == (BEGIN, UTC, UTC)
    assert row.changed_at > details.created_at


def test_a_code_is_found_in_whatever_case_and_width_it_is_written(inventory: Inventory) -> None:
    put(inventory, [Item("Ab-1"), Item("Ñu-2", retired=True)])

    assert get_product(inventory, " aB-1 ").row.code == "Ab-1"
    assert get_product(inventory, "\uff21\uff22-1").row.code == "Ab-1"
    assert get_product(inventory, "ñU-2").row.status is Status.RETIRED


@pytest.mark.parametrize("code", ["", "Nu-2", "%", "' OR 1=1", "\0", "\ud800", "x" * 5_000])
def test_an_unknown_code_is_refused_by_its_name(inventory: Inventory, code: str) -> None:
    put(inventory, [Item("Ñu-2")])

    with pytest.raises(ProductNotFound) as refusal:
        get_product(inventory, code)
    assert refusal.value.product_code == code
