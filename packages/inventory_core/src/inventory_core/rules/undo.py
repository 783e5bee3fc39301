"""Which movement may be taken back, and what compensates it."""

from collections.abc import Iterable
from dataclasses import dataclass

from inventory_core.errors import CannotUndo
from inventory_core.rules.stock_changes import Kind


@dataclass(frozen=True, slots=True)
class PastMovement:
    """A movement of the ledger; ``undone`` if another one takes it back already."""

    id: int
    kind: str
    location_id: int
    quantity: int
    undone: bool


def compensation(legs: Iterable[PastMovement], code: str) -> dict[int, tuple[int, int]]:
    """What takes back these movements of one operation and product: location id to (signed quantity, movement id).

    Raises ``CannotUndo``: ``is_undo``, ``already_undone`` or ``changed_nothing``.
    """
    changes = {}
    for leg in legs:
        if leg.kind == Kind.UNDO:
            raise CannotUndo("is_undo", code)
        if leg.undone:
            raise CannotUndo("already_undone", code)
        if leg.quantity == 0:
            raise CannotUndo("changed_nothing", code)
        changes[leg.location_id] = (-leg.quantity, leg.id)
    return changes
