"""Read products: pages, counts, one product, balances, and the choices of forms."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Self

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.database.sql_batch import stream
from inventory_core.errors import InvalidInput, ProductNotFound
from inventory_core.models import BALANCE, CATEGORY, LOCATION, PRODUCT
from inventory_core.queries.product_query.filters import (
    ProductFilter,
    ResolvedFilter,
    read_rows,
    row_columns,
    row_source,
)
from inventory_core.queries.product_query.plan import AccessPath, ProductQuery, fetch_rows, find_ids, plan_query
from inventory_core.queries.product_query.search import MAX_CANDIDATES
from inventory_core.records import Record
from inventory_core.results import Cursor, ProductRow
from inventory_core.rules.arguments import check_arguments, check_page_size, type_faults
from inventory_core.rules.products import PREDEFINED_CATEGORIES
from inventory_core.rules.texts import code_key, fold, normalize_code

CODE_BATCH_SIZE = 500
_ANYWHERE = ResolvedFilter(None, None, None)
_LEVEL = BALANCE.alias("level")
_COLUMNS: tuple[ColumnElement[Any], ...] = (PRODUCT.c.code, PRODUCT.c.name, LOCATION.c.name, _LEVEL.c.quantity)


@dataclass(frozen=True, slots=True)
class ProductCount(Record):
    """``number`` products, or, if ``more``, more than that."""

    number: int
    more: bool

    @classmethod
    def of(cls, found: int, cap: int) -> Self:
        """Return the count of ``found`` rows, of which at most ``cap`` are counted exactly."""
        return cls(min(found, cap), found > cap)


@check_arguments
def count_products(inventory: InventoryContext, product_filter: ProductFilter, cap: int = 1000) -> ProductCount:
    """Count the products of the filter, up to ``cap``: counting further is slow and rarely useful."""
    with inventory.sessions.reader() as session:
        return count_query(session, plan_query(session, product_filter, "changed"), cap)


def count_query(session: Session, query: ProductQuery, cap: int) -> ProductCount:
    """Count the rows of a query, up to ``cap``."""
    if query.scans_in_order:
        query = _narrowed(session, query)
    found = query.rows((PRODUCT.c.id,)).limit(cap + 1).subquery()
    return ProductCount.of(session.scalar(select(func.count()).select_from(found)) or 0, cap)


def _narrowed(session: Session, query: ProductQuery) -> ProductQuery:
    """Return the query on the path that fetches few rows, because the words are common and a count needs no order."""
    if query.path is AccessPath.PLANNER:
        return query.of_all()
    requested = query.product_filter
    if query.candidates is not None:
        return replace(query, path=AccessPath.PLACE) if requested.location else query
    if requested.category or requested.status or requested.location:
        passing = list(session.scalars(query.without_words().rows((PRODUCT.c.id,)).limit(MAX_CANDIDATES + 1)))
        if len(passing) <= MAX_CANDIDATES:
            return query.only(passing)
    return query.of_all()


@dataclass(frozen=True, slots=True)
class ProductPage(Record):
    """A page of the list.

    ``next`` is the ``after`` of the following page (None: there is none), ``first`` whether it is the first page. ``count`` is the
    number of products in the whole list, at the same moment, if requested.
    """

    rows: tuple[ProductRow, ...]
    next: Cursor | None
    first: bool
    count: ProductCount | None = None


@check_arguments
def product_page(
    inventory: InventoryContext,
    product_filter: ProductFilter,
    sort: str = "name",
    after: Cursor | None = None,
    size: int = 50,
    *,
    count_up_to: int | None = None,
) -> ProductPage:
    """Return the ``size`` products that follow ``after`` in the order of ``sort`` (one of ``PRODUCT_SORTS``).

    A product that does not change between two calls is on exactly one page, even if others change, come or go.
    With ``count_up_to`` it also counts the list as ``count_products`` does, but cheaper than a separate call.
    Raises ``InvalidInput`` for an unknown sort, a cursor of another sort, or a size outside 1 to 500.
    """
    check_page_size(size)
    with inventory.sessions.reader() as session:
        query = plan_query(session, product_filter, sort)
        if count_up_to is None:
            records, count = read_page(session, query, after, size + 1), None
        else:
            records, count = _read_and_count(session, query, after, size + 1, count_up_to)
    rows = tuple(read_rows(record[1:] for record in records[:size]))
    more = len(records) > size
    return ProductPage(rows, Cursor(records[size - 1][0], rows[-1].id) if more else None, after is None, count)


def read_page(session: Session, query: ProductQuery, after: Cursor | None, limit: int) -> list[Any]:
    """Read up to ``limit`` records after ``after``, each with its sort key in front."""
    columns = (query.order.key, *row_columns(query.resolved))
    if not query.scans_in_order:
        return fetch_rows(session, query, columns, limit, after)
    return _read_found(session, query, find_ids(session, query, limit, after))


def _read_and_count(
    session: Session, query: ProductQuery, after: Cursor | None, limit: int, cap: int
) -> tuple[list[Any], ProductCount]:
    if after is None and query.words:
        found = find_ids(session, query, max(limit, cap + 1))
        return _read_found(session, query, found[:limit]), ProductCount.of(len(found), cap)
    records = read_page(session, query, after, limit)
    if after is None and len(records) < limit:
        return records, ProductCount.of(len(records), cap)
    return records, count_query(session, query, cap)


def _read_found(session: Session, query: ProductQuery, ids: Sequence[int]) -> list[Any]:
    return fetch_rows(session, query.only(ids), (query.order.key, *row_columns(query.resolved)), len(ids))


@check_arguments
@contextmanager
def stream_products(
    inventory: InventoryContext, product_filter: ProductFilter, sort: str = "code"
) -> Iterator[Iterator[ProductRow]]:
    """Yield an iterator over all rows of the filter, read as it advances; one reader stays open inside the block.

    All rows are of one moment. Raises ``InvalidInput`` for an unknown sort.
    """
    with inventory.sessions.reader() as session:
        query = plan_query(session, product_filter, sort)
        statement = query.in_order(row_columns(query.resolved))
        with stream(session, statement) as result:
            yield read_rows(result)


@dataclass(frozen=True, slots=True)
class ProductDetails(Record):
    """A product; ``balances`` holds (location, quantity) by the location's name. ``created_at`` is UTC."""

    row: ProductRow
    balances: tuple[tuple[str, int], ...]
    created_at: datetime


