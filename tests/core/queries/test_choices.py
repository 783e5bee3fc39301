from inventory_core import PREDEFINED_CATEGORIES, Inventory
from inventory_core.queries.products import LocationRow, list_categories, list_locations
from inventory_core.testing import create_location
from tests.core.queries.shelves import Item, put


def test_the_predefined_categories_come_first_and_the_others_by_name(inventory: Inventory) -> None:
    put(inventory, [Item(name, category=name) for name in ("Útiles", "abonos", "Zócalos", "Velas")])

    assert list_categories(inventory) == (*PREDEFINED_CATEGORIES, "abonos", "Útiles", "Velas", "Zócalos")


def test_the_default_location_comes_first_and_the_others_by_name(inventory: Inventory) -> None:
    for name in ("Sótano", "ático", "Zaguán"):
        create_location(inventory, name)

    assert list_locations(inventory) == (
        LocationRow("Principal", is_default=True),
        LocationRow("ático", is_default=False),
        LocationRow("Sótano", is_default=False),
        LocationRow("Zaguán", is_default=False),
    )
