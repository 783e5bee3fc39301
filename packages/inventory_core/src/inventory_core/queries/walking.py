"""Reading a question in its order: only as far as it must be, however common or rare the words of its search are."""

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from inventory_core.models import PRODUCT
from inventory_core.queries.access import Column, Question, Way
from inventory_core.queries.sorting import Position

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
