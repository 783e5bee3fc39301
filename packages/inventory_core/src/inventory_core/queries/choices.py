"""What a form offers to choose from: categories and locations."""

from dataclasses import dataclass

from sqlalchemy import select

from inventory_core.inventory import Inventory
from inventory_core.models import CATEGORY, LOCATION
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.products import PREDEFINED_CATEGORIES
from inventory_core.rules.texts import fold


@dataclass(frozen=True, slots=True)
class LocationRow:
    """A place that holds stock; ``is_default`` is true of exactly one."""

    name: str
    is_default: bool


@check_arguments
def list_categories(inventory: Inventory) -> tuple[str, ...]:
    """Give the names of all categories: the predefined ones in their own order, then the others by folded name."""
    with inventory.sessions.reader() as session:
        names = session.scalars(select(CATEGORY.c.name).order_by(CATEGORY.c.name_key)).all()
    rank = {fold(name): place for place, name in enumerate(PREDEFINED_CATEGORIES)}
    return tuple(sorted(names, key=lambda name: rank.get(fold(name), len(rank))))


@check_arguments
def list_locations(inventory: Inventory) -> tuple[LocationRow, ...]:
    """Give all locations: the default one, then the others by folded name."""
    with inventory.sessions.reader() as session:
        found = session.execute(select(LOCATION.c.name, LOCATION.c.is_default).order_by(LOCATION.c.name_key)).all()
    rows = (LocationRow(name, bool(is_default)) for name, is_default in found)
    return tuple(sorted(rows, key=lambda row: not row.is_default))
