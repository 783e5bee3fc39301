"""Receive, issue, transfer, count and undo: changes of the quantity of one product."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import bindparam, select

from inventory_core.context import InventoryContext
from inventory_core.errors import Fault, InvalidInput, MovementNotFound
from inventory_core.models import MOVEMENT
from inventory_core.results import StockChange, read_stock_change
from inventory_core.rules.arguments import check_arguments, normalize_reason, request_faults
from inventory_core.rules.products import normalize_location
from inventory_core.rules.stock import (
    LedgerEntry,
    MovementKind,
    PastMovement,
    ProductState,
    amount_faults,
    compensation,
    plan_count,
    plan_entry,
    quantity_faults,
    require_active,
    require_expected,
)
from inventory_core.rules.texts import code_key, normalize_code, shown, sort_key
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent
from inventory_core.stock.ledger import find_place, find_place_by_id, lock_product, lock_product_by_id, post_entries

EntryPlanner = Callable[[UnitOfWork, ProductState], tuple[LedgerEntry, ...]]
"""Returns the ledger entries for a locked product; the result shows the last one."""

MAX_ID = 2**63 - 1
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
    MOVEMENT.c.kind == MovementKind.TRANSFER,
)


def change_stock(
    inventory: InventoryContext,
    *,
    code: str,
    kind: MovementKind,
    faults: list[Fault],
    plan: EntryPlanner,
    arguments: Mapping[str, Any],
    reason: str,
    actor: str,
    operation: str,
) -> StockChange:
    """Lock the product, plan the entries and write them.

    ``faults`` are those of the quantity; ``arguments`` has the other arguments, for the fingerprint.
    """
    reason = normalize_reason(reason)
    if faults := [*faults, *request_faults(operation, actor, reason)]:
        raise InvalidInput(*faults)

    def work(unit: UnitOfWork) -> StockChange:
        product = lock_product(unit, code)
        require_active(product)
        return write_change(unit, product, kind, plan(unit, product), reason)

    request = {"code": code_key(normalize_code(code)), "reason": reason, **arguments}
    return run_idempotent(
        inventory,
        operation=operation,
        operation_type=kind,
        actor=actor,
        request=request,
        work=work,
        decode=read_stock_change,
    )


def write_change(
    unit: UnitOfWork, product: ProductState, kind: MovementKind, steps: tuple[LedgerEntry, ...], reason: str
) -> StockChange:
    """Write the entries of one product and return what changed, as the last entry shows it."""
    movements, total = post_entries(unit, product, kind, steps, reason)
    last = steps[-1]
    return StockChange(product.code, kind.value, last.place.location, last.before, last.after, total, movements)


def location_fingerprint(location: str | None) -> str | None:
    """Return the location of a request for its fingerprint."""
    return None if location is None else sort_key(normalize_location(location))


@check_arguments
def receive(
    inventory: InventoryContext,
    *,
    code: str,
    quantity: int,
    location: str | None = None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Add ``quantity`` units (1 or more) to ``location``, the default one if None.

    Raises ``InvalidInput``, ``ProductNotFound``, ``LocationNotFound``, ``ProductRetired``, ``QuantityLimit``,
    ``ChangeRefused`` or ``OperationReused``.
    """

    def plan(unit: UnitOfWork, product: ProductState) -> tuple[LedgerEntry, ...]:
        return (plan_entry(product, find_place(unit, product, location), quantity),)

    return change_stock(
        inventory,
        code=code,
        kind=MovementKind.RECEIVE,
        faults=amount_faults(quantity),
        plan=plan,
        arguments={"quantity": quantity, "location": location_fingerprint(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )


@check_arguments
def issue(
    inventory: InventoryContext,
    *,
    code: str,
    quantity: int,
    location: str | None = None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Take ``quantity`` units (1 or more) from ``location``, the default one if None.

    Raises ``InvalidInput``, ``ProductNotFound``, ``LocationNotFound``, ``ProductRetired``, ``InsufficientStock``,
    ``ChangeRefused`` or ``OperationReused``.
    """

    def plan(unit: UnitOfWork, product: ProductState) -> tuple[LedgerEntry, ...]:
        return (plan_entry(product, find_place(unit, product, location), -quantity),)

    return change_stock(
        inventory,
        code=code,
        kind=MovementKind.ISSUE,
        faults=amount_faults(quantity),
        plan=plan,
        arguments={"quantity": quantity, "location": location_fingerprint(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )


@check_arguments
def transfer(
    inventory: InventoryContext,
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

    def plan(unit: UnitOfWork, product: ProductState) -> tuple[LedgerEntry, ...]:
        origin, goal = find_place(unit, product, source), find_place(unit, product, target)
        if origin.location_id == goal.location_id:
            raise InvalidInput(Fault("target", "same", goal.location))
        return plan_entry(product, origin, -quantity), plan_entry(product, goal, quantity)

    return change_stock(
        inventory,
        code=code,
        kind=MovementKind.TRANSFER,
        faults=amount_faults(quantity),
        plan=plan,
        arguments={
            "quantity": quantity,
            "source": location_fingerprint(source),
            "target": location_fingerprint(target),
        },
        reason=reason,
        actor=actor,
        operation=operation,
    )


@check_arguments
def count(
    inventory: InventoryContext,
    *,
    code: str,
    quantity: int,
    expected: int | None,
    location: str | None = None,
    reason: str = "",
    actor: str,
    operation: str,
) -> StockChange:
    """Set the quantity in ``location``, the default one if None, to the counted one.

    ``expected`` is the quantity that the user saw; if it changed, ``CountConflict`` has both. None skips this check. A count
    without a difference still writes a movement of 0, as a confirmation.
    Raises ``InvalidInput``, ``ProductNotFound``, ``LocationNotFound``, ``ProductRetired``, ``QuantityLimit``,
    ``CountConflict``, ``ChangeRefused`` or ``OperationReused``.
    """

    def plan(unit: UnitOfWork, product: ProductState) -> tuple[LedgerEntry, ...]:
        return (plan_count(product, find_place(unit, product, location), quantity, expected),)

    return change_stock(
        inventory,
        code=code,
        kind=MovementKind.COUNT,
        faults=quantity_faults("quantity", quantity),
        plan=plan,
        arguments={"quantity": quantity, "location": location_fingerprint(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )


@check_arguments
def change_quantity(
    inventory: InventoryContext,
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

    Raises the errors of ``receive`` and ``issue``, and ``CountConflict``.
    """

    def plan(unit: UnitOfWork, product: ProductState) -> tuple[LedgerEntry, ...]:
        place = find_place(unit, product, location)
        require_expected(product, place, expected)
        return (plan_entry(product, place, delta),)

    faults = amount_faults(delta, signed=True)
    return change_stock(
        inventory,
        code=code,
        kind=MovementKind.ISSUE if not faults and delta < 0 else MovementKind.RECEIVE,
        faults=faults,
        plan=plan,
        arguments={"quantity": 0 if faults else abs(delta), "location": location_fingerprint(location)},
        reason=reason,
        actor=actor,
        operation=operation,
    )


@check_arguments
def undo_movement(
    inventory: InventoryContext, *, movement_id: int, reason: str = "", actor: str, operation: str
) -> StockChange:
    """Undo a movement with a compensating one; of a transfer both halves, whichever of them is named.

    The result shows the location of the named movement. Raises ``MovementNotFound``, ``CannotUndo`` (``already_undone``,
    ``is_undo`` or ``changed_nothing``), ``ProductRetired``, ``InsufficientStock`` if the stock is no longer there,
    ``QuantityLimit``, ``ChangeRefused``, ``InvalidInput`` or ``OperationReused``.
    """
    reason = normalize_reason(reason)
    if faults := request_faults(operation, actor, reason):
        raise InvalidInput(*faults)
    if not 0 < movement_id <= MAX_ID:
        raise MovementNotFound(shown(movement_id))

    def work(unit: UnitOfWork) -> StockChange:
        named = unit.connection.execute(_PRODUCT_OF, {"movement": movement_id}).first()
        if named is None:
            raise MovementNotFound(str(movement_id))
        product = lock_product_by_id(unit, named.product_id)
        if named.kind == MovementKind.TRANSFER:
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
        return write_change(unit, product, MovementKind.UNDO, tuple(steps), reason)

    return run_idempotent(
        inventory,
        operation=operation,
        operation_type="undo",
        actor=actor,
        request={"movement": movement_id, "reason": reason},
        work=work,
        decode=read_stock_change,
    )