@check_arguments
def get_product(inventory: InventoryContext, code: str) -> ProductDetails:
    """Return the product with this code, retired or not, ignoring case. Raises ``ProductNotFound``."""
    everywhere = ResolvedFilter(None, None, None)
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


@check_arguments
def products_by_code(inventory: InventoryContext, codes: Iterable[str]) -> dict[str, ProductDetails]:
    """Return the products of these codes, including retired ones, by requested code and in the same order.

    Unknown codes are skipped. All are read at one moment, in two statements per 500 codes.
    """
    requested = list(codes)
    if wrong := [fault for code in requested for fault in type_faults("code", code, str)]:
        raise InvalidInput(*wrong)
    keys = {code: code_key(normalize_code(code)) for code in requested}
    found: dict[str, ProductDetails] = {}
    with inventory.sessions.reader() as session:
        for batch in _batches(dict.fromkeys(keys.values())):
            found |= _read(session, batch)
    return {code: found[key] for code, key in keys.items() if key in found}


def _read(session: Session, keys: Sequence[str]) -> dict[str, ProductDetails]:
    columns = (*row_columns(_ANYWHERE), PRODUCT.c.created_at, PRODUCT.c.code_key)
    statement = select(*columns).select_from(row_source(PRODUCT, _ANYWHERE)).where(PRODUCT.c.code_key.in_(keys))
    records = session.execute(statement).all()
    rows = tuple(read_rows(record[:-2] for record in records))
    resolved = (
        select(BALANCE.c.product_id, LOCATION.c.name, BALANCE.c.quantity)
        .join_from(BALANCE, LOCATION, LOCATION.c.id == BALANCE.c.location_id)
        .where(BALANCE.c.product_id.in_([row.id for row in rows]))
        .order_by(LOCATION.c.name_key)
    )
    balances: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for product_id, name, quantity in session.execute(resolved):
        balances[product_id].append((name, quantity))
    return {
        record.code_key: ProductDetails(row, tuple(balances[row.id]), record.created_at)
        for record, row in zip(records, rows, strict=True)
    }


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while batch := list(islice(left, CODE_BATCH_SIZE)):
        yield batch


@dataclass(frozen=True, slots=True)
class StockRow(Record):
    """The quantity of a product in one location."""

    code: str
    name: str
    location: str
    quantity: int


@check_arguments
@contextmanager
def stock_levels(inventory: InventoryContext, product_filter: ProductFilter) -> Iterator[Iterator[StockRow]]:
    """Yield an iterator over the balances of the filter's products, by code and then by location, read as it advances.

    With a location in the filter only its balances are returned. One reader stays open inside the block.
    """
    with inventory.sessions.reader() as session:
        query = plan_query(session, product_filter, "code")
        statement = (
            query.in_order(_COLUMNS)
            .join(_LEVEL, _LEVEL.c.product_id == PRODUCT.c.id)
            .join(LOCATION, LOCATION.c.id == _LEVEL.c.location_id)
            .order_by(LOCATION.c.name_key)
        )
        if query.resolved.location_id is not None:
            statement = statement.where(_LEVEL.c.location_id == query.resolved.location_id)
        with stream(session, statement) as result:
            yield (StockRow(*record) for record in result)


@dataclass(frozen=True, slots=True)
class LocationRow(Record):
    """A place that holds stock; ``is_default`` is true of exactly one."""

    name: str
    is_default: bool


@check_arguments
def list_categories(inventory: InventoryContext) -> tuple[str, ...]:
    """Return the names of all categories: the predefined ones in their own order, then the others by folded name."""
    with inventory.sessions.reader() as session:
        names = session.scalars(select(CATEGORY.c.name).order_by(CATEGORY.c.name_key)).all()
    rank = {fold(name): place for place, name in enumerate(PREDEFINED_CATEGORIES)}
    return tuple(sorted(names, key=lambda name: rank.get(fold(name), len(rank))))


@check_arguments
def list_locations(inventory: InventoryContext) -> tuple[LocationRow, ...]:
    """Return all locations: the default one, then the others by folded name."""
    with inventory.sessions.reader() as session:
        found = session.execute(select(LOCATION.c.name, LOCATION.c.is_default).order_by(LOCATION.c.name_key)).all()
    rows = (LocationRow(name, bool(is_default)) for name, is_default in found)
    return tuple(sorted(rows, key=lambda row: not row.is_default))
