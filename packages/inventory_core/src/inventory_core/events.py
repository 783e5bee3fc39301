"""What hooks are told: values that leave the transaction."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """A change of one balance that is about to be written. ``quantity`` is signed; ``total`` the product's sum now."""

    kind: str
    code: str
    location: str
    quantity: int
    total: int
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class StockChanged:
    """A committed change of one balance. ``total_before`` and ``total`` are the product's sums over all locations."""

    id: str
    kind: str
    code: str
    name: str
    location: str
    quantity: int
    total_before: int
    total: int
    minimum: int
    reason: str
    actor: str
    at: datetime

    @property
    def fell_below_minimum(self) -> bool:
        """True for the one change with which the product became low."""
        return self.total < self.minimum <= self.total_before
