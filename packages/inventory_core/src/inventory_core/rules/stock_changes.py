"""From what lies there and what is asked to the steps that change it, or to the reason why not."""

from dataclasses import dataclass
from enum import StrEnum

from inventory_core.errors import CountConflict, Fault, InsufficientStock, ProductRetired, QuantityLimit
from inventory_core.rules.quantities import MAX_QUANTITY, quantity_faults


class Kind(StrEnum):
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
class Place:
    """A location, and what lies there of one product; ``quantity`` is None if nothing ever did."""

    location_id: int
    location: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One balance changes by ``quantity`` (signed); ``undoes_id`` is the movement that this step takes back."""

    place: Place
    quantity: int
    undoes_id: int | None = None

    @property
    def before(self) -> int:
        """What lies there before the step."""
        return self.place.quantity or 0

    @property
    def after(self) -> int:
        """What lies there after it."""
        return self.before + self.quantity


def amount_faults(quantity: int, *, signed: bool = False) -> list[Fault]:
    """What is wrong with an amount to move: it is whole, within the limit, not 0, and positive unless ``signed``."""
    faults = quantity_faults("quantity", quantity, signed=signed)
    return [Fault("quantity", "zero", "0")] if not faults and quantity == 0 else faults


def require_active(product: ProductState) -> None:
    """Raise ``ProductRetired`` for a retired product: its stock stays as it is until it is restored."""
    if product.retired:
        raise ProductRetired(product.code)


def step(product: ProductState, place: Place, quantity: int, undoes_id: int | None = None) -> Step:
    """A step by a signed quantity. Raises ``InsufficientStock`` or ``QuantityLimit`` if the balance leaves its bounds."""
    planned = Step(place, quantity, undoes_id)
    if planned.after < 0:
        raise InsufficientStock(product.code, place.location, planned.before, -quantity)
    if planned.after > MAX_QUANTITY:
        raise QuantityLimit(product.code, MAX_QUANTITY)
    return planned


def count_step(product: ProductState, place: Place, counted: int, expected: int | None) -> Step:
    """The step to a counted quantity; of 0 if nothing differs. Raises ``CountConflict`` unless ``expected`` still lies there."""
    require_expected(product, place, expected)
    return step(product, place, counted - (place.quantity or 0))


def require_expected(product: ProductState, place: Place, expected: int | None) -> None:
    """Raise ``CountConflict`` unless ``expected``, if given, still lies there."""
    current = place.quantity or 0
    if expected is not None and expected != current:
        raise CountConflict(product.code, place.location, expected, current)


def total_after(product: ProductState, steps: tuple[Step, ...]) -> int:
    """The product's total after the steps. Raises ``QuantityLimit`` if it leaves its bounds."""
    total = product.quantity + sum(planned.quantity for planned in steps)
    if total > MAX_QUANTITY:
        raise QuantityLimit(product.code, MAX_QUANTITY)
    return total
