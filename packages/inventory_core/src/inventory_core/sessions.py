"""Where sessions come from: the protocol that the core asks for, and its plain form over one database."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session

from inventory_core.engines import ReadWriteEngines, open_engines
from inventory_core.errors import DatabaseBusy, ReadOnlyUnit, StorageRefused
from inventory_core.failures import Failure, classify, describe

T = TypeVar("T")


class SessionSource(Protocol):
    """The two methods that the core needs. ``inventory_replication`` offers the same two over a replicated set."""

    def reader(self) -> AbstractContextManager[Session]:
        """Give a session on one server for one unit of work; it refuses to write."""
        ...

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work(session)`` in one transaction and give its result.

        ``work`` may be run again after a deadlock or a busy database, so it must have no effect outside the session.
        An exception from ``work`` rolls everything back.
        """
        ...


class SingleDatabase:
    """Sessions on one database: SQLite (WAL, foreign keys on, busy time-out) or any other SQLAlchemy URL.

    Writes on SQLite take turns inside the process and begin with ``BEGIN IMMEDIATE``; a unit that meets a deadlock or
    a busy database is repeated up to ``attempts`` times with a growing, random pause, then ``DatabaseBusy`` is raised.
    Driver errors that speak of the storage become ``StorageRefused``. Thread-safe; not to be shared over a fork.
    """

    def __init__(self, engines: ReadWriteEngines, *, attempts: int = 6) -> None:
        self._engines = engines
        self._attempts = attempts
        self._turn = threading.RLock() if engines.takes_turns else None

    @classmethod
    def from_url(cls, url: str | URL, *, attempts: int = 6) -> Self:
        """Open the database at a SQLAlchemy URL such as ``sqlite:///stock.db`` or ``mysql+pymysql://…``.

        Nothing is connected yet; the schema comes from ``inventory_core.schema.upgrade``.
        """
        return cls(open_engines(url), attempts=attempts)

    @property
    def engine(self) -> Engine:
        """The engine that writes; migrations run on it."""
        return self._engines.write

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """Give a read-only session; see ``SessionSource.reader``."""
        with self._exclusive(only_if_shared=True), Session(self._engines.read, autoflush=False) as session:
            event.listen(session, "before_flush", _refuse_flush)
            event.listen(session, "do_orm_execute", _refuse_changes)
            try:
                yield session
            except DBAPIError as error:
                raise _translated(error) from error

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction; see ``SessionSource.write``."""
        for attempt in range(1, self._attempts + 1):
            try:
                with self._exclusive(), Session(self._engines.write) as session, session.begin():
                    return work(session)
            except DBAPIError as error:
                if classify(error) is not Failure.TRY_AGAIN:
                    raise _translated(error) from error
                if attempt < self._attempts:
                    time.sleep(random.uniform(0.5, 1.0) * 0.01 * 2**attempt)  # noqa: S311
        raise DatabaseBusy(self._attempts)

    def close(self) -> None:
        """Close every idle connection."""
        self._engines.dispose()

    @contextmanager
    def _exclusive(self, *, only_if_shared: bool = False) -> Iterator[None]:
        if self._turn is None or (only_if_shared and not self._engines.one_connection):
            yield
            return
        with self._turn:
            yield


def _refuse_flush(session: Session, *_: Any) -> None:
    raise ReadOnlyUnit


def _refuse_changes(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise ReadOnlyUnit


def _translated(error: DBAPIError) -> Exception:
    match classify(error):
        case Failure.TRY_AGAIN:
            return DatabaseBusy(1)
        case Failure.STORAGE:
            return StorageRefused(describe(error))
        case Failure.READ_ONLY_UNIT:
            return ReadOnlyUnit()
        case _:
            return error
