"""Deliver the events of committed changes to the plugins, and manage those that could not be delivered."""

import logging
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.database.columns import database_now, read_database_clock
from inventory_core.errors import InvalidInput
from inventory_core.models import OUTBOX, OUTBOX_DEAD_LETTER
from inventory_core.records import Record
from inventory_core.rules.arguments import check_arguments, type_faults
from inventory_core.stock.hooks import DUE_IMMEDIATELY, EVENT_HOOKS, has_listeners, read_event

LEASE_SECONDS = 120.0
"""Seconds that a claim excludes other relays. The plugins may use half of it; the remaining events are released."""

MAX_PAUSE_SECONDS = 3600
MAX_ATTEMPTS = 20
"""With pauses of 2 s, 4 s and so on up to an hour, an event is given up after about nine hours."""
MAX_UNKNOWN_ATTEMPTS = 10
"""For an event that this program cannot read: 17 minutes for the upgrade of all instances."""
MAX_ERROR_LENGTH = 500

_LOG = logging.getLogger(__name__)

_EARLIER = OUTBOX.alias("earlier")
_IS_DUE = OUTBOX.c.due_at <= database_now()
_IS_HEAD = ~exists().where(_EARLIER.c.product_id == OUTBOX.c.product_id, _EARLIER.c.id < OUTBOX.c.id)
# An event that is the first of its product stays so: later ones get larger ids, as their changes waited for the product.
_DUE_HEADS = (
    select(OUTBOX.c.id).where(_IS_DUE, _IS_HEAD).order_by(OUTBOX.c.due_at, OUTBOX.c.id).limit(bindparam("limit"))
)
_LOCK_HEADS = (
    select(OUTBOX.c.id, OUTBOX.c.product_id)
    .where(OUTBOX.c.id.in_(bindparam("heads", expanding=True)), _IS_DUE)
    .with_for_update(skip_locked=True)
)
# The relay that holds the first event of a product holds them all.
_WITH_FOLLOWERS = (
    select(OUTBOX.c.id)
    .where(
        or_(
            OUTBOX.c.id.in_(bindparam("heads", expanding=True)),
            OUTBOX.c.product_id.in_(bindparam("products", expanding=True)),
        )
    )
    .order_by(OUTBOX.c.id)
    .limit(bindparam("limit"))
)
_CLAIM = (
    update(OUTBOX)
    .where(OUTBOX.c.id.in_(bindparam("events", expanding=True)))
    .values(claim=bindparam("token"), due_at=bindparam("until"))
)
_CLAIMED = select(OUTBOX).where(OUTBOX.c.claim == bindparam("token")).order_by(OUTBOX.c.id)
_DELIVERED = delete(OUTBOX).where(
    OUTBOX.c.id.in_(bindparam("events", expanding=True)), OUTBOX.c.claim == bindparam("token")
)
_MINE = (OUTBOX.c.id == bindparam("event_id"), OUTBOX.c.claim == bindparam("token"))
_DROP = delete(OUTBOX).where(*_MINE)
_PUT_BACK = (
    update(OUTBOX)
    .where(*_MINE)
    .values(claim=None, due_at=bindparam("due"), attempts=bindparam("tried"), last_error=bindparam("error"))
)
_BURY = insert(OUTBOX_DEAD_LETTER)
_ENQUEUE = insert(OUTBOX)
_OLDEST = select(OUTBOX.c.at, database_now()).order_by(OUTBOX.c.id).limit(1)


@dataclass(frozen=True, slots=True)
class Delivery(Record):
    """The result of one batch: counts of delivered, temporarily failed and given up events."""

    claimed: int = 0
    delivered: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class OutboxStatus(Record):
    """How many events wait, the age of the oldest in seconds (0 if none waits), and how many were given up."""

    waiting: int
    oldest_age_seconds: float
    dead_letters: int


@dataclass(frozen=True, slots=True)
class DeadLetter(Record):
    """An event that was given up at ``dead_at`` after ``attempts``; ``payload`` is its JSON text."""

    id: int
    event: str
    payload: str
    at: datetime
    dead_at: datetime
    attempts: int
    last_error: str


@dataclass(slots=True)
class _Outcome:
    """An event that was not delivered: due again after ``pause`` seconds, or given up."""

    event: Row[Any]
    attempts: int
    error: str
    pause: float | None = 0.0


@check_arguments
def deliver_events(inventory: InventoryContext, limit: int = 100) -> int:
    """Deliver up to ``limit`` events that are due; return how many every plugin has taken. See ``deliver_batch``."""
    return deliver_batch(inventory, limit).delivered


