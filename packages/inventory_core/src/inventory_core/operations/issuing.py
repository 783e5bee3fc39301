"""Stock goes out."""

from inventory_core.inventory import Inventory
from inventory_core.operations.carrying_out import Unit
from inventory_core.operations.changing import asked_location, change_stock
from inventory_core.operations.ledger import find_place
from inventory_core.results import StockChange
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.stock import Kind, LedgerEntry, ProductState, amount_faults, plan_entry


@check_arguments
def issue(
    inventory: Inventory,
    *,
    code: str,
    quantity: int,
    location: str | None = None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Take ``quantity`` units (1 or more) from what lies in ``location``, the default one if None.

    Raises ``InvalidInput``, ``ProductNotFound``, ``LocationNotFound``, ``ProductRetired``, ``InsufficientStock``,
    ``ChangeRefused`` or ``OperationReused``.
    """

    def plan(unit: Unit, product: ProductState) -> tuple[LedgerEntry, ...]:
        return (plan_entry(product, find_place(unit, product, location), -quantity),)

    return change_stock(
        inventory,
        code=code,
        kind=Kind.ISSUE,
        faults=amount_faults(quantity),
        plan=plan,
        asked={"quantity": quantity, "location": asked_location(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )
