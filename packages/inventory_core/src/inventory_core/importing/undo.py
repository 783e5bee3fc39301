"""Undo a whole import."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select, union, update

from inventory_core.context import InventoryContext
from inventory_core.database.sql_batch import set_by_id, stored_time, update_rows
from inventory_core.errors import CannotUndo, MovementNotFound
from inventory_core.importing.plan import StoredNames
from inventory_core.importing.reader import Progress
from inventory_core.importing.writer import LOCK_BATCH_SIZE, lock_products, read_stored_names
from inventory_core.models import IMPORT_CHANGE, MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT
from inventory_core.records import Record
from inventory_core.rules.arguments import check_arguments
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
_CHANGES = (
    select(IMPORT_CHANGE.c.product_id, IMPORT_CHANGE.c.before, IMPORT_CHANGE.c.version_after)
    .where(IMPORT_CHANGE.c.operation_id == bindparam("of"))
    .suffix_with("FOR SHARE", dialect="mysql")
)
_PRODUCTS = union(
    select(MOVEMENT.c.product_id).where(MOVEMENT.c.operation_id == bindparam("of")),
    select(IMPORT_CHANGE.c.product_id).where(IMPORT_CHANGE.c.operation_id == bindparam("of")),
)
_STATES = (
    select(PRODUCT.c.id, PRODUCT.c.code, PRODUCT.c.version, PRODUCT.c.quantity)
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_BRING_INTO_USE = (
    update(PRODUCT)
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)), PRODUCT.c.retired_at.is_not(None))
    .values(retired_at=None)
)
_FORGET = delete(IMPORT_CHANGE).where(IMPORT_CHANGE.c.operation_id == bindparam("of"))
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


class _Edited(NamedTuple):
    """A product that the import created (``before`` is empty) or changed."""

    id: int
    before: str
    version: int

    @property
    def retired_before(self) -> bool:
        return not self.before or json.loads(self.before)["retired_at"] is not None


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
    # Another undo of this import may have committed while this one waited for the locks.
    edited = [_Edited(*record) for record in unit.connection.execute(_CHANGES, key)]
    movements = [BalanceChange(*record) for record in unit.connection.execute(_MOVEMENTS, key)]
    if not edited and not movements:
        counts = json.loads(result)
        changed = any(counts[name] for name in ("created", "updated", "restored", "retired", "stock_changes"))
        raise CannotUndo("already_undone" if changed else "changed_nothing")
    edited.sort()
    batches = _Batches(2 * len(edited), progress)
    for batch in batches.of(edited):
        _require_unedited(unit, batch)
    places = read_stored_names(unit.connection, locked=True)
    # Stock can only move while a product is in use.
    for batch in batches.of(each for each in edited if not each.retired_before):
        _give_back(unit, batch, places)
    for batch in batches.of(each for each in edited if not each.before):
        _bring_into_use(unit, batch)
    taken_back = post_changes(unit, movements, kind=MovementKind.UNDO)
    for batch in batches.of(each for each in edited if each.retired_before and each.before):
        _give_back(unit, batch, places)
    for batch in batches.of(each for each in edited if not each.before):
        _retire(unit, batch)
    unit.connection.execute(_FORGET, key)
    return ImportUndone(len(edited), taken_back)


class _Batches:
    """Divides products into batches, and reports each one that is done."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def of(self, edited: Iterable[_Edited]) -> Iterator[list[_Edited]]:
        rest = iter(edited)
        while batch := list(islice(rest, LOCK_BATCH_SIZE)):
            if self._progress is not None:
                self._progress(self._done, self._total, "undoing")
            yield batch
            # A created product is brought into use and retired.
            self._done = min(self._total, self._done + len(batch))


def _require_unedited(unit: UnitOfWork, batch: list[_Edited]) -> None:
    records = unit.connection.execute(_STATES, {"products": [each.id for each in batch]})
    for each, record in zip(batch, records, strict=True):
        if record.version != each.version:
            raise CannotUndo("edited_since", record.code)


def _give_back(unit: UnitOfWork, batch: list[_Edited], places: StoredNames) -> None:
    at = stored_time(unit.connection, unit.at)
    codes = _read_states(unit, batch)
    rows: list[tuple[Any, ...]] = []
    texts = []
    for each in batch:
        before = json.loads(each.before)
        name, description, category_id = before["name"], before["description"], before["category_id"]
        retired_at = datetime.fromisoformat(before["retired_at"]) if before["retired_at"] else None
        retired_at = stored_time(unit.connection, retired_at)
        values = (name, sort_key(name), description, category_id, before["minimum"], retired_at)
        rows.append((*values, at, each.id, each.version))
        category = places.category_names[category_id].name
        texts.append((each.id, search_text(codes[each.id][0], name, description, category)))
    update_rows(unit.connection, PRODUCT, _RESTORE, rows)
    set_by_id(unit.connection, PRODUCT, "search_text", texts)


def _bring_into_use(unit: UnitOfWork, batch: list[_Edited]) -> None:
    """Restore the created products that the file said to be retired; all are retired in the end."""
    unit.connection.execute(_BRING_INTO_USE, {"products": [each.id for each in batch]})


def _retire(unit: UnitOfWork, batch: list[_Edited]) -> None:
    for code, quantity in _read_states(unit, batch).values():
        if quantity:
            raise CannotUndo("edited_since", code)
    at = stored_time(unit.connection, unit.at)
    update_rows(unit.connection, PRODUCT, _RETIRE, [(at, at, each.id, each.version) for each in batch])


def _read_states(unit: UnitOfWork, batch: list[_Edited]) -> dict[int, tuple[str, int]]:
    records = unit.connection.execute(_STATES, {"products": [each.id for each in batch]})
    return {record.id: (record.code, record.quantity) for record in records}
