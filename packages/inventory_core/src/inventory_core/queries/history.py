"""Read who did what, when and why: operations with what they changed, the latest first."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.errors import ProductNotFound
from inventory_core.models import IMPORT_CHANGE, LOCATION, MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT
from inventory_core.records import Record
from inventory_core.results import Cursor
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.texts import code_key, normalize_code, replace_surrogates

RESULT_READ = 4_000
"""Characters of a stored result that are read: all of most, and the common part of a change of many products."""
ENTRY_COLUMNS: tuple[ColumnElement[Any], ...] = (
    OPERATION.c.id,
    OPERATION.c.operation_type,
    OPERATION.c.actor,
    OPERATION.c.at,
    OPERATION_RESULT.c.product_id,
    func.substr(OPERATION_RESULT.c.result, 1, RESULT_READ),
)
ENTRY_TABLES = OPERATION.outerjoin(OPERATION_RESULT, OPERATION_RESULT.c.operation_id == OPERATION.c.id)
_NUMBER = re.compile(r'"(\w+)": (\d+)(?=[,}])')
_WORD = re.compile(r'"(column)": "(\w+)"')


@dataclass(frozen=True, slots=True)
class StockStep(Record):
    """One movement of an operation."""

    location: str
    quantity: int
    balance_after: int
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryEntry(Record):
    """An operation. ``code`` and ``name`` are the present ones of its product, None if it concerns several products or none.

    ``changes``: former and new value of each field, for an edit; None if an earlier program stored none. ``counts``: the numbers of
    the result, such as ``rows`` of an import. ``subject``: the name of a location, or the column that was changed in many products.
    ``steps``: the movements, for an operation on one product.
    """

    id: str
    operation_type: str
    actor: str
    at: datetime
    code: str | None
    name: str | None
    changes: Mapping[str, tuple[Any, Any]] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    subject: str = ""
    steps: tuple[StockStep, ...] = ()


def make_entries(session: Session, page: Sequence[tuple[Any, ...]]) -> tuple[HistoryEntry, ...]:
    """Make the entries of records of ``ENTRY_COLUMNS``, in their order; at most two statements."""
    of_one = {record[0]: record[4] for record in page if record[4] is not None}
    products = _products(session, set(of_one.values())) if of_one else {}
    steps = _steps(session, list(of_one)) if of_one else {}
    entries = []
    for row_id, operation_type, actor, at, product_id, result in page:
        code, name = products.get(product_id, (None, None))
        kept = _kept(result or "")
        changes = kept.get("changes")
        entries.append(
            HistoryEntry(
                row_id,
                operation_type,
                actor,
                at,
                code,
                name,
                None if changes is None else {each: (both[0], both[1]) for each, both in changes.items()},
                {key: value for key, value in kept.items() if type(value) is int},
                str(kept.get("name") or kept.get("column") or ""),
                tuple(steps.get(row_id, ())),
            )
        )
    return tuple(entries)


def _products(session: Session, ids: set[int]) -> dict[int | None, tuple[str | None, str | None]]:
    statement = select(PRODUCT.c.id, PRODUCT.c.code, PRODUCT.c.name).where(PRODUCT.c.id.in_(sorted(ids)))
    return {row[0]: (row[1], row[2]) for row in session.execute(statement)}


def _steps(session: Session, operations: Sequence[str]) -> dict[str, list[StockStep]]:
    statement = (
        select(
            MOVEMENT.c.operation_id, LOCATION.c.name, MOVEMENT.c.quantity, MOVEMENT.c.balance_after, MOVEMENT.c.reason
        )
        .join(LOCATION, LOCATION.c.id == MOVEMENT.c.location_id)
        .where(MOVEMENT.c.operation_id.in_(operations))
        .order_by(MOVEMENT.c.id)
    )
    found: dict[str, list[StockStep]] = defaultdict(list)
    for operation, *step in session.execute(statement):
        found[operation].append(StockStep(*step))
    return found


def _kept(result: str) -> dict[str, Any]:
    """Return the fields of a stored result; if it was cut, the numbers at its beginning."""
    try:
        kept = json.loads(result or "{}")
    except json.JSONDecodeError:
        return {**{key: int(value) for key, value in _NUMBER.findall(result)}, **dict(_WORD.findall(result))}
    return kept if isinstance(kept, dict) else {}


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Filter for operations; every part narrows, and an empty text means all.

    ``actor`` and ``operation_type`` are exact; ``code`` is that of a product; ``since`` is included and ``until`` is not (both
    aware).
    """

    code: str = ""
    actor: str = ""
    operation_type: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage(Record):
    """A page of the history; ``next`` is the ``after`` of the following page (None: there is none)."""

    entries: tuple[HistoryEntry, ...]
    next: Cursor | None


