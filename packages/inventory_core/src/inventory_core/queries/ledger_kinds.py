"""Which movements are stock that comes or goes, and which only go from one place to another."""

from sqlalchemy import ColumnElement, and_, exists, or_

from inventory_core.models import MOVEMENT
from inventory_core.rules.stock import Kind

_UNDONE = MOVEMENT.alias("undone")


def of_kind(kind: Kind) -> ColumnElement[bool]:
    """The condition for the movements of a kind and for those that undo one of them."""
    undone = exists().where(_UNDONE.c.id == MOVEMENT.c.undoes_id, _UNDONE.c.kind == kind.value)
    return or_(MOVEMENT.c.kind == kind.value, and_(MOVEMENT.c.kind == Kind.UNDO.value, undone))
