"""Sessions: the protocol that the core requires, and its implementation for one database."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, StaticPool, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState, Session
from typing_extensions import override

from inventory_core.database.dialects import (
    DriverErrorKind,
    classify_driver_error,
    is_commit_unknown,
    translate_driver_error,
)
from inventory_core.database.engines import ReadWriteEngines, open_engines
from inventory_core.errors import CommitUnknown, DatabaseBusy, ReadOnlyUnit, StorageRefused, TransactionMisuse

T = TypeVar("T")

ATTEMPTS = 6
RETRY_TIMEOUT_SECONDS = 15.0
"""Seconds after which users usually consider a page dead."""

_WORK_RUNS = "inventory_core.work_runs"
"""Key in ``Connection.info`` of a connection whose transaction only ``write`` may end."""


class SessionSource(Protocol):
    """The methods that the core requires. ``inventory_replication`` offers the same for a replicated cluster."""

    def reader(self) -> AbstractContextManager[Session]:
        """Return a session on one server for one unit of work; it refuses to write."""
        ...

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work(session)`` in one transaction and return its result.

        ``work`` may be run again after a deadlock or a busy database, so it must have no effect outside the session.
        An exception from ``work`` rolls everything back. ``work`` must not end the transaction itself nor begin another
        write, which includes every operation of this package: a source refuses both with ``TransactionMisuse``.
        Raises ``CommitUnknown`` if the connection was lost in the commit.
        """
        ...


class SingleDatabase:
    """Sessions on one database: SQLite (WAL, foreign keys on, busy time-out) or MySQL.

    Writes on SQLite wait for each other inside the process and begin with ``BEGIN IMMEDIATE``. A unit that meets a deadlock or a
    busy database is repeated up to ``attempts`` times with growing random pauses, but not started again after ``patience``
    seconds, which is also the longest wait for its turn; then ``DatabaseBusy`` is raised. Driver errors about the storage become
    ``StorageRefused``, a write in a reader ``ReadOnlyUnit``. Units do not nest: a write inside a write, any unit inside another
    on a database in memory, and ``commit``, ``rollback`` or ``close`` inside ``work`` raise ``TransactionMisuse``. Thread-safe;
    not to be shared over a fork.

    ``engines`` come from ``open_engines``. Other engines need the isolation level READ COMMITTED on MySQL; with any other level the
    first write raises ``StorageRefused``.
    """

    def __init__(
        self, engines: ReadWriteEngines, *, attempts: int = ATTEMPTS, patience: float = RETRY_TIMEOUT_SECONDS
    ) -> None:
        self._engines = engines
        self._attempts = attempts
        self._patience = patience
        self._turn = _Turn(patience) if engines.takes_turns else None
        # Two objects for one SQLite file would block each other.
        one_file = engines.takes_turns and not engines.one_connection
        self._key = str(engines.write.url.database) if one_file else id(self)
        self._isolation_is_known = engines.write.dialect.name == "sqlite"
        event.listen(engines.write, "commit", _refuse_commit)

    @classmethod
    def from_url(cls, url: str | URL, *, attempts: int = ATTEMPTS, patience: float = RETRY_TIMEOUT_SECONDS) -> Self:
        """Open the database at a SQLAlchemy URL such as ``sqlite:///stock.db`` or ``mysql+pymysql://…``.

        Connects to nothing yet; ``inventory_core.CORE_SCHEMA.upgrade`` creates the schema.
        """
        return cls(open_engines(url), attempts=attempts, patience=patience)

    @classmethod
    def from_file(cls, path: Path, *, attempts: int = ATTEMPTS, patience: float = RETRY_TIMEOUT_SECONDS) -> Self:
        """Open the SQLite database in a file, which need not exist; its name may hold any character."""
        # An absolute path keeps a name such as "file:x" or ":memory:" from being more than a name.
        engines = open_engines(URL.create("sqlite", database=str(path.absolute())))
        return cls(engines, attempts=attempts, patience=patience)

    @classmethod
    def from_engine(cls, engine: Engine, *, attempts: int = ATTEMPTS, patience: float = RETRY_TIMEOUT_SECONDS) -> Self:
        """Read and write through the caller's engine.

        On MySQL it needs the isolation level READ COMMITTED; on SQLite foreign keys are checked only if the engine enables them.
        Raises ``StorageRefused`` for a database that is not supported.
        """
        is_sqlite = engine.dialect.name == "sqlite"
        one_connection = isinstance(engine.pool, StaticPool)
        engines = ReadWriteEngines(engine, engine, takes_turns=is_sqlite, one_connection=one_connection)
        return cls(engines, attempts=attempts, patience=patience)

    @property
    def engine(self) -> Engine:
        """Return the engine for writes, which migrations use."""
        return self._engines.write

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Return every engine once, for event listeners."""
        return tuple({id(engine): engine for engine in (self._engines.read, self._engines.write)}.values())

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """Yield a read-only session; see ``SessionSource.reader``."""
        turn = self._take_turn() if self._engines.one_connection else nullcontext()
        with turn, _ReadingSession(self._engines.read, autoflush=False) as session:
            try:
                with _query_only(session) if self._engines.one_connection else nullcontext():
                    yield session
            except (DBAPIError, PoolTimeout) as error:
                self._refuse(error, reading=True)
                raise

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction; see ``SessionSource.write``."""
        with _without_nesting(self._key):
            return self._write(work)

    def _write(self, work: Callable[[Session], T]) -> T:
        last = time.monotonic() + self._patience
        for attempt in range(1, self._attempts + 1):
            try:
                with self._take_turn():
                    return self._attempt(work)
            except (DBAPIError, PoolTimeout) as error:
                if isinstance(error, PoolTimeout) or classify_driver_error(error) is not DriverErrorKind.TRY_AGAIN:
                    self._refuse(error)
                    raise
                if attempt == self._attempts or time.monotonic() > last:
                    raise DatabaseBusy(attempt) from error
            time.sleep(random.uniform(0.5, 1.0) * 0.01 * 2**attempt)  # noqa: S311
        raise ValueError("the number of attempts must be at least 1")

    def _attempt(self, work: Callable[[Session], T]) -> T:
        with _WritingSession(self._engines.write) as session:
            transaction = session.begin()
            connection = session.connection()
            self._require_isolation(connection)
            begun = connection.get_transaction()
            marks = connection.info
            marks[_WORK_RUNS] = session.work_runs = True
            try:
                result = work(session)
            except BaseException:
                # A refused commit leaves an open transaction, which the pool does not recognise.
                session.work_runs = False
                marks.pop(_WORK_RUNS, None)
                session.rollback()
                raise
            finally:
                session.work_runs = False
                marks.pop(_WORK_RUNS, None)
            if not transaction.is_active or begun is None or not begun.is_active:
                raise TransactionMisuse("rollback")
            _commit(session)
            return result

    def close(self) -> None:
        """Close every idle connection."""
        self._engines.dispose()

    def _take_turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turn is None else self._turn.taken()

    def _require_isolation(self, connection: Connection) -> None:
        """Refuse a host's engine whose transactions do not see the commits of others."""
        if self._isolation_is_known:
            return
        level = connection.get_isolation_level()
        if connection.dialect.name == "mysql" and level != "READ COMMITTED":
            raise StorageRefused(
                f"its transactions are {level}; create the engine with isolation_level='READ COMMITTED'"
            )
        self._isolation_is_known = True

    def _refuse(self, error: DBAPIError | PoolTimeout, *, reading: bool = False) -> None:
        """Raise the core's error for a driver error, if there is one."""
        if isinstance(error, PoolTimeout):
            raise DatabaseBusy(1) from error
        refused = translate_driver_error(error, self._engines.write.url, reading=reading)
        if refused is not None:
            raise refused from error


