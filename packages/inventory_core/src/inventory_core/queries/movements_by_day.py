"""How much stock came and went on each of the last days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, not_, select, union_all

from inventory_core.errors import Fault, InvalidInput
from inventory_core.inventory import Inventory
from inventory_core.models import MOVEMENT
from inventory_core.queries.ledger_kinds import of_kind
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.stock import Kind

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What happened on one day: the number of movements, and the units that came in and went out.

    A transfer counts as a movement, and neither comes nor goes; nor does what undoes it.
    """

    day: date
    movements: int
    incoming: int
    outgoing: int


@check_arguments
def movements_by_day(inventory: Inventory, *, days: int, timezone: tzinfo = UTC) -> tuple[DayTotals, ...]:
    """Give the last ``days`` (1 to 366) days with today as the last one; a day goes from midnight to midnight of ``timezone``.

    One statement, which reads the movements of these days from an index. Raises ``InvalidInput`` for another number of days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(Fault("days", "unknown", str(days), MOST_DAYS))
    today = inventory.clock().astimezone(timezone).date()
    first = today - timedelta(days=days - 1)
    # A range for each day lets the index find it; grouping by a computed day would sort everything first.
    statement = union_all(*_ranges(first, days, timezone))
    with inventory.sessions.reader() as session:
        found = {row[0]: [int(each or 0) for each in row[1:]] for row in session.execute(statement)}
    return tuple(DayTotals(first + timedelta(days=day), *found[day]) for day in range(days))


def _ranges(first: date, days: int, timezone: tzinfo) -> Iterator[Select[*tuple[Any, ...]]]:
    comes = and_(MOVEMENT.c.quantity > 0, not_(of_kind(Kind.TRANSFER)))
    goes = and_(MOVEMENT.c.quantity < 0, not_(of_kind(Kind.TRANSFER)))
    for day in range(days):
        begin, end = (_midnight(first + timedelta(days=day + more), timezone) for more in (0, 1))
        yield select(
            literal(day),
            func.count(),
            func.sum(case((comes, MOVEMENT.c.quantity), else_=0)),
            func.sum(case((goes, -MOVEMENT.c.quantity), else_=0)),
        ).where(MOVEMENT.c.at >= begin, MOVEMENT.c.at < end)


def _midnight(day: date, timezone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, timezone).astimezone(UTC)
