"""The way that a database takes to the rows of a filter.

Each answer is the same on every way; they differ in how many rows are looked at. SQLite keeps no statistics, so it is
told: a ``+`` before a column keeps it from choosing an index by that column (the SQLite query planner, "disqualifying
WHERE clause terms using unary +"). Other databases get the statement as it is, but that MySQL is told to read the whole
table where a search would have it fetch every row by way of an index: four times as slow at 100,000 products.
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
from inventory_core.queries.product_query.filters import Places, ProductFilter, conditions, find_places, row_source
from inventory_core.queries.product_query.search import FEW, Candidates, contains, find_candidates, if_few, these_ids
from inventory_core.queries.product_query.sorting import Order, Position
from inventory_core.rules.stock import Status
from inventory_core.rules.texts import search_words

Column = ColumnElement[Any]


class Way(Enum):
    """Where the rows come from before they are tested."""

    PLANNER = "the database decides"
    ORDER = "the index of the order, until the page is full"
    IDS = "the candidates, by their ids, then sorted"
    PLACE = "the balances of one location, then sorted"
    STATE = "the retired products, then sorted"
    WHOLE = "the table from one end to the other, then sorted"
    SCAN = "the same on a database that decides the rest"


_AS_IT_IS = (Way.PLANNER, Way.SCAN)


@dataclass(frozen=True, slots=True)
class Question:
    """A filter with its names looked up, its order, and the way that suits it."""

    product_filter: ProductFilter
    places: Places
    order: Order
    words: tuple[str, ...]
    dialect: str
    way: Way
    candidates: Select[tuple[int]] | tuple[int, ...] | None = None

    def rows(self, columns: tuple[Column, ...]) -> Select[tuple[Any, ...]]:
        """Select these columns of all rows that pass every test, without an order."""
        from_balances = self.way in _AS_IT_IS or self._begins_with_balances
        source = row_source(PRODUCT, self.places, PRODUCT.c.id if from_balances else _aside(PRODUCT.c.id))
        statement = (
            select(*columns)
            .select_from(source)
            .where(*conditions(self.product_filter, self.places, self._shown))
            .where(*(contains(word, self.dialect) for word in self.words))
        )
        if self.way is Way.SCAN:
            statement = statement.with_hint(PRODUCT, "USE INDEX ()", "mysql")
        if self.candidates is None:
            return statement
        if self.way is Way.IDS or self.way in _AS_IT_IS:
            candidate: Column = PRODUCT.c.id
        else:
            candidate = _aside(BALANCE.c.product_id if self._begins_with_balances else PRODUCT.c.id)
        return statement.where(candidate.in_(self.candidates))

    def in_order(self, columns: tuple[Column, ...]) -> Select[tuple[Any, ...]]:
        """The same in the order of the question."""
        return self.rows(columns).order_by(*self.order.by(*self._order_columns))

    def beyond(self, position: Position) -> ColumnElement[bool]:
        """The condition for the rows behind ``position``."""
        return self.order.beyond(position, *self._order_columns, row_values=self.way not in _AS_IT_IS)

    def only(self, ids: Sequence[int]) -> Self:
        """The same question to these products alone."""
        if self.dialect != "sqlite":
            return replace(self, candidates=tuple(ids))
        return replace(self, way=Way.IDS, candidates=these_ids(json.dumps(ids)))

    def without_words(self) -> Self:
        """The same question without its search, on the way that reads the fewest rows in full."""
        by_product = self.product_filter.category or self.product_filter.status is Status.LOW_STOCK
        way = Way.STATE if self.way is Way.ORDER and self.order.by_balance and by_product else self.way
        return replace(self, words=(), candidates=None, way=way)

    def of_all(self) -> Self:
        """The same question on the way that reads the table from one end to the other."""
        return replace(self, way=Way.SCAN if self.way in _AS_IT_IS else Way.WHOLE)

    @property
    def walks(self) -> bool:
        """Whether the search has nothing better to begin with than the order."""
        return bool(self.words) and self.way in (Way.ORDER, Way.PLANNER)

    @property
    def _begins_with_balances(self) -> bool:
        return self.way is Way.PLACE or (self.way is Way.ORDER and self.order.by_balance)

    @property
    def _order_columns(self) -> tuple[Column, Column]:
        key, row_id = self.order.key, self.order.row_id
        return (key, row_id) if self.way in (*_AS_IT_IS, Way.ORDER) else (_aside(key), _aside(row_id))

    def _shown(self, column: Column) -> Column:
        if self.way in _AS_IT_IS:
            return column
        usable: tuple[Column, ...] = ()
        if self._begins_with_balances:
            usable = (BALANCE.c.quantity,)
        elif self.way is Way.ORDER:
            usable = (PRODUCT.c.retired_at, self.order.key)
        elif self.way is Way.STATE:
            usable = (PRODUCT.c.retired_at,)
        return column if any(column is one for one in usable) else _aside(column)


def ask(session: Session, product_filter: ProductFilter, sort: str, *, planner: bool = False) -> Question:
    """Look up the names of the filter and choose the way; a number of statements that depends on the filter alone.

    ``planner`` leaves the way to the database, as is done on every database but SQLite.
    """
    places = find_places(session, product_filter)
    order = Order(sort, by_balance=places.location_id is not None and sort.removeprefix("-") == "quantity")
    words = search_words(product_filter.search)
    dialect = session.connection().dialect.name
    way, candidates = Way.PLANNER, None
    if dialect == "sqlite" and not planner:
        way, candidates = _choose(session, product_filter, places, words)
    return Question(product_filter, places, order, words, dialect, way, candidates)


def _choose(
    session: Session, product_filter: ProductFilter, places: Places, words: tuple[str, ...]
) -> tuple[Way, Select[tuple[int]] | None]:
    found = find_candidates(session, words) if words else Candidates(None, few=False)
    if found.few:
        return Way.IDS, found.ids
    if places.location_id is not None:
        balances = select(BALANCE.c.product_id).where(*_balances(product_filter, places)).limit(FEW + 1).subquery()
        if (session.scalar(select(func.count()).select_from(balances)) or 0) <= FEW:
            return Way.PLACE, None
        if places.category_id is not None and (both := if_few(session, _of_both(places))) is not None:
            return Way.IDS, both
    return (Way.STATE, None) if product_filter.status is Status.RETIRED else (Way.ORDER, found.ids)


def _of_both(places: Places) -> Select[tuple[int]]:
    """Products of the category and the location, from two indexes in step: both go by the product's id."""
    return (
        select(PRODUCT.c.id)
        .join_from(PRODUCT, BALANCE, BALANCE.c.product_id == _aside(PRODUCT.c.id))
        .where(PRODUCT.c.category_id == places.category_id, BALANCE.c.location_id == places.location_id)
    )


