"""Time in the outbox, which is the database's: a test cannot move its clock, so it moves the events."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from inventory_core import Inventory
from inventory_core.database.columns import database_now
from inventory_core.models import OUTBOX
from inventory_core.stock.hooks import DUE_IMMEDIATELY


def let_pass(inventory: Inventory, seconds: float) -> None:
    """Make every event due this number of seconds earlier."""

    def work(session: Session) -> None:
        due = {row.id: row.due_at for row in session.execute(select(OUTBOX.c.id, OUTBOX.c.due_at))}
        for event, moment in due.items():
            earlier = moment - timedelta(seconds=seconds)
            session.execute(update(OUTBOX).where(OUTBOX.c.id == event).values(due_at=earlier))

    inventory.sessions.write(work)


def make_due(inventory: Inventory) -> None:
    """Make every event due that waits for its next attempt; those that are being delivered keep their lease."""
    unclaimed = update(OUTBOX).where(OUTBOX.c.claim.is_(None), OUTBOX.c.due_at > database_now())
    inventory.sessions.write(lambda session: session.execute(unclaimed.values(due_at=DUE_IMMEDIATELY)))


def due_in(inventory: Inventory) -> float:
    """The seconds until the first event is due, rounded to a tenth."""
    with inventory.sessions.reader() as session:
        due, now = session.execute(select(func.min(OUTBOX.c.due_at), database_now())).one()
    assert isinstance(due, datetime)
    assert isinstance(now, datetime)
    return round((due - now).total_seconds(), 1)
