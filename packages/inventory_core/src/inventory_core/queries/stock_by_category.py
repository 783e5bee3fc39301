"""How much there is of each category, and how many of its products are low or out of stock."""

from dataclasses import dataclass

from sqlalchemy import case, func, literal_column, select

from inventory_core.inventory import Inventory
from inventory_core.models import CATEGORY, PRODUCT
from inventory_core.rules.arguments import check_arguments

# Grouped by an expression, since SQLite would fetch every product by its index of categories to save the sorting.
_EACH = func.coalesce(PRODUCT.c.category_id, literal_column("0"))
_SUMS = (
    select(
        _EACH.label("category_id"),
        func.count().label("products"),
        func.sum(PRODUCT.c.quantity).label("units"),
        func.sum(case((PRODUCT.c.quantity < PRODUCT.c.minimum, 1), else_=0)).label("low"),
        func.sum(case((PRODUCT.c.quantity == 0, 1), else_=0)).label("out"),
    )
    .where(PRODUCT.c.retired_at.is_(None))
    .group_by(_EACH)
    .subquery()
)
_STATEMENT = select(CATEGORY.c.name, _SUMS.c.products, _SUMS.c.units, _SUMS.c.low, _SUMS.c.out).select_from(
    _SUMS.outerjoin(CATEGORY, CATEGORY.c.id == _SUMS.c.category_id)
)


@dataclass(frozen=True, slots=True)
class CategoryStock:
    """The products of a category that are not retired: how many, their units, how many are low and how many out of stock.

    ``category`` None: those without one.
    """

    category: str | None
    products: int
    units: int
    low: int
    out_of_stock: int


@check_arguments
def stock_by_category(inventory: Inventory) -> tuple[CategoryStock, ...]:
    """Give each category that has products, the one with most units first; one statement, which reads an index through.

    The sums over all of them are those of the inventory.
    """
    with inventory.sessions.reader() as session:
        found = [CategoryStock(row[0], *map(int, row[1:])) for row in session.execute(_STATEMENT)]
    return tuple(sorted(found, key=lambda stock: (-stock.units, -stock.products, stock.category or "")))
