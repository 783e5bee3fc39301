"""The sort orders of the list, and the position in an order at which a page begins."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, and_, literal, or_, tuple_

from inventory_core.errors import Fault, InvalidInput
from inventory_core.models import BALANCE, PRODUCT
from inventory_core.rules.texts import replace_surrogates, shown

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
class Position:
    """The last row of a page: its sort value, and its id, which orders rows with the same value."""

    value: str | int | datetime
    id: int

    def to_text(self) -> str:
        """Return a short text for URLs, without special characters."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        packed = json.dumps([value, self.id], ensure_ascii=False, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, sort: str) -> Self:
        """Parse the output of ``to_text`` for the same ``sort``. Raises ``InvalidInput`` for any other text."""
        if not isinstance(text, str):
            raise InvalidInput(Fault("after", "wrong_type", shown(text)))
        try:
            value, row_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            position = cls(_restored(value, sort), row_id)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise InvalidInput(Fault("after", "unknown", text[:80])) from None
        if not position.fits(sort):
            raise InvalidInput(Fault("after", "unknown", text[:80]))
        return position

    def fits(self, sort: str) -> bool:
        """Return whether this is a position in that order."""
        fits_type = type(self.value) is _TYPES.get(sort.removeprefix("-"))
        return fits_type and _is_stored(self.value) and type(self.id) is int and 0 <= self.id < 2**63


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
        self, position: Position, key: ColumnElement[Any], row_id: ColumnElement[int], *, row_values: bool
    ) -> ColumnElement[bool]:
        """Return the condition for rows after ``position``. Raises ``InvalidInput`` for a position in another order.

        SQLite uses an index for a row value but not for the OR; MySQL the other way round.
        """
        if not position.fits(self.sort):
            raise InvalidInput(Fault("after", "unknown", shown(position.value)))
        if row_values:
            here, there = tuple_(key, row_id), _pair(position, key, row_id)
            return here < there if self.descending else here > there
        further = key < position.value if self.descending else key > position.value
        same = row_id < position.id if self.descending else row_id > position.id
        return or_(further, and_(key == position.value, same))


def _pair(position: Position, key: ColumnElement[Any], row_id: ColumnElement[int]) -> ColumnElement[Any]:
    return tuple_(literal(position.value, key.type), literal(position.id, row_id.type))


def _restored(value: object, sort: str) -> Any:
    if sort.removeprefix("-") != "changed":
        return value
    moment = datetime.fromisoformat(str(value))
    return moment.astimezone(UTC)


def _is_stored(value: str | int | datetime) -> bool:
    """Return whether a database can store this value."""
    match value:
        case str():
            return replace_surrogates(value) == value
        case int():
            return abs(value) < 2**63
        case datetime():
            return value.tzinfo is not None
