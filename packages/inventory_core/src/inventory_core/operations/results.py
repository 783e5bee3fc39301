"""What operations answer; frozen, and the same when an operation id comes again."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StockChange:
    """A change of quantities that is committed.

    ``before`` and ``quantity`` are what lay, and now lies, in ``location`` (of a transfer: the target), ``total`` the
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
    """A product as an operation left it; ``quantity`` is its total."""

    code: str
    version: int
    quantity: int


def read_stock_change(fields: dict[str, Any]) -> StockChange:
    """Decode a kept result."""
    return StockChange(**(fields | {"movement_ids": tuple(fields["movement_ids"])}))


def read_product_saved(fields: dict[str, Any]) -> ProductSaved:
    """Decode a kept result; what an edit keeps beside it, for the history, is left out."""
    return ProductSaved(fields["code"], fields["version"], fields["quantity"])
