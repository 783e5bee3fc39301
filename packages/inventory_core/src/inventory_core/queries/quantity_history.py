"""How much there was of one product over the last weeks, all locations together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from inventory_core.errors import ProductNotFound
from inventory_core.inventory import Inventory
from inventory_core.models import MOVEMENT, PRODUCT
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.reports import PastQuantity, past_quantities
from inventory_core.rules.texts import code_key, normalize_code

HISTORY_DAYS = 90
MOST_MOVEMENTS = 100

_PRODUCT = select(PRODUCT.c.id, PRODUCT.c.quantity, PRODUCT.c.created_at).where(PRODUCT.c.code_key == bindparam("key"))
# By the order of the ledger alone: to look for a time would read all that is older too.
_LAST = (
    select(MOVEMENT.c.at, MOVEMENT.c.quantity)
    .where(MOVEMENT.c.product_id == bindparam("product"))
    .order_by(MOVEMENT.c.id.desc())
    .limit(MOST_MOVEMENTS + 1)
)


@dataclass(frozen=True, slots=True)
class QuantityHistory:
    """From ``begin`` to ``end`` (UTC): each quantity with the time from which on it held, the first one at ``begin``."""

    begin: datetime
    end: datetime
    quantities: tuple[PastQuantity, ...]


@check_arguments
def quantity_history(inventory: Inventory, code: str) -> QuantityHistory:
    """Give the quantities of the last 90 days, or of the last 100 movements if these were more.

    The last quantity is what the product has now. Two statements. Raises ``ProductNotFound``.
    """
    with inventory.sessions.reader() as session:
        product = session.execute(_PRODUCT, {"key": code_key(normalize_code(code))}).first()
        if product is None:
            raise ProductNotFound(code)
        found = [(row[0], row[1]) for row in session.execute(_LAST, {"product": product.id})]
    end = max([inventory.clock(), *(at for at, _ in found)])
    begin = max(end - timedelta(days=HISTORY_DAYS), min([product.created_at, *(at for at, _ in found)]))
    if len(found) > MOST_MOVEMENTS:
        begin = max(begin, found.pop()[0])
    return QuantityHistory(begin, end, past_quantities(product.quantity, found, begin))
