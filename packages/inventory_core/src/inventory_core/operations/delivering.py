"""Events of committed changes are handed to the plugins: each at least once, outside of any transaction."""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from inventory_core.inventory import Inventory
from inventory_core.operations.announcing import STOCK_CHANGED, is_told, read_event
from inventory_core.rules.arguments import check_arguments
from inventory_core.tables.plain import OUTBOX

CLAIM_SECONDS = 120
"""How long a deliverer may take; after that another one delivers what it has not settled."""

LONGEST_PAUSE_SECONDS = 3600

_LOG = logging.getLogger(__name__)

_DUE = (
    select(OUTBOX.c.id)
    .where(OUTBOX.c.due_at <= bindparam("now"))
    .order_by(OUTBOX.c.due_at, OUTBOX.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(OUTBOX)
    .where(OUTBOX.c.id.in_(bindparam("events", expanding=True)))
    .values(claim=bindparam("token"), due_at=bindparam("until"))
)
_CLAIMED = (
    select(OUTBOX.c.id, OUTBOX.c.event, OUTBOX.c.payload, OUTBOX.c.attempts)
    .where(OUTBOX.c.claim == bindparam("token"))
    .order_by(OUTBOX.c.id)
)
_MINE = (OUTBOX.c.id == bindparam("event_id"), OUTBOX.c.claim == bindparam("token"))
_DONE = delete(OUTBOX).where(*_MINE)
_PUT_BACK = (
    update(OUTBOX)
    .where(*_MINE)
    .values(claim=None, due_at=bindparam("due"), attempts=bindparam("tried"), last_error=bindparam("error"))
)


@check_arguments
def deliver_events(inventory: Inventory, limit: int = 100) -> int:
    """Deliver up to ``limit`` events that are due; give how many every plugin has taken.

    Call it again and again, from one place or several: a claim keeps deliverers apart, and one that dies loses its claim
    after ``CLAIM_SECONDS``. A plugin that raises gets the event again later, after a pause that doubles from 2 seconds up to
    an hour; so do the other plugins, which must know an event by its ``id``. With no plugin to tell, nothing is done.
    """
    if not is_told(inventory.plugins):
        return 0
    token = uuid.uuid4().hex
    began = inventory.clock()
    events = _claim(inventory, token, began, limit)
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for event in events:
        if inventory.clock() - began > timedelta(seconds=CLAIM_SECONDS / 2):
            failed.append(_put_back(event, token, inventory.clock(), error=""))
            continue
        error = _deliver(inventory, event)
        if error is None:
            done.append({"event_id": event.id, "token": token})
        else:
            failed.append(_put_back(event, token, inventory.clock(), error))
    if events:
        _settle(inventory, done, failed)
    return len(done)


def _claim(inventory: Inventory, token: str, now: datetime, limit: int) -> list[Row[Any]]:
    until = now + timedelta(seconds=CLAIM_SECONDS)

    def work(session: Session) -> list[Row[Any]]:
        connection = session.connection()
        due = list(connection.scalars(_DUE, {"now": now, "most": limit}))
        if not due:
            return []
        connection.execute(_CLAIM, {"events": due, "token": token, "until": until})
        return list(connection.execute(_CLAIMED, {"token": token}))

    return inventory.sessions.write(work)


def _deliver(inventory: Inventory, event: Row[Any]) -> str | None:
    """Give one line about what went wrong, or None."""
    try:
        if event.event != STOCK_CHANGED:
            return f"this program does not know events named {event.event}"
        inventory.plugins.hook.after_stock_change(event=read_event(event.payload))
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the other events go on
        _LOG.exception("a plugin did not take the event %s of the outbox; it is tried again", event.id)
        return f"{type(error).__name__}: {error}"
    return None


def _put_back(event: Row[Any], token: str, now: datetime, error: str) -> dict[str, Any]:
    """The row of an event that was not delivered; one that was not even tried (no error) is due at once."""
    tried = event.attempts + 1 if error else event.attempts
    pause = min(2**tried, LONGEST_PAUSE_SECONDS) if error else 0
    due = now + timedelta(seconds=pause)
    return {"event_id": event.id, "token": token, "due": due, "tried": tried, "error": error[:500]}


def _settle(inventory: Inventory, done: list[dict[str, Any]], failed: list[dict[str, Any]]) -> None:
    def work(session: Session) -> None:
        connection = session.connection()
        if done:
            connection.execute(_DONE, done)
        if failed:
            connection.execute(_PUT_BACK, failed)

    inventory.sessions.write(work)
