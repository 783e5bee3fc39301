"""Who did what, when and why: operations with what they changed, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, union
from sqlalchemy.orm import Session

from inventory_core.errors import ProductNotFound
from inventory_core.inventory import Inventory
from inventory_core.models import IMPORT_CHANGE, MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT
from inventory_core.queries.history_entries import ENTRY_COLUMNS, ENTRY_TABLES, HistoryEntry, make_entries
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.texts import code_key, normalize_code, replace_surrogates


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which operations are asked for; every part narrows, and an empty text means all.

    ``actor`` and ``verb`` are exact; ``code`` is that of a product; ``since`` is included and ``until`` is not (both aware).
    """

    code: str = ""
    actor: str = ""
    verb: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of the history; ``next`` is the ``after`` of the following one (None: there is none)."""

    entries: tuple[HistoryEntry, ...]
    next: tuple[datetime, str] | None


@check_arguments
def operation_history(
    inventory: Inventory,
    history_filter: HistoryFilter | None = None,
    *,
    after: tuple[datetime, str] | None = None,
    size: int = 50,
) -> HistoryPage:
    """Give operations, the latest first, from behind ``after`` (time and id of the last one that was seen) on.

    Of a product these are the operations on it alone, and those on many by which it was changed. At most five statements, each
    of which reads by an index. Raises ``ProductNotFound`` for an unknown code and ``InvalidInput`` for a size outside 1 to 500.
    """
    check_page_size(size)
    asked = history_filter or HistoryFilter()
    conditions = _conditions(asked, after, OPERATION.c.at, OPERATION.c.id)
    with inventory.sessions.reader() as session:
        if asked.code:
            product_id = _product(session, asked.code)
            alone = _of_product(session, asked, after, product_id, size)
            records = sorted({*alone, *_among_many(session, conditions, product_id, size)}, key=_place, reverse=True)
        else:
            ordered = (
                select(*ENTRY_COLUMNS).select_from(ENTRY_TABLES).order_by(OPERATION.c.at.desc(), OPERATION.c.id.desc())
            )
            records = _read(session, ordered.where(*conditions), size)
        page = records[:size]
        entries = make_entries(session, page)
    return HistoryPage(entries, _place(page[-1]) if len(records) > size else None)


def _place(record: Sequence[Any]) -> tuple[datetime, str]:
    return record[3], record[0]


def _product(session: Session, code: str) -> int:
    found = session.scalar(select(PRODUCT.c.id).where(PRODUCT.c.code_key == code_key(normalize_code(code))))
    if found is None:
        raise ProductNotFound(code)
    return int(found)


def _conditions(
    asked: HistoryFilter,
    after: tuple[datetime, str] | None,
    time: ColumnElement[datetime],
    row_id: ColumnElement[str],
) -> list[ColumnElement[bool]]:
    """``time`` and ``row_id`` are the columns of the table whose index the page is read by."""
    found: list[ColumnElement[bool]] = []
    if asked.actor:
        found.append(OPERATION.c.actor == replace_surrogates(asked.actor))
    if asked.verb:
        found.append(OPERATION.c.verb == replace_surrogates(asked.verb))
    if asked.since is not None:
        found.append(time >= asked.since)
    if asked.until is not None:
        found.append(time < asked.until)
    if after is not None:
        at, last = after
        # The first half lets an index begin there; the second one is what is meant.
        found += [time <= at, or_(time < at, and_(time == at, row_id < replace_surrogates(last)))]
    return found


def _of_product(
    session: Session, asked: HistoryFilter, after: tuple[datetime, str] | None, product_id: int, size: int
) -> list[tuple[Any, ...]]:
    time, row_id = OPERATION_RESULT.c.at, OPERATION_RESULT.c.operation_id
    statement = (
        select(*ENTRY_COLUMNS)
        .select_from(OPERATION_RESULT.join(OPERATION, OPERATION.c.id == row_id))
        .where(OPERATION_RESULT.c.product_id == product_id, *_conditions(asked, after, time, row_id))
        .order_by(time.desc(), row_id.desc())
    )
    return _read(session, statement, size)


def _among_many(
    session: Session, conditions: Sequence[ColumnElement[bool]], product_id: int, size: int
) -> list[tuple[Any, ...]]:
    touched = union(
        select(IMPORT_CHANGE.c.operation_id).where(IMPORT_CHANGE.c.product_id == product_id),
        select(MOVEMENT.c.operation_id).where(
            MOVEMENT.c.product_id == product_id, MOVEMENT.c.kind.in_(("import", "undo"))
        ),
    ).subquery()
    statement = (
        select(*ENTRY_COLUMNS)
        .select_from(ENTRY_TABLES.join(touched, touched.c.operation_id == OPERATION.c.id))
        .where(OPERATION_RESULT.c.product_id.is_(None), *conditions)
        .order_by(OPERATION.c.at.desc(), OPERATION.c.id.desc())
    )
    return _read(session, statement, size)


def _read(session: Session, statement: Select[Any], size: int) -> list[tuple[Any, ...]]:
    return [tuple(record) for record in session.execute(statement.limit(size + 1))]
