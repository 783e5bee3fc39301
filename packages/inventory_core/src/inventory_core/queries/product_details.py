"""One product, with what lies where."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from inventory_core.errors import ProductNotFound
from inventory_core.inventory import Inventory
from inventory_core.models import BALANCE, LOCATION, PRODUCT
from inventory_core.queries.filters import Places
from inventory_core.queries.product_rows import read_rows, row_columns, row_source
from inventory_core.results import ProductRow
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.texts import code_key, normalize_code


@dataclass(frozen=True, slots=True)
class ProductDetails:
    """A product; ``balances`` holds (location, quantity) by the location's name. ``created_at`` is UTC."""

    row: ProductRow
    balances: tuple[tuple[str, int], ...]
    created_at: datetime


@check_arguments
def get_product(inventory: Inventory, code: str) -> ProductDetails:
    """Give the product with this code, retired or not, in whatever case it is written. Raises ``ProductNotFound``."""
    everywhere = Places(None, None, None)
    with inventory.sessions.reader() as session:
        statement = select(*row_columns(everywhere), PRODUCT.c.created_at).select_from(row_source(PRODUCT, everywhere))
        record = session.execute(statement.where(PRODUCT.c.code_key == code_key(normalize_code(code)))).first()
        if record is None:
            raise ProductNotFound(code)
        (row,) = read_rows([record[:-1]])
        balances = session.execute(
            select(LOCATION.c.name, BALANCE.c.quantity)
            .join_from(BALANCE, LOCATION, LOCATION.c.id == BALANCE.c.location_id)
            .where(BALANCE.c.product_id == row.id)
            .order_by(LOCATION.c.name_key)
        )
        return ProductDetails(row, tuple((name, quantity) for name, quantity in balances), record[-1])
