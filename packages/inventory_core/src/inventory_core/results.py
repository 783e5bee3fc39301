"""The frozen values that operations and queries return."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory_core.rules.stock import Status, shown_status, to_buy


@dataclass(frozen=True, slots=True)
class StockChange:
    """A committed change of quantities.

    ``before`` and ``quantity`` are the former and the present quantity in ``location`` (of a transfer: the target), ``total`` the
    product's sum over all locations. ``kind`` is the kind of the movements.
    """

    code: str
    kind: str
    location: str
    before: int
    quantity: int
    total: int
    movement_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProductSaved:
    """The state of a product after an operation; ``quantity`` is its total."""

    code: str
    version: int
    quantity: int


def read_stock_change(fields: dict[str, Any]) -> StockChange:
    """Decode a stored result."""
    return StockChange(**(fields | {"movement_ids": tuple(fields["movement_ids"])}))


def read_product_saved(fields: dict[str, Any]) -> ProductSaved:
    """Decode a stored result, without the data that an edit stores for the history."""
    return ProductSaved(fields["code"], fields["version"], fields["quantity"])


@dataclass(frozen=True, slots=True)
class ProductRow:
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
