"""Read the ledger, the latest movement first."""

from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any

from sqlalchemy import ColumnElement, select

from inventory_core.context import InventoryContext
from inventory_core.errors import ProductNotFound
from inventory_core.models import LOCATION, MOVEMENT, PRODUCT
from inventory_core.records import Record
from inventory_core.results import Cursor
from inventory_core.rules.arguments import check_arguments, check_page_size
from inventory_core.rules.texts import code_key, normalize_code, replace_surrogates

_COMPENSATION = MOVEMENT.alias("compensation")
_COLUMNS: tuple[ColumnElement[Any], ...] = (
    MOVEMENT.c.id,
    MOVEMENT.c.kind,
    PRODUCT.c.code,
    PRODUCT.c.name,
    LOCATION.c.name,
    MOVEMENT.c.quantity,
    MOVEMENT.c.balance_after,
    MOVEMENT.c.reason,
    MOVEMENT.c.actor,
    MOVEMENT.c.at,
    MOVEMENT.c.operation_id,
    MOVEMENT.c.undoes_id,
    _COMPENSATION.c.id.is_not(None),
)
_MOVEMENTS = (
    select(*_COLUMNS)
    .select_from(
        MOVEMENT.join(PRODUCT, PRODUCT.c.id == MOVEMENT.c.product_id)
        .join(LOCATION, LOCATION.c.id == MOVEMENT.c.location_id)
        .outerjoin(_COMPENSATION, _COMPENSATION.c.undoes_id == MOVEMENT.c.id)
    )
    .order_by(MOVEMENT.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class MovementRow(Record):
    """A movement with the code and name that its product has now. ``undone``: another movement compensates it."""

    id: int
    kind: str
    code: str
    name: str
    location: str
    quantity: int
    balance_after: int
    reason: str
    actor: str
    at: datetime
    operation_id: str
    undoes_id: int | None
    undone: bool


@dataclass(frozen=True, slots=True)
class MovementPage(Record):
    """A page of the ledger; ``next`` is the ``after`` of the following page (None: there is none)."""

    rows: tuple[MovementRow, ...]
    next: Cursor | None


@check_arguments
def movement_history(
    inventory: InventoryContext,
    *,
    code: str | None = None,
    operation: str | None = None,
    after: Cursor | None = None,
    size: int = 50,
) -> MovementPage:
    """Return movements, the latest first: all, those of one product, or those of one operation; ids below ``before``.

    Raises ``ProductNotFound`` for an unknown ``code`` and ``InvalidInput`` for a size outside 1 to 500.
    """
    check_page_size(size)
    statement = _MOVEMENTS.limit(size + 1)
    if after is not None:
        after.require(NoneType, int)
        statement = statement.where(MOVEMENT.c.id < after.id)
    if operation is not None:
        statement = statement.where(MOVEMENT.c.operation_id == replace_surrogates(operation))
    with inventory.sessions.reader() as session:
        if code is not None:
            key = code_key(normalize_code(code))
            product_id = session.scalar(select(PRODUCT.c.id).where(PRODUCT.c.code_key == key))
            if product_id is None:
                raise ProductNotFound(code)
            statement = statement.where(MOVEMENT.c.product_id == product_id)
        rows = tuple(MovementRow(*record) for record in session.execute(statement))
    page = rows[:size]
    return MovementPage(page, Cursor(None, page[-1].id) if len(rows) > size else None)
