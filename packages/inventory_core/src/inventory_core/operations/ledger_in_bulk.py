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
    """What is added (signed, not 0) to what lies of one product in one place, by ids that exist.

    ``undoes_id`` names the movement that the change takes back.
    """

    product_id: int
    location_id: int
    quantity: int
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
        write_many(unit, kind, planned, reason)
        movements += sum(len(steps) for _, steps in planned)
    return movements


def _portions(changes: Sequence[BalanceChange]) -> Iterator[dict[int, list[BalanceChange]]]:
    products = ((key, list(group)) for key, group in groupby(changes, key=lambda change: change.product_id))
    while portion := dict(islice(products, PRODUCTS_AT_ONCE)):
        yield portion


def _plan(
    unit: Unit, portion: dict[int, list[BalanceChange]], locations: dict[int, str]
) -> list[tuple[ProductState, tuple[Step, ...]]]:
    keys = {"products": list(portion)}
    states = [ProductState(*record) for record in unit.connection.execute(_STATES, keys)]
    balances = {(record[0], record[1]): record[2] for record in unit.connection.execute(_BALANCES, keys)}
    planned = []
    for product in states:
        steps = []
        for _, location_id, quantity, undoes_id in portion[product.id]:
            place = Place(location_id, locations[location_id], balances.get((product.id, location_id)))
            steps.append(step(product, place, quantity, undoes_id))
        planned.append((product, tuple(steps)))
    return planned
