"""Decide how quantities change: limits, status, ledger entries and their compensation."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from inventory_core.errors import CannotUndo, CountConflict, Fault, InsufficientStock, ProductRetired, QuantityLimit
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.texts import shown

MAX_QUANTITY = 1_000_000_000
"""The maximum of a balance, of the total of a product, and of a minimum."""


@check_arguments
def parse_quantity(field: str, text: str, *, signed: bool = False) -> tuple[int | None, list[Fault]]:
    """Parse typed digits, with a sign if ``signed``; return the number, or None and the faults.

    Thousands separators are refused, because "1.000" is one thousand in Spanish and one in English. A spreadsheet's ``12.0`` is not
    typed text; readers of files convert it first.
    """
    cleaned = text.strip()
    if not cleaned:
        return None, [Fault(field, "required")]
    if not re.fullmatch(r"[+-]?[0-9]+", cleaned, re.ASCII):
        return None, [Fault(field, "not_whole", cleaned[:80])]
    if len(cleaned) > 20:
        return None, [Fault(field, "too_large", cleaned[:80], MAX_QUANTITY)]
    number = int(cleaned)
    faults = quantity_faults(field, number, signed=signed)
    return (None, faults) if faults else (number, [])


def quantity_faults(field: str, number: int, *, signed: bool = False) -> list[Fault]:
    """Return the faults of a quantity: not whole, negative (unless ``signed``), or beyond the limit."""
    if type(number) is not int:
        return [Fault(field, "not_whole", shown(number))]
    if number < 0 and not signed:
        return [Fault(field, "negative", shown(number))]
    if abs(number) > MAX_QUANTITY:
        return [Fault(field, "too_large", shown(number), MAX_QUANTITY)]
    return []


class Status(StrEnum):
    """What the list filters by. ``LOW_STOCK`` overlaps the first two; ``RETIRED`` excludes all others."""

    AVAILABLE = "available"
    OUT_OF_STOCK = "out_of_stock"
    LOW_STOCK = "low_stock"
    RETIRED = "retired"


def is_low(quantity: int, minimum: int) -> bool:
    """Return whether the quantity is below the minimum; a product without a minimum (0) is never low."""
    return quantity < minimum


def shown_status(quantity: int, minimum: int, *, retired: bool) -> Status:
    """Return the one status to show for a product: the most urgent that holds."""
    if retired:
        return Status.RETIRED
    if quantity == 0:
        return Status.OUT_OF_STOCK
    return Status.LOW_STOCK if is_low(quantity, minimum) else Status.AVAILABLE


def to_buy(quantity: int, minimum: int) -> int:
    """Return how many units are missing to the minimum."""
    return max(0, minimum - quantity)


class MovementKind(StrEnum):
    """Kinds of movement."""

    RECEIVE = "receive"
    ISSUE = "issue"
    TRANSFER = "transfer"
    COUNT = "count"
    UNDO = "undo"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class ProductState:
    """A product as it was read under its lock; ``quantity`` is its total."""

    id: int
    code: str
    name: str
    quantity: int
    minimum: int
    version: int
    retired: bool


@dataclass(frozen=True, slots=True)
class StockAtLocation:
    """A location and the quantity of one product there; None if it never had any."""

    location_id: int
    location: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of one balance by a signed ``quantity``; ``undoes_id`` is the movement that it undoes."""

    place: StockAtLocation
    quantity: int
    undoes_id: int | None = None

    @property
    def before(self) -> int:
        """Return the quantity before the entry."""
        return self.place.quantity or 0

    @property
    def after(self) -> int:
        """Return the quantity after it."""
        return self.before + self.quantity


class Posting(NamedTuple):
    """One balance of a product as it was read under the product's lock, None if there was none, and as it becomes.

    A tuple, because an import makes one for each row.
    """

    product_id: int
    location_id: int
    before: int | None
    after: int
    undoes_id: int | None = None


def amount_faults(quantity: int, *, signed: bool = False) -> list[Fault]:
    """Return the faults of an amount to move: it must be whole, within the limit, not 0, and positive unless ``signed``."""
    faults = quantity_faults("quantity", quantity, signed=signed)
    return [Fault("quantity", "zero", "0")] if not faults and quantity == 0 else faults


def require_active(product: ProductState) -> None:
    """Raise ``ProductRetired`` for a retired product: its stock stays as it is until it is restored."""
    if product.retired:
        raise ProductRetired(product.code)


def plan_entry(
    product: ProductState, place: StockAtLocation, quantity: int, undoes_id: int | None = None
) -> LedgerEntry:
    """Return the entry for a signed quantity. Raises ``InsufficientStock`` or ``QuantityLimit`` beyond the bounds of a balance."""
    planned = LedgerEntry(place, quantity, undoes_id)
    if planned.after < 0:
        raise InsufficientStock(product.code, place.location, planned.before, -quantity)
    if planned.after > MAX_QUANTITY:
        raise QuantityLimit(product.code, MAX_QUANTITY)
    return planned


def plan_count(product: ProductState, place: StockAtLocation, counted: int, expected: int | None) -> LedgerEntry:
    """Return the entry to a counted quantity. Raises ``CountConflict`` unless ``expected`` is still the quantity."""
    require_expected(product, place, expected)
    return plan_entry(product, place, counted - (place.quantity or 0))


def require_expected(product: ProductState, place: StockAtLocation, expected: int | None) -> None:
    """Raise ``CountConflict`` unless ``expected``, if given, is still the quantity."""
    current = place.quantity or 0
    if expected is not None and expected != current:
        raise CountConflict(product.code, place.location, expected, current)


def total_after(product: ProductState, steps: Sequence[LedgerEntry]) -> int:
    """Return the product's total after the steps. Raises ``QuantityLimit`` if it leaves its bounds."""
    total = product.quantity + sum(planned.quantity for planned in steps)
    if total > MAX_QUANTITY:
        raise QuantityLimit(product.code, MAX_QUANTITY)
    return total


@dataclass(frozen=True, slots=True)
class PastMovement:
    """A movement of the ledger; ``undone`` if another one has undone it."""

    id: int
    kind: str
    location_id: int
    quantity: int
    undone: bool


def compensation(legs: Iterable[PastMovement], code: str) -> dict[int, tuple[int, int]]:
    """Return the changes that undo these movements of one operation and product: location id to (signed quantity, movement id).

    Raises ``CannotUndo``: ``is_undo``, ``already_undone`` or ``changed_nothing``.
    """
    changes = {}
    for leg in legs:
        if leg.kind == MovementKind.UNDO:
            raise CannotUndo("is_undo", code)
        if leg.undone:
            raise CannotUndo("already_undone", code)
        if leg.quantity == 0:
            raise CannotUndo("changed_nothing", code)
        changes[leg.location_id] = (-leg.quantity, leg.id)
    return changes
