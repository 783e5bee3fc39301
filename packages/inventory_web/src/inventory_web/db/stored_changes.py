"""Tracks whether the current request has stored anything: only if it has not, may it be answered with 503.

Every commit of a session marks Flask's current request, so views and plugins need not report it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, has_request_context
from sqlalchemy import event
from sqlalchemy.orm import Session

STORED = "stored"
BOOKKEEPING = "bookkeeping"


def watch_commits() -> None:
    """Mark the request of every commit in this process; several applications may call this."""
    if not event.contains(Session, "after_commit", _note):
        event.listen(Session, "after_commit", _note)


def is_stored() -> bool:
    """Return whether this request has stored something that the user requested or may notice."""
    return bool(g.get(STORED))


@contextmanager
def bookkeeping() -> Iterator[None]:
    """Ignore commits in this block: they record something about the request, such as a failed login."""
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
