"""The plain form over one SQLAlchemy engine, of any database: the methods of a cluster, where there is no replica."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory_replication import metrics
from inventory_replication.config import RetryPolicy
from inventory_replication.context import CausalContext, CurrentContext, Served
from inventory_replication.counters import Counters
from inventory_replication.decisions.error_numbers import Meaning
from inventory_replication.decisions.tokens import CausalToken
from inventory_replication.errors import ConfigurationError
from inventory_replication.guards import reading_class, refuse_commits_in_work, refuse_writes_on, writing_class
from inventory_replication.mysql.faults import meaning_of_fault
from inventory_replication.sessions import one_write_at_a_time, run_in_one_transaction
from inventory_replication.status import ClusterStatus, ServerStatus

S = TypeVar("S", bound=Session)
T = TypeVar("T")

_SQLITE_BUSY = (5, 6)
_REASON = "single"


class SingleServer(Generic[S]):
    """Units of work over one engine, as plain SQLAlchemy does them: its transactions, its errors, its events.

    There are three differences: a reader refuses to write before anything is sent, as on a cluster; ``work`` may be run again
    after a deadlock or while the database is locked; and everything is counted. Nothing is monitored and no thread is started.
    The engine stays the caller's, who also sets isolation and time-outs.

    Args:
        engine: Of any database.
        session_class: Of every session; `sqlalchemy.orm.Session` where it is left out.
        retry: How often a unit is run again.
        name: How status and metrics call the server.
    """

    @overload
    def __init__(
        self: "SingleServer[Session]", engine: Engine, *, retry: RetryPolicy = ..., name: str = ...
    ) -> None: ...
    @overload
    def __init__(
        self, engine: Engine, session_class: type[S], *, retry: RetryPolicy = ..., name: str = ...
    ) -> None: ...

    def __init__(
        self,
        engine: Engine,
        session_class: type[Any] = Session,
        *,
        retry: RetryPolicy | None = None,
        name: str = "database",
    ) -> None:
        self.engine = engine
        self._reading_engine = engine.execution_options()
        refuse_writes_on(self._reading_engine)
        refuse_commits_in_work(engine)
        self._writing: type[S] = writing_class(session_class)
        self._reading: type[S] = reading_class(session_class)
        self._retry = retry or RetryPolicy()
        self._name = name
        self._counters = Counters()
        self._current = CurrentContext()

    @contextmanager
    def reader(
        self,
        *,
        staleness_bound: float | None = None,  # noqa: ARG002 - the one database is never stale
        serve_stale: bool = False,  # noqa: ARG002
        source: bool = False,  # noqa: ARG002
    ) -> Iterator[S]:
        """Give a read-only session; see `ReplicatedCluster.reader`.

        Raises:
            ReadOnlyUnitError: The session was used to write.
        """
        self._count("reader")
        with self._reading(bind=self._reading_engine, autoflush=False) as session:
            yield session

    def write(self, work: Callable[[S], T]) -> T:
        """Run ``work(session)`` in one transaction and give its result; see `ReplicatedCluster.write`.

        Errors of SQLAlchemy are raised as they are, those after the last run included.
        """
        context = self._current.get()
        with one_write_at_a_time(self, context):
            result = self._write(work)
        if context is not None:
            context.note_stored()
        return result

    def _write(self, work: Callable[[S], T]) -> T:
        failed = 0
        while True:
            self._count("writer")
            try:
                return run_in_one_transaction(self._writing(bind=self.engine), work)
            except DBAPIError as fault:
                failed += 1
                label = _passing(fault)
                if not label or failed >= self._retry.attempts:
                    raise
                self._counters.count_repeat(label)
                sleep(self._retry.delay(failed, random.random()))  # noqa: S311

    @contextmanager
    def causal(self, token_text: str | None = None) -> Iterator[CausalContext]:  # noqa: ARG002 - nothing to wait for
        """As of a cluster; every change is seen at once here, so there is never a token."""
        with self._current.within(CausalContext(CausalToken(_REASON), lambda _: "")) as context:
            yield context

    def status(self) -> ClusterStatus:
        """One source without a replica; the database is not asked."""
        url = self.engine.url
        address = f"{url.host}:{url.port}" if url.port else url.host or url.database or ""
        reason = "One database, no replica."
        server = ServerStatus(self._name, address, "source", "source", 0.0, 0, "closed", reason)
        return ClusterStatus("source_only", 1, self._name, reason, (server,))

    def metrics(self) -> str:
        """The numbers of this process, as Prometheus text."""
        return metrics.render(self._counters.copied(), self.status(), monotonic())

    def drain(self, name: str) -> None:
        """Refused: nobody could take over.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(f"{name} cannot be drained: there is one database and no replica.")

    def restore(self, name: str) -> None:
        """Nothing to do: nothing is ever drained."""

    def start(self) -> None:
        """Nothing to do: there is no monitor."""

    def close(self) -> None:
        """Close the idle connections of the engine."""
        self.engine.dispose()

    def _count(self, role: str) -> None:
        self._counters.count_unit(role, self._name, _REASON)
        context = self._current.get()
        if context is not None:
            context.served.append(Served("source", self._name, _REASON, 0.0))


def _passing(fault: DBAPIError) -> str:
    """Why a second run may succeed; empty: it would not. The transaction has been rolled back."""
    meaning = meaning_of_fault(fault)
    if meaning in {Meaning.CONFLICT, Meaning.LOCK_WAIT}:
        return str(meaning)
    busy = getattr(fault.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_BUSY
    return "busy" if busy else ""
