"""Write balances and movements: of one product, or of many in few statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, Update, bindparam, insert, select, update

from inventory_core.database.sql_batch import insert_rows, stored_time, update_rows
from inventory_core.errors import DatabaseBusy, LocationNotFound, ProductNotFound
from inventory_core.models import BALANCE, LOCATION, MOVEMENT, PRODUCT
from inventory_core.rules.products import location_faults, normalize_location
from inventory_core.rules.stock import (
    MAX_QUANTITY,
    LedgerEntry,
    MovementKind,
    ProductState,
    StockAtLocation,
    plan_entry,
    require_active,
    total_after,
)
from inventory_core.rules.texts import code_faults, code_key, normalize_code, sort_key
from inventory_core.stock.hooks import call_check_hooks, event_rows, has_listeners, insert_events, write_events
from inventory_core.stock.idempotency import UnitOfWork

PRODUCT_STATE = select(
    PRODUCT.c.id,
    PRODUCT.c.code,
    PRODUCT.c.name,
    PRODUCT.c.quantity,
    PRODUCT.c.minimum,
    PRODUCT.c.version,
    PRODUCT.c.retired_at.is_not(None),
)
"""Columns of ``ProductState``, in its order."""

_BY_CODE = PRODUCT_STATE.where(PRODUCT.c.code_key == bindparam("key")).with_for_update()
_BY_ID = PRODUCT_STATE.where(PRODUCT.c.id == bindparam("key")).with_for_update()

# The locking read sees what is committed now, whatever snapshot the session has.
_PLACE = (
    select(LOCATION.c.id, LOCATION.c.name, BALANCE.c.quantity)
    .select_from(
        LOCATION.outerjoin(
            BALANCE, (BALANCE.c.location_id == LOCATION.c.id) & (BALANCE.c.product_id == bindparam("product"))
        )
    )
    .with_for_update(of=BALANCE)
)
_PLACE_NAMED = _PLACE.where(LOCATION.c.name_key == bindparam("key"))
_PLACE_BY_ID = _PLACE.where(LOCATION.c.id == bindparam("key"))
_PLACE_DEFAULT = _PLACE.where(LOCATION.c.is_default.is_(True))

_ADD_TO_PRODUCT = (
    update(PRODUCT)
    .where(
        PRODUCT.c.id == bindparam("product"),
        PRODUCT.c.retired_at.is_(None),
        (PRODUCT.c.quantity + bindparam("change")).between(0, MAX_QUANTITY),
    )
    .values(quantity=PRODUCT.c.quantity + bindparam("change"), changed_at=bindparam("at"))
)
_SET_BALANCE = (
    update(BALANCE)
    .where(
        BALANCE.c.product_id == bindparam("product"),
        BALANCE.c.location_id == bindparam("location"),
        BALANCE.c.quantity == bindparam("before"),
    )
    .values(quantity=bindparam("after"))
)
_ADD_BALANCE = insert(BALANCE)
_ADD_MOVEMENT = insert(MOVEMENT)


def lock_product(unit: UnitOfWork, code: str) -> ProductState:
    """Lock the product with this code until the unit ends. Raises ``ProductNotFound``."""
    cleaned = normalize_code(code)
    # No product has an invalid code, and some drivers cannot even send one.
    faults = code_faults(cleaned, stored=True)
    record = None if faults else unit.connection.execute(_BY_CODE, {"key": code_key(cleaned)}).first()
    if record is None:
        raise ProductNotFound(code)
    product = ProductState(*record)
    unit.products.add(product.id)
    return product


def lock_product_by_id(unit: UnitOfWork, product_id: int) -> ProductState:
    """Lock the product with this id, which exists, until the unit ends."""
    unit.products.add(product_id)
    return ProductState(*unit.connection.execute(_BY_ID, {"key": product_id}).one())


def find_place(unit: UnitOfWork, product: ProductState, location: str | None) -> StockAtLocation:
    """Return the stock of a locked product in a location; None is the default one. Raises ``LocationNotFound``."""
    if location is None:
        record = unit.connection.execute(_PLACE_DEFAULT, {"product": product.id}).first()
    else:
        cleaned = normalize_location(location)
        if location_faults(cleaned, stored=True):
            raise LocationNotFound(location)
        record = unit.connection.execute(_PLACE_NAMED, {"product": product.id, "key": sort_key(cleaned)}).first()
    if record is None:
        raise LocationNotFound(location or "")
    return StockAtLocation(*record)


def find_place_by_id(unit: UnitOfWork, product: ProductState, location_id: int) -> StockAtLocation:
    """Return the stock of a locked product in the location with this id, which exists."""
    return StockAtLocation(*unit.connection.execute(_PLACE_BY_ID, {"product": product.id, "key": location_id}).one())


def write_entries(
    unit: UnitOfWork, product: ProductState, kind: str, steps: tuple[LedgerEntry, ...], reason: str = ""
) -> tuple[int, ...]:
    """Change the balances of one locked product and write a movement for each step; return the movements' ids.

    ``steps`` come from ``rules.stock`` with places that were read under the lock, each place once. Calls the check hooks first.
    Raises ``ProductRetired``, ``QuantityLimit`` or ``ChangeRefused``, and ``DatabaseBusy`` if the lock did not hold (a session
    source without locking transactions).
    """
    require_active(product)
    total_after(product, steps)
    steps = tuple(sorted(steps, key=lambda step: step.place.location_id))
    call_check_hooks(unit, product, kind, steps, reason)
    change = sum(step.quantity for step in steps)
    _guarded(unit, _ADD_TO_PRODUCT, {"product": product.id, "change": change, "at": unit.at})
    movements = []
    for step in steps:
        if step.place.quantity is None:
            row = {"product_id": product.id, "location_id": step.place.location_id, "quantity": step.after}
            unit.connection.execute(_ADD_BALANCE, row)
        else:
            _guarded(unit, _SET_BALANCE, _balance_change(product.id, step))
        inserted = unit.connection.execute(_ADD_MOVEMENT, _movement_row(unit, product.id, kind, step, reason))
        movements.append(inserted_id(inserted))
    write_events(unit, product, kind, steps, reason, movements)
    return tuple(movements)


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the key of the inserted row."""
    key = result.inserted_primary_key
    if key is None:
        raise LookupError("the database gave no key to an inserted row")
    return int(key[0])


