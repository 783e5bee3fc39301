"""Which products will be used up first."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Double, cast, func, literal_column, select

from inventory_core.inventory import Inventory
from inventory_core.models import MOVEMENT, PRODUCT
from inventory_core.queries.ledger_kinds import of_kind
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.reports import USAGE_DAYS, days_left
from inventory_core.rules.stock import Kind

# Grouped by an expression, since SQLite would walk the whole ledger by its index of products to save the sorting.
_EACH = func.coalesce(MOVEMENT.c.product_id, literal_column("0"))


@dataclass(frozen=True, slots=True)
class RunOutForecast:
    """A product with what there is of it, how much was issued in the last 30 days, and how many whole days it will last."""

    code: str
    name: str
    quantity: int
    used: int
    days_left: int


@check_arguments
def products_running_out(inventory: Inventory, *, size: int = 10) -> tuple[RunOutForecast, ...]:
    """Give the ``size`` (1 to 500) products that will be gone first, the most urgent first.

    What counts is what was issued in the last ``rules.reports.USAGE_DAYS`` days and not undone; a product that nobody
    issued, that is retired or has run out already is left out. One statement, which reads the movements of those days from
    an index. Raises ``InvalidInput`` for another size.
    """
    check_page_size(size)
    since = inventory.clock() - timedelta(days=USAGE_DAYS)
    usage = (
        select(_EACH.label("product_id"), (-func.sum(MOVEMENT.c.quantity)).label("used"))
        .where(MOVEMENT.c.at >= since, of_kind(Kind.ISSUE))
        .group_by(_EACH)
        .subquery()
    )
    statement = (
        select(PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.quantity, usage.c.used)
        .join(usage, usage.c.product_id == PRODUCT.c.id)
        .where(usage.c.used > 0, PRODUCT.c.quantity > 0, PRODUCT.c.retired_at.is_(None))
        .order_by(cast(PRODUCT.c.quantity, Double) / cast(usage.c.used, Double), PRODUCT.c.code_key)
        .limit(size)
    )
    with inventory.sessions.reader() as session:
        found = [(row[0], row[1], int(row[2]), int(row[3])) for row in session.execute(statement)]
    return tuple(RunOutForecast(*row, days_left(row[2], row[3])) for row in found)