class _RunningWrites(threading.local):
    """The databases that this thread writes to."""

    def __init__(self) -> None:
        self.keys: set[object] = set()


_running_writes = _RunningWrites()


@contextmanager
def _without_nesting(key: object) -> Iterator[None]:
    """Refuse a write inside another one of the same thread and database."""
    if key in _running_writes.keys:
        raise TransactionMisuse("nested")
    _running_writes.keys.add(key)
    try:
        yield
    finally:
        _running_writes.keys.discard(key)


class _WritingSession(Session):
    """The session of a ``write``, in which the work must not end the transaction."""

    work_runs = False

    @override
    def commit(self) -> None:
        self._refuse_in_work("commit")
        super().commit()

    @override
    def rollback(self) -> None:
        self._refuse_in_work("rollback")
        super().rollback()

    @override
    def close(self) -> None:
        self._refuse_in_work("close")
        super().close()

    def _refuse_in_work(self, action: str) -> None:
        if self.work_runs:
            raise TransactionMisuse(action)


def _refuse_commit(connection: Connection) -> None:
    """Refuse a commit on the connection; the transaction can then only be rolled back."""
    if _WORK_RUNS in connection.info:
        raise TransactionMisuse("commit")


def _commit(session: Session) -> None:
    """Commit; raise ``CommitUnknown`` if the server's response is missing."""
    session.flush()
    try:
        session.commit()
    except DBAPIError as error:
        if not is_commit_unknown(error):
            raise
        # The connection may still be open, and commit or hold locks.
        session.invalidate()
        raise CommitUnknown from error


class _Turn:
    """Lets one thread at a time work, and refuses one that already does: it would wait for itself."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        if self._owner == threading.get_ident():
            raise TransactionMisuse("nested")
        if not self._lock.acquire(timeout=self._patience):
            raise DatabaseBusy(1)
        self._owner = threading.get_ident()
        try:
            yield
        finally:
            self._owner = None
            self._lock.release()


@contextmanager
def _query_only(session: Session) -> Iterator[None]:
    """Make the single connection of a database in memory refuse writes."""
    connection = session.connection().connection.driver_connection
    if connection is None:
        raise LookupError("the session has no connection")
    connection.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA query_only = OFF")


class _ReadingSession(Session):
    """Refuses obvious changes before they reach the database, which refuses the rest."""


def _refuse_flush(*_: Any) -> None:
    raise ReadOnlyUnit


def _refuse_changes(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise ReadOnlyUnit


event.listen(_ReadingSession, "before_flush", _refuse_flush)
event.listen(_ReadingSession, "do_orm_execute", _refuse_changes)
