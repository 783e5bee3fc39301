"""The audit log: records events of accounts, logins and data, and never changes them."""

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import unquote_plus
from weakref import WeakKeyDictionary

from flask import request
from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import MAX_KEY_LENGTH, Inventory, InventoryError, SessionSource, code_key, normalize_line
from inventory_web import context
from inventory_web.context import REQUEST_ID
from inventory_web.db.models import AuditEvent
from inventory_web.db.stored_changes import bookkeeping
from inventory_web.db.units_of_work import underlying
from inventory_web.http.logs import get_logger

MAX_SUBJECT_CHARACTERS = 200
MAX_DETAIL_CHARACTERS = 500
THROTTLE_INTERVAL = timedelta(minutes=1)
MAX_THROTTLED_KEYS = 1_000
log = get_logger(__name__)


class Event(StrEnum):
    """The built-in events. Plugins may record others: any word of at most 40 characters."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGIN_THROTTLED = "login_throttled"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the same
    ACCOUNT_ADDED = "account_added"
    ROLE_CHANGED = "role_changed"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    SECOND_FACTOR_ON = "second_factor_on"
    SECOND_FACTOR_OFF = "second_factor_off"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    EXPORTED = "exported"
    IMPORTED = "imported"
    IMPORT_UNDONE = "import_undone"
    ROLE_REFUSED = "role_refused"
    ACCESS_REFUSED = "access_refused"
    CSRF_FAILED = "csrf_failed"
    METRICS_DENIED = "metrics_denied"
    SECOND_FACTOR_OFF_REFUSED = "second_factor_off_refused"
    ACCOUNT_CHANGE_REFUSED = "account_change_refused"
    PRODUCT_RETIRED = "product_retired"
    PRODUCT_RESTORED = "product_restored"
    AUDIT_PRUNED = "audit_pruned"


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something, from which address, in which request; each may be empty."""

    name: str = ""
    address: str = ""
    request_id: str = ""


def current_author() -> Author:
    """Return the user behind this request. For views only."""
    return Author(context.current_actor(), request.remote_addr or "", REQUEST_ID.get())


def current_filter() -> str:
    """Return the query string of this request in readable form."""
    return unquote_plus(request.query_string.decode("utf-8", "replace"))


def add_event(
    session: Session, at: datetime, event: str, *, by: Author, subject: str = "", **details: str | int | None
) -> None:
    """Record an event in the caller's transaction; ``subject`` is the affected user or object.

    Details are cut to 500 characters each. Never pass a password, code or token.
    """
    shortened = {
        name: value[:MAX_DETAIL_CHARACTERS] if isinstance(value, str) else value for name, value in details.items()
    }
    actor, subject = normalize_line(by.name)[:80], normalize_line(subject)[:MAX_SUBJECT_CHARACTERS]
    values = {
        "at": at,
        "event": event[:40],
        "actor": actor,
        "actor_key": code_key(actor)[:MAX_KEY_LENGTH],
        "subject": subject,
        "subject_key": code_key(subject)[:MAX_KEY_LENGTH],
        "address": by.address[:64],
        "request_id": by.request_id[:64],
        "details": json.dumps(
            {name: value for name, value in shortened.items() if value is not None}, ensure_ascii=False
        ),
    }
    session.execute(insert(AuditEvent).values(values))


def log_event(inventory: Inventory, event: str, *, by: Author, subject: str = "", **details: str | int | None) -> None:
    """Record an event in its own transaction, such as a refusal; only log it if the database is not available.

    The event has already happened, so a failure here must not stop the caller.
    """
    at = inventory.clock()
    try:
        with bookkeeping():
            inventory.sessions.write(lambda session: add_event(session, at, event, by=by, subject=subject, **details))
    except InventoryError as error:
        log.warning("not_audited", audit_event=event, actor=by.name, subject=subject, code=error.code)


def log_event_throttled(
    inventory: Inventory, event: str, *, by: Author, subject: str = "", **details: str | int | None
) -> None:
    """Record an event that clients can cause in any number: at most once a minute per user, and for all anonymous clients together.

    The next recorded event has the number of skipped ones of this process in ``skipped``.
    """
    now = inventory.clock()
    skipped = _paces.setdefault(underlying(inventory.sessions), _EventThrottle()).take(event, code_key(by.name), now)
    if skipped is None:
        return
    try:
        if was_logged_since(inventory, event, by=by, since=now - THROTTLE_INTERVAL):
            return
    except InventoryError as error:
        log.warning("not_audited", audit_event=event, actor=by.name, subject=subject, code=error.code)
        return
    log_event(inventory, event, by=by, subject=subject, skipped=skipped or None, **details)


class _EventThrottle:
    """Allows one event of each kind and user per interval, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], tuple[datetime, int]] = {}

    def take(self, event: str, actor_key: str, now: datetime) -> int | None:
        """Return how many were skipped since the last recorded one; None if this one must be skipped, too."""
        key = (event, actor_key)
        with self._lock:
            last, skipped = self._last.get(key, (None, 0))
            if last is not None and timedelta() <= now - last < THROTTLE_INTERVAL:
                self._last[key] = (last, skipped + 1)
                return None
            if len(self._last) >= MAX_THROTTLED_KEYS:
                self._last.clear()
            self._last[key] = (now, 0)
            return skipped


_paces: WeakKeyDictionary[SessionSource, _EventThrottle] = WeakKeyDictionary()
"""One throttle for each database of this process."""


def was_logged_since(inventory: Inventory, event: str, *, by: Author, since: datetime) -> bool:
    """Return whether this user's event was recorded since then, as far as a replica knows."""
    those = col(AuditEvent.actor_key) == code_key(by.name)[:MAX_KEY_LENGTH], col(AuditEvent.event) == event
    query = select(col(AuditEvent.id)).where(*those, col(AuditEvent.at) >= since).limit(1)
    with inventory.sessions.reader() as session:
        return session.scalars(query).first() is not None
