"""Queries on audit events with filter and paging, and pruning of old events."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import NoneType

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import (
    MAX_KEY_LENGTH,
    Cursor,
    Inventory,
    code_key,
    forbid_row_changes,
    normalize_line,
    permit_row_changes,
)
from inventory_web.audit.log import Author, Event, add_event
from inventory_web.db.models import AuditEvent

PAGE_SIZE = 50
BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Filter for events: of or about a user, of one kind, from ``since`` on and before ``until``."""

    person: str = ""
    event: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in lists."""

    id: int
    at: datetime
    event: str
    actor: str
    subject: str
    address: str
    request_id: str
    details: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events, newest first; pass ``next`` as ``after`` for the next page. None at the end."""

    rows: tuple[EventRow, ...]
    next: Cursor | None


def events_page(
    inventory: Inventory, wanted: EventFilter, *, after: Cursor | None = None, size: int = PAGE_SIZE
) -> EventPage:
    """Return the events of a filter that follow ``after``. Raises ``InvalidInput`` for a cursor of another list."""
    if after is not None:
        after.require(NoneType, int)
    with inventory.sessions.reader() as session:
        rows = _batch(session, wanted, after, size + 1)
    further = len(rows) > size
    return EventPage(rows[:size], Cursor(None, rows[size - 1].id) if further else None)


def iter_events(inventory: Inventory, wanted: EventFilter) -> Iterator[EventRow]:
    """Yield all events of a filter, newest first, in constant memory."""
    after = None
    with inventory.sessions.reader() as session:
        while rows := _batch(session, wanted, after, BATCH_SIZE):
            yield from rows
            after = Cursor(None, rows[-1].id)


def prune_events(inventory: Inventory, before: datetime, *, by: Author) -> int:
    """Delete the events from before a time, in batches of a thousand; return how many. Pruning is an event, too.

    The account of the database must be allowed to drop and create triggers. Serving instances use an account that is not.
    Raises ``StorageRefused`` otherwise.
    """

    def work(session: Session) -> int:
        old = (
            select(col(AuditEvent.id)).where(col(AuditEvent.at) < before).order_by(col(AuditEvent.id)).limit(BATCH_SIZE)
        )
        numbers = session.scalars(old).all()
        if numbers:
            permit_row_changes(session.connection(), AuditEvent.__tablename__)
            try:
                session.execute(delete(AuditEvent).where(col(AuditEvent.id).in_(numbers)))
            finally:
                forbid_row_changes(session.connection(), AuditEvent.__tablename__)
        return len(numbers)

    total = 0
    while deleted := inventory.sessions.write(work):
        total += deleted
    text = before.isoformat(timespec="seconds")
    inventory.sessions.write(
        lambda session: add_event(session, inventory.clock(), Event.AUDIT_PRUNED, by=by, before=text, rows=total)
    )
    return total


def event_kinds(inventory: Inventory) -> tuple[str, ...]:
    """Return the kinds of recorded events, including those of plugins."""
    with inventory.sessions.reader() as session:
        return tuple(session.scalars(select(func.distinct(col(AuditEvent.event))).order_by(col(AuditEvent.event))))


def _batch(session: Session, wanted: EventFilter, after: Cursor | None, size: int) -> tuple[EventRow, ...]:
    query = _filtered(select(AuditEvent), wanted).order_by(col(AuditEvent.id).desc()).limit(size)
    if after is not None:
        query = query.where(col(AuditEvent.id) < after.id)
    return tuple(
        EventRow(
            row.id or 0,
            row.at,
            row.event,
            row.actor,
            row.subject,
            row.address,
            row.request_id,
            json.loads(row.details),
        )
        for row in session.scalars(query)
    )


def _filtered(query: Select[AuditEvent], wanted: EventFilter) -> Select[AuditEvent]:
    if wanted.person:
        key = code_key(normalize_line(wanted.person))[:MAX_KEY_LENGTH]
        query = query.where(or_(col(AuditEvent.actor_key) == key, col(AuditEvent.subject_key) == key))
    if wanted.event:
        query = query.where(col(AuditEvent.event) == wanted.event)
    if wanted.since is not None:
        query = query.where(col(AuditEvent.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditEvent.at) < wanted.until)
    return query
