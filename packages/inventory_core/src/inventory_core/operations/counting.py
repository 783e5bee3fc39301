"""Somebody counted, or corrects a quantity by hand."""

from inventory_core.inventory import Inventory
from inventory_core.operations.carrying_out import Unit
from inventory_core.operations.changing import asked_location, change_stock
from inventory_core.operations.ledger import find_place
from inventory_core.results import StockChange
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.stock import (
    Kind,
    LedgerEntry,
    ProductState,
    amount_faults,
    plan_count,
    plan_entry,
    quantity_faults,
    require_expected,
)


@check_arguments
def count(
    inventory: Inventory,
    *,
    code: str,
    quantity: int,
    expected: int | None,
    location: str | None = None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Set what lies in ``location``, the default one if None, to the counted ``quantity``.

    ``expected`` is the quantity that the person saw; if another one lies there now, ``CountConflict`` tells both. None does
    without this guard. A count that differs in nothing still writes a movement of 0: it confirms.
    Raises ``InvalidInput``, ``ProductNotFound``, ``LocationNotFound``, ``ProductRetired``, ``QuantityLimit``,
    ``CountConflict``, ``ChangeRefused`` or ``OperationReused``.
    """

    def plan(unit: Unit, product: ProductState) -> tuple[LedgerEntry, ...]:
        return (plan_count(product, find_place(unit, product, location), quantity, expected),)

    return change_stock(
        inventory,
        code=code,
        kind=Kind.COUNT,
        faults=quantity_faults("quantity", quantity),
        plan=plan,
        asked={"quantity": quantity, "location": asked_location(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )


@check_arguments
def change_quantity(
    inventory: Inventory,
    *,
    code: str,
    delta: int,
    expected: int | None = None,
    location: str | None = None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Receive ``delta`` units, or issue them if it is negative; ``expected``, if given, guards as in ``count``.

    Raises what ``receive`` and ``issue`` raise, and ``CountConflict``.
    """

    def plan(unit: Unit, product: ProductState) -> tuple[LedgerEntry, ...]:
        place = find_place(unit, product, location)
        require_expected(product, place, expected)
        return (plan_entry(product, place, delta),)

    faults = amount_faults(delta, signed=True)
    return change_stock(
        inventory,
        code=code,
        kind=Kind.ISSUE if not faults and delta < 0 else Kind.RECEIVE,
        faults=faults,
        plan=plan,
        asked={"quantity": 0 if faults else abs(delta), "location": asked_location(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )
