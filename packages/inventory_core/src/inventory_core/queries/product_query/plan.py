"""Choose how a database finds the rows of a filter, and read them; README.md has the diagram.

Results are the same on every access path; paths differ in how many rows are read. SQLite keeps no statistics, so the path is
chosen here: a ``+`` before a column keeps SQLite from choosing an index by that column (the SQLite query planner, "disqualifying
WHERE clause terms using unary +"). Other databases get the statement unchanged, except that MySQL is made to read the whole
table if a search would fetch every row through an index, which is four times as slow at 100,000 products.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from inventory_core.models import BALANCE, PRODUCT
from inventory_core.queries.product_query.filters import (
    ProductFilter,
    ResolvedFilter,
    conditions,
    resolve_filter,
    row_source,
)
from inventory_core.queries.product_query.search import (
    MAX_CANDIDATES,
    Candidates,
    contains,
    fetch_if_few,
    find_candidates,
    ids_of_json,
)
from inventory_core.queries.product_query.sorting import Order
from inventory_core.results import Cursor
from inventory_core.rules.stock import Status
from inventory_core.rules.texts import search_words

Column = ColumnElement[Any]

FIRST_SCAN_ROWS = 1_000
"""Rows of the order that are tested first: a common word is in enough of them to fill a page."""
SECOND_SCAN_ROWS = 4_000
"""Further rows that are tested if the search index has no candidates, before every text is read."""


class AccessPath(Enum):
    """Where the rows come from before they are tested."""

    PLANNER = "the database decides"
    ORDER = "the index of the order, until the page is full"
    IDS = "the candidates, by their ids, then sorted"
    PLACE = "the balances of one location, then sorted"
    STATE = "the retired products, then sorted"
    WHOLE = "the table from one end to the other, then sorted"
    SCAN = "the same on a database that decides the rest"


_AS_IT_IS = (AccessPath.PLANNER, AccessPath.SCAN)


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """A resolved filter with its order and its access path."""

    product_filter: ProductFilter
    resolved: ResolvedFilter
    order: Order
    words: tuple[str, ...]
    dialect: str
    path: AccessPath
    candidates: Select[tuple[int]] | tuple[int, ...] | None = None

    def rows(self, columns: tuple[Column, ...]) -> Select[tuple[Any, ...]]:
        """Select these columns of all rows that pass every test, without an order."""
        from_balances = self.path in _AS_IT_IS or self._begins_with_balances
        source = row_source(PRODUCT, self.resolved, PRODUCT.c.id if from_balances else _aside(PRODUCT.c.id))
        statement = (
            select(*columns)
            .select_from(source)
            .where(*conditions(self.product_filter, self.resolved, self._shown))
            .where(*(contains(word, self.dialect) for word in self.words))
        )
        if self.path is AccessPath.SCAN:
            statement = statement.with_hint(PRODUCT, "USE INDEX ()", "mysql")
        if self.candidates is None:
            return statement
        if self.path is AccessPath.IDS or self.path in _AS_IT_IS:
            candidate: Column = PRODUCT.c.id
        else:
            candidate = _aside(BALANCE.c.product_id if self._begins_with_balances else PRODUCT.c.id)
        return statement.where(candidate.in_(self.candidates))

    def in_order(self, columns: tuple[Column, ...]) -> Select[tuple[Any, ...]]:
        """Select the same in the order of the query."""
        return self.rows(columns).order_by(*self.order.by(*self._order_columns))

    def beyond(self, after: Cursor) -> ColumnElement[bool]:
        """Return the condition for the rows that follow ``after``."""
        return self.order.beyond(after, *self._order_columns, row_values=self.path not in _AS_IT_IS)

    def only(self, ids: Sequence[int]) -> Self:
        """Return the same query, limited to these products."""
        if self.dialect != "sqlite":
            return replace(self, candidates=tuple(ids))
        return replace(self, path=AccessPath.IDS, candidates=ids_of_json(json.dumps(ids)))

    def without_words(self) -> Self:
        """Return the same query without its search, on the path that reads the fewest rows in full."""
        by_product = self.product_filter.category or self.product_filter.status is Status.LOW_STOCK
        path = AccessPath.STATE if self.path is AccessPath.ORDER and self.order.by_balance and by_product else self.path
        return replace(self, words=(), candidates=None, path=path)

    def of_all(self) -> Self:
        """Return the same query on the path that reads the whole table."""
        return replace(self, path=AccessPath.SCAN if self.path in _AS_IT_IS else AccessPath.WHOLE)

    @property
    def scans_in_order(self) -> bool:
        """Return whether the search has to scan in sort order, because it has no candidates."""
        return bool(self.words) and self.path in (AccessPath.ORDER, AccessPath.PLANNER)

    @property
    def _begins_with_balances(self) -> bool:
        return self.path is AccessPath.PLACE or (self.path is AccessPath.ORDER and self.order.by_balance)

    @property
    def _order_columns(self) -> tuple[Column, Column]:
        key, row_id = self.order.key, self.order.row_id
        return (key, row_id) if self.path in (*_AS_IT_IS, AccessPath.ORDER) else (_aside(key), _aside(row_id))

    def _shown(self, column: Column) -> Column:
        if self.path in _AS_IT_IS:
            return column
        usable: tuple[Column, ...] = ()
        if self._begins_with_balances:
            usable = (BALANCE.c.quantity,)
        elif self.path is AccessPath.ORDER:
            usable = (PRODUCT.c.retired_at, self.order.key)
        elif self.path is AccessPath.STATE:
            usable = (PRODUCT.c.retired_at,)
        return column if any(column is one for one in usable) else _aside(column)


def plan_query(session: Session, product_filter: ProductFilter, sort: str, *, planner: bool = False) -> ProductQuery:
    """Resolve the filter and choose the access path; the number of statements depends on the filter only.

    ``planner`` leaves the path to the database, as on every database but SQLite.
    """
    resolved = resolve_filter(session, product_filter)
    order = Order(sort, by_balance=resolved.location_id is not None and sort.removeprefix("-") == "quantity")
    words = search_words(product_filter.search)
    dialect = session.connection().dialect.name
    path, candidates = AccessPath.PLANNER, None
    if dialect == "sqlite" and not planner:
        path, candidates = _choose(session, product_filter, resolved, words)
    return ProductQuery(product_filter, resolved, order, words, dialect, path, candidates)


def _choose(
    session: Session, product_filter: ProductFilter, resolved: ResolvedFilter, words: tuple[str, ...]
) -> tuple[AccessPath, Select[tuple[int]] | None]:
    found = find_candidates(session, words) if words else Candidates(None, few=False)
    if found.few:
        return AccessPath.IDS, found.ids
    if resolved.location_id is not None:
        balances = (
            select(BALANCE.c.product_id)
            .where(*_balances(product_filter, resolved))
            .limit(MAX_CANDIDATES + 1)
            .subquery()
        )
        if (session.scalar(select(func.count()).select_from(balances)) or 0) <= MAX_CANDIDATES:
            return AccessPath.PLACE, None
        if resolved.category_id is not None and (both := fetch_if_few(session, _of_both(resolved))) is not None:
            return AccessPath.IDS, both
    return (AccessPath.STATE, None) if product_filter.status is Status.RETIRED else (AccessPath.ORDER, found.ids)


def _of_both(resolved: ResolvedFilter) -> Select[tuple[int]]:
    """Return the products of both the category and the location, from two indexes in step: both are sorted by product id."""
    return (
        select(PRODUCT.c.id)
        .join_from(PRODUCT, BALANCE, BALANCE.c.product_id == _aside(PRODUCT.c.id))
        .where(PRODUCT.c.category_id == resolved.category_id, BALANCE.c.location_id == resolved.location_id)
    )


def _balances(product_filter: ProductFilter, resolved: ResolvedFilter) -> Iterator[ColumnElement[bool]]:
    yield BALANCE.c.location_id == resolved.location_id
    if product_filter.status is Status.AVAILABLE:
        yield BALANCE.c.quantity > 0
    elif product_filter.status is Status.OUT_OF_STOCK:
        yield BALANCE.c.quantity == 0


def _aside(column: Column) -> Column:
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def fetch_rows(
    session: Session, query: ProductQuery, columns: tuple[Column, ...], limit: int, after: Cursor | None = None
) -> list[Any]:
    """Read up to ``limit`` records behind ``after`` in one statement."""
    statement = query.in_order(columns).limit(limit)
    if after is not None:
        statement = statement.where(query.beyond(after))
    return list(session.execute(statement))


def find_ids(session: Session, query: ProductQuery, limit: int, after: Cursor | None = None) -> list[int]:
    """Find the ids of up to ``limit`` products behind ``after``, in order: one statement or, for a common word, a few."""
    if not query.scans_in_order:
        return _ids(session, query, limit, after)
    found: list[int] = []
    for number in (
        (FIRST_SCAN_ROWS, SECOND_SCAN_ROWS)
        if query.path is AccessPath.ORDER and query.candidates is None
        else (FIRST_SCAN_ROWS,)
    ):
        passing = _ids(session, query.without_words(), number, after)
        found += _ids(session, query.only(passing), limit - len(found))
        if len(passing) < number or len(found) == limit:
            return found
        after = _place(session, query, passing[-1])
    far = query if query.candidates is not None else query.of_all()
    return found + _ids(session, far, limit - len(found), after)


def _ids(session: Session, query: ProductQuery, limit: int, after: Cursor | None = None) -> list[int]:
    return [row_id for (row_id,) in fetch_rows(session, query, (PRODUCT.c.id,), limit, after)]


def _place(session: Session, query: ProductQuery, row_id: int) -> Cursor:
    alone = replace(query.only([row_id]), words=())
    return Cursor(*session.execute(alone.rows((query.order.key, PRODUCT.c.id))).one())
