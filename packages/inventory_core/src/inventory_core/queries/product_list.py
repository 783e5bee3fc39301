"""The list: one page by keyset, or every row as a stream."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from inventory_core.inventory import Inventory
from inventory_core.queries.access import Question, Way, ask
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.page_size import check_page_size
from inventory_core.queries.product_rows import read_rows, row_columns
from inventory_core.queries.rows import ProductRow
from inventory_core.queries.sorting import Position
from inventory_core.queries.streaming import stream
from inventory_core.tables.plain import PRODUCT

NEAR = 500
"""So many rows of the order are tested one by one before all candidates are: the page of a common word is full by then."""

FURTHER = 4_000
"""So many more if the search index has no candidates, before every text is read."""


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
    check_page_size(size)
    with inventory.sessions.reader() as session:
        records = read_page(session, ask(session, product_filter, sort), after, size + 1)
    rows = tuple(read_rows(record[1:] for record in records[:size]))
    more = len(records) > size
    return ProductPage(rows, Position(records[size - 1][0], rows[-1].id) if more else None, after is None)


def read_page(session: Session, question: Question, after: Position | None, limit: int) -> list[Any]:
    """Read up to ``limit`` records behind ``after``, each with what it is sorted by in front."""
    columns = (question.order.key, *row_columns(question.places))
    if question.way is not Way.ORDER or not question.words:
        return _read(session, question, columns, limit, after)
    found: list[Any] = []
    for number in (NEAR,) if question.candidates is not None else (2 * NEAR, FURTHER):
        passing = list(session.execute(_passing(question, after, number)))
        near = question.only([record.id for record in passing])
        found += _read(session, near, columns, limit - len(found))
        if len(passing) < number or len(found) == limit:
            return found
        after = Position(*passing[-1])
    far = question if question.candidates is not None else replace(question, way=Way.WHOLE)
    return found + _read(session, far, columns, limit - len(found), after)


@contextmanager
def stream_products(
    inventory: Inventory, product_filter: ProductFilter, sort: str = "code"
) -> Iterator[Iterator[ProductRow]]:
    """Give an iterator over all rows of the filter, read as it advances; one reader stays open inside the block.

    All rows are of one moment. Raises ``InvalidInput`` for an unknown sort.
    """
    with inventory.sessions.reader() as session:
        question = ask(session, product_filter, sort)
        statement = question.in_order(row_columns(question.places))
        with stream(session, statement) as result:
            yield read_rows(result)


def _read(
    session: Session, question: Question, columns: tuple[Any, ...], limit: int, begin: Position | None = None
) -> list[Any]:
    statement = question.in_order(columns).limit(limit)
    if begin is not None:
        statement = statement.where(question.beyond(begin))
    return list(session.execute(statement))


def _passing(question: Question, after: Position | None, number: int) -> Select[tuple[Any, ...]]:
    walk = question.without_words()
    statement = walk.in_order((question.order.key, PRODUCT.c.id)).limit(number)
    return statement if after is None else statement.where(walk.beyond(after))
