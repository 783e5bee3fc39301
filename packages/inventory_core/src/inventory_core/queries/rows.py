"""Frozen answers that queries give and exports write."""

from dataclasses import dataclass
from datetime import datetime

from inventory_core.rules.stock import Status, shown_status, to_buy


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product as lists show it.

    ``quantity`` is what lies in ``location``, or in all locations if the filter names none (``location`` is then None);
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
        """The one status to show; with a location it speaks of that place."""
        return shown_status(self.quantity, self.minimum, retired=self.retired)

    @property
    def to_buy(self) -> int:
        """How many units the total lacks to the minimum."""
        return to_buy(self.total, self.minimum)
