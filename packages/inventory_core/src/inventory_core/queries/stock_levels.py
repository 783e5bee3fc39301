"""What lies where: one row for each balance of the products of a filter."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select

from inventory_core.inventory import Inventory
from inventory_core.queries.filters import ProductFilter, conditions, find_places
from inventory_core.queries.search import contains
from inventory_core.queries.stored import BALANCE, LOCATION, PRODUCT
from inventory_core.rules.texts import search_words


@dataclass(frozen=True, slots=True)
class StockRow:
    """The quantity of a product in one location."""

    code: str
    name: str
    location: str
    quantity: int


@contextmanager
def stock_levels(inventory: Inventory, product_filter: ProductFilter) -> Iterator[Iterator[StockRow]]:
    """Give an iterator over the balances of the filter's products, by code and then by location, read as it advances.

    With a location in the filter only its balances are given. One reader stays open inside the block.
    """
    with inventory.sessions.reader() as session:
        places = find_places(session, product_filter)
        words = [contains(word) for word in search_words(product_filter.search)]
        statement = (
            select(PRODUCT.c.code, PRODUCT.c.name, LOCATION.c.name, BALANCE.c.quantity)
            .select_from(
                PRODUCT.join(BALANCE, BALANCE.c.product_id == PRODUCT.c.id).join(
                    LOCATION, LOCATION.c.id == BALANCE.c.location_id
                )
            )
            .where(*conditions(product_filter, places), *words)
            .order_by(PRODUCT.c.code_key, BALANCE.c.location_id)
        )
        with session.execute(statement, execution_options={"yield_per": 1000}) as result:
            yield (StockRow(*record) for record in result)
