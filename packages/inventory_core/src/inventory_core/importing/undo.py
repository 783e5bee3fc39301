"""Undo a whole import."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import RowMapping, bindparam, select, union, update

from inventory_core.catalog.revisions import Revision, read_revisions, time_value, undo_once, write_revisions
from inventory_core.context import InventoryContext
from inventory_core.database.sql_batch import set_by_id, stored_time, update_rows
from inventory_core.errors import CannotUndo, MovementNotFound
from inventory_core.importing.plan import StoredNames
from inventory_core.importing.reader import Progress
from inventory_core.importing.writer import LOCK_BATCH_SIZE, lock_products, read_stored_names
from inventory_core.models import MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT, PRODUCT_REVISION
from inventory_core.records import Record
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.products import RevisionKind
from inventory_core.rules.stock import MovementKind
from inventory_core.rules.texts import replace_surrogates, search_text, sort_key
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent
from inventory_core.stock.ledger import BalanceChange, post_changes

_UNDOING = MOVEMENT.alias("undoing")
_IMPORT = (
    select(OPERATION_RESULT.c.result)
    .join(OPERATION, OPERATION.c.id == OPERATION_RESULT.c.operation_id)
    .where(OPERATION.c.id == bindparam("of"), OPERATION.c.operation_type == "import")
)
# On MySQL, a shared lock reads the committed state, whatever snapshot the transaction has, and needs no privilege to change the
# table. Elsewhere no writer can interfere: SQLite has only one, and PostgreSQL takes a new snapshot for each statement.
_MOVEMENTS = (
    select(MOVEMENT.c.product_id, MOVEMENT.c.location_id, -MOVEMENT.c.quantity, MOVEMENT.c.id)
    .outerjoin(_UNDOING, _UNDOING.c.undoes_id == MOVEMENT.c.id)
    .where(MOVEMENT.c.operation_id == bindparam("of"), _UNDOING.c.id.is_(None))
    .suffix_with("FOR SHARE", dialect="mysql")
)
_PRODUCTS = union(
    select(MOVEMENT.c.product_id).where(MOVEMENT.c.operation_id == bindparam("of")),
    select(PRODUCT_REVISION.c.product_id).where(PRODUCT_REVISION.c.operation_id == bindparam("of")),
)
_STATES = (
    select(
        PRODUCT.c.id,
        PRODUCT.c.code,
        PRODUCT.c.name,
        PRODUCT.c.description,
        PRODUCT.c.category_id,
        PRODUCT.c.minimum,
        PRODUCT.c.retired_at,
        PRODUCT.c.version,
        PRODUCT.c.quantity,
    )
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_BRING_INTO_USE = (
    update(PRODUCT)
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)), PRODUCT.c.retired_at.is_not(None))
    .values(retired_at=None)
)
_RESTORE = """
    SET name = ?, name_key = ?, description = ?, category_id = ?, minimum = ?, retired_at = ?,
        version = version + 1, changed_at = ?
    WHERE id = ? AND version = ?
