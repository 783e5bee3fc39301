"""The list: one page by keyset, or every row as a stream."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from inventory_core.errors import Fault, InvalidInput
from inventory_core.inventory import Inventory
from inventory_core.queries.filters import Places, ProductFilter, conditions, find_places
from inventory_core.queries.product_rows import read_rows, row_columns, row_source
from inventory_core.queries.rows import ProductRow
from inventory_core.queries.search import contains
from inventory_core.queries.sorting import Order, Position
from inventory_core.queries.stored import PRODUCT
from inventory_core.rules.texts import search_words

LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A page of the list; ``next`` is where the following one begins (None: there is none), ``first`` if nothing precedes."""

    rows: tuple[ProductRow, ...]
    next: Position | None
    first: bool


def product_page(
    inventory: Inventory,
    product_filter: ProductFilter,
    sort: str = "name",
    after: Position | None = None,
    size: int = 50,
) -> ProductPage:
    """Give the ``size`` products that follow ``after`` in the order of ``sort`` (one of ``sorting.SORTS``).

    A product that does not change between two calls stands on exactly one page, also when others change, come or go.
    Raises ``InvalidInput`` for an unknown sort, a position of another sort, or a size outside 1 to 500.
    """
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidInput(Fault("size", "too_large", str(size), LARGEST_PAGE))
    with inventory.sessions.reader() as session:
        places = find_places(session, product_filter)
        order = Order(sort, in_location=places.location_id is not None)
        statement = _select_rows(product_filter, places, order)
        if after is not None:
            statement = statement.where(order.beyond(after, row_values=_has_row_values(session)))
        records = session.execute(statement.limit(size + 1).add_columns(order.key.label("sorted_by"))).all()
    rows = tuple(read_rows(record[:-1] for record in records[:size]))
    more = len(records) > size
    return ProductPage(rows, Position(records[size - 1][-1], rows[-1].id) if more else None, after is None)


@contextmanager
def stream_products(
    inventory: Inventory, product_filter: ProductFilter, sort: str = "code"
) -> Iterator[Iterator[ProductRow]]:
    """Give an iterator over all rows of the filter, read as it advances; one reader stays open inside the block."""
    with inventory.sessions.reader() as session:
        places = find_places(session, product_filter)
        order = Order(sort, in_location=places.location_id is not None)
        statement = _select_rows(product_filter, places, order)
        with session.execute(statement, execution_options={"yield_per": 1000}) as result:
            yield read_rows(result)


def _select_rows(product_filter: ProductFilter, places: Places, order: Order) -> Select[tuple[object, ...]]:
    words = [contains(word) for word in search_words(product_filter.search)]
    return (
        select(*row_columns(places))
        .select_from(row_source(PRODUCT, places))
        .where(*conditions(product_filter, places), *words)
        .order_by(*order.by(order.key, PRODUCT.c.id))
    )


def _has_row_values(session: Session) -> bool:
    return session.connection().dialect.name == "sqlite"
