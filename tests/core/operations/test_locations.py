import pytest

from inventory_core import InvalidInput, Inventory
from inventory_core.catalog.locations import add_location
from inventory_core.stock.operations import receive
from inventory_core.testing import create_location, create_product, new_request


def test_receive_at_a_location_that_was_added(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    assert add_location(inventory, name="  Sótano  2 ", **new_request()) == "Sótano 2"
    assert receive(inventory, code="A-1", quantity=1, location="SOTANO 2", **new_request()).location == "Sótano 2"


@pytest.mark.parametrize("name", ["Sótano", "sotano", "PRINCIPAL"])
def test_a_name_that_differs_in_case_or_accents_alone_is_taken(inventory: Inventory, name: str) -> None:
    create_location(inventory, "Sótano")

    with pytest.raises(InvalidInput) as caught:
        add_location(inventory, name=name, **new_request())

    assert [(fault.field, fault.reason) for fault in caught.value.faults] == [("location", "duplicate")]


@pytest.mark.parametrize(
    ("name", "reason"), [("", "required"), ("x" * 81, "too_long"), ("\x00", "characters"), ("\u0301", "characters")]
)
def test_a_name_that_breaks_a_rule_is_refused(inventory: Inventory, name: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_location(inventory, name=name, **new_request())

    assert [fault.reason for fault in caught.value.faults] == [reason]