"""
_RETIRE = "SET retired_at = ?, version = version + 1, changed_at = ? WHERE id = ? AND version = ?"


@dataclass(frozen=True, slots=True)
class ImportUndone(Record):
    """The number of products whose fields were restored or that were retired, and of movements that were undone."""

    products: int
    movements: int
    replayed: bool = field(default=False, compare=False)


@check_arguments
def undo_import(
    inventory: InventoryContext, *, import_operation: str, actor: str, operation: str, progress: Progress | None = None
) -> ImportUndone:
    """Restore the fields of every product of an import, and undo its movements, except those already undone.

    Products that the import created are retired: their history stays, and the same file restores them. Categories and locations
    stay. All or nothing: raises ``CannotUndo`` (``edited_since`` with the code of a product that was edited, or of a created one
    whose stock changed; ``already_undone``; ``changed_nothing``), ``InsufficientStock`` if stock is gone, ``ProductRetired``,
    ``MovementNotFound`` if there was no such import, ``ChangeRefused`` or ``OperationReused``. ``progress`` is called inside the
    transaction in the stage ``undoing``, and cancels by raising, as in ``import_table``.
    """

    def work(unit: UnitOfWork) -> ImportUndone:
        return _undo(unit, import_operation, progress)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type="undo_import",
        actor=actor,
        request={"import": import_operation},
        work=work,
        decode=lambda kept: ImportUndone(**kept),
    )


def _undo(unit: UnitOfWork, import_operation: str, progress: Progress | None) -> ImportUndone:
    key = {"of": replace_surrogates(import_operation)}
    result = unit.connection.scalar(_IMPORT, key)
    if result is None:
        raise MovementNotFound(import_operation)
    lock_products(unit.connection, unit.connection.scalars(_PRODUCTS, key))
    undo_once(unit, key["of"])
    revisions = read_revisions(unit.connection, key["of"])
    movements = [BalanceChange(*record) for record in unit.connection.execute(_MOVEMENTS, key)]
    if not revisions and not movements:
        counts = json.loads(result)
        changed = any(counts[name] for name in ("created", "updated", "restored", "retired", "stock_changes"))
        raise CannotUndo("already_undone" if changed else "changed_nothing")
    created = [revision for revision in revisions if revision.creates]
    edited = [revision for revision in revisions if not revision.creates]
    batches = _Batches(2 * len(revisions), progress)
    for batch in batches.of(revisions):
        _require_unedited(unit, batch)
    places = read_stored_names(unit.connection, locked=True)
    # Stock can only move while a product is in use.
    for batch in batches.of(each for each in edited if not _was_retired(each)):
        _give_back(unit, batch, places)
    retired: dict[int, datetime] = {}
    for batch in batches.of(created):
        retired |= _bring_into_use(unit, batch)
    taken_back = post_changes(unit, movements, kind=MovementKind.UNDO)
    for batch in batches.of(each for each in edited if _was_retired(each)):
        _give_back(unit, batch, places)
    for batch in batches.of(created):
        _retire(unit, batch, retired)
    return ImportUndone(len(revisions), taken_back)


class _Batches:
    """Divides products into batches, and reports each one that is done."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def of(self, revisions: Iterable[Revision]) -> Iterator[list[Revision]]:
        rest = iter(revisions)
        while batch := list(islice(rest, LOCK_BATCH_SIZE)):
            if self._progress is not None:
                self._progress(self._done, self._total, "undoing")
            yield batch
            # A created product is brought into use and retired.
            self._done = min(self._total, self._done + len(batch))


def _was_retired(revision: Revision) -> bool:
    """Return whether the product was retired before the import."""
    return revision.kind == RevisionKind.RESTORED


def _require_unedited(unit: UnitOfWork, batch: list[Revision]) -> None:
    states = _read_states(unit, batch)
    for each in batch:
        if states[each.product_id]["version"] != each.version:
            raise CannotUndo("edited_since", states[each.product_id]["code"])


def _give_back(unit: UnitOfWork, batch: list[Revision], places: StoredNames) -> None:
    at = stored_time(unit.connection, unit.at)
    states = _read_states(unit, batch)
    rows: list[tuple[Any, ...]] = []
    texts = []
    for each in batch:
        state = states[each.product_id]
        fields = {column: former for column, (former, _) in each.changes.items()}
        if fields.get("retired_at"):
            fields["retired_at"] = datetime.fromisoformat(fields["retired_at"])
        fields = {**state, **fields}
        name, description, category_id = fields["name"], fields["description"], fields["category_id"]
        retired_at = stored_time(unit.connection, fields["retired_at"])
        values = (name, sort_key(name), description, category_id, fields["minimum"], retired_at)
        rows.append((*values, at, each.product_id, each.version))
        category = places.category_names[category_id].name
        texts.append((each.product_id, search_text(state["code"], name, description, category)))
    update_rows(unit.connection, PRODUCT, _RESTORE, rows)
    set_by_id(unit.connection, PRODUCT, "search_text", texts)
    write_revisions(unit, [each.inverse() for each in batch])


def _bring_into_use(unit: UnitOfWork, batch: list[Revision]) -> dict[int, datetime]:
    """Restore the created products that the file said to be retired; return when each was. All are retired in the end."""
    states = _read_states(unit, batch)
    retired = {row_id: state["retired_at"] for row_id, state in states.items() if state["retired_at"] is not None}
    if retired:
        unit.connection.execute(_BRING_INTO_USE, {"products": list(retired)})
    return retired


def _retire(unit: UnitOfWork, batch: list[Revision], retired: Mapping[int, datetime]) -> None:
    for state in _read_states(unit, batch).values():
        if state["quantity"]:
            raise CannotUndo("edited_since", state["code"])
    at = stored_time(unit.connection, unit.at)
    update_rows(unit.connection, PRODUCT, _RETIRE, [(at, at, each.product_id, each.version) for each in batch])
    revisions = []
    for each in batch:
        changes = {"retired_at": (time_value(retired.get(each.product_id)), time_value(unit.at))}
        revisions.append(Revision.of_changed(each.product_id, each.version + 1, changes))
    write_revisions(unit, revisions)


def _read_states(unit: UnitOfWork, batch: list[Revision]) -> dict[int, RowMapping]:
    records = unit.connection.execute(_STATES, {"products": [each.product_id for each in batch]})
    return {record["id"]: record for record in records.mappings()}
