"""From the rows of operations to what a person reads: products, movements and what the kept answers tell."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from inventory_core.models import LOCATION, MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT

RESULT_READ = 4_000
"""Characters of a kept result that are read: all of most, and of a change of many products what is said of them together."""
ENTRY_COLUMNS: tuple[ColumnElement[Any], ...] = (
    OPERATION.c.id,
    OPERATION.c.verb,
    OPERATION.c.actor,
    OPERATION.c.at,
    OPERATION_RESULT.c.product_id,
    func.substr(OPERATION_RESULT.c.result, 1, RESULT_READ),
)
ENTRY_TABLES = OPERATION.outerjoin(OPERATION_RESULT, OPERATION_RESULT.c.operation_id == OPERATION.c.id)
_NUMBER = re.compile(r'"(\w+)": (\d+)(?=[,}])')
_WORD = re.compile(r'"(column)": "(\w+)"')


@dataclass(frozen=True, slots=True)
class StockStep:
    """One movement of an operation."""

    location: str
    quantity: int
    balance_after: int
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An operation. ``code`` and ``name`` are those that its one product has now, None if it is about several or none.

    ``changes``: by field its former and its new value, of an edit; None where an earlier program kept none.
    ``counts``: the numbers of the answer, such as ``rows`` of an import. ``subject``: a location's name, or the column that
    was changed in many products. ``steps``: the movements, of an operation on one product.
    """

    id: str
    verb: str
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
    for row_id, verb, actor, at, product_id, result in page:
        code, name = products.get(product_id, (None, None))
        kept = _kept(result or "")
        changes = kept.get("changes")
        entries.append(
            HistoryEntry(
                row_id,
                verb,
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
    """The fields of a kept result; of one that was cut, the numbers at its beginning."""
    try:
        kept = json.loads(result or "{}")
    except json.JSONDecodeError:
        return {**{key: int(value) for key, value in _NUMBER.findall(result)}, **dict(_WORD.findall(result))}
    return kept if isinstance(kept, dict) else {}
