"""Whether the request of this moment has stored anything: only if it has not may it be answered 503.

Flask's request is looked at when a session has committed, so that no view and no plugin has to report it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, has_request_context
from sqlalchemy import event
from sqlalchemy.orm import Session

STORED = "stored"
BOOKKEEPING = "bookkeeping"


def watch_commits() -> None:
    """Note every commit of this process in the request that made it; several applications may call this."""
    if not event.contains(Session, "after_commit", _note):
        event.listen(Session, "after_commit", _note)


def is_stored() -> bool:
    """Return whether this request has stored something that a person asked for, or may notice."""
    return bool(g.get(STORED))


@contextmanager
def bookkeeping() -> Iterator[None]:
    """Leave out what is stored about a request and does not belong to what it asks for, such as a failed login."""
    if not has_request_context():
        yield
        return
    before = g.get(BOOKKEEPING, False)
    g.bookkeeping = True
    try:
        yield
    finally:
        g.bookkeeping = before


def _note(_: Session) -> None:
    if has_request_context() and not g.get(BOOKKEEPING):
        g.stored = True