def _movement_row(unit: UnitOfWork, product_id: int, kind: str, step: LedgerEntry, reason: str) -> dict[str, Any]:
    """Return the row of the ledger for one step."""
    return {
        "kind": kind,
        "product_id": product_id,
        "location_id": step.place.location_id,
        "quantity": step.quantity,
        "balance_after": step.after,
        "reason": reason,
        "actor": unit.actor,
        "at": unit.at,
        "operation_id": unit.operation,
        "undoes_id": step.undoes_id,
    }


def _balance_change(product_id: int, step: LedgerEntry) -> dict[str, int]:
    return {"product": product_id, "location": step.place.location_id, "before": step.before, "after": step.after}


def _guarded(unit: UnitOfWork, statement: Update, row: Mapping[str, Any]) -> None:
    """Run a guarded change that must meet the row it names."""
    if unit.connection.execute(statement, row).rowcount != 1:
        raise DatabaseBusy(1)


PRODUCT_BATCH_SIZE = 500

_STATES = (
    PRODUCT_STATE.where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_BALANCES = (
    select(BALANCE.c.product_id, BALANCE.c.location_id, BALANCE.c.quantity)
    .where(BALANCE.c.product_id.in_(bindparam("products", expanding=True)))
    .with_for_update()
)
_LOCATIONS = select(LOCATION.c.id, LOCATION.c.name)
_WRITTEN = select(MOVEMENT.c.product_id, MOVEMENT.c.location_id, MOVEMENT.c.id).where(
    MOVEMENT.c.operation_id == bindparam("of"), MOVEMENT.c.product_id.in_(bindparam("products", expanding=True))
)
_ADD_TO_TOTAL = (
    "UPDATE product SET quantity = quantity + ?, changed_at = ? WHERE id = ? AND quantity + ? BETWEEN 0 AND ?"
)
_SET_BALANCE_SQL = "UPDATE balance SET quantity = ? WHERE product_id = ? AND location_id = ? AND quantity = ?"
_BALANCE_COLUMNS = ("product_id", "location_id", "quantity")
_MOVEMENT_COLUMNS = (
    "kind", "product_id", "location_id", "quantity", "balance_after", "reason", "actor", "at", "operation_id", "undoes_id",
)  # fmt: skip


class BalanceChange(NamedTuple):
    """A signed change (not 0) of one balance, by existing ids.

    ``undoes_id`` names the movement that the change undoes.
    """

    product_id: int
    location_id: int
    quantity: int
    undoes_id: int | None = None


class BalanceSet(NamedTuple):
    """The balance as it was read under the lock of its product, None if there is none, and the new one."""

    product_id: int
    location_id: int
    before: int | None
    after: int
    undoes_id: int | None = None


def add_to_balances(unit: UnitOfWork, changes: Iterable[BalanceChange], *, kind: MovementKind, reason: str = "") -> int:
    """Change many balances; return the number of movements.

    Each (product, location) may occur once in the whole unit. Locks the products by ascending id, in batches, so memory use stays
    small apart from the changes themselves. Calls the check hooks for each change. Raises ``ProductRetired``,
    ``InsufficientStock``, ``QuantityLimit`` or ``ChangeRefused``.
    """
    locations = {record[0]: record[1] for record in unit.connection.execute(_LOCATIONS)}
    movements = 0
    for batch in _batches(sorted(changes)):
        planned = _plan(unit, batch, locations)
        movements += _write(unit, kind, planned, reason)
    return movements


def add_to_totals(unit: UnitOfWork, totals: Sequence[tuple[int, int]]) -> None:
    """Add signed changes to the totals of locked products, as pairs of id and change."""
    at = stored_time(unit.connection, unit.at)
    rows = [(added, at, product_id, added, MAX_QUANTITY) for product_id, added in totals]
    update_rows(unit.connection, _ADD_TO_TOTAL, rows)


def set_balances(unit: UnitOfWork, kind: MovementKind, changes: Sequence[BalanceSet], reason: str = "") -> None:
    """Write balances of locked products, whose totals are already written, and a movement for each that differs.

    A balance of 0 without a row gets no movement. Calls no hooks.
    """
    added = [(product, location, after) for product, location, before, after, _ in changes if before is None]
    changed = [
        (after, product, location, before)
        for product, location, before, after, _ in changes
        if before is not None and before != after
    ]
    insert_rows(unit.connection, BALANCE, _BALANCE_COLUMNS, added)
    update_rows(unit.connection, _SET_BALANCE_SQL, changed)
    at = stored_time(unit.connection, unit.at)
    shared = (reason, unit.actor, at, unit.operation)
    rows = [
        (kind.value, product, location, after - (before or 0), after, *shared, undoes)
        for product, location, before, after, undoes in changes
        if after != (before or 0)
    ]
    insert_rows(unit.connection, MOVEMENT, _MOVEMENT_COLUMNS, rows)


def written_movements(unit: UnitOfWork, products: Sequence[int]) -> Mapping[tuple[int, int], int]:
    """Return the movements of this unit by product and location, for units that change each balance once."""
    keys = {"of": unit.operation, "products": products}
    return {(record[0], record[1]): record[2] for record in unit.connection.execute(_WRITTEN, keys)}


def _batches(changes: Sequence[BalanceChange]) -> Iterator[dict[int, list[BalanceChange]]]:
    products = ((key, list(group)) for key, group in groupby(changes, key=lambda change: change.product_id))
    while batch := dict(islice(products, PRODUCT_BATCH_SIZE)):
        yield batch


def _plan(
    unit: UnitOfWork, batch: dict[int, list[BalanceChange]], locations: dict[int, str]
) -> list[tuple[ProductState, tuple[LedgerEntry, ...]]]:
    keys = {"products": list(batch)}
    states = [ProductState(*record) for record in unit.connection.execute(_STATES, keys)]
    balances = {(record[0], record[1]): record[2] for record in unit.connection.execute(_BALANCES, keys)}
    planned = []
    for product in states:
        require_active(product)
        steps = []
        for _, location_id, quantity, undoes_id in batch[product.id]:
            place = StockAtLocation(location_id, locations[location_id], balances.get((product.id, location_id)))
            steps.append(plan_entry(product, place, quantity, undoes_id))
        planned.append((product, tuple(steps)))
    return planned


def _write(
    unit: UnitOfWork, kind: MovementKind, planned: Sequence[tuple[ProductState, tuple[LedgerEntry, ...]]], reason: str
) -> int:
    """Do the same as ``write_entries`` for many locked products; return the number of movements."""
    for product, steps in planned:
        total_after(product, steps)
        call_check_hooks(unit, product, kind, steps, reason)
    add_to_totals(unit, [(product.id, sum(each.quantity for each in steps)) for product, steps in planned])
    changes = [
        BalanceSet(product.id, each.place.location_id, each.place.quantity, each.after, each.undoes_id)
        for product, steps in planned
        for each in steps
    ]
    set_balances(unit, kind, changes, reason)
    if has_listeners(unit.plugins):
        written = written_movements(unit, [product.id for product, _ in planned])
        rows = []
        for product, steps in planned:
            movements = [written[product.id, each.place.location_id] for each in steps]
            rows += event_rows(unit, product, kind, steps, reason, movements)
        insert_events(unit, rows)
    return len(changes)
