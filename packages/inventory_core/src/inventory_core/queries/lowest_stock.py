"""Which products lack most to their minimum."""

from dataclasses import dataclass

from sqlalchemy import select

from inventory_core.inventory import Inventory
from inventory_core.models import PRODUCT
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.stock import to_buy


@dataclass(frozen=True, slots=True)
class StockShortage:
    """A product that is low on stock, and how many units it ``lacks`` to its minimum."""

    code: str
    name: str
    quantity: int
    minimum: int
    lacks: int


@check_arguments
def lowest_stock(inventory: Inventory, *, size: int = 10) -> tuple[StockShortage, ...]:
    """Give the ``size`` (1 to 500) products in use that lack most units; one statement.

    Raises ``InvalidInput`` for another size.
    """
    check_page_size(size)
    lacks = PRODUCT.c.minimum - PRODUCT.c.quantity
    # The index has what decides; names are fetched for those alone that are shown.
    worst = (
        select(PRODUCT.c.id)
        .where(PRODUCT.c.retired_at.is_(None), PRODUCT.c.quantity < PRODUCT.c.minimum)
        .order_by(lacks.desc(), PRODUCT.c.id)
        .limit(size)
        .subquery()
    )
    statement = (
        select(PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.quantity, PRODUCT.c.minimum)
        .join(worst, worst.c.id == PRODUCT.c.id)
        .order_by(lacks.desc(), PRODUCT.c.id)
    )
    with inventory.sessions.reader() as session:
        return tuple(StockShortage(*row, to_buy(row.quantity, row.minimum)) for row in session.execute(statement))