@check_arguments
def operation_history(
    inventory: InventoryContext,
    history_filter: HistoryFilter | None = None,
    *,
    after: Cursor | None = None,
    size: int = 50,
) -> HistoryPage:
    """Return operations, newest first, starting after ``after`` (time and id of the last one that was seen).

    Of a product, returns the operations on it alone and those on many products that changed it. At most five statements, each
    of which reads by an index. Raises ``ProductNotFound`` for an unknown code and ``InvalidInput`` for a size outside 1 to 500.
    """
    check_page_size(size)
    criteria = history_filter or HistoryFilter()
    conditions = _conditions(criteria, after, OPERATION.c.at, OPERATION.c.id)
    with inventory.sessions.reader() as session:
        if criteria.code:
            product_id = _product(session, criteria.code)
            alone = _of_product(session, criteria, after, product_id, size)
            records = sorted({*alone, *_among_many(session, conditions, product_id, size)}, key=_place, reverse=True)
        else:
            ordered = (
                select(*ENTRY_COLUMNS).select_from(ENTRY_TABLES).order_by(OPERATION.c.at.desc(), OPERATION.c.id.desc())
            )
            records = _read(session, ordered.where(*conditions), size)
        page = records[:size]
        entries = make_entries(session, page)
    return HistoryPage(entries, Cursor(*_place(page[-1])) if len(records) > size else None)


def _place(record: Sequence[Any]) -> tuple[datetime, str]:
    return record[3], record[0]


def _product(session: Session, code: str) -> int:
    found = session.scalar(select(PRODUCT.c.id).where(PRODUCT.c.code_key == code_key(normalize_code(code))))
    if found is None:
        raise ProductNotFound(code)
    return int(found)


def _conditions(
    criteria: HistoryFilter,
    after: Cursor | None,
    time: ColumnElement[datetime],
    row_id: ColumnElement[str],
) -> list[ColumnElement[bool]]:
    """``time`` and ``row_id`` are the columns of the table whose index the page is read by."""
    found: list[ColumnElement[bool]] = []
    if criteria.actor:
        found.append(OPERATION.c.actor == replace_surrogates(criteria.actor))
    if criteria.operation_type:
        found.append(OPERATION.c.operation_type == replace_surrogates(criteria.operation_type))
    if criteria.since is not None:
        found.append(time >= criteria.since)
    if criteria.until is not None:
        found.append(time < criteria.until)
    if after is not None:
        after.require(datetime, str)
        at, last = after.value, str(after.id)
        # The first half is the start in the index; the second one is exact.
        found += [time <= at, or_(time < at, and_(time == at, row_id < last))]
    return found


def _of_product(
    session: Session, criteria: HistoryFilter, after: Cursor | None, product_id: int, size: int
) -> list[tuple[Any, ...]]:
    time, row_id = OPERATION_RESULT.c.at, OPERATION_RESULT.c.operation_id
    statement = (
        select(*ENTRY_COLUMNS)
        .select_from(OPERATION_RESULT.join(OPERATION, OPERATION.c.id == row_id))
        .where(OPERATION_RESULT.c.product_id == product_id, *_conditions(criteria, after, time, row_id))
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
