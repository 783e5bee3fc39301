"""A movement is taken back by another one."""

from typing import Any

from sqlalchemy import bindparam, select

from inventory_core.errors import InvalidInput, MovementNotFound
from inventory_core.inventory import Inventory
from inventory_core.models import MOVEMENT
from inventory_core.operations.carrying_out import Unit, carry_out
from inventory_core.operations.changing import write_change
from inventory_core.operations.ledger import find_place_by_id, lock_product_by_id
from inventory_core.results import StockChange, read_stock_change
from inventory_core.rules.arguments import check_arguments, clean_reason, request_faults
from inventory_core.rules.stock import Kind, PastMovement, compensation, plan_entry, require_active
from inventory_core.rules.texts import shown

LARGEST_ID = 2**63 - 1

_UNDOING = MOVEMENT.alias("undoing")
_PRODUCT_OF = select(MOVEMENT.c.product_id, MOVEMENT.c.operation_id, MOVEMENT.c.kind).where(
    MOVEMENT.c.id == bindparam("movement")
)
_PAST = (
    select(
        MOVEMENT.c.id,
        MOVEMENT.c.kind,
        MOVEMENT.c.location_id,
        MOVEMENT.c.quantity,
        _UNDOING.c.id.is_not(None),
    )
    .select_from(MOVEMENT.outerjoin(_UNDOING, _UNDOING.c.undoes_id == MOVEMENT.c.id))
    .order_by(MOVEMENT.c.location_id)
    .with_for_update(of=_UNDOING, read=True)
)
_ALONE = _PAST.where(MOVEMENT.c.id == bindparam("movement"))
_LEGS = _PAST.where(
    MOVEMENT.c.operation_id == bindparam("of"),
    MOVEMENT.c.product_id == bindparam("product"),
    MOVEMENT.c.kind == Kind.TRANSFER,
)


@check_arguments
def undo_movement(
    inventory: Inventory, *, movement_id: int, reason: str = "", actor: str, operation: str
) -> StockChange:
    """Take back a movement with a compensating one; of a transfer both halves, whichever of them is named.

    The result shows the location of the named movement. Raises ``MovementNotFound``, ``CannotUndo`` (``already_undone``,
    ``is_undo`` or ``changed_nothing``), ``ProductRetired``, ``InsufficientStock`` if the stock is no longer there,
    ``QuantityLimit``, ``ChangeRefused``, ``InvalidInput`` or ``OperationReused``.
    """
    reason = clean_reason(reason)
    if faults := request_faults(operation, actor, reason):
        raise InvalidInput(*faults)
    if not 0 < movement_id <= LARGEST_ID:
        raise MovementNotFound(shown(movement_id))

    def work(unit: Unit) -> StockChange:
        named = unit.connection.execute(_PRODUCT_OF, {"movement": movement_id}).first()
        if named is None:
            raise MovementNotFound(str(movement_id))
        product = lock_product_by_id(unit, named.product_id)
        if named.kind == Kind.TRANSFER:
            key: dict[str, Any] = {"of": named.operation_id, "product": product.id}
            past = unit.connection.execute(_LEGS, key)
        else:
            past = unit.connection.execute(_ALONE, {"movement": movement_id})
        changes = compensation([PastMovement(*record) for record in past], product.code)
        require_active(product)
        steps = [
            plan_entry(product, find_place_by_id(unit, product, location_id), quantity, undoes_id)
            for location_id, (quantity, undoes_id) in changes.items()
        ]
        steps.sort(key=lambda planned: planned.undoes_id == movement_id)
        return write_change(unit, product, Kind.UNDO, tuple(steps), reason)

    return carry_out(
        inventory,
        operation=operation,
        verb="undo",
        actor=actor,
        request={"movement": movement_id, "reason": reason},
        work=work,
        decode=read_stock_change,
    )
