"""The sort orders of the list, and where a page begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, tuple_

from inventory_core.errors import Fault, InvalidInput
from inventory_core.models import BALANCE, PRODUCT
from inventory_core.results import Cursor
from inventory_core.rules.texts import shown

PRODUCT_SORTS = ("name", "-name", "code", "-code", "quantity", "-quantity", "changed", "-changed")
"""The values of ``sort``; ``-`` reverses the order."""

_COLUMNS: dict[str, ColumnElement[Any]] = {
    "name": PRODUCT.c.name_key,
    "code": PRODUCT.c.code_key,
    "quantity": PRODUCT.c.quantity,
    "changed": PRODUCT.c.changed_at,
}
_TYPES = {"name": str, "code": str, "quantity": int, "changed": datetime}


@dataclass(frozen=True, slots=True)
class Order:
    """One of ``PRODUCT_SORTS`` as SQL; rows with the same value are sorted by id, so that the order is total.

    ``by_balance``: by the quantity in the location of the filter instead of the total.
    """

    sort: str
    by_balance: bool = False

    def __post_init__(self) -> None:
        if self.sort not in PRODUCT_SORTS:
            raise InvalidInput(Fault("sort", "unknown", shown(self.sort)))

    @property
    def key(self) -> ColumnElement[Any]:
        """Return the sort column."""
        return BALANCE.c.quantity if self.by_balance else _COLUMNS[self.sort.removeprefix("-")]

    @property
    def row_id(self) -> ColumnElement[int]:
        """Return the second sort column, which is part of the same index as ``key``."""
        return BALANCE.c.product_id if self.by_balance else PRODUCT.c.id

    @property
    def descending(self) -> bool:
        """Return whether the order is reversed."""
        return self.sort.startswith("-")

    def by(self, key: ColumnElement[Any], row_id: ColumnElement[int]) -> Sequence[ColumnElement[Any]]:
        """Return the ORDER BY of these two columns."""
        return (key.desc(), row_id.desc()) if self.descending else (key, row_id)

    def beyond(
        self, after: Cursor, key: ColumnElement[Any], row_id: ColumnElement[int], *, row_values: bool
    ) -> ColumnElement[bool]:
        """Return the condition for rows that follow ``after``. Raises ``InvalidInput`` for a cursor of another order.

        SQLite uses an index for a row value but not for the OR; MySQL the other way round.
        """
        after.require(_TYPES[self.sort.removeprefix("-")], int)
        if row_values:
            here, there = tuple_(key, row_id), _pair(after, key, row_id)
            return here < there if self.descending else here > there
        further = key < after.value if self.descending else key > after.value
        same = row_id < after.id if self.descending else row_id > after.id
        return or_(further, and_(key == after.value, same))


def _pair(after: Cursor, key: ColumnElement[Any], row_id: ColumnElement[int]) -> ColumnElement[Any]:
    return tuple_(literal(after.value, key.type), literal(after.id, row_id.type))
