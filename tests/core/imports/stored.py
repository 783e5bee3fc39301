"""What is stored, as one value to compare."""

from sqlalchemy import select

from inventory_core import Inventory
from inventory_core.models import metadata

TABLES = ("product", "balance", "movement", "category", "location", "operation", "product_revision", "outbox")


def contents(inventory: Inventory, *tables: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables, all of them if none is named."""
    found = {}
    with inventory.sessions.reader() as session:
        for name in tables or TABLES:
            table = metadata.tables[f"inventory_{name}"]
            found[name] = [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
    return found


def balances(inventory: Inventory) -> dict[tuple[str, str], int]:
    """The quantity by code and location."""
    product, balance, location = (metadata.tables[f"inventory_{name}"] for name in ("product", "balance", "location"))
    statement = select(product.c.code, location.c.name, balance.c.quantity).where(
        balance.c.product_id == product.c.id, balance.c.location_id == location.c.id
    )
    with inventory.sessions.reader() as session:
        return {(code, place): quantity for code, place, quantity in session.execute(statement)}
