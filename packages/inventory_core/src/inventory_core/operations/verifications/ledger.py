"""Balances, totals and movements tell the same story."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from inventory_core.models import BALANCE, LOCATION, MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT
from inventory_core.operations.verifications.fault import VerificationFault

_SUMS = (
    select(MOVEMENT.c.product_id, MOVEMENT.c.location_id, func.sum(MOVEMENT.c.quantity).label("moved"))
    .group_by(MOVEMENT.c.product_id, MOVEMENT.c.location_id)
    .subquery("sums")
)
_TOTALS = (
    select(BALANCE.c.product_id, func.sum(BALANCE.c.quantity).label("total"))
    .group_by(BALANCE.c.product_id)
    .subquery("totals")
)
_SERIES = select(
    MOVEMENT.c.id,
    MOVEMENT.c.quantity,
    MOVEMENT.c.balance_after,
    func.lag(MOVEMENT.c.balance_after, 1, 0)
    .over(partition_by=[MOVEMENT.c.product_id, MOVEMENT.c.location_id], order_by=MOVEMENT.c.id)
    .label("balance_before"),
).subquery("series")
_LAST_IDS = (
    select(func.max(MOVEMENT.c.id).label("id")).group_by(MOVEMENT.c.product_id, MOVEMENT.c.location_id).subquery("last")
)
_UNDONE = MOVEMENT.alias("undone")

NAME_PLACE = ("product", "location")

# Each statement gives the names of what is wrong, then the value that it should have, then the one that it has.
_BALANCE_IS_SUM = (
    select(PRODUCT.c.code, LOCATION.c.name, func.coalesce(_SUMS.c.moved, 0), BALANCE.c.quantity)
    .select_from(BALANCE)
    .outerjoin(_SUMS, and_(_SUMS.c.product_id == BALANCE.c.product_id, _SUMS.c.location_id == BALANCE.c.location_id))
    .outerjoin(PRODUCT, PRODUCT.c.id == BALANCE.c.product_id)
    .outerjoin(LOCATION, LOCATION.c.id == BALANCE.c.location_id)
    .where(BALANCE.c.quantity != func.coalesce(_SUMS.c.moved, 0))
)
_MOVED_WITHOUT_BALANCE = (
    select(PRODUCT.c.code, LOCATION.c.name, _SUMS.c.moved, literal("no balance"))
    .select_from(_SUMS)
    .outerjoin(BALANCE, and_(BALANCE.c.product_id == _SUMS.c.product_id, BALANCE.c.location_id == _SUMS.c.location_id))
    .outerjoin(PRODUCT, PRODUCT.c.id == _SUMS.c.product_id)
    .outerjoin(LOCATION, LOCATION.c.id == _SUMS.c.location_id)
    .where(BALANCE.c.product_id.is_(None))
)
_TOTAL_IS_SUM = (
    select(PRODUCT.c.code, func.coalesce(_TOTALS.c.total, 0), PRODUCT.c.quantity)
    .select_from(PRODUCT)
    .outerjoin(_TOTALS, _TOTALS.c.product_id == PRODUCT.c.id)
    .where(PRODUCT.c.quantity != func.coalesce(_TOTALS.c.total, 0))
)
_SERIES_ADDS_UP = select(_SERIES.c.id, _SERIES.c.balance_before + _SERIES.c.quantity, _SERIES.c.balance_after).where(
    _SERIES.c.balance_after != _SERIES.c.balance_before + _SERIES.c.quantity
)
_LAST_IS_BALANCE = (
    select(MOVEMENT.c.id, BALANCE.c.quantity, MOVEMENT.c.balance_after)
    .select_from(_LAST_IDS)
    .join(MOVEMENT, MOVEMENT.c.id == _LAST_IDS.c.id)
    .join(
        BALANCE,
        and_(BALANCE.c.product_id == MOVEMENT.c.product_id, BALANCE.c.location_id == MOVEMENT.c.location_id),
    )
    .where(BALANCE.c.quantity != MOVEMENT.c.balance_after)
)
_UNDO_IS_OPPOSITE = (
    select(MOVEMENT.c.id, -_UNDONE.c.quantity, MOVEMENT.c.quantity)
    .select_from(MOVEMENT)
    .join(_UNDONE, _UNDONE.c.id == MOVEMENT.c.undoes_id)
    .where(
        or_(
            MOVEMENT.c.quantity != -_UNDONE.c.quantity,
            MOVEMENT.c.product_id != _UNDONE.c.product_id,
            MOVEMENT.c.location_id != _UNDONE.c.location_id,
        )
    )
)
_WITHOUT_RESULT = (
    select(OPERATION.c.id, literal("a result"), literal("nothing"))
    .select_from(OPERATION.outerjoin(OPERATION_RESULT, OPERATION_RESULT.c.operation_id == OPERATION.c.id))
    .where(OPERATION_RESULT.c.operation_id.is_(None))
)


def _negative(name: ColumnElement[str], value: ColumnElement[int]) -> Select[str, str, int]:
    return select(name, literal("0 or more"), value).where(value < 0)


_CHECKS = (
    ("balance is the sum of its movements", ("product", "location"), _BALANCE_IS_SUM),
    ("movements have a balance", ("product", "location"), _MOVED_WITHOUT_BALANCE),
    ("total is the sum of the balances", ("product",), _TOTAL_IS_SUM),
    ("movements add up", ("movement",), _SERIES_ADDS_UP),
    ("last movement leaves the balance", ("movement",), _LAST_IS_BALANCE),
    ("undo is the opposite", ("movement",), _UNDO_IS_OPPOSITE),
    ("operations have a result", ("operation",), _WITHOUT_RESULT),
    ("total is not negative", ("product",), _negative(PRODUCT.c.code, PRODUCT.c.quantity)),
    ("minimum is not negative", ("product",), _negative(PRODUCT.c.code, PRODUCT.c.minimum)),
    ("balance is not negative", ("product id",), _negative(BALANCE.c.product_id, BALANCE.c.quantity)),
    ("movement leaves no negative", ("movement",), _negative(MOVEMENT.c.id, MOVEMENT.c.balance_after)),
)


def faults(session: Session) -> Iterator[VerificationFault]:
    """Everything that the ledger and the balances disagree on."""
    for check, names, statement in _CHECKS:
        for *keys, expected, found in session.execute(statement, execution_options={"yield_per": 1000}):
            where = ", ".join(f"{name} {key}" for name, key in zip(names, keys, strict=True))
            yield VerificationFault(check, where, str(expected), str(found))
