"""The changes of an import become rows: products, balances, movements, events, and what an undo will need.

The one other room beside ``ledger`` that writes balances and movements: it keeps the same guards and the same order
(products before balances before movements), in statements that take many rows.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select

from inventory_core.imports.changes import Change, Fields, Places
from inventory_core.operations.announcing import event_rows, is_told
from inventory_core.operations.bulk_rows import insert_rows, set_by_id, stored_time, update_rows
from inventory_core.operations.carrying_out import Unit
from inventory_core.operations.import_lookups import read_ids
from inventory_core.rules.quantities import LARGEST_QUANTITY
from inventory_core.rules.stock_changes import Kind, Place, ProductState, Step
from inventory_core.rules.texts import search_text, sort_key
from inventory_core.tables.plain import BALANCE, IMPORT_CHANGE, MOVEMENT, OUTBOX, PRODUCT

CREATED_AT_ONCE = 2_000
"""Products in one statement, at whose end SQLite writes its search index; 13 parameters each, so not many more."""

_PRODUCT_COLUMNS = (
    "code", "code_key", "name", "name_key", "description", "category_id", "quantity", "minimum", "version",
    "search_text", "created_at", "changed_at", "retired_at",
)  # fmt: skip
_MOVEMENT_COLUMNS = (
    "kind", "product_id", "location_id", "quantity", "balance_after", "reason", "actor", "at", "operation_id",
)  # fmt: skip
_ADD_TO_PRODUCT = (
    "UPDATE product SET quantity = quantity + ?, changed_at = ? WHERE id = ? AND quantity + ? BETWEEN 0 AND ?"
)
_SET_BALANCE = "UPDATE balance SET quantity = ? WHERE product_id = ? AND location_id = ? AND quantity = ?"
_TO_TEXT = json.JSONEncoder(ensure_ascii=False).encode
_ADD_EVENT = insert(OUTBOX)
_WRITTEN = select(MOVEMENT.c.product_id, MOVEMENT.c.location_id, MOVEMENT.c.id).where(
    MOVEMENT.c.operation_id == bindparam("of"), MOVEMENT.c.product_id.in_(bindparam("products", expanding=True))
)


class _Placed(NamedTuple):
    """A step with the ids of its product and its location; ``added`` is its change, signed."""

    change: Change
    product_id: int
    location_id: int
    location: str
    before: int | None
    after: int
    added: int


class ImportWriter:
    """Writes portions of one import. The products that exist are locked, and were read under the lock."""

    def __init__(self, unit: Unit, places: Places) -> None:
        self._unit = unit
        self._places = places
        self._at = stored_time(unit.connection, unit.at)
        self._created: dict[str, int] = {}

    def write(self, changes: Sequence[Change]) -> None:
        """Write the changes of one portion; every category and location that they name is stored."""
        created = [change for change in changes if change.old is None]
        edited = [change for change in changes if change.old is not None and change.old != change.new]
        self._insert(created)
        self._created = read_ids(self._unit.connection, {change.line.key for change in changes if change.known is None})
        self._edit(edited)
        steps = [placed for change in changes if (placed := self._placed(change)) is not None]
        self._add_to_products(steps)
        self._set_balances(steps)
        self._write_movements([placed for placed in steps if placed.added])
        self._note_for_undo(created, edited)

    def _placed(self, change: Change) -> _Placed | None:
        if change.step is None:
            return None
        location, before, after = change.step
        location_id, name = self._places.locations[location.key]
        product_id = change.known.id if change.known is not None else self._created[change.line.key]
        return _Placed(change, product_id, location_id, name, before, after, after - (before or 0))

    def _insert(self, changes: Sequence[Change]) -> None:
        rows = []
        for change in changes:
            line, new = change.line, change.new
            category_id, category = self._category(new)
            rows.append(
                (
                    line.code,
                    line.key,
                    new.name,
                    sort_key(new.name),
                    new.description,
                    category_id,
                    change.step.after if change.step is not None else 0,
                    new.minimum,
                    1,
                    search_text(line.code, new.name, new.description, category),
                    self._at,
                    self._at,
                    self._at if new.retired else None,
                )
            )
        insert_rows(self._unit.connection, PRODUCT, _PRODUCT_COLUMNS, rows, CREATED_AT_ONCE)

    def _edit(self, changes: Sequence[Change]) -> None:
        """Write what differs and nothing else: a column that stays costs as much as one that changes."""
        rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        texts = []
        for change in changes:
            known = change.known
            if known is None:
                continue
            columns, values = self._differences(change)
            added = change.step.quantity if change.step is not None else 0
            guard = (added, LARGEST_QUANTITY) if added else ()
            rows[columns].append((*values, self._at, known.id, known.version, *guard))
            if "name" in columns or "description" in columns or "category_id" in columns:
                new = change.new
                text = search_text(known.code, new.name, new.description, self._category(new)[1])
                texts.append((known.id, text))
        for columns, of_these in rows.items():
            update_rows(self._unit.connection, _edit_statement(columns), of_these)
        set_by_id(self._unit.connection, PRODUCT, "search_text", texts)

    def _differences(self, change: Change) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """The columns that differ, with their new values; of the quantity, the change."""
        old, new = change.old, change.new
        found: dict[str, Any] = {}
        if old is not None:
            if old.name != new.name:
                found |= {"name": new.name, "name_key": sort_key(new.name)}
            if old.description != new.description:
                found["description"] = new.description
            if old.category != new.category:
                found["category_id"] = self._category(new)[0]
            if old.minimum != new.minimum:
                found["minimum"] = new.minimum
            if old.retired != new.retired:
                found["retired_at"] = self._at if new.retired else None
        if change.step is not None and change.step.quantity:
            found["quantity"] = change.step.quantity
        return tuple(found), tuple(found.values())

    def _add_to_products(self, steps: Sequence[_Placed]) -> None:
        """Change the totals that ``_insert`` and ``_edit`` have not written already."""
        rows = [
            (placed.added, self._at, placed.product_id, placed.added, LARGEST_QUANTITY)
            for placed in steps
            if placed.added and placed.change.old == placed.change.new
        ]
        update_rows(self._unit.connection, _ADD_TO_PRODUCT, rows)

    def _set_balances(self, steps: Sequence[_Placed]) -> None:
        added = [(placed.product_id, placed.location_id, placed.after) for placed in steps if placed.before is None]
        set_anew = [
            (placed.after, placed.product_id, placed.location_id, placed.before)
            for placed in steps
            if placed.before is not None
        ]
        insert_rows(self._unit.connection, BALANCE, ("product_id", "location_id", "quantity"), added)
        update_rows(self._unit.connection, _SET_BALANCE, set_anew)

    def _write_movements(self, steps: Sequence[_Placed]) -> None:
        unit = self._unit
        kind, actor, at, operation = Kind.IMPORT.value, unit.actor, self._at, unit.operation
        rows = [
            (kind, placed.product_id, placed.location_id, placed.added, placed.after, "", actor, at, operation)
            for placed in steps
        ]
        insert_rows(unit.connection, MOVEMENT, _MOVEMENT_COLUMNS, rows)
        if rows and is_told(unit.plugins):
            self._write_events(steps)

    def _write_events(self, steps: Sequence[_Placed]) -> None:
        unit = self._unit
        products: dict[int, list[_Placed]] = defaultdict(list)
        for placed in steps:
            products[placed.product_id].append(placed)
        records = unit.connection.execute(_WRITTEN, {"of": unit.operation, "products": list(products)})
        movements = {(product_id, location_id): movement_id for product_id, location_id, movement_id in records}
        rows = []
        for product_id, own in products.items():
            first, new = own[0].change, own[0].change.new
            code = first.line.code if first.known is None else first.known.code
            before = first.total - own[0].added
            state = ProductState(product_id, code, new.name, before, new.minimum, 1, new.retired)
            of_product = [Step(Place(each.location_id, each.location, each.before), each.added) for each in own]
            ids = [movements[product_id, each.location_id] for each in own]
            rows += event_rows(unit, state, Kind.IMPORT, of_product, "", ids)
        unit.connection.execute(_ADD_EVENT, rows)

    def _note_for_undo(self, created: Sequence[Change], edited: Sequence[Change]) -> None:
        rows = [(self._unit.operation, self._created[change.line.key], "", 1) for change in created]
        for change in edited:
            known = change.known
            if known is not None:
                rows.append((self._unit.operation, known.id, _before(change), known.version + 1))
        columns = ("operation_id", "product_id", "before", "version_after")
        insert_rows(self._unit.connection, IMPORT_CHANGE, columns, rows)

    def _category(self, fields: Fields) -> tuple[int | None, str]:
        key = fields.category.key
        return self._places.categories[key] if key else (None, "")


def _edit_statement(columns: tuple[str, ...]) -> str:
    values = [f"{column} = quantity + ?" if column == "quantity" else f"{column} = ?" for column in columns]
    guard = "AND quantity + ? BETWEEN 0 AND ?" if "quantity" in columns else ""
    return f"""
        UPDATE product SET {", ".join(values)}, version = version + 1, changed_at = ?
        WHERE id = ? AND version = ? {guard}
    """  # noqa: S608


def _before(change: Change) -> str:
    known = change.known
    if known is None:
        return ""
    fields = {
        "name": known.name,
        "description": known.description,
        "category_id": known.category_id,
        "minimum": known.minimum,
        "retired_at": known.retired_at.isoformat() if known.retired_at else None,
    }
    return _TO_TEXT(fields)
