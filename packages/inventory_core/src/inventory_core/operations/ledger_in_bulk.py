"""Many balances in one operation: planned here under their locks, written by the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from sqlalchemy import bindparam, select

from inventory_core.operations.carrying_out import Unit
from inventory_core.operations.ledger import PRODUCT_STATE, write_many
from inventory_core.rules.stock_changes import Kind, Place, ProductState, Step, step
from inventory_core.tables.plain import BALANCE, LOCATION, PRODUCT

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


class BalanceChange(NamedTuple):
    """One product in one place, by ids that exist; ``quantity`` is what shall lie there, or what is added (signed).

    ``undoes_id`` names the movement that the change takes back.
    """

    product_id: int
    location_id: int
    quantity: int
    undoes_id: int | None = None


def set_balances(unit: Unit, changes: Iterable[BalanceChange], *, kind: Kind, reason: str = "") -> int:
    """Set many balances to the given quantities; give how many movements that took.

    A balance that is right already gets no movement. Each (product, location) may appear once in the whole unit. Locks
    the products by ascending id, in portions, so memory stays small but for the changes themselves. Plugins are asked
    about every change. Raises ``ProductRetired``, ``QuantityLimit``, ``InsufficientStock`` (for a negative target) or
    ``ChangeRefused``.
    """
    return _write(unit, changes, kind, reason, absolute=True)


def add_to_balances(unit: Unit, changes: Iterable[BalanceChange], *, kind: Kind, reason: str = "") -> int:
    """Add many signed quantities to balances; for the rest see ``set_balances``."""
    return _write(unit, changes, kind, reason, absolute=False)


def _write(unit: Unit, changes: Iterable[BalanceChange], kind: Kind, reason: str, *, absolute: bool) -> int:
    locations = {record[0]: record[1] for record in unit.connection.execute(_LOCATIONS)}
    movements = 0
    for portion in _portions(sorted(changes)):
        planned = _plan(unit, portion, locations, absolute=absolute)
        if planned:
            write_many(unit, kind, planned, reason)
        movements += sum(len(steps) for _, steps in planned)
    return movements


def _portions(changes: Sequence[BalanceChange]) -> Iterator[dict[int, list[BalanceChange]]]:
    products = ((key, list(group)) for key, group in groupby(changes, key=lambda change: change.product_id))
    while portion := dict(islice(products, PRODUCTS_AT_ONCE)):
        yield portion


def _plan(
    unit: Unit, portion: dict[int, list[BalanceChange]], locations: dict[int, str], *, absolute: bool
) -> list[tuple[ProductState, tuple[Step, ...]]]:
    keys = {"products": list(portion)}
    states = [ProductState(*record) for record in unit.connection.execute(_STATES, keys)]
    balances = {(record[0], record[1]): record[2] for record in unit.connection.execute(_BALANCES, keys)}
    planned = []
    for product in states:
        steps = []
        for change in portion[product.id]:
            here = balances.get((product.id, change.location_id))
            difference = change.quantity - (here or 0) if absolute else change.quantity
            if difference:
                place = Place(change.location_id, locations[change.location_id], here)
                steps.append(step(product, place, difference, change.undoes_id))
        if steps:
            planned.append((product, tuple(steps)))
    return planned
