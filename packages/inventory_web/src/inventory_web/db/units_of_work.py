"""Session sources that let several functions of the core share a unit of work."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Generic, TypeVar

from flask import g
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from inventory_core import Inventory, InventoryError, SessionSource, TransactionMisuse
from inventory_web import context

View = TypeVar("View", bound=Callable[..., Any])
T = TypeVar("T")
R = TypeVar("R")

_READS_ONCE = "inventory_reads_once"


class SharedReads:
    """A source whose readers share one unit of work, one after another, until ``release``.

    For one request and its thread: another thread, and a reader inside a reader, get a unit of their own. A write ends the
    unit, so what follows it sees the change. An error ends it too.
    """

    def __init__(self, source: SessionSource) -> None:
        self.source = source
        self._thread = threading.get_ident()
        self._unit: AbstractContextManager[Session] | None = None
        self._session: Session | None = None
        self._from_source = False
        self._busy = False
        self._released = False

    def reader(self) -> AbstractContextManager[Session]:
        """Yield the shared read-only session, which is begun if there is none."""
        return self._share(self.source.reader, from_source=False)

    def source_reader(self) -> AbstractContextManager[Session]:
        """Yield a read-only session of the source of a replicated set. What is read next shares it."""
        return self._share(getattr(self.source, "source_reader", self.source.reader), from_source=True)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction; see ``SessionSource.write``."""
        if self._is_available():
            self._end()
        return self.source.write(work)

    def release(self) -> None:
        """End the unit of work; later readers have one each."""
        self._released = True
        # What was read stays true if the connection is lost now.
        with suppress(InventoryError, SQLAlchemyError):
            self._end()

    @contextmanager
    def _share(self, begin: Callable[[], AbstractContextManager[Session]], *, from_source: bool) -> Iterator[Session]:
        if not self._is_available() or (from_source and self._unit is not None and not self._from_source):
            with begin() as session:
                yield session
            return
        if self._unit is None or self._session is None:
            unit = begin()
            self._session = unit.__enter__()
            self._unit, self._from_source = unit, from_source
        self._busy = True
        try:
            yield self._session
        except BaseException as error:
            failed, self._unit, self._session = self._unit, None, None
            # The unit translates errors of the driver.
            if not failed.__exit__(type(error), error, error.__traceback__):
                raise
        finally:
            self._busy = False

    def _is_available(self) -> bool:
        return not self._busy and not self._released and threading.get_ident() == self._thread

    def _end(self) -> None:
        unit, self._unit, self._session = self._unit, None, None
        if unit is not None:
            unit.__exit__(None, None, None)


class JoinedReads:
    """A source whose readers use the session of a running write: they see what it has written so far."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """Yield the session of the write."""
        yield self._session

    def write(self, work: Callable[[Session], T]) -> T:
        """Refuse: a write does not nest."""
        del work
        raise TransactionMisuse("nested")


class ReadAfterWrite(Generic[R]):
    """A source that reads the result of each write in its transaction.

    ``read`` gets a source that sees the change. It runs again with a write that is repeated. Its last result is ``result``.
    """

    def __init__(self, source: SessionSource, read: Callable[[Session, JoinedReads], R]) -> None:
        self.source = source
        self.result: R | None = None
        self._read = read

    def reader(self) -> AbstractContextManager[Session]:
        """Yield a read-only session; see ``SessionSource.reader``."""
        return self.source.reader()

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, and then ``read``; see ``SessionSource.write``."""

        def work_and_read(session: Session) -> T:
            done = work(session)
            self.result = self._read(session, JoinedReads(session))
            return done

        return self.source.write(work_and_read)


def underlying(sessions: SessionSource) -> SessionSource:
    """Return the database, or the replicated set, behind sources of this module."""
    while isinstance(sessions, SharedReads | ReadAfterWrite):
        sessions = sessions.source
    return sessions


@contextmanager
def use_inventory(inventory: Inventory) -> Iterator[None]:
    """Make another inventory the current one inside a block."""
    before = g.get("inventory")
    g.inventory = inventory
    try:
        yield
    finally:
        g.inventory = before


def reads_once(view: View) -> View:
    """Mark a view: all that its request reads, from the login to the menu, is one unit of work.

    The view must not stream its response: the unit of work ends with the view.
    """
    setattr(view, _READS_ONCE, True)
    return view


def is_read_once(view: Callable[..., Any] | None) -> bool:
    """Return whether the view is marked with ``reads_once``."""
    return getattr(view, _READS_ONCE, False)


def share_reads() -> None:
    """Make the readers of this request share one unit of work from now on."""
    inventory = context.app_state().inventory
    g.inventory = replace(inventory, sessions=SharedReads(inventory.sessions))


def release_reads() -> None:
    """End the unit of work that the readers of this request share, if there is one."""
    inventory = g.pop("inventory", None)
    if inventory is not None and isinstance(inventory.sessions, SharedReads):
        inventory.sessions.release()
