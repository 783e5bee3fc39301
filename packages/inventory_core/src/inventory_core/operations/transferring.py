"""Stock moves between locations."""

from inventory_core.errors import Fault, InvalidInput
from inventory_core.inventory import Inventory
from inventory_core.operations.carrying_out import Unit
from inventory_core.operations.changing import asked_location, change_stock
from inventory_core.operations.ledger import find_place
from inventory_core.results import StockChange
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.stock import Kind, LedgerEntry, ProductState, amount_faults, plan_entry


@check_arguments
def transfer(
    inventory: Inventory,
    *,
    code: str,
    quantity: int,
    source: str | None,
    target: str | None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Move ``quantity`` units (1 or more) from one location to another; None is the default location.

    Writes two movements, out and in; the total stays. The result shows the target. Raises ``InvalidInput`` (also if both
    are the same location: ``target``, ``same``), ``ProductNotFound``, ``LocationNotFound``, ``ProductRetired``,
    ``InsufficientStock``, ``QuantityLimit``, ``ChangeRefused`` or ``OperationReused``.
    """

    def plan(unit: Unit, product: ProductState) -> tuple[LedgerEntry, ...]:
        origin, goal = find_place(unit, product, source), find_place(unit, product, target)
        if origin.location_id == goal.location_id:
            raise InvalidInput(Fault("target", "same", goal.location))
        return plan_entry(product, origin, -quantity), plan_entry(product, goal, quantity)

    return change_stock(
        inventory,
        code=code,
        kind=Kind.TRANSFER,
        faults=amount_faults(quantity),
        plan=plan,
        asked={"quantity": quantity, "source": asked_location(source), "target": asked_location(target)},
        reason=reason,
        actor=actor,
        operation=operation,
    )
