"""When a product is available, out of stock, or low."""

from enum import StrEnum


class Status(StrEnum):
    """What the list filters by. ``LOW_STOCK`` overlaps the first two; ``RETIRED`` excludes all others."""

    AVAILABLE = "available"
    OUT_OF_STOCK = "out_of_stock"
    LOW_STOCK = "low_stock"
    RETIRED = "retired"


def is_low(quantity: int, minimum: int) -> bool:
    """Low is below the minimum; a product without a minimum (0) is never low."""
    return quantity < minimum


def shown_status(quantity: int, minimum: int, *, retired: bool) -> Status:
    """The one status to show for a product: the most urgent that holds."""
    if retired:
        return Status.RETIRED
    if quantity == 0:
        return Status.OUT_OF_STOCK
    return Status.LOW_STOCK if is_low(quantity, minimum) else Status.AVAILABLE


def to_buy(quantity: int, minimum: int) -> int:
    """How many units are missing to the minimum."""
    return max(0, minimum - quantity)
