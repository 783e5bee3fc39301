"""The frame that all changes of a quantity share: one product, under its lock, in one operation."""

from collections.abc import Callable, Mapping
from typing import Any

from inventory_core.errors import Fault, InvalidInput
from inventory_core.inventory import Inventory
from inventory_core.operations.carrying_out import Unit, carry_out
from inventory_core.operations.ledger import lock_product, write_steps
from inventory_core.results import StockChange, read_stock_change
from inventory_core.rules.arguments import clean_reason, request_faults
from inventory_core.rules.products import clean_location
from inventory_core.rules.stock import Kind, LedgerEntry, ProductState, require_active
from inventory_core.rules.texts import code_key, normalize_code, sort_key

Plan = Callable[[Unit, ProductState], tuple[LedgerEntry, ...]]
"""Looks at a locked product and gives the steps; the last one is what the result shows."""


def change_stock(
    inventory: Inventory,
    *,
    code: str,
    kind: Kind,
    faults: list[Fault],
    plan: Plan,
    asked: Mapping[str, Any],
    reason: str,
    actor: str,
    operation: str,
) -> StockChange:
    """Lock the product, let ``plan`` give the steps, write them.

    ``faults`` are those of the quantity; ``asked`` is what else the request says, for its fingerprint.
    """
    reason = clean_reason(reason)
    if faults := [*faults, *request_faults(operation, actor, reason)]:
        raise InvalidInput(*faults)

    def work(unit: Unit) -> StockChange:
        product = lock_product(unit, code)
        require_active(product)
        return write_change(unit, product, kind, plan(unit, product), reason)

    request = {"code": code_key(normalize_code(code)), "reason": reason, **asked}
    return carry_out(
        inventory,
        operation=operation,
        verb=kind,
        actor=actor,
        request=request,
        work=work,
        decode=read_stock_change,
    )


def write_change(
    unit: Unit, product: ProductState, kind: Kind, steps: tuple[LedgerEntry, ...], reason: str
) -> StockChange:
    """Write the steps of one product and say what changed, as the last step shows it."""
    movements = write_steps(unit, product, kind, steps, reason)
    shown = steps[-1]
    total = product.quantity + sum(step.quantity for step in steps)
    return StockChange(product.code, kind.value, shown.place.location, shown.before, shown.after, total, movements)


def asked_location(location: str | None) -> str | None:
    """How a request names a location in its fingerprint."""
    return None if location is None else sort_key(clean_location(location))
