"""What lies where: one row for each balance of the products of a filter."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from inventory_core.database.sql_batch import stream
from inventory_core.inventory import Inventory
from inventory_core.models import BALANCE, LOCATION, PRODUCT
from inventory_core.queries.access import ask
from inventory_core.queries.filters import ProductFilter
from inventory_core.rules.arguments import check_arguments

_LEVEL = BALANCE.alias("level")
_COLUMNS: tuple[ColumnElement[Any], ...] = (PRODUCT.c.code, PRODUCT.c.name, LOCATION.c.name, _LEVEL.c.quantity)


@dataclass(frozen=True, slots=True)
class StockRow:
    """The quantity of a product in one location."""

    code: str
    name: str
    location: str
    quantity: int


@check_arguments
@contextmanager
def stock_levels(inventory: Inventory, product_filter: ProductFilter) -> Iterator[Iterator[StockRow]]:
    """Give an iterator over the balances of the filter's products, by code and then by location, read as it advances.

    With a location in the filter only its balances are given. One reader stays open inside the block.
    """
    with inventory.sessions.reader() as session:
        question = ask(session, product_filter, "code")
        statement = (
            question.in_order(_COLUMNS)
            .join(_LEVEL, _LEVEL.c.product_id == PRODUCT.c.id)
            .join(LOCATION, LOCATION.c.id == _LEVEL.c.location_id)
            .order_by(LOCATION.c.name_key)
        )
        if question.places.location_id is not None:
            statement = statement.where(_LEVEL.c.location_id == question.places.location_id)
        with stream(session, statement) as result:
            yield (StockRow(*record) for record in result)
