"""Many balances in one operation: their rows and those of their movements, in a few statements that each take many."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from sqlalchemy import bindparam, select

from inventory_core.database.sql_batch import insert_rows, stored_time, update_rows
from inventory_core.models import BALANCE, LOCATION, MOVEMENT, PRODUCT
from inventory_core.operations.announcing import ask_plugins, event_rows, has_listeners, insert_events
from inventory_core.operations.carrying_out import Unit
from inventory_core.operations.ledger import PRODUCT_STATE
from inventory_core.rules.stock import (
    MAX_QUANTITY,
    Kind,
    LedgerEntry,
    ProductState,
    StockAtLocation,
    plan_entry,
    require_active,
    total_after,
)

PRODUCTS_AT_ONCE = 500

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
_SET_BALANCE = "UPDATE balance SET quantity = ? WHERE product_id = ? AND location_id = ? AND quantity = ?"
_BALANCE_COLUMNS = ("product_id", "location_id", "quantity")
_MOVEMENT_COLUMNS = (
    "kind", "product_id", "location_id", "quantity", "balance_after", "reason", "actor", "at", "operation_id", "undoes_id",
)  # fmt: skip


class BalanceChange(NamedTuple):
    """What is added (signed, not 0) to what lies of one product in one place, by ids that exist.

    ``undoes_id`` names the movement that the change takes back.
    """

    product_id: int
    location_id: int
    quantity: int
    undoes_id: int | None = None


class BalanceSet(NamedTuple):
    """A balance as it was read under the lock of its product, None if there is none, and as it shall be."""

    product_id: int
    location_id: int
    before: int | None
    after: int
    undoes_id: int | None = None


def add_to_balances(unit: Unit, changes: Iterable[BalanceChange], *, kind: Kind, reason: str = "") -> int:
    """Change many balances; give how many movements that took.

    Each (product, location) may appear once in the whole unit. Locks the products by ascending id, in portions, so memory
    stays small but for the changes themselves. Plugins are asked about every change. Raises ``ProductRetired``,
    ``InsufficientStock``, ``QuantityLimit`` or ``ChangeRefused``.
    """
    locations = {record[0]: record[1] for record in unit.connection.execute(_LOCATIONS)}
    movements = 0
    for portion in _portions(sorted(changes)):
        planned = _plan(unit, portion, locations)
        movements += _write(unit, kind, planned, reason)
    return movements


def add_to_totals(unit: Unit, totals: Sequence[tuple[int, int]]) -> None:
    """Add to the totals of locked products, given by id, what their balances grow by (signed)."""
    at = stored_time(unit.connection, unit.at)
    rows = [(added, at, product_id, added, MAX_QUANTITY) for product_id, added in totals]
    update_rows(unit.connection, _ADD_TO_TOTAL, rows)


def set_balances(unit: Unit, kind: Kind, changes: Sequence[BalanceSet], reason: str = "") -> None:
    """Write balances of locked products, whose totals are written already, and a movement for each that differs.

    A balance of 0 where there was none takes no movement. Nobody is asked or told.
    """
    added = [(product, location, after) for product, location, before, after, _ in changes if before is None]
    changed = [
        (after, product, location, before)
        for product, location, before, after, _ in changes
        if before is not None and before != after
    ]
    insert_rows(unit.connection, BALANCE, _BALANCE_COLUMNS, added)
    update_rows(unit.connection, _SET_BALANCE, changed)
    at = stored_time(unit.connection, unit.at)
    shared = (reason, unit.actor, at, unit.operation)
    rows = [
        (kind.value, product, location, after - (before or 0), after, *shared, undoes)
        for product, location, before, after, undoes in changes
        if after != (before or 0)
    ]
    insert_rows(unit.connection, MOVEMENT, _MOVEMENT_COLUMNS, rows)


def written_movements(unit: Unit, products: Sequence[int]) -> Mapping[tuple[int, int], int]:
    """The movements of this unit by product and location, for units that change each balance once."""
    keys = {"of": unit.operation, "products": products}
    return {(record[0], record[1]): record[2] for record in unit.connection.execute(_WRITTEN, keys)}


def _portions(changes: Sequence[BalanceChange]) -> Iterator[dict[int, list[BalanceChange]]]:
    products = ((key, list(group)) for key, group in groupby(changes, key=lambda change: change.product_id))
    while portion := dict(islice(products, PRODUCTS_AT_ONCE)):
        yield portion


def _plan(
    unit: Unit, portion: dict[int, list[BalanceChange]], locations: dict[int, str]
) -> list[tuple[ProductState, tuple[LedgerEntry, ...]]]:
    keys = {"products": list(portion)}
    states = [ProductState(*record) for record in unit.connection.execute(_STATES, keys)]
    balances = {(record[0], record[1]): record[2] for record in unit.connection.execute(_BALANCES, keys)}
    planned = []
    for product in states:
        require_active(product)
        steps = []
        for _, location_id, quantity, undoes_id in portion[product.id]:
            place = StockAtLocation(location_id, locations[location_id], balances.get((product.id, location_id)))
            steps.append(plan_entry(product, place, quantity, undoes_id))
        planned.append((product, tuple(steps)))
    return planned


def _write(unit: Unit, kind: Kind, planned: Sequence[tuple[ProductState, tuple[LedgerEntry, ...]]], reason: str) -> int:
    """Do what ``ledger.write_steps`` does for many locked products; give the number of movements."""
    for product, steps in planned:
        total_after(product, steps)
        ask_plugins(unit, product, kind, steps, reason)
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
