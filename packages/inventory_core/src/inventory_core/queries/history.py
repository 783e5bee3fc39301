"""Read who did what, when and why: operations with what they changed, the latest first."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select, union
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.errors import ProductNotFound
from inventory_core.models import (
    CATEGORY,
    LOCATION,
    MOVEMENT,
    OPERATION,
    OPERATION_RESULT,
    PRODUCT,
    PRODUCT_REVISION,
)
from inventory_core.records import Record
from inventory_core.results import Cursor
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.products import FieldChanges, RevisionKind
from inventory_core.rules.texts import code_key, normalize_code, replace_surrogates

MAX_HISTORY_TEXT = 200
"""Maximum length of a text in an entry; the revision has all of it."""
_NAMES = {"code": "code", "name": "name", "description": "description", "category_id": "category", "minimum": "minimum"}
"""The field of an entry by the column of a revision. When a product was retired is not shown, only that it was."""


class _Record(NamedTuple):
    """An operation, with its revision of the product that the page, or the operation itself, is about."""

    id: str
    operation_type: str
    actor: str
    at: datetime
    product_id: int | None
    result: str | None
    kind: str | None
    changes: str | None


_COLUMNS: tuple[ColumnElement[Any], ...] = (
    OPERATION.c.id,
    OPERATION.c.operation_type,
    OPERATION.c.actor,
    OPERATION.c.at,
    OPERATION_RESULT.c.product_id,
    OPERATION_RESULT.c.result,
    PRODUCT_REVISION.c.kind,
    PRODUCT_REVISION.c.changes,
)
_OPERATIONS = OPERATION.outerjoin(OPERATION_RESULT, OPERATION_RESULT.c.operation_id == OPERATION.c.id)


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

    ``kind``: what the operation did to the fields of its product, or, among the entries of one product, of that product; None if
    nothing. ``changes``: the former and the new value of each field that it changed. ``counts``: the numbers of the result, such as
    ``rows`` of an import. ``subject``: the name of a location, or the column that was changed in many products. ``steps``: the
    movements, for an operation on one product.
    """

    id: str
    operation_type: str
    actor: str
    at: datetime
    code: str | None
    name: str | None
    kind: RevisionKind | None = None
    changes: FieldChanges = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    subject: str = ""
    steps: tuple[StockStep, ...] = ()


def _make_entries(session: Session, page: Sequence[_Record]) -> tuple[HistoryEntry, ...]:
    """Make the entries of records, in their order; at most three statements."""
    of_one = {record.id: record.product_id for record in page if record.product_id is not None}
    products = _products(session, set(of_one.values())) if of_one else {}
    steps = _steps(session, list(of_one)) if of_one else {}
    changed = [json.loads(record.changes or "{}") for record in page]
    categories = _categories(session, changed)
    entries = []
    for record, changes in zip(page, changed, strict=True):
        code, name = products.get(record.product_id, (None, None))
        result = json.loads(record.result or "{}")
        entries.append(
            HistoryEntry(
                record.id,
                record.operation_type,
                record.actor,
                record.at,
                code,
                name,
                None if record.kind is None else RevisionKind(record.kind),
                _shown_changes(changes, categories),
                {key: value for key, value in result.items() if type(value) is int},
                str(result.get("name") or result.get("column") or ""),
                tuple(steps.get(record.id, ())),
            )
        )
    return tuple(entries)


def _categories(session: Session, changed: Sequence[FieldChanges]) -> dict[int | None, str]:
    """Return the names of the categories by id."""
    ids = {row_id for changes in changed for row_id in changes.get("category_id", ()) if row_id is not None}
    if not ids:
        return {}
    statement = select(CATEGORY.c.id, CATEGORY.c.name).where(CATEGORY.c.id.in_(sorted(ids)))
    return {row[0]: row[1] for row in session.execute(statement)}


def _shown_changes(changes: FieldChanges, categories: Mapping[int | None, str]) -> dict[str, tuple[Any, Any]]:
    shown = {}
    for column, (former, new) in changes.items():
        if column == "category_id":
            shown[_NAMES[column]] = (categories.get(former), categories.get(new))
        elif column in _NAMES:
            shown[_NAMES[column]] = (_shortened(former), _shortened(new))
    return shown


def _shortened(value: Any) -> Any:
    return value[: MAX_HISTORY_TEXT - 1] + "…" if isinstance(value, str) and len(value) > MAX_HISTORY_TEXT else value


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

    Of a product, returns the operations on it alone and those on many products that changed it. At most six statements, each
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
            tables = _OPERATIONS.outerjoin(PRODUCT_REVISION, _revises(OPERATION_RESULT.c.product_id))
            ordered = select(*_COLUMNS).select_from(tables).order_by(OPERATION.c.at.desc(), OPERATION.c.id.desc())
            records = _read(session, ordered.where(*conditions), size)
        page = records[:size]
        entries = _make_entries(session, page)
    return HistoryPage(entries, Cursor(*_place(page[-1])) if len(records) > size else None)


def _place(record: _Record) -> tuple[datetime, str]:
    return record.at, record.id


def _revises(product_id: ColumnElement[Any] | int) -> ColumnElement[bool]:
    return and_(PRODUCT_REVISION.c.operation_id == OPERATION.c.id, PRODUCT_REVISION.c.product_id == product_id)


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
) -> list[_Record]:
    time, row_id = OPERATION_RESULT.c.at, OPERATION_RESULT.c.operation_id
    tables = OPERATION_RESULT.join(OPERATION, OPERATION.c.id == row_id)
    statement = (
        select(*_COLUMNS)
        .select_from(tables.outerjoin(PRODUCT_REVISION, _revises(product_id)))
        .where(OPERATION_RESULT.c.product_id == product_id, *_conditions(criteria, after, time, row_id))
        .order_by(time.desc(), row_id.desc())
    )
    return _read(session, statement, size)


def _among_many(
    session: Session, conditions: Sequence[ColumnElement[bool]], product_id: int, size: int
) -> list[_Record]:
    revision = PRODUCT_REVISION.alias()
    touched = union(
        select(revision.c.operation_id).where(revision.c.product_id == product_id),
        select(MOVEMENT.c.operation_id).where(
            MOVEMENT.c.product_id == product_id, MOVEMENT.c.kind.in_(("import", "undo"))
        ),
    ).subquery()
    tables = _OPERATIONS.join(touched, touched.c.operation_id == OPERATION.c.id)
    statement = (
        select(*_COLUMNS)
        .select_from(tables.outerjoin(PRODUCT_REVISION, _revises(product_id)))
        .where(OPERATION_RESULT.c.product_id.is_(None), *conditions)
        .order_by(OPERATION.c.at.desc(), OPERATION.c.id.desc())
    )
    return _read(session, statement, size)


def _read(session: Session, statement: Select[Any], size: int) -> list[_Record]:
    return [_Record(*record) for record in session.execute(statement.limit(size + 1))]
