"""The room that writes balances and movements, one product at a time; ``ledger_in_bulk`` does it for many."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CursorResult, Update, bindparam, insert, select, update

from inventory_core.errors import DatabaseBusy, LocationNotFound, ProductNotFound
from inventory_core.models import BALANCE, LOCATION, MOVEMENT, PRODUCT
from inventory_core.operations.announcing import ask_plugins, write_events
from inventory_core.operations.carrying_out import Unit
from inventory_core.rules.products import clean_location, location_faults
from inventory_core.rules.stock import (
    MAX_QUANTITY,
    LedgerEntry,
    ProductState,
    StockAtLocation,
    require_active,
    total_after,
)
from inventory_core.rules.texts import code_faults, code_key, normalize_code, sort_key

PRODUCT_STATE = select(
    PRODUCT.c.id,
    PRODUCT.c.code,
    PRODUCT.c.name,
    PRODUCT.c.quantity,
    PRODUCT.c.minimum,
    PRODUCT.c.version,
    PRODUCT.c.retired_at.is_not(None),
)
"""What ``ProductState`` is made of, in its order."""

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


def lock_product(unit: Unit, code: str) -> ProductState:
    """Lock the product with this code until the unit ends. Raises ``ProductNotFound``."""
    cleaned = normalize_code(code)
    # No product has a code that breaks the rules, and some drivers cannot even be asked for one.
    faults = code_faults(cleaned, stored=True)
    record = None if faults else unit.connection.execute(_BY_CODE, {"key": code_key(cleaned)}).first()
    if record is None:
        raise ProductNotFound(code)
    product = ProductState(*record)
    unit.products.add(product.id)
    return product


def lock_product_by_id(unit: Unit, product_id: int) -> ProductState:
    """Lock the product with this id, which exists, until the unit ends."""
    unit.products.add(product_id)
    return ProductState(*unit.connection.execute(_BY_ID, {"key": product_id}).one())


def find_place(unit: Unit, product: ProductState, location: str | None) -> StockAtLocation:
    """What lies of a locked product in a location; None is the default one. Raises ``LocationNotFound``."""
    if location is None:
        record = unit.connection.execute(_PLACE_DEFAULT, {"product": product.id}).first()
    else:
        cleaned = clean_location(location)
        if location_faults(cleaned, stored=True):
            raise LocationNotFound(location)
        record = unit.connection.execute(_PLACE_NAMED, {"product": product.id, "key": sort_key(cleaned)}).first()
    if record is None:
        raise LocationNotFound(location or "")
    return StockAtLocation(*record)


def find_place_by_id(unit: Unit, product: ProductState, location_id: int) -> StockAtLocation:
    """What lies of a locked product in the location with this id, which exists."""
    return StockAtLocation(*unit.connection.execute(_PLACE_BY_ID, {"product": product.id, "key": location_id}).one())


def write_steps(
    unit: Unit, product: ProductState, kind: str, steps: tuple[LedgerEntry, ...], reason: str = ""
) -> tuple[int, ...]:
    """Change the balances of one locked product and write a movement for each step; give the movements' ids.

    ``steps`` come from ``rules.stock`` over places that were read under the lock, each place once. Plugins are
    asked first. Raises ``ProductRetired``, ``QuantityLimit`` or ``ChangeRefused``, and ``DatabaseBusy`` if the lock did not
    hold (a session source without locking transactions).
    """
    require_active(product)
    total_after(product, steps)
    steps = tuple(sorted(steps, key=lambda step: step.place.location_id))
    ask_plugins(unit, product, kind, steps, reason)
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
    """The key that the database gave to the one row that was inserted."""
    key = result.inserted_primary_key
    if key is None:
        raise LookupError("the database gave no key to an inserted row")
    return int(key[0])


def _movement_row(unit: Unit, product_id: int, kind: str, step: LedgerEntry, reason: str) -> dict[str, Any]:
    """The row of the ledger for one step."""
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


def _guarded(unit: Unit, statement: Update, row: Mapping[str, Any]) -> None:
    """Run a guarded change that must meet the row it names."""
    if unit.connection.execute(statement, row).rowcount != 1:
        raise DatabaseBusy(1)
