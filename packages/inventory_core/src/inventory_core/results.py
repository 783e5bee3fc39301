"""The frozen values that operations and queries return."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from typing_extensions import override

from inventory_core.errors import Fault, InvalidInput
from inventory_core.records import Record
from inventory_core.rules.stock import Status, shown_status, to_buy
from inventory_core.rules.texts import replace_surrogates, shown

_MAX_INTEGER = 2**63 - 1
_DECODERS: dict[tuple[str, ...], Callable[[Any], Any]] = {
    (): lambda value: value,
    ("time",): lambda value: datetime.fromisoformat(value).astimezone(UTC),
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of a page: its last row's sort value, None if rows are sorted by id alone, and that row's id.

    Pass it as ``after`` to get the rows that follow. ``str(cursor)`` is a text for addresses, which ``parse`` reads.
    """

    value: str | int | datetime | None
    id: int | str

    @override
    def __str__(self) -> str:
        """Return letters, digits, ``-`` and ``_`` only."""
        parts = [self.value.isoformat(), self.id, "time"] if isinstance(self.value, datetime) else [self.value, self.id]
        packed = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form. Raises ``InvalidInput`` for any other text."""
        if not isinstance(text, str):
            raise InvalidInput(Fault("after", "wrong_type", shown(text)))
        try:
            value, row_id, *kind = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            cursor = cls(_DECODERS[tuple(kind)](value), row_id)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise InvalidInput(Fault("after", "unknown", text[:80])) from None
        if not cursor._is_storable:
            raise InvalidInput(Fault("after", "unknown", text[:80]))
        return cursor

    def require(self, value: type, row_id: type) -> None:
        """Raise ``InvalidInput`` unless the value and the id have these types and a database can store them."""
        if type(self.value) is not value or type(self.id) is not row_id or not self._is_storable:
            raise InvalidInput(Fault("after", "unknown", shown(self.value)))

    @property
    def _is_storable(self) -> bool:
        return _storable(self.value) and _storable(self.id) and self.id is not None


def _storable(value: object) -> bool:
    match value:
        case str():
            return replace_surrogates(value) == value
        case bool():
            return False
        case int():
            return abs(value) <= _MAX_INTEGER
        case datetime():
            return value.tzinfo is not None
        case _:
            return value is None


@dataclass(frozen=True, slots=True)
class StockChange(Record):
    """A committed change of quantities.

    ``before`` and ``quantity`` are the former and the present quantity in ``location`` (of a transfer: the target), ``total`` the
    product's sum over all locations. ``kind`` is the kind of the movements. ``replayed``: the operation id was used before, and
    this is its first result.
    """

    code: str
    kind: str
    location: str
    before: int
    quantity: int
    total: int
    movement_ids: tuple[int, ...]
    replayed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ProductSaved(Record):
    """The state of a product after an operation; ``quantity`` is its total, ``replayed`` as in ``StockChange``."""

    code: str
    version: int
    quantity: int
    replayed: bool = field(default=False, compare=False)


def read_stock_change(fields: dict[str, Any]) -> StockChange:
    """Decode a stored result."""
    return StockChange(**(fields | {"movement_ids": tuple(fields["movement_ids"])}))


def read_product_saved(fields: dict[str, Any]) -> ProductSaved:
    """Decode a stored result."""
    return ProductSaved(**fields)


@dataclass(frozen=True, slots=True)
class ProductRow(Record):
    """A product in lists.

    ``quantity`` is the quantity in ``location``, or in all locations if the filter names none (``location`` is then None);
    ``total`` is always the sum of all. ``changed_at`` is UTC.
    """

    id: int
    code: str
    name: str
    description: str
    category: str | None
    location: str | None
    quantity: int
    total: int
    minimum: int
    version: int
    changed_at: datetime
    retired: bool

    @property
    def status(self) -> Status:
        """Return the status to show; with a location it refers to that location."""
        return shown_status(self.quantity, self.minimum, retired=self.retired)

    @property
    def to_buy(self) -> int:
        """Return the units that the total is below the minimum."""
        return to_buy(self.total, self.minimum)
