"""The list: one page by keyset, or every row as a stream."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from inventory_core.database.sql_batch import stream
from inventory_core.inventory import Inventory
from inventory_core.queries.access import Question, ask
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.product_count import ProductCount, count_question
from inventory_core.queries.product_rows import read_rows, row_columns
from inventory_core.queries.sorting import Position
from inventory_core.queries.walking import find, read
from inventory_core.results import ProductRow
from inventory_core.rules.arguments import check_arguments, check_page_size


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A page of the list.

    ``next`` is where the following page begins (None: there is none), ``first`` whether nothing precedes. ``count`` is
    how many products the whole list has, at the same moment, if it was asked for.
    """

    rows: tuple[ProductRow, ...]
    next: Position | None
    first: bool
    count: ProductCount | None = None


@check_arguments
def product_page(
    inventory: Inventory,
    product_filter: ProductFilter,
    sort: str = "name",
    after: Position | None = None,
    size: int = 50,
    *,
    count_up_to: int | None = None,
) -> ProductPage:
    """Give the ``size`` products that follow ``after`` in the order of ``sort`` (one of ``sorting.SORTS``).

    A product that does not change between two calls stands on exactly one page, also when others change, come or go.
    With ``count_up_to`` the list is counted as by ``count_products``, for less than a count of its own.
    Raises ``InvalidInput`` for an unknown sort, a position of another sort, or a size outside 1 to 500.
    """
    check_page_size(size)
    with inventory.sessions.reader() as session:
        question = ask(session, product_filter, sort)
        if count_up_to is None:
            records, count = read_page(session, question, after, size + 1), None
        else:
            records, count = _read_and_count(session, question, after, size + 1, count_up_to)
    rows = tuple(read_rows(record[1:] for record in records[:size]))
    more = len(records) > size
    return ProductPage(rows, Position(records[size - 1][0], rows[-1].id) if more else None, after is None, count)


def read_page(session: Session, question: Question, after: Position | None, limit: int) -> list[Any]:
    """Read up to ``limit`` records behind ``after``, each with what it is sorted by in front."""
    columns = (question.order.key, *row_columns(question.places))
    if not question.walks:
        return read(session, question, columns, limit, after)
    return _read_found(session, question, find(session, question, limit, after))


def _read_and_count(
    session: Session, question: Question, after: Position | None, limit: int, cap: int
) -> tuple[list[Any], ProductCount]:
    if after is None and question.words:
        found = find(session, question, max(limit, cap + 1))
        return _read_found(session, question, found[:limit]), ProductCount.of(len(found), cap)
    records = read_page(session, question, after, limit)
    if after is None and len(records) < limit:
        return records, ProductCount.of(len(records), cap)
    return records, count_question(session, question, cap)


def _read_found(session: Session, question: Question, ids: Sequence[int]) -> list[Any]:
    return read(session, question.only(ids), (question.order.key, *row_columns(question.places)), len(ids))


@check_arguments
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
