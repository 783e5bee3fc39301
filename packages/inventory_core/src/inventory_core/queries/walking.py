"""Reading a question in its order: only as far as it must be, however common or rare the words of its search are."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from inventory_core.queries.access import Column, Question, Way
from inventory_core.queries.sorting import Position
from inventory_core.tables.plain import PRODUCT

NEAR = 1_500
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


def find(session: Session, question: Question, limit: int, after: Position | None = None) -> list[Position]:
    """Find the places of up to ``limit`` rows behind ``after``, in one statement or, for a common word, a few."""
    columns = (question.order.key, PRODUCT.c.id)
    if question.way is not Way.ORDER or not question.words:
        return _places(read(session, question, columns, limit, after))
    found: list[Position] = []
    for number in (NEAR,) if question.candidates is not None else (NEAR, FURTHER):
        passing = list(session.execute(_passing(question, columns, after, number)))
        near = question.only([record.id for record in passing])
        found += _places(read(session, near, columns, limit - len(found)))
        if len(passing) < number or len(found) == limit:
            return found
        after = Position(*passing[-1])
    far = question if question.candidates is not None else replace(question, way=Way.WHOLE)
    return found + _places(read(session, far, columns, limit - len(found), after))


def _passing(
    question: Question, columns: tuple[Column, ...], after: Position | None, number: int
) -> Select[tuple[Any, ...]]:
    walk = question.without_words()
    statement = walk.in_order(columns).limit(number)
    return statement if after is None else statement.where(walk.beyond(after))


def _places(records: Iterable[Any]) -> list[Position]:
    return [Position(*record) for record in records]