def _balances(product_filter: ProductFilter, places: Places) -> Iterator[ColumnElement[bool]]:
    yield BALANCE.c.location_id == places.location_id
    if product_filter.status is Status.AVAILABLE:
        yield BALANCE.c.quantity > 0
    elif product_filter.status is Status.OUT_OF_STOCK:
        yield BALANCE.c.quantity == 0


def _aside(column: Column) -> Column:
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


NEAR = 1_000
"""So many rows of the order are tested one by one before all candidates are: a common word stands in enough of them."""

FURTHER = 4_000
"""So many more if the search index has no candidates, before every text is read."""


def read(
    session: Session, question: Question, columns: tuple[Column, ...], limit: int, after: Position | None = None
) -> list[Any]:
    """Read up to ``limit`` records behind ``after`` in one statement."""
    statement = question.in_order(columns).limit(limit)
    if after is not None:
        statement = statement.where(question.beyond(after))
    return list(session.execute(statement))


def find(session: Session, question: Question, limit: int, after: Position | None = None) -> list[int]:
    """Find the ids of up to ``limit`` products behind ``after``, in order: one statement or, for a common word, a few."""
    if not question.walks:
        return _ids(session, question, limit, after)
    found: list[int] = []
    for number in (NEAR, FURTHER) if question.way is Way.ORDER and question.candidates is None else (NEAR,):
        passing = _ids(session, question.without_words(), number, after)
        found += _ids(session, question.only(passing), limit - len(found))
        if len(passing) < number or len(found) == limit:
            return found
        after = _place(session, question, passing[-1])
    far = question if question.candidates is not None else question.of_all()
    return found + _ids(session, far, limit - len(found), after)


def _ids(session: Session, question: Question, limit: int, after: Position | None = None) -> list[int]:
    return [row_id for (row_id,) in read(session, question, (PRODUCT.c.id,), limit, after)]


def _place(session: Session, question: Question, row_id: int) -> Position:
    alone = replace(question.only([row_id]), words=())
    return Position(*session.execute(alone.rows((question.order.key, PRODUCT.c.id))).one())