@check_arguments
def deliver_batch(
    inventory: InventoryContext,
    limit: int = 100,
    *,
    lease_seconds: float = LEASE_SECONDS,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Delivery:
    """Deliver up to ``limit`` events that are due, those of each product in order.

    Any number of processes may call this at the same time: each event is claimed by one of them, for ``lease_seconds`` by the
    database's clock. Delivery is at least once: a process that dies after a plugin took an event, or a plugin that raises,
    makes the event come again, to every plugin, with the same ``event.id``. It comes again after 2 seconds, then 4, up to an
    hour; later events of the same product wait for it. After ``MAX_ATTEMPTS`` it becomes a dead letter; one that this
    program cannot read, after ``MAX_UNKNOWN_ATTEMPTS``.

    With nothing to do this is one read-only statement, and nothing at all if no plugin listens. The plugins run outside of
    any transaction. Between two events ``is_stopping`` is called; once true, the rest is put back.

    Raises:
        InventoryError: The database cannot be used. Claimed events come again when their lease ends.
    """
    if not any(has_listeners(inventory.plugins, event) for event in EVENT_HOOKS):
        return Delivery()
    with inventory.sessions.reader() as session:
        heads = session.scalars(_DUE_HEADS, {"limit": limit}).all()
    if not heads:
        return Delivery()
    token = uuid.uuid4().hex
    deadline = time.monotonic() + lease_seconds / 2
    events = _claim(inventory, token, heads, limit, lease_seconds)
    if not events:
        return Delivery()
    delivered: list[int] = []
    kept: list[_Outcome] = []
    blocked: dict[int, _Outcome] = {}
    for event in events:
        earlier = None if event.product_id is None else blocked.get(event.product_id)
        if earlier is not None:
            kept.append(_Outcome(event, event.attempts, event.last_error, earlier.pause))
        elif is_stopping() or time.monotonic() > deadline:
            kept.append(_Outcome(event, event.attempts, event.last_error))
        else:
            failure = _deliver(inventory, event)
            if failure is None:
                delivered.append(event.id)
                continue
            kept.append(failure)
            if event.product_id is not None and failure.pause is not None:
                blocked[event.product_id] = failure
    tried = [outcome for outcome in kept if outcome.attempts != outcome.event.attempts]
    dead = sum(outcome.pause is None for outcome in tried)
    _settle(inventory, token, delivered, kept)
    return Delivery(len(events), len(delivered), len(tried) - dead, dead)


@check_arguments
def outbox_status(inventory: InventoryContext) -> OutboxStatus:
    """Count what waits and what was given up, in one read-only unit of work."""
    with inventory.sessions.reader() as session:
        waiting = session.scalar(select(func.count()).select_from(OUTBOX)) or 0
        dead = session.scalar(select(func.count()).select_from(OUTBOX_DEAD_LETTER)) or 0
        oldest = session.execute(_OLDEST).first()
    age = max(0.0, (oldest[1] - oldest[0]).total_seconds()) if oldest else 0.0
    return OutboxStatus(waiting, age, dead)


@check_arguments
def list_dead_letters(inventory: InventoryContext, limit: int = 100) -> tuple[DeadLetter, ...]:
    """List the events that were given up, the oldest first."""
    table = OUTBOX_DEAD_LETTER.c
    columns = (table.id, table.event, table.payload, table.at, table.dead_at, table.attempts, table.last_error)
    with inventory.sessions.reader() as session:
        rows = session.execute(select(*columns).order_by(table.id).limit(limit))
        return tuple(DeadLetter(*row) for row in rows)


@check_arguments
def retry_dead_letters(inventory: InventoryContext, ids: tuple[int, ...] | None = None) -> int:
    """Put dead letters back into the outbox, due at once; return how many.

    They come after the events that wait already, so the order of their products is lost.

    Args:
        inventory: The inventory.
        ids: Those to retry; all of them by default. Ids that do not exist are skipped.
    """
    if faults := [fault for each in ids or () for fault in type_faults("ids", each, int)]:
        raise InvalidInput(*faults)

    def work(session: Session) -> int:
        rows = session.execute(_dead_letters(ids).order_by(OUTBOX_DEAD_LETTER.c.id).with_for_update()).all()
        events = [
            {
                "event": row.event,
                "payload": row.payload,
                "at": row.at,
                "due_at": DUE_IMMEDIATELY,
                "attempts": 0,
                "last_error": row.last_error,
                "product_id": row.product_id,
            }
            for row in rows
        ]
        if events:
            session.connection().execute(_ENQUEUE, events)
            _delete_dead_letters(session, [row.id for row in rows])
        return len(events)

    return inventory.sessions.write(work)


@check_arguments
def discard_dead_letters(inventory: InventoryContext, ids: tuple[int, ...]) -> int:
    """Delete dead letters for good; return how many. Ids that do not exist are skipped."""
    return inventory.sessions.write(lambda session: _delete_dead_letters(session, ids))


def _claim(
    inventory: InventoryContext, token: str, candidates: Sequence[int], limit: int, lease_seconds: float
) -> Sequence[Row[Any]]:
    def work(session: Session) -> Sequence[Row[Any]]:
        connection = session.connection()
        locked = connection.execute(_LOCK_HEADS, {"heads": candidates}).all()
        if not locked:
            return []
        heads = [row.id for row in locked]
        products = [row.product_id for row in locked if row.product_id is not None]
        events = connection.scalars(_WITH_FOLLOWERS, {"heads": heads, "products": products, "limit": limit}).all()
        until = read_database_clock(connection) + timedelta(seconds=lease_seconds)
        connection.execute(_CLAIM, {"events": events, "token": token, "until": until})
        return connection.execute(_CLAIMED, {"token": token}).all()

    return inventory.sessions.write(work)


def _deliver(inventory: InventoryContext, event: Row[Any]) -> _Outcome | None:
    """Call the plugins. Return None, or what to do with the event that one of them did not take."""
    if event.event not in EVENT_HOOKS:
        return _fail(event, f"this program does not know events named {event.event}", MAX_UNKNOWN_ATTEMPTS)
    try:
        change = read_event(event.payload)
    except (ValueError, KeyError, TypeError) as error:
        return _fail(event, f"this program cannot read the event: {error!r}", MAX_UNKNOWN_ATTEMPTS)
    try:
        inventory.plugins.hook.after_stock_change(event=change)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the other events go on
        return _fail(event, f"{type(error).__name__}: {error}", MAX_ATTEMPTS, error)
    return None


def _fail(event: Row[Any], text: str, max_attempts: int, error: Exception | None = None) -> _Outcome:
    attempts = event.attempts + 1
    text = text[:MAX_ERROR_LENGTH]
    if attempts >= max_attempts:
        _LOG.error(
            "outbox: event %s (%s) is a dead letter after %s attempts: %s", event.id, event.event, attempts, text
        )
        return _Outcome(event, attempts, text, None)
    pause = min(2**attempts, MAX_PAUSE_SECONDS)
    message = "outbox: event %s (%s) was not delivered, next attempt in %s s: %s"
    # One traceback is enough: it is the same each time.
    _LOG.warning(message, event.id, event.event, pause, text, exc_info=error if attempts == 1 else None)
    return _Outcome(event, attempts, text, pause)


def _settle(inventory: InventoryContext, token: str, delivered: Sequence[int], kept: Sequence[_Outcome]) -> None:
    """Delete, put back or give up the events that are still claimed with ``token``."""

    def work(session: Session) -> None:
        connection = session.connection()
        if delivered:
            connection.execute(_DELIVERED, {"events": delivered, "token": token})
        if not kept:
            return
        now = read_database_clock(connection)
        back = [
            {
                "event_id": outcome.event.id,
                "token": token,
                "due": now + timedelta(seconds=outcome.pause) if outcome.pause else DUE_IMMEDIATELY,
                "tried": outcome.attempts,
                "error": outcome.error,
            }
            for outcome in kept
            if outcome.pause is not None
        ]
        if back:
            connection.execute(_PUT_BACK, back)
        for outcome in kept:
            if outcome.pause is None:
                event = outcome.event
                if connection.execute(_DROP, {"event_id": event.id, "token": token}).rowcount:
                    connection.execute(_BURY, _dead_letter(outcome, now))

    inventory.sessions.write(work)


def _dead_letter(outcome: _Outcome, now: datetime) -> dict[str, Any]:
    event = outcome.event
    return {
        "event": event.event,
        "payload": event.payload,
        "at": event.at,
        "dead_at": now,
        "attempts": outcome.attempts,
        "last_error": outcome.error,
        "product_id": event.product_id,
    }


def _dead_letters(ids: Collection[int] | None) -> Any:
    found = select(OUTBOX_DEAD_LETTER)
    return found if ids is None else found.where(OUTBOX_DEAD_LETTER.c.id.in_(ids))


def _delete_dead_letters(session: Session, ids: Collection[int]) -> int:
    return session.connection().execute(delete(OUTBOX_DEAD_LETTER).where(OUTBOX_DEAD_LETTER.c.id.in_(ids))).rowcount
